"""Channels by name, in one order for all recordings, or by type."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.known import check_known
from neuroloom.scan import Scan
from neuroloom.transforms.series_channels import (
    TYPES,
    as_list,
    bad_of,
    eeg_channels,
    kept,
    names_of,
    recording,
    told_channels,
    types_of,
)
from neuroloom.transforms.series_mixing import Mixing, mixed
from neuroloom.transforms.series_splines import added_positions, spline_matrix

MISSING = ("error", "interpolate")
OTHER_NAMES = {"t3": "t7", "t4": "t8", "t5": "p7", "t6": "p8"}  # of the 10-20 system before 1991, same places


@dataclass(frozen=True)
class Pick:
    """Keep some channels.

    Names are matched whatever their case, and T3, T4, T5, T6 are T7, T8, P7, P8, as in the newer 10-10 system;
    the channels are then called as asked for.

    Parameters
    ----------
    names : list of str or None
        Channels to keep, in this order.
    types : str or list of str or None
        Types to keep (eeg, eog, ecg, emg, misc), in the file's order. Exactly one of the two is given.
    missing : {"error", "interpolate"}
        What is done about named channels that the recording does not have. ``interpolate`` gives them by
        spherical splines from the good EEG channels (Perrin 1989, doi:10.1016/0013-4694(89)90180-6), which needs
        the electrodes' places, at the place that the standard 10-05 system has for the name (extra ``signals``).
        They are named in ``geometry["interpolated"]``.
    """

    names: Sequence[str] | None = None
    types: str | Sequence[str] | None = None
    missing: str = "error"

    causal = True

    def __post_init__(self):
        if (self.names is None) == (self.types is None):
            raise NeuroloomError("pick needs names or types of channels, one of the two.")
        check_known("way to treat missing channels", self.missing, MISSING)
        asked = as_list(self.types if self.names is None else self.names)
        if not asked or len({str(one).lower() for one in asked}) < len(asked):
            raise NeuroloomError(f"pick: channels must be named, and each once, but these are {asked}.")
        for kind in as_list(self.types) if self.names is None else ():
            check_known("type of channels", kind, TYPES)

    def __call__(self, scan: Scan) -> Scan:
        scan = recording(scan, "pick")
        return mixed(scan, self.stream(scan.geometry))

    def stream(self, geometry):
        """Return what picks from a live stream of this geometry, chunk by chunk (channel, n)."""
        have = names_of(geometry, "pick")
        if self.names is None:
            places = [place for place, kind in enumerate(types_of(geometry)) if kind in as_list(self.types)]
            if not places:
                raise NeuroloomError(f"pick: no channel is of type {self.types}: {told_channels(geometry)}.")
            return Mixing(np.eye(len(have))[places], kept(geometry, places))
        places = [found(name, have) for name in as_list(self.names)]
        if None in places and self.missing == "interpolate":
            return self._interpolated(geometry, places)
        places = [place_of(name, geometry, "pick") for name in as_list(self.names)]
        return Mixing(np.eye(len(have))[places], called(kept(geometry, places), as_list(self.names)))

    def _interpolated(self, geometry, places):
        """Return the mixing that also gives the channels whose place in the recording is None."""
        asked = as_list(self.names)
        lacking = [name for name, place in zip(asked, places, strict=True) if place is None]
        sources = eeg_channels(geometry, "pick", with_bad=False)
        wanted = added_positions(geometry, sources, lacking, "pick")
        weights = spline_matrix(np.array([geometry["positions"][one] for one in sources]), wanted)
        matrix, full = np.zeros((len(asked), len(geometry["names"]))), kept(geometry, range(len(geometry["names"])))
        full = {**full, "names": [*full["names"], *lacking], "types": [*types_of(geometry), *["eeg"] * len(lacking)]}
        full["positions"] = [*full["positions"], *wanted.tolist()]
        at = [len(geometry["names"]) + lacking.index(n) if p is None else p for n, p in zip(asked, places, strict=True)]
        for row, place in enumerate(places):
            if place is None:
                matrix[row, sources] = weights[lacking.index(asked[row])]
            else:
                matrix[row, place] = 1.0
        told = {**geometry.get("interpolated", {}), **dict.fromkeys(lacking, "not in the recording")}
        return Mixing(matrix, {**called(kept(full, at), asked), "interpolated": told})


def called(geometry, names):
    """Return the geometry of channels under other names, bad ones too."""
    now = dict(zip(geometry["names"], names, strict=True))
    told = {"bad": {now[name]: why for name, why in bad_of(geometry).items()}} if "bad" in geometry else {}
    return {**geometry, **told, "names": list(names)}


def found(name, have):
    """Return the place of a name among those of a recording, or None: as written, in any case, by its older name."""
    if name in have:
        return have.index(name)
    plain = [OTHER_NAMES.get(one.lower(), one.lower()) for one in have]
    wanted = OTHER_NAMES.get(str(name).lower(), str(name).lower())
    return plain.index(wanted) if plain.count(wanted) == 1 else None


def place_of(name, geometry, step):
    """Return the place of a channel, or raise an error that names those of the recording."""
    place = found(name, geometry["names"])
    if place is None:
        close = difflib.get_close_matches(str(name), geometry["names"], n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise NeuroloomError(f"{step}: no channel {name!r}.{hint} The recording has {told_channels(geometry)}.")
    return place
