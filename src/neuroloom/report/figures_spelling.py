"""Spelling: the share of items that are right, as evidence adds up over rounds of flashes."""

from neuroloom.report.svg import INK, drawing, inline_svg, learner_colours
from neuroloom.report.wording import counted


def spelling_figure(record):
    """Return the curves of all learners as markup and their caption; None where nothing was spelled."""
    told = record.metrics.get("spelling")
    if not told:
        return None
    colours = learner_colours(record.learners)
    with drawing(4.5, 4.6) as figure:
        axes = figure.subplots()
        for name, curve in told["learners"].items():
            _draw(axes, curve, INK[colours[name]], record.label(name), whole=name == record.deep)
        axes.axhline(told["chance"], color=INK["muted"], linewidth=0.9, linestyle=(0, (3, 2)))
        axes.set(xlabel="Rounds of flashes", ylabel="Share of letters that are right", ylim=(-0.02, 1.02))
        axes.grid(True, axis="y")
        figure.legend(loc="outside lower left", handlelength=1.6)  # below: the curves fill the axes
        drawn = inline_svg(figure, "spelling", "Share of letters that are right, by rounds of flashes")
    seconds = "" if told["seconds"] is None else f" A round took {told['seconds']:.3g} s."
    return {
        "svg": drawn,
        "caption": f"{counted(told['n_items'], 'letter')}; evidence is the sum of the log odds of all flashes so far. Band: 95 % "
        f"interval of {record.label(record.deep)}. Dotted: chance, {told['chance']:.3f}.{seconds}",
    }


def _draw(axes, curve, colour, label, whole):
    rounds, right = curve["rounds"], curve["right"]
    axes.plot(rounds, [one["value"] for one in right], color=colour, linewidth=2.0 if whole else 1.2, label=label)
    ends = [one["interval"] for one in right]
    if whole and all(None not in pair for pair in ends):
        axes.fill_between(rounds, *zip(*ends, strict=True), color=colour, alpha=0.15, linewidth=0)
