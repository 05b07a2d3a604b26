"""Learning curves: the loss on the fit and on the tune part, fold by fold."""

import math

import numpy as np

from neuroloom.report.svg import INK, drawing, inline_svg
from neuroloom.report.wording import counted

MOST_FOLDS, COLUMNS = 12, 4


def chosen_epoch(history):
    """Return the epoch whose weights were kept, or None where none is marked."""
    marked = history.loc[history["chosen"] == 1, "epoch"] if "chosen" in history else []
    return int(marked.iloc[0]) if len(marked) else None


def learning_curves_figure(record, learner):
    """Return the learning curves of one trained learner as markup and their caption.

    The first ``MOST_FOLDS`` folds are drawn, one panel each.
    """
    histories = dict(list(record.histories[learner].items())[:MOST_FOLDS])
    columns = 5 if len(histories) == 5 else min(COLUMNS, len(histories))
    rows = math.ceil(len(histories) / columns)
    with drawing(min(9.4, 1.0 + 2.3 * columns), 0.55 + 1.85 * rows) as figure:
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for axes, (key, history) in zip(panels.flat, histories.items(), strict=False):
            _draw_fold(axes, record.fold_name(*key), history)
        for axes in panels.flat[len(histories) :]:
            axes.set_visible(False)
        _bound(panels[0, 0], histories.values())
        panels.flat[0].legend(loc="upper right", handlelength=1.6)
        figure.supxlabel("Epoch", fontsize=10, color=INK["ink"])
        figure.supylabel("Loss", fontsize=10, color=INK["ink"])
        drawn = inline_svg(figure, f"learning-{list(record.histories).index(learner)}", "Learning curves by fold")
    left_out = len(record.histories[learner]) - len(histories)
    more = f" {counted(left_out, 'more fold')} in the run's folder." if left_out else ""
    return {"svg": drawn, "caption": f"{record.label(learner)}. Vertical line: the epoch that was kept.{more}"}


def _draw_fold(axes, name, history):
    axes.set_title(name, fontsize=9.5)
    axes.grid(True, axis="y")
    if "fit_loss" in history:
        axes.plot(history["epoch"], history["fit_loss"], color=INK["deep"], linewidth=1.5, label="fit")
    if "tune_loss" in history and history["tune_loss"].notna().any():
        axes.plot(history["epoch"], history["tune_loss"], color=INK["baseline"], linewidth=1.5, label="tune")
    kept = chosen_epoch(history)
    if kept is not None:
        axes.axvline(kept, color=INK["muted"], linewidth=0.9, linestyle=(0, (3, 2)))


def _bound(axes, histories):
    """Keep a first epoch that starts far above the rest from flattening all curves."""
    names = ("fit_loss", "tune_loss")
    held = [history[name].to_numpy(float) for history in histories for name in names if name in history]
    losses = np.concatenate(held)
    losses = losses[np.isfinite(losses)]
    if not len(losses):
        return
    low, high = losses.min(), min(losses.max(), 3 * np.percentile(losses, 90))
    margin = 0.06 * (high - low) or 0.05
    axes.set_ylim(low - margin, high + margin)
