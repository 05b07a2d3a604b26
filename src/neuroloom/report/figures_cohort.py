"""Who takes part: ages by class and by sex."""

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from neuroloom.report.svg import INK, drawing, inline_svg

COLOURS = ("deep", "baseline", "baseline-2", "baseline-3", "confounds")


def age_counts(ages, groups):
    """Return bin edges (years) and, for each group, how many people each bin holds.

    Parameters
    ----------
    ages : Series of float
        Years; missing ones are left out.
    groups : Series
        Class or sex of each row.

    Returns
    -------
    edges : ndarray
        Round numbers of years.
    counts : dict
        Group -> ndarray of counts.
    """
    known = ages.notna() & groups.notna()
    ages, groups = ages[known].to_numpy(float), groups[known].astype(str).to_numpy()
    edges = _round_edges(ages)
    return edges, {name: np.histogram(ages[groups == name], edges)[0] for name in sorted(set(groups))}


def ages_figure(record):
    """Return histograms of age by class and by sex as markup and caption, or None without ages."""
    people = people_of(record)
    if "age" not in people or people["age"].notna().sum() < 2:
        return None
    panels = {}
    if record.is_classification and record.target.get("name") in people:
        panels[f"Age by {record.target['name']}"] = people[record.target["name"]]
    if "sex" in people and people["sex"].notna().any():
        panels["Age by sex"] = people["sex"]
    panels = panels or {"Age": pd.Series("people", index=people.index)}
    with drawing(4.6 * len(panels), 2.7) as figure:
        for axes, (title, groups) in zip(np.ravel(figure.subplots(1, len(panels))), panels.items(), strict=True):
            _draw_groups(axes, *age_counts(people["age"], groups))
            axes.set_title(title)
            axes.set(xlabel="Age (years)", ylabel="People")
        drawn = inline_svg(figure, "ages", "Ages of the cohort")
    return {"svg": drawn, "caption": "Each person once, at the first visit where there are several."}


def people_of(record):
    """Return the cohort's table with one row a participant: the first sample of each."""
    if record.cohort.empty or "participant_id" not in record.cohort:
        return record.cohort
    return record.cohort.drop_duplicates("participant_id")


def holders_of_target(record):
    """Return the rows that hold the truth: one a participant, or every sample where it varies inside participants."""
    people, name = people_of(record), record.target.get("name")
    if len(people) and name in people and (record.cohort.groupby("participant_id")[name].nunique() > 1).any():
        return record.cohort
    return people


def _round_edges(ages):
    span = max(np.ptp(ages), 1.0)
    width = next(width for width in (0.5, 1, 2, 2.5, 5, 10, 20, np.inf) if span / width <= 16)
    low = np.floor(ages.min() / width) * width
    return np.arange(low, ages.max() + 1.001 * width, width)


def _draw_groups(axes, edges, counts):
    """Draw one outline a group: outlines can be told apart where bars would hide one another."""
    for name, colour in zip(counts, COLOURS, strict=False):
        label = f"{name} (n = {counts[name].sum()})"
        axes.stairs(counts[name], edges, fill=True, color=INK[colour], alpha=0.13)
        axes.stairs(counts[name], edges, color=INK[colour], linewidth=1.7, label=label)
    axes.grid(True, axis="y")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.set_ylim(0, 1.25 * max(count.max() for count in counts.values()))
    axes.legend(loc="upper right", handlelength=1.2, ncols=min(len(counts), 2))
