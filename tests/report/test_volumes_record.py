"""Real scans: the brain alone is drawn, and a head is refused, for it has a face."""

import json

import numpy as np
import pytest
from small_volumes import told, write_answer

from neuroloom.atlases.anatomy import structures
from neuroloom.errors import FileProblem
from neuroloom.formats import read
from neuroloom.formats.nifti import write_nifti
from neuroloom.report.figures_overlay import PLANES, in_box, slice_picture
from neuroloom.report.volumes_record import VolumesRecord, read_pictures, read_volumes
from neuroloom.scan import Scan
from neuroloom.transforms.volume_grid import resample_onto

FILES = {"labels": "labels.nii.gz", "brain": "brain.nii.gz"}


def our_labels(path):
    """Return FreeSurfer's labels as ours: parcels of the cortex are cortex, what we do not tell apart is nothing."""
    labels = read(path, kind="labels")
    found = labels.data.astype(int)
    for low, number in ((1000, 3), (2000, 42), (11100, 3), (12100, 42)):
        found[(found >= low) & (found < low + 100)] = number
    found[~np.isin(found, [one.number for one in structures()])] = 0
    return labels.with_data(found.astype(np.uint16))


def written(folder, scan, labels):
    return write_answer(folder, told(files=FILES), brain=(scan, labels))


RECORD = VolumesRecord.model_validate(told(files=FILES))


@pytest.mark.real_data
def test_a_real_brain_is_drawn_with_its_left_at_the_pictures_right(real_data, tmp_path):
    place = real_data / "t1w_with_labels" / "freesurfer_subject"
    labels = our_labels(place / "aparc.a2009s+aseg.mgz")
    scan, labels = read_pictures(written(tmp_path, read(place / "norm.mgz", kind="volume"), labels), RECORD)
    only_left = np.where(labels.data == 17, 17, np.where(labels.data > 0, 16, 0)).astype(np.uint16)
    shown = in_box(scan, labels.with_data(only_left))
    axial = PLANES[0]
    at = int(np.argwhere(shown.labels == 17)[:, 2].mean())
    picture = slice_picture(shown, axial, at)
    yellow = picture[..., :2].min(axis=-1) - picture[..., 2] > 0.15
    assert np.nonzero(yellow)[1].mean() / picture.shape[1] > 0.55


@pytest.mark.real_data
def test_a_real_head_is_refused_and_its_brain_is_not(real_data, tmp_path):
    place = real_data / "t1w_with_labels" / "whole_head"
    scan = read(place / "sub-01_T1w.nii.gz", kind="volume")
    grid = scan.data.shape[1:], scan.geometry["affine"]
    labels = resample_onto(our_labels(place / "aparc+aseg.mgz"), *grid)
    with pytest.raises(FileProblem, match="more than the brain"):
        read_pictures(written(tmp_path, scan, labels), RECORD)
    mask = resample_onto(read(place / "sub-01_brainmask.nii.gz", kind="labels"), *grid).data > 0
    write_nifti(tmp_path / FILES["brain"], scan.with_data(np.where(mask, scan.data, np.float32(0))))
    brain, _ = read_pictures(tmp_path, RECORD)
    assert (brain.data != 0).sum() == ((scan.data != 0) & mask).sum()


def test_a_mask_is_not_taken_for_a_scan(tmp_path):
    labels = Scan(np.zeros((30, 30, 30), np.uint16), "labels", {"affine": np.diag([4.0, 4, 4, 1])})
    labels.data[8:22, 8:22, 8:22] = 2
    mask = Scan((labels.data[None] > 0).astype(np.float32), "volume", labels.geometry)
    with pytest.raises(FileProblem, match="it is a mask"):
        read_pictures(written(tmp_path, mask, labels), RECORD)


def test_a_record_that_is_not_whole_names_the_command_that_writes_it(tmp_path):
    for change, where in (({"brain_ml": "x"}, "brain_ml"), ({"repeatability_pairs": 0}, "repeatability_pairs")):
        (tmp_path / "x_volumes.json").write_text(json.dumps(told(**change)))
        with pytest.raises(FileProblem, match=rf"{where}: .*Write it again with 'neuroloom volumes'\."):
            read_volumes(tmp_path, "x")
