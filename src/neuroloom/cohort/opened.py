"""Open a user's data folder as a cohort, whichever form it has."""

from pathlib import Path

from neuroloom.cohort.bids import is_bids, read_bids
from neuroloom.cohort.cohort_file import read_cohort_file
from neuroloom.cohort.where import chosen
from neuroloom.errors import NeuroloomError
from neuroloom.known import check_known

PRESETS = Path(__file__).parent / "presets"  # cohort files for the public layout of known data sets


def open_cohort(data, cohort_file=None, where=None):
    """Return the cohort in a folder: by its cohort file, or as BIDS.

    Parameters
    ----------
    data : Path
        The folder; nothing in it is changed.
    cohort_file : Path or str or None
        A cohort file that lies elsewhere, or the name of a preset.
    where : str or None
        Condition on the columns; other rows are left out.
    """
    data = Path(data)
    if not data.is_dir():
        raise NeuroloomError(f"{data}: there is no such folder. --data names the folder that holds the files.")
    cohort = _read(data, cohort_file)
    return chosen(cohort, where) if where else cohort


def _read(data, cohort_file):
    if cohort_file:
        return read_cohort_file(located(cohort_file), data)
    if (data / "cohort.yaml").is_file():
        return read_cohort_file(data / "cohort.yaml")
    if is_bids(data):
        return read_bids(data)
    raise NeuroloomError(
        f"{data}: this is neither a BIDS folder (participants.tsv, sub-*/) nor does it hold a cohort.yaml. "
        "Describe your files in a cohort.yaml, in the folder or given with --cohort."
    )


def located(cohort_file):
    """Return the path of a cohort file that is given by its path or, a preset, by its name."""
    path = Path(cohort_file)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise NeuroloomError(f"{path}: there is no such cohort file.")
        return path
    check_known("cohort preset", str(cohort_file), sorted(preset.stem for preset in PRESETS.glob("*.yaml")))
    return PRESETS / f"{cohort_file}.yaml"
