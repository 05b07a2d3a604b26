"""One file that holds many trials already cut: each becomes a row of the cohort."""

import numpy as np
import pandas as pd

from neuroloom.cohort.cohort import ArraySource, Cohort
from neuroloom.cohort.mapping import mapped
from neuroloom.cohort.trials import blocks_in_order
from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.formats import extension
from neuroloom.formats.channels import standard_positions, type_by_name, volts
from neuroloom.formats.limits import inside, to_float32
from neuroloom.formats.series import sampling_of
from neuroloom.known import check_known, locate

READERS = {".mat": "neuroloom.formats.matlab:read_variable", ".npz": "neuroloom.formats.numpy_files:read_variable"}
ARGUMENTS = ("variable", "axes", "sampling_rate", "sampling_period", "unit", "names", "montage")
AXES = {"trial": "trial", "epoch": "trial", "channel": "channel", "region": "channel", "time": "time"}


def read_trials_file(told, root, path):
    """Return the cohort of the trials in one file (or in several arrays of the same trials).

    Parameters
    ----------
    told : CohortFile
        Its inputs name a ``file``, a ``variable`` and its three ``axes``; ``participant`` whose they are; ``labels`` the
        variable that says what each is.
    root : Path
    path : Path
        The cohort file.

    Returns
    -------
    Cohort
        Samples ``trial-0001`` ...; columns participant_id, ``trial`` (order, from 1), that of the labels, and ``block``
        where blocks are asked for.
    """
    if told.participant is None or told.table is not None or not told.inputs:
        raise NeuroloomError(
            f"{path}: a file of trials needs 'participant: NAME' (whose they are) and 'inputs', and no table."
        )
    arrays = {name: _trials(name, entry, root, path) for name, entry in told.inputs.items()}
    counts = {name: len(values) for name, (values, _) in arrays.items()}
    if len(set(counts.values())) > 1:
        raise NeuroloomError(f"{path}: the inputs hold different numbers of trials: {counts}.")
    n = next(iter(counts.values()))
    samples = tuple(f"trial-{number:04d}" for number in range(1, n + 1))
    index = pd.Index(samples, name="sample_id")
    table = pd.DataFrame({"participant_id": told.participant, "trial": np.arange(1, n + 1)}, index=index)
    if told.labels is not None:
        table[told.labels.column] = _labels(told.labels, next(iter(told.inputs.values())), index, root, path)
    if told.blocks is not None:
        table["block"] = blocks_in_order(table["participant_id"], told.blocks, f"{path}: blocks")
    sources = {name: ArraySource("series", samples, values, geometry) for name, (values, geometry) in arrays.items()}
    return Cohort(table, sources, name=root.resolve().name)


def _variable(file, variable):
    ending = extension(file)
    if ending not in READERS:
        raise FileProblem(file, f"a file of trials ends in {', '.join(READERS)}.", "Save it as one of them.")
    return locate("file of trials", READERS, ending)(file, variable)


def _trials(name, entry, root, path):
    """Return (trial, channel, time) float32 and its geometry."""
    if entry.kind != "series" or not entry.file:
        raise NeuroloomError(f"{path}: input {name!r} must be 'kind: series' with 'file: NAME' beside 'participant'.")
    for key in entry.model_extra:
        check_known(f"key of input {name!r} in {path.name}", key, ["kind", "file", *ARGUMENTS])
    asked, file = entry.model_extra, inside(root, entry.file)
    values = _variable(file, asked.get("variable"))
    order = _order(file, asked.get("axes"), values.shape)
    values = np.ascontiguousarray(to_float32(np.transpose(values, order), file))  # (trial, channel, time)
    geometry = sampling_of(file, asked.get("sampling_rate"), asked.get("sampling_period"))
    names = _names(file, asked.get("names"), values.shape[1])
    geometry |= {"names": names} if names else {}
    if "unit" in asked:
        values *= np.float32(volts(file, asked["unit"]))
        geometry |= {"unit": "V", "types": [type_by_name(one) for one in names or [""] * values.shape[1]]}
    if "montage" in asked:
        geometry |= {"positions": standard_positions(file, names or [], asked["montage"])}
    return values, geometry


def _order(file, axes, shape):
    """Return which axis of the array is the trial, the channel and the time."""
    told = [AXES.get(str(axis)) for axis in axes] if isinstance(axes, list | tuple) else []
    if len(shape) != 3 or sorted(map(str, told)) != ["channel", "time", "trial"]:
        raise FileProblem(
            file,
            f"axes is {axes!r} and its array has the shape {shape}; three axes are expected.",
            "Say them in the array's own order, for example axes: [time, channel, trial].",
        )
    return [told.index(axis) for axis in ("trial", "channel", "time")]


def _names(file, names, n):
    if names is not None and (not isinstance(names, list) or len(names) != n or len(set(map(str, names))) != n):
        raise FileProblem(file, f"names must be {n} different names of channels, but is {names!r}.", "Correct it.")
    return [str(name) for name in names or []]


def _labels(labels, entry, index, root, path):
    """Return what each trial is, as the user calls it."""
    file = inside(root, entry.file)
    values = _variable(file, labels.variable).ravel()
    if len(values) != len(index):
        raise FileProblem(
            file, f"{labels.variable} has {len(values)} values for {len(index)} trials.", "Name the trials' own labels."
        )
    held = pd.Series(values, index)
    if labels.values is None:
        return held
    return mapped(held, labels, path)
