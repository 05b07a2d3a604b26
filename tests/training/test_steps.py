"""Training by steps: on a machine with little beside torch, in chained runs, on maps that are not held out."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import neuroloom
from neuroloom.atlases.anatomy import generation_table
from neuroloom.errors import NeuroloomError
from neuroloom.training.checkpoint import read_progress
from neuroloom.training.steps import drawn_patch, rate_at, read_maps, train

TOLD = {
    "recipe": "anatomy", "seed": 3, "hold_out": ["c"], "n_outputs": 33, "shape": [16, 16, 12], "cross_entropy": 0.5,
    "model": {"name": "unet3d", "widths": [4, 8], "deep_supervision": False}, "learning_rate": 0.01, "weight_decay": 1e-4,
    "clip_norm": 5.0, "chain": [], "augmentation": {"coarser": 2, "voxel_size": 1.0, "elastic": 0.5, "table": generation_table()},
}  # fmt: skip
HAS = (  # numpy, torch with what it needs itself, safetensors
    "numpy", "numpy.libs", "torch", "torch.libs", "torchgen", "functorch", "safetensors", "typing_extensions.py", "sympy",
    "mpmath", "networkx", "jinja2", "markupsafe", "filelock", "fsspec", "setuptools", "packaging",
)  # fmt: skip


def write_file(path, **changed):
    draw = np.random.default_rng(0)
    maps = {name: draw.choice([0, 2, 3, 41, 42, 17, 530], size=(20, 18, 16)).astype(np.uint16) for name in "abc"}
    told = np.frombuffer(json.dumps({**TOLD, **changed}).encode(), dtype=np.uint8)
    np.savez_compressed(path, told=told, **maps)
    return path


def test_it_runs_where_there_are_numpy_torch_and_safetensors_only(tmp_path):
    maps = write_file(tmp_path / "maps.npz")
    words = [str(maps), str(tmp_path / "out"), "--steps", "3", "--save-every", "2", "--device", "cpu"]
    (tmp_path / "site").mkdir()
    installed = Path(np.__file__).parents[1]
    for name in HAS:
        if (installed / name).exists():
            (tmp_path / "site" / name).symlink_to(installed / name)
    where = {**os.environ, "PYTHONPATH": f"{tmp_path / 'site'}{os.pathsep}{Path(neuroloom.__file__).parents[1]}"}
    command = [sys.executable, "-S", "-m", "neuroloom.training.steps", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=where)
    assert done.returncode == 0, done.stderr
    assert "step 2, fit_loss" in done.stdout
    assert read_progress(tmp_path / "out" / "state.safetensors")[1]["done"] == 3


def test_two_chained_runs_end_where_one_ends(tmp_path):
    maps = write_file(tmp_path / "maps.npz")
    train(maps, tmp_path / "once", steps=4, cool=2, minutes=None, save_every=2)
    train(maps, tmp_path / "twice", steps=2, cool=0, minutes=None, save_every=2)
    lines = []
    train(maps, tmp_path / "twice", steps=4, cool=2, minutes=None, save_every=2, tell=lines.append)
    once, twice = (read_progress(tmp_path / name / "state.safetensors")[0] for name in ("once", "twice"))
    assert lines[0] == "going on from step 2"
    assert all((once[name] == twice[name]).all() for name in once)


def test_the_state_of_another_training_is_refused(tmp_path):
    train(write_file(tmp_path / "maps.npz"), tmp_path / "out", steps=1, cool=0, minutes=None)
    other = write_file(tmp_path / "other.npz", seed=4)
    with pytest.raises(NeuroloomError, match=r"another training \(seed differ"):
        train(other, tmp_path / "out", steps=2, cool=0, minutes=None)
    state = tmp_path / "out" / "state.safetensors"
    begun = train(other, tmp_path / "new", steps=0, cool=0, minutes=None, start_from=state)
    tensors = read_progress(state)[0]
    assert (tensors["network.head.weight"] == begun.network.head.weight).all()
    assert begun.done == 0


def test_held_out_maps_are_not_learned_from(tmp_path):
    trained = train(write_file(tmp_path / "maps.npz"), tmp_path / "out", steps=0, cool=0, minutes=None)
    assert sorted(trained.fit) == ["a", "b"]
    assert sorted(trained.held_out) == ["c"]
    for hold_out, told in ((["a", "b", "c"], "every map is held out"), ([], "no map is held out"), (["d"], "has no d")):
        with pytest.raises(NeuroloomError, match=rf"m\.npz: {told}"):
            train(write_file(tmp_path / "m.npz", hold_out=hold_out), tmp_path / "x", steps=0, cool=0, minutes=None)


def test_the_learning_rate_rises_stays_and_falls_to_nothing():
    assert rate_at(0, 1000, 100, 2.0) == pytest.approx(0.02)
    assert rate_at(500, 1000, 100, 2.0) == 2.0
    assert rate_at(950, 1000, 100, 2.0) == pytest.approx(1.0)
    assert rate_at(999, 1000, 100, 2.0) == pytest.approx(0.02)


def test_a_patch_larger_than_its_map_is_filled_with_background():
    labels = np.full((4, 6, 5), 2, dtype=np.uint16)
    patch = drawn_patch(labels, (6, 4, 5), np.random.default_rng(0))
    assert patch.shape == (6, 4, 5)
    assert int((patch == 2).sum()) == 4 * 4 * 5


def test_what_is_no_file_of_maps(tmp_path):
    whole = write_file(tmp_path / "whole.npz").read_bytes()
    for content in (b"nothing", b"", whole[:300]):
        (tmp_path / "maps.npz").write_bytes(content)
        with pytest.raises(NeuroloomError, match="neuroloom weights maps"):
            read_maps(tmp_path / "maps.npz")
    (tmp_path / "state.safetensors").write_bytes(b"cut")
    with pytest.raises(NeuroloomError, match="no whole safetensors file"):
        train(tmp_path / "whole.npz", tmp_path, steps=1, cool=0, minutes=None)
