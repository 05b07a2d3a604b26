"""Equal weights, equal answers: our EEG networks beside those of braindecode (see ``make_braindecode_answers.py``)."""

from pathlib import Path

import numpy as np
import pytest
import torch

from neuroloom.models import MODELS
from neuroloom.parts import Part, resolve

ANSWERS = Path(__file__).parent / "data" / "braindecode_answers.npz"
ARGUMENTS = {
    "eegnet": {"filters": 3, "depth": 2, "pointwise": 4, "kernel_size": 32},
    "shallow_convnet": {"filters": 6, "spatial_filters": 7},
    "deep_convnet": {"widths": (6, 7, 8, 9), "kernel_size": 5},
    "eeg_conformer": {"width": 20, "layers": 2, "heads": 5},
    "atcnet": {"filters": 4, "windows": 2, "head_width": 3},
}


def norm(ours, theirs, batch=True):
    parts = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked") if batch else ("weight", "bias")
    return {f"{ours}.{part}": f"{theirs}.{part}" for part in parts}


def layer(ours, theirs):
    return {f"{ours}.weight": f"{theirs}.weight", f"{ours}.bias": f"{theirs}.bias"}


def conformer_layer(n):
    ours, theirs = f"encoder.{n}", f"transformer.{n}"
    return (
        layer(f"{ours}.attention_norm", f"{theirs}.0.fn.0")
        | layer(f"{ours}.queries", f"{theirs}.0.fn.1.queries")
        | layer(f"{ours}.keys", f"{theirs}.0.fn.1.keys")
        | layer(f"{ours}.values", f"{theirs}.0.fn.1.values")
        | layer(f"{ours}.project", f"{theirs}.0.fn.1.projection")
        | layer(f"{ours}.feed_norm", f"{theirs}.1.fn.0")
        | layer(f"{ours}.feed.0", f"{theirs}.1.fn.1.0")
        | layer(f"{ours}.feed.3", f"{theirs}.1.fn.1.3")
    )


def atcnet_window(n):
    ours, attention = f"windows.{n}", f"attention_blocks.{n}"
    names = (
        layer(f"{ours}.0.norm", f"{attention}.ln")
        | layer(f"{ours}.0.queries", f"{attention}.mha.fc_q")
        | layer(f"{ours}.0.keys", f"{attention}.mha.fc_k")
        | layer(f"{ours}.0.values", f"{attention}.mha.fc_v")
        | layer(f"{ours}.0.project", f"{attention}.mha.fc_o")
    )
    for block in (0, 1):
        mine, peer = f"{ours}.{block + 1}.layers", f"temporal_conv_nets.{n}.{block}"
        names |= layer(f"{mine}.1", f"{peer}.conv1") | norm(f"{mine}.2", f"{peer}.bn1")
        names |= layer(f"{mine}.6", f"{peer}.conv2") | norm(f"{mine}.7", f"{peer}.bn2")
    return names


BANK = {
    "bank.temporal": "conv_time_spat.conv_time.weight",
    "bank.temporal_bias": "conv_time_spat.conv_time.bias",
    "bank.spatial": "conv_time_spat.conv_spat.weight",
}
NAMES = {  # ours -> braindecode's
    "eegnet": {"bank.temporal": "conv_temporal.weight", "bank.spatial": "conv_spatial.weight"}
    | norm("bank.norm", "bnorm_temporal")
    | norm("first.0", "bnorm_1")
    | {"along_time": "conv_separable_depth.weight", "second.0.weight": "conv_separable_point.weight"}
    | norm("second.1", "bnorm_2")
    | layer("head", "final_layer.conv_classifier"),
    "shallow_convnet": BANK | norm("norm", "bnorm") | layer("head", "final_layer.conv_classifier"),
    "deep_convnet": {f"blocks.0.0.{key[5:]}": theirs for key, theirs in BANK.items()}
    | norm("blocks.0.1", "bnorm")
    | {f"blocks.{n - 1}.1.weight": f"conv_{n}.weight" for n in (2, 3, 4)}
    | norm("blocks.1.2", "bnorm_2")
    | norm("blocks.2.2", "bnorm_3")
    | norm("blocks.3.2", "bnorm_4")
    | layer("head", "final_layer.conv_classifier"),
    "eeg_conformer": {
        "bank.temporal": "patch_embedding.shallownet.0.weight",
        "bank.temporal_bias": "patch_embedding.shallownet.0.bias",
        "bank.spatial": "patch_embedding.shallownet.1.weight",
        "bank.spatial_bias": "patch_embedding.shallownet.1.bias",
    }
    | norm("norm", "patch_embedding.shallownet.2")
    | layer("project", "patch_embedding.projection.0")
    | conformer_layer(0)
    | conformer_layer(1)
    | layer("dense.0", "fc.fc.0")
    | layer("dense.3", "fc.fc.3")
    | layer("head", "final_layer.final_layer.0"),
    "atcnet": {"bank.temporal": "conv_block.conv1.weight", "bank.spatial": "conv_block.conv2.weight"}
    | norm("bank.norm", "conv_block.bn1")
    | norm("convolved.0", "conv_block.bn2")
    | {"convolved.5.weight": "conv_block.conv3.weight"}
    | norm("convolved.6", "conv_block.bn3")
    | atcnet_window(0)
    | atcnet_window(1)
    | layer("head", "final_layer.0"),
}


def in_our_shape(key, array, shape):
    """Return a tensor of braindecode in the shape of ours: axes of one are elsewhere, and some of ours are joined or split."""
    same_but_ones = [n for n in array.shape if n > 1] == [n for n in shape if n > 1]
    assert same_but_ones or key in ("bank.spatial", "head.weight"), key
    return torch.from_numpy(array).reshape(shape)


@pytest.fixture(scope="module")
def answers():
    with np.load(ANSWERS, allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


@pytest.mark.parametrize("name", NAMES)
def test_equal_weights_equal_answers(name, answers):
    prefix = f"{name}/state/"
    theirs = {key[len(prefix) :]: array for key, array in answers.items() if key.startswith(prefix)}
    assert sorted(NAMES[name].values()) == sorted(theirs)  # every tensor once
    x = torch.from_numpy(answers[f"{name}/input"])
    model = resolve("model", MODELS, Part(name=name))(x.shape[1:], 3, **ARGUMENTS[name])
    state = model.state_dict()
    assert sorted(NAMES[name]) == sorted(state)
    mapped = {ours: in_our_shape(ours, theirs[peer], state[ours].shape) for ours, peer in NAMES[name].items()}
    model.load_state_dict(mapped, strict=True)
    found = model.eval()(x)
    expected = torch.from_numpy(answers[f"{name}/output"])
    assert expected.std() > 0.05
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_equal_count_at_the_papers_size(name, answers):
    n_times = 1000 if name == "eeg_conformer" else 1125
    model = resolve("model", MODELS, Part(name=name))((22, n_times), 4)
    assert sum(parameter.numel() for parameter in model.parameters()) == int(answers[f"count/{name}"])
