"""Predicted against true numbers, as predicted and with the bias of the prediction taken out."""

from dataclasses import dataclass

import numpy as np

from neuroloom.report.svg import INK, drawing, inline_svg, learner_colours
from neuroloom.report.wording import CORRECTED, score

RASTER_FROM = 3000  # points of one panel above which they are drawn as pixels, to keep the page small
MOST_LEARNERS = 4


@dataclass(frozen=True)
class Scatter:
    """Truth and prediction of each sample, in the target's unit; a mean over repeats where there are several."""

    truth: np.ndarray
    predicted: np.ndarray
    corrected: np.ndarray | None


def scatter_points(predictions, target):
    """Return the `Scatter` of one learner's predictions.

    Parameters
    ----------
    predictions : DataFrame
        Rows of one learner: sample_id, ``truth_T``, ``prediction_T`` and, where asked, ``prediction_T_corrected``.
    target : str
    """
    columns = {"truth": f"truth_{target}", "predicted": f"prediction_{target}"}
    corrected = f"prediction_{target}{CORRECTED}"
    if corrected in predictions and predictions[corrected].notna().any():
        columns["corrected"] = corrected
    means = predictions.groupby("sample_id", sort=False)[list(columns.values())].mean()
    return Scatter(*(means[columns[name]].to_numpy() if name in columns else None for name in Scatter.__annotations__))


def scatter_figure(record):
    """Return predicted against true for each learner as markup and its caption, or None without predictions."""
    name = record.target["name"]
    points = {learner: scatter_points(record.of_learner(learner), name) for learner in _shown(record)}
    if not points:
        return None
    rows = ["predicted"] + (["corrected"] if any(found.corrected is not None for found in points.values()) else [])
    width = min(9.4, 3.3 * len(points) + 0.5)
    with drawing(width, (width - 0.6) / max(len(points), 2) * len(rows) + 0.9) as figure:
        panels = figure.subplots(len(rows), len(points), sharex=True, sharey=True, squeeze=False)
        limits = _limits(points)
        for row, which in zip(panels, rows, strict=True):
            for axes, (learner, found) in zip(row, points.items(), strict=True):
                _draw_panel(axes, record, learner, found, which, limits)
            row[0].set_ylabel(f"{'Predicted' if which == 'predicted' else 'Corrected'} {_quantity(record)}")
        for axes, learner in zip(panels[0], points, strict=True):
            axes.set_title(str(record.label(learner))[:30])
        figure.supxlabel(f"True {_quantity(record)}", fontsize=10, color=INK["ink"])
        drawn = inline_svg(figure, "scatter", f"Predicted against true {name}")
    return {"svg": drawn, "caption": _caption(record, rows)}


def _shown(record):
    with_rows = [learner for learner in record.learners if len(record.of_learner(learner))]
    return with_rows[:MOST_LEARNERS]


def _quantity(record):
    unit = record.target.get("unit")
    return f"{record.target['name']} ({unit})" if unit else record.target["name"]


def _limits(points):
    held = [part for found in points.values() for part in (found.truth, found.predicted, found.corrected)]
    everything = np.concatenate([part for part in held if part is not None])
    low, high = np.nanmin(everything), np.nanmax(everything)
    margin = 0.04 * (high - low) or 1.0
    return low - margin, high + margin


def _draw_panel(axes, record, learner, found, which, limits):
    truth, predicted = found.truth, getattr(found, which)
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    axes.grid(True)
    if predicted is None:
        axes.text(0.5, 0.5, "not corrected", transform=axes.transAxes, ha="center", color=INK["muted"])
        return
    colour = INK[learner_colours(record.learners)[learner]]
    axes.plot(limits, limits, color=INK["ink"], linewidth=0.9, linestyle=(0, (4, 3)))
    axes.plot(
        truth,
        predicted,
        "o",
        markersize=4,
        markerfacecolor=colour,
        markeredgecolor=INK["surface"],
        markeredgewidth=0.4,
        alpha=0.75,
        rasterized=len(truth) > RASTER_FROM,
    )
    suffix = CORRECTED if which == "corrected" else ""
    axes.text(0.04, 0.95, _scores(record, learner, suffix), transform=axes.transAxes, va="top", fontsize=9)


def _scores(record, learner, suffix):
    scores = record.learners[learner].get("scores") or {}
    told = []
    for metric, short in (("mae", "MAE"), ("r2", "R²")):
        if metric + suffix in scores:
            told.append(f"{short} {score(scores[metric + suffix]['value'], metric)}")
    return "\n".join(told)


def _caption(record, rows):
    repeated = " A person tested in several repeats is shown once, at the mean." if _repeats(record) > 1 else ""
    text = "Each point is one person in the test part of a fold; on the dashed line the prediction is exact." + repeated
    if "corrected" in rows:
        text += (
            " Lower row: corrected for regression to the mean by a line fitted on the tune part; "
            "the truth of the people shown is not used."
        )
    return text


def _repeats(record):
    return record.predictions["repeat"].nunique()
