"""How well each structure was found, as the network's own doubt tells, and plain reasons where that is poor."""

import numpy as np

from neuroloom.anatomy.answer import names_of_outputs
from neuroloom.anatomy.measures import structure_ml
from neuroloom.atlases.anatomy import base_name
from neuroloom.transforms.volume_grid import voxel_sizes

THICK = 3.0  # mm between slices, beyond which that is the likeliest reason
PLAUSIBLE_ML = (900.0, 2200.0)  # intracranial volume of adults; children of a few months have less
CUT = 0.3  # of a structure's largest section: as much at the end of the field of view is a cut


def confidence(p):
    """Return for each output the Dice overlap that posteriors expect of their own answer, 0 where it is not found.

    With the answer M = {voxels whose likeliest output this is}, that is 2 sum_M p / (|M| + sum p): the ratio of
    expectations, were the posteriors calibrated.

    Parameters
    ----------
    p : ndarray of shape (output, i, j, k)
    """
    answered = p.argmax(axis=0).ravel()
    n = len(p)
    sizes = np.bincount(answered, minlength=n)
    flat = p.reshape(n, -1)
    sure = np.bincount(answered, weights=np.take_along_axis(flat, answered[None], axis=0)[0], minlength=n)
    return np.where(sizes > 0, 2 * sure / np.maximum(sizes + flat.sum(axis=1, dtype=np.float64), 1e-9), 0.0)


def predicted_dice(p, calibration):
    """Return name -> Dice expected of each structure: its confidence, by the line that was fitted on heads not learned from.

    Parameters
    ----------
    p : ndarray of shape (output, i, j, k)
    calibration : dict
        Structure -> ``slope``, ``intercept``.
    """
    found = dict(zip(names_of_outputs(), confidence(p), strict=True))
    return {
        name: float(np.clip(one["intercept"] + one["slope"] * found[name], 0, 1)) if found[name] > 0 else 0.0
        for name, one in calibration.items()
    }


def judged(answer, scan, calibration):
    """Return what is told of quality.

    Parameters
    ----------
    answer : Answer
    scan : Scan
        As it was read: its voxel sizes are a reason.
    calibration : dict
        Structure -> ``slope``, ``intercept``, ``least``: less than 19 of 20 good scans give is flagged.

    Returns
    -------
    scores : dict
        Structure without side -> Dice expected (the worse side).
    flags : dict
        Structure without side -> reason, for those below their least.
    whole : dict
        ``score`` (mean), ``passed``, ``reasons``.
    """
    p = answer.posteriors.data
    scores = predicted_dice(p, calibration)
    cut = _cut_off(answer)
    thickest = float(voxel_sizes(scan.geometry["affine"]).max())
    flags, worst = {}, {}
    for name, score in scores.items():
        base = base_name(name)
        worst[base] = min(score, worst.get(base, 1.0))
        if name in cut:
            flags[base] = "the field of view ends within it"
        elif score == 0:
            flags.setdefault(base, "it was not found")
        elif score < calibration[name]["least"]:
            flags.setdefault(base, _reason(thickest))
    return worst, flags, _whole(worst, flags, thickest, answer)


def _reason(thickest):
    if thickest > THICK:
        return f"its borders are unsure: voxels are {thickest:.1f} mm long"
    return "its borders are unsure: contrast, noise, motion or an unusual shape"


def _cut_off(answer):
    """Return the structures that the scan's field of view cuts: its end goes through them as through their middle.

    A brain that only touches the end, as where a stripped scan was cropped tightly, shows little of itself there.
    """
    answered, names = answer.posteriors.data.argmax(axis=0), names_of_outputs()
    found = set()
    for axis in range(3):
        there = np.flatnonzero(answer.inside.any(axis=tuple({0, 1, 2} - {axis})))
        ends = [at for at, outer in ((there[0], 0), (there[-1], answered.shape[axis] - 1)) if at != outer]
        if not ends:
            continue
        areas = np.stack([np.bincount(part.ravel(), minlength=len(names)) for part in np.moveaxis(answered, axis, 0)])
        largest = areas[there[0] : there[-1] + 1].max(axis=0)
        for at in ends:
            found |= {name for n, name in enumerate(names) if n and areas[at, n] > CUT * max(largest[n], 1)}
    return found - {"csf"}


def _whole(worst, flags, thickest, answer):
    score = float(np.mean(list(worst.values())))
    reasons = [f"{name.replace('_', ' ')}: {reason}" for name, reason in flags.items()]
    ml = sum(structure_ml(answer).values())
    if not PLAUSIBLE_ML[0] <= ml <= PLAUSIBLE_ML[1]:
        reasons.insert(
            0,
            f"the intracranial volume is {ml:.0f} ml; that of adults is {PLAUSIBLE_ML[0]:.0f} to {PLAUSIBLE_ML[1]:.0f} ml",
        )
    if thickest > THICK:
        reasons.insert(0, f"voxels are {thickest:.1f} mm long, so small structures are a voxel or two thick")
    passed = len(flags) <= len(worst) // 3 and PLAUSIBLE_ML[0] <= ml <= PLAUSIBLE_ML[1]
    return {"score": score, "passed": bool(passed), "reasons": reasons}
