"""Centile curves of a reference as a picture, or as a page with what is known of the reference."""

import io
from pathlib import Path

import matplotlib

from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.formats.atomic import atomic_write
from neuroloom.known import check_known
from neuroloom.report.figures_norms import PANELS, norms_figure, norms_panels
from neuroloom.report.page import rendered
from neuroloom.report.svg import INK, STYLE, drawing
from neuroloom.report.wording import number

MOST_IN_A_PICTURE = 12
HEIGHT = 2.9  # inches of one measure


def write_norms(norms, path, measures=None):
    """Write the centile curves of norms as .png or .html, and return the measures drawn.

    Parameters
    ----------
    norms : neuroloom.norms.Norms
    path : str or Path
    measures : sequence of str or None
        None draws all; a picture holds up to 12.
    """
    path = Path(path)
    if path.suffix.lower() not in (".png", ".html"):
        raise FileProblem(path, f"curves are drawn as .png or .html, not as {path.suffix!r}.", "Name it so.")
    measures = list(norms.measures) if measures is None else measures
    for measure in measures:
        check_known(f"measure of {norms.name!r}", measure, norms.measures)
    drawn = _page(norms, measures) if path.suffix.lower() == ".html" else _picture(norms, measures)
    atomic_write(path, drawn)
    return measures


def _picture(norms, measures):
    if len(measures) > MOST_IN_A_PICTURE:
        raise NeuroloomError(
            f"{len(measures)} measures, and {MOST_IN_A_PICTURE} at most in a picture. Choose some with --measures, or "
            "write a page (.html)."
        )
    with drawing(7.6, HEIGHT * len(measures) + 0.4) as figure:
        figure.suptitle(norms.name, fontsize=12, x=0.01, ha="left", color=INK["ink"])
        parts = figure.subfigures(len(measures), 1, squeeze=False)[:, 0]
        for part, measure in zip(parts, measures, strict=True):
            norms_panels(part, norms, measure, only=False)
        held = io.BytesIO()
        with matplotlib.rc_context(STYLE):
            figure.savefig(held, format="png", dpi=150, facecolor=INK["surface"], metadata={"Software": None})
    return held.getvalue()


def _page(norms, measures):
    groups = {
        code: [norms.measures[m].people[code] for m in measures if code in norms.measures[m].people] for code in PANELS
    }
    facts = [
        (
            PANELS[code].capitalize(),
            str(max(group.n for group in held)),
            f"{number(min(group.youngest for group in held), 1)} to {number(max(group.oldest for group in held), 1)} years",
        )
        for code, held in groups.items()
        if held
    ]
    facts.append(("Measures", str(len(measures)), f"of {len(norms.measures)} in the file"))
    figures = [norms_figure(norms, measure, f"norms-{place}") for place, measure in enumerate(measures)]
    told = {"norms": norms, "facts": facts, "figures": figures, "measures": measures, "percent": _percent}
    return rendered("norms_page.html", ["style.css"], **told).encode()


def _percent(share):
    return number(100 * share, 1)
