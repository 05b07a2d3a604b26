"""One learner in one fold: what the processes of a run do, side by side."""

import json

import filelock
import pandas as pd
import torch
from threadpoolctl import threadpool_limits

from neuroloom.formats.atomic import atomic_write, remove_halves
from neuroloom.formats.tables import write_table
from neuroloom.training.learner import make_learner


def fit_one(plan, data, fold, seed, place, log):
    """Fit one learner in one fold and keep its test predictions; done work is left as it is."""
    place.mkdir(parents=True, exist_ok=True)
    job = {"repeat": fold.repeat, "fold": fold.index, "learner": plan.name}
    with filelock.FileLock(place / ".lock"), single_thread():
        if not (place / "done.json").exists():
            remove_halves(place)
            told = {e["epoch"] for e in log.events() if e["event"] == "epoch ended" and _is(e, job)}

            def on_epoch(row):
                if row["epoch"] not in told:
                    log.add("epoch ended", **job, **row)

            learner = make_learner(plan).fit(data, fold, seed, place, on_epoch)
            write_table(place / "predictions.csv", predictions(learner, data, fold))
            atomic_write(place / "done.json", json.dumps(job).encode())
        if not any(e["event"] == "fold ended" and _is(e, job) for e in log.events()):
            log.add("fold ended", **job)


def _is(event, job):
    return all(event.get(key) == value for key, value in job.items())


class single_thread:  # noqa: N801 - reads as a context
    """One thread for BLAS and torch, so that serial and parallel runs do the same sums."""

    def __enter__(self):
        self.before = torch.get_num_threads()
        self.limits = threadpool_limits(1)
        torch.set_num_threads(1)

    def __exit__(self, *_):
        torch.set_num_threads(self.before)
        self.limits.restore_original_limits()


def predictions(learner, data, fold):
    """Return a learner's predictions for the test part of a fold, a row a sample."""
    rows = fold.test
    columns = learner.columns(data.target.name, learner.predict(data, rows))
    table = data.cohort.table.iloc[rows]
    return pd.DataFrame(
        {
            "sample_id": table.index,
            "participant_id": table["participant_id"].to_numpy(),
            "repeat": fold.repeat,
            "fold": fold.index,
            "learner": learner.plan.name,
            f"truth_{data.target.name}": data.target.named(rows),
            **columns,
        }
    )


def text_columns(target):
    """Return the columns of a predictions table that are words whatever they look like."""
    named = [f"truth_{target.name}", f"prediction_{target.name}"] if target.kind == "class" else []
    return ["sample_id", "participant_id", *named]
