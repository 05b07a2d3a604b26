"""Files of a BIDS folder that inputs are made of, and what their names say (https://bids.neuroimaging.io)."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from neuroloom.errors import FileProblem, NeuroloomError, listed
from neuroloom.formats.limits import read_json

NIFTI = (".nii.gz", ".nii")
LABEL = re.compile(r"(sub|ses)-[a-zA-Z0-9+]+")
ENTITIES = (  # short names of BIDS 1.10, appendix "Entities", and of atlases
    "sub", "ses", "sample", "task", "tracksys", "acq", "nuc", "voi", "ce", "trc", "stain", "rec", "dir", "run", "mod",
    "echo", "flip", "inv", "mt", "part", "proc", "hemi", "space", "split", "recording", "chunk", "atlas", "seg", "scale",
    "res", "den", "label", "desc",
)  # fmt: skip


@dataclass(frozen=True)
class Form:
    """How BIDS stores one input."""

    name: str
    kind: str
    folder: str  # BIDS's datatype
    extensions: tuple[str, ...]


INPUTS = {  # suffix -> form
    "T1w": Form("t1w", "volume", "anat", NIFTI),
    "T2w": Form("t2w", "volume", "anat", NIFTI),
    "FLAIR": Form("flair", "volume", "anat", NIFTI),
    "PDw": Form("pdw", "volume", "anat", NIFTI),
    "pet": Form("pet", "volume", "pet", NIFTI),
    "timeseries": Form("bold", "series", "func", (".tsv",)),
    "eeg": Form("eeg", "series", "eeg", (".edf", ".bdf", ".vhdr", ".set", ".fif")),
}


@dataclass(frozen=True)
class BidsFile:
    """One file and the entities of its name (``{"sub": "01", "task": "rest"}``)."""

    path: Path
    suffix: str
    entities: dict[str, str]

    @property
    def session(self):
        """Return whom and which visit it is of: ``sub-01``, or ``sub-01_ses-2``."""
        return "_".join(f"{key}-{self.entities[key]}" for key in ("sub", "ses") if key in self.entities)


def find_files(folder):
    """Return the files of known inputs, and what was passed over: files of a known name in another place.

    Regressors that a preprocessing wrote (``desc-confounds``) are no series of regions and not returned.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    files : list of BidsFile
    misplaced : list of Path
    """
    files, misplaced = [], []
    for path in _walked(folder):
        suffix = next((s for s, form in INPUTS.items() if path.name.endswith(tuple(_endings(s, form)))), None)
        if suffix is None:
            continue
        if path.parent.name != INPUTS[suffix].folder:
            misplaced.append(path)
            continue
        entities = _entities(path, suffix, folder)
        if entities.get("desc") != "confounds":
            files.append(BidsFile(path, suffix, entities))
    return files, misplaced


def refuse_absent(folder, files):
    """Raise where files are links whose content is not there, as git-annex leaves them before it is fetched."""
    absent = [file.path.relative_to(folder) for file in files if not file.path.is_file()]
    if absent:
        name = INPUTS[files[0].suffix].name
        raise NeuroloomError(
            f"{folder}: {len(absent)} of {len(files)} files for {name} are links to content that is not there: "
            f"{listed(absent, 3)}. In a DataLad or git-annex folder, fetch it with 'datalad get'; or do without, with "
            f"'bids: {{{name}: leave_out}}' in a cohort.yaml."
        )


def sidecars(file, folder, beside):
    """Yield what the JSON files that apply to a file say, the nearest first; see `applying`."""
    yield from map(told, applying(file, folder, beside, file.suffix, ".json"))


def applying(file, folder, beside, suffix, ending, free=()):
    """Yield the files of a suffix and ending (``events``, ``.tsv``) that apply to a file, the nearest first.

    One applies where its entities are among the file's; it lies beside the file or in a folder above, up to the data
    folder (BIDS, "The inheritance principle").

    Parameters
    ----------
    file : BidsFile
    folder : Path
    beside : dict
        Folder -> its JSON files and tables; what is looked up is kept there for the next file.
    free : tuple of str
        Entities that it may have beyond those of the file.
    """
    place = file.path.parent
    while True:
        if place not in beside:
            beside[place] = [*place.glob("*.json"), *place.glob("*.tsv")]
        found = [path for path in beside[place] if _applies(path, file, suffix, ending, free)]
        yield from sorted(found, key=lambda path: (-path.name.count("_"), path.name))
        if place == folder:
            return
        place = place.parent


def told(path):
    """Return what a JSON file says; nothing where there is none."""
    says = read_json(path) if path.is_file() else {}
    if not isinstance(says, dict):
        raise FileProblem(path, "it holds no names and values ({...}), which BIDS asks for.", "Correct or delete it.")
    return says


def _endings(suffix, form):
    return [f"_{suffix}{extension}" for extension in form.extensions]


def _walked(folder):
    """Yield the files under the folders sub-*, links followed, each folder once."""
    seen = set()
    for person in sorted(path for path in folder.glob("sub-*") if path.is_dir()):
        for place, folders, names in os.walk(person, followlinks=True, onerror=_unreadable):
            real = os.path.realpath(place)
            if real in seen:
                folders.clear()
                continue
            seen.add(real)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))


def _unreadable(error):
    raise FileProblem(error.filename, f"this folder cannot be read: {error.strerror}.", "Ask its owner for the right.")


def _entities(path, suffix, folder):
    """Return the entities of a file's name, which must be of whom and which visit its folders say."""
    by_folder = [part for part in path.relative_to(folder).parts[:2] if part.startswith(("sub-", "ses-"))]
    for part in by_folder:
        if not LABEL.fullmatch(part):
            better = part[:4] + re.sub("[^a-zA-Z0-9]", "", part[4:])
            raise NeuroloomError(
                f"{path}: BIDS labels are letters and digits only, but {part!r} has others. Rename it to {better} in "
                "folders, file names and participants.tsv, or describe the files in a cohort.yaml."
            )
    entities = dict(re.findall(r"(?:^|_)([a-zA-Z]+)-([a-zA-Z0-9+]+)", path.name.rsplit(f"_{suffix}", 1)[0]))
    by_name = [f"{key}-{entities[key]}" for key in ("sub", "ses") if key in entities]
    if by_name != by_folder:
        raise NeuroloomError(
            f"{path}: by its folder it is of {'_'.join(by_folder)}, by its name of {'_'.join(by_name) or '(nobody)'}. "
            f"Name it {'_'.join(by_folder)}_..._{suffix}, or move it to where it belongs."
        )
    return entities


def _applies(path, file, suffix, ending, free):
    if not path.name.endswith(f"{suffix}{ending}"):
        return False
    *entities, last = path.name.removesuffix(ending).split("_")
    own = {f"{key}-{label}" for key, label in file.entities.items()}
    return last == suffix and {entity for entity in entities if entity.split("-")[0] not in free} <= own
