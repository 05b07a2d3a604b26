"""Recordings with known content, written by the field's own libraries."""

import edfio
import mne
import numpy as np

NAMES = ["Fp1", "Fp2", "C3", "Cz", "C4", "O1", "O2"]
RATE = 200
EVENTS = [(1.0, 0.5, "T1"), (3.25, 0.5, "T2"), (6.0, 0.0, "T0")]


def microvolts(n_channels=len(NAMES), n_times=2000, seed=0):
    """Return noise of the size of EEG, (channel, time) in µV, with a sine of a known height in the third channel."""
    data = 20 * np.random.default_rng(seed).standard_normal((n_channels, n_times))
    data[2] += 50 * np.sin(2 * np.pi * 10 * np.arange(n_times) / RATE)
    return data


def mne_raw(data=None, names=NAMES, types="eeg", events=EVENTS, rate=RATE, montage=None):
    """Return a recording of mne (V) with annotations."""
    data = microvolts() if data is None else data
    raw = mne.io.RawArray(data * 1e-6, mne.create_info(names, rate, types), verbose="error")
    if events:
        raw.set_annotations(mne.Annotations(*zip(*events, strict=True)), verbose="error")
    if montage:
        raw.set_montage(mne_name(montage))
    return raw


def write_edf(path, data=None, names=NAMES, unit="uV", events=EVENTS, rate=RATE, span=250.0, prefix="EEG "):
    """Write EDF+ (or BDF+, by the ending) by edfio; ``span`` is the physical range in the unit."""
    data = microvolts() if data is None else data
    signal, file = (edfio.BdfSignal, edfio.Bdf) if str(path).endswith(".bdf") else (edfio.EdfSignal, edfio.Edf)
    signals = [
        signal(row, rate, label=f"{prefix}{name}", physical_dimension=unit, physical_range=(-span, span))
        for row, name in zip(data, names, strict=True)
    ]
    annotations = [edfio.EdfAnnotation(onset, duration, label) for onset, duration, label in events]
    file(signals, annotations=annotations).write(path)
    return path


def mne_name(montage):
    """Return the name that this version of mne has for a montage."""
    known = mne.channels.get_builtin_montages()
    return montage if montage in known else montage.replace("standard", "colin27")
