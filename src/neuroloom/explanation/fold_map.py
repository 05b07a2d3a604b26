"""The maps of one method on one learner in one fold (or a few small folds taken together)."""

from dataclasses import dataclass

import numpy as np

from neuroloom.explanation import EXPLANATIONS
from neuroloom.explanation.answer import answer_of
from neuroloom.explanation.frame import Frame, frame_of, joined, laid, placed, placed_mask
from neuroloom.explanation.readings import read, readings_of, truth_of
from neuroloom.explanation.redrawn import redrawn
from neuroloom.parts import build
from neuroloom.training.job import single_thread
from neuroloom.training.learner import load_learner

BYTES_HELD = 2**30  # of one fold's attributions, by its learner and by those with drawn weights
LEAST_HELD = 4  # people
VARIES_OVER = 64  # fit people who are looked at for where an input differs between people
THIRDS = ("lowest third of predictions", "middle third of predictions", "highest third of predictions")


@dataclass(frozen=True)
class FoldMap:
    """What a method shows of one input.

    Parameters
    ----------
    frame : Frame
    maps : dict of ndarray
        Reading -> map of the frame's shape, see `neuroloom.explanation.readings`.
    redrawn : list of dict of ndarray
        The same by learners with drawn weights, on the same people.
    groups : dict of (ndarray, int)
        Group name -> sum of its people's attributions, and how many they are. Empty for a pattern, to
        which people contribute together.
    varies : ndarray of bool
        Where the input differs between people (of the fit part).
    n : int
        People.
    told : dict
        What the method reports about itself.
    """

    frame: Frame
    maps: dict[str, np.ndarray]
    redrawn: list[dict[str, np.ndarray]]
    groups: dict[str, tuple[np.ndarray, int]]
    varies: np.ndarray
    n: int
    told: dict[str, float]


def fold_maps(part, places, folds, data, answer_number, seed, n_draws):
    """Attribute test people of some folds, each with its own fold's learner, and sum up.

    Parameters
    ----------
    part : Part
        The method.
    places : list of Path
        Folder of each fold's learner.
    folds : list of Fold
    data : Data
    answer_number : int
        Which of the learner's answers is explained.
    seed : int
    n_draws : int
        Learners with drawn weights, a fold.

    Returns
    -------
    dict of FoldMap
        Input name -> its maps.
    """
    method = build("explanation", EXPLANATIONS, part)
    with single_thread():
        made = [
            _fold(method, load_learner(place), fold, data, answer_number, seed, n_draws)
            for place, fold in zip(places, folds, strict=True)
        ]
    return {name: _summed(method, [fold[name] for fold in made], data.target, answer_number) for name in made[0]}


@dataclass(frozen=True)
class _People:
    """Attributions of one input of one fold's people, laid in the fold's frame."""

    frame: Frame
    rows: np.ndarray
    values: np.ndarray  # (n, *frame shape)
    answers: np.ndarray  # (n,)
    drawn: list[tuple[np.ndarray, np.ndarray]]  # values and answers by drawn weights
    varies: np.ndarray
    told: dict


def _fold(method, learner, fold, data, answer_number, seed, n_draws):
    rows = chosen_people(fold.test, data.target, affordable(method.people, learner, data, n_draws))
    answer = answer_of(learner, data.target, answer_number)
    made = method.attribute(learner, data, rows, fold, answer)
    drawn = []
    for number in range(n_draws):
        other = redrawn(learner, data, fold, seed, fold.repeat, fold.index, learner.plan.name, number)
        drawn.append(method.attribute(other, data, rows, fold, answer))
    stores, fit = learner.inputs.stores(data, rows), fold.fit[:VARIES_OVER]
    known_stores = learner.inputs.stores(data, fit)
    people = {}
    for name in made.maps:
        known = stores[name].present[rows]
        frame = frame_of(learner, data, name, rows, method)
        seen = [
            (
                laid(one.maps[name][known], frame.kind, method.is_pattern, method.window, frame.columns),
                one.answers[known],
            )
            for one in (made, *drawn)
        ]
        varies = np.ones(frame.shape, dtype=bool)
        if method.window is None:
            differs = varying(known_stores[name], fit[known_stores[name].present[fit]])
            varies &= differs if frame.columns is None else differs[:, None]
        people[name] = _People(frame, rows[known], *seen[0], seen[1:], varies, made.told)
    return people


def affordable(most, learner, data, n_draws):
    """Return how many people's attributions may be held at once: fewer than asked for very large inputs."""
    stores = [data.stores[name] for name in learner.inputs.chains]
    values = sum(store[int(np.argmax(store.present))].size for store in stores)
    a_person = values * (1 + n_draws) * np.dtype(np.float64).itemsize
    return max(LEAST_HELD, min(most, BYTES_HELD // a_person))


def chosen_people(test, target, most):
    """Return at most ``most`` rows of a test part, spread evenly over the target's values, in row order."""
    if len(test) <= most:
        return np.sort(test)
    order = test[np.argsort(target.values[test], kind="stable")]
    return np.sort(order[np.linspace(0, len(order) - 1, most).round().astype(int)])


def varying(store, rows):
    """Return where an input differs between people, in the shape of the frame."""
    first = np.asarray(store[int(rows[0])])
    if store.kind == "series":
        return np.ptp(first, axis=-1) > 0
    low, high = first.copy(), first.copy()
    for row in rows[1:]:
        low, high = np.minimum(low, store[int(row)]), np.maximum(high, store[int(row)])
    differs = high > low
    return differs.any(axis=0) if store.kind == "volume" else differs


def _summed(method, folds, target, answer_number):
    frame, where = joined([fold.frame for fold in folds])
    rows = np.concatenate([fold.rows for fold in folds])
    answers, truth = np.concatenate([fold.answers for fold in folds]), truth_of(target, rows, answer_number)
    values = _stacked([fold.values for fold in folds], where, frame)

    def all_read(values, answers):
        return {reading: read(reading, values, answers, truth) for reading in readings_of(method)}

    drawn = []
    for of_folds in zip(*[fold.drawn for fold in folds], strict=True):
        parts, answered = zip(*of_folds, strict=True)
        drawn.append(all_read(_stacked(parts, where, frame), np.concatenate(answered)))
    varies = np.any([placed_mask(fold.varies, at, frame) for fold, at in zip(folds, where, strict=True)], axis=0)
    told = {key: float(np.mean([fold.told[key] for fold in folds])) for key in folds[0].told}
    members = group_members(rows, answers, target) if not method.is_pattern else {}
    groups = {name: (values[of].sum(axis=0), int(of.sum())) for name, of in members.items() if of.any()}
    return FoldMap(frame, all_read(values, answers), drawn, groups, varies, len(rows), told)


def _stacked(parts, where, frame):
    if all(at is None for at in where):
        return np.concatenate(parts)
    return np.concatenate(
        [np.stack([placed(one, at, frame) for one in values]) for values, at in zip(parts, where, strict=True)]
    )


def group_members(rows, answers, target):
    """Return who is in which group: classes, or thirds of the predictions; name -> bool (n,)."""
    if target.kind == "class":
        return {name: target.values[rows] == number for number, name in enumerate(target.classes)}
    third = np.argsort(np.argsort(answers, kind="stable"), kind="stable") * 3 // max(len(answers), 1)
    return {name: third == number for number, name in enumerate(THIRDS)}
