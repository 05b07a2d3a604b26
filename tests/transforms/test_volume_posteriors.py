"""Posteriors on another grid: as one resampling from affine to affine gives them, in slabs."""

import numpy as np
import pytest

from neuroloom.scan import Scan
from neuroloom.transforms import volume_posteriors
from neuroloom.transforms.volume_grid import resample_onto
from neuroloom.transforms.volume_posteriors import likeliest_onto, on_grid


def posteriors(seed=0, shape=(14, 16, 13)):
    p = np.random.default_rng(seed).gamma(0.4, size=(5, *shape)).astype(np.float32)
    p[3, :, :8] = 0
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = [-12, 4, 7]
    return Scan(p / p.sum(axis=0), "volume", {"affine": affine})


def finer(turn=np.eye(3)):
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([0.9, 1.1, 1.3])
    affine[:3, 3] = np.array([-14.0, 2.0, 5.0]) if turn[0, 0] > 0 else np.array([14.0, 2.0, 5.0])
    return affine


@pytest.mark.parametrize("slab_bytes", [2**27, 2**14])
def test_axis_by_axis_is_what_one_resampling_gives(monkeypatch, slab_bytes):
    monkeypatch.setattr(volume_posteriors, "SLAB_BYTES", slab_bytes)
    p, shape = posteriors(), (33, 30, 21)
    for turn in (np.eye(3), np.diag([-1.0, 1, 1])):
        whole = resample_onto(p, shape, finer(turn))
        np.testing.assert_allclose(on_grid(p, shape, finer(turn)).data, whole.data, atol=1e-5)
        best = whole.data.argmax(axis=0)
        assert (likeliest_onto(p, shape, finer(turn)) == best).mean() > 0.9999


def test_axes_in_another_order_are_followed():
    p = posteriors()
    swap = np.array([[0, 0, 1.0], [1, 0, 0], [0, 1, 0]])
    plain, turned = finer(), finer()
    turned[:3, :3] = plain[:3, :3] @ swap
    found = on_grid(p, (30, 21, 33), turned).data
    np.testing.assert_allclose(found, on_grid(p, (33, 30, 21), plain).data.transpose(0, 2, 3, 1), atol=1e-6)


def test_oblique_grids_and_places_outside():
    p, angle = posteriors(), np.deg2rad(20)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    whole = resample_onto(p, (20, 22, 18), finer(turn))
    np.testing.assert_allclose(on_grid(p, (20, 22, 18), finer(turn)).data, whole.data, atol=1e-4)
    away = finer()
    away[:3, 3] += 500
    assert not likeliest_onto(p, (9, 8, 7), away).any()
