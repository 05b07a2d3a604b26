"""A file is there whole or not at all."""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from neuroloom.errors import FileProblem
from neuroloom.formats.atomic import (
    atomic_write,
    atomic_writer,
    check_can_make,
    check_can_write,
    not_ours,
    refuse_to_replace,
)


def test_writes_and_replaces(tmp_path):
    atomic_write(tmp_path / "a.json", b"first")
    atomic_write(tmp_path / "a.json", b"second")
    assert (tmp_path / "a.json").read_bytes() == b"second"
    assert os.listdir(tmp_path) == ["a.json"]


def test_rights_are_those_of_an_ordinary_new_file(tmp_path):
    (tmp_path / "ordinary").write_bytes(b"")
    atomic_write(tmp_path / "ours", b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_a_failing_block_leaves_the_old_file_and_nothing_else(tmp_path):
    atomic_write(tmp_path / "a", b"old")

    def write_half():
        with atomic_writer(tmp_path / "a") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert (tmp_path / "a").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize(
    ("number", "way_out"), [(errno.ENOSPC, "The disk is full"), (errno.EDQUOT, "quota"), (errno.EIO, "Is the disk")]
)
def test_full_disk_names_file_and_way_out(tmp_path, monkeypatch, number, way_out):
    def full(_):
        raise OSError(number, os.strerror(number))

    atomic_write(tmp_path / "a", b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileProblem, match=rf"a: it could not be written: .*{way_out}"):
        atomic_write(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_truly_full_device(tmp_path, monkeypatch):
    real_open = open
    monkeypatch.setattr("builtins.open", lambda path, mode="r", **more: real_open("/dev/full", "wb"))
    with pytest.raises(FileProblem, match="The disk is full"):
        atomic_write(tmp_path / "a", bytes(10_000))


def test_absent_folder(tmp_path):
    with pytest.raises(FileProblem, match="Make the folder first"):
        atomic_write(tmp_path / "absent" / "a", b"")


def test_what_can_be_written_is_known_before_and_nothing_is_made(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    check_can_write(tmp_path / "a")
    check_can_make(tmp_path / "b" / "c")
    with pytest.raises(FileProblem, match="its folder is not there"):
        check_can_write(tmp_path / "b" / "a")
    for check in (check_can_make, check_can_write):
        with pytest.raises(FileProblem, match="is a file, no folder"):
            check(tmp_path / "file" / "a")
    assert os.listdir(tmp_path) == ["file"]


def test_what_would_be_lost_is_told_in_one_way(tmp_path):
    paths = [tmp_path / name for name in ("new", "a", "b")]
    refuse_to_replace(paths, force=False)
    for path in paths[1:]:
        path.write_bytes(b"x")
    with pytest.raises(FileProblem) as error:
        refuse_to_replace(paths, False, "Or go on with --skip-done.")
    assert str(error.value) == (
        f"{paths[1]}: it exists already (and 1 more). Name another --out, or replace it with --force. "
        "Or go on with --skip-done."
    )
    refuse_to_replace(paths, force=True)
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]
    assert "holds no run but thesis.txt, so --force does not replace it" in str(not_ours(tmp_path, "run", "thesis.txt"))


def test_long_names_fit(tmp_path):
    atomic_write(tmp_path / ("ü" * 120), b"x")
    assert len(os.listdir(tmp_path)) == 1


def test_killed_at_any_moment_the_file_is_old_or_new(tmp_path):
    """A writer is killed again and again while it replaces a file by another of one repeated byte."""
    code = (
        "import sys; from neuroloom.formats.atomic import atomic_write\n"
        "atomic_write(sys.argv[1], bytes(2**20)); print('ready', flush=True)\n"
        "for i in range(10**6): atomic_write(sys.argv[1], bytes([i % 256]) * 2**20)"
    )
    for delay in (0.0, 0.003, 0.011, 0.023):
        writer = subprocess.Popen([sys.executable, "-c", code, tmp_path / "a"], stdout=subprocess.PIPE)
        writer.stdout.readline()
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        content = (tmp_path / "a").read_bytes()
        assert len(content) == 2**20
        assert len(set(content)) == 1
