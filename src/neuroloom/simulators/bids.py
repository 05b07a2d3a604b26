"""A simulated cohort as real files: BIDS for scans and series, a table with a cohort.yaml for features."""

import json

import pandas as pd
import yaml

import neuroloom
from neuroloom.errors import NeuroloomError
from neuroloom.formats.atomic import atomic_write
from neuroloom.formats.nifti import write_nifti
from neuroloom.formats.tables import write_table

VOLUMES = {"t1w": "T1w", "t2w": "T2w", "flair": "FLAIR"}  # input name -> BIDS suffix, in anat/


def write_cohort(cohort, folder, *, force=False, on_progress=None):
    """Write a cohort into a new folder that `open_cohort` reads back; the truth goes to ``derivatives/truth/``.

    Parameters
    ----------
    cohort : Cohort
    folder : Path
        Must be new or empty, unless ``force`` lets files of the same name be replaced.
    force : bool
    on_progress : callable or None
        Called with (what, done, of).
    """
    if folder.exists() and any(folder.iterdir()) and not force:
        raise NeuroloomError(f"{folder}: the folder is not empty. Name a new one, or use --force to replace its files.")
    folder.mkdir(parents=True, exist_ok=True)
    _describe(cohort, folder)
    features = {name: source for name, source in cohort.inputs.items() if source.kind == "table"}
    if features:
        _write_features(cohort, features, folder)
    for done, sample in enumerate(cohort.samples, start=1):
        for name, source in cohort.inputs.items():
            if name not in features and source.available(sample):
                _write_scan(cohort, name, sample, folder)
        if on_progress:
            on_progress("writing files", done, len(cohort))


def _describe(cohort, folder):
    told = {
        "Name": cohort.name,
        "BIDSVersion": "1.10.0",
        "DatasetType": "raw",
        "License": "CC0",
        "GeneratedBy": [
            {"Name": "neuroloom", "Version": neuroloom.__version__, "Description": "simulated; no real people"}
        ],
    }
    atomic_write(folder / "dataset_description.json", json.dumps(told, indent=1).encode())
    people = cohort.table.drop_duplicates("participant_id").drop(columns="session_id", errors="ignore")
    write_table(folder / "participants.tsv", people.reset_index(drop=True))
    if cohort.truth is not None:
        place = folder / "derivatives" / "truth"
        place.mkdir(parents=True, exist_ok=True)
        write_table(place / "truth.tsv", cohort.truth)


def _write_features(cohort, features, folder):
    """Write each table input as a file beside a cohort file that joins them."""
    inputs = {}
    for name, source in features.items():
        names = source.geometry["names"]
        known = [sample for sample in cohort.samples if source.available(sample)]
        frame = pd.DataFrame([source.load(sample).data for sample in known], columns=names)
        frame.insert(0, "participant_id", cohort.table["participant_id"].loc[known].to_numpy())
        write_table(folder / f"{name}.csv", frame)
        inputs[name] = {"kind": "table", "file": f"{name}.csv", "columns": list(names)}
    told = {"table": "participants.tsv", "name": cohort.name, "inputs": inputs}
    atomic_write(folder / "cohort.yaml", yaml.safe_dump(told, sort_keys=False).encode())


def _write_scan(cohort, name, sample, folder):
    scan = cohort.load(name, sample)
    row = cohort.table.loc[sample]
    parts = [row["participant_id"]] + ([row["session_id"]] if "session_id" in row else [])
    if scan.kind == "volume" and name in VOLUMES:
        place = folder.joinpath(*parts, "anat")
        place.mkdir(parents=True, exist_ok=True)
        write_nifti(place / f"{'_'.join(parts)}_{VOLUMES[name]}.nii.gz", scan)
    elif scan.kind == "series":
        place = folder.joinpath(*parts, "func")
        place.mkdir(parents=True, exist_ok=True)
        stem = f"{'_'.join(parts)}_task-rest_timeseries"
        write_table(place / f"{stem}.tsv", pd.DataFrame(scan.data.T, columns=scan.geometry["names"]))
        rate = {"SamplingFrequency": scan.geometry["sampling_rate"]}
        atomic_write(place / f"{stem}.json", json.dumps(rate).encode())
    else:
        raise NeuroloomError(f"The input {name!r} ({scan.kind}) has no form as a file yet.")
