"""Arrays that lie in a file when they are large."""

import numpy as np
import pytest

from neuroloom.formats import spacious


@pytest.mark.parametrize("held", [2**28, 0])
def test_room_is_zero_and_keeps_what_is_written(monkeypatch, held):
    monkeypatch.setattr(spacious, "HELD_BYTES", held)
    array = spacious.empty((3, 5000))
    assert isinstance(array, np.memmap) == (held == 0)
    assert array.dtype == np.float32
    assert not array.any()
    array[1] = np.arange(5000)
    spacious.let_go(array)
    assert array.sum() == 5000 * 4999 / 2


def test_pages_let_go_are_not_resident(monkeypatch):
    monkeypatch.setattr(spacious, "HELD_BYTES", 0)
    array = spacious.empty((64, 2**20))  # 256 MB
    array[:] = 1
    before = shared_file_pages()
    spacious.let_go(array[3:5])
    assert before - shared_file_pages() > 200 * 2**20
    assert array[5, 7] == 1


def shared_file_pages():
    """Return the bytes of files that this process has in memory."""
    with open("/proc/self/status") as file:
        told = dict(line.split(":", 1) for line in file)
    return 1024 * (int(told["RssFile"].split()[0]) + int(told["RssShmem"].split()[0]))


def test_blocks_cover_time_once_within_their_size():
    found = list(spacious.blocks(1_000_000, 64))
    assert [one.start for one in found[1:]] == [one.stop for one in found[:-1]]
    assert (found[0].start, found[-1].stop) == (0, 1_000_000)
    assert max(one.stop - one.start for one in found) * 64 * 8 <= 2**25
