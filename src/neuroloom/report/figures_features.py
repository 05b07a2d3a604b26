"""What each feature of a table adds to the prediction: bars."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from neuroloom.report.svg import INK, drawing, inline_svg

MOST_FEATURES, MOST_LETTERS = 15, 32


def strongest_features(values, n=MOST_FEATURES):
    """Return the numbers of the ``n`` features of largest strength, strongest first."""
    return [int(at) for at in np.argsort(-np.abs(np.nan_to_num(values)), kind="stable")[:n]]


def features_figure(held, title, name):
    """Return bars of the strongest features as markup and caption.

    Parameters
    ----------
    held : dict of ndarray
        ``values`` (feature,), ``names`` (feature,); maybe ``planted`` (feature,) bool.
    title, name : str
    """
    values = np.nan_to_num(np.asarray(held["values"], dtype=float))
    names = [str(feature) for feature in held.get("names", range(len(values)))]
    if not values.any():
        return None
    planted = np.asarray(held["planted"], dtype=bool) if "planted" in held else np.zeros(len(values), bool)
    shown = strongest_features(values)
    with drawing(4.6, 0.55 + 0.235 * len(shown)) as figure:
        axes = figure.add_subplot()
        colours = [INK["planted" if planted[at] else "deep"] for at in shown]
        axes.barh(range(len(shown)), values[shown], color=colours, height=0.68)
        axes.set_yticks(range(len(shown)), [_cut(names[at]) for at in shown], fontsize=8.5)
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.axvline(0, color=INK["muted"], linewidth=0.8)
        axes.xaxis.set_major_locator(MaxNLocator(4))  # more would run into each other
        axes.grid(True, axis="x")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        drawn = inline_svg(figure, name, title)
    return {"svg": drawn, "title": title, "narrow": True, "caption": _caption(len(shown), len(values), planted, shown)}


def _cut(name):
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…"


def _caption(n_shown, n, planted, shown):
    text = f"The {n_shown} strongest of {n} features." if n_shown < n else f"All {n} features."
    if planted.any():
        text += f" Magenta: planted by the simulator ({planted[shown].sum()} of {planted.sum()} are among them)."
    return text
