"""EDF, EDF+ and BDF: the header is read and held against the file's bytes first, then mne reads the numbers.

Source: Kemp and Olivan (2003), doi:10.1016/S1388-2457(03)00123-8; https://www.edfplus.info/specs; BioSemi's BDF.
"""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from neuroloom.errors import FileProblem, listed
from neuroloom.formats import limits
from neuroloom.formats.channels import TYPES, plain_unit
from neuroloom.formats.recordings import RecordingMeaning, annotations_in, of_mne
from neuroloom.formats.signals_extra import mne

N_FIXED, N_SIGNAL = 256, 256  # bytes of the header: of the recording, and of each signal
MAX_SIGNALS = 4096
ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
PREFIXES = {**{kind.upper(): kind for kind in TYPES}, "EKG": "ecg", "RESP": "misc", "TEMP": "misc", "SAO2": "misc"}
KNOWN_TO_MNE = ("V", "mV", "uV")  # units that it takes into account; all else it leaves as stored
TRIGGER_BITS = {".edf": 2**32 - 1, ".bdf": 2**16 - 1}  # BioSemi's bits above tell of the amplifier
RECORD_ONSET = re.compile(rb"\x00*([+-]\d+(?:\.\d*)?)\x14")
GAP = 1e-3  # s between the end of a record and the start of the next that is none


@dataclass(frozen=True)
class _Header:
    """What the file declares."""

    labels: list[str]
    units: list[str]
    n_samples: list[int]  # of each signal in a record
    n_records: int
    record_s: float
    n_bytes: int  # of one number
    continuous: bool

    @property
    def start(self):
        return N_FIXED + N_SIGNAL * len(self.labels)

    @property
    def record_bytes(self):
        return sum(self.n_samples) * self.n_bytes

    @property
    def signals(self):
        """Numbers of all but the annotations."""
        return [number for number, label in enumerate(self.labels) if label not in ANNOTATIONS]

    def rate(self, number):
        """Return a signal's samples a second (Hz)."""
        return self.n_samples[number] / self.record_s


def read_edf(path, kind=None, *, meaning=RecordingMeaning()):
    """Read a recording from .edf (EDF, EDF+) or .bdf.

    Parameters
    ----------
    path : str or Path
    kind : {"series"}
    meaning : RecordingMeaning
        A channel ``EEG Fp1`` is the channel Fp1 of type eeg, as EDF+ names them.

    Returns
    -------
    Scan
        series (channel, time) float32 in V.
    """
    meaning.check_kind(path, kind)
    ending = str(path).lower()[-4:]
    with limits.open_file(path) as (file, n_file):
        header = _header(path, file, 3 if ending == ".bdf" else 2)
        said = _check_whole(path, header, n_file)
        if not header.continuous:
            _check_continuous(path, file, header)
    named = [_named(header.labels[number]) for number in header.signals]
    names, types = _unique([name for name, _ in named]), [kind for _, kind in named]
    chosen = meaning.chosen(path, names, meaning.types(path, names, types))
    rates = {header.rate(header.signals[place]) for place in chosen}
    if len(rates) > 1:
        raise FileProblem(
            path,
            f"its channels were sampled at {listed(f'{rate:g}' for rate in sorted(rates))} Hz.",
            "Keep those of one rate: channels: [...].",
        )
    return meaning.scan(path, _opened(path, ending, header, names, types, rates.pop(), said))


def _opened(path, ending, header, names, types, rate, said):
    """Return the recording's signals of one rate (mne would bring others to it)."""
    library = mne()
    labels = {header.labels[number] for number in header.signals if header.rate(number) == rate}
    held = [place for place, number in enumerate(header.signals) if header.labels[number] in labels]
    if any(header.rate(header.signals[place]) != rate for place in held):
        raise FileProblem(path, "channels of one name have several sampling rates.", "Rename them.")
    with limits.parsing(path, f"{ending} file"):
        reader = library.io.read_raw_bdf if ending == ".bdf" else library.io.read_raw_edf
        raw = reader(path, preload=False, include=sorted(labels), verbose="error")
        annotated = len(header.signals) < len(header.labels)
        events = annotations_in(path) if annotated else ()
        units = [header.units[header.signals[place]] for place in held]
        return of_mne(
            raw,
            names=[names[place] for place in held],
            types=[
                "stim" if of == "stim" else types[place]
                for of, place in zip(raw.get_channel_types(), held, strict=True)
            ],
            units=[unit if plain_unit(unit) in KNOWN_TO_MNE else "" for unit in units],
            events=((one["onset"], one["duration"], one["description"]) for one in events),
            trigger_bits=TRIGGER_BITS[ending],
            said=said,
        )


def _named(label):
    """Return a signal's name (``EEG Fp1`` is Fp1) and type; None where the label does not begin with one."""
    first, _, rest = label.partition(" ")
    if first.upper() == "EEG" and rest.strip():
        return rest.strip(), "eeg"
    return label, PREFIXES.get(first.upper()) if rest.strip() else None


def _unique(names):
    """Return names of which none is given twice: the second Fp1 is Fp1-1."""
    seen, found = Counter(), []
    for name in names:
        found.append(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


# ---- the header --------------------------------------------------------------------------------------------


def _header(path, file, n_bytes):
    with limits.parsing(path, "EDF or BDF file"):
        head = file.read(N_FIXED)
        magic = b"\xffBIOSEMI" if n_bytes == 3 else b"0       "
        if head[:8] != magic:
            raise FileProblem(
                path, f"it does not begin as {'BDF' if n_bytes == 3 else 'EDF'} does.", "Is its ending right?"
            )
        n_header, n_records, n_signals = int(head[184:192]), int(head[236:244]), int(head[252:256])
        record_s = float(head[244:252])
    if not 1 <= n_signals <= MAX_SIGNALS or n_header != N_FIXED + N_SIGNAL * n_signals:
        raise FileProblem(path, f"its header declares {n_signals} signals and {n_header} bytes.", "Export it again.")
    if not 0 < record_s < float("inf"):
        raise FileProblem(path, f"its records are {record_s:g} s long: it holds no signals.", "Export it again.")
    fields = file.read(N_SIGNAL * n_signals)
    if len(fields) < N_SIGNAL * n_signals:
        raise FileProblem(path, "it is cut within its header.", "Copy or export it again.")
    with limits.parsing(path, "EDF or BDF file"):
        n_samples = [int(text) for text in _texts(fields, n_signals, 216, 8)]
    if min(n_samples) < 1:
        raise FileProblem(path, "a signal has no sample in a record.", "Export it again.")
    return _Header(
        labels=_texts(fields, n_signals, 0, 16),
        units=_texts(fields, n_signals, 96, 8),
        n_samples=n_samples,
        n_records=n_records,
        record_s=record_s,
        n_bytes=n_bytes,
        continuous=head[192:197] not in (b"EDF+D", b"BDF+D"),
    )


def _texts(fields, n_signals, before, width):
    """Return one field of all signals; ``before`` is the width of the fields of a signal that stand before it."""
    start = before * n_signals
    return [fields[start + n * width : start + (n + 1) * width].strip().decode("latin-1") for n in range(n_signals)]


def _check_whole(path, header, n_file):
    """Raise where the bytes are not those declared; return what is to be said of a header that was never closed."""
    n_found, rest = divmod(n_file - header.start, header.record_bytes)
    if header.n_records == -1 and n_found >= 1:
        left = f", and {limits.in_words(rest)} of another left out" if rest else ""
        return {"notes": [f"its recording was never closed: {n_found} whole records were found{left}"]}
    if n_found < header.n_records:
        missing = 1 - (n_file - header.start) / (header.n_records * header.record_bytes)
        raise FileProblem(
            path,
            f"it is cut: its header declares {header.n_records} records of {limits.in_words(header.record_bytes)}, "
            f"{n_found} are whole ({100 * missing:.3g} % of the recording is missing).",
            "Copy or export it again.",
        )
    if header.n_records < 1 or n_found > header.n_records:
        raise FileProblem(
            path, f"its header declares {header.n_records} records, {n_found} were found.", "Copy or export it again."
        )
    return {}


def _check_continuous(path, file, header):
    """Raise where an EDF+D file has a gap between two records: mne would read it as if there were none."""
    first = next((n for n, label in enumerate(header.labels) if label in ANNOTATIONS), None)
    if first is None:
        raise FileProblem(
            path, "it is EDF+D without annotations, which would say when its parts begin.", "Export it again."
        )
    before = sum(header.n_samples[:first]) * header.n_bytes
    onsets = []
    for record in range(header.n_records):
        file.seek(header.start + record * header.record_bytes + before)
        found = RECORD_ONSET.match(file.read(header.n_samples[first] * header.n_bytes))
        onsets.append(float(found[1]) if found else np.nan)
    for number, (one, other) in enumerate(pairwise(onsets), start=1):
        if not abs(other - one - header.record_s) <= GAP:
            raise FileProblem(
                path,
                f"it is EDF+D with a gap: record {number} begins at {one:g} s and the next at {other:g} s, "
                f"{header.record_s:g} s long.",
                "Export its parts as files of their own (EDF+C).",
            )
