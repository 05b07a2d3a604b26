"""Fit norms: for each measure of a reference, centile curves by age and sex."""

import numpy as np
from scipy import stats

from neuroloom.errors import NeuroloomError, listed
from neuroloom.norms import shash
from neuroloom.norms.design import Design
from neuroloom.norms.measure import TO_LINE, BelowLines, Group, MeasureNorm
from neuroloom.norms.norms import Norms
from neuroloom.norms.penalised import fit_penalised, parameters_of
from neuroloom.norms.reference import read_reference

LINES = (5, 50, 95)  # percent, of the shares that are told


def fit_norms(table, measures=None, *, name, age=None, sex=None, person=None, on_progress=None, on_note=None):
    """Return centile curves of measures by age and sex, fitted on the people of a table.

    Each measure has the sinh-arcsinh law (`neuroloom.norms.shash`), whose median and scale are smooth curves over age
    with terms of sex, whose skewness is a line over age and whose tails are constant (`neuroloom.norms.design`). The
    smoothness is found from the data (`neuroloom.norms.penalised`).

    Parameters
    ----------
    table : DataFrame
        A row a person.
    measures : sequence of str or None
        Columns or patterns; None takes every column of numbers that has no other meaning.
    name : str
        What the reference is called. Percentiles are always told with it.
    age, sex, person : str or None
        Columns: years; words for the sex (M, F, male, female ...); names of the people. None takes each by its usual
        words (`neuroloom.cohort.words`).
    on_progress : callable or None
        Called with (what, done, of).
    on_note : callable or None
        Called with each text of what was taken for what, and who was left out. Names of people are told and not kept.

    Returns
    -------
    Norms
    """
    if not name.strip():
        raise NeuroloomError("a reference needs a name: percentiles are told with it.")
    reference = read_reference(table, measures, age=age, sex=sex, person=person)
    for note in reference.told() if on_note else ():
        on_note(note)
    fitted = {}
    for measure in reference.values:
        known = np.isfinite(reference.values[measure].to_numpy())
        values = reference.values[measure].to_numpy()[known]
        try:
            fitted[measure] = fit_measure(values, reference.age[known], reference.sex[known])
        except NeuroloomError as error:
            odd = reference.people[known][np.argsort(-np.abs(values - np.median(values)))[:3]]
            raise NeuroloomError(
                f"measure {measure!r}: {error} A value that cannot be may be the cause; furthest from the others are "
                f"{listed(odd)}."
            ) from None
        if on_progress:
            on_progress("measures", len(fitted), reference.values.shape[1])
    return Norms(name=name.strip(), fingerprint=reference.fingerprint(), measures=fitted, notes=reference.notes)


def fit_measure(values, age, sex):
    """Return the `MeasureNorm` of values (n,) at ages (n,) and sexes (n,) of F and M; none is missing.

    Where all values are positive the curves are also fitted on their logarithms, and the scale is taken that Akaike's
    criterion prefers: what grows in proportion (ventricles) is log-normal, and its skewness follows its spread.
    """
    linear = _fit_on("linear", values, age, sex)
    if values.min() <= 0:
        return linear
    on_log = _fit_on("log", values, age, sex)
    return max(linear, on_log, key=lambda norm: norm.log_likelihood - sum(norm.freedom.values()))


def _fit_on(units, values, age, sex):
    x = TO_LINE[units](values)
    low, centre, high = np.quantile(x, [0.25, 0.5, 0.75])
    scale = (high - low) / (2 * stats.norm.ppf(0.75))
    y = (x - centre) / scale
    people = {code: Group(**_group(age[sex == code])) for code in sorted(set(sex.tolist()))}
    youngest, oldest = min(g.youngest for g in people.values()), max(g.oldest for g in people.values())
    design = Design(youngest, oldest, len(people) == 2)
    columns = design.columns(age, sex)
    fitted = fit_penalised(y, columns, design)
    stretch = np.log(scale) * len(y) + (x.sum() if units == "log" else 0.0)
    return MeasureNorm(
        people=people,
        units=units,
        centre=centre,
        scale=scale,
        coefficients=tuple(fitted.coefficients),
        covariance=tuple(fitted.covariance[np.tril_indices(len(fitted.coefficients))]),
        freedom=fitted.freedom,
        log_likelihood=fitted.log_likelihood - stretch,
        thirds=_thirds(y, age, parameters_of(columns, fitted.coefficients)),
    )


def _group(age):
    """Return how many people of which ages: years, outward to a tenth."""
    return {"n": len(age), "youngest": np.floor(10 * age.min()) / 10, "oldest": np.ceil(10 * age.max()) / 10}


def _thirds(y, age, parameters):
    """Return the shares below the lines by third of age."""
    below = [y < shash.quantile(stats.norm.ppf(line / 100), parameters) for line in LINES]
    ends = np.quantile(age, [1 / 3, 2 / 3])
    third = np.searchsorted(ends, age)
    found = []
    for here in (third == number for number in range(3) if (third == number).any()):
        shares = {f"below_{line}": float(one[here].mean()) for line, one in zip(LINES, below, strict=True)}
        found.append(BelowLines(**_group(age[here]), **shares))  # a third may be of one age: whole years
    return tuple(found)
