"""How much each structure changed a year since an earlier scan, beside the least change that can be told."""

import numpy as np

from neuroloom.report.svg import INK, drawing, inline_svg
from neuroloom.report.volumes_findings import capital, usable


def changes_figure(record):
    """Return the changes of structures as markup and caption; None without an earlier scan, or where all are flagged."""
    good = {one.name for one in usable(record)}
    changes = record.prior.changes if record.prior else []
    known = [one for one in changes if one.percent_per_year is not None and one.name in good]
    if not known:
        return None
    known = sorted(known, key=lambda one: one.percent_per_year)
    places = np.arange(len(known))
    values = np.array([one.percent_per_year for one in known])
    least = np.array([one.least_percent_per_year or 0.0 for one in known])
    with drawing(6.4, 0.62 + 0.215 * len(known)) as figure:
        axes = figure.subplots()
        axes.barh(places, 2 * least, left=-least, height=0.62, color=INK["rule"])
        axes.axvline(0, color=INK["muted"], lw=0.8)
        changed = np.array([one.changed for one in known])
        for where, colour in ((~changed, INK["deep"]), (changed, INK["baseline"])):
            axes.plot(values[where], places[where], "o", color=colour, ms=5)
        axes.set_yticks(places, [capital(one.words) for one in known])
        axes.set_ylim(len(known) - 0.4, -0.6)
        axes.set_xlabel("Change, % a year")
        drawn = inline_svg(figure, "changes", "Change of each structure a year")
    return {"svg": drawn, "caption": _caption(record)}


def _caption(record):
    years = "" if record.prior.years is None else f", {record.prior.years:.1f} years before"
    return (
        f"Since {record.prior.scan}{years}. Grey: changes that the error of measuring alone explains; "
        "points beyond it (orange) changed."
    )
