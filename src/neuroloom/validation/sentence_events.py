"""What the first sentence says of alarms and warnings, where a run makes any."""

SECONDS = {"minute": 60.0, "hour": 3600.0, "day": 86_400.0}
ARTICLE = {"minute": "a", "hour": "an", "day": "a"}


def clauses_of_events(report):
    """Return what alarms find and what warnings foresee, as clauses; none where there are none.

    Parameters
    ----------
    report : dict
        ``metrics.json``: plain numbers, None where undefined.
    """
    return [*_found(report), *_foreseen(report)]


def _found(report):
    told = report.get("events")
    entry = told and told["learners"][report["deep"]]
    if not told or entry["sensitivity"]["value"] is None:
        return []
    rate = entry["false_per_day"]["value"] * SECONDS[told["per"]] / SECONDS["day"]
    found = f"its alarms find {_share(entry['sensitivity'])} of {told['n_events']} events ({told['label']}), "
    found += f"with {_rate(rate)} false alarms {ARTICLE[told['per']]} {told['per']}"
    chance = entry["chance"]
    return [found if chance is None else f"{found}; as many at random find {chance['sensitivity']:.2f}"]


def _foreseen(report):
    told = report.get("forecast")
    entry = told and told["learners"][report["deep"]]
    if not told or entry["sensitivity"]["value"] is None:
        return []
    rate = entry["false_per_hour"]["value"]
    false = "" if rate is None else f", with {_rate(rate)} false warnings an hour"
    found = f"its warnings foresee {_share(entry['sensitivity'])} of {told['n_events']} events{false}"
    if entry["chance"] is None:
        return [found]
    return [f"{found}; as much time in warning at random foresees {entry['chance']:.2f} (p {_p(entry['p'])})"]


def _rate(value):
    return f"{value:.2g}" if value else "no"


def _share(score):
    low, high = score["interval"]
    return f"{score['value']:.2f}" + ("" if low is None else f" ({low:.2f} to {high:.2f})")


def _p(value):
    return "< .001" if value < 0.001 else f"{value:.3f}"
