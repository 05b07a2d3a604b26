"""Maps of channels over time: which time points a column holds, when trials begin, where channels lie."""

import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.explanation.frame import Frame, joined, laid, placed, placed_mask
from neuroloom.explanation.gradient import Gradient
from neuroloom.explanation.occlusion import Occlusion
from neuroloom.explanation.series_frame import Columns, binned, sampling_rate_of, series_frame, time_edges
from neuroloom.transforms.store import ArrayStore
from neuroloom.transforms.store_parts import PartStore

RATE, NAMES = 50.0, ["C3", "C4", "Cz"]
PLACES = [[-0.06, 0.0, 0.08], [0.06, 0.0, 0.08], [0.0, 0.0, 0.1]]


def data_of_trials(column="event", places=PLACES):
    """Return data of four trials, cut from 0.5 s before to 1 s after their event in one recording of 20 s."""
    whole = np.random.default_rng(0).standard_normal((3, 1000)).astype(np.float32)
    told = {"names": NAMES, "sampling_rate": RATE, "positions": places}
    recording = ArrayStore("series", ("r",), {0: whole}, NAMES, {0: told})
    onset = np.array([2.0, 5.0, 8.004, 11.0])
    first = np.round((onset - 0.5) * RATE).astype(int)
    store = PartStore(recording, tuple("abcd"), np.zeros(4, int), first, np.full(4, 75))
    table = pd.DataFrame({"onset": onset, column: list("lrlr")})
    return SimpleNamespace(stores={"x": store}, cohort=SimpleNamespace(table=table))


def frame_by(method, data):
    learner = SimpleNamespace(inputs=SimpleNamespace(names={"x": NAMES}))
    return Frame("series", **series_frame(learner, data, "x", data.stores["x"], [0, 1, 2, 3], method))


def test_trials_have_channels_and_time_from_their_event():
    frame = frame_by(Gradient(), data_of_trials())
    assert frame.shape == (3, 64)
    assert (frame.columns.unit, len(frame.columns)) == ("s", 64)
    assert frame.columns.edges[0] == pytest.approx(-0.5, abs=0.5 / RATE)
    assert frame.columns.edges[-1] - frame.columns.edges[0] == pytest.approx(1.5)
    assert frame.positions == tuple(map(tuple, PLACES))


def test_windows_of_recordings_have_channels_alone():
    frame = frame_by(Gradient(), data_of_trials("partly"))  # the column of windows that are cut every few seconds
    assert (frame.shape, frame.columns) == ((3,), None)


def test_windows_of_occlusion_are_named_in_seconds_from_the_event():
    frame = frame_by(Occlusion(by="window", size=25), data_of_trials())
    assert frame.names == ("-0.50 to 0.00 s", "0.00 to 0.50 s", "0.50 to 1.00 s")
    without = frame_by(Occlusion(by="window", size=25), data_of_trials("partly"))
    assert without.names[0] == "time points 0 to 24"


def test_a_channel_without_a_place_leaves_the_map_without_places():
    assert frame_by(Gradient(), data_of_trials(places=[*PLACES[:2], None])).positions is None


def test_columns_hold_every_time_point_once():
    values = np.arange(2 * 3 * 437.0).reshape(2, 3, 437)
    added = binned(values, 64)
    np.testing.assert_allclose(added.sum(axis=-1), values.sum(axis=-1))
    edges = time_edges(437, 0.5, 125.0)
    assert edges[[0, -1]] == pytest.approx([0.5, 0.5 + 437 / 125])
    middle = [values[..., round(low * 125 - 62.5) : round(high * 125 - 62.5)].mean(axis=-1)
              for low, high in itertools.pairwise(edges)]  # fmt: skip
    np.testing.assert_allclose(binned(values, 64, mean=True), np.stack(middle, axis=-1))
    np.testing.assert_array_equal(laid(values, "series", columns=Columns("s", tuple(edges))), added)
    of_lines = values[..., :20]
    np.testing.assert_array_equal(laid(of_lines, "series", columns=Columns("Hz", tuple(range(21)))), of_lines)


def test_channels_dropped_in_some_folds_are_found_by_name_with_their_places():
    columns = Columns("Hz", (1.0, 2.0, 3.0))
    one = Frame("series", (2, 2), ("C3", "Cz"), None, columns, (tuple(PLACES[0]), tuple(PLACES[2])))
    two = Frame("series", (2, 2), ("C4", "Cz"), None, columns, (tuple(PLACES[1]), tuple(PLACES[2])))
    frame, where = joined([one, two])
    assert frame.names == ("C3", "Cz", "C4")
    assert frame.positions == (tuple(PLACES[0]), tuple(PLACES[2]), tuple(PLACES[1]))
    whole = placed(np.array([[1.0, 2.0], [3.0, 4.0]]), where[1], frame)
    np.testing.assert_array_equal(whole, [[np.nan, np.nan], [3, 4], [1, 2]])
    assert placed_mask(np.ones((2, 2), bool), where[0], frame).sum() == 4


def test_maps_over_time_and_over_frequency_are_not_compared():
    over_time, again = (
        Frame("series", (3, 2), tuple(NAMES), None, Columns("s", (0.0, 1.0, end))) for end in (2.0, 2.0)
    )
    over_frequency = Frame("series", (3, 2), tuple(NAMES), None, Columns("Hz", (0.0, 1.0, 2.0)))
    assert over_time.like(again)
    assert not over_time.like(over_frequency)
    assert not over_time.like(Frame("series", (3,), tuple(NAMES)))


def test_series_of_several_rates_are_refused():
    told = {0: {"sampling_rate": 100.0}, 1: {"sampling_rate": 250.0}}
    store = ArrayStore("series", ("a", "b"), {}, None, told)
    with pytest.raises(NeuroloomError, match=r"rate of x is 100 Hz and 250 Hz.*resample_series"):
        sampling_rate_of(SimpleNamespace(stores={"x": store}), "x", [0, 1], "amplitude_perturbation")
