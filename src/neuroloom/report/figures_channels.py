"""Maps of channels: over time or frequency, and on the head."""

import itertools

import numpy as np
from matplotlib.collections import LineCollection

from neuroloom.report.svg import INK, drawing, inline_svg
from neuroloom.report.topography import draw_topography, why_not

BANDS = {"delta": (1, 4), "theta": (4, 8), "alpha": (8, 13), "beta": (13, 30), "gamma": (30, 45)}  # Hz
N_STRETCHES = 5  # of time
MOST_NAMES = 32  # channels above which not each is named
AXES = {"s": "Time after the event (s)", "Hz": "Frequency (Hz)"}
ROW = 0.02  # m to the front that count as one row of electrodes


def channels_figure(held, title, name):
    """Return a map of channels, over time or frequency or of one value each, as markup and caption.

    Parameters
    ----------
    held : dict of ndarray
        ``values`` (channel, column) or (channel,), ``names`` (channel,), ``label`` (what the values are); with columns
        ``edges`` and ``unit`` (s or Hz); maybe ``positions`` (channel, 3) in m, ``planted`` (a mask of the values'
        shape), and ``bar``, the strength that chance reaches.
    title, name : str
    """
    values = np.nan_to_num(np.asarray(held["values"], dtype=float))
    if not values.any():
        return None
    positions = held.get("positions")
    order = front_to_back(positions, len(values))
    without = why_not(positions)
    shown = {**held, "values": values.reshape(len(values), -1)}
    heads = heads_of(shown)
    drawn = (_with_heads if without is None else _with_bars)(shown, heads, order, title, name)
    return {"svg": drawn, "title": title, "caption": _caption(shown, without)}


def front_to_back(positions, n_channels):
    """Return the order of channels by rows from the front to the back, each from left to right; as they are where unknown."""
    if positions is None:
        return np.arange(n_channels)
    right, front = positions[:, 0], positions[:, 1]
    return np.lexsort((right, -np.round(front / ROW)))


def heads_of(held):
    """Return what is drawn on heads: title -> values (channel,), the mean of all columns and of some of them."""
    values = held["values"]
    if "edges" not in held:
        return {str(held["label"]): values[:, 0]}
    edges = np.asarray(held["edges"], dtype=float)
    middle = (edges[:-1] + edges[1:]) / 2
    found = {"all": values.mean(axis=1)} if str(held["unit"]) == "s" else {}
    for text, (low, high) in _stretches(edges, str(held["unit"])).items():
        inside = (middle >= low) & (middle < high)
        if inside.any():
            found[text] = values[:, inside].mean(axis=1)
    return found


def _stretches(edges, unit):
    if unit == "Hz":
        return {f"{name}\n{low} to {high} Hz": (low, high) for name, (low, high) in BANDS.items()}
    ends = np.linspace(edges[0], edges[-1], N_STRETCHES + 1)
    return {f"{low:.2f} to\n{high:.2f} s".replace("-", "−"): (low, high) for low, high in itertools.pairwise(ends)}


def _with_heads(held, heads, order, title, name):
    with drawing(9.2, _height(held) + 2.0 if "edges" in held else 3.4) as figure:
        if "edges" not in held:
            left, right = figure.subplots(1, 2, width_ratios=(1, 1.2))
            _draw_bars(right, held, held["values"][:, 0], order)
            _draw_heads(figure, [left], heads, held)
            return inline_svg(figure, name, title)
        above, below = figure.subfigures(2, 1, height_ratios=(_height(held), 2.0))
        _draw_map(above, above.subplots(), held, order)
        _draw_heads(below, below.subplots(1, len(heads)), heads, held)
        return inline_svg(figure, name, title)


def _with_bars(held, heads, order, title, name):
    with drawing(9.2 if "edges" in held else 4.6, _height(held)) as figure:
        if "edges" not in held:
            _draw_bars(figure.subplots(), held, held["values"][:, 0], order)
            return inline_svg(figure, name, title)
        left, right = figure.subplots(1, 2, width_ratios=(3, 1), sharey=True)
        _draw_map(figure, left, held, order)
        _draw_bars(right, held, held["values"].mean(axis=1), order)
        right.set(xlabel="Mean", ylabel="")
        return inline_svg(figure, name, title)


def _height(held):
    return 1.0 + 0.19 * min(len(held["values"]), MOST_NAMES)


def _limits(values):
    """Return the limits of the colours and their map: about zero where there are values of both signs."""
    top = float(np.abs(values).max()) or 1.0
    return ((-top, top), "RdBu_r") if (values < 0).any() else ((0.0, top), "viridis")


def _draw_map(figure, axes, held, order):
    values, edges = held["values"][order], np.asarray(held["edges"], dtype=float)
    limits, cmap = _limits(values)
    image = axes.imshow(
        values, cmap=cmap, vmin=limits[0], vmax=limits[1], aspect="auto", interpolation="nearest",
        extent=(edges[0], edges[-1], len(values) - 0.5, -0.5),
    )  # fmt: skip
    if "planted" in held and np.any(held["planted"]):
        lines = LineCollection(outline(held["planted"][order], edges), colors=INK["planted"], linewidths=1.4)
        axes.add_collection(lines, autolim=False)
    if "bar" in held:
        channel, column = np.nonzero(np.abs(values) > float(held["bar"]))
        axes.plot((edges[column] + edges[column + 1]) / 2, channel, ".", color=INK["ink"], markersize=3)
    _name_channels(axes, held, order)
    axes.set(xlabel=AXES[str(held["unit"])], ylabel="Channel")
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, pad=0.015, fraction=0.04)
    bar.outline.set_visible(False)
    bar.set_label(str(held["label"]))


def outline(mask, edges):
    """Return the border of a mask (channel, column) as segments, each two points (x, y)."""
    padded = np.pad(np.asarray(mask, dtype=bool), 1)
    upright = np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1])  # (channel, edge)
    level = np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1])  # (border, column)
    return [((edges[at], row - 0.5), (edges[at], row + 0.5)) for row, at in upright] + [
        ((edges[at], row - 0.5), (edges[at + 1], row - 0.5)) for row, at in level
    ]


def _draw_bars(axes, held, values, order):
    planted = np.zeros(len(values), bool)
    if "planted" in held:
        planted = np.asarray(held["planted"], dtype=bool).reshape(len(values), -1).any(axis=1)
    colours = [INK["planted" if planted[at] else "deep"] for at in order]
    axes.barh(range(len(values)), values[order], color=colours, height=0.7)
    axes.axvline(0, color=INK["muted"], linewidth=0.8)
    axes.set_ylim(len(values) - 0.5, -0.5)
    axes.set(xlabel=str(held["label"]), ylabel="Channel")
    _name_channels(axes, held, order)


def _name_channels(axes, held, order):
    every = -(-len(order) // MOST_NAMES)
    names = [str(held["names"][at]) for at in order]
    axes.set_yticks(range(0, len(order), every), names[::every], fontsize=8.5)
    axes.tick_params(axis="y", length=0)


def _draw_heads(figure, places, heads, held):
    limits, cmap = _limits(np.stack(list(heads.values())))
    for axes, (text, values) in zip(places, heads.items(), strict=True):
        draw_topography(axes, values, np.asarray(held["positions"], dtype=float), limits, cmap)
        axes.set_title(text, fontsize=9, fontweight="normal", loc="center")
    bar = figure.colorbar(places[-1].images[0], ax=list(places), pad=0.02, fraction=0.05, shrink=0.7)
    bar.outline.set_visible(False)


def _caption(held, without):
    text = ""
    if "edges" in held:
        of_what = {"s": "all columns and over stretches of time", "Hz": "bands"}[str(held["unit"])]
        text = "Channels from the front to the back" if "positions" in held else "Channels in the order of the file"
        text += f". Heads: the mean over {of_what}, seen from above, nose up, left at the left."
    else:
        text = "The head is seen from above, nose up, left at the left."
    if without is not None:
        text = f"{without}: a bar a channel in place of topographies."
    if "bar" in held:
        text += f" Dots: beyond what chance reaches anywhere in one map of twenty ({float(held['bar']):.2g}); each speaks of "
        text += "its channel or of a neighbour within some centimetres."
    if "planted" in held and np.any(held["planted"]):
        text += " Magenta: where half of what the simulator planted lies."
    return text
