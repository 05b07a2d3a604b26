"""One contract for every network of the table: what the loop, the fusion and the run folder rely on."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from neuroloom.errors import NeuroloomError
from neuroloom.models import MODELS
from neuroloom.models.network import build_network, check_model
from neuroloom.parts import Part, resolve

# a small case of each: kind, shape of one sample, arguments
CASES = {
    "mlp": ("table", (12,), {"norm": "batch"}),
    "cnn3d": ("volume", (2, 14, 12, 16), {"grid": [2, 1, 1]}),
    "sfcn": ("volume", (1, 10, 8, 9), {"widths": [4, 6, 8, 5]}),
    "resnet3d": ("volume", (1, 18, 22, 16), {"depth": 10, "widths": [4, 6, 8, 10], "dropout": 0.5}),
    "densenet3d": ("volume", (1, 14, 13, 18), {"blocks": [2, 2, 1], "growth": 4, "stem_width": 8}),
    "brainnetcnn": ("graph", (9, 9), {"edge_to_edge": [3, 4], "edge_to_node": 5, "dense": [6]}),
    "conv1d": ("series", (5, 24), {"widths": [6, 8, 7]}),
    "gru": ("series", (5, 24), {"width": 6, "layers": 2}),
    "eegnet": ("series", (5, 45), {"filters": 3, "kernel_size": 8, "separable_size": 5}),
    "shallow_convnet": (
        "series",
        (5, 60),
        {"filters": 3, "spatial_filters": 4, "kernel_size": 7, "pool": 20, "pool_step": 5},
    ),
    "deep_convnet": ("series", (5, 70), {"widths": [4, 5, 6], "kernel_size": 4, "pool": 2}),
    "eeg_conformer": (
        "series",
        (5, 60),
        {"width": 8, "kernel_size": 7, "pool": 20, "pool_step": 5, "layers": 2, "heads": 2},
    ),
    "atcnet": ("series", (5, 60), {"filters": 3, "kernel_size": 8, "second_size": 6, "pools": [3, 2], "windows": 3}),
    "sleep_context": (
        "series",
        (5, 180),
        {"parts": 3, "width": 8, "kernel_size": 8, "step": 2, "pools": [2, 2], "hidden": 5},
    ),
    "p300_cnn": ("series", (5, 40), {"spatial_filters": 3, "filters": 4, "hidden": 6}),
    "stft_cnn": ("series", (5, 80), {"window": 8, "hidden": 6}),
}
OF_ANY_LENGTH = ["conv1d", "gru"]
OF_ONE_LENGTH = [name for name, (kind, _, _) in CASES.items() if kind == "series" and name not in OF_ANY_LENGTH]
N_OUTPUTS = 3


def network(name, seed=0):
    kind, shape, arguments = CASES[name]
    torch.manual_seed(seed)
    return build_network(Part(name=name, **arguments), {"x": shape}, {"x": kind}, N_OUTPUTS)


def batch(name, n=4, seed=1):
    return torch.randn(n, *CASES[name][1], generator=torch.Generator().manual_seed(seed))


def trained(name):
    """Return a network in eval mode whose batch statistics have been moved off their start."""
    made = network(name)
    made.train()
    for seed in (2, 3):
        made({"x": 2 * batch(name, seed=seed) + 1})
    return made.eval()


def saved_state(made):
    """Return a state as safetensors asks for it: networks on volumes keep their weights channels-last."""
    return {key: tensor.contiguous() for key, tensor in made.state_dict().items()}


def test_every_network_has_a_case():
    assert set(CASES) == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_shapes_and_the_head_that_comes_last(name):
    made, x = trained(name), batch(name)
    out = made({"x": x})
    assert out["output"].shape == (4, N_OUTPUTS)
    assert out["embedding"].shape == (4, made.n_features)
    model = made.model
    assert list(model.children())[-1] is model.head
    assert torch.equal(model(x), model.head(model.embed(x)))
    assert torch.equal(model(x), out["output"])


@pytest.mark.parametrize("name", MODELS)
def test_a_persons_output_does_not_depend_on_others_in_the_batch(name):
    made, x = trained(name), batch(name)
    together = made({"x": x})["output"]
    torch.testing.assert_close(made({"x": x[:1]})["output"], together[:1])
    others = torch.cat([x[:1], 100 * batch(name, n=3, seed=9)])
    torch.testing.assert_close(made({"x": others})["output"][:1], together[:1])


@pytest.mark.parametrize("name", OF_ANY_LENGTH)
@pytest.mark.parametrize("filler", [0.0, 1e4, float("nan")])
def test_padding_never_changes_the_output(name, filler):
    made, x = trained(name), batch(name)
    lengths = torch.tensor([24, 17, 8, 1])
    padded = torch.cat([x, torch.zeros(4, 5, 13)], dim=2)
    padded[torch.arange(37) >= lengths[:, None, None].expand(4, 5, 1)] = filler
    found = made({"x": padded}, lengths={"x": lengths})["output"]
    for item, n in enumerate(lengths):
        alone = made({"x": x[item : item + 1, :, :n]})["output"]
        torch.testing.assert_close(found[item : item + 1], alone)


@pytest.mark.parametrize("name", OF_ANY_LENGTH)
def test_padding_never_changes_what_is_learned(name):
    x, lengths = batch(name), torch.tensor([24, 17, 8, 3])
    gradients = []
    for filler in (0.0, 1e4):
        made = network(name).eval() if name == "gru" else network(name).train()  # dropout would draw anew
        for module in made.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        padded = x.masked_fill(torch.arange(24) >= lengths[:, None, None], filler)
        made({"x": padded}, lengths={"x": lengths})["output"].square().sum().backward()
        gradients.append(torch.cat([parameter.grad.flatten() for parameter in made.parameters()]))
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("name", OF_ANY_LENGTH)
def test_impossible_lengths_are_refused(name):
    with pytest.raises(NeuroloomError, match="between 1 and the 24 steps"):
        network(name)({"x": batch(name)}, lengths={"x": torch.tensor([24, 25, 3, 3])})


@pytest.mark.parametrize("name", OF_ONE_LENGTH)
def test_padded_items_are_refused_where_one_length_is_read(name):
    made, x = network(name).eval(), batch(name)
    whole = torch.full((4,), x.shape[-1])
    assert torch.equal(made({"x": x}, lengths={"x": whole})["output"], made({"x": x})["output"])
    with pytest.raises(NeuroloomError, match=rf"{name}.* only 30 of {x.shape[-1]} samples.*windows, length"):
        made({"x": x}, lengths={"x": whole.clone().index_fill(0, torch.tensor([2]), 30)})
    with pytest.raises(NeuroloomError, match=rf"{name} was built for items of 5 x {x.shape[-1]}.*6 x {x.shape[-1]}"):
        made({"x": torch.zeros(4, 6, x.shape[-1])})


@pytest.mark.parametrize("name", OF_ONE_LENGTH)
def test_noise_is_learned_by_heart(name):
    kind, shape, arguments = CASES[name]
    known = resolve("model", MODELS, Part(name=name)).__init__.__kwdefaults__
    off = {key: 0.0 for key in ("dropout", "attention_dropout") if key in known}
    free = {key: None for key in ("spatial_norm", "head_norm") if key in known}
    torch.manual_seed(0)
    made = build_network(Part(name=name, **arguments, **off, **free), {"x": shape}, {"x": kind}, 2)
    x, truth = batch(name, n=16), torch.arange(16) % 2
    optimizer = torch.optim.Adam(made.parameters(), lr=1e-2)
    made.train()
    for _ in range(150):
        loss = torch.nn.functional.cross_entropy(made({"x": x})["output"], truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.05  # 0.69 is chance
    made.eval()
    assert (made({"x": x})["output"].argmax(dim=1) == truth).all()  # running averages have followed


@pytest.mark.parametrize("name", MODELS)
def test_state_survives_safetensors(name, tmp_path):
    made, x = trained(name), batch(name)
    save_file(saved_state(made), tmp_path / "first.safetensors")
    other = network(name, seed=99).eval()
    other.load_state_dict(load_file(tmp_path / "first.safetensors"), strict=True)
    assert torch.equal(other({"x": x})["output"], made({"x": x})["output"])
    save_file(saved_state(other), tmp_path / "second.safetensors")
    assert (tmp_path / "first.safetensors").read_bytes() == (tmp_path / "second.safetensors").read_bytes()


@pytest.mark.parametrize("name", MODELS)
def test_gradient_reaches_every_parameter_and_the_input(name):
    made, x = network(name).train(), batch(name).requires_grad_()
    torch.manual_seed(0)
    made({"x": x})["output"].square().sum().backward()
    untouched = [key for key, parameter in made.named_parameters() if parameter.grad is None]
    assert untouched == []
    assert x.grad.abs().sum() > 0


@pytest.mark.parametrize("name", MODELS)
def test_initial_weights_follow_the_seed(name):
    first, again, other = (network(name, seed).state_dict() for seed in (7, 7, 8))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("name", MODELS)
def test_same_batch_same_gradients(name):
    gradients = []
    for _ in range(2):
        made = network(name).eval()
        made({"x": batch(name)})["output"].square().sum().backward()
        gradients.append([parameter.grad for parameter in made.parameters()])
    assert all(torch.equal(first, second) for first, second in zip(*gradients, strict=True))


@pytest.mark.parametrize("name", MODELS)
def test_wrong_kind_of_input_is_named(name):
    wrong = "series" if CASES[name][0] != "series" else "volume"
    with pytest.raises(NeuroloomError, match=f"'{name}' takes a .*input scan is a {wrong}"):
        check_model(Part(name=name), {"scan": wrong})


@pytest.mark.parametrize("name", MODELS)
def test_wrong_number_of_axes_is_named(name):
    kind, shape, arguments = CASES[name]
    with pytest.raises(NeuroloomError, match=name):
        build_network(Part(name=name, **arguments), {"x": (*shape, 2, 2)}, {"x": kind}, N_OUTPUTS)


@pytest.mark.parametrize("name", MODELS)
def test_wrong_argument_gets_a_suggestion(name):
    with pytest.raises(NeuroloomError, match=r"Did you mean 'dropout'"):
        check_model(Part(name=name, droput=0.1), {"x": CASES[name][0]})
