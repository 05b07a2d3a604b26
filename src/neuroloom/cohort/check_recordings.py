"""What is odd in recordings in V: channels that stand still or are cut off, wrong units, events in impossible places."""

from dataclasses import dataclass

import numpy as np

from neuroloom.cohort.check_findings import Finding
from neuroloom.errors import listed
from neuroloom.formats import spacious
from neuroloom.formats.channels import OF_BRAIN, UNITS

LARGEST, SMALLEST = 1e-3, 1e-9  # V: medians of absolute amplitude that no head gives
LIKELY = 1e-6, 3e-4  # V: where that of EEG lies, between the quietest sleep of a scalp and the cortex itself
MOST_SAMPLES = 200_000  # of a channel, that its amplitude is measured on
SHOWN = 3


@dataclass(frozen=True)
class RecordingFacts:
    """What one recording turned out to be.

    Parameters
    ----------
    amplitude : float
        V, median over the channels of the brain of the median distance from their own median; NaN where there is none.
    flat, clipped : tuple of str
        Channels that never change; that stand still at the end of their scale.
    outside, overlapping : tuple of str
        Events that begin or end outside the recording; pairs of which the second begins before the first ends.
    notes : tuple of str
        What its reader had to say.
    """

    amplitude: float
    flat: tuple[str, ...]
    clipped: tuple[str, ...]
    outside: tuple[str, ...]
    overlapping: tuple[str, ...]
    notes: tuple[str, ...]


def measure_recording(scan, constant, clipped):
    """Return the `RecordingFacts` of a series in V; None of another series.

    Parameters
    ----------
    scan : Scan
    constant, clipped : ndarray of bool
        Of its channels.
    """
    if scan.geometry.get("unit") != "V":
        return None
    names = scan.geometry.get("names") or [f"channel {number}" for number in range(1, len(scan.data) + 1)]
    events = scan.geometry.get("events") or []
    length = scan.data.shape[1] / scan.geometry["sampling_rate"] if scan.geometry.get("sampling_rate") else np.inf
    filled = [f"{duration:.3g} s at {onset:.4g} s filled" for onset, duration in scan.geometry.get("filled", ())]
    return RecordingFacts(
        amplitude=_amplitude(scan, constant),
        flat=tuple(name for name, still in zip(names, constant, strict=True) if still),
        clipped=tuple(name for name, cut in zip(names, clipped, strict=True) if cut),
        outside=tuple(_told(event) for event in events if event[0] < 0 or event[0] + event[1] > length + 1e-6),
        overlapping=tuple(_overlapping(events)),
        notes=(*scan.geometry.get("notes", ()), *filled),
    )


def _amplitude(scan, constant):
    kinds = scan.geometry.get("types") or ["eeg"] * len(scan.data)
    step = max(1, scan.data.shape[1] // MOST_SAMPLES)
    found = []
    for channel, kind, still in zip(scan.data, kinds, constant, strict=True):
        values = np.asarray(channel[::step])
        values = values[np.isfinite(values)]
        if kind in OF_BRAIN and not still and len(values):
            found.append(float(np.median(np.abs(values - np.median(values)))))
        spacious.let_go(scan.data)
    return float(np.median(found)) if found else np.nan


def _told(event):
    return f"{event[2]} at {event[0]:.4g} s" + (f" for {event[1]:.4g} s" if event[1] else "")


def _overlapping(events):
    """Yield each pair of events of which the second begins while the first, one that lasts, has not ended."""
    last = None
    for event in events:
        if last is not None and event[0] < last[0] + last[1] - 1e-6:
            yield f"{last[2]} and {event[2]} at {event[0]:.4g} s"
        if last is None or event[0] + event[1] > last[0] + last[1]:
            last = event


# ---- findings --------------------------------------------------------------------------------------------

LISTED = {  # fact -> level, what, words, way out
    "flat": (
        "warning",
        "flat channels",
        "channels that never change",
        "The electrode was off, or is the reference: mark it bad, or leave it out with channels: [...].",
    ),
    "clipped": (
        "warning",
        "clipped channels",
        "channels that stand still at the end of their scale",
        "The amplifier was overdriven, or the values were cut when saved: export again, or leave the channels out.",
    ),
    "outside": (
        "warning",
        "events outside the recording",
        "events that begin or end outside the recording",
        "Is the table of another file, or in milliseconds or samples? Onsets are s from the first sample.",
    ),
    "overlapping": (
        "note",
        "overlapping events",
        "events that begin before another has ended",
        "Trials cut from both share samples: choose the events of one kind.",
    ),
    "notes": ("note", "on reading", "something to be said of how they were read", ""),
}


def recording_findings(name, facts):
    """Return the findings about the recordings of one input.

    Parameters
    ----------
    name : str
    facts : dict
        Sample -> `RecordingFacts`.
    """
    found = [*_amplitudes(name, facts)]
    for fact, (level, what, words, way_out) in LISTED.items():
        held = {sample: getattr(told, fact) for sample, told in facts.items() if getattr(told, fact)}
        if held:
            of = [f"{sample} ({len(all_of)}: {listed(all_of, SHOWN)})" for sample, all_of in held.items()]
            text = f"{len(held)} of {len(facts)} recordings of {name} have {words}: {listed(of, 6)}."
            found.append(Finding(level, what, text, tuple(held), way_out))
    return found


def _amplitudes(name, facts):
    """Return a finding for amplitudes that no head gives, with the unit that the numbers probably have."""
    odd = {sample: told.amplitude for sample, told in facts.items() if not SMALLEST <= told.amplitude <= LARGEST}
    odd = {sample: amplitude for sample, amplitude in odd.items() if np.isfinite(amplitude)}
    if not odd:
        return []
    usual = float(np.median(list(odd.values())))
    units = {unit: scale for unit, scale in UNITS.items() if LIKELY[0] <= usual * scale <= LIKELY[1]}
    twice = {unit: scale for unit, scale in UNITS.items() if LIKELY[0] <= usual / scale <= LIKELY[1]}
    way_out = "Find out the unit of the stored numbers, and say it: unit: uV, mV or V."
    if usual > LARGEST and units:
        unit = max(units, key=units.get)
        way_out = f"The numbers were taken for V and are probably {unit}: say unit: {unit}."
    elif usual < SMALLEST and twice:
        unit = max(twice, key=twice.get)
        way_out = f"They were probably V already and divided once more: say unit: V instead of {unit}."
    text = (
        f"{len(odd)} of {len(facts)} recordings of {name} have a median amplitude of {usual:.3g} V, which no head gives "
        f"(EEG has about 1e-5 V): {listed(odd)}."
    )
    return [Finding("error", "impossible amplitude", text, tuple(odd), way_out)]
