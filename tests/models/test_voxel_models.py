"""One contract for every network that answers at each voxel, and sizes that can be counted by hand."""

import pytest
import torch

from neuroloom.errors import NeuroloomError
from neuroloom.models import VOXEL_MODELS, voxel_answer
from neuroloom.models.network import build_network, parameter_count
from neuroloom.parts import Part

CASES = {
    "unet3d": {"widths": [4, 6, 8]},
    "highres3d": {"widths": [4, 6], "blocks": 1, "last": 5},
    "deepmedic": {"widths": [4, 5], "last": [6]},
}
SHAPE = (1, 11, 9, 14)


def built(name, n_outputs=3, **more):
    torch.manual_seed(0)
    return build_network(Part(name=name, **CASES[name], **more), {"t1w": SHAPE}, {"t1w": "volume"}, n_outputs)


def volume(n=2, seed=1):
    return torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(seed))


def test_every_network_has_a_case():
    assert set(CASES) == set(VOXEL_MODELS)


@pytest.mark.parametrize("name", VOXEL_MODELS)
def test_an_answer_for_each_voxel_whatever_the_size(name):
    made = built(name).eval()
    assert made({"t1w": volume()})["output"].shape == (2, 3, 11, 9, 14)
    assert made({"t1w": torch.rand(1, 1, 16, 13, 10)})["output"].shape == (1, 3, 16, 13, 10)


@pytest.mark.parametrize("name", VOXEL_MODELS)
def test_an_answer_does_not_depend_on_the_others_in_the_batch(name):
    made, x = built(name).eval(), volume()
    together, alone = made({"t1w": x})["output"], made({"t1w": x[:1]})["output"]
    torch.testing.assert_close(together[:1], alone, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", VOXEL_MODELS)
def test_every_weight_learns(name):
    made = built(name)
    made({"t1w": volume()})["output"].square().mean().backward()
    without = [key for key, p in made.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert without == []


@pytest.mark.parametrize("name", VOXEL_MODELS)
def test_posteriors_in_slabs_are_those_of_the_whole(name, monkeypatch):
    made, x = built(name).eval(), volume(1)
    monkeypatch.setattr(voxel_answer, "SLAB_BYTES", 4 * 3 * 9 * 14 * 4)  # four planes at a time
    slabs = list(voxel_answer.posterior_slabs(made.model, x[0]))
    assert [(start, stop) for start, stop, _ in slabs] == [(0, 4), (4, 8), (8, 11)]
    whole = made({"t1w": x})["output"][0].softmax(dim=0)
    torch.testing.assert_close(torch.cat([slab for _, _, slab in slabs], dim=1), whole.detach(), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", VOXEL_MODELS)
def test_a_place_is_told_from_what_is_about_it(name):
    """A voxel's answer changes when its neighbour does, and more than when the farthest corner does."""
    made, x = built(name).eval(), torch.zeros(1, *SHAPE)
    near, far = x.clone(), x.clone()
    near[0, 0, 6, 5, 7], far[0, 0, 0, 0, 0] = 1, 1
    plain, of_near, of_far = (made({"t1w": one})["output"][0, :, 5, 5, 7].detach() for one in (x, near, far))
    assert (of_near - plain).abs().max() > 2 * (of_far - plain).abs().max()


def test_sizes():
    def size(name, n_outputs, **arguments):
        shape = (1, 64, 64, 64)
        return parameter_count(build_network(Part(name=name, **arguments), {"x": shape}, {"x": "volume"}, n_outputs))

    assert size("unet3d", 33, widths=[16, 32, 64, 128]) == 1_460_833
    assert size("highres3d", 160) == 820_304 + 1_440  # convolutions and the answer, normalisations
    assert size("deepmedic", 5) == 2 * (308_610 + 960) + 37_500 + 900 + 755  # two paths, joining layers, the answer


def test_side_answers_are_given_in_training_only():
    made, x = built("unet3d", deep_supervision=True), volume()
    assert [side.shape for side in made.train()({"t1w": x})["sides"]] == [(2, 3, 5, 4, 7)]
    assert "sides" not in made.eval()({"t1w": x})


def test_a_series_is_refused_by_name():
    with pytest.raises(NeuroloomError, match="input bold is a series"):
        build_network(Part(name="unet3d"), {"bold": (5, 100)}, {"bold": "series"}, 2)
