"""How well does ``neuroloom segment`` find structures, in real scans with labels and in simulated ones?

    python studies/anatomy_accuracy.py --data FOLDER --maps MAPS.npz [--weights CARD] [--out JSON]

FOLDER holds the test data's ``t1w_with_labels``; MAPS is the file of maps that the weights learned from, of which the held-out
ones are seen. Writes ``anatomy_accuracy.json``:

- real: Dice by structure on a FreeSurfer subject (skull-stripped, 1 mm) and a whole head (1.8 mm), whose labels are
  FreeSurfer's; the brain mask beside theirs; correlation of grey matter with a map of it;
- simulated: mean Dice on the held-out heads, by contrast, at 1 mm and with slices of 5 mm;
- volumes: error of each structure's volume (%) on the held-out heads, T1-weighted at 1 mm.
"""

import argparse
import json
from pathlib import Path

import nibabel as nib
import numpy as np
from study_record import commit, write

from neuroloom.anatomy.answer import Answerer, names_of_outputs
from neuroloom.anatomy.measures import structure_ml
from neuroloom.anatomy.scan_outputs import Segmented, tissue_maps
from neuroloom.anatomy.weight_card import load_weights
from neuroloom.anatomy.weight_tests import STILL, simulated
from neuroloom.atlases.anatomy import generation_table, structures
from neuroloom.formats import read
from neuroloom.metrics.overlap import dice, overlap
from neuroloom.training.steps import read_maps
from neuroloom.transforms.volume_grid import resample_onto
from neuroloom.transforms.volume_posteriors import likeliest_onto

HERE = Path(__file__).parent
SLICES_MM = 5.0


def rounded(values):
    return {name: None if not np.isfinite(value) else round(float(value), 3) for name, value in values.items()}


def classes_of(labels):
    """Return outputs of FreeSurfer's numbers; parcels of the cortex are cortex, what is not told apart is background."""
    numbers = np.asarray(labels).astype(np.int64)
    left, right = ((numbers >= low) & (numbers < low + 1000) for low in (1000, 2000))
    far = [(numbers >= low) & (numbers < low + 200) for low in (11100, 12100)]
    numbers = np.where(left | far[0], 3, np.where(right | far[1], 42, numbers))
    place = {one.number: n for n, one in enumerate(structures(), start=1)}
    return np.vectorize(lambda number: place.get(number, 0), otypes=[np.int64])(numbers)


def by_structure(truth, found):
    overlaps = dice(overlap(truth, found, len(names_of_outputs())))
    return rounded(dict(zip(names_of_outputs()[1:], overlaps[1:], strict=True)))


def mean_of(told):
    """Return the mean over structures that the truth has, but fluid about the brain, of which FreeSurfer labels a part only."""
    known = [value for name, value in told.items() if value is not None and name != "csf"]
    return round(float(np.mean(known)), 3)


def mask_dice(found, mask):
    return round(float(dice(overlap((mask > 0).astype(np.int64), (found > 0).astype(np.int64), 2))[1]), 3)


def freesurfer_subject(answerer, folder):
    scan = read(folder / "norm.mgz")
    found = Segmented.of(scan, answerer(scan))
    truth = classes_of(nib.load(folder / "aparc.a2009s+aseg.mgz").dataobj)
    told = by_structure(truth, found.classes)
    return {"mean": mean_of(told), "brain_mask": mask_dice(found.brain().data, scan.data[0] > 0), "structures": told}


def whole_head(answerer, folder):
    scan = read(folder / "sub-01_T1w.nii.gz")
    answer = answerer(scan)
    image = nib.load(folder / "aparc+aseg.mgz")
    told = by_structure(classes_of(image.dataobj), likeliest_onto(answer.posteriors, image.shape, image.affine))
    mask = read(folder / "sub-01_brainmask.nii.gz").data[0]
    return {
        "mean": mean_of(told),
        "brain_mask": mask_dice(Segmented.of(scan, answer).brain().data, mask),
        "structures": told,
    }


def grey_matter(answerer, folder):
    scan, known = read(folder / "T1w.nii.gz"), read(folder / "grey_matter.nii.gz")
    found = tissue_maps(Segmented.of(scan, answerer(scan)))["GM"]
    there = resample_onto(found, known.data.shape[1:], known.geometry["affine"]).data[0]
    head = (there > 0.01) | (known.data[0] > 0.01)
    return {"correlation": round(float(np.corrcoef(there[head], known.data[0][head])[0, 1]), 3)}


def thick(scan):
    """Return a scan with axial slices of 5 mm, each the mean of what it holds."""
    affine = scan.geometry["affine"].copy()
    step = SLICES_MM / affine[2, 2]
    affine[:, 2] *= step
    affine[2, 3] += (step - 1) / 2
    shape = (*scan.data.shape[1:3], int(scan.data.shape[3] / step))
    return resample_onto(scan, shape, affine)


def on_simulated(answerer, maps, voxel_size, contrasts):
    """Return mean Dice by contrast and slices, and errors of volumes on T1."""
    source = {"table": generation_table(), "voxel_size": voxel_size}
    scores, errors = {}, []
    for contrast in contrasts:
        overlaps = {"1 mm": [], "5 mm slices": []}
        for name, labels in sorted(maps.items()):
            scan, truth = simulated(labels, source, (1, "accuracy", contrast, name), contrast=contrast, **STILL)
            for kind, seen in (("1 mm", scan), ("5 mm slices", thick(scan))):
                answer = answerer(seen)
                found = likeliest_onto(answer.posteriors, truth.shape, scan.geometry["affine"])
                overlaps[kind].append(dice(overlap(truth, found, len(names_of_outputs())))[1:])
                if contrast == "t1" and kind == "1 mm":
                    errors.append(volume_errors(answer, truth, voxel_size))
        scores[contrast] = {kind: round(float(np.nanmean(found)), 3) for kind, found in overlaps.items()}
        print(contrast, scores[contrast], flush=True)
    return scores, rounded({name: np.mean([one[name] for one in errors]) for name in errors[0]})


def volume_errors(answer, truth, voxel_size):
    """Return the volume's error of each structure, percent of the truth."""
    true = np.bincount(truth.ravel(), minlength=len(names_of_outputs())) * voxel_size**3 / 1000
    found = structure_ml(answer)
    return {name: 100 * (found[name] / true[n] - 1) for n, name in enumerate(names_of_outputs()) if n and true[n] > 0}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--maps", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--out", type=Path, default=HERE / "anatomy_accuracy.json")
    told = parser.parse_args()
    weights = load_weights(told.weights)
    answerer, folder = Answerer(weights), told.data / "t1w_with_labels"
    found = {
        "weights": weights.card["sha256"][:12],
        "steps": weights.card["steps"],
        "commit": commit(),
        "real": {
            "freesurfer_subject": freesurfer_subject(answerer, folder / "freesurfer_subject"),
            "whole_head": whole_head(answerer, folder / "whole_head"),
            "brain_with_grey_matter": grey_matter(answerer, folder / "brain_with_grey_matter"),
        },
    }
    print(
        json.dumps({name: {k: v for k, v in one.items() if k != "structures"} for name, one in found["real"].items()}),
        flush=True,
    )
    if told.maps is not None:
        of_maps, maps = read_maps(told.maps)
        held_out = {name: maps[name] for name in of_maps["hold_out"]}
        scores, errors = on_simulated(
            answerer, held_out, of_maps["augmentation"]["voxel_size"], weights.card["contrasts"]
        )
        found |= {"simulated": scores, "volume_error_percent_t1": errors}
    write(told.out, found)


if __name__ == "__main__":
    main()
