"""EEG recordings as they might be: sources of 1/f noise under the electrodes of the 10-05 system, noise of sensors."""

import mne
import numpy as np

from neuroloom.scan import Scan

NAMES = [
    "Fp1",
    "Fpz",
    "Fp2",
    "AF3",
    "AF4",
    "F7",
    "F3",
    "Fz",
    "F4",
    "F8",
    "FC5",
    "FC1",
    "FC2",
    "FC6",
    "T7",
    "C3",
    "Cz",
    "C4",
    "T8",
    "CP5",
    "CP1",
    "CP2",
    "CP6",
    "P7",
    "P3",
    "Pz",
    "P4",
    "P8",
    "PO3",
    "PO4",
    "O1",
    "O2",
]
RADIUS = 0.095  # m


def places(names=NAMES):
    """Return places of electrodes on a sphere, shape (name, 3) in m, head frame: right, front, up."""
    standard = _standard()
    found = np.array([standard[name] for name in names])
    found = found - np.array([0, 0.015, 0.005])
    return RADIUS * found / np.linalg.norm(found, axis=1, keepdims=True)


def _standard():
    known = mne.channels.get_builtin_montages()
    name = "colin27_1005" if "colin27_1005" in known else "standard_1005"
    return mne.channels.make_standard_montage(name).get_positions()["ch_pos"]


def pink(rng, n_series, n):
    """Return series (n_series, n) with power 1/f and standard deviation 1."""
    frequency = np.fft.rfftfreq(n)
    spectrum = rng.standard_normal((n_series, len(frequency), 2)) @ [1, 1j]
    spectrum *= np.r_[0, frequency[1:] ** -0.5]
    series = np.fft.irfft(spectrum, n)
    return series / series.std(axis=1, keepdims=True)


def made_recording(seconds=60, rate=256.0, seed=0, names=NAMES, noise=2e-6, n_sources=60, **geometry):
    """Return a recording of about 15 microvolts: sources that wax and wane, and noise of sensors (V)."""
    rng = np.random.default_rng(seed)
    at = rng.standard_normal((n_sources, 3))
    at = 0.07 * at / np.linalg.norm(at, axis=1, keepdims=True) * np.r_[1, 1, 0.9]
    electrodes = places(names)
    distance = np.linalg.norm(electrodes[:, None] - at[None], axis=2)
    mixing = np.exp(-((distance / 0.05) ** 2))
    n = round(seconds * rate)
    loudness = np.repeat(np.exp(0.8 * rng.standard_normal((n_sources, int(4 * seconds) + 1))), round(rate / 4), axis=1)[
        :, :n
    ]
    data = 9e-6 * mixing @ (loudness * pink(rng, n_sources, n)) + noise * rng.standard_normal((len(names), n))
    told = {"sampling_rate": rate, "names": list(names), "unit": "V", "types": ["eeg"] * len(names)}
    told["positions"] = electrodes.tolist()
    return Scan(data.astype(np.float32), "series", {**told, "events": [], **geometry})


def with_channel(scan, series, name, kind):
    """Return a recording with one more channel, without a place."""
    geometry = dict(scan.geometry)
    for key, value in (("names", name), ("types", kind), ("positions", None)):
        geometry[key] = [*geometry[key], value]
    return Scan(np.vstack([scan.data, series]).astype(np.float32), "series", geometry)


def as_raw(scan):
    """Return the recording as mne's Raw, places and bad channels with it."""
    info = mne.create_info(scan.geometry["names"], scan.geometry["sampling_rate"], scan.geometry["types"])
    pairs = zip(scan.geometry["names"], scan.geometry["positions"], strict=True)
    info.set_montage(mne.channels.make_dig_montage({n: p for n, p in pairs if p is not None}, coord_frame="head"))
    info["bads"] = list(scan.geometry.get("bad", ()))
    return mne.io.RawArray(scan.data.astype(np.float64), info, verbose="error")
