"""A BIDS folder as a cohort: participants.tsv says who, file names say what (https://bids.neuroimaging.io)."""

from pathlib import Path

import pandas as pd

from neuroloom.cohort.bids_files import ENTITIES, INPUTS, applying, find_files, refuse_absent, sidecars, told
from neuroloom.cohort.bids_people import with_people
from neuroloom.cohort.cohort import Cohort, FileSource
from neuroloom.errors import NeuroloomError, listed
from neuroloom.formats import check_arguments, fitting_arguments
from neuroloom.known import check_known
from neuroloom.scan import KINDS

SAMPLES = ("acq", "run")  # entities that may tell samples of one session apart
LEAVE_OUT = "leave_out"
TABLES = {
    "channel_table": ("channels", ()),
    "electrodes": ("electrodes", ("space",)),
}  # argument -> suffix, free entities
SAID = {"EEGReference": ("reference", str), "PowerLineFrequency": ("line_frequency", int | float)}
SAMPLING = {"RepetitionTime": "sampling_period", "SamplingFrequency": "sampling_rate"}


def is_bids(folder):
    """Say whether a folder looks like BIDS: a participants.tsv, or folders sub-*."""
    folder = Path(folder)
    return (folder / "participants.tsv").is_file() or any(p.is_dir() for p in folder.glob("sub-*"))


def read_bids(folder, choices=None):
    """Return the cohort in a BIDS folder: a row for each participant and session that has a known file.

    Several files of one input in a session are samples of their own where they differ in ``acq`` or ``run``,
    and an error where they differ in anything else.

    Parameters
    ----------
    folder : Path
    choices : dict or None
        Input name -> what its files are chosen by and read with: entities (``{"task": "rest"}``; null is a
        name without the entity), ``kind``, and arguments of the reader. ``"leave_out"`` drops the input.

    Returns
    -------
    Cohort
    """
    folder, choices = Path(folder), choices or {}
    files, misplaced = find_files(folder)
    if not files:
        where = f"; {listed(misplaced, 2)} lie outside the folder that BIDS has for them (anat/)" if misplaced else ""
        raise NeuroloomError(
            f"{folder}: no file of a known kind in sub-*/ ({', '.join(INPUTS)}){where}. "
            "If your files are named otherwise, describe them in a cohort.yaml."
        )
    for name in choices:
        check_known("input under bids", name, dict.fromkeys(INPUTS[file.suffix].name for file in files))
    rows, sources, notes = {}, {}, []
    for form in INPUTS.values():
        of_form = [file for file in files if INPUTS[file.suffix] is form]
        choice = choices.get(form.name, {})
        if not of_form or choice == LEAVE_OUT:
            continue
        chosen = _chosen(form.name, of_form, {key: value for key, value in choice.items() if key in ENTITIES})
        refuse_absent(folder, chosen)
        samples = _samples(form.name, chosen)
        rows |= {sample: _row(sample, file) for sample, file in samples.items()}
        sources[form.name] = _source(form, samples, choice, folder)
        notes += _mixed(form.name, chosen)
    if not rows:
        raise NeuroloomError(f"{folder}: no input is left: bids leaves out {listed(choices)}.")
    if misplaced:
        notes.append(f"{len(misplaced)} files outside the folder of their kind passed over: {_names(misplaced)}")
    table, said = with_people(pd.DataFrame(rows.values()).set_index("sample_id").sort_index(), folder)
    return Cohort(table, sources, name=_name(folder), notes=(*said, *notes))


def _chosen(name, files, wanted):
    """Return the files whose names have the wanted entities."""
    for entity, value in wanted.items():
        values = value if isinstance(value, list) else [value]
        labels = [file.entities.get(entity) for file in files]
        for one in values:
            if not any(_is(label, one) for label in labels):
                raise NeuroloomError(
                    f"bids.{name}: no file has {entity}: {_word(one)}; there are {entity}: {_words(labels)}."
                )
        files = [file for file, label in zip(files, labels, strict=True) if any(_is(label, one) for one in values)]
    return files


def _is(label, value):
    """Say whether a file's label is the told one; a told number is the number however many zeros it has."""
    if label is None or value is None:
        return label is value
    return label == str(value) or (isinstance(value, int) and label.isdecimal() and int(label) == value)


def _word(label):
    return "null" if label is None else str(label)


def _words(labels):
    return listed(sorted({_word(label) for label in labels}))


def _samples(name, files):
    """Return sample name -> file: the session, with acquisition and run where these tell its files apart."""
    sessions, samples = {}, {}
    for file in files:
        sessions.setdefault(file.session, []).append(file)
    for session, group in sessions.items():
        differing = _differing(group)
        if set(differing) - set(SAMPLES) or len({tuple(sorted(f.entities.items())) for f in group}) < len(group):
            _refuse_several(name, session, group, {e: ls for e, ls in differing.items() if e not in SAMPLES})
        for file in group:
            apart = [f"{key}-{file.entities[key]}" for key in SAMPLES if key in differing and key in file.entities]
            samples["_".join([session, *apart])] = file
    return samples


def _differing(files):
    """Return entity -> labels, of the entities in which files differ."""
    entities = dict.fromkeys(entity for file in files for entity in file.entities)
    labels = {entity: [file.entities.get(entity) for file in files] for entity in entities}
    return {entity: held for entity, held in labels.items() if len(set(held)) > 1}


def _refuse_several(name, session, files, differing):
    several = f"{session} has {len(files)} files for {name}: {_names([file.path for file in files])}."
    if not differing:
        raise NeuroloomError(f"{several} Their names differ in the ending alone. Keep one.")
    told = "; ".join(f"{entity} ({_words(labels)})" for entity, labels in differing.items())
    entity, labels = next(iter(differing.items()))
    raise NeuroloomError(
        f"{several} They differ in {told}. Keep one, or choose in a cohort.yaml: "
        f"'bids: {{{name}: {{{entity}: {_word(labels[0])}}}}}'."
    )


def _names(paths):
    return listed([path.name for path in paths], 4)


def _mixed(name, files):
    """Return notes about what differs between the files of one input, other than person, visit and sample."""
    differing = {e: ls for e, ls in _differing(files).items() if e not in ("sub", "ses", *SAMPLES)}
    return [f"files for {name} are of several {entity}: {_words(labels)}" for entity, labels in differing.items()]


def _row(sample, file):
    row = {"sample_id": sample, "participant_id": f"sub-{file.entities['sub']}"}
    visit = {"session_id": f"ses-{file.entities['ses']}"} if "ses" in file.entities else {}
    return row | visit | ({"run_id": f"run-{file.entities['run']}"} if "run" in file.entities else {})


def _source(form, samples, choice, folder):
    """Return where an input lies, with the reader's arguments of each file: told, or else of its sidecars."""
    kind = choice.get("kind", form.kind)
    check_known(f"kind in bids.{form.name}", kind, KINDS)
    chosen = {key: value for key, value in choice.items() if key not in ("kind", *ENTITIES)}
    arguments, beside = {}, {}
    for sample, file in samples.items():
        check_arguments(file.path, chosen)
        arguments[sample] = chosen
        if kind == "series" and form.name == "eeg":
            arguments[sample] = {**_of_recording(file, folder, beside, chosen), **chosen}
        elif kind == "series":
            usual = {"axes": ["time", "region"], "header": True} if ".tsv" in form.extensions else {}
            sampling = {} if set(chosen) & set(SAMPLING.values()) else _sampling(sidecars(file, folder, beside))
            arguments[sample] = {**usual, **sampling, **chosen}
    return FileSource(kind, {sample: file.path for sample, file in samples.items()}, arguments)


def _of_recording(file, folder, beside, chosen):
    """Return the reader's arguments that a recording's sidecars give: its tables, its reference, the mains."""
    tables = {**TABLES, **({} if "events" in chosen else {"events": ("events", ())})}
    found = {key: next(applying(file, folder, beside, of, ".tsv", free), None) for key, (of, free) in tables.items()}
    found = {
        key: table and table.resolve() for key, table in found.items()
    }  # a reader starts from the recording's folder
    says = list(sidecars(file, folder, beside))
    for key, (argument, form) in SAID.items():
        found[argument] = next((one[key] for one in says if isinstance(one.get(key), form)), None)
    return {argument: value for argument, value in found.items() if value is not None}


def sidecar_arguments(path):
    """Return the arguments of a series' reader that files beside it give: its JSON file, and tables of events and channels.

    The tables are those that BIDS names after it: ``sub-1_task-x_events.tsv`` beside ``sub-1_task-x_eeg.edf``.
    """
    named = path.name.rsplit("_", 1)[0]
    tables = {"events": path.with_name(f"{named}_events.tsv"), "channel_table": path.with_name(f"{named}_channels.tsv")}
    given = _sampling([told(path.with_suffix(".json"))])
    given |= {argument: table.resolve() for argument, table in tables.items() if table.is_file()}
    return fitting_arguments(given, path)


def _sampling(says_of_file):
    for says in says_of_file:
        for key, argument in SAMPLING.items():
            if isinstance(says.get(key), int | float):
                return {argument: float(says[key])}
    return {}


def _name(folder):
    return str(told(folder / "dataset_description.json").get("Name") or folder.resolve().name)
