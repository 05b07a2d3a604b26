"""Does ``neuroloom volumes --prior`` find change, and only where there is any?

    python studies/anatomy_change.py --maps MAPS.npz [--data FOLDER] [--weights CARD] [--out JSON]

MAPS is the file of maps that the weights learned from, of which the held-out heads are seen, scanned twice (T1-weighted, laid down
anew, with tissue intensities, bias and noise of their own); the draws are not those of the card. Writes ``anatomy_change.json``:

- unchanged: structures called changed, of those asked about, and heads with any;
- shrunk: all structures 3 % and 6 % smaller: the mean change found, and the share of structures called changed;
- power: chance that 3 % a year is called a change in one, two and three years, by structure, from the card's error;
- likeness: overlap of the two brains half-way, for one head and for different ones (null where their registration is refused, as
  the user is told); with FOLDER (the test data) also for the two visits
  of the person with multiple sclerosis and for pairs of the 12 people of the depression study.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.stats import norm, t
from study_record import commit, write

from neuroloom.anatomy.answer import Answerer
from neuroloom.anatomy.measures import structure_ml
from neuroloom.anatomy.prior import FALSE_ALARMS, SAME_BRAIN, answered_halfway, changes, likeness
from neuroloom.anatomy.weight_card import load_weights
from neuroloom.anatomy.weight_tests import TWICE, simulated
from neuroloom.atlases.anatomy import base_name, generation_table
from neuroloom.errors import NeuroloomError
from neuroloom.formats import read
from neuroloom.scan import Scan
from neuroloom.training.steps import read_maps
from neuroloom.transforms.volume_grid import resample_onto

HERE = Path(__file__).parent
SHRUNK = (3.0, 6.0)  # percent of volume


def shrunk(labels, percent):
    """Return a label map in which everything is smaller about the middle, by this percentage of its volume."""
    if not percent:
        return labels
    factor = (1 - percent / 100) ** (1 / 3)
    middle = (np.array(labels.shape) - 1) / 2
    affine = np.diag([*[factor] * 3, 1.0])
    affine[:3, 3] = middle * (1 - factor)
    return resample_onto(Scan(labels, "labels", {"affine": affine}), labels.shape, np.eye(4)).data


def scanned(first, second, source, key):
    """Return scans of two label maps."""
    return [
        simulated(one, source, (2, "change", *key, n), contrast="t1", **TWICE)[0]
        for n, one in enumerate((first, second))
    ]


def told_pair(before, after, error):
    rows = changes(structure_ml(before), structure_ml(after), 1.0, error)
    return {one["name"]: (one["percent_per_year"], one["changed"]) for one in rows}


def power(error, percent, years):
    """Return the chance by structure that a change of this percentage a year is called one, errors being normal."""
    names = [name for name in error["percent"] if base_name(name) == name]
    beyond = t.ppf(1 - FALSE_ALARMS / 2 / len(names), error["pairs"])
    found = {}
    for name in names:
        spread = np.sqrt(2) * max(error["percent"][name], 1e-9)
        found[name] = round(float(norm.sf(beyond - percent * years / spread)), 2)
    return found


def likeness_of(answerer, first, second):
    """Return how alike two scans' brains are half-way; None where their registration is refused."""
    try:
        return likeness_between(*answered_halfway(answerer, first, second))
    except NeuroloomError as error:
        print(f"refused: {error}", flush=True)
        return None


def likeness_between(before, after):
    return round(likeness(before.posteriors, after.posteriors), 3)


def real(answerer, folder):
    patient = folder / "lesions" / "multiple_sclerosis" / "patient01"
    same = likeness_of(answerer, *(read(patient / f"study{n}_FLAIR.nii.gz") for n in (1, 2)))
    people = [read(path) for path in sorted((folder / "bids_depression_t1w").glob("sub-*/anat/*_T1w.nii.gz"))[:4]]
    return {
        "one person, two visits (FLAIR)": [same],
        "two people (T1w)": [likeness_of(answerer, *two) for two in pairwise(people)],
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--maps", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--out", type=Path, default=HERE / "anatomy_change.json")
    told = parser.parse_args()
    of_maps, maps = read_maps(told.maps)
    held_out = {name: maps[name] for name in of_maps["hold_out"]}
    weights = load_weights(told.weights)
    answerer, error = Answerer(weights), weights.card["change"]
    source = {"table": generation_table(), "voxel_size": of_maps["augmentation"]["voxel_size"]}
    found, alike = {percent: [] for percent in (0.0, *SHRUNK)}, {"one head": [], "two heads": []}
    for percent, rows in found.items():
        for name, labels in held_out.items():
            visits = scanned(labels, shrunk(labels, percent), source, (name, percent))
            before, after = answered_halfway(answerer, *visits)
            rows.append(told_pair(before, after, error))
            if not percent:
                alike["one head"].append(likeness_between(before, after))
        print(percent, [sum(changed for _, changed in row.values()) for row in rows], flush=True)
    for one, other in pairwise(sorted(held_out)):
        alike["two heads"].append(likeness_of(answerer, *scanned(held_out[one], held_out[other], source, (one, other))))
    if told.data is not None:
        alike |= real(answerer, told.data)
    unchanged = [[changed for _, changed in row.values()] for row in found[0.0]]
    result = {
        "weights": weights.card["sha256"][:12],
        "commit": commit(),
        "unchanged": {
            "structures": int(np.size(unchanged)),
            "called changed": int(np.sum(unchanged)),
            "heads": len(unchanged),
            "heads with any": int(np.any(unchanged, axis=1).sum()),
        },
        "shrunk": {f"{percent:g} %": summary(found[percent]) for percent in SHRUNK},
        "power at 3 % a year": {f"{years} years": power(error, 3.0, years) for years in (1, 2, 3)},
        "likeness": {**alike, "least of one person": SAME_BRAIN},
    }
    write(told.out, result)


def summary(rows):
    """Return by structure the mean change found (%) and the share of heads in which it was called one."""
    names = rows[0]
    return {
        name: {
            "found": round(float(np.mean([row[name][0] for row in rows])), 2),
            "called": float(np.mean([row[name][1] for row in rows])),
        }
        for name in names
    }


if __name__ == "__main__":
    main()
