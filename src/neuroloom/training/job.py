"""One learner in one fold: what the processes of a run do, side by side."""

import json
import os

import filelock
import pandas as pd
import torch
from threadpoolctl import threadpool_limits

from neuroloom.cohort.folds import WITHIN_PERSON
from neuroloom.formats.atomic import atomic_write, remove_halves
from neuroloom.formats.tables import write_table
from neuroloom.training.learner import make_learner
from neuroloom.training.seen import refuse_seen

TUNE_PREDICTIONS = "tune_predictions.csv"  # what chooses a threshold; never scored
MAY_BE_SEEN = (*WITHIN_PERSON, "sample")  # units in which a person may be learned from and tested


def fit_one(plan, data, fold, seed, place, log, keep_tune=False):
    """Fit one learner in one fold and keep its test predictions; done work is left as it is.

    With ``keep_tune`` those of the tune part are kept too, in a file of their own.
    """
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
            keep_predictions((learner, *learner.beside()), data, fold, place, keep_tune)
            if getattr(learner, "windows", None):
                log.add("scans seen in windows", **job, windows=sorted(learner.windows))
            atomic_write(place / "done.json", json.dumps(job).encode())
        if not any(e["event"] == "fold ended" and _is(e, job) for e in log.events()):
            log.add("fold ended", **job)


def _is(event, job):
    return all(event.get(key) == value for key, value in job.items())


class single_thread:  # noqa: N801 - reads as a context
    """One thread for BLAS and torch, and sums in one order on a GPU, so that the same work gives the same bytes.

    A step of a network that a GPU can only do in an order of its own gives a warning (torch names it).
    """

    def __enter__(self):
        self.before = torch.get_num_threads()
        self.limits = threadpool_limits(1)
        torch.set_num_threads(1)
        self.orders = None
        if torch.cuda.is_available():
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when cuBLAS starts; its way to one order
            self.orders = (torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark)
            _set_orders(True, False)

    def __exit__(self, *_):
        torch.set_num_threads(self.before)
        self.limits.restore_original_limits()
        if self.orders is not None:
            _set_orders(*self.orders)


def _set_orders(deterministic, benchmark):
    torch.use_deterministic_algorithms(deterministic, warn_only=True)
    torch.backends.cudnn.benchmark = benchmark  # trying out which is fastest may choose another each time


def keep_predictions(learners, data, fold, place, keep_tune=False):
    """Write the predictions of fitted learners into a job's folder: ``predictions.csv``, and ``tune_predictions.csv``."""
    for part in ("test", "tune") if keep_tune else ("test",):
        tables = [predictions(one, data, fold, part) for one in learners]
        name = "predictions.csv" if part == "test" else TUNE_PREDICTIONS
        write_table(place / name, pd.concat(tables, ignore_index=True))


def predictions(learner, data, fold, part="test"):
    """Return a learner's predictions for a part of a fold (``test`` or ``tune``), a row a sample."""
    rows = getattr(fold, part)
    if part == "test" and fold.unit not in MAY_BE_SEEN:
        refuse_seen(learner.told_seen, data.people[rows])
    columns = learner.columns(data.target.name, learner.predict(data, rows))
    table = data.cohort.table.iloc[rows]
    return pd.DataFrame(
        {
            "sample_id": table.index,
            "participant_id": table["participant_id"].to_numpy(),
            "repeat": fold.repeat,
            "fold": fold.index,
            "learner": learner.plan.name,
            **({} if data.target.kind == "labels" else {f"truth_{data.target.name}": data.target.named(rows)}),
            **columns,
        }
    )


def text_columns(target):
    """Return the columns of a predictions table that are words whatever they look like."""
    named = [f"truth_{target.name}", f"prediction_{target.name}"] if target.kind == "class" else []
    return ["sample_id", "participant_id", *named]
