"""What a cohort's table says of its people, and where it contradicts itself or gives the answer away."""

import re

import numpy as np
import pandas as pd
from scipy import stats

from neuroloom.cohort.check_findings import Finding
from neuroloom.cohort.check_same_rows import same_rows
from neuroloom.errors import listed

OLDEST = 120  # years
FEW = 10  # people in a class, below which nothing can be concluded
CODES = (-9999, -999, -99, 999, 9999)  # that stand for "missing" in tables
ASSOCIATED = (0.01, 0.2)  # largest p and least Cramér's V that are told as a warning
DISTANT = (0.01, 0.5)  # largest p and least Cohen's d


def people_findings(table, target="diagnosis"):
    """Return the findings about a cohort's table.

    Parameters
    ----------
    table : DataFrame
        Of a `Cohort`.
    target : str or None
        Column of the classes.
    """
    found = [*_names(table), *_contradictions(table), *_ages(table), *_sexes(table), *_codes(table)]
    found += _same_records(table)
    if target and target in table and 1 < table[target].nunique() <= 20:
        found += [*_classes(table, target), *_unbalanced(table, target)]
    elif target and target in table and table[target].nunique() == 1:
        only = table[target].dropna().iloc[0]
        text = f"{target} is {only} in all who have one: nothing to tell apart."
        found.append(Finding("warning", "class counts", text))
    return found


def _who(table, rows):
    return tuple(map(str, dict.fromkeys(table.loc[rows, "participant_id"])))


# ---- who is who ------------------------------------------------------------------------------------------


def _names(table):
    """Find participants whose names differ only in how they are written."""
    people = pd.Series(table["participant_id"].astype(str).unique())
    written = people.groupby(people.map(_plain))
    alike = [tuple(names) for _, names in written if len(names) > 1]
    if not alike:
        return []
    text = f"{len(alike)} participants may be here under two names: {listed(' = '.join(names) for names in alike)}."
    who = tuple(name for names in alike for name in names)
    way_out = "If they are one person, give them one participant_id, or the person may be on both sides of a split."
    return [Finding("warning", "names alike", text, who, way_out)]


def _plain(name):
    """Return a name in lower case, without prefix, signs and leading zeros."""
    short = re.sub(r"^(sub|subject|subj|participant|patient)[-_ ]?(?=.)", "", name.strip().lower())
    return re.sub(r"(?<!\d)0+(?=\d)", "", re.sub(r"[^a-z0-9]+", "-", short)) or name


def _contradictions(table):
    found = []
    for column, level, what, way_out in (
        ("site", "warning", "participant at two sites", "A split by site must keep all scans of a person together."),
        ("sex", "error", "participant of two sexes", "One of the rows is wrong, or belongs to another person."),
        ("family_id", "error", "participant in two families", "One of the rows is wrong, or is another person's."),
        ("diagnosis", "note", "diagnosis changes", "If it is the target, each visit counts with its own diagnosis."),
    ):
        if column not in table:
            continue
        several = table.groupby("participant_id", observed=True)[column].nunique()
        who = tuple(map(str, several.index[several > 1]))
        if who:
            values = table.groupby(table["participant_id"].astype(str))[column].unique()
            told = [f"{name} ({', '.join(sorted(map(str, pd.Series(values[name]).dropna())))})" for name in who]
            text = f"{len(who)} of {len(several)} participants: {listed(told)}."
            found.append(Finding(level, what, text, who, way_out))
    return found


def _same_records(table):
    """Find people whose numbers in the table are all the same; running numbers are not compared."""
    numbers = table.select_dtypes("number")
    numbers = numbers.loc[:, [not _is_running(numbers[column]) for column in numbers]]
    if numbers.empty:
        return []
    people = table["participant_id"].astype(str).to_numpy()
    pairs = [(people[i], people[j]) for i, j, _ in same_rows(numbers.to_numpy(dtype=float)) if people[i] != people[j]]
    if not pairs:
        return []
    text = f"{len(pairs)} pairs of participants have the same numbers in {len(numbers.columns)} columns: "
    text += f"{listed(' = '.join(pair) for pair in pairs)}."
    who = tuple(dict.fromkeys(name for pair in pairs for name in pair))
    way_out = "If they are one person, give them one participant_id or leave one out."
    return [Finding("warning", "duplicate participants", text, who, way_out)]


def _is_running(column):
    return column.is_unique and (column.dropna() % 1 == 0).all()


# ---- age and sex -----------------------------------------------------------------------------------------


def _ages(table):
    if "age" not in table:
        return [Finding("note", "age unknown", "no column is, or is taken as, age.")]
    ages = pd.to_numeric(table["age"], errors="coerce")
    found = []
    worded = table["age"].notna() & ages.isna()
    if worded.any():
        text = f"{listed(sorted(set(table.loc[worded, 'age'].astype(str))))} in column age."
        way_out = "Write ages as numbers, in years."
        found.append(Finding("error", "age is not a number", text, _who(table, worded), way_out))
    if ages.isna().any():
        who = _who(table, ages.isna())
        found.append(Finding("note", "age missing", f"{len(who)} participants have no age: {listed(who)}.", who))
    odd = (ages < 0) | (ages > OLDEST)
    if odd.any():
        told = [f"{table['participant_id'][row]} ({ages[row]:g})" for row in table.index[odd]]
        text = f"{int(odd.sum())} of {len(table)} ages are below 0 or above {OLDEST} years: {listed(told)}."
        found.append(Finding("error", "age outside reason", text, _who(table, odd), _age_unit(ages, odd)))
    return found


def _age_unit(ages, odd):
    """Return a way out that says which other unit the ages may have."""
    if (ages[odd] < 0).all():
        return "If the negative number stands for missing, write n/a."
    if odd.mean() > 0.1 and ages.min() >= 0:
        unit = "months" if ages.max() <= 12 * OLDEST else "days"
        return f"They look like {unit}: neuroloom takes age in years. Divide the column, or name another one."
    return "Correct them, or write n/a."


def _sexes(table):
    if "sex" not in table or table["sex"].isna().all():
        return [Finding("note", "sex unknown", "no column is, or is taken as, sex.")]
    found = []
    missing = table["sex"].isna()
    if missing.any():
        who = _who(table, missing)
        found.append(Finding("warning", "sex missing", f"{len(who)} participants have no sex: {listed(who)}.", who))
    others = sorted(set(map(str, table["sex"].dropna())) - {"M", "F"})
    if others:
        text = f"sex holds {listed(others)}, which are not M and F."
        way_out = "Say what they mean in the cohort file: sex: {from: COLUMN, values: {1: M, 2: F}}."
        found.append(Finding("warning", "sex not understood", text, (), way_out))
    return found


def _codes(table):
    """Find columns with numbers that stand for "missing"."""
    coded = {}
    for column in table.select_dtypes("number"):
        if column == "age":
            continue  # told as an age outside reason
        values = table[column].dropna()
        rest = values[~values.isin(CODES)]
        for code in CODES:
            beyond = code < min(rest.min(), 0) or code > 2 * rest.abs().max() if len(rest) else True
            if (values == code).any() and beyond and (len(rest) == 0 or code > 0 or rest.min() >= 0):
                coded[column] = code
    if not coded:
        return []
    text = f"{len(coded)} columns hold a number that seems to stand for 'missing': "
    text += f"{listed(f'{column} ({code})' for column, code in coded.items())}."
    return [Finding("note", "codes for missing", text, (), "Before such a column is used, write n/a in their place.")]


# ---- classes, and what else tells them -------------------------------------------------------------------


def _classes(table, target):
    people = table.dropna(subset=[target]).drop_duplicates(["participant_id", target])
    counts = people[target].value_counts()
    text = f"{target}: {', '.join(f'{count} {name}' for name, count in counts.items())}"
    missing = table[target].isna()
    text += f"; {int(missing.sum())} without." if missing.any() else "."
    small = counts[counts < FEW]
    if len(small):
        way_out = f"Fewer than {FEW} people in a class are too few to conclude anything about it."
        return [Finding("warning", "class counts", text, _who(table, missing), way_out)]
    return [Finding("note", "class counts", text, _who(table, missing))]


def _unbalanced(table, target):
    """Find what differs between the classes beside the disease: site, sex, age."""
    people = table.dropna(subset=[target]).drop_duplicates("participant_id")
    found = [_association(people, column, target) for column in ("site", "sex") if column in people]
    if "age" in people:
        found.append(_difference(people, "age", target))
    return [finding for finding in found if finding]


def _association(people, column, target):
    """Return a finding where a column of words tells the class (chi-squared, Cramér's V)."""
    counts = pd.crosstab(people[column].astype(str), people[target].astype(str))
    if min(counts.shape) < 2:
        return None
    chi2, p = stats.chi2_contingency(counts, correction=False)[:2]
    strength = np.sqrt(chi2 / (counts.to_numpy().sum() * (min(counts.shape) - 1)))
    told = [f"{name} {' / '.join(map(str, row))}" for name, row in zip(counts.index, counts.to_numpy(), strict=True)]
    text = f"{target} by {column} ({' / '.join(counts.columns)}): {listed(told)}; Cramér's V {strength:.2f}, p {_p(p)}."
    alone = [str(name) for name, row in zip(counts.index, counts.to_numpy(), strict=True) if (row > 0).sum() == 1]
    if p < ASSOCIATED[0] and strength > ASSOCIATED[1]:
        way_out = f"A model may learn {column} instead: keep it among validation.confounds and read its score."
        if alone:
            text += f" One class only: {listed(alone)}."
        return Finding("warning", f"{column} tells {target}", text, (), way_out)
    if alone and column == "site":
        text += f" One class only: {listed(alone)}."
        return Finding("warning", "site with one class", text, (), "Such a site cannot be scored alone.")
    return Finding("note", f"{target} by {column}", text)


def _difference(people, column, target):
    """Return a finding where a number differs between the classes (rank test; Cohen's d of the farthest two)."""
    values = pd.to_numeric(people[column], errors="coerce")
    groups = {name: group.dropna().to_numpy() for name, group in values.groupby(people[target].astype(str))}
    groups = {name: group for name, group in groups.items() if len(group) > 1}
    if len(groups) < 2 or values.nunique() < 2:
        return None
    p = stats.kruskal(*groups.values()).pvalue
    low, high = (pick(groups, key=lambda name: groups[name].mean()) for pick in (min, max))
    spread = np.sqrt((groups[low].var(ddof=1) + groups[high].var(ddof=1)) / 2)
    d = (groups[high].mean() - groups[low].mean()) / spread if spread > 0 else np.inf
    told = [f"{name} {group.mean():.1f} ± {group.std(ddof=1):.1f}" for name, group in groups.items()]
    text = f"{column} by {target}: {', '.join(told)}; d {d:.2f}, p {_p(p)}."
    if p < DISTANT[0] and d > DISTANT[1]:
        way_out = f"A model may learn {column} instead: keep it among validation.confounds and read its score."
        return Finding("warning", f"{column} tells {target}", text, (), way_out)
    return Finding("note", f"{column} by {target}", text)


def _p(p):
    return "< .001" if p < 0.001 else f"{p:.3f}".lstrip("0")


# ---- what the files give away ----------------------------------------------------------------------------


def give_away_findings(name, alike, table, target="diagnosis"):
    """Find measured facts (length, sampling period, voxel size, shape) that name the site or the class.

    Each person's site is guessed from the others with the same value, so that a value of their own says nothing.

    Parameters
    ----------
    name : str
        Of the input.
    alike : dict
        Fact -> {sample: value as text}.
    table : DataFrame
    target : str or None
    """
    found = []
    for column in ("site", target):
        if column is None or column not in table or not 2 <= table[column].nunique() <= 50:
            continue
        for fact, values in alike.items():
            known = pd.DataFrame({"value": pd.Series(values), "truth": table[column]}).dropna().astype(str)
            finding = _give_away(name, fact, column, known)
            if finding:
                found.append(finding)
    return found


def _give_away(name, fact, column, known):
    counts = pd.crosstab(known["value"], known["truth"])
    if min(counts.shape) < 2:
        return None
    right, usual = _guessed(counts), int(counts.sum().max())
    p = stats.binomtest(right, len(known), usual / len(known), alternative="greater").pvalue
    if p > 1e-3 or right < usual + 0.1 * len(known):
        return None
    text = (
        f"the {fact} of {name} names the {column} of {right} of {len(known)} "
        f"(who always guesses the largest gets {usual})."
    )
    way_out = f"Make it alike, or take it as a confound: else a model that sees it may learn {column}."
    return Finding("warning", f"{fact} names the {column}", text, (), way_out)


def _guessed(counts):
    """Return how many are right who guess the commonest truth among the others with their value."""
    right = 0
    for row in counts.to_numpy():
        for truth, count in enumerate(row):
            others = row.copy()
            others[truth] -= 1
            right += int(count) * int(count > 0 and others.max() > 0 and others.argmax() == truth)
    return right
