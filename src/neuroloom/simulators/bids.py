"""A simulated cohort as real files: BIDS for scans and series, with a cohort.yaml for features and label maps."""

import json
import shutil

import pandas as pd
import yaml

import neuroloom
from neuroloom.errors import NeuroloomError
from neuroloom.formats.atomic import atomic_write, make_folder, not_ours, refuse_to_replace
from neuroloom.formats.limits import load_yaml, read_json
from neuroloom.formats.nifti import write_nifti
from neuroloom.formats.tables import write_table
from neuroloom.simulators.bids_eeg import write_recording

VOLUMES = {"t1w": "T1w", "t2w": "T2w", "flair": "FLAIR"}  # input name -> BIDS suffix, in anat/
LABELS = {"kind": "labels", "files": "{participant_id}/anat/{participant_id}_dseg.nii.gz"}
GENERATED = {"Name": "neuroloom", "Version": neuroloom.__version__, "Description": "simulated; no real people"}


def write_cohort(cohort, folder, *, force=False, on_progress=None):
    """Write a cohort into a new folder that `open_cohort` reads back; the truth goes to ``derivatives/truth/``.

    Parameters
    ----------
    cohort : Cohort
    folder : Path
        Must be new or empty, unless ``force`` lets an earlier simulated cohort in it be replaced.
    force : bool
    on_progress : callable or None
        Called with (what, done, of).
    """
    make_folder(folder)
    if any(folder.iterdir()):
        _remove_earlier(folder, force)
    _describe(cohort, folder)
    features = {name: source for name, source in cohort.inputs.items() if source.kind == "table"}
    maps = {name: LABELS for name, source in cohort.inputs.items() if source.kind == "labels"}
    told = _write_features(cohort, features, folder) | maps
    if told:
        content = {"table": "participants.tsv", "name": cohort.name, "inputs": told}
        atomic_write(folder / "cohort.yaml", yaml.safe_dump(content, sort_keys=False).encode())
    for done, sample in enumerate(cohort.samples, start=1):
        for name, source in cohort.inputs.items():
            if name not in features and source.available(sample):
                _write_scan(cohort, name, sample, folder)
        if on_progress:
            on_progress("writing files", done, len(cohort))


def _remove_earlier(folder, force):
    """Delete what `write_cohort` wrote before; a folder that holds anything else alone is refused."""
    described = folder / "dataset_description.json"
    told = read_json(described) if described.is_file() else {}
    makers = told.get("GeneratedBy") if isinstance(told, dict) else None
    if GENERATED["Name"] not in [maker.get("Name") for maker in makers or () if isinstance(maker, dict)]:
        raise not_ours(folder, "simulated cohort", min(path.name for path in folder.iterdir()))
    refuse_to_replace([folder], force)
    own = load_yaml(folder / "cohort.yaml", "cohort file") if (folder / "cohort.yaml").is_file() else {}
    features = [folder / f"{name}.csv" for name, entry in own.get("inputs", {}).items() if entry.get("file")]
    for path in [*features, folder / "cohort.yaml", folder / "participants.tsv", described]:
        path.unlink(missing_ok=True)
    for path in [*folder.glob("sub-*"), folder / "derivatives" / "truth"]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)


def _describe(cohort, folder):
    told = {
        "Name": cohort.name,
        "BIDSVersion": "1.10.0",
        "DatasetType": "raw",
        "License": "CC0",
        "GeneratedBy": [GENERATED],
    }
    atomic_write(folder / "dataset_description.json", json.dumps(told, indent=1).encode())
    table = cohort.table.drop(columns="run_id", errors="ignore")
    changing = _changing(table)
    people = table.drop_duplicates("participant_id").drop(columns=["session_id", *changing], errors="ignore")
    write_table(folder / "participants.tsv", people.reset_index(drop=True))
    if "session_id" in table:
        for person, visits in table.drop_duplicates(["participant_id", "session_id"]).groupby("participant_id"):
            make_folder(folder / person)
            write_table(
                folder / person / f"{person}_sessions.tsv", visits[["session_id", *changing]].reset_index(drop=True)
            )
    if cohort.truth is not None:
        place = folder / "derivatives" / "truth"
        place.mkdir(parents=True, exist_ok=True)
        write_table(place / "truth.tsv", cohort.truth)


def _changing(table):
    """Return the columns that differ between the visits of a person."""
    n_values = table.drop(columns="session_id", errors="ignore").groupby("participant_id").nunique(dropna=False)
    return [column for column in n_values if (n_values[column] > 1).any()]


def _write_features(cohort, features, folder):
    """Write each table input as a file, and return what the cohort file says of them."""
    inputs = {}
    for name, source in features.items():
        names = source.geometry["names"]
        known = [sample for sample in cohort.samples if source.available(sample)]
        frame = pd.DataFrame([source.load(sample).data for sample in known], columns=names)
        frame.insert(0, "participant_id", cohort.table["participant_id"].loc[known].to_numpy())
        write_table(folder / f"{name}.csv", frame)
        inputs[name] = {"kind": "table", "file": f"{name}.csv", "columns": list(names)}
    return inputs


def _write_scan(cohort, name, sample, folder):
    scan = cohort.load(name, sample)
    row = cohort.table.loc[sample]
    parts = [row["participant_id"]] + ([row["session_id"]] if "session_id" in row else [])
    if scan.kind == "volume" and name in VOLUMES:
        place = folder.joinpath(*parts, "anat")
        place.mkdir(parents=True, exist_ok=True)
        write_nifti(place / f"{'_'.join(parts)}_{VOLUMES[name]}.nii.gz", scan)
    elif scan.kind == "labels":
        place = folder / row["participant_id"] / "anat"
        place.mkdir(parents=True, exist_ok=True)
        write_nifti(place / f"{row['participant_id']}_dseg.nii.gz", scan)
    elif "types" in scan.geometry:
        write_recording(scan, folder.joinpath(*parts, "eeg"), parts, cohort.planted["task"], row.get("run_id"))
    elif scan.kind == "series":
        place = folder.joinpath(*parts, "func")
        place.mkdir(parents=True, exist_ok=True)
        stem = f"{'_'.join(parts)}_task-rest_timeseries"
        write_table(place / f"{stem}.tsv", pd.DataFrame(scan.data.T, columns=scan.geometry["names"]))
        rate = {"SamplingFrequency": scan.geometry["sampling_rate"]}
        atomic_write(place / f"{stem}.json", json.dumps(rate).encode())
    else:
        raise NeuroloomError(f"The input {name!r} ({scan.kind}) has no form as a file yet.")
