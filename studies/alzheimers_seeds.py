"""Does `alzheimers-mri` find what is planted, and nothing where nothing is? Several cohorts of each.

    python studies/alzheimers_seeds.py --jobs 2

Writes ``alzheimers_seeds.json``: for each seed the AUC of every learner with its interval, beside the best AUC that
the planted truth allows; first with the default effects, then with nothing planted.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from study_record import commit, write

import neuroloom

HERE = Path(__file__).parent


def one(seed, effect_scale, jobs, settings):
    """Return the scores of one simulated cohort."""
    changed = {"seed": seed, "cohort.seed": seed, "cohort.effect_scale": effect_scale, "explanation": [], **settings}
    with tempfile.TemporaryDirectory() as folder:
        run = neuroloom.run("alzheimers-mri", settings=changed, out=f"{folder}/run", cache=f"{folder}/cache", jobs=jobs)
        metrics = run.metrics
    scores = {name: told["scores"]["auc"] for name, told in metrics["learners"].items()}
    return {
        "seed": seed,
        "ceiling": (metrics["ceiling"] or {}).get("auc"),
        "auc": {name: score["value"] for name, score in scores.items()},
        "interval": {name: score["interval"] for name, score in scores.items()},
    }


def summary(planted, nothing):
    """Return what the two sets of cohorts say together, for each learner."""
    told = {}
    for name in planted[0]["auc"]:
        reached = [run["auc"][name] for run in planted]
        covered = [run["interval"][name][0] <= 0.5 <= run["interval"][name][1] for run in nothing]
        told[name] = {
            "mean_auc": float(np.mean(reached)),
            "mean_distance_to_ceiling": float(np.mean([run["ceiling"] - run["auc"][name] for run in planted])),
            "null_intervals_that_hold_half": f"{sum(covered)} of {len(covered)}",
            "null_mean_auc": float(np.mean([run["auc"][name] for run in nothing])),
        }
    return told


def study(n_planted, n_nothing, jobs=1, on_done=lambda told: None, **settings):
    """Return the whole study as JSON can say it; ``on_done`` is told what there is after each cohort."""
    told = {"planted": [], "nothing_planted": []}
    for seed in range(max(n_planted, n_nothing)):
        if seed < n_planted:
            told["planted"].append(one(seed, 1.0, jobs, settings))
        if seed < n_nothing:
            told["nothing_planted"].append(one(100 + seed, 0.0, jobs, settings))
        on_done({"summary": summary(told["planted"], told["nothing_planted"]), **told})
    return {"summary": summary(told["planted"], told["nothing_planted"]), **told}


def main():
    """Run the study and write its JSON beside this script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planted", type=int, default=5)
    parser.add_argument("--nothing", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    at = commit()

    def keep(told):
        write(HERE / "alzheimers_seeds.json", {"commit": at, **told})

    told = study(given.planted, given.nothing, given.jobs, keep)
    print(json.dumps(told["summary"], indent=1))


if __name__ == "__main__":
    main()
