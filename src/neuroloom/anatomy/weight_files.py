"""Weights that ship: from label maps to a file of maps for training, and from its state to half-precision weights and card."""

import io
import json
from pathlib import Path

import numpy as np

from neuroloom import __version__
from neuroloom.anatomy.answer import Answerer, names_of_outputs
from neuroloom.anatomy.weight_card import Weights, save_weights
from neuroloom.anatomy.weight_tests import calibrated, repeatability, scores_by_contrast
from neuroloom.atlases.anatomy import generation_table
from neuroloom.errors import NeuroloomError
from neuroloom.formats.atomic import atomic_write
from neuroloom.parts import build
from neuroloom.preparation import check_parts, make_stores, read_cohort
from neuroloom.tasks import TASKS
from neuroloom.training.checkpoint import load_fitting, read_progress
from neuroloom.training.steps import check_hold_out, network_of, read_maps, weights_in

N_DRAWS, N_PAIRS = 8, 4  # of each held-out map


def write_maps(recipe, out, cache, *, data=None, cohort_file=None, hold_out):
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
    made = next((one for one in recipe.inputs.values() if one.made), None)
    if maker is None or made is None or recipe.sampling.name != "patches":
        raise NeuroloomError(
            f"{recipe.id}: its scans are not simulated from patches of label maps, so it has no file of maps."
        )
    cohort = read_cohort(recipe, data, cohort_file)
    store = make_stores(recipe, cohort, cache)[recipe.target.input]
    check_hold_out(cohort.name, store.samples, hold_out)
    told = {**_told(recipe, maker), "hold_out": sorted(hold_out), "chain": [part.as_dict() for part in made.chain]}
    maps = {name: np.asarray(store[row]).astype(np.uint16) for row, name in enumerate(store.samples)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, told=np.frombuffer(json.dumps(told).encode(), dtype=np.uint8), **maps)
    atomic_write(out, buffer.getvalue())
    return list(store.samples)


def _told(recipe, maker):
    training, task = recipe.training, build("task", TASKS, recipe.task)
    return {
        "recipe": recipe.id if recipe.variant is None else f"{recipe.id} --variant {recipe.variant}",
        "seed": recipe.seed,
        "n_outputs": task.n_outputs,
        "model": recipe.model.part.as_dict(),
        "shape": list(recipe.sampling.arguments["shape"]),
        "cross_entropy": task.cross_entropy,
        "augmentation": {"coarser": 1, "voxel_size": 1.0, **maker.arguments, "table": generation_table()},
        "learning_rate": training.learning_rate,
        "weight_decay": training.weight_decay,
        "clip_norm": training.clip_norm,
    }


def pack_weights(state, maps_file, out, *, name="anatomy", about=None, on_progress=None):
    """Write the weights of a training with their card, having tried them on the maps that were held out.

    Parameters
    ----------
    state, maps_file : Path
        ``state.safetensors`` of `neuroloom.training.steps`, and the file of maps that it learned from.
    out : Path
        A folder: ``NAME.safetensors`` (half precision) and ``NAME.json``, the card.
    name : str
    about : dict or None
        Further entries of the card: ``data``, ``licence``, ``machine``.
    on_progress : callable or None
        Called with (what, done, of).

    Returns
    -------
    dict
        The card.
    """
    tensors, saved = read_progress(Path(state))
    told, maps = read_maps(maps_file)
    if saved["told"] != told:
        raise NeuroloomError(f"{state}: is not the state of a training on {maps_file}.")
    held_out = {one: maps[one] for one in told["hold_out"]}
    network = network_of(told)
    load_fitting(state, network, weights_in(tensors))
    card = _card(name, told, saved, maps, about or {})
    source = {"table": generation_table(), "voxel_size": told["augmentation"]["voxel_size"]}
    card |= _tried(Weights(card, network.half().float().eval()), held_out, source, on_progress)  # as it will be read
    save_weights(out, card, network)
    return card


def _card(name, told, saved, maps, about):
    table = told["augmentation"]["table"]
    training = {**told, "augmentation": {**told["augmentation"], "table": None}}
    return {
        "name": name,
        "summary": "32 structures of the brain in scans of any contrast; a U-Net that learned from simulated scans of label maps",
        "software": f"neuroloom {__version__}",
        **about,
        "learned_from": sorted(set(maps) - set(told["hold_out"])),
        "held_out": told["hold_out"],
        "steps": saved["done"],
        "contrasts": list(table["contrasts"]),
        "answer_mm": told["augmentation"]["voxel_size"] * told["augmentation"]["coarser"],
        "training": {key: value for key, value in training.items() if key not in ("hold_out", "chain")},
        "chain": told["chain"],
        "limits": "For research; it does not replace clinical judgment. Heads of children, tumours and large strokes were "
        "not learned from. Volumes of small structures may come out too large: compare them with those of the same weights only.",
    }


def _tried(weights, held_out, source, on_progress):
    """Return scores, calibration and repeatability of weights on maps that they have not learned from."""
    answerer = Answerer(weights)
    dices, sure = scores_by_contrast(answerer, held_out, source, weights.card["contrasts"], on_progress)
    names = names_of_outputs()[1:]
    once, halfway = repeatability(answerer, held_out, source, N_PAIRS, on_progress)
    scores = {contrast: float(np.nanmean(found)) for contrast, found in dices.items()}
    return {
        "scores": {
            "dice": float(np.mean(list(scores.values()))),
            "on": f"simulated scans of {len(held_out)} heads not learned from, at {source['voxel_size']:g} mm",
            "by_contrast": scores,
            "by_structure_t1": dict(zip(names, _means(dices["t1"]), strict=True)),
        },
        "quality": calibrated(answerer, held_out, source, N_DRAWS, np.concatenate(list(sure.values())), on_progress),
        "repeatability_percent": once,
        "change": halfway,
    }


def _means(overlaps):
    """Return the mean of each structure over the maps that have it, None where none has."""
    return [float(np.mean(one[np.isfinite(one)])) if np.isfinite(one).any() else None for one in overlaps.T]
