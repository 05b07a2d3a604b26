"""The same scan under two names: found in a cohort of any kind, whatever was done to hide or lose it."""

import hashlib
from dataclasses import dataclass

import numpy as np

from neuroloom.cohort import check_same_series, check_same_volume
from neuroloom.cohort.check_same_rows import same_rows

MEASURED = {"volume": check_same_volume, "series": check_same_series}  # fingerprint, candidates, compare
ROWS = ("table", "graph")  # numbers that stand for one thing each
COMPARED_AT_MOST = 2  # pairs a sample that are compared in full


@dataclass(frozen=True)
class Duplicate:
    """Two samples that hold the same measurement."""

    samples: tuple[str, str]
    score: float
    how: str


def fingerprint(scan):
    """Return what `find_duplicates` needs to know of a scan (an array or a text); None where it says nothing.

    Volumes: the spectrum of their finest detail. Series: their changes over time. Tables and graphs: their
    numbers. All else: a digest, so that only exact copies are found.
    """
    if scan.kind in MEASURED:
        return MEASURED[scan.kind].fingerprint(scan)
    if scan.kind == "table":
        return np.asarray(scan.data, dtype=np.float32).ravel()
    if scan.kind == "graph":
        return np.asarray(scan.data, dtype=np.float32)[np.triu_indices(len(scan.data), 1)]
    data = np.ascontiguousarray(scan.data)
    if data.size == 0 or (data == data.flat[0]).all():
        return None  # empty label maps of two people are no copies
    return hashlib.blake2b(f"{data.dtype}{data.shape}".encode() + data.tobytes(), digest_size=16).hexdigest()


def find_duplicates(kind, fingerprints, load, on_progress=None):
    """Return the samples of one input that hold the same measurement.

    Found are copies that were saved again (format, compression, number type), put on another scale or offset,
    mirrored, shifted or cropped by voxels, stored with other axes, cut or shifted in time, or whose regions
    were reordered. Two visits of one person are other measurements and not found; nor are copies that were
    resampled, smoothed or otherwise worked on until their finest detail is another.

    Parameters
    ----------
    kind : str
        Of the input.
    fingerprints : dict
        Sample -> what `fingerprint` returned.
    load : callable
        Sample -> Scan; called for the few pairs that look alike.
    on_progress : callable or None
        Called with (done, of).

    Returns
    -------
    duplicates : list of Duplicate
        One a pair; of several copies of one scan, enough pairs to connect them.
    left_out : int
        Pairs that look alike but were not compared, since there were too many.
    """
    known = {sample: print_ for sample, print_ in fingerprints.items() if print_ is not None}
    samples = list(known)
    if len(samples) < 2:
        return [], 0
    if kind in MEASURED:
        return _measured(MEASURED[kind], samples, list(known.values()), load, on_progress)
    if kind in ROWS:
        return _rows(samples, list(known.values())), 0
    return _digests(samples, list(known.values())), 0


def _measured(method, samples, prints, load, on_progress):
    pairs = method.candidates(np.stack(prints) if prints[0].ndim > 1 else prints)
    most, compared, left_out = COMPARED_AT_MOST * len(samples), 0, 0
    together = _Together(len(samples))
    found = []
    for done, (_, i, j, relation) in enumerate(pairs, start=1):
        if on_progress:
            on_progress(done, len(pairs))
        if together.are(i, j):
            continue  # copies of one scan need not be compared each with each
        if compared == most:
            left_out += 1
            continue
        compared += 1
        match = method.compare(load(samples[i]), load(samples[j]), relation)
        if match:
            together.join(i, j)
            found.append(Duplicate((samples[i], samples[j]), match.score, match.how))
    return found, left_out


def _rows(samples, rows):
    """Return the duplicates among rows of numbers; rows of other lengths are other measurements."""
    found = []
    for length in sorted({len(row) for row in rows}):
        members = [n for n, row in enumerate(rows) if len(row) == length]
        for i, j, match in same_rows(np.stack([rows[n] for n in members])) if length else []:
            found.append(Duplicate((samples[members[i]], samples[members[j]]), match.score, match.how))
    return found


def _digests(samples, digests):
    first, found = {}, []
    for sample, digest in zip(samples, digests, strict=True):
        if digest in first:
            found.append(Duplicate((first[digest], sample), 1.0, "every value the same"))
        first.setdefault(digest, sample)
    return found


class _Together:
    """Which of n things are known to be the same, directly or through others."""

    def __init__(self, n):
        self.leader = list(range(n))

    def _of(self, i):
        while self.leader[i] != i:
            i = self.leader[i]
        return i

    def are(self, i, j):
        return self._of(i) == self._of(j)

    def join(self, i, j):
        self.leader[self._of(j)] = self._of(i)
