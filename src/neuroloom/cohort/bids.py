"""A BIDS folder as a cohort: participants.tsv says who, file names say what (https://bids.neuroimaging.io)."""

import re
from pathlib import Path

import pandas as pd

from neuroloom.cohort.cohort import Cohort, FileSource
from neuroloom.cohort.words import take_common_words
from neuroloom.errors import FileProblem, NeuroloomError, listed
from neuroloom.formats.limits import read_json
from neuroloom.formats.tables import read_table

INPUTS = {  # suffix -> (input name, kind, extensions)
    "T1w": ("t1w", "volume", (".nii.gz", ".nii")),
    "T2w": ("t2w", "volume", (".nii.gz", ".nii")),
    "FLAIR": ("flair", "volume", (".nii.gz", ".nii")),
    "PDw": ("pdw", "volume", (".nii.gz", ".nii")),
    "pet": ("pet", "volume", (".nii.gz", ".nii")),
    "timeseries": ("bold", "series", (".tsv",)),
}


def is_bids(folder):
    """Say whether a folder looks like BIDS: a participants.tsv, or folders sub-*."""
    folder = Path(folder)
    return (folder / "participants.tsv").is_file() or any(p.is_dir() for p in folder.glob("sub-*"))


def read_bids(folder):
    """Return the cohort in a BIDS folder: a row for each participant, session and run that has a known file.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Cohort
    """
    folder = Path(folder)
    files = _files(folder)
    if not files:
        raise NeuroloomError(
            f"{folder}: no file of a known kind in sub-*/ ({', '.join(INPUTS)}). "
            "If your files are named otherwise, describe them in a cohort.yaml."
        )
    rows = pd.DataFrame([row for row, *_ in files]).drop_duplicates("sample_id").set_index("sample_id").sort_index()
    table, notes = _with_participants(rows, folder)
    return Cohort(table, _sources(files), name=_name(folder), notes=tuple(notes))


def _files(folder):
    found = []
    for path in sorted(folder.glob("sub-*/**/*")):
        if path.name.startswith("."):
            continue  # what other systems leave beside the files
        for suffix, (name, kind, extensions) in INPUTS.items():
            extension = next((e for e in extensions if path.name.endswith(f"_{suffix}{e}")), None)
            if extension and path.is_file():
                found.append((_row(path, suffix, folder), name, kind, path))
    return found


def _row(path, suffix, folder):
    """Return what a file's name says: the sample it belongs to (everything but the suffix and the task)."""
    entities = dict(re.findall(r"([a-zA-Z]+)-([a-zA-Z0-9+]+)", path.name.rsplit(f"_{suffix}", 1)[0]))
    of_folder = path.relative_to(folder).parts[0]
    if f"sub-{entities.get('sub')}" != of_folder:
        raise NeuroloomError(
            f"{path}: by its folder it is of {of_folder}, by its name of {'sub-' + entities.get('sub', '(nobody)')}. "
            f"Name it {of_folder}_..._{suffix}, or move it to whom it belongs."
        )
    sample = "_".join(f"{key}-{entities[key]}" for key in ("sub", "ses", "acq", "run") if key in entities)
    row = {"sample_id": sample, "participant_id": f"sub-{entities['sub']}"}
    if "ses" in entities:
        row["session_id"] = f"ses-{entities['ses']}"
    return row


def _with_participants(rows, folder):
    path = folder / "participants.tsv"
    if not path.is_file():
        return rows, ["there is no participants.tsv: nothing is known of the people but their names"]
    people, notes = take_common_words(read_table(path, text=("participant_id",)))
    if "participant_id" not in people:
        raise NeuroloomError(f"{path}: there is no column participant_id, which BIDS asks for.")
    nameless = int(people["participant_id"].isna().sum())
    if nameless:
        raise NeuroloomError(f"{path}: {nameless} rows have no participant_id. Fill them in, or delete the rows.")
    people["participant_id"] = (
        people["participant_id"].astype(str).map(lambda p: p if p.startswith("sub-") else f"sub-{p}")
    )
    twice = people["participant_id"][people["participant_id"].duplicated()].unique()
    if len(twice):
        raise NeuroloomError(f"{path}: participants with several rows: {listed(twice)}.")
    absent = sorted(set(people["participant_id"]) - set(rows["participant_id"]))
    unknown = sorted(set(rows["participant_id"]) - set(people["participant_id"]))
    if absent:
        notes.append(f"{len(absent)} participants of participants.tsv have no file and are left out: {listed(absent)}")
    if unknown:
        notes.append(f"{len(unknown)} participants have files but no row in participants.tsv: {listed(unknown)}")
    people = people.drop(columns=[column for column in ("session_id", "sample_id") if column in people])
    table = rows.reset_index().merge(people, on="participant_id", how="left").set_index("sample_id")
    return table, notes


def _sources(files):
    sources = {}
    for row, name, kind, path in files:
        paths, arguments = sources.setdefault((name, kind), ({}, {}))
        if row["sample_id"] in paths:
            raise NeuroloomError(
                f"{row['sample_id']} has two files for {name}: {paths[row['sample_id']].name} and {path.name}. "
                "Keep one, or choose with a cohort.yaml."
            )
        paths[row["sample_id"]] = path
        if kind == "series":
            arguments[row["sample_id"]] = {"axes": ["time", "region"], **sidecar_sampling(path)}
    return {name: FileSource(kind, paths, arguments) for (name, kind), (paths, arguments) in sources.items()}


def sidecar_sampling(path):
    """Return the reader's argument that the JSON file beside a series gives; nothing where it gives none."""
    told = _told(path.with_suffix(".json"))
    for key, argument in (("RepetitionTime", "sampling_period"), ("SamplingFrequency", "sampling_rate")):
        if isinstance(told.get(key), int | float):
            return {argument: float(told[key])}
    return {}


def _name(folder):
    return str(_told(folder / "dataset_description.json").get("Name") or folder.resolve().name)


def _told(path):
    """Return what a JSON file beside the data says; nothing where there is none."""
    told = read_json(path) if path.is_file() else {}
    if not isinstance(told, dict):
        raise FileProblem(path, "it holds no names and values ({...}), which BIDS asks for.", "Correct or delete it.")
    return told
