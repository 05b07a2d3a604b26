"""A recording as the files of BIDS-EEG: BrainVision, and the tables beside it."""

import json

import numpy as np
import pandas as pd

from neuroloom.formats import spacious
from neuroloom.formats.atomic import atomic_write
from neuroloom.formats.tables import write_table

MICROVOLT = 1e-6
HEADER = """Brain Vision Data Exchange Header File Version 1.0

[Common Infos]
Codepage=UTF-8
DataFile={stem}.eeg
MarkerFile={stem}.vmrk
DataFormat=BINARY
DataOrientation=MULTIPLEXED
NumberOfChannels={n_channels}
SamplingInterval={interval!r}

[Binary Infos]
BinaryFormat=IEEE_FLOAT_32

[Channel Infos]
{channels}
"""
MARKERS = """Brain Vision Data Exchange Marker File, Version 1.0

[Common Infos]
Codepage=UTF-8
DataFile={stem}.eeg

[Marker Infos]
Mk1=New Segment,,1,1,0,
{markers}
"""


def write_recording(scan, folder, parts, task, run=None):
    """Write a recording into ``folder`` as BIDS names it, in blocks of time.

    Parameters
    ----------
    scan : Scan
        Kind series, V, with names, types, positions, reference and events.
    folder : Path
        Of the session's EEG; made where there is none.
    parts : list of str
        ``sub-...`` and, where there is one, ``ses-...``.
    task : str
    run : str or None
        ``run-...``.

    References
    ----------
    Pernet et al. 2019, doi:10.1038/s41597-019-0104-8; BrainVision Core Data Format 1.0.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = "_".join([*parts, f"task-{task}", *([run] if run else [])])
    stem, told = f"{name}_eeg", scan.geometry
    _write_samples(scan.data, folder / f"{stem}.eeg")
    channels = [f"Ch{n}={name},,1,µV" for n, name in enumerate(told["names"], start=1)]
    header = HEADER.format(
        stem=stem, n_channels=len(channels), interval=1e6 / told["sampling_rate"], channels="\n".join(channels)
    )
    markers = [_marker(n, event, told["sampling_rate"]) for n, event in enumerate(told["events"], start=2)]
    atomic_write(folder / f"{stem}.vmrk", MARKERS.format(stem=stem, markers="\n".join(markers)).encode())
    atomic_write(folder / f"{stem}.vhdr", header.encode())
    _write_tables(told, folder, name, "_".join(parts))
    atomic_write(folder / f"{stem}.json", json.dumps(_sidecar(scan, task), indent=1).encode())


def _write_samples(data, path):
    with path.open("wb") as file:
        for block in spacious.blocks(data.shape[1], data.shape[0]):
            file.write((data[:, block].T / np.float32(MICROVOLT)).astype("<f4").tobytes())
    spacious.let_go(data)


def _marker(number, event, rate):
    onset, duration, label = event
    text = str(label).replace(",", r"\1")
    return f"Mk{number}=Comment,{text},{round(onset * rate) + 1},{max(1, round(duration * rate))},0"


def _write_tables(told, folder, name, of_session):
    types = [kind.upper() for kind in told["types"]]
    channels = pd.DataFrame({"name": told["names"], "type": types, "units": "µV"})
    write_table(folder / f"{name}_channels.tsv", channels)
    write_table(
        folder / f"{name}_events.tsv", pd.DataFrame(told["events"], columns=["onset", "duration", "trial_type"])
    )
    placed = [(one, *at) for one, at in zip(told["names"], told["positions"], strict=True) if at]
    write_table(folder / f"{of_session}_electrodes.tsv", pd.DataFrame(placed, columns=["name", "x", "y", "z"]))
    frame = {"EEGCoordinateSystem": "CapTrak", "EEGCoordinateUnits": "m"}
    atomic_write(folder / f"{of_session}_coordsystem.json", json.dumps(frame, indent=1).encode())


def _sidecar(scan, task):
    told = scan.geometry
    counts = {f"{kind.upper()}ChannelCount": told["types"].count(kind) for kind in sorted(set(told["types"]))}
    return {
        "TaskName": task,
        "SamplingFrequency": told["sampling_rate"],
        "EEGReference": told["reference"],
        "PowerLineFrequency": told.get("line_frequency", "n/a"),
        "SoftwareFilters": "n/a",
        "RecordingType": "continuous",
        "RecordingDuration": scan.data.shape[1] / told["sampling_rate"],
        **counts,
    }
