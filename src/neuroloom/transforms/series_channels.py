"""Channels of a recording: their names, types and places, which of them are bad, and how they stay in step."""

from collections.abc import Sequence
from numbers import Real

import numpy as np

from neuroloom.errors import NeuroloomError, listed
from neuroloom.scan import Scan
from neuroloom.transforms.series_regions import check_series, region_names, unknown_regions

TYPES = ("eeg", "eog", "ecg", "emg", "misc")


def recording(scan, step):
    """Return a series with its channels' names told in the geometry, or raise where it is none."""
    check_series(scan, step)
    return Scan(scan.data, scan.kind, {**scan.geometry, "names": region_names(scan)})


def names_of(geometry, step):
    """Return the names of the channels, or raise where a stream has none."""
    if geometry.get("names") is None:
        raise NeuroloomError(f"{step} needs the names of the channels. Give names in the geometry of the stream.")
    return list(geometry["names"])


def types_of(geometry):
    """Return the type of each channel; where none are told all are eeg."""
    return list(geometry.get("types") or ["eeg"] * len(geometry["names"]))


def bad_of(geometry):
    """Return the bad channels: name -> reason. A mere list of names was marked in the file."""
    bad = geometry.get("bad") or {}
    return dict(bad) if isinstance(bad, dict) else dict.fromkeys(bad, "marked in the file")


def eeg_channels(geometry, step, with_bad=True):
    """Return the places of the channels of type eeg, or of the good ones alone; raise where there is none."""
    bad = {} if with_bad else bad_of(geometry)
    chosen = zip(geometry["names"], types_of(geometry), strict=True)
    found = [place for place, (name, kind) in enumerate(chosen) if kind == "eeg" and name not in bad]
    if not found:
        good = "" if with_bad else "good "
        raise NeuroloomError(f"{step}: the recording has no {good}channel of type eeg: {told_channels(geometry)}.")
    return np.array(found)


def told_channels(geometry):
    """Return the channels with their types as words."""
    pairs = zip(geometry["names"], types_of(geometry), strict=True)
    return listed([f"{name} ({kind})" for name, kind in pairs], 40)


def kept(geometry, places):
    """Return the geometry of some channels, in this order: names, types, positions and bad ones in step."""
    geometry = dict(geometry)
    for key in ("names", "types", "positions"):
        if geometry.get(key) is not None:
            geometry[key] = [geometry[key][place] for place in places]
    if "bad" in geometry:
        geometry["bad"] = {name: why for name, why in bad_of(geometry).items() if name in geometry["names"]}
    geometry.pop("rank", None)  # of other channels
    return geometry


def check_finite(data, geometry, step):
    """Raise an error where a channel that is not marked as bad holds NaN or infinite values."""
    unknown = unknown_regions(data)
    bad = bad_of(geometry)
    names = [name for name, lost in zip(geometry["names"], unknown, strict=True) if lost and name not in bad]
    if names:
        raise NeuroloomError(
            f"{step}: values are not numbers (NaN or infinite) in {listed(names)}. "
            "Put {name: bad_channels, do: mark} before it (or do: interpolate, or drop), or leave the channels out."
        )


def check_amount(step, **told):
    """Raise unless every argument that is given is a number above 0."""
    for name, value in told.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, Real) or not 0 < value < np.inf):
            raise NeuroloomError(f"{step}: {name} must be a number above 0, but is {value!r}.")


def as_list(value):
    """Return one value, or several, as a list."""
    several = isinstance(value, Sequence) and not isinstance(value, str)
    return list(value) if several else [value]
