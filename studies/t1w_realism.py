"""Are simulated T1w heads like real ones, and is what is planted in them what was stated?

    python studies/t1w_realism.py [--data FOLDER]

Writes ``t1w_realism.json``:

- gauge: correlations of pairs of people at 4 mm after affine alignment, simulated at one site, beside real ones
  (FOLDER: a BIDS folder of skull-stripped T1w scans; ``bids_depression_t1w`` of 12 people gave the stored numbers);
- natural: spread of log volume between people, drawn and by the formula that effects are planned with;
- gains: how much of a change meant for the template comes out in people (`Region.gain` holds these);
- effects: Cohen's d of true volumes, asked and reached, at default effects, moved, and at 0;
- baseline: AUC of a logistic regression on the voxels of a hippocampal patch and of the recipe's box, 5-fold;
- seconds of processor time for a head at 2 mm.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import binary_dilation, gaussian_filter
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from study_record import write

from neuroloom.cohort.opened import open_cohort
from neuroloom.scan import Scan
from neuroloom.seeds import generator
from neuroloom.simulators.t1w import simulate_t1w
from neuroloom.simulators.t1w_regions import REGIONS
from neuroloom.simulators.t1w_response import amplitudes_for, velocity_of
from neuroloom.simulators.t1w_template import template_2mm
from neuroloom.simulators.t1w_warp import displacement, natural_covariance, natural_velocity, volumes
from neuroloom.transforms.volume_align import Align
from neuroloom.transforms.volume_grid import box_grid, resample_onto
from neuroloom.transforms.volume_zscore import ZScore

HERE = Path(__file__).parent
GRID = box_grid((-96, -132, -72), (96, 92, 120), 4.0)
PATCHES = {"hippocampal patch": ((-40, -44, -32), (40, 4, 4)), "box": ((-56, -60, -40), (56, 28, 24))}
STEPS = {"hippocampus": -0.33, "ventricles": 0.75, "temporal": -0.157, "grey": -0.1}  # as the default effects ask


def rounded(values, digits=3):
    return {name: round(float(value), digits) for name, value in values.items()}


def gauge(cohort):
    """Return the median, least and largest correlation of pairs, in the brain, with its rim, and smoothed."""
    t1, _, _, affine = template_2mm()
    inside = resample_onto(Scan(t1[None], "volume", {"affine": affine}), *GRID).data[0] > 0.2
    seen = np.stack([resample_onto(Align()(cohort.load("t1w", s)), *GRID).data[0] for s in cohort.samples])
    smooth = np.stack([gaussian_filter(volume, 1.0) for volume in seen])  # 4 mm standard deviation
    told = {}
    for name, volumes_, where in (
        ("brain", seen, inside),
        ("brain and rim", seen, binary_dilation(inside)),
        ("brain, smoothed by 4 mm", smooth, inside),
    ):
        pairs = np.corrcoef(volumes_[:, where])[np.triu_indices(len(seen), 1)]
        told[name] = rounded({"median": np.median(pairs), "least": pairs.min(), "largest": pairs.max()})
    return told


def natural(n):
    """Return the standard deviation of log volume over ``n`` drawn people, and by the formula."""
    names = list(REGIONS)
    logs = np.log([volumes(displacement(natural_velocity(generator(0, "natural", i))), names) for i in range(n)])
    formula = np.sqrt(np.diag(natural_covariance(names)))
    return {
        "people": n,
        "drawn": rounded(dict(zip(names, logs.std(axis=0, ddof=1), strict=True))),
        "formula": rounded(dict(zip(names, formula, strict=True))),
    }


def gains(n):
    """Return the share of a meant change that comes out in people, were no gain allowed for, and its error."""
    told = {}
    for name, region in REGIONS.items():
        step = STEPS.get(name, -0.25)  # of log volume
        push = velocity_of(amplitudes_for({name: step}))
        changes = []
        for number in range(n):
            own = natural_velocity(generator(0, "gain", number))
            with_push, without = (volumes(displacement(v), [name])[0] for v in (own + push, own))
            changes.append(np.log(with_push / without) / step * region.gain)
        error = np.std(changes, ddof=1) / np.sqrt(n)
        told[name] = rounded({"gain": np.mean(changes), "standard_error": error, "in_use": region.gain})
    return told


def cohens_d(values, ill):
    pooled = np.sqrt((values[ill].var(ddof=1) + values[~ill].var(ddof=1)) / 2)
    return (values[ill].mean() - values[~ill].mean()) / pooled


def effects(n, seed, **settings):
    """Return asked and reached Cohen's d of the true volumes, and the AUC of a discriminant on them."""
    cohort = simulate_t1w(n_participants=n, seed=seed, **settings)
    ill = (cohort.table["diagnosis"] == "AD").to_numpy()
    names = list(cohort.planted["effects"]) or ["hippocampus", "ventricles", "temporal"]
    truth = cohort.truth
    age = cohort.table["age"].to_numpy()
    known = np.c_[np.log(truth[names].to_numpy()), np.minimum(age, 60), np.maximum(age, 60)]
    fitted = LinearDiscriminantAnalysis().fit(known, ill).decision_function(known)
    return {
        "people": n,
        "asked": rounded(cohort.planted["effects"]),
        "reached": rounded({name: cohens_d(truth[name].to_numpy(), ill) for name in names}),
        "factors": rounded(cohort.planted["factors"]),
        "ceiling_auc": round(cohort.planted["ceiling"]["auc"], 4),
        "auc_of_truth_and_age": round(float(roc_auc_score(ill, fitted)), 4),
    }


def baseline(n, seed, **settings):
    """Return the mean over folds of the AUC of logistic regression on voxels of 4 mm, after alignment."""
    cohort = simulate_t1w(n_participants=n, seed=seed, **settings)
    ill = (cohort.table["diagnosis"] == "AD").to_numpy()
    scans = [ZScore()(Align()(cohort.load("t1w", sample))) for sample in cohort.samples]
    told = {"people": n, "seed": seed}
    for name, corners in PATCHES.items():
        x = np.stack([resample_onto(scan, *box_grid(*corners, 4.0)).data.ravel() for scan in scans])
        scores = []
        for fit, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(x, ill):
            model = make_pipeline(StandardScaler(), LogisticRegression(C=1e-3, max_iter=2000)).fit(x[fit], ill[fit])
            scores.append(roc_auc_score(ill[test], model.decision_function(x[test])))
        told[name] = rounded({"auc": np.mean(scores), "least_fold": min(scores), "largest_fold": max(scores)})
    return told


def seconds(n):
    """Return processor seconds on one thread: a head at 2 mm, its true volumes, its alignment."""
    cohort = simulate_t1w(n_participants=n, seed=1)
    scans = [cohort.load("t1w", sample) for sample in cohort.samples]
    jobs = {
        "head": lambda: [cohort.load("t1w", sample) for sample in cohort.samples],
        "true volumes": lambda: cohort.truth,
        "alignment": lambda: [Align()(scan) for scan in scans],
    }
    told = {}
    for name, job in jobs.items():
        job()  # templates and modes are made once a process
        start = time.process_time()
        job()
        told[name] = (time.process_time() - start) / n
    return rounded(told)


def study(data=None, n=400, seeds=(0, 1), n_gauge=12):
    """Return the whole study as JSON can say it; the suite runs a small one."""
    alike = simulate_t1w(n_participants=n_gauge, n_sites=1, diseased=0.0, ages=(23, 50), seed=1)
    told = {"gauge": {"simulated": gauge(alike)}}
    if data:
        told["gauge"]["real"] = gauge(open_cohort(data))
    told["natural"] = natural(n)
    told["gains"] = gains(max(4, n // 10))
    told["effects"] = [effects(n, seed) for seed in seeds]
    told["effects_moved"] = [effects(n, seed, moved=True) for seed in seeds]
    told["effects_0"] = [effects(n, seed, effect_scale=0.0) for seed in seeds]
    people = min(n, 160)
    told["baseline"] = [baseline(people, seed) for seed in seeds]
    told["baseline_0"] = [baseline(people, seed, effect_scale=0.0) for seed in seeds]
    told["seconds"] = seconds(8)
    return told


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    torch.set_num_threads(1)
    told = study(parser.parse_args().data)
    write(HERE / "t1w_realism.json", told)
