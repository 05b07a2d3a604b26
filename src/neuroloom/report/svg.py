"""From a matplotlib figure to an SVG that lives inside the page and takes the page's colours.

Every colour of ``INK`` is written by matplotlib as itself and then replaced by a CSS variable of the page,
so that one figure reads well on a light screen, on a dark screen and on paper.
"""

import io
import re
import warnings
from contextlib import contextmanager

import matplotlib
from markupsafe import Markup, escape
from matplotlib.figure import Figure

# what a colour is for -> the colour that is drawn; style.css gives each a light, a dark and a printed value
INK = {
    "ink": "#1b1e23",
    "muted": "#5d6570",
    "rule": "#d5d9df",
    "surface": "#fdfdfc",
    "deep": "#1b66a8",
    "baseline": "#b35c00",
    "baseline-2": "#2a7f4f",
    "baseline-3": "#7a4fa3",
    "confounds": "#6b7281",
    "planted": "#c2185b",
}
ROLES = {
    "deep": ("deep",),
    "last epoch": ("deep",),
    "baseline": ("baseline", "baseline-2", "baseline-3"),
    "confounds": ("confounds",),
}

STYLE = {
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and copied
    "svg.hashsalt": "neuroloom",
    "text.parse_math": False,  # a site may be called $1$
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelsize": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK["muted"],
    "axes.labelcolor": INK["ink"],
    "axes.titlecolor": INK["ink"],
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "text.color": INK["ink"],
    "xtick.color": INK["muted"],
    "ytick.color": INK["muted"],
    "xtick.labelcolor": INK["ink"],
    "ytick.labelcolor": INK["ink"],
    "axes.linewidth": 0.8,
    "grid.color": INK["rule"],
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.8,
    "axes.axisbelow": True,
}


@contextmanager
def drawing(width, height, **arguments):
    """Give a figure of ``width`` x ``height`` inches in the page's style, for the time of a ``with`` block."""
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        # names in any script: matplotlib measures with its own font, the browser draws with the reader's
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        yield Figure(figsize=(width, height), layout="constrained", **arguments)


def inline_svg(figure, name, title):
    """Return the figure as markup for the page.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    name : str
        Unique on the page: it keeps the ids inside one figure apart from those of another.
    title : str
        What a reader who cannot see the figure is told.
    """
    held = io.BytesIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with matplotlib.rc_context(STYLE):
        figure.savefig(held, format="svg", metadata=nothing, transparent=True)
    drawn = held.getvalue().decode()
    body = drawn[drawn.index(">", drawn.index("<svg")) + 1 :]
    body = re.sub(r"<style.*?</style>", "", body, count=1, flags=re.DOTALL)
    width, height = (72 * inches for inches in figure.get_size_inches())
    opening = (
        f'<svg class="figure" role="img" aria-label="{escape(title)}" '
        f'viewBox="0 0 {width:g} {height:g}" style="max-width: {width * 4 / 3:.0f}px">'
    )
    return Markup(opening + _with_own_ids(_with_page_colours(body), name))


def learner_colours(learners):
    """Return learner -> name of its colour in ``INK``, by role; a fourth baseline takes the first's colour.

    Parameters
    ----------
    learners : dict
        Learner -> {"role": deep, baseline or confounds, ...}, as in metrics.json.
    """
    used = dict.fromkeys(ROLES, 0)
    colours = {}
    for learner, told in learners.items():
        role = told.get("role", "baseline")
        colours[learner] = ROLES[role][used[role] % len(ROLES[role])]
        used[role] += 1
    return colours


def for_paper(page):
    """Return a page whose drawings hold their colours themselves, for programs that know no CSS variables in SVG."""
    return re.sub(r"<svg.*?</svg>", lambda found: _with_own_colours(found[0]), page, flags=re.DOTALL)


def _with_own_colours(drawn):
    for name, colour in INK.items():
        drawn = drawn.replace(f"var(--{name})", colour)
    return drawn


def _with_page_colours(body):
    for name, colour in INK.items():
        body = body.replace(colour, f"var(--{name})")
    return body


def _with_own_ids(body, name):
    used = set(re.findall(r"(?:url\(#|href=\"#)([^)\"]+)", body))
    body = re.sub(r' id="([^"]*)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", body)
    return re.sub(r'(url\(#|href="#)', lambda found: f"{found[1]}{name}-", body)
