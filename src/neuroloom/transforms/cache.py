"""The cache: each sample's per-scan chain is run once, and read memory-mapped ever after.

A cached file is keyed by the identity of what it comes from, the code that made it and the chain,
so it is shared by folds, seeds and recipes, and never out of date.
"""

import functools
import hashlib
import json
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np

import neuroloom
from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.formats import spacious
from neuroloom.formats.atomic import atomic_write, atomic_writer
from neuroloom.parallel import side_by_side
from neuroloom.parts import Part
from neuroloom.transforms.chain import ScanChain
from neuroloom.transforms.facts import facts
from neuroloom.transforms.store import MappedStore, check_names

ROOMS = ("formats", "atlases", "simulators", "transforms")  # of the package, whose code makes prepared samples
ENDINGS = (".py", ".yaml")
LIBRARIES = ("numpy", "scipy", "nibabel", "nilearn", "scikit-learn", "torch")  # their versions may change a sample
OPTIONAL = ("mne",)  # so may these, where they are installed


@dataclass(frozen=True)
class Wanted:
    """One input to prepare: the cohort's source it comes from, and its per-scan chain."""

    source: str
    chain: tuple[Part, ...]

    def key(self, identity):
        """Return the cache key for a scan of this identity."""
        told = json.dumps([part.as_dict() for part in self.chain], sort_keys=True, default=str)
        text = f"{code_version()}|{identity}|{told}"
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class Cache:
    """A folder of prepared samples.

    Parameters
    ----------
    folder : Path
        Made when first written to.
    jobs : int
        Processes that prepare samples side by side.
    """

    def __init__(self, folder, jobs=1):
        self.folder = Path(folder)
        self.jobs = jobs

    def store(self, cohort, source, chain, on_done=None):
        """Return one prepared input of a cohort, see `stores`."""
        return self.stores(cohort, {"input": Wanted(source, tuple(chain))}, on_done)["input"]

    def stores(self, cohort, wanted, on_done=None):
        """Prepare what is not in the cache yet, and return a store for each wanted input.

        Parameters
        ----------
        cohort : Cohort
        wanted : dict of Wanted
            Input name -> what to prepare. Inputs of one source share the reading and the common start
            of their chains.
        on_done : callable or None
            Called with (samples done, samples to do), for a progress bar.

        Returns
        -------
        dict of MappedStore
        """
        paths = {name: self._paths(cohort, want) for name, want in wanted.items()}
        work = self._missing(cohort, wanted, paths)
        if work:
            self._make()
        calls = [(prepare, cohort.inputs[source], sample, chains) for source, sample, chains in work]
        if on_done:
            on_done(0, len(work))
        for done, _ in enumerate(side_by_side(calls, self.jobs), start=1):
            if on_done:
                on_done(done, len(work))
        return {name: _mapped(cohort, paths[name]) for name in wanted}

    def size(self):
        """Return the number of cached samples and their bytes."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return sum(path.suffix == ".npy" for path in files), sum(path.stat().st_size for path in files)

    def clear(self):
        """Delete the cache; only folders that this class made are touched."""
        for folder in self.folder.glob("[0-9a-f][0-9a-f]"):
            shutil.rmtree(folder)

    def _make(self):
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            way_out = "Name another folder for prepared scans in the variable NEUROLOOM_CACHE."
            raise FileProblem(self.folder, f"cannot be made ({error.strerror}).", way_out) from None

    def _paths(self, cohort, want):
        source = cohort.inputs[want.source]
        keys = {s: want.key(source.identity(s)) if source.available(s) else None for s in cohort.samples}
        return {s: None if key is None else self.folder / key[:2] / f"{key}.npy" for s, key in keys.items()}

    def _missing(self, cohort, wanted, paths):
        work = {}
        for name, want in wanted.items():
            for sample, path in paths[name].items():
                if path is not None and not path.with_suffix(".json").exists():
                    work.setdefault((want.source, sample), []).append((want.chain, path))
        return [(source, sample, chains) for (source, sample), chains in work.items()]


def prepare(source, sample, chains):
    """Read one sample and write what each chain makes of it; chains share their common start."""
    pending = [(source.load(sample), chains)]  # scans, each with what is still to be made of it
    told = facts(pending[0][0])
    while pending:
        scan, chains = pending.pop()
        following = {}  # chains whose next part is the same go on together
        for parts, path in chains:
            start = json.dumps(parts[0].as_dict(), sort_keys=True, default=str) if parts else None
            following.setdefault(start, []).append((parts, path))
        for _, path in following.pop(None, []):
            _write(path, scan, told)
        for alike in following.values():
            made = _step(alike[0][0][0], scan, sample)
            pending.append((made, [(parts[1:], path) for parts, path in alike]))


def _step(part, scan, sample):
    try:
        return ScanChain([part])(scan)
    except NeuroloomError as error:
        raise NeuroloomError(f"{sample}: {error}") from error


def _write(path, scan, told):
    path.parent.mkdir(parents=True, exist_ok=True)
    by_time = scan.kind == "series" and scan.data.ndim == 2
    data = scan.data if by_time else np.ascontiguousarray(scan.data)
    header = {"descr": np.lib.format.dtype_to_descr(data.dtype), "fortran_order": by_time, "shape": data.shape}
    with atomic_writer(path) as file:
        np.lib.format.write_array_header_1_0(file, header)
        (_write_by_time if by_time else _write_bytes)(
            file, data
        )  # np.save does not notice a disk that fills up at the end
    text = json.dumps({"kind": scan.kind, "geometry": scan.geometry, "facts": told}, default=_plain)
    atomic_write(path.with_suffix(".json"), text.encode())  # written last: it says that the array is whole


def _write_bytes(file, data):
    """Write a contiguous array piece by piece; what is written may leave memory."""
    held = data.reshape(-1).view(np.uint8)
    for some in spacious.blocks(held.size, 1):
        file.write(held[some].data)
        spacious.let_go(data)


def _write_by_time(file, data):
    """Write a series (channel, time) a time point after the other, so that a window is one piece of the file."""
    for some in spacious.blocks(data.shape[1], len(data)):
        file.write(np.ascontiguousarray(data[:, some].T).data)
        spacious.let_go(data)


def _plain(value):
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"geometry holds a {type(value).__name__}, which cannot be cached")


def _mapped(cohort, paths):
    first = next((path for path in paths.values() if path is not None), None)
    kind = json.loads(first.with_suffix(".json").read_text())["kind"] if first else "table"
    store = MappedStore(kind, tuple(cohort.samples), tuple(paths[sample] for sample in cohort.samples))
    check_names(store)
    return store


@functools.cache
def code_version():
    """Return a hash of all that prepared samples depend on: readers, atlases, simulators, transforms, libraries."""
    digest = hashlib.blake2b(digest_size=8)
    for path in code_files():
        digest.update(path.read_bytes())
    for library in (*LIBRARIES, *OPTIONAL):
        digest.update(f"{library} {_version(library)}".encode())
    return digest.hexdigest()


def _version(library):
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        if library in OPTIONAL:
            return "none"
        raise


def code_files():
    """Return the files of code, and of data that ship with it, that prepared samples depend on."""
    root = Path(neuroloom.__file__).parent
    in_rooms = (path for room in ROOMS for ending in ENDINGS for path in (root / room).rglob(f"*{ending}"))
    return [root / "scan.py", root / "seeds.py", *sorted(in_rooms)]
