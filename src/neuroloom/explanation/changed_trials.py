"""What an effect changes in the trials that a learner sees: the same recordings with it and without."""

import numpy as np
import torch

from neuroloom.explanation.fold_map import chosen_people
from neuroloom.explanation.series_frame import binned
from neuroloom.transforms.chain import ScanChain

MOST_RECORDINGS, MOST_TRIALS = 4, 60  # of people, and of each of them


def change_of_trials(learner, data, one, without, with_effect, cut):
    """Return the mean size of the difference that an effect makes in the trials of recordings, in the frame of a map.

    Over time it is the difference of the series; over frequency that of the amplitudes.

    Parameters
    ----------
    learner : Trained or Estimator
        Whose chains are used.
    data : Data
    one : Explained
        Whose map it is.
    without : Source
        The same recordings without the effect.
    with_effect : Source or None
        The same recordings with it; None for the data's own.
    cut : dict
        Keeps trials that were drawn, for the next map.

    Returns
    -------
    ndarray of the frame's shape, or None
        None where the channels that are seen are not those of the map.
    """
    names = learner.inputs.names.get(one.input)
    if names is None or one.frame.names is None or tuple(map(str, names)) != one.frame.names:
        return None
    total, n = np.zeros(one.frame.shape), 0
    for rows in rows_of_recordings(data, one.input):
        both = [trials_of(learner, data, one.input, rows, source, cut) for source in (with_effect, without)]
        total += difference(*both, one, learner, data, rows).sum(axis=0)
        n += len(rows)
    return total / n


def rows_of_recordings(data, name):
    """Return trials of the first recording of some people, spread over the people and over the target."""
    store, people = data.stores[name], data.people
    known = np.flatnonzero(store.present)
    firsts = np.array([known[people[known] == one][0] for one in dict.fromkeys(people[known])])
    some = firsts[np.unique(np.linspace(0, len(firsts) - 1, MOST_RECORDINGS).round().astype(int))]
    of_one = [np.flatnonzero(store.source == store.source[row]) for row in some]
    return [chosen_people(rows, data.target, MOST_TRIALS) for rows in of_one]


def trials_of(learner, data, name, rows, source, cut):
    """Return the trials of one recording as a learner sees them: (n, channel, time); ``source`` None is the data's own."""
    store = data.stores[name]
    recording = store.store.samples[int(store.source[rows[0]])]
    key = name, recording, source is None or source.recipe
    if key not in cut:
        whole = None if source is None else ScanChain(learner.plan.inputs[name].scan)(source.load(recording)).data
        stretches = zip(rows, store.first[rows], store.n_times[rows], strict=True)
        cut[key] = np.stack([store[r] if whole is None else whole[:, f : f + n] for r, f, n in stretches])
    return learner.inputs.chains[name].transform(cut[key], data.cohort.table.iloc[rows])


def difference(after, before, one, learner, data, rows):
    """Return the size of the difference of trials (n, channel, time) in the frame of a map: (n, *shape)."""
    columns = one.frame.columns
    if columns is None:
        return np.abs(after - before).mean(axis=-1)
    if columns.unit == "s":
        return binned(np.abs(after - before), len(columns))
    lines = one.how.lines(learner, data, one.input, rows)
    size = np.abs(np.abs(np.fft.rfft(after)) - np.abs(np.fft.rfft(before)))
    return lines.added(torch.as_tensor(size)).numpy()
