"""The table of a scan's structures: for the page, and as a file with every digit."""

import pandas as pd
from markupsafe import Markup

from neuroloom.formats.tables import write_table
from neuroloom.report.structure_colours import colour_of, css
from neuroloom.report.volumes_findings import HIGH, LOW, asymmetric, capital, is_outside, usable
from neuroloom.report.wording import ABSENT, defined, millilitres, number

STRIP = 110.0  # units of a strip's width: a percentile is as many parts of a hundred of it


def volumes_frame(record):
    """Return the structures of a `VolumesRecord` as a DataFrame, a row each: ml, percentages 0 to 100, NaN where unknown."""
    return pd.DataFrame([_frame_row(one) for one in record.structures])


def _frame_row(one):
    held = one.percentile
    return {
        "structure": one.name,
        "left_ml": one.left_ml,
        "right_ml": one.right_ml,
        "total_ml": one.total_ml,
        "asymmetry_percent": one.asymmetry_percent,
        "percent_of_icv": one.percent_of_icv,
        "repeatability_percent": one.repeatability_percent,
        "percentile": held and held.value,
        "percentile_low": held and held.low,
        "percentile_high": held and held.high,
        "quality": one.quality,
        "flag": one.flag,
    }


def write_volumes_tables(folder, name, record):
    """Write ``NAME_volumes.tsv`` and ``NAME_volumes.csv``."""
    frame = volumes_frame(record)
    for ending in ("tsv", "csv"):
        write_table(folder / f"{name}_volumes.{ending}", frame)


def volumes_rows(record):
    """Return what the page's table shows, a dict a structure; a change only where there is an earlier scan."""
    changes = {one.name: one for one in record.prior.changes} if record.prior else {}
    told = usable(record)
    marks = {
        "asymmetric": {one.name for one in asymmetric(record)},
        "outside": {one.name for one in told if is_outside(one)},
        "changed": {one.name for one in told if one.name in changes and changes[one.name].changed},
    }
    return [
        {**_row(one, changes.get(one.name)), **{mark: one.name in names for mark, names in marks.items()}}
        for one in record.structures
    ]


def _row(one, change):
    return {
        "name": capital(one.words),
        "colour": css(colour_of(one.name)),
        "left": millilitres(one.left_ml),
        "right": millilitres(one.right_ml),
        "total": millilitres(one.total_ml),
        "asymmetry": signed(one.asymmetry_percent),
        "icv": number(one.percent_of_icv, 2),
        "strip": strip(one),
        "percentile": percentile_words(one.percentile),
        "change": None if change is None else signed(change.percent_per_year),
        "quality": number(one.quality),
        "flag": one.flag or "",
    }


def signed(value):
    """Return a percentage with its sign and one decimal."""
    if defined(value) is None:
        return ABSENT
    return ("+" if round(value, 1) > 0 else "") + number(value, 1)


def percentile_words(held):
    """Return a percentile as it is read: whole, but ``< 1`` and ``> 99`` at the ends."""
    if held is None:
        return ABSENT
    return "< 1" if held.value < 1 else "> 99" if held.value > 99 else number(held.value, 0)


def strip(one):
    """Return a drawing of where a percentile lies, 0 to 100, with its interval; nothing where there is none.

    The pale band is the 5th to 95th percentile, the darker one the 25th to 75th, the line the 50th.
    """
    if one.percentile is None:
        return Markup("")
    value, low, high = one.percentile.value, one.percentile.low, one.percentile.high
    colour = "muted" if one.flag else "baseline" if is_outside(one) else "deep"
    parts = [
        _band(0, 100, "rule", 0.35),
        _band(LOW, HIGH, "rule", 0.8),
        _band(25, 75, "muted", 0.45),
        f'<rect x="{_x(50) - 0.4:.1f}" y="2" width="0.8" height="10" fill="var(--surface)"/>',
    ]
    if low is not None and high is not None:
        parts.append(
            f'<rect x="{_x(low):.1f}" y="6.2" width="{max(_x(high) - _x(low), 0.8):.1f}" height="1.6" fill="var(--{colour})"/>'
        )
    parts.append(
        f'<circle cx="{_x(value):.1f}" cy="7" r="3.4" fill="var(--{colour})" stroke="var(--surface)" stroke-width="0.8"/>'
    )
    label = f"percentile {number(value, 1)}"
    return Markup(
        f'<svg class="strip" role="img" aria-label="{label}" width="{STRIP + 8:.0f}" height="14" '
        f'viewBox="-4 0 {STRIP + 8:.0f} 14">{"".join(parts)}</svg>'
    )


def _band(low, high, colour, opacity):
    return (
        f'<rect x="{_x(low):.1f}" y="2" width="{_x(high) - _x(low):.1f}" height="10" fill="var(--{colour})" '
        f'fill-opacity="{opacity}"/>'
    )


def _x(percentile):
    return min(max(percentile, 0.0), 100.0) / 100 * STRIP
