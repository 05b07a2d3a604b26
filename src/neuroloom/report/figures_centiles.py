"""A person's volumes on the centile curves of a reference, by age, and what they were at an earlier scan."""

import numpy as np

from neuroloom.report.svg import INK, drawing, inline_svg
from neuroloom.report.volumes_findings import QUANTITIES, capital, is_outside

MOST = 6
FIRST = ("hippocampus", "lateral_ventricle", "cerebral_cortex", "cerebral_white_matter", "thalamus", "amygdala")
BANDS = (("5", "95", 0.45), ("25", "75", 0.9))
AXES = {"percent_of_icv": "% of ICV", "total_ml": "ml"}


def centiles_figure(record):
    """Return the curves of up to six structures as markup and caption; None without curves or without an age.

    Structures outside the 5th to 95th percentile come first, then those that are looked at most.
    """
    shown = chosen(record) if record.age is not None else []
    if not shown:
        return None
    columns = min(len(shown), 3)
    rows = -(-len(shown) // columns)
    with drawing(3.05 * columns, 2.15 * rows) as figure:
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, one in zip(panels, shown, strict=False):
            _draw(axes, record, one)
        for axes in panels[len(shown) :]:
            axes.remove()
        drawn = inline_svg(figure, "centiles", "Volumes on the centile curves of the reference, by age")
    return {"svg": drawn, "caption": _caption(record, shown)}


def chosen(record):
    """Return the structures to draw, those that are notable first."""
    known = [one for one in record.structures if one.total_ml is not None and not one.flag]
    drawable = [one for one in known if one.percentile and one.percentile.curve]
    order = {name: place for place, name in enumerate(FIRST)}

    def rank(one):
        return not is_outside(one), order.get(one.name, len(order))

    return sorted(drawable, key=rank)[:MOST]


def visits(record, one):
    """Return ages and values of a structure in the curve's quantity, the earlier scan first where there is one.

    The intracranial volume is taken to be what it is now: it does not change in adults.
    """
    scale = 100 / record.intracranial_ml if one.percentile.of == "percent_of_icv" and record.intracranial_ml else 1.0
    ages, values = [record.age], [one.total_ml * scale]
    earlier = [change for change in record.prior.changes if change.name == one.name] if record.prior else []
    if earlier and record.prior.years is not None and earlier[0].before_ml is not None:
        ages, values = [record.age - record.prior.years, *ages], [earlier[0].before_ml * scale, *values]
    return np.array(ages), np.array(values)


def _draw(axes, record, one):
    curve = one.percentile.curve
    for low, high, opacity in BANDS:
        if low in curve.centiles and high in curve.centiles:
            axes.fill_between(
                curve.ages, curve.centiles[low], curve.centiles[high], color=INK["rule"], alpha=opacity, lw=0
            )
    if "50" in curve.centiles:
        axes.plot(curve.ages, curve.centiles["50"], color=INK["muted"], lw=1)
    ages, values = visits(record, one)
    colour = INK["baseline"] if is_outside(one) else INK["deep"]
    axes.plot(ages, values, color=colour, lw=1.4)
    if one.repeatability_percent is not None:
        axes.errorbar(
            ages, values, 1.96 * one.repeatability_percent / 100 * values, fmt="none", ecolor=colour, elinewidth=1.2
        )
    axes.plot(ages[:-1], values[:-1], "o", mfc=INK["surface"], mec=colour, ms=5)
    axes.plot(ages[-1:], values[-1:], "o", color=colour, ms=6)
    axes.set_title(capital(one.words))
    axes.set_xlabel("Age (years)")
    axes.set_ylabel(AXES.get(one.percentile.of, one.percentile.of.replace("_", " ")))
    axes.margins(x=0)


def _caption(record, shown):
    quantity = QUANTITIES.get(shown[0].percentile.of, shown[0].percentile.of.replace("_", " "))
    text = (
        f"Bands: 5th to 95th and 25th to 75th percentile of {record.norms.name if record.norms else 'the reference'}; line: "
        f"50th. Point: this scan, as {quantity}."
    )
    if any(one.repeatability_percent is not None for one in shown):
        text += " Bar: where 19 of 20 measurements of the same brain would lie."
    earlier = any(len(visits(record, one)[0]) > 1 for one in shown)
    return text + (" Open point: the earlier scan, by the intracranial volume of now." if earlier else "")
