"""Recordings (EEG and what is recorded with it): from an opened file to a series in V, read piece by piece."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from neuroloom.errors import FileProblem, listed
from neuroloom.formats import limits, spacious
from neuroloom.formats.channels import (
    UNITS,
    chosen_channels,
    plain_unit,
    read_channel_table,
    read_electrodes,
    standard_positions,
    type_by_name,
    volts,
)
from neuroloom.formats.recording_events import in_order, read_event_table, trigger_events
from neuroloom.formats.signals_extra import mne
from neuroloom.scan import Scan

IN_VOLTS = ("eeg", "seeg", "ecog", "dbs", "eog", "ecg", "emg")  # types that are voltages
NO_VOLTS = ("mag", "grad", "ref_meg")
EVENTS_IN = ("annotations", "stim")
ALL_BITS = 2**32 - 1


@dataclass(frozen=True)
class Opened:
    """A recording's file, opened: what it says, and how its numbers are read.

    Parameters
    ----------
    names : list of str
    rate : float
        Hz, of all its channels.
    n_times : int
    block : callable
        (numbers of channels, slice of time) -> (channel, time) float64, in V where a unit is known, else as stored.
    types : list of (str or None)
        None where the file does not say.
    units : list of str
        As the file says; empty where it does not.
    annotations : list of [onset s, duration s, label]
    trigger : int or None
        Number of the channel that carries triggers.
    trigger_bits : int
    positions : dict
        Name -> [x, y, z] in m, head frame.
    said : dict
        Further entries of the geometry (``reference``, ``line_frequency``).
    """

    names: list[str]
    rate: float
    n_times: int
    block: Callable
    types: list[str | None]
    units: list[str]
    annotations: list = field(default_factory=list)
    trigger: int | None = None
    trigger_bits: int = ALL_BITS
    positions: dict = field(default_factory=dict)
    said: dict = field(default_factory=dict)


@dataclass(frozen=True)
class RecordingMeaning:
    """What is wanted of a recording, and what its file does not say itself.

    Parameters
    ----------
    channels : sequence of str or None
        Names or types of the channels to keep, in this order; ``all``; None is the EEG channels.
    montage : str or None
        Name of a standard montage, such as standard_1020, that gives the channels' places by their names.
    unit : {"V", "mV", "uV", "nV"} or None
        Of the stored numbers; it stands before what the file says.
    events : str or None
        ``annotations``, ``stim``, or a table (.tsv, .csv) with onset, duration and a label: its path, from the
        recording's folder where it is relative. None is annotations, and triggers where there are none.
    event_label : str or None
        Column of that table that names the events.
    reference : str or None
        What the voltages are against, such as average or Cz.
    line_frequency : float or None
        Hz, of the mains.
    channel_table, electrodes : str or None
        BIDS's ``*_channels.tsv`` (types, bad channels) and ``*_electrodes.tsv`` (places).
    """

    channels: Sequence[str] | str | None = None
    montage: str | None = None
    unit: str | None = None
    events: str | None = None
    event_label: str | None = None
    reference: str | None = None
    line_frequency: float | None = None
    channel_table: str | None = None
    electrodes: str | None = None

    def check_kind(self, path, kind):
        """Raise where a recording is asked for as another kind of data."""
        if kind not in (None, "series"):
            raise FileProblem(path, f"it holds a series; {kind} was asked.", "Correct the input's kind.")

    def types(self, path, names, types):
        """Return the type of each channel, by the table of channels, the file, or the channel's name."""
        told = read_channel_table(self._beside(path, self.channel_table))[0] if self.channel_table else {}
        if told and not set(told) & set(names):
            raise FileProblem(
                self.channel_table,
                f"none of its channels is in {Path(path).name}, which has {listed(names, 5)}.",
                "Write their names alike.",
            )
        return [told.get(name) or kind or type_by_name(name) for name, kind in zip(names, types, strict=True)]

    def chosen(self, path, names, types):
        """Return the numbers of the channels to keep."""
        return chosen_channels(path, names, types, self.channels)

    def scan(self, path, opened):
        """Return the series of an opened recording."""
        types = self.types(path, opened.names, opened.types)
        keep = self.chosen(path, opened.names, types)
        names = [opened.names[number] for number in keep]
        data = _filled(path, opened, keep, self._scales(path, opened, keep, types))
        geometry = {
            "sampling_rate": float(opened.rate),
            "names": names,
            "unit": "V",
            "types": [types[number] for number in keep],
            **opened.said,
            "events": self._events(path, opened),
            **self._places(path, names, opened),
            **({"reference": self.reference} if self.reference else {}),
            **({"line_frequency": float(self.line_frequency)} if self.line_frequency else {}),
        }
        if self.channel_table:
            bad = read_channel_table(self._beside(path, self.channel_table))[1]
            geometry["bad"] = [name for name in names if name in bad]
        return Scan(data, "series", geometry)

    def _scales(self, path, opened, keep, types):
        """Return what each kept channel's numbers are multiplied by; voltages of no known unit are refused."""
        fields = [opened.names[number] for number in keep if types[number] in NO_VOLTS]
        if fields:
            raise FileProblem(path, f"{len(fields)} channels are of MEG, in T: {listed(fields, 3)}.", "Choose others.")
        told = None if self.unit is None else volts(path, self.unit)
        scales, unknown = [], []
        for number in keep:
            said = UNITS.get(plain_unit(opened.units[number]))
            if types[number] not in IN_VOLTS:
                scales.append(1.0)
            elif told is not None:
                scales.append(told / (said or 1.0))
            else:
                scales.append(1.0)
                unknown += [] if said else [opened.names[number]]
        if unknown:
            raise FileProblem(
                path,
                f"it does not say the unit of {len(unknown)} channels that one would expect in V: {listed(unknown, 4)} "
                f"({opened.units[opened.names.index(unknown[0])]!r}).",
                "Say it: unit: uV (or mV, V); or name the channels that are meant with channels: [...].",
            )
        return np.array(scales)[:, None]

    def _events(self, path, opened):
        if self.events is None or self.events in EVENTS_IN:
            if self.event_label:
                raise FileProblem(path, "event_label is given without a table of events.", "Say events: TABLE.tsv too.")
            stim = self.events == "stim" or (self.events is None and not opened.annotations)
            return self._triggers(path, opened) if stim else in_order(opened.annotations)
        if str(self.events).lower().endswith((".tsv", ".csv")):
            return read_event_table(self._beside(path, self.events), self.event_label)
        raise FileProblem(
            path, f"events is {self.events!r}, expected {', '.join(EVENTS_IN)}, or a table (.tsv, .csv).", "Correct it."
        )

    def _triggers(self, path, opened):
        if opened.trigger is None:
            if self.events == "stim":
                raise FileProblem(path, "it has no channel of triggers.", "Leave 'events: stim' out.")
            return []
        blocks = (opened.block([opened.trigger], span)[0] for span in spacious.blocks(opened.n_times, 1))
        return trigger_events(blocks, opened.rate, opened.trigger_bits)

    def _places(self, path, names, opened):
        """Return the entry of the channels' places, by the montage, the table of electrodes, or the file."""
        if self.montage is not None:
            return {"positions": standard_positions(path, names, self.montage)}
        known = read_electrodes(self._beside(path, self.electrodes)) if self.electrodes else {}
        known = known or opened.positions
        places = [known.get(name) for name in names]
        return {"positions": places} if any(place is not None for place in places) else {}

    def _beside(self, path, table):
        return Path(path).parent / table  # an absolute path stays as it is


def _filled(path, opened, keep, scales):
    """Return (channel, time) float32, in V, read piece by piece."""
    if opened.n_times < 2:
        raise FileProblem(path, f"it holds {opened.n_times} samples.", "Copy or export it again.")
    data = spacious.empty((len(keep), opened.n_times))
    for span in spacious.blocks(opened.n_times, max(len(keep), len(opened.names))):
        with limits.parsing(path, "whole recording"):
            block = opened.block(keep, span)
        data[:, span] = limits.to_float32(block * scales, path)
        spacious.let_go(data)
    return data


def of_mne(raw, *, events, units=None, names=None, types=None, said=None, trigger_bits=ALL_BITS):
    """Return an `Opened` for a file that mne has opened without reading its numbers.

    Parameters
    ----------
    raw : mne.io.BaseRaw
    events : iterable of (onset s, duration s, label)
        From the first sample; also those that mne leaves out since they lie outside the recording.
    units, names, types : list or None
        As in `Opened`; None is what mne says (V for all voltages).
    """
    kinds = raw.get_channel_types()
    line = raw.info["line_freq"]
    places = {channel["ch_name"]: channel["loc"][:3] for channel in raw.info["chs"]}
    return Opened(
        names=list(names or raw.ch_names),
        rate=float(raw.info["sfreq"]),
        n_times=int(raw.n_times),
        block=lambda keep, span: raw.get_data(picks=list(keep), start=span.start, stop=span.stop, verbose="error"),
        types=list(types or kinds),
        units=list(units or ["V"] * len(raw.ch_names)),
        annotations=in_order(events),
        trigger=_trigger(raw.ch_names, kinds),
        positions={name: place.tolist() for name, place in places.items() if np.isfinite(place).all() and place.any()},
        said={**({"line_frequency": float(line)} if line else {}), **(said or {})},
        trigger_bits=trigger_bits,
    )


def annotations_in(path, **arguments):
    """Return the annotations of a file, those outside the recording too, as mne reads them."""
    library = mne()
    with library.utils.use_log_level("error"):
        return library.read_annotations(path, **arguments)


def _trigger(names, kinds):
    """Return the channel whose triggers are read: the one that sums them up, else the first of its type."""
    stim = [number for number, kind in enumerate(kinds) if kind == "stim"]
    summing = [number for number in stim if names[number] in ("STI 014", "STI101")]
    return next(iter(summing or stim), None)
