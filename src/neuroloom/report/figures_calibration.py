"""Calibration: of people given a probability, how many have the class; of people given a number, what is theirs."""

from dataclasses import dataclass

import numpy as np

from neuroloom.metrics.calibration import N_BINS
from neuroloom.report.svg import INK, drawing, inline_svg, learner_colours
from neuroloom.report.wording import defined, number, score_interval

Z95 = 1.959963984540054  # normal quantile of a two-sided 95 % interval


@dataclass(frozen=True)
class CalibrationBin:
    """Predictions that lie together: how many people, their mean prediction, and what was observed."""

    n: float
    predicted: float
    observed: float
    interval: tuple | None = None  # Wilson, 95 %; shares only


def calibration_bins(curve, repeats=1, shares=True):
    """Return the `CalibrationBin` of each bin of a reliability curve.

    Parameters
    ----------
    curve : dict of lists
        ``predicted``, ``observed`` and ``n``, as in metrics.json.
    repeats : int
        How often each person was predicted: ``n`` counts predictions, an interval is about people.
    shares : bool
        Whether what was observed is a share (and so has a Wilson interval).
    """
    bins = []
    for n, predicted, observed in zip(curve["n"], curve["predicted"], curve["observed"], strict=True):
        n = n / repeats
        bins.append(CalibrationBin(n, predicted, observed, wilson_interval(observed, n) if shares else None))
    return bins


def wilson_interval(share, n):
    """Return the 95 % score interval of a share of n (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    z2 = Z95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n**2))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def calibration_figure(record, positive=None):
    """Return the calibration of every learner as markup and caption, or None where metrics.json tells of none.

    Parameters
    ----------
    record : RunRecord
    positive : str or None
        The class whose probability is shown; None for numbers.
    """
    repeats = int(record.predictions["repeat"].nunique()) if len(record.predictions) else 1
    shown = {n: entry for n, entry in record.learners.items() if positive or entry.get("role") != "confounds"}
    told = {name: _of_class(entry.get("calibration") or {}, positive) for name, entry in shown.items()}
    curves = {name: entry["reliability"] for name, entry in told.items() if (entry.get("reliability") or {}).get("n")}
    if not curves:
        return None
    bins = {name: calibration_bins(curve, repeats, positive is not None) for name, curve in curves.items()}
    with drawing(4.5, 3.5 if positive is None else 4.3) as figure:
        if positive is None:  # tenths of numbers hold equally many
            above = below = figure.subplots()
        else:
            above, below = figure.subplots(2, 1, height_ratios=(4, 1), sharex=True)
            _draw_counts(below, record, bins)
        _draw_bins(above, record, bins, positive)
        _label(above, below, record, positive)
        place = 0 if positive is None else list(record.target["classes"]).index(positive)
        drawn = inline_svg(figure, f"calibration-{place}", f"Calibration{f' for {positive}' if positive else ''}")
    slopes = _slopes(record, told[_shown(record, bins)])
    most = max(here.n for here in bins[_shown(record, bins)])
    return {"svg": drawn, "caption": f"{_caption(record, positive, most)} {slopes}".strip()}


def _of_class(told, positive):
    return (told.get("classes") or {}).get(positive) or told


def _shown(record, bins):
    return record.deep if record.deep in bins else next(iter(bins))


def _draw_bins(axes, record, bins, positive):
    places = [at for held in bins.values() for here in held for at in (here.predicted, here.observed)]
    ends = (0.0, 1.0) if positive is not None else (min(places), max(places))
    margin = 0.02 * (ends[1] - ends[0])
    axes.set(ylim=(ends[0] - margin, ends[1] + margin), xlim=(ends[0] - margin, ends[1] + margin))
    axes.plot(ends, ends, color=INK["muted"], linewidth=0.9, linestyle=(0, (2, 3)))
    colours = learner_colours(record.learners)
    for name, held in reversed(bins.items()):
        deep, colour = name == _shown(record, bins), INK[colours[name]]
        for here in held if deep else ():
            if here.interval:
                axes.plot([here.predicted] * 2, here.interval, color=colour, linewidth=1.2)
        x, y = [here.predicted for here in held], [here.observed for here in held]
        style = "o-" if deep or len(held) < 3 else "-"
        axes.plot(x, y, style, color=colour, markersize=5, linewidth=1.6 if deep else 1.1, label=record.label(name))
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="upper left", handlelength=1.4)


def _draw_counts(axes, record, bins):
    """Draw and write how many people each bin of the deep model holds."""
    name = _shown(record, bins)
    at, counts = np.array([(here.predicted, here.n) for here in bins[name]]).T
    at, width = (np.minimum(np.floor(at * N_BINS), N_BINS - 1) + 0.5) / N_BINS, 0.85 / N_BINS
    axes.bar(at, counts, width=width, alpha=0.55, color=INK[learner_colours(record.learners)[name]])
    for place, n in zip(at, counts, strict=True):
        axes.annotate(f"{n:.0f}", (place, n), xytext=(0, 1.5), textcoords="offset points", ha="center", fontsize=8)
    axes.set_ylim(0, counts.max() * 1.35)
    axes.set_yticks([])


def _label(above, below, record, positive):
    if positive is not None:
        below.set_ylabel("n")
        above.set_ylabel(f"Share that is {positive}")
        below.set_xlabel(f"Predicted probability of {positive}")
        return
    unit = f" ({record.target['unit']})" if record.target.get("unit") else ""
    above.set_ylabel(f"Mean true {record.target['name']}{unit}")
    below.set_xlabel(f"Mean predicted {record.target['name']}{unit}")


def _caption(record, positive, most):
    if positive is None:
        return (
            f"Each point: a tenth of the predictions ({most:.0f} people at most). "
            "On the dotted line a prediction is right on average."
        )
    return (
        "On the dotted line a probability means what it says. Points: bins of 0.1; bars: 95 % (Wilson) of "
        f"{record.label(record.deep)}; below: samples in each of its bins."
    )


def _slopes(record, told):
    """Return slope and calibration error in words, as far as they are known."""
    words = []
    slope = told.get("slope") or {}
    if defined(slope.get("value")) is not None:
        ends = score_interval(slope.get("interval"), "")
        words.append(f"slope {number(slope['value'])}{f' ({ends})' if ends else ''}, 1 is right.")
    perfect = told.get("ece_if_perfect") or {}
    if defined(told.get("ece")) is not None and perfect:
        low, high = (number(perfect.get(at), 3) for at in ("0.05", "0.95"))
        words.append(f"Calibration error {number(told['ece'], 3)}; a perfect model would here show {low} to {high}.")
    return f"{record.label(record.deep)}: {' '.join(words)}" if words else told.get("note") or ""
