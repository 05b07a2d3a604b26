"""What an effect changes in the trials that a learner sees: the same recordings with it and without."""

import numpy as np
import torch

from neuroloom.explanation.series_frame import binned
from neuroloom.transforms.chain import ScanChain

MOST_RECORDINGS, MOST_TRIALS = 4, 240  # of people, and of each of them


def change_of_trials(learner, data, one, without, with_effect, cut):
    """Return how much more an effect changes the trials of one class than those of another, in the frame of a map.

    What it changes is the energy of the difference of the same trials with and without it, over time or over frequency,
    its mean over trials of each class. Where it changes all classes alike (the responses to flashes before and after
    overlap with that to an awaited one), it tells nothing of the class.

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
    n_classes = len(data.target.classes)
    total, n = np.zeros((n_classes, *one.frame.shape)), np.zeros(n_classes)
    for rows in rows_of_recordings(data, one.input):
        after, before = (trials_of(learner, data, one.input, rows, source, cut) for source in (with_effect, without))
        of_trials = energy(after - before, one, learner, data, rows)
        np.add.at(total, data.target.values[rows], of_trials)
        n += np.bincount(data.target.values[rows], minlength=n_classes)
    of_classes = total[n > 0] / n[n > 0].reshape(-1, *[1] * len(one.frame.shape))
    return np.ptp(of_classes, axis=0)


def rows_of_recordings(data, name):
    """Return trials of the first recording of some people: as many of each class, spread over the recording."""
    store, people = data.stores[name], data.people
    known = np.flatnonzero(store.present)
    firsts = np.array([known[people[known] == one][0] for one in dict.fromkeys(people[known])])
    of_one = [np.flatnonzero(store.source == store.source[row]) for row in spread(firsts, MOST_RECORDINGS)]
    classes = range(len(data.target.classes))
    most = MOST_TRIALS // len(classes)
    return [
        np.sort(np.concatenate([spread(rows[data.target.values[rows] == c], most) for c in classes])) for rows in of_one
    ]


def spread(rows, most):
    """Return at most so many of some rows, evenly from the first to the last."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, most).round().astype(int))] if len(rows) else rows


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


def energy(difference, one, learner, data, rows):
    """Return the energy of the difference of trials (n, channel, time) in the frame of a map: (n, *shape)."""
    columns = one.frame.columns
    if columns is None:
        return (difference**2).sum(axis=-1)
    if columns.unit == "s":
        return binned(difference**2, len(columns))
    lines = one.how.lines(learner, data, one.input, rows)
    return lines.added(torch.as_tensor(np.abs(np.fft.rfft(difference)) ** 2)).numpy()
