"""The tests that an attribution must pass before it may be read as more than a picture."""

import itertools

import numpy as np
from scipy.stats import rankdata

from neuroloom.explanation.amplitude_perturbation import beyond_chance
from neuroloom.explanation.planted import LEVEL, found, reach
from neuroloom.known import locate
from neuroloom.metrics import METRICS

WHOLE = 0.05  # of the answer's difference: completeness error above which integrated gradients need more steps


def rank_correlation(one, other, domain, signed=False):
    """Return Spearman's correlation of the strengths of two maps (or of their values) over a domain; NaN where one is flat."""
    known = domain & np.isfinite(one) & np.isfinite(other)
    first, second = (rankdata(values[known] if signed else np.abs(values[known])) for values in (one, other))
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def between(maps, domain, signed=False):
    """Return the rank correlations of all pairs of maps."""
    return [rank_correlation(one, other, domain, signed) for one, other in itertools.combinations(maps, 2)]


def against_redrawn(maps, redrawn, domain, signed=False):
    """Return the rank correlation of each fold's map with each of its maps by drawn weights."""
    both = zip(maps, redrawn, strict=True)
    return [rank_correlation(one, other, domain, signed) for one, drawn in both for other in drawn]


def unlearned(redrawn, domain, signed=False):
    """Return the rank correlations between maps by drawn weights, of different folds."""
    pairs = itertools.combinations(redrawn, 2)
    return [
        rank_correlation(one, other, domain, signed) for first, second in pairs for one in first for other in second
    ]


def means_of_folds(redrawn):
    """Return maps by drawn weights as they are to be compared with a mean over folds: a mean over folds each."""
    return [[np.mean(of_folds, axis=0)] for of_folds in zip(*redrawn, strict=True)]


def check_randomised_weights(maps, redrawn, domain, signed=False):
    """Drawn weights must change the map (Adebayo et al. 2018, doi:10.48550/arXiv.1810.03292).

    Passed when at most one in twenty maps by drawn weights is as like the fold's map as the map of a retrained
    learner is.
    """
    drawn, retrained = against_redrawn(maps, redrawn, domain, signed), between(maps, domain, signed)
    value = float(np.nanquantile(drawn, 1 - LEVEL)) if np.isfinite(drawn).any() else float("nan")
    bar = float(np.nanmedian(retrained)) if np.isfinite(retrained).any() else float("nan")
    text = (
        f"Rank correlation of a fold's map with maps by drawn weights (the highest but 5 % of {len(drawn)}); it must "
        "stay below that with a retrained learner's map."
    )
    return outcome("randomised_weights", value, bar, value < bar, text)


def check_agreement_of_folds(maps, redrawn, domain, signed=False):
    """Retrained learners must agree, more than learners that learned nothing do."""
    retrained, drawn = between(maps, domain, signed), unlearned(redrawn, domain, signed)
    value = float(np.nanmedian(retrained)) if np.isfinite(retrained).any() else float("nan")
    bar = float(np.nanquantile(drawn, 1 - LEVEL)) if np.isfinite(drawn).any() else float("nan")
    text = (
        f"Median rank correlation of the maps of {len(maps)} folds, each on its own test people; it must be above what "
        "learners with drawn weights reach. Folds share most of their fit people: agreement means stable, not true."
    )
    return outcome("agreement_of_folds", value, bar, value > bar, text)


def check_agreement_of_methods(maps, redrawn, others, others_redrawn, domain, name):
    """Another method must agree on the same learner, more than it does on drawn weights."""
    same = [rank_correlation(one, other, domain) for one, other in zip(maps, others, strict=True)]
    drawn = against_redrawn(maps, others_redrawn, domain) + against_redrawn(others, redrawn, domain)
    value = float(np.nanmean(same)) if np.isfinite(same).any() else float("nan")
    bar = float(np.nanquantile(drawn, 1 - LEVEL)) if np.isfinite(drawn).any() else float("nan")
    text = f"Rank correlation with the map by {name.replace('_', ' ')}; it must be above that with drawn weights."
    return outcome(f"agreement_with_{name}", value, bar, value > bar, text)


def check_planted_place(values, redrawn, place, frame, varies, of_answers=None, seed=0, knows=None):
    """The map must find the planted place beyond chance; where nothing is planted, it must not.

    Chance is what the place moved elsewhere gives, what drawn answers give on the same people, and what learners
    with drawn weights give; the hardest of them is the threshold. A learner that is not above chance (``knows`` is
    False) finds nothing that is planted: its map may lie anywhere, also where the strongest rhythm is. Where nothing is
    planted, its map is not read, and the outcome is undecided.
    """
    reached = found(values, place, frame, varies, of_answers, seed)
    if reached is None:
        return None
    highest = max((reach(one, place, frame, varies) for drawn in redrawn for one in drawn), default=0.0)
    told = f"AUC of the map's strength for {place.text}, against the rest of the map; p = {reached.p:.4f}"
    told += f" (against {reached.method}); learners with drawn weights reach {highest:.2f} at most."
    bar = max(reached.bar, highest)
    is_found, knows_nothing = reached.p < LEVEL and reached.auc > bar, knows is False
    if not place.effect:
        told = f"Nothing was planted, and the map must not single out the place. {told}"
        told += " Undecided: the learner is not above chance, so that its map is not read." if knows_nothing else ""
        return outcome("nothing_planted", reached.auc, bar, None if knows_nothing else not is_found, told)
    told += " The learner is not above chance, so that its map finds nothing." if knows_nothing else ""
    return outcome("planted_place", reached.auc, bar, is_found and not knows_nothing, told)


def check_learner(null):
    """The learner must predict better than chance: a map of one that does not explains nothing.

    Parameters
    ----------
    null : dict or None
        Of the learner in metrics.json: ``metric`` and ``p``; None where no null was drawn, a p of None where
        nothing could be exchanged.
    """
    if null is None or null["p"] is None:
        return outcome("learner_above_chance", float("nan"), LEVEL, False, "p of the learner's own score.")
    score = locate("metric", METRICS, null["metric"]).label
    text = f"p of the learner's own {score}, against chance: a map of a learner that knows nothing tells nothing."
    return outcome("learner_above_chance", null["p"], LEVEL, null["p"] < LEVEL, text)


def check_completeness(error):
    """Integrated gradients must add up to the difference of the answers."""
    text = "How far the values miss the answer's difference from the baseline, relative to it."
    return outcome("completeness", error, WHOLE, error <= WHOLE, text)


def check_amplitudes(values, domain, variance):
    """The answer must go along with some amplitude beyond what drawn factors give by chance, over the whole map.

    The test is of the whole map. Neighbours are changed alike, so values beyond the threshold are not counted: one amplitude
    that the answer hangs on lifts those around it.
    """
    known = values[domain & np.isfinite(values)]
    bar = beyond_chance(known.size, variance)
    text = (
        "Largest correlation of the map; where the answer hangs on no amplitude, one map in twenty reaches the threshold "
        "anywhere. Beyond it the answer hangs on that amplitude or on a neighbour's within some centimetres."
    )
    largest = float(np.abs(known).max())
    return outcome("answer_hangs_on_amplitudes", largest, bar, largest > bar, text)


def outcome(name, value, threshold, passed, text):
    """Return one test as the page shows it; a value that could not be computed decides nothing, nor does passed None."""
    known = np.isfinite(value) and np.isfinite(threshold)
    return {
        "name": name,
        "value": float(value) if np.isfinite(value) else None,
        "threshold": float(threshold) if np.isfinite(threshold) else None,
        "passed": bool(passed) if known and passed is not None else None,
        "text": text if known else f"{text} It could not be decided in this run.",
    }


def verdict(tests):
    """Return in plain words what the tests mean for a reader of the map."""
    failed = [test["name"].replace("_", " ") for test in tests if test["passed"] is False]
    open_ = [test["name"].replace("_", " ") for test in tests if test["passed"] is None]
    if failed:
        named = ", ".join(failed)
        return f"It failed {len(failed)} of its {len(tests)} tests ({named}): this map must not be read as a biomarker."
    if open_:
        return f"Not decided: {', '.join(open_)}. Until then this map must not be read as a biomarker."
    return f"It passed its {len(tests)} test{'s' if len(tests) > 1 else ''}."
