"""What the files of a cohort hold: measured once a file, and compared between people."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from nibabel.affines import voxel_sizes
from nibabel.orientations import aff2axcodes, io_orientation

from neuroloom.cohort.check_findings import Finding
from neuroloom.cohort.check_recordings import RecordingFacts, measure_recording, recording_findings
from neuroloom.errors import listed
from neuroloom.formats import spacious

MOST_REGIONS = 10_000  # regions that are remembered one by one
CLIPPED_SHARE, CLIPPED_LEAST = 0.01, 5  # of the samples stand at the very end of the scale
MOST_LOOKED_AT = 1000  # regions that are searched for clipping; of more, every n-th
MOST_VALUES = 6  # differing values that a finding spells out


@dataclass(frozen=True)
class Facts:
    """What one scan turned out to be.

    Parameters
    ----------
    alike : dict
        What should be the same in all people, as numbers: "voxel size" -> (1.0, 1.0, 1.2), or a word.
    faults : dict
        Fault -> how many values or regions have it.
    n_regions : int
        Of series.
    constant : ndarray of bool or None
        Which regions never change.
    recording : RecordingFacts or None
        Of series in V.
    """

    alike: dict[str, tuple[float, ...] | str]
    faults: dict[str, int] = field(default_factory=dict)
    n_regions: int = 0
    constant: np.ndarray | None = None
    names: tuple[str, ...] = ()
    recording: RecordingFacts | None = None


def measure(scan):
    """Return the `Facts` of a scan."""
    if scan.kind == "series":
        return _measure_series(scan)
    finite = np.isfinite(scan.data)
    faults = {"NaN": int(np.isnan(scan.data).sum())}
    faults["inf"] = int(scan.data.size - finite.sum()) - faults["NaN"]
    if scan.kind in ("volume", "labels"):
        return _measure_volume(scan, finite, faults)
    names = tuple(map(str, scan.geometry.get("names") or ()))
    return Facts({"shape": tuple(scan.data.shape)}, faults, names=names)


def _measure_volume(scan, finite, faults):
    shape = scan.data.shape[-3:]
    affine = scan.geometry.get("affine")
    alike = {}
    if affine is not None:
        order = np.argsort(io_orientation(affine)[:, 0])  # which stored axis runs right, front, top
        shape = tuple(shape[axis] for axis in order)
        alike["voxel size"] = tuple(voxel_sizes(affine)[order])
        alike["axes"] = "".join(aff2axcodes(affine))
    alike["shape"] = tuple(shape)
    values = scan.data if finite.all() else scan.data[finite]
    if scan.kind == "volume" and (values.size == 0 or values.min() == values.max()):
        faults["all zero" if values.size and values.flat[0] == 0 else "constant"] = 1
    return Facts(alike, faults)


def _measure_series(scan):
    """Look at one region after the other: a recording may be larger than memory."""
    n_regions, n_times = scan.data.shape
    rate = scan.geometry.get("sampling_rate")
    alike = {"regions": (n_regions,), "length": (n_times,)}
    if rate:
        alike["sampling period"] = (1 / rate,)
    step = max(1, n_regions // MOST_LOOKED_AT)
    each = np.array([_measure_region(scan, number, number % step == 0) for number in range(n_regions)])
    constant, clipped = each[:, 2].astype(bool), each[:, 3].astype(bool)
    faults = dict(zip(("NaN", "inf", "constant regions", "clipped regions"), map(int, each.sum(axis=0)), strict=True))
    names = tuple(map(str, scan.geometry.get("names") or ()))
    kept = constant if n_regions <= MOST_REGIONS else None
    return Facts(alike, faults, n_regions, kept, names, measure_recording(scan, constant, clipped))


def _measure_region(scan, number, search_clipping):
    """Return how many values are NaN and infinite, whether the region never changes, and whether it is clipped."""
    values = np.asarray(scan.data[number])
    n_nan, n_values = int(np.isnan(values).sum()), len(values)
    values = values[np.isfinite(values)]
    spacious.let_go(scan.data)
    low, high = (values.min(), values.max()) if len(values) else (0.0, 0.0)
    constant = high - low <= 1e-6 * max(abs(low), abs(high))
    clipped = search_clipping and not constant and _is_clipped(values)
    return n_nan, n_values - len(values) - n_nan, constant, clipped


def _is_clipped(region):
    for values in (region, -region):
        top = values.max(initial=-np.inf)
        at_top = int((values == top).sum())
        if at_top < max(CLIPPED_LEAST, CLIPPED_SHARE * len(values)):
            continue
        if top == 0 and (values <= 0).all():
            continue  # counts and rates rest at 0; that is no limit of a device
        below = values[values < top]
        if at_top > 2 * int((below == below.max(initial=-np.inf)).sum()) + 2:
            return True
    return False


UNITS = {"voxel size": " mm", "sampling period": " s"}
JITTER = 1e-3  # relative difference of numbers that are meant to be the same


def in_words(facts, fact):
    """Return what each sample's value of a fact is called; values that differ by jitter are called the same.

    Parameters
    ----------
    facts : dict
        Sample -> `Facts`.
    fact : str
        A key of ``Facts.alike``; samples that do not have it are left out.
    """
    words, known = {}, []
    for sample, told in facts.items():
        value = told.alike.get(fact)
        if value is None:
            continue
        if fact in UNITS:  # measured; all else is counted
            value = next((other for other in known if np.allclose(value, other, rtol=JITTER, atol=0)), value)
            known = known if value in known else [*known, value]
        words[sample] = value if isinstance(value, str) else _written(value) + UNITS.get(fact, "")
    return words


def _written(numbers):
    return " × ".join(str(n) if isinstance(n, int | np.integer) else f"{n:.4g}" for n in numbers)


# ---- findings --------------------------------------------------------------------------------------------


def scan_findings(name, kind, facts, table):
    """Return the findings about one input.

    Parameters
    ----------
    name : str
        Of the input.
    kind : str
    facts : dict
        Sample -> `Facts`, of the samples that could be read.
    table : DataFrame
        The cohort's.

    Returns
    -------
    list of Finding
    """
    if not facts:
        return []
    people = _noun(table)
    return [
        *_differences(name, facts),
        *_other_names(name, facts),
        *_empty(name, facts, people),
        *_not_numbers(name, kind, facts, people),
        *_constant_regions(name, facts, people),
        *_clipped(name, facts, people),
        *_unknown_sampling(name, kind, facts),
        *recording_findings(name, {sample: told.recording for sample, told in facts.items() if told.recording}),
    ]


def _noun(table):
    return "people" if table["participant_id"].is_unique else "samples"


DIFFERENCES = {  # what should be alike -> level, way out
    "regions": ("error", "They cannot be put side by side: use one parcellation (of recordings, channels: [...]), or leave these out."),
    "voxel size": ("warning", "Let the recipe resample them to one: {name: resample, voxel_size: ...}."),
    "shape": ("warning", "Let the recipe bring them onto one grid: {name: resample, ...} and {name: crop_box, ...}."),
    "axes": ("note", "{name: to_ras} in the recipe turns them all one way, by their affines."),
    "sampling period": ("warning", "Bring them to one rate in the recipe, or take it as a confound; bands of frequencies must be given in Hz."),
    "length": ("note", "Short series are noisier: take length as a confound, or crop with {name: crop_series}."),
}  # fmt: skip


def _differences(name, facts):
    found = []
    for fact, (level, way_out) in DIFFERENCES.items():
        values = in_words(facts, fact)
        counts = Counter(values.values()).most_common()
        if len(counts) < 2:
            continue
        usual, n_usual = counts[0]
        odd = tuple(sample for sample, value in values.items() if value != usual)
        by_value = [f"{value}: {listed([s for s in odd if values[s] == value], 4)}" for value, _ in counts[1:]]
        more = f"; and {len(by_value) - MOST_VALUES} other values" if len(by_value) > MOST_VALUES else ""
        text = f"{name}: {usual} in {n_usual} of {len(values)}, but {'; '.join(by_value[:MOST_VALUES])}{more}."
        found.append(Finding(level, f"mixed {fact}", text, odd, way_out))
    return found


def _other_names(name, facts):
    """Find regions or features that stand in another order, or are others, although there are as many."""
    named = {sample: told.names for sample, told in facts.items() if told.names}
    counts = Counter(named.values()).most_common()
    if len(counts) < 2:
        return []
    usual = counts[0][0]
    odd = tuple(sample for sample, names in named.items() if names != usual and len(names) == len(usual))
    if not odd:
        return []
    differing = [mine for mine, theirs in zip(usual, named[odd[0]], strict=True) if mine != theirs]
    text = (
        f"{name}: {len(odd)} of {len(named)} name or order theirs otherwise, from {differing[0]!r} on: {listed(odd)}."
    )
    return [Finding("error", "mixed names", text, odd, "Put the columns of their files in one order.")]


def _empty(name, facts, people):
    found = []
    for fault, words in (("all zero", "that is 0 in every voxel"), ("constant", "with one value in every voxel")):
        who = tuple(sample for sample, told in facts.items() if told.faults.get(fault))
        if who:
            text = f"{len(who)} of {len(facts)} {people} have a {name} {words}: {listed(who)}."
            found.append(Finding("error", "empty volumes", text, who, "Export them again, or leave these people out."))
    still = tuple(sample for sample, told in facts.items() if 0 < told.n_regions == told.faults["constant regions"])
    if still:
        text = f"{len(still)} of {len(facts)} {people} have a {name} in which nothing varies: {listed(still)}."
        found.append(Finding("error", "empty series", text, still, "Export them again, or leave these people out."))
    return found


def _not_numbers(name, kind, facts, people):
    found = []
    for fault in ("NaN", "inf"):
        counts = {sample: told.faults[fault] for sample, told in facts.items() if told.faults[fault]}
        if not counts:
            continue
        missing = fault == "NaN" and kind == "table"  # NaN means missing there
        level, what = ("note", "missing features") if missing else ("warning", f"{fault} values")
        span = f"{_span(counts.values())} {'features' if kind == 'table' else 'values'}"
        text = f"{len(counts)} of {len(facts)} {people} have {what} in {name} ({span}): {_worst_first(counts)}."
        way_out = "The recipe must say what is done: {name: impute} inside the fold, or leave them out."
        found.append(Finding(level, what, text, tuple(counts), way_out))
    return found


def _counts(fault, facts):
    """Return sample -> how many regions have a fault; those of recordings are told by name (`recording_findings`)."""
    return {s: told.faults[fault] for s, told in facts.items() if told.faults.get(fault) and told.recording is None}


def _constant_regions(name, facts, people):
    counts = _counts("constant regions", facts)
    if not counts:
        return []
    regions = max(told.n_regions for told in facts.values())
    text = (
        f"{len(counts)} of {len(facts)} {people} have constant regions in {name} "
        f"({_span(counts.values())} of {regions}): {_worst_first(counts)}."
    )
    masks = [told.constant for told in facts.values() if told.constant is not None]
    if len({len(mask) for mask in masks}) == 1:
        text += f" {int((~np.any(masks, axis=0)).sum())} of {regions} regions vary in everyone."
    way_out = "{name: drop_regions} leaves such regions out by name, {name: impute} fills the others inside the fold."
    return [Finding("warning", "constant regions", text, tuple(counts), way_out)]


def _clipped(name, facts, people):
    counts = _counts("clipped regions", facts)
    if not counts:
        return []
    text = (
        f"{len(counts)} of {len(facts)} {people} have regions or channels in {name} that stand still at the end of "
        f"their scale ({_span(counts.values())} of them): {_worst_first(counts)}."
    )
    way_out = "The device was overdriven, or the values were cut when saved: export again, or leave the channels out."
    return [Finding("warning", "clipped series", text, tuple(counts), way_out)]


def _unknown_sampling(name, kind, facts):
    who = tuple(sample for sample, told in facts.items() if "sampling period" not in told.alike)
    if kind != "series" or not who:
        return []
    text = f"{name}: how fast it was sampled is not known for {len(who)} of {len(facts)}: {listed(who)}."
    return [Finding("note", "unknown sampling period", text, who, "Say sampling_period (s) in the cohort file.")]


def _span(numbers):
    low, high = min(numbers), max(numbers)
    return f"{low}" if low == high else f"{low} to {high}"


def _worst_first(counts):
    order = sorted(counts, key=lambda sample: (-counts[sample], sample))
    return listed([f"{sample} ({counts[sample]})" for sample in order])
