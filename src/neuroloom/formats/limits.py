"""Everything about the safety of files from strangers: what is opened, how much is read, what is believed.

Nothing here runs code that a file brings. Sizes that a file declares are held against its actual bytes and
against free memory before anything is allocated.
"""

import difflib
import json
import os
import re
import stat
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath

import numpy as np
import psutil
import yaml

from neuroloom.errors import FileProblem, NeuroloomError, listed

MAX_TEXT_BYTES = 2 * 1024**3  # numbers as text
MAX_TABLE_BYTES = 512 * 1024**2  # tables of people
MAX_JSON_BYTES = 64 * 1024**2
MAX_YAML_BYTES = 1024**2
MAX_DEPTH = 30  # of nested YAML or JSON
MAX_YAML_NODES = 20_000
MAX_COLUMNS = 100_000
DEFLATE_RATIO = 1032  # what deflate reaches at the very most
BOMB_RATIO, BOMB_BYTES = 200, 256 * 1024**2  # refused where both are passed: an empty mask stays readable
CHUNK = 256 * 1024  # fits the processor's cache; whole-array reads were twice as slow


# ---- files -----------------------------------------------------------------------------------------------


@contextmanager
def open_file(path):
    """Open a regular file for reading; yield it and its size in bytes. Never waits (pipes) and never creates."""
    try:
        status = os.stat(path)
        _check_regular(path, status)
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        file = os.fdopen(os.open(path, flags), "rb")
    except FileNotFoundError:
        raise FileProblem(path, "there is no such file.", _closest_file(path)) from None
    except PermissionError:
        raise FileProblem(path, "you may not read it.", "Ask its owner for the right to (chmod u+r).") from None
    except (OSError, ValueError) as error:
        raise FileProblem(path, f"it cannot be opened: {getattr(error, 'strerror', None) or error}.") from error
    with file:
        yield file, status.st_size


def _check_regular(path, status):
    kinds = {
        stat.S_ISDIR: "a folder",
        stat.S_ISFIFO: "a pipe",
        stat.S_ISSOCK: "a socket",
        stat.S_ISCHR: "a device",
        stat.S_ISBLK: "a device",
    }
    for is_kind, words in kinds.items():
        if is_kind(status.st_mode):
            raise FileProblem(path, f"it is {words}, not a file.", "Name the file itself.")
    if status.st_size == 0:
        raise FileProblem(path, "it is empty (0 bytes).", "Copy or download it again.")


def _closest_file(path):
    folder = Path(path).parent
    if not folder.is_dir():
        return f"Nor is there a folder {str(folder)!r}."
    close = difflib.get_close_matches(Path(path).name, sorted(os.listdir(folder))[:5000], n=1)
    return f"Did you mean {close[0]!r}?" if close else "Check the name and the folder."


def read_bytes(path, most, what="file"):
    """Return a file's bytes, at most ``most`` of them."""
    with open_file(path) as (file, n_bytes):
        if n_bytes > most:
            raise FileProblem(
                path,
                f"it has {in_words(n_bytes)}, but a {what} may have {in_words(most)} at most.",
                f"Is it a {what}? If so, split it.",
            )
        check_memory(path, 3 * n_bytes, "its text")
        return file.read(most)


def read_text(path, most, what="text file"):
    """Return a UTF-8 file's text, without a byte-order mark."""
    content = read_bytes(path, most, what)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileProblem(path, "it is UTF-16, expected UTF-8.", "Save it as 'CSV UTF-8' or plain UTF-8 text.")
    if (place := content.find(0)) >= 0:
        raise FileProblem(
            path,
            f"byte {place} is NUL, expected text.",
            f"Is it really a {what}? If so, it is damaged: copy it again.",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileProblem(
            path,
            f"line {line} has the byte 0x{content[error.start]:02x}, which is not UTF-8 (latin-1?).",
            "Save it as UTF-8 ('CSV UTF-8' in a spreadsheet; iconv -f latin1 -t utf-8).",
        ) from None


@contextmanager
def parsing(path, what):
    """Turn whatever a parser says about a damaged file into a `FileProblem`."""
    try:
        yield
    except NeuroloomError:
        raise
    except Exception as error:  # a parser of another library may raise anything on a stranger's bytes
        words = str(error).strip().splitlines()
        reason = words[0][:200] if words else type(error).__name__
        raise FileProblem(
            path, f"it is damaged, or not a {what}: {reason.rstrip('.')}.", "Copy or export it again."
        ) from error


# ---- sizes -----------------------------------------------------------------------------------------------


def in_words(n_bytes):
    """Return a number of bytes as a reader would write it."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:.3g} {unit}" if unit != "bytes" else f"{n_bytes} bytes"
        n_bytes = n_bytes / 1000
    return f"{n_bytes:.3g} TB"


def available_memory():
    """Return the bytes of memory that may still be taken, the limit of a container included.

    What a container keeps of files that were read is given back when memory is asked for: it counts as free.
    """
    free = psutil.virtual_memory().available
    try:
        most = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        taken = int(Path("/sys/fs/cgroup/memory.current").read_text())
        kinds = dict(line.split() for line in Path("/sys/fs/cgroup/memory.stat").read_text().splitlines())
        taken -= int(kinds["inactive_file"]) + int(kinds["active_file"])
    except (OSError, ValueError, KeyError):  # no container, or another system: what the machine says holds
        return free
    return free if most == "max" else min(free, max(int(most) - taken, 0))


def check_memory(path, n_bytes, what="its array"):
    """Raise where ``n_bytes`` would take more than nine tenths of the memory that is free."""
    free = available_memory()
    if n_bytes > 0.9 * free:
        raise FileProblem(
            path,
            f"{what} needs {in_words(n_bytes)} of memory; {in_words(free)} are free.",
            "If the file is what it should be, use a machine with more memory, or cut or resample it first.",
        )


def check_declared(path, n_declared, n_packed):
    """Raise where ``n_packed`` compressed bytes cannot, or should not, hold the declared number of bytes."""
    if n_declared > DEFLATE_RATIO * n_packed:
        raise FileProblem(
            path,
            f"its header declares {in_words(n_declared)}, more than {in_words(n_packed)} compressed can hold.",
            "The file is cut or its header wrong: copy or export it again.",
        )
    if n_declared > BOMB_BYTES and n_declared > BOMB_RATIO * n_packed:
        raise FileProblem(
            path,
            f"{in_words(n_packed)} would unpack to {in_words(n_declared)} (more than {BOMB_RATIO} times as much).",
            "If it is meant to be that empty, save it uncompressed or with a smaller number type.",
        )


def read_array(stream, shape, dtype, path, *, order="C"):
    """Read one array of a known shape and type from a stream that holds it, chunk by chunk.

    The caller has checked the size; memory is touched only as bytes arrive.
    """
    n_bytes = int(np.prod(shape, dtype=object)) * dtype.itemsize
    check_memory(path, n_bytes)
    try:
        buffer = np.empty(n_bytes, dtype=np.uint8)
    except MemoryError:  # a limit that the operating system keeps to itself
        raise FileProblem(path, f"no memory for {in_words(n_bytes)}.", "Close other programs.") from None
    view, done = memoryview(buffer), 0
    while done < n_bytes:
        n_read = stream.readinto(view[done : done + CHUNK])
        if not n_read:
            raise FileProblem(
                path,
                f"it is cut: {in_words(n_bytes)} of data declared, {in_words(done)} found.",
                "Copy or export it again.",
            )
        done += n_read
    return np.ndarray(shape, dtype=dtype, buffer=buffer, order=order)


def skip(stream, n_bytes, path):
    """Read past ``n_bytes`` of a stream."""
    while n_bytes > 0:
        chunk = stream.read(min(n_bytes, CHUNK))
        if not chunk:
            raise FileProblem(path, "it is cut before its data begin.", "Copy or export it again.")
        n_bytes -= len(chunk)


def to_float32(values, path):
    """Return numbers as float32; a value that float32 cannot hold is an error. NaN and inf stay."""
    try:
        with np.errstate(over="raise", invalid="ignore"):  # NaN of any make stay NaN
            return np.asarray(values, dtype=np.float32)
    except FloatingPointError:
        largest = np.nanmax(np.abs(values))
        raise FileProblem(
            path, f"it has values up to {largest:.3g}, beyond 3.4e38 (float32).", "Rescale or repair them."
        ) from None


# ---- paths that a table names ----------------------------------------------------------------------------


def inside(root, path):
    """Return the place of a path from a table, which must lie under the data folder, links followed.

    Parameters
    ----------
    root : str or Path
        The data folder.
    path : str
        As the table gives it, relative to the data folder.
    """
    text = str(path)
    told = Path(text)
    windows = PureWindowsPath(text)
    if not text.strip() or any(ord(letter) < 32 for letter in text):
        raise FileProblem(repr(text), "not a path: it is empty or has control characters.", "Correct the table.")
    if told.is_absolute() or windows.drive or windows.root or text.startswith("~"):
        raise FileProblem(text, "an absolute path in a table.", f"Write it relative to {str(root)!r}.")
    if ".." in windows.parts:
        raise FileProblem(text, "a path with '..' in a table.", f"Write it from {str(root)!r} downwards.")
    base = Path(root).resolve()
    place = (base / told).resolve()
    if not place.is_relative_to(base):
        raise FileProblem(
            text,
            f"a link leads out of the data folder {str(root)!r}.",
            "Copy the file into the data folder, or give the folder that holds both as --data.",
        )
    return place


# ---- cells that a spreadsheet would run ------------------------------------------------------------------

FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠|]")  # full-width signs too: a spreadsheet takes them for the plain ones
ESCAPED = re.compile(r"'+[=+\-@\t\r\n＝＋－＠|]")


def escape_cell(text):
    """Return a cell's text that no spreadsheet runs as a formula; `unescape_cell` gives the text back."""
    return "'" + text if FORMULA.match(text) else text


def unescape_cell(text):
    """Return the text of a cell that `escape_cell` wrote."""
    return text[1:] if ESCAPED.match(text) else text


# ---- YAML and JSON ---------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """YAML 1.2's plain numbers and true/false; no aliases, tags, dates or twice-named keys; bounded."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - the name and form are PyYAML's
    depth = n_nodes = 0

    def compose_node(self, parent, index):
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise _refused(event, "aliases (&, *) are not allowed; write the value out, or quote it")
        if getattr(event, "tag", None):
            raise _refused(event, f"tags ({event.tag}) are not allowed; quote it if it is text")
        self.depth, self.n_nodes = self.depth + 1, self.n_nodes + 1
        if self.depth > MAX_DEPTH:
            raise _refused(event, f"nested deeper than {MAX_DEPTH}")
        if self.n_nodes > MAX_YAML_NODES:
            raise _refused(event, f"more than {MAX_YAML_NODES} entries")
        node = super().compose_node(parent, index)
        self.depth -= 1
        is_key = isinstance(parent, yaml.MappingNode) and index is None  # a key is a word
        is_plain = isinstance(node, yaml.ScalarNode) and node.style is None
        if is_plain and not is_key and node.value.lower() in _HALF_BOOLEANS:
            raise _refused(event, f"{node.value} may be text or a truth; write true or false, or quote it")
        return node

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, list | dict):
                raise _refused(key_node, "a key must be one word or number")
            if key in seen:
                raise _refused(key_node, f"{key!r} is given twice")
            seen.add(key)
        return super().construct_mapping(node, deep)


_HALF_BOOLEANS = {"yes", "no", "on", "off"}
_WHOLE = r"[-+]?(?:0|[1-9][0-9]*)"  # 007 stays text: it is somebody's identifier
_POWER = r"(?:[eE][-+]?[0-9]+)?"
_FLOAT = rf"{_WHOLE}(?:\.[0-9]*)?{_POWER}|[-+]?\.[0-9]+{_POWER}|[-+]?\.inf|\.nan"
for _tag, _pattern, _first in [
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", _WHOLE, list("-+0123456789")),
    ("float", _FLOAT, list("-+.0123456789")),
]:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)


def _refused(place, reason):
    return yaml.MarkedYAMLError(problem=reason, problem_mark=place.start_mark)


def load_yaml(path_or_text, what="YAML"):
    """Return what a YAML file (`Path`) or text (`str`) says.

    Numbers are read as in YAML 1.2 (``1e-3`` is a number; ``007`` and dates are text). Aliases, tags, keys
    given twice and the half-truths yes, no, on, off are refused.

    Parameters
    ----------
    path_or_text : Path or str
    what : str
        What an error calls it: "recipe", "cohort file", "--set".
    """
    if isinstance(path_or_text, os.PathLike):
        text = read_text(path_or_text, MAX_YAML_BYTES, what)
        name = f"{os.fspath(path_or_text)}"
    else:
        text, name = path_or_text, what
        if len(text) > MAX_YAML_BYTES:
            raise NeuroloomError(f"{what}: more than {in_words(MAX_YAML_BYTES)} of YAML.")
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise FileProblem(name, f"{where}{error.problem or error.context}.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FileProblem(name, f"not readable as YAML: {str(error).splitlines()[0]}.") from None


def read_json(path, what="JSON file"):
    """Return what a JSON file says; a key given twice, or nesting deeper than ``MAX_DEPTH``, is an error."""
    text = read_text(path, MAX_JSON_BYTES, what)
    try:
        value = json.loads(text, object_pairs_hook=lambda pairs: _once(path, pairs))
    except (ValueError, RecursionError) as error:
        raise FileProblem(path, f"not readable as JSON: {error}.", "Repair or export it again.") from None
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _children(outer)]
        if not level:
            return value
    raise FileProblem(path, f"nested deeper than {MAX_DEPTH}.", f"Is it a {what}?")


def _once(path, pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise FileProblem(path, f"given twice: {listed(twice)}.", "Keep one of them.")
    return dict(pairs)


def _children(value):
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
