"""From label maps to weights with a card, by the commands; and weights that are not those of their card."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from neuroloom.anatomy import weight_files
from neuroloom.anatomy.answer import names_of_outputs
from neuroloom.anatomy.weight_card import load_weights
from neuroloom.cli import app
from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.training.steps import network_of, read_maps, train

RECIPE = ["weights", "maps", "anatomy", "--set", "cohort.n_participants=3", "--set", "model.widths=[4, 8]"]


def command(*words):
    done = CliRunner().invoke(app, [str(word) for word in words])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    patch = pytest.MonkeyPatch()
    patch.setenv("NEUROLOOM_CACHE", str(folder / "cache"))
    patch.setattr(weight_files, "N_DRAWS", 8)
    patch.setattr(weight_files, "N_PAIRS", 1)
    told = command(*RECIPE, "--hold-out", "sub-003", "--out", folder / "maps.npz")
    assert "3 maps, 1 held out" in told.output
    train(folder / "maps.npz", folder / "state", steps=80, cool=20, minutes=None, save_every=80)
    words = ("--data", "simulated heads", "--licence", "Apache-2.0", "--machine", "a test")
    done = command(
        "weights", "pack", folder / "state/state.safetensors", folder / "maps.npz", "--out", folder / "packed", *words
    )
    assert "Dice 0." in done.output
    patch.undo()
    return folder


@pytest.mark.slow
def test_the_card_tells_what_was_learned_from_and_reached(packed):
    weights = load_weights(packed / "packed" / "anatomy.json")
    card = weights.card
    assert card["held_out"] == ["sub-003"]
    assert card["learned_from"] == ["sub-001", "sub-002"]
    assert card["steps"] == 80
    assert card["answer_mm"] == 4
    assert (card["data"], card["licence"], card["machine"]) == ("simulated heads", "Apache-2.0", "a test")
    assert set(card["scores"]["by_contrast"]) == {"t1", "t2", "flair", "pd", "ct"}
    assert card["scores"]["dice"] == pytest.approx(np.mean(list(card["scores"]["by_contrast"].values())))
    assert set(card["quality"]) == set(names_of_outputs()[1:])
    assert card["repeatability_percent"]["cerebral_white_matter"] > 0


@pytest.mark.slow
def test_half_precision_keeps_the_answer(packed):
    import torch

    from neuroloom.training.checkpoint import read_progress
    from neuroloom.training.steps import weights_in

    told, _ = read_maps(packed / "maps.npz")
    network = network_of(told).eval()
    network.load_state_dict(weights_in(read_progress(packed / "state/state.safetensors")[0]))
    x = torch.rand(1, 1, 24, 28, 26, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole, half = (one(x).softmax(dim=1) for one in (network, load_weights(packed / "packed/anatomy.json").network))
    assert float((whole - half).abs().max()) < 0.01


@pytest.mark.slow
def test_weights_that_are_not_those_of_the_card(packed, tmp_path):
    card, content = ((packed / "packed" / f"anatomy.{end}").read_bytes() for end in ("json", "safetensors"))
    (tmp_path / "anatomy.json").write_bytes(card)
    with pytest.raises(FileProblem, match="the weights cannot be read"):
        load_weights(tmp_path / "anatomy.json")
    (tmp_path / "anatomy.safetensors").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(FileProblem, match="not those of the card"):
        load_weights(tmp_path / "anatomy.json")
    (tmp_path / "anatomy.safetensors").write_bytes(content)
    told = json.loads(card)
    told["training"]["model"]["widths"] = [4, 8, 8]
    (tmp_path / "anatomy.json").write_text(json.dumps(told))
    with pytest.raises(FileProblem, match="do not fit the network"):
        load_weights(tmp_path / "anatomy.json")
    with pytest.raises(FileProblem, match="named by their card"):
        load_weights(tmp_path / "anatomy.safetensors")


def test_what_has_no_file_of_maps(tmp_path):
    with pytest.raises(NeuroloomError, match="not simulated from patches of label maps"):
        command("weights", "maps", "brain-age", "--hold-out", "a", "--out", tmp_path / "maps.npz")
    with pytest.raises(NeuroloomError, match="no map is held out"):
        command(*RECIPE, "--hold-out", "", "--out", tmp_path / "maps.npz")
    with pytest.raises(NeuroloomError, match="has no nobody to hold out"):
        command(*RECIPE, "--hold-out", "nobody", "--out", tmp_path / "maps.npz")
