"""The structures that an anatomy network tells apart, and what its training maps hold beside them."""

import functools
from dataclasses import dataclass
from pathlib import Path

from neuroloom.formats.limits import load_yaml


@dataclass(frozen=True)
class Structure:
    """One structure.

    Parameters
    ----------
    number : int
        In label maps (FreeSurfer's).
    name : str
        ``left_hippocampus``, ``brain_stem`` ...
    partner : int
        Number of the same structure on the other side; its own on the midline.
    tissue : str
    """

    number: int
    name: str
    partner: int
    tissue: str


@functools.cache
def _table():
    return load_yaml(Path(__file__).parent / "anatomy.yaml", "atlas")


@functools.cache
def structures():
    """Return the structures in the order of their numbers: output n of an anatomy network is number n - 1 here."""
    told = _table()
    found = [Structure(number, name, number, tissue) for name, (number, tissue) in told["midline"].items()]
    for name, (left, right, tissue) in told["pairs"].items():
        found += [Structure(left, f"left_{name}", right, tissue), Structure(right, f"right_{name}", left, tissue)]
    return tuple(sorted(found, key=lambda one: one.number))


def base_name(name):
    """Return a structure's name without its side."""
    return name.removeprefix("left_").removeprefix("right_")


@functools.cache
def generation_table():
    """Return what a generator of scans needs to know of every label, as lists of one length that JSON can hold.

    Returns
    -------
    dict
        ``label``: number in the map, the background 0 first; ``output``: which output it is told as, 0 being none;
        ``partner``: place of the other side's label in these lists; ``brain``: whether it lies in the head's brain;
        ``contrasts``: name -> typical intensity of each label, 0 to 1.
    """
    told, order = _table(), {one.number: n for n, one in enumerate(structures(), start=1)}
    rows = [(0, 0, 0, "background")]
    rows += [(one.number, order[one.number], one.partner, one.tissue) for one in structures()]
    rows += [(number, order[inside], partner, tissue) for number, (inside, partner, tissue) in told["inside"].items()]
    rows += [(number, 0, partner, tissue) for number, (partner, tissue) in told["outside"].items()]
    place = {number: n for n, (number, *_) in enumerate(rows)}
    return {
        "label": [number for number, *_ in rows],
        "output": [output for _, output, *_ in rows],
        "partner": [place[partner] for _, _, partner, _ in rows],
        "brain": [output > 0 for _, output, *_ in rows],
        "contrasts": {
            name: [0.0 if tissue == "background" else float(values[tissue]) for *_, tissue in rows]
            for name, values in told["contrasts"].items()
        },
    }
