"""Tensors and settings in one safetensors file, written whole or not at all."""

import json

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from neuroloom.errors import FileProblem
from neuroloom.formats.atomic import atomic_write


def write_arrays(path, arrays):
    """Write named NumPy arrays; the same arrays give the same bytes."""
    atomic_write(path, save_arrays({name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())}))


def read_arrays(path):
    """Return named NumPy arrays."""
    return _read(path, load_arrays)


def write_weights(path, network):
    """Write a network's weights; the same weights give the same bytes."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(network.state_dict().items())}
    atomic_write(path, save_tensors(tensors))


def read_weights(path, network):
    """Load all weights into a network; one too many, missing or of another shape is an error."""
    return load_fitting(path, network, _read(path, load_tensors))


def load_fitting(path, network, tensors):
    """Load tensors that were read from a path into a network; one too many, missing or of another shape is an error."""
    expected = network.state_dict()
    wrong = sorted(set(tensors) ^ set(expected))
    wrong += [name for name in tensors if name in expected and tensors[name].shape != expected[name].shape]
    if wrong:
        raise FileProblem(path, f"these weights do not fit the network: {', '.join(wrong[:5])}.")
    network.load_state_dict(tensors)
    return network


def _read(path, load):
    """Return what a safetensors file holds."""
    try:
        return load(_bytes(path))
    except SafetensorError as error:
        raise FileProblem(path, f"it is no whole safetensors file ({error}).", "Copy or make it again.") from None


def _bytes(path):
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileProblem(path, f"cannot be read ({error.strerror}).", "The run's folder is not whole.") from None


def write_progress(path, tensors, told):
    """Write a checkpoint of a training under way: tensors, and what JSON can say."""
    note = torch.frombuffer(bytearray(json.dumps(told).encode()), dtype=torch.uint8)
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    atomic_write(path, save_tensors({**whole, "told": note}))


def read_progress(path):
    """Return (tensors, told) of a checkpoint."""
    tensors = _read(path, load_tensors)
    told = json.loads(tensors.pop("told").numpy().tobytes())
    return tensors, told


def optimizer_tensors(optimizer, prefix):
    """Return an optimiser's state as named tensors."""
    return {
        f"{prefix}.{number}.{key}": torch.as_tensor(value)
        for number, entries in optimizer.state_dict()["state"].items()
        for key, value in entries.items()
        if value is not None
    }


def load_optimizer(optimizer, tensors, prefix):
    """Put named tensors back into an optimiser."""
    whole = optimizer.state_dict()
    for name, tensor in tensors.items():
        if name.startswith(prefix + "."):
            number, key = name[len(prefix) + 1 :].split(".", 1)
            whole["state"].setdefault(int(number), {})[key] = tensor.clone()
    optimizer.load_state_dict(whole)
