"""Late fusion with missing inputs, and what a recipe's model is checked for."""

import pytest
import torch

from neuroloom.errors import NeuroloomError
from neuroloom.models.network import build_network, check_model
from neuroloom.parts import Part

SHAPES = {"t1w": (1, 12, 12, 12), "bold": (5, 20), "snps": (7,)}
KINDS = {"t1w": "volume", "bold": "series", "snps": "table"}
ENCODERS = {
    "t1w": {"name": "cnn3d", "widths": [4, 6]},
    "bold": {"name": "conv1d", "widths": [8, 8]},
    "snps": {"name": "mlp", "widths": [6]},
}


def fusion(seed=0, **arguments):
    torch.manual_seed(seed)
    part = Part(name="late_fusion", encoders=ENCODERS, **arguments)
    return build_network(part, SHAPES, KINDS, 3)


def batch(n=4, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(n, *shape, generator=generator) for name, shape in SHAPES.items()}


def test_fusion_puts_the_encoders_side_by_side():
    made, inputs = fusion().eval(), batch()
    out = made(inputs)
    assert made.n_features == 6 + 8 + 6
    encoders = made.model.encoders
    parts = [encoders[name].embed(inputs[name]) for name in SHAPES]
    torch.testing.assert_close(out["embedding"], torch.cat(parts, dim=1))
    assert out["output"].shape == (4, 3)


@pytest.mark.parametrize("filler", [0.0, float("nan")])
def test_a_missing_input_cannot_reach_the_output(filler):
    made, inputs = fusion().eval(), batch()
    present = {"bold": torch.tensor([True, False, True, False]), "snps": torch.tensor([True, True, False, False])}
    found = made(inputs, present)["output"]
    hidden = {name: x.clone() for name, x in inputs.items()}
    for name, mask in present.items():
        hidden[name][~mask] = filler
    assert torch.equal(made(hidden, present)["output"], found)
    assert not torch.allclose(made(inputs)["output"][1], found[1])
    everyone_lacks = {"bold": torch.zeros(4, dtype=torch.bool)}
    assert torch.isfinite(made(hidden, {**present, **everyone_lacks})["output"]).all()


def test_missing_inputs_stay_out_of_the_gradient_and_the_batch_statistics():
    made, inputs = fusion().train(), batch()
    inputs["t1w"][2:] = float("nan")
    present = {"t1w": torch.tensor([True, True, False, False])}
    made(inputs, present)["output"].square().sum().backward()
    state = made.state_dict()
    assert all(torch.isfinite(tensor).all() for tensor in state.values())
    assert all(torch.isfinite(p.grad).all() for p in made.parameters() if p.grad is not None)
    assert made.model.missing["t1w"].grad.abs().sum() > 0


def test_gradient_reaches_every_parameter_when_something_is_missing():
    made = fusion(widths=[6]).train()
    present = {name: torch.arange(4) != item for item, name in enumerate(SHAPES)}
    made(batch(), present)["output"].square().sum().backward()
    assert [name for name, parameter in made.named_parameters() if parameter.grad is None] == []


def test_a_persons_output_does_not_depend_on_others():
    made, inputs = fusion().eval(), batch()
    present = {"bold": torch.tensor([True, False, True, True])}
    lengths = {"bold": torch.tensor([20, 20, 11, 7])}
    together = made(inputs, present, lengths)["output"]
    for item in range(4):
        rows = slice(item, item + 1)
        alone = made(
            {name: x[rows] for name, x in inputs.items()},
            {"bold": present["bold"][rows]},
            {"bold": lengths["bold"][rows]},
        )["output"]
        torch.testing.assert_close(alone, together[rows])


def test_dropped_inputs_leave_at_least_one():
    made = fusion(drop_input=0.9).train()
    present = {"t1w": torch.tensor([True, False]).repeat(500)}
    inputs = {name: torch.zeros(1000, 1) for name in SHAPES}
    masks = torch.stack(list(made.model._present(inputs, present).values()))
    assert masks.any(dim=0).all()
    assert not (masks[0] & ~present["t1w"]).any()
    kept = masks[:, ::2].float().mean()  # of three inputs: the luckiest, and the others at 1 in 10
    assert 1 / 3 < kept < 0.45
    made.eval()
    assert torch.stack(list(made.model._present(inputs, present).values()))[1:].all()


def test_single_model_refuses_a_missing_input():
    made = build_network(Part(name="mlp"), {"x": (3,)}, {"x": "table"}, 2)
    with pytest.raises(NeuroloomError, match=r"1 of 2 items have no input 'x'.*late_fusion"):
        made({"x": torch.zeros(2, 3)}, {"x": torch.tensor([True, False])})


@pytest.mark.parametrize(
    ("part", "kinds", "message"),
    [
        ({"name": "sfn"}, {"t1w": "volume"}, "Did you mean 'sfcn'"),
        ({"name": "sfcn"}, {"bold": "series"}, r"'sfcn' takes a volume; input bold is a series.*conv1d, gru"),
        ({"name": "mlp"}, KINDS, "takes one input, and this recipe has 3"),
        ({"name": "late_fusion"}, KINDS, "needs an encoder for each input"),
        ({"name": "late_fusion", "encoders": ENCODERS, "width": 3}, KINDS, "Did you mean 'widths'"),
        ({"name": "late_fusion", "encoders": {"t1": {"name": "cnn3d"}}}, KINDS, "Did you mean 't1w'"),
        ({"name": "late_fusion", "encoders": {"t1w": {"name": "gru"}}}, KINDS, "takes a series; input t1w"),
        ({"name": "late_fusion", "encoders": {"t1w": {"name": "cnn3d"}}}, KINDS, "input bold has no encoder"),
    ],
)
def test_wrong_models_are_named_before_any_data_are_read(part, kinds, message):
    with pytest.raises(NeuroloomError, match=message):
        check_model(Part(**part), kinds)


def test_a_batch_without_an_input_is_named():
    made, inputs = fusion(), batch()
    del inputs["bold"]
    with pytest.raises(NeuroloomError, match="the batch lacks bold"):
        made(inputs)
