"""Damage sound files at random places, read them, and print whatever ended neither well nor in a clear error.

``python fuzz_worker.py FOLDER N SEED``: N damaged copies of each file. Warnings count as errors.
"""

import collections
import gzip
import io
import json
import sys
import tempfile
import warnings
from pathlib import Path

import hostile_corpus as corpus
import mne
import nibabel as nib
import numpy as np
import scipy.io

from neuroloom.errors import NeuroloomError
from neuroloom.formats import limits, read, tables

RECORDINGS = (".edf", ".bdf", ".set", ".vhdr", ".fif", ".xdf")
EDGES = [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\0\0\x80\x7f"]  # -1, 0, ends, inf


def sound_files(rng):
    """Return name -> bytes of files that can be read."""
    numbers = rng.standard_normal((20, 5))
    text = "".join(",".join(f"{value:.4f}" for value in row) + "\n" for row in numbers)
    npz, mat = io.BytesIO(), io.BytesIO()
    np.savez_compressed(npz, x=numbers)
    scipy.io.savemat(mat, {"x": numbers, "y": np.arange(5.0)}, do_compression=True)
    return {
        "plain.nii": corpus.nifti(),
        "packed.nii.gz": gzip.compress(corpus.nifti(dtype="i2", values=3)),
        "second.nii": corpus.nifti(kind=nib.Nifti2Header),
        "plain.mgh": corpus.mgh(),
        "packed.mgz": gzip.compress(corpus.mgh()),
        "enhanced.dcm": corpus.dicom(),
        "plain.npy": corpus.npy(numbers),
        "packed.npz": npz.getvalue(),
        "plain.mat": corpus.mat(x=numbers, y=np.arange(5.0)),
        "packed.mat": mat.getvalue(),
        "plain.edf": corpus.edf(),
        "plain.bdf": corpus.edf(n_bytes=3),
        "plain.set": corpus.set_of(),
        "plain.vhdr": corpus.vhdr(DataFile="plain.eeg").encode(),
        "plain.fif": small_fif(numbers.T),
        "plain.xdf": corpus.xdf(*(corpus.xdf_of(numbers[:, :2]))),
        "plain.csv": b"a,b,c,d,e\n" + text.encode(),
        "quoted.tsv": b'x\ty\n"1"\t"2"\n3\t4\n5\t6\n',
        "plain.1D": b"#1 #2 #3 #4 #5\n" + text.replace(",", " ").encode(),
        "people.table.tsv": b'participant_id\tage\tsex\nsub-01\t30\tM\nsub-02\tn/a\t"F"\n',
        "recipe.yaml": b'seed: 0\ninputs:\n  bold: [{name: clean, on: true}, {name: "x"}]\nrate: 1.0e-3\n',
        "beside.json": json.dumps({"a": [1, 2.5, {"b": None}], "c": "d"}).encode(),
    }


def small_fif(numbers):
    """Return the bytes of a recording that mne wrote."""
    raw = mne.io.RawArray(numbers * 1e-6, mne.create_info(5, 100.0, "eeg"), verbose="error")
    with tempfile.TemporaryDirectory() as folder:
        raw.save(Path(folder, "a_raw.fif"), verbose="error")
        return Path(folder, "a_raw.fif").read_bytes()


def damaged(content, rng):
    """Return a copy that is cut, or changed in one to eight bytes."""
    content, how = bytearray(content), rng.integers(4)
    place = int(rng.integers(len(content)))
    if how == 0:
        del content[place:]
    elif how == 1:
        for place in rng.integers(len(content), size=3):
            content[place] = rng.integers(256)
    elif how == 2:
        content[place : place + 4] = EDGES[rng.integers(len(EDGES))]
    else:
        content[place : place + rng.integers(1, 9)] = rng.bytes(int(rng.integers(1, 9)))
    return bytes(content)


def attempt(path):
    """Return what came of one file."""
    told = {} if ".nii" in path.name or ".mg" in path.name or path.suffix == ".dcm" else {"axes": ["time", "region"]}
    if path.suffix in RECORDINGS:
        told = {"unit": "uV"}
    if path.suffix == ".mat":
        told["variable"] = "x"
    readers = {".yaml": lambda: limits.load_yaml(path, "recipe"), ".json": lambda: limits.read_json(path)}
    if ".table" in path.name:
        readers[path.suffix] = lambda: tables.read_table(path)
    try:
        readers.get(path.suffix, lambda: read(path, **told))()
    except NeuroloomError as error:
        return "clear error" if path.name in str(error) else f"nameless: {error}"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"[:200]
    return "read"


def main():
    folder, n_copies, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rng = np.random.default_rng(seed)
    warnings.simplefilter("error")
    outcomes = {}
    (folder / "plain.eeg").write_bytes(bytes(400))
    for name, content in sound_files(rng).items():
        path = folder / name
        path.write_bytes(content)
        first = attempt(path)
        counts = collections.Counter()
        for _ in range(n_copies):
            path.write_bytes(damaged(content, rng))
            counts[attempt(path)] += 1
        outcomes[name] = {"sound": first, "damaged": dict(counts)}
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main()
