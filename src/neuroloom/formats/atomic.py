"""Files that are there whole or not at all: written beside, synced, renamed."""

import errno
import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path

from neuroloom.errors import FileProblem

_WAYS_OUT = {
    errno.ENOSPC: "The disk is full: free some space, or write to another disk.",
    errno.EDQUOT: "Your quota is used up: free some space, or write to another disk.",
    errno.EFBIG: "The disk takes no file of that size: write to another disk.",
    errno.EROFS: "The disk is read-only: write to another folder.",
    errno.EACCES: "You may not write there: choose another folder.",
    errno.EPERM: "You may not write there: choose another folder.",
    errno.ENOENT: "Make the folder first, or correct its name.",
    errno.ENOTDIR: "A part of the path is a file: correct it.",
    errno.EISDIR: "There is a folder of that name: choose another name.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
}


def make_folder(folder):
    """Make a folder to write to, with those above it, or say why it cannot be."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileProblem(folder, f"cannot be made ({error.strerror}).", "Name another folder with --out.") from None
    if not os.access(folder, os.W_OK):
        raise FileProblem(folder, "cannot be written to.", "Name another folder with --out.")


def check_can_make(folder):
    """Raise where a folder is not there and cannot be made, or cannot be written to; nothing is made."""
    folder = Path(folder).absolute()
    there = next(one for one in (folder, *folder.parents) if one.exists())
    if not there.is_dir():
        raise FileProblem(folder, f"{there} is a file, no folder.", "Name another folder with --out.")
    if not os.access(there, os.W_OK):
        raise FileProblem(there, "cannot be written to.", "Name another folder with --out.")


def check_can_write(path):
    """Raise where a file cannot be written, since its folder is not there or not ours; nothing is written."""
    folder = Path(path).absolute().parent
    if not folder.exists():
        raise FileProblem(path, "its folder is not there.", _WAYS_OUT[errno.ENOENT])
    check_can_make(folder)


def refuse_to_replace(paths, force, more=""):
    """Raise where files would be lost, before any work is done for what replaces them.

    Parameters
    ----------
    paths : iterable of Path
        What would be written.
    force : bool
        Whether the user has said that these may be lost.
    more : str
        Another way out, told after the usual ones.
    """
    there = [] if force else [path for path in paths if path.exists()]
    if there:
        others = f" (and {len(there) - 1} more)" if len(there) > 1 else ""
        way_out = " ".join(["Name another --out, or replace it with --force.", *([more] if more else [])])
        raise FileProblem(there[0], f"it exists already{others}.", way_out)


def not_ours(folder, what, found):
    """Return the error about a folder to write to that holds something else, which is never deleted.

    Parameters
    ----------
    folder : Path
    what : str
        What it would have to hold: ``run``.
    found : str
        Name of something in it.
    """
    problem = f"it exists already, and holds no {what} but {found}, so --force does not replace it."
    return FileProblem(folder, problem, "Name another --out.")


def atomic_write(path, data):
    """Write bytes to ``path`` so that a reader finds the old file or the new one, whole, whatever happens.

    Parameters
    ----------
    path : str or Path
        Its folder must exist. A file of that name is replaced.
    data : bytes
    """
    with atomic_writer(path) as file:
        file.write(data)


@contextmanager
def atomic_writer(path):
    """Yield a binary file that becomes ``path`` when the block ends well, and vanishes when it does not.

    The bytes are on the disk (fsync) before the rename, and the rename is before the block returns.
    """
    path = Path(path)
    beside = path.with_name(f".{path.name[:40]}.{secrets.token_hex(6)}.tmp")
    try:
        try:
            with open(beside, "xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        except BaseException:
            with suppress(OSError):  # the first error is the one to tell; a full disk may refuse this too
                beside.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        way_out = _WAYS_OUT.get(error.errno, "Is the disk still there?")
        raise FileProblem(path, f"it could not be written: {error.strerror or error}.", way_out) from error


def remove_halves(folder):
    """Delete the half-written files that a killed process left in a folder; nobody may be writing there."""
    for half in Path(folder).glob(".*.tmp"):
        half.unlink(missing_ok=True)


def _sync_folder(folder):
    if not hasattr(os, "O_DIRECTORY"):  # Windows cannot sync a folder, and does not need to
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
