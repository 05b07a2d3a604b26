"""What the command line shows before any work."""

import re

import pytest
from typer.testing import CliRunner

from neuroloom.cli import app
from neuroloom.recipe import read_recipe, recipe_names
from neuroloom.simulators import SIMULATORS


def shown(monkeypatch, width, *words):
    """Return what a command writes in a terminal so many columns wide, without the lines of its boxes."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERMINAL_WIDTH", str(width))  # typer's own, for its help
    done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0
    return re.split(r"[\s│,]+", done.output)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_id_and_no_variant_is_cut_in_the_list(monkeypatch, width):
    recipes = [read_recipe(name) for name in recipe_names()]
    typed = {recipe.id for recipe in recipes}.union(*(recipe.variants for recipe in recipes))
    assert typed - set(shown(monkeypatch, width, "list")) == set()


def test_the_help_of_simulate_names_its_kinds_and_sets_their_arguments(monkeypatch):
    told = [word.rstrip(".") for word in shown(monkeypatch, 80, "simulate", "--help")]
    assert set(SIMULATORS) - set(told) == set()
    assert "n_participants=3" in told
    assert "training.epochs=5" not in told
