"""Check a data folder before anything is learned from it: what is wrong, whose, and the way out."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from neuroloom.cohort.check_findings import Finding, Findings
from neuroloom.cohort.check_headers import header_findings, oddities
from neuroloom.cohort.check_people import give_away_findings, people_findings
from neuroloom.cohort.check_scans import Facts, in_words, measure, scan_findings
from neuroloom.cohort.duplicates import find_duplicates, fingerprint
from neuroloom.cohort.opened import open_cohort
from neuroloom.errors import NeuroloomError, listed

__all__ = ["Finding", "Findings", "check_cohort", "check_data"]

ABOUT_ABSENT = ("left out", "no row in participants.tsv")  # notes of the readers that speak of missing people
TELLING = ("sampling period", "length", "voxel size", "shape")  # facts that may name a site


def check_data(data, *, cohort_file=None, where=None, target="diagnosis", on_progress=None):
    """Open a folder as a cohort, read each of its files once and say what is wrong with it.

    Parameters
    ----------
    data : Path
        The folder; nothing in it is changed.
    cohort_file : Path or str or None
        A cohort file that lies elsewhere, or a preset's name.
    where : str or None
        Condition on the columns; other rows are left out.
    target : str or None
        Column of the classes, where the cohort has it.
    on_progress : callable or None
        Called with (what, done, of).

    Returns
    -------
    Findings
        ``.ok`` is False where there is an error, also where the cohort could not be opened.
    """
    try:
        cohort = open_cohort(data, cohort_file, where)
    except NeuroloomError as error:
        return Findings(str(data), 0, 0, (Finding("error", "the cohort cannot be opened", str(error)),))
    return check_cohort(cohort, target=target, on_progress=on_progress)


def check_cohort(cohort, *, target="diagnosis", on_progress=None):
    """Return the `Findings` about a cohort; see `check_data`.

    Memory holds as many scans at a time as there are processors (four at most), and a small fingerprint of
    each; pairs of scans that look alike are read a second time.
    """
    found = [*_notes(cohort), *people_findings(cohort.table, target)]
    for name in cohort.inputs:
        found += _input_findings(cohort, name, target, on_progress)
    return Findings(cohort.name, len(cohort), cohort.table["participant_id"].nunique(), tuple(found))


def _notes(cohort):
    """Return what was said when the cohort was opened."""
    found = []
    for note in cohort.notes:
        absent = any(words in note for words in ABOUT_ABSENT)
        level, what = ("warning", "people left out") if absent else ("note", "on opening")
        found.append(Finding(level, what, f"{note}."))
    return found


@dataclass(frozen=True)
class _Read:
    """What is kept of one file."""

    facts: Facts | None = None
    fingerprint: Any = None
    odd: frozenset | None = None
    problem: str = ""


def _input_findings(cohort, name, target, on_progress):
    source = cohort.inputs[name]
    samples = [sample for sample in cohort.samples if source.available(sample)]
    read = {}
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as readers:
        results = readers.map(lambda sample: _read(source, sample), samples)
        for done, (sample, result) in enumerate(zip(samples, results, strict=True), start=1):
            read[sample] = result
            if on_progress:
                on_progress(f"checking {name}", done, len(samples))
    facts = {sample: result.facts for sample, result in read.items() if result.facts}
    odd = {sample: result.odd for sample, result in read.items() if result.odd is not None}
    alike = {fact: in_words(facts, fact) for fact in TELLING}
    return [
        *_missing(cohort, name, source),
        *_unreadable(name, read),
        *scan_findings(name, source.kind, facts, cohort.table),
        *header_findings(name, odd),
        *give_away_findings(name, alike, cohort.table, target),
        *_duplicates(cohort, name, source, read, on_progress),
    ]


def _read(source, sample):
    """Read one scan and return what is to be known of it."""
    try:
        scan = source.load(sample)
    except NeuroloomError as error:
        return _Read(problem=str(error))
    paths = getattr(source, "paths", None)
    odd = None if paths is None or scan.kind not in ("volume", "labels") else frozenset(oddities(paths[sample]))
    return _Read(measure(scan), fingerprint(scan), odd)


def _missing(cohort, name, source):
    absent = tuple(sample for sample in cohort.samples if not source.available(sample))
    if not absent:
        return []
    text = f"{len(absent)} of {len(cohort)} samples have no {name}: {listed(absent)}."
    way_out = "A recipe that needs it stops there, unless its input says missing: allow."
    return [Finding("warning", "missing files", text, absent, way_out)]


def _unreadable(name, read):
    """Return a finding for each file that cannot be read; the reader's own words name file and fault."""
    bad = {sample: result.problem for sample, result in read.items() if result.problem}
    way_out = "Copy or export it again, or leave the person out."
    return [
        Finding("error", f"unreadable {name}", f"{sample}: {problem}", (sample,), way_out)
        for sample, problem in bad.items()
    ]


def _duplicates(cohort, name, source, read, on_progress):
    told = (lambda done, of: on_progress(f"comparing {name}", done, of)) if on_progress else None
    prints = {sample: result.fingerprint for sample, result in read.items() if not result.problem}
    found, left_out = find_duplicates(source.kind, prints, source.load, told)
    person = cohort.table["participant_id"].astype(str)
    named = [duplicate for duplicate in found if person[duplicate.samples[0]] != person[duplicate.samples[1]]]
    visits = [duplicate for duplicate in found if duplicate not in named]
    findings = []
    if named:
        way_out = "One person may be on both sides of a split: find out whose scan it is, and leave the other out."
        findings.append(_told("error", "near-duplicate scans", name, "two names", named, way_out))
    if visits:
        way_out = "A second visit cannot be the same measurement: copy the right file."
        findings.append(_told("warning", "copied visits", name, "two visits of one person", visits, way_out))
    if left_out:
        text = f"{left_out} pairs of {name} look alike from afar and were not compared in full: there are too many."
        findings.append(Finding("note", "pairs not compared", text))
    return findings


def _told(level, what, name, under, duplicates, way_out):
    pairs = [f"{' = '.join(duplicate.samples)} ({duplicate.how})" for duplicate in duplicates]
    n = f"{len(pairs)} pairs hold" if len(pairs) > 1 else "one pair holds"
    text = f"{n} the same {name} under {under}: {listed(pairs)}."
    who = tuple(dict.fromkeys(sample for duplicate in duplicates for sample in duplicate.samples))
    return Finding(level, what, text, who, way_out)
