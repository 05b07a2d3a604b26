"""From recordings made ready to their trials: the same cohort with a row a trial."""

from dataclasses import replace

import numpy as np

from neuroloom.cohort.cut_windows import find_windows
from neuroloom.cohort.trials import Recorded, find_trials
from neuroloom.errors import NeuroloomError
from neuroloom.known import check_known
from neuroloom.transforms.store_parts import PartStore


def as_trials(cohort, stores, name, **how):
    """Return the cohort and its stores with a row a trial; no data are copied.

    Parameters
    ----------
    cohort : Cohort
        A row a recording.
    stores : dict
        Input name -> store, after the per-scan chain.
    name : str
        The input whose events make the trials and that is cut; other inputs stay whole, one for all trials of a row.
    **how
        As `find_trials` takes it; with ``every``, as `find_windows` does.

    Returns
    -------
    (Cohort, dict of PartStore)
    """
    check_known("input of trials", name, stores)
    store = stores[name]
    if store.kind != "series":
        raise NeuroloomError(
            f"trials are cut from series, but the input {name!r} is of kind {store.kind} after its chain."
        )
    find = find_windows if "every" in how else find_trials
    recorded = recordings_of(store, with_events=not ("every" in how and how.get("new")))
    trials = find(cohort.table, recorded, name=cohort.name, **how)
    samples = tuple(trials.table.index)
    cut = {
        one: PartStore(other, samples, trials.recording, *((trials.first, trials.n_times) if one == name else ()))
        for one, other in stores.items()
    }
    notes = (*cohort.notes, *trials.notes)
    return replace(cohort, table=trials.table, notes=notes, known_truth=None), cut


def recordings_of(store, with_events=True):
    """Return the `Recorded` of each sample that a store of series holds; without its events, where they are not asked for."""
    return {store.samples[row]: _recorded(store, int(row), with_events) for row in np.flatnonzero(store.present)}


def _recorded(store, row, with_events):
    geometry = store.geometry(row) if with_events else {**store.geometry(row), "events": []}
    for what, way_out in (
        ("events", "Name them for the reader, or in a file beside the recording."),
        ("sampling_rate", "Give sampling_rate."),
    ):
        if geometry.get(what) is None:
            raise NeuroloomError(f"{store.samples[row]}: trials need {what}, and this recording says none. {way_out}")
    return Recorded(geometry["events"], float(geometry["sampling_rate"]), store[row].shape[-1])
