"""The centile curves of a reference over age, a panel for each sex."""

import numpy as np

from neuroloom.report.svg import INK, drawing, inline_svg

CENTILES = (5, 25, 50, 75, 95)
WIDTHS = {5: 1.0, 25: 0.8, 50: 1.8, 75: 0.8, 95: 1.0}
PANELS = {"F": "women", "M": "men"}
N_AGES = 61


def norms_panels(figure, norms, measure, only=True):
    """Draw the curves of one measure into a figure (or part of one), a panel for each sex of the reference.

    Parameters
    ----------
    figure : matplotlib.figure.Figure or SubFigure
    norms : neuroloom.norms.Norms
    measure : str
    only : bool
        Whether nothing else is in the figure, so that it needs no name above it.
    """
    people = norms.measures[measure].people
    panels = figure.subplots(1, len(people), sharex=True, sharey=True, squeeze=False)[0]
    for axes, code in zip(panels, (code for code in PANELS if code in people), strict=True):
        _draw(axes, norms, measure, code)
        axes.set_title(f"{PANELS[code].capitalize()} (n = {people[code].n})", fontweight="normal")
        axes.set_xlabel("Age (years)")
    panels[0].ticklabel_format(axis="y", style="plain", useOffset=False)
    panels[0].set_ylabel(measure.replace("_", " "))
    if not only:
        figure.suptitle(measure, fontsize=10.5, fontweight="bold", x=0.01, ha="left", color=INK["ink"])


def norms_figure(norms, measure, name):
    """Return the curves of one measure as markup and caption."""
    with drawing(7.6, 3.1) as figure:
        norms_panels(figure, norms, measure)
        drawn = inline_svg(figure, name, f"Centile curves of {measure} over age, {norms.name}")
    return {"svg": drawn, "title": measure}


def _draw(axes, norms, measure, code):
    ages = np.linspace(*norms.ages(measure, code), N_AGES)
    ends = norms.curve_interval(measure, code, ages, (5, 50, 95))
    for low, high in zip(*ends, strict=True):
        axes.fill_between(ages, low, high, color=INK["deep"], alpha=0.14, linewidth=0)
    for centile, line in zip(CENTILES, norms.curve(measure, code, ages, CENTILES), strict=True):
        axes.plot(ages, line, color=INK["deep"], linewidth=WIDTHS[centile])
        axes.annotate(
            f"{centile} %", (ages[-1], line[-1]), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8
        )
    axes.grid(True)
    axes.margins(x=0.02)
