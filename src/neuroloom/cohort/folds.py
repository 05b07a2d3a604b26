"""Folds: who may sit together. Three parts (fit, tune, test), disjoint in the unit of claim."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from neuroloom.cohort.apart import apart
from neuroloom.errors import LeakError, NeuroloomError, listed
from neuroloom.known import check_known
from neuroloom.seeds import generator

UNITS = {  # unit of claim -> columns that together name one unit
    "participant": ("participant_id",),
    "family": ("family_id",),
    "site": ("site",),
    "session": ("participant_id", "session_id"),
    "run": ("participant_id", "session_id", "run_id"),
    "block": ("participant_id", "block"),
    "sample": ("sample_id",),
}
WITHIN_PERSON = ("session", "run", "block")  # units that are claimed for one person, not for new ones
PARTS = ("fit", "tune", "test")
SPLITS = ("kfold", "leave_site_out", "leave_one_out", "holdout")


@dataclass(frozen=True)
class Fold:
    """Row numbers of a cohort in three parts, disjoint in ``unit``.

    ``fit`` is learned from, ``tune`` chooses (epoch, calibration), ``test`` is scored once.
    """

    repeat: int
    index: int
    fit: np.ndarray
    tune: np.ndarray
    test: np.ndarray
    unit: str
    name: str = ""

    @property
    def key(self):
        return f"{self.repeat}-{self.index}"


def make_folds(
    cohort,
    target,
    *,
    unit="participant",
    split="kfold",
    n_folds=5,
    repeats=1,
    tune=0.15,
    seed=0,
    within=None,
    stretches=None,
):
    """Return the folds of a cohort; a family is never divided where the cohort knows families.

    Parameters
    ----------
    cohort : Cohort
    target : Target
        Folds are balanced in its classes, or in fifths of its numbers, and in sites.
    unit : str
        What a score may be claimed for, one of ``UNITS``.
    split : str
        ``kfold``, ``leave_site_out``, ``leave_one_out`` (unit by unit) or ``holdout`` (the first of
        ``n_folds`` parts is the test).
    n_folds, repeats : int
    tune : float
        Share of the units outside the test part that choose but are not learned from.
    seed : int
    within : "participant" or None
        Folds of each person alone, whose learners see nobody else.
    stretches : Stretches or None
        When samples were recorded: what lies too near to a test sample in time is in no part of its fold.

    Returns
    -------
    list of Fold
    """
    check_known("unit", unit, UNITS)
    check_known("split", split, SPLITS)
    how = {"unit": unit, "split": split, "n_folds": n_folds, "repeats": repeats, "tune": tune, "seed": seed}
    folds = _of_all(cohort, target, **how) if within is None else _of_each(cohort, target, within, **how)
    if stretches is not None:
        folds = [_kept_apart(fold, stretches, cohort) for fold in folds]
    check_folds(folds, cohort)
    return folds


def _of_each(cohort, target, within, *, unit, **how):
    """Return the folds of each person by itself, numbered on."""
    if unit not in WITHIN_PERSON:
        raise NeuroloomError(
            f"validation.within={within} learns from one person at a time, so the unit of claim must lie inside a person "
            f"({', '.join(WITHIN_PERSON)}), not be {unit!r}."
        )
    who, folds = cohort.table["participant_id"].astype(str), []
    for person in who.unique():
        rows = np.flatnonzero(who == person)
        own = replace(target, values=target.values[rows])
        found = _of_all(replace(cohort.subset(rows), name=f"{cohort.name}, {person}"), own, unit=unit, **how)
        index = 1 + max((fold.index for fold in folds), default=-1)
        folds += [
            replace(fold, index=index + fold.index, name=person, **{part: rows[getattr(fold, part)] for part in PARTS})
            for fold in found
        ]
    return folds


def _kept_apart(fold, stretches, cohort):
    """Return a fold without those rows that lie too near to a test row in time."""
    left = {part: rows[apart(stretches, rows, fold.test)] for part, rows in (("fit", fold.fit), ("tune", fold.tune))}
    if not len(left["fit"]):
        raise NeuroloomError(
            f"{cohort.name}: every sample of a fit part lies within {stretches.gap:g} s of a test sample. Use a smaller "
            "validation.gap, fewer folds, or a unit that keeps them apart."
        )
    return replace(fold, **left)


def _of_all(cohort, target, *, unit, split, n_folds, repeats, tune, seed):
    groups = unit_groups(cohort, unit)
    strata = _strata(cohort, target)
    folds = []
    for repeat in range(repeats if split in ("kfold", "holdout") else 1):
        draw = generator(seed, "folds", repeat)
        for index, (name, test) in enumerate(_test_parts(cohort, target, groups, strata, split, n_folds, draw)):
            rest = np.setdiff1d(np.arange(len(cohort)), test)
            fit, tuned = _tune_part(rest, groups, strata, tune, generator(seed, "tune", repeat, index))
            folds.append(Fold(repeat, index, fit, tuned, test, unit, name=name))
    return folds


def unit_groups(cohort, unit):
    """Return a group number for each row: rows that share a unit, or a family, share a group."""
    keys = [_unit_key(cohort, unit)]
    if unit in ("participant", "family") and "family_id" in cohort.table:
        family = cohort.table["family_id"]
        keys.append(family.where(family.notna(), "alone " + keys[0]).astype(str))
    if unit == "family":
        keys.append(cohort.table["participant_id"].astype(str))
    return _connected([pd.factorize(key)[0] for key in keys])


def _unit_key(cohort, unit):
    table = cohort.table.reset_index()
    columns = columns_of_unit(unit, table)
    missing = [column for column in columns if column not in table]
    if missing:
        raise NeuroloomError(
            f"{cohort.name}: unit {unit!r} needs the column {missing[0]!r}, which this cohort does not have. "
            f"Name it in cohort.yaml under columns, or choose another validation.unit ({', '.join(UNITS)})."
        )
    if unit == "site":
        _refuse_unknown_sites(cohort)
    key = table[columns[0]].astype(str)
    for column in columns[1:]:
        key = key + "|" + table[column].astype(str)
    alone = table[columns].isna().any(axis=1)  # whose unit is not known is a unit of its own
    return key.where(~alone, "alone " + table["sample_id"]).set_axis(cohort.table.index)


def columns_of_unit(unit, table):
    """Return the columns that name a unit together; one between the first and the last only where the table has it."""
    between = UNITS[unit][1:-1]
    return [column for column in UNITS[unit] if column not in between or column in table]


def _refuse_unknown_sites(cohort):
    nowhere = cohort.table.index[cohort.table["site"].isna()]
    if len(nowhere):
        raise NeuroloomError(
            f"{cohort.name}: {len(nowhere)} of {len(cohort)} samples have no site: {listed(nowhere)}. "
            "Fill the column, or leave them out with --set 'cohort.where=known(site)'."
        )


def _connected(keys):
    """Return the connected components of rows that share any of several keys."""
    group = keys[0].copy()
    while True:
        before = group.copy()
        for key in keys:
            smallest = pd.Series(group).groupby(key).transform("min").to_numpy()
            group = np.minimum(group, smallest)
        if np.array_equal(group, before):
            return np.unique(group, return_inverse=True)[1]


def _strata(cohort, target):
    """Return a number for each row: its class, or the fifth its number lies in, within its site."""
    if target.kind != "number":
        level = target.values
    else:
        level = pd.qcut(pd.Series(target.values).rank(method="first"), 5, labels=False).to_numpy()
    if "site" not in cohort.table:
        return level
    site = cohort.table["site"].astype(str).fillna("unknown")
    return pd.factorize(site + "|" + pd.Series(level, cohort.table.index).astype(str))[0]


def _deal(groups, strata, n_parts, draw):
    """Deal whole groups to parts, stratum by stratum, so that parts are alike; return a part for each row.

    A group of several strata is dealt with that of them which fewest groups have, or of equals its first.
    """
    rows = pd.DataFrame({"group": groups, "stratum": strata})
    rows["n_groups"] = rows.groupby("stratum")["group"].transform("nunique")
    first = rows.sort_values("n_groups", kind="stable").groupby("group")["stratum"].first()
    part_of, turn = {}, int(draw.integers(n_parts))
    for stratum in np.unique(first):
        members = draw.permutation(first.index[first == stratum].to_numpy())
        for member in members:
            part_of[member] = turn % n_parts
            turn += 1
    return np.array([part_of[group] for group in groups])


def _test_parts(cohort, target, groups, strata, split, n_folds, draw):
    if split == "leave_site_out":
        return _site_parts(cohort)
    if split == "leave_one_out":
        return [("", np.flatnonzero(groups == group)) for group in np.unique(groups)]
    _check_enough(cohort, target, groups, n_folds)
    part = _deal(groups, strata, n_folds, draw)
    parts = [("", np.flatnonzero(part == index)) for index in range(n_folds)]
    return parts[:1] if split == "holdout" else parts


def _site_parts(cohort):
    if "site" not in cohort.table or cohort.table["site"].nunique() < 2:
        raise NeuroloomError(
            f"{cohort.name}: leave_site_out needs two sites or more in the column 'site'. "
            "Name the column in cohort.yaml, or use --set validation.split=kfold."
        )
    _refuse_unknown_sites(cohort)
    sites = cohort.table["site"].astype(str)
    return [(site, np.flatnonzero(sites == site)) for site in sorted(sites.unique())]


def _check_enough(cohort, target, groups, n_folds):
    n_units = len(np.unique(groups))
    if n_folds < 2 or n_units < n_folds:
        way_out = (
            f"Use --set validation.folds={min(5, n_units)}" if n_units > 1 else "Folds need two units or more: add some"
        )
        raise NeuroloomError(
            f"{cohort.name}: {n_units} unit{'s' if n_units > 1 else ''} cannot be split into {n_folds} folds. {way_out}, or "
            f"leave this out with cohort.where.{_left_out(cohort)}"
        )
    if target.kind != "class":
        return
    for number, name in enumerate(target.classes):
        n_class = len(np.unique(groups[target.values == number]))
        if n_class < n_folds:
            way_out = (
                f"Use --set validation.folds={n_class}, or leave" if n_class > 1 else "No number of folds helps: leave"
            )
            raise NeuroloomError(
                f"{cohort.name}: class {name!r} of {target.name!r} has {n_class} unit{'s' if n_class != 1 else ''}, fewer than "
                f"the {n_folds} folds, so some folds could not be scored. {way_out} this out with cohort.where."
                f"{_left_out(cohort)}"
            )


def _left_out(cohort):
    """Return what was left out before, for an error; the last words of what is too little."""
    return f" Before that: {'; '.join(cohort.notes[-3:])}." if cohort.notes else ""


def _tune_part(rest, groups, strata, share, draw):
    """Return the fit and tune rows among those outside the test part."""
    n_units = len(np.unique(groups[rest]))
    if share <= 0 or n_units < 2:
        return rest, rest[:0]
    n_parts = max(2, min(round(1 / share), n_units))  # of few units, one
    part = _deal(groups[rest], strata[rest], n_parts, draw)
    return rest[part != 0], rest[part == 0]


def check_folds(folds, cohort):
    """Raise `LeakError` when a unit (or a family) stands in two parts of one fold, naming who."""
    people = cohort.table["participant_id"].astype(str).to_numpy()
    for fold in folds:
        groups = unit_groups(cohort, fold.unit)
        parts = {"fit": fold.fit, "tune": fold.tune, "test": fold.test}
        for one, other in (("fit", "test"), ("tune", "test"), ("fit", "tune")):
            there = groups[parts[other]]
            shared = np.isin(there, groups[parts[one]])
            if shared.any():
                n_shared, n_there = len(np.unique(there[shared])), len(np.unique(there))
                raise LeakError(
                    f"{n_shared} of the {n_there} units of the {other} part are also in the {one} part: "
                    f"{listed(sorted(set(people[parts[other]][shared])))}. Split by {fold.unit}, not by scan."
                )


def folds_table(folds, cohort):
    """Return folds as a long table: sample_id, participant_id, repeat, fold, part."""
    frames = []
    for fold in folds:
        for part in PARTS:
            rows = cohort.table.iloc[getattr(fold, part)]
            frames.append(
                pd.DataFrame(
                    {
                        "sample_id": rows.index,
                        "participant_id": rows["participant_id"].to_numpy(),
                        "repeat": fold.repeat,
                        "fold": fold.index,
                        "part": part,
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)
