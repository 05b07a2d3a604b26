"""Channels from other channels by the electrodes' places: spherical splines, and the reference at infinity."""

import numpy as np

from neuroloom.errors import NeuroloomError, listed
from neuroloom.formats.signals_extra import mne

FARTHEST = 0.02  # m, root mean square: more, and the places are not those of the standard system
LEAST_CHANNELS = 4
STANDARD = ("colin27_1005", "standard_1005")  # of mne from 1.13 on, and before


def spline_matrix(known, wanted):
    """Return weights (wanted, known) that give channels at some places from those at others.

    Spherical splines as in MNE (Perrin 1989, doi:10.1016/0013-4694(89)90180-6), about a sphere fitted to all places.

    Parameters
    ----------
    known, wanted : ndarray of shape (channel, 3)
        m.
    """
    together = np.concatenate([known, wanted])
    units = info_of([str(number) for number in range(len(together))], together)
    units["bads"] = units["ch_names"][len(known) :]
    evoked = mne().EvokedArray(np.eye(len(together)), units, verbose="error")
    evoked.interpolate_bads(reset_bads=True, mode="accurate", verbose="error")
    return evoked.data[len(known) :, : len(known)]


def rest_matrix(geometry, channels):
    """Return the matrix (channel, channel) that measures channels against infinity (Yao 2001).

    Parameters
    ----------
    geometry : dict
        With the electrodes' ``positions``.
    channels : ndarray of int
    """
    places = positions_of(geometry, channels, "reference: rest")
    info = info_of([geometry["names"][one] for one in channels], places)
    library = mne()
    sphere = library.make_sphere_model("auto", "auto", info, verbose="error")
    sources = library.setup_volume_source_space(sphere=sphere, exclude=30.0, pos=15.0, verbose="error")
    forward = library.make_forward_solution(info, None, sources, sphere, meg=False, verbose="error")
    evoked = library.EvokedArray(np.eye(len(channels)), info, verbose="error")
    return evoked.set_eeg_reference("REST", forward=forward, verbose="error").data


def positions_of(geometry, channels, step):
    """Return the places of channels in m, shape (channel, 3), or raise where they are not known."""
    places = geometry.get("positions") or [None] * len(geometry["names"])
    lacking = [
        geometry["names"][one] for one in channels if places[one] is None or not np.all(np.isfinite(places[one]))
    ]
    if lacking:
        raise NeuroloomError(
            f"{step} needs the places of the electrodes, but they are not known for {listed(lacking)}. "
            "Give an electrodes.tsv or a montage with the recording, or leave these channels out with pick."
        )
    return np.array([places[one] for one in channels], dtype=float)


def added_positions(geometry, channels, names, step):
    """Return where the standard 10-05 system puts channels by name, in the recording's frame, shape (name, 3) in m.

    The standard head is turned, moved and scaled onto the places of the channels whose names both know.
    """
    places = positions_of(geometry, channels, step)
    standard = standard_positions()
    strange = [name for name in names if name.lower() not in standard]
    if strange:
        raise NeuroloomError(f"{step}: {listed(strange)} cannot be interpolated: the 10-05 system has no such name.")
    shared = [(geometry["names"][one].lower(), place) for one, place in zip(channels, places, strict=True)]
    pairs = [(standard[name], place) for name, place in shared if name in standard]
    if len(pairs) < LEAST_CHANNELS:
        raise NeuroloomError(
            f"{step}: only {len(pairs)} channels have names of the 10-05 system; {LEAST_CHANNELS} are needed."
        )
    moved = similarity(*np.array(pairs).transpose(1, 0, 2), step)
    return moved(np.array([standard[name.lower()] for name in names]))


def standard_positions():
    """Return the places of the standard 10-05 system, name in lower case -> (3,) in m."""
    channels = mne().channels
    name = next(one for one in STANDARD if one in channels.get_builtin_montages())
    places = channels.make_standard_montage(name).get_positions()["ch_pos"]
    return {name.lower(): place for name, place in places.items()}


def similarity(ours, theirs, step):
    """Return the turn, shift and scale that bring points (n, 3) next to others (Umeyama 1991, doi:10.1109/34.88573)."""
    from_, to = ours - ours.mean(axis=0), theirs - theirs.mean(axis=0)
    u, spread, vt = np.linalg.svd(to.T @ from_)
    signs = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    scale, turn = (spread * signs).sum() / (from_**2).sum(), u @ np.diag(signs) @ vt
    apart = np.sqrt(((scale * from_ @ turn.T - to) ** 2).sum(axis=1).mean())
    if apart > FARTHEST:
        raise NeuroloomError(
            f"{step}: the electrodes' places differ by {1000 * apart:.0f} mm from those of the 10-05 system under the "
            "same names. Are they in metres, and is the montage that of this recording?"
        )
    return lambda points: scale * (points - ours.mean(axis=0)) @ turn.T + theirs.mean(axis=0)


def info_of(names, places):
    """Return mne's measurement info of EEG channels at places (channel, 3) in m, head frame."""
    library = mne()
    info = library.create_info(list(names), 100.0, "eeg")
    montage = library.channels.make_dig_montage(dict(zip(names, places, strict=True)), coord_frame="head")
    info.set_montage(montage, verbose="error")
    return info
