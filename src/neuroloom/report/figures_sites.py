"""The score at each site, with its interval: a forest plot."""

from dataclasses import dataclass

from neuroloom.report.svg import INK, drawing, inline_svg, learner_colours
from neuroloom.report.wording import defined, metric_label, metric_words, score, score_interval

MOST_SITES, MOST_LETTERS = 40, 40


@dataclass(frozen=True)
class SiteScore:
    """One learner's score at one site; ``seen`` says whether the site was also learned from."""

    site: str
    n: int
    value: float | None
    interval: tuple | None
    seen: bool | None
    note: str


def site_scores(told, metric):
    """Return the `SiteScore` of each site, the largest site first.

    Parameters
    ----------
    told : dict
        One learner's entry in metrics.json, with ``per_site``.
    metric : str
    """
    found = []
    for site, content in (told.get("per_site") or {}).items():
        here = content.get(metric) or {}
        interval = here.get("interval")
        found.append(
            SiteScore(
                str(site),
                content.get("n", 0),
                defined(here.get("value")),
                tuple(interval) if interval and None not in map(defined, interval) else None,
                content.get("seen"),
                _note(content.get("note") or "", metric),
            )
        )
    return sorted(found, key=lambda site: (-site.n, site.site))


def _note(note, metric):
    """Return what a site's note says of one metric, or the whole of it."""
    said = [part for part in note.split("; ") if part.startswith(f"no {metric_words(metric)}")]
    told = said[0] if said else note
    return told if len(told) <= MOST_LETTERS else f"{told[:MOST_LETTERS]}…"


def forest_figure(record, metric):
    """Return the forest plot of the deep model and the first baseline, or None where there are not two sites."""
    shown = [name for name in record.learners if record.learners[name].get("per_site")]
    shown = [name for name in shown if name == record.deep or record.learners[name].get("role") == "baseline"][:2]
    sites = site_scores(record.learners[shown[0]], metric)[:MOST_SITES] if shown else []
    if len(sites) < 2 or not any(site.value is not None for site in sites):
        return None
    with drawing(9.2, 1.0 + 0.36 * (len(sites) + 1)) as figure:
        axes = figure.add_subplot()
        _draw_rows(axes, record, shown, sites, metric)
        _draw_reference(axes, record, metric)
        axes.set_xlabel(metric_label(metric, record.target.get("unit")))
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2, handlelength=1.3)
        drawn = inline_svg(figure, "forest", f"{metric_label(metric)} by site")
    return {"svg": drawn, "caption": _caption(record, shown, sites)}


def _draw_rows(axes, record, shown, sites, metric):
    colours = learner_colours(record.learners)
    row_of = {site.site: row for row, site in enumerate(sites)}
    for offset, name in zip((-0.14, 0.14) if len(shown) > 1 else (0,), shown, strict=True):
        for site in site_scores(record.learners[name], metric):
            if site.site in row_of and site.value is not None:
                _draw_point(axes, row_of[site.site] + offset, site.value, site.interval, INK[colours[name]], site.seen)
        whole = (record.learners[name].get("scores") or {}).get(metric) or {}
        if defined(whole.get("value")) is not None:
            interval = whole.get("interval") if score_interval(whole.get("interval"), metric) else None
            _draw_point(axes, len(sites) + offset, whole["value"], interval, INK[colours[name]], True, "D")
        axes.plot([], [], "s", color=INK[colours[name]], label=record.label(name))
    names = [f"{site.site}  (n = {site.n})" for site in sites] + ["All"]
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(sites) + 0.6, -0.6)
    axes.axhline(len(sites) - 0.5, color=INK["rule"], linewidth=0.8)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(True, axis="x")
    _write_numbers(axes, record, sites, metric, shown[0])


def _draw_point(axes, row, value, interval, colour, seen, marker="o"):
    if interval:
        axes.plot(interval, [row, row], color=colour, linewidth=1.6)
    axes.plot(
        [value],
        [row],
        marker,
        markersize=6.5,
        color=colour,
        markerfacecolor=INK["surface"] if seen is False else colour,
        markeredgewidth=1.5,
    )


def _write_numbers(axes, record, sites, metric, name):
    whole = (record.learners[name].get("scores") or {}).get(metric) or {}
    values = [(site.value, site.interval, site.note) for site in sites]
    for row, (value, interval, note) in enumerate([*values, (defined(whole.get("value")), whole.get("interval"), "")]):
        known = value is not None
        text = f"{score(value, metric)}  {score_interval(interval, metric)}" if known else note or "no score"
        axes.annotate(
            text, (1.0, row), xycoords=("axes fraction", "data"), xytext=(8, 0), textcoords="offset points",
            va="center", fontsize=9, color=INK["ink" if known else "muted"],
        )  # fmt: skip


def _draw_reference(axes, record, metric):
    chance = (record.metrics.get("chance") or {}).get(metric)
    if defined(chance) is None:
        return
    axes.axvline(chance, color=INK["muted"], linewidth=0.9, linestyle=(0, (2, 3)), label="chance")


def _caption(record, shown, sites):
    unseen = any(site.seen is False for site in sites)
    marks = (
        "Open: the site was not learned from; filled: people of that site were also in the fit part."
        if unseen
        else "Every site was also in the fit part, so this says nothing about new sites."
    )
    return f"{marks} Bars: 95 % intervals. Numbers are of {record.label(shown[0])}."
