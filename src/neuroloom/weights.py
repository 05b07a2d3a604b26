"""Weights that ship: from label maps to a file of maps for training, and from its state to half-precision weights and card."""

import io
import json

import numpy as np

from neuroloom.atlases.anatomy import generation_table
from neuroloom.errors import NeuroloomError, listed
from neuroloom.formats.atomic import atomic_write
from neuroloom.parts import build
from neuroloom.preparation import check_parts, make_stores, read_cohort
from neuroloom.tasks import TASKS


def write_maps(recipe, out, cache, *, data=None, cohort_file=None, hold_out=()):
    """Write a file of label maps that `neuroloom.training.steps` trains on, with what the recipe says of training.

    Parameters
    ----------
    recipe : Recipe
        Whose scans are simulated from label maps, such as ``anatomy``.
    out : Path
        Compressed .npz: the maps (i, j, k) uint16 by participant, and ``told``, JSON.
    cache : Cache
    data : Path or None
    cohort_file : Path, str or None
    hold_out : sequence of str
        Participants who are looked at and not learned from.

    Returns
    -------
    list of str
        The participants.
    """
    check_parts(recipe)
    maker = next((part for part in recipe.training.augmentation if part.name == "simulated_contrasts"), None)
    if maker is None or recipe.sampling.name != "patches":
        raise NeuroloomError(
            f"{recipe.id}: its scans are not simulated from patches of label maps, so it has no file of maps."
        )
    cohort = read_cohort(recipe, data, cohort_file)
    store = make_stores(recipe, cohort, cache)[recipe.target.input]
    unknown = [name for name in hold_out if name not in store.samples]
    if unknown:
        raise NeuroloomError(f"{cohort.name}: has no {listed(unknown)} to hold out; there are {listed(store.samples)}.")
    training, task = recipe.training, build("task", TASKS, recipe.task)
    told = {
        "recipe": recipe.id, "seed": recipe.seed, "hold_out": sorted(hold_out), "n_outputs": task.n_outputs,
        "model": {key: value for key, value in recipe.model.part.as_dict().items() if key not in ("inputs", "label")},
        "shape": list(recipe.sampling.arguments["shape"]), "cross_entropy": task.cross_entropy,
        "augmentation": {"coarser": 1, "voxel_size": 1.0, **maker.arguments, "table": generation_table()},
        "learning_rate": training.learning_rate, "weight_decay": training.weight_decay, "clip_norm": training.clip_norm,
    }  # fmt: skip
    buffer = io.BytesIO()
    maps = {name: np.asarray(store[row])[:].astype(np.uint16) for row, name in enumerate(store.samples)}
    np.savez_compressed(buffer, told=np.frombuffer(json.dumps(told).encode(), dtype=np.uint8), **maps)
    atomic_write(out, buffer.getvalue())
    return list(store.samples)
