"""Volumes of structures, from posteriors: cm3, sides, asymmetry, shares of the intracranial volume, tissues."""

import numpy as np

from neuroloom.atlases.anatomy import base_name, structures

GREY = (
    "cerebral_cortex", "cerebellum_cortex", "thalamus", "caudate", "putamen", "pallidum", "hippocampus", "amygdala",
    "accumbens_area", "ventral_diencephalon",
)  # fmt: skip
WHITE = ("cerebral_white_matter", "cerebellum_white_matter", "brain_stem")


def tissue_of(name):
    """Return ``grey``, ``white`` or ``csf`` of a structure, with or without its side."""
    base = base_name(name)
    return "grey" if base in GREY else "white" if base in WHITE else "csf"


def structure_ml(answer):
    """Return name -> ml of each structure, the sum of its posteriors within the field of view: borders count in part."""
    sums = answer.posteriors.data[:, answer.inside].sum(axis=1, dtype=np.float64) * answer.voxel_ml
    return {one.name: float(ml) for one, ml in zip(structures(), sums[1:], strict=True)}


def measured(ml):
    """Return all that is told of volumes.

    Parameters
    ----------
    ml : dict
        Structure -> ml, see `structure_ml`.

    Returns
    -------
    dict
        ``intracranial_ml`` (all structures and fluid), ``brain_ml`` (grey and white), ``tissues``, ``structures`` (a dict a
        structure, sides joined: ``left_ml``, ``right_ml``, ``total_ml``, ``asymmetry_percent`` = 100 (left - right) over
        their mean, ``percent_of_icv``), ``hippocampal_occupancy`` (hippocampus / hippocampus and inferior lateral
        ventricle; Heister et al. 2011, doi:10.1212/WNL.0b013e31822a7f7a).
    """
    whole = sum(ml.values())
    tissues = {
        f"{tissue}_ml": sum(v for name, v in ml.items() if tissue_of(name) == tissue)
        for tissue in ("grey", "white", "csf")
    }
    return {
        "intracranial_ml": whole,
        "brain_ml": tissues["grey_ml"] + tissues["white_ml"],
        "tissues": tissues,
        "structures": [_of_structure(base, ml, whole) for base in dict.fromkeys(base_name(name) for name in ml)],
        "hippocampal_occupancy": {side: _occupancy(ml, side) for side in ("left", "right", "total")},
    }


def _of_structure(base, ml, whole):
    if base in ml:  # on the midline
        left = right = asymmetry = None
        total = ml[base]
    else:
        left, right = ml[f"left_{base}"], ml[f"right_{base}"]
        total = left + right
        asymmetry = 200 * (left - right) / total if total > 0 else None
    return {
        "name": base,
        "left_ml": left,
        "right_ml": right,
        "total_ml": total,
        "asymmetry_percent": asymmetry,
        "percent_of_icv": 100 * total / whole if whole > 0 else None,
    }


def _occupancy(ml, side):
    sides = ("left", "right") if side == "total" else (side,)
    hippocampus = sum(ml[f"{one}_hippocampus"] for one in sides)
    horn = sum(ml[f"{one}_inferior_lateral_ventricle"] for one in sides)
    return hippocampus / (hippocampus + horn) if hippocampus + horn > 0 else None
