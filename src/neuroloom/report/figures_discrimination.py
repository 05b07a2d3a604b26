"""ROC curves: how well each learner tells a class from the rest, within each test fold."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_curve

from neuroloom.errors import listed
from neuroloom.report.svg import INK, drawing, inline_svg, learner_colours
from neuroloom.report.wording import score

GRID = np.linspace(0, 1, 201)  # false positive rates at which folds are averaged


@dataclass(frozen=True)
class MeanROC:
    """ROC averaged over folds at equal false positive rate.

    Parameters
    ----------
    false_positive_rate, sensitivity, spread : ndarray of shape (n_points,)
        ``spread`` is one standard deviation over folds; 0 where there is one fold.
    n_folds : int
        Folds that have both classes.
    without_curve : list of str
        (repeat, fold) of the folds that have one class only.
    """

    false_positive_rate: np.ndarray
    sensitivity: np.ndarray
    spread: np.ndarray
    n_folds: int
    without_curve: list


def fold_rocs(predictions, target, positive):
    """Return (repeat, fold) -> (false positive rate, sensitivity), or None for a fold with one class.

    Parameters
    ----------
    predictions : DataFrame
        Rows of one learner: repeat, fold, ``truth_T``, ``prediction_p_CLASS``.
    target : str
    positive : str
        The class told from the rest.
    """
    curves = {}
    for key, rows in predictions.groupby(["repeat", "fold"]):
        truth = rows[f"truth_{target}"].astype(str).to_numpy() == positive
        if truth.all() or not truth.any():
            curves[key] = None
            continue
        false_positive, sensitivity, _ = roc_curve(truth, rows[f"prediction_p_{positive}"])
        curves[key] = (false_positive, sensitivity)
    return curves


def mean_roc(predictions, target, positive):
    """Return the `MeanROC` of one learner, or None when no test fold has both classes."""
    curves = fold_rocs(predictions, target, positive)
    drawn = [np.interp(GRID, *curve) for curve in curves.values() if curve is not None]
    if not drawn:
        return None
    drawn = np.array(drawn)  # (fold, n_points)
    drawn[:, 0] = 0.0  # every curve starts in the corner; np.interp takes the top of a vertical first step
    spread = drawn.std(axis=0, ddof=1) if len(drawn) > 1 else np.zeros(len(GRID))
    without = [fold for fold, curve in curves.items() if curve is None]
    return MeanROC(GRID, drawn.mean(axis=0), spread, len(drawn), without)


def roc_figure(record, positive):
    """Return the ROC of every learner for one class as markup and its caption, or None without a curve."""
    target = record.target["name"]
    rows = {name: record.of_learner(name) for name in record.learners}
    curves = {name: mean_roc(held, target, positive) for name, held in rows.items() if len(held)}
    curves = {name: curve for name, curve in curves.items() if curve is not None}
    if not curves:
        return None
    title = f"ROC, {positive} against the rest"
    with drawing(4.5, 4.3) as figure:
        axes = figure.add_subplot(aspect="equal", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
        _draw_curves(axes, record, curves)
        axes.set(xlabel="False positive rate (1 − specificity)", ylabel=f"Sensitivity to {positive}")
        drawn = inline_svg(figure, f"roc-{list(record.target['classes']).index(positive)}", title)
    first = next(iter(curves.values()))
    return {"svg": drawn, "caption": _caption(record, first)}


def _draw_curves(axes, record, curves):
    colours = learner_colours(record.learners)
    axes.plot([0, 1], [0, 1], color=INK["muted"], linewidth=0.9, linestyle=(0, (2, 3)))
    for name, curve in reversed(curves.items()):
        colour, deep = INK[colours[name]], name == record.deep
        if deep:
            ends = (np.clip(curve.sensitivity + sign * curve.spread, 0, 1) for sign in (-1, 1))
            axes.fill_between(curve.false_positive_rate, *ends, color=colour, alpha=0.16, linewidth=0)
        axes.plot(
            curve.false_positive_rate,
            curve.sensitivity,
            color=colour,
            linewidth=2.4 if deep else 1.5,
            label=_legend(record, name),
        )
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="lower right", handlelength=1.4)


def _legend(record, name):
    """Return the learner and its AUC; of more than two classes the AUC is their mean and not this curve's."""
    if len(record.target["classes"]) > 2:
        return str(record.label(name))
    auc = (record.learners[name].get("scores") or {}).get("auc")
    return f"{record.label(name)}  {score(auc['value'], 'auc')}" if auc else str(record.label(name))


def _caption(record, curve):
    folds = f"Mean of {curve.n_folds} test folds" if curve.n_folds > 1 else "One test fold"
    band = f"; band: ± 1 standard deviation over folds of {record.label(record.deep)}" if curve.n_folds > 1 else ""
    names = listed(record.fold_name(*fold) for fold in curve.without_curve)
    without = f" No curve for {names}: one class only." if names else ""
    numbers = " Numbers: AUC over pairs within a fold." if len(record.target["classes"]) == 2 else ""
    return f"{folds}{band}.{numbers}{without}"
