"""The score beside what chance alone gives: the null distribution."""

from neuroloom.report.svg import INK, drawing, inline_svg, learner_colours
from neuroloom.report.wording import defined, metric_label, p_value, score


def null_rows(record):
    """Return, for each learner with a null: its name, score and what is known of the null.

    Returns
    -------
    list of dict
        ``learner``, ``value``, ``metric``, ``quantiles`` (probability -> score), ``draws`` (maybe empty), ``p``, ``n``,
        ``method``, ``note``.
    """
    rows = []
    for name, told in record.learners.items():
        null = told.get("null")
        if not null:
            continue
        metric = null.get("metric") or record.metrics.get("primary")
        rows.append(
            {
                "learner": name,
                "metric": metric,
                "value": defined(((told.get("scores") or {}).get(metric) or {}).get("value")),
                "quantiles": {float(at): value for at, value in (null.get("quantiles") or {}).items()},
                "draws": null.get("draws") or null.get("values") or [],
                "p": null.get("p"),
                "n": null.get("n"),
                "method": null.get("method") or "",
                "note": null.get("note") or "",
            }
        )
    return rows


def null_figure(record):
    """Return each learner's score over its null distribution as markup and caption, or None without a null."""
    rows = [row for row in null_rows(record) if row["value"] is not None and row["quantiles"]]
    if not rows:
        return None
    metric = rows[0]["metric"]
    with drawing(9.2, 0.75 + 0.55 * len(rows)) as figure:
        axes = figure.add_subplot()
        for place, row in enumerate(rows):
            _draw_row(axes, place, row, INK[learner_colours(record.learners)[row["learner"]]])
        axes.set_yticks(range(len(rows)), [record.label(row["learner"]) for row in rows])
        axes.set_ylim(len(rows) - 0.45, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.use_sticky_edges = False
        axes.autoscale_view(scaley=False)
        axes.spines["left"].set_visible(False)
        axes.grid(True, axis="x")
        axes.set_xlabel(metric_label(metric, record.target.get("unit")))
        drawn = inline_svg(figure, "null", "Scores beside their null distributions")
    caption = "Grey: 5th to 95th percentile and median of the scores with nothing to find; point: the score reached."
    return {"svg": drawn, "caption": caption}


def _draw_row(axes, place, row, colour):
    quantiles = row["quantiles"]
    axes.barh(place, max(quantiles.values()) - min(quantiles.values()), left=min(quantiles.values()), height=0.42,
              color=INK["rule"])  # fmt: skip
    if row["draws"]:
        axes.plot(row["draws"], [place] * len(row["draws"]), "|", color=INK["muted"], markersize=7, alpha=0.35)
    if 0.5 in quantiles:
        axes.plot([quantiles[0.5]] * 2, [place - 0.21, place + 0.21], color=INK["muted"], linewidth=1.4)
    axes.plot([row["value"]], [place], "o", markersize=8, color=colour, markeredgecolor=INK["surface"])
    axes.annotate(
        f"{score(row['value'], row['metric'])}, {p_value(row['p'])}", (1.0, place), xycoords=("axes fraction", "data"),
        xytext=(8, 0), textcoords="offset points", va="center", fontsize=9,
    )  # fmt: skip


def null_methods(record):
    """Return how the nulls were drawn, a line a method, with the learners it was used for."""
    learners = {}
    for row in null_rows(record):
        draws = f" ({row['n']} draws)" if row["n"] else ""
        text = f"{row['method']}{draws}" if row["method"] else ""
        note = f"; {row['note']}" if row["note"] else ""
        learners.setdefault(text + note, []).append(str(record.label(row["learner"])))
    return [f"{', '.join(names)}: {text}." for text, names in learners.items() if text]
