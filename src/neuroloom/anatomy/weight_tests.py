"""What weights reach on heads they have not learned from: simulated scans through the whole line of `Answerer`."""

from itertools import product

import numpy as np
import torch

from neuroloom.anatomy.answer import names_of_outputs
from neuroloom.anatomy.measures import structure_ml
from neuroloom.anatomy.prior import answered_halfway
from neuroloom.anatomy.quality import confidence
from neuroloom.atlases.anatomy import base_name
from neuroloom.batch import Batch
from neuroloom.metrics.overlap import dice, overlap
from neuroloom.scan import Scan
from neuroloom.seeds import torch_generator
from neuroloom.transforms.augment_contrasts import SimulatedContrasts
from neuroloom.transforms.volume_posteriors import likeliest_onto

LEAST_ML = 0.01  # of a structure, for an error in percent
LEAST_R = 0.3  # correlation from which a confidence is worth telling
LEAST_PAIRS = 8  # of confidence and Dice, for a line
LOWEST = 0.05  # of the good scans' expected Dice: less is flagged
STILL = dict.fromkeys(("flip", "rotation", "scale", "shear", "elastic", "cut", "thick", "ghosts"), 0.0)  # a good scan
TWICE = {**STILL, "rotation": 5.0, "stripped": 0.0}  # a head that was laid down anew


def simulated(labels, source, key, *, contrast=None, **changed):
    """Return a scan of a label map at its own voxel size, and the outputs' truth.

    Parameters
    ----------
    labels : ndarray of shape (i, j, k)
        RAS+ axes.
    source : dict
        ``voxel_size`` of the maps in mm, and ``table``, see `neuroloom.atlases.anatomy.generation_table`.
    key : tuple
        What the draws are keyed by.
    contrast : str or None
        A known one, the head unmoved; None draws all that training draws.
    changed
        Arguments of `SimulatedContrasts` that differ.

    Returns
    -------
    scan : Scan
        ``volume`` (1, i, j, k).
    truth : ndarray of shape (i, j, k), int64
    """
    maker = SimulatedContrasts(**{**source, "contrast": contrast, "coarser": 1, **changed})
    batch = maker(Batch({"labels": torch.from_numpy(labels.astype(np.int32))[None]}), torch_generator(*key))
    affine = np.diag([*[source["voxel_size"]] * 3, 1.0])
    scan = Scan(batch.inputs["scan"][0].numpy(), "volume", {"affine": affine})
    return scan, batch.target["labels"][0].argmax(dim=0).numpy()


def answered(answerer, scan, truth):
    """Return the answer, and Dice (output,) at the scan's own voxels."""
    answer = answerer(scan)
    found = likeliest_onto(answer.posteriors, truth.shape, scan.geometry["affine"])
    return answer, dice(overlap(truth, found, len(names_of_outputs())))


def scores_by_contrast(answerer, maps, source, contrasts, on_progress=None):
    """Return contrast -> Dice (map, structure) of unmoved heads in known contrasts, and the confidences alike."""
    found = {contrast: [] for contrast in contrasts}
    for contrast, name in counted(product(contrasts, sorted(maps)), "scoring", on_progress):
        scan, truth = simulated(maps[name], source, (0, "scored", contrast, name), contrast=contrast, **STILL)
        answer, overlaps = answered(answerer, scan, truth)
        found[contrast].append((overlaps[1:], confidence(answer.posteriors.data)[1:]))
    dices, sure = ({contrast: np.stack([one[n] for one in rows]) for contrast, rows in found.items()} for n in (0, 1))
    return dices, sure


def calibrated(answerer, maps, source, n_draws, good, on_progress=None):
    """Return structure -> slope, intercept, r, least: what Dice a confidence stands for, in scans of any quality.

    Parameters
    ----------
    answerer : Answerer
    maps : dict of ndarray
    source : dict
        See `simulated`.
    n_draws : int
        Scans drawn of each map, with all that training draws but the cut field of view.
    good : ndarray of shape (scan, structure)
        Confidences in good scans, of which the lowest share is flagged.
    """
    pairs = []
    for name, draw in counted(product(sorted(maps), range(n_draws)), "calibrating", on_progress):
        scan, truth = simulated(maps[name], source, (0, "calibrated", name, draw), cut=0.0)
        answer, overlaps = answered(answerer, scan, truth)
        pairs.append((confidence(answer.posteriors.data)[1:], overlaps[1:]))
    sure, true = (np.stack(one) for one in zip(*pairs, strict=True))
    return {name: _line(sure[:, n], true[:, n], good[:, n]) for n, name in enumerate(names_of_outputs()[1:])}


def counted(keys, what, on_progress):
    """Yield keys, telling after the work on each how many of them are done."""
    keys = list(keys)
    for done, key in enumerate(keys, start=1):
        yield key
        if on_progress:
            on_progress(what, done, len(keys))


def _line(sure, true, good):
    """Return the line from confidence to Dice.

    Where confidence does not foretell Dice the line is the mean Dice and nothing is flagged by it; a structure that was
    hardly ever found has none and counts as not found.
    """
    known = np.isfinite(true) & (sure > 0)
    if known.sum() < LEAST_PAIRS:
        return {"slope": 0.0, "intercept": 0.0, "r": None, "least": 0.0}
    r = float(np.corrcoef(sure[known], true[known])[0, 1])
    if not r >= LEAST_R:
        return {"slope": 0.0, "intercept": float(true[known].mean()), "r": r, "least": 0.0}
    slope, intercept = np.polyfit(sure[known], true[known], 1)
    least = intercept + slope * float(np.quantile(good, LOWEST))
    return {"slope": float(slope), "intercept": float(intercept), "r": r, "least": float(least)}


def repeatability(answerer, maps, source, n_pairs, on_progress=None):
    """Return what measuring twice gives of heads that did not change: laid down anew, noise, bias and contrast drawn anew.

    All scans are T1-weighted; from pairs of ml (a, b), the coefficient of variation is the root of the mean of
    (a - b)^2 / 2 over the squared mean (Bland and Altman 1996, doi:10.1136/bmj.312.7047.1654). Structures with two sides
    are told by side and, under the name without it, together.

    Parameters
    ----------
    answerer : Answerer
    maps : dict of ndarray
    source : dict
        See `simulated`.
    n_pairs : int
        Of each map.

    Returns
    -------
    once : dict
        Structure -> coefficient of variation (%) of one measurement of one scan.
    halfway : dict
        ``pairs``, and ``percent``: the same where both scans are measured half-way between them, as changes are.
    """
    once, halfway = [], []
    for name, pair in counted(product(sorted(maps), range(n_pairs)), "scanning twice", on_progress):
        keys = [(0, "twice", name, pair, visit) for visit in range(2)]
        two = [simulated(maps[name], source, key, contrast="t1", **TWICE)[0] for key in keys]
        once.append([structure_ml(answerer(scan)) for scan in two])
        halfway.append([structure_ml(answer) for answer in answered_halfway(answerer, *two)])
    return variation(once), {"pairs": len(halfway), "percent": variation(halfway)}


def variation(pairs):
    """Return structure -> coefficient of variation (%) from pairs of its volumes, each pair two dicts of ml."""
    names = {name: (name,) for name in pairs[0][0]}
    for name in pairs[0][0]:
        if (base := base_name(name)) != name:
            names[base] = (*names.get(base, ()), name)
    ml = {
        name: np.array([[sum(one[part] for part in parts) for one in two] for two in pairs])
        for name, parts in names.items()
    }
    return {name: _spread(two) for name, two in ml.items()}


def _spread(two):
    """Return the coefficient of variation (%) of pairs of ml, None where a structure was hardly found."""
    means = two.mean(axis=1)
    if means.min() < LEAST_ML:
        return None
    return float(100 * np.sqrt((((two[:, 0] - two[:, 1]) / means) ** 2).mean() / 2))
