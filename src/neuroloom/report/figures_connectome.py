"""A connectome: the whole matrix, and its strongest edges on a circle."""

import numpy as np

from neuroloom.report.svg import INK, drawing, inline_svg
from neuroloom.report.wording import compact

MOST_EDGES = 30
MOST_NAMES = 60  # regions above which names on the circle would overlap; then only those of drawn edges are written


def strongest_edges(matrix, n=MOST_EDGES):
    """Return the ``n`` edges of largest strength as (first region, second region, value), strongest first.

    Parameters
    ----------
    matrix : ndarray of shape (region, region)
        Symmetric; the diagonal is not looked at.
    """
    first, second = np.triu_indices(len(matrix), k=1)
    values = np.nan_to_num(matrix[first, second])
    order = np.argsort(-np.abs(values), kind="stable")[:n]
    return [(int(first[at]), int(second[at]), float(values[at])) for at in order if values[at] != 0]


def connectome_figure(held, title, name):
    """Return matrix and circle as markup and caption.

    Parameters
    ----------
    held : dict of ndarray
        ``matrix`` (region, region), ``names`` (region,); maybe ``planted``, a mask of edges (region, region) or
        pairs of region numbers (edge, 2).
    title, name : str
    """
    matrix = np.asarray(held["matrix"], dtype=float)
    names = [str(region) for region in held.get("names", range(len(matrix)))]
    planted = planted_edges(held.get("planted"), len(matrix))
    edges = strongest_edges(matrix)
    if not edges:
        return None
    with drawing(9.2, 4.5) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.05))
        _draw_matrix(figure, left, matrix, planted)
        _draw_circle(right, names, edges, planted)
        drawn = inline_svg(figure, name, title)
    return {"svg": drawn, "title": title, "caption": _caption(edges, planted), "edges": _listed(edges, names, planted)}


def planted_edges(planted, n_regions):
    """Return planted edges as a set of (smaller, larger region number); empty where none are known."""
    if planted is None:
        return set()
    planted = np.asarray(planted)
    if planted.shape == (n_regions, n_regions):
        pairs = np.argwhere(np.triu((planted != 0) | (planted.T != 0), k=1))
    else:
        pairs = planted
    return {(int(min(pair)), int(max(pair))) for pair in pairs}


def _draw_matrix(figure, axes, matrix, planted):
    shown = matrix.copy()
    np.fill_diagonal(shown, np.nan)
    top = float(np.nanmax(np.abs(shown))) or 1.0
    signed = bool((shown < 0).any())
    image = axes.imshow(
        shown, cmap="RdBu_r" if signed else "viridis", vmin=-top if signed else 0, vmax=top, interpolation="nearest"
    )
    for first, second in planted:
        axes.plot([first, second], [second, first], "s", markersize=5, markerfacecolor="none",
                  markeredgecolor=INK["planted"], markeredgewidth=1.1)  # fmt: skip
    axes.set(xlabel="Region", ylabel="Region")
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, shrink=0.75, pad=0.03)
    bar.outline.set_visible(False)


def _draw_circle(axes, names, edges, planted):
    n_regions = len(names)
    angle = np.pi / 2 - 2 * np.pi * np.arange(n_regions) / n_regions
    place = np.column_stack([np.cos(angle), np.sin(angle)])
    axes.plot(*place.T, "o", markersize=2.5 if n_regions > 80 else 4, color=INK["muted"])
    top = max((abs(value) for *_, value in edges), default=1.0)
    for first, second, value in reversed(edges):
        colour = INK["planted"] if (first, second) in planted else INK["baseline" if value > 0 else "deep"]
        curve = _chord(place[first], place[second])
        axes.plot(*curve.T, color=colour, linewidth=0.6 + 2.2 * abs(value) / top, alpha=0.8)
    of_edges = {region for first, second, _ in edges[:8] for region in (first, second)}
    _write_names(axes, names, angle, range(n_regions) if n_regions <= MOST_NAMES else of_edges)
    axes.set(xlim=(-1.55, 1.55), ylim=(-1.4, 1.4), aspect="equal")
    axes.axis("off")


def _chord(start, end):
    """Return points of a curve between two places of the circle, drawn in towards the centre."""
    t = np.linspace(0, 1, 24)[:, None]
    middle = 0.25 * (start + end)
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end


def _write_names(axes, names, angle, regions):
    size = 8 if len(names) <= 40 else 7
    for region in regions:
        turn = np.degrees(angle[region])
        left = np.cos(angle[region]) < -1e-9
        axes.text(
            1.05 * np.cos(angle[region]), 1.05 * np.sin(angle[region]), names[region][:18],
            rotation=turn + 180 if left else turn, rotation_mode="anchor",
            ha="right" if left else "left", va="center", fontsize=size,
        )  # fmt: skip


def _listed(edges, names, planted):
    return [
        {"first": names[first], "second": names[second], "value": compact(value), "planted": (first, second) in planted}
        for first, second, value in edges[:10]
    ]


def _caption(edges, planted):
    text = f"Left: all edges. Right: the {len(edges)} strongest, wider where stronger; orange positive, blue negative."
    if planted:
        found = sum((first, second) in planted for first, second, _ in edges)
        text += f" Magenta: edges in which the simulator planted the effect ({found} of {len(planted)} are among them)."
    return text
