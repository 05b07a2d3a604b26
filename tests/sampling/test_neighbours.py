"""Windows in a row: which see each other, what is asked, and that answers come back to their rows."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from neuroloom.errors import NeuroloomError
from neuroloom.sampling.neighbours import NOT_ASKED, Neighbours
from neuroloom.training.items import Items
from neuroloom.transforms.store import ArrayStore

N, TIMES = 17, 5  # rows; time points of a window
RECORDING = np.array(["a"] * 9 + ["b"] * 8)
ONSET = np.concatenate([np.arange(9), [0, 1, 2, 3, 10, 11, 12, 13]]) * 0.5  # a gap in b


def made(windows=4, **more):
    values = {row: np.full((2, TIMES), float(row)) + np.arange(TIMES) / 10 for row in range(N)}
    store = ArrayStore("series", tuple(f"w{row}" for row in range(N)), values)
    return Neighbours(more.get("recording", RECORDING), more.get("onset", ONSET), windows), {"eeg": store}


def test_every_row_is_in_an_item_and_none_crosses_a_recording_or_a_gap():
    sampling, stores = made()
    items = sampling.items(stores, np.arange(N))
    assert items[:, 1:5].tolist() == [
        [0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]
    ]  # fmt: skip
    assert items[:, 5:].all()
    assert sampling.seen([1]).tolist() == list(range(9))


def test_a_run_that_is_shorter_ends_in_zeros():
    sampling, stores = made(windows=6)
    items = sampling.items(stores, [10])
    assert items[:, 1:7].tolist() == [[9, 10, 11, 12, -1, -1]]
    cut = sampling.cut(stores, items[0])["eeg"]
    assert cut.shape == (2, 30)
    np.testing.assert_allclose(cut[0, :20], np.repeat([9.0, 10, 11, 12], 5) + np.tile(np.arange(5) / 10, 4))
    assert (cut[:, 20:] == 0).all()


def test_rows_that_are_not_asked_about_are_seen_and_have_no_target():
    sampling, stores = made()
    rows, target = np.array([0, 3, 8]), np.arange(N) % 2
    items = Items(stores, sampling, rows, target)
    batch = items.batch(np.arange(len(items)))
    assert batch.target["target"].tolist() == [[0, NOT_ASKED, NOT_ASKED, 1], [NOT_ASKED, 1, NOT_ASKED, NOT_ASKED],
                                               [NOT_ASKED] * 3 + [0]]  # fmt: skip
    assert batch.inputs["eeg"].shape == (3, 2, 4 * TIMES)
    assert batch.inputs["eeg"][0, 0, ::TIMES].tolist() == [0.0, 1.0, 2.0, 3.0]
    loss = torch.nn.functional.cross_entropy(torch.zeros(3, 2, 4), batch.target["target"])
    assert loss.item() == pytest.approx(np.log(2))  # of the four that are asked, not of the eight others


def test_answers_come_back_to_the_rows_that_asked_in_their_order():
    sampling, stores = made()
    rows = np.array([16, 4, 0, 9, 5])
    items = Items(stores, sampling, rows)
    seen = items.items[:, 1:5]
    answers = np.stack([seen, 10.0 * seen], axis=1)  # (item, output, window): each window answers with its row
    np.testing.assert_allclose(items.joined(answers), np.stack([rows, 10.0 * rows], axis=1))
    other = answers + np.arange(len(answers))[:, None, None]  # items that answer differently: their mean
    of_4 = [number for number in range(len(seen)) if 4 in seen[number]]
    assert items.joined(other)[1, 0] == pytest.approx(4 + np.mean(of_4))


def test_nobody_asked_gives_no_item():
    sampling, stores = made()
    assert sampling.items(stores, []).shape == (0, 9)


def test_windows_that_follow_unevenly_are_refused():
    onset = np.arange(N) * 0.25
    onset[::2] -= 0.004  # 31 or 32 time points of 125 Hz
    with pytest.raises(NeuroloomError, match="whole number of time points"):
        made(recording=np.array(["a"] * N), onset=onset)


def test_another_kind_of_input_is_refused():
    sampling, stores = made()
    with pytest.raises(NeuroloomError, match=r"age \(table\)"):
        sampling.items(stores | {"age": SimpleNamespace(kind="table")}, [0])
