"""Maps of channels on the page: the right way up, in an order that can be read, and bars where nothing else can be."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from neuroloom.report.figures_channels import channels_figure, front_to_back, heads_of, outline
from neuroloom.report.topography import draw_topography

PLACES = {  # m, head frame: x to the right, y to the nose
    "Oz": (0.0, -0.1, 0.05), "C4": (0.07, 0.0, 0.09), "Fz": (0.0, 0.08, 0.08), "C3": (-0.07, 0.0, 0.09),
    "Pz": (0.0, -0.06, 0.1), "Cz": (0.0, 0.01, 0.13), "F3": (-0.05, 0.08, 0.07), "F4": (0.05, 0.08, 0.07),
}  # fmt: skip
NAMES, POSITIONS = np.array(list(PLACES)), np.array(list(PLACES.values()))


def held(n_columns=10, unit="s", edges=None, **more):
    rng = np.random.default_rng(0)
    values = rng.standard_normal((8, n_columns)) if n_columns else rng.standard_normal(8)
    told = {"values": values, "names": NAMES, "label": np.array("Correlation"), "positions": POSITIONS, **more}
    return told | ({"edges": np.linspace(0, 1, n_columns + 1), "unit": np.array(unit)} if n_columns else {})


def test_channels_go_from_the_front_to_the_back_and_from_left_to_right():
    order = front_to_back(POSITIONS, 8)
    assert NAMES[order].tolist() == ["F3", "Fz", "F4", "C3", "Cz", "C4", "Pz", "Oz"]
    assert front_to_back(None, 3).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "side"), [("C3", "left"), ("C4", "right"), ("Fz", "up"), ("Oz", "down")]
)  # the nose is up
def test_the_head_is_the_right_way_up(name, side):
    pytest.importorskip("mne")
    axes = Figure().subplots()
    draw_topography(axes, (name == NAMES).astype(float), POSITIONS, (0.0, 1.0), "viridis")
    [image] = axes.images
    row, column = np.unravel_index(np.nanargmax(image.get_array().filled(-1)), image.get_array().shape)
    left, right, bottom, top = image.get_extent()
    x = left + (column + 0.5) / image.get_array().shape[1] * (right - left)
    y = bottom + (row + 0.5) / image.get_array().shape[0] * (top - bottom)  # the first row is the lowest
    assert image.origin == "lower"
    assert axes.get_xlim()[0] < axes.get_xlim()[1]
    found = {"left": -x, "right": x, "up": y, "down": -y}
    assert max(found, key=found.get) == side


def test_heads_are_means_over_bands():
    told = held(44, "Hz")
    told["edges"] = np.arange(1.0, 46.0)
    heads = heads_of(told)
    assert [text.split("\n")[0] for text in heads] == ["delta", "theta", "alpha", "beta", "gamma"]
    np.testing.assert_allclose(heads["alpha\n8 to 13 Hz"], told["values"][:, 7:12].mean(axis=1))
    over_time = heads_of(held(10))
    assert len(over_time) == 6
    np.testing.assert_allclose(over_time["all"], held(10)["values"].mean(axis=1))


def test_the_border_of_a_place_is_drawn_around_it():
    mask = np.zeros((3, 4), bool)
    mask[1, 2] = True
    edges = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    segments = {frozenset(segment) for segment in outline(mask, edges)}
    corners = (2.0, 0.5), (3.0, 0.5), (3.0, 1.5), (2.0, 1.5)
    assert segments == {frozenset((corners[at], corners[(at + 1) % 4])) for at in range(4)}
    mask[1, 3] = True
    assert len(outline(mask, edges)) == 6


def test_figure_says_where_chance_ends_and_what_was_planted():
    pytest.importorskip("mne")
    planted = np.zeros((8, 10), bool)
    planted[1, 3] = True
    drawn = channels_figure(held(planted=planted, bar=np.array(0.25)), "Map", "map")
    assert "(0.25)" in drawn["caption"]
    assert "Magenta" in drawn["caption"]
    assert "Time after the event (s)" in drawn["svg"]
    assert all(f">{name}<" in drawn["svg"] for name in NAMES)
    assert channels_figure({**held(), "values": np.zeros((8, 10))}, "Map", "map") is None


def test_without_places_or_library_there_are_bars_and_the_page_says_why(monkeypatch):
    without = {key: value for key, value in held().items() if key != "positions"}
    drawn = channels_figure(without, "Map", "map")
    assert drawn["caption"].startswith("Where the channels lie on the head is not known: a bar a channel")
    monkeypatch.setitem(__import__("sys").modules, "mne", None)
    for n_columns in (0, 10):
        drawn = channels_figure(held(n_columns), "Map", "map")
        assert "pip install 'neuroloom[signals]'" in drawn["caption"]
        assert drawn["svg"].startswith("<svg")
