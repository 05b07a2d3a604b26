"""Weights and their card: what they are, what they reached, and how a scan is made ready for them."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load, save

from neuroloom.atlases.anatomy import structures
from neuroloom.errors import FileProblem
from neuroloom.formats.atomic import atomic_write, make_folder
from neuroloom.formats.limits import read_json
from neuroloom.training.steps import network_of

SHIPPED = Path(__file__).parent / "shipped" / "anatomy.json"


@dataclass(frozen=True)
class Weights:
    """A network that tells structures apart, and its card.

    Parameters
    ----------
    card : dict
        ``name``, ``sha256``, ``training`` (see `neuroloom.training.steps.Steps`), ``chain`` (parts that make a scan
        ready), ``answer_mm``, ``scores``, ``quality``, ``repeatability_percent``, and what people should know.
    network : nn.Module
    """

    card: dict
    network: torch.nn.Module

    @property
    def numbers(self):
        """Number in label maps of each output, the background first: (output,) uint16."""
        return np.array([0, *(one.number for one in structures())], dtype=np.uint16)


def save_weights(folder, card, network):
    """Write a network in half precision as ``NAME.safetensors``, and its card as ``NAME.json`` with the checksum."""
    make_folder(folder)
    tensors = {
        name: tensor.detach().cpu().half().contiguous()
        for name, tensor in sorted(network.state_dict().items())
        if not name.startswith("side_heads.")  # of use in training only
    }
    content = save(tensors)
    atomic_write(folder / f"{card['name']}.safetensors", content)
    whole = {**card, "sha256": hashlib.sha256(content).hexdigest()}
    atomic_write(folder / f"{card['name']}.json", json.dumps(whole, indent=1).encode())


def load_weights(path=None):
    """Return weights with their card, the network in single precision.

    Parameters
    ----------
    path : str, Path or None
        The card, beside the weights; None takes those that ship.

    Raises
    ------
    FileProblem
        Where a file is missing, the weights are not those of the card, or do not fit the network.
    """
    path = Path(path or SHIPPED)
    if path.suffix != ".json":
        raise FileProblem(path, "weights are named by their card, a .json file.", "Name the card beside the weights.")
    card = read_json(path)
    beside = path.with_suffix(".safetensors")
    try:
        content = beside.read_bytes()
    except OSError as error:
        raise FileProblem(
            beside, f"the weights cannot be read ({error.strerror}).", "Install neuroloom again."
        ) from None
    found = hashlib.sha256(content).hexdigest()
    if found != card.get("sha256"):
        raise FileProblem(
            beside, f"the weights are not those of the card: SHA-256 {found[:12]}, expected {str(card.get('sha256'))[:12]}.",
            "The file was changed or cut: install or copy it again.",
        )  # fmt: skip
    return Weights(card, _network(beside, card, load(content)))


def _network(path, card, tensors):
    told = card["training"]
    model = {name: value for name, value in told["model"].items() if name != "deep_supervision"}
    network = network_of({**told, "model": model})
    expected = network.state_dict()
    wrong = sorted(set(tensors) ^ set(expected))
    wrong += [name for name in tensors if name in expected and tensors[name].shape != expected[name].shape]
    if wrong:
        raise FileProblem(path, f"these weights do not fit the network: {', '.join(wrong[:5])}.")
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return network.eval()
