"""Pages of what ran live: a session, and the closed loop on simulated people."""

from neuroloom.report.figures_live import loop_figures, session_figure
from neuroloom.report.page import rendered
from neuroloom.report.wording import number

CONDITIONS = {"feedback": "own feedback", "sham": "sham", "difference": "difference"}
MEASURES = {"gain": "gain (planted)", "reward": "feedback to the cue", "right": "trials towards the cue, share"}


def session_page(summary, answers, events):
    """Return the page of a session as bytes.

    Parameters
    ----------
    summary : dict
        As in summary.json.
    answers : list of (time s, feedback)
    events : list of [onset s, duration s, label]
    """
    latency = summary["latency_ms"]
    facts = [
        ("Seconds seen", number(summary["seconds"], 1), f"a step each {number(summary['step'], 3)} s"),
        ("Answers", str(summary["answers"]), f"{summary['later_than_the_step']} later than the step"),
        *([("Latency", f"{number(latency['median'], 1)} ms", f"99th percentile {number(latency['99th percentile'], 1)} ms")]
          if latency else []),
        ("Gaps", str(summary["gaps"]), f"{summary['lost_samples']} samples lost, {summary['late_samples']} late"),
    ]  # fmt: skip
    seen = [event for event in events if event[0] < summary["seconds"]]
    figures = [session_figure(answers, seen, summary["towards"])] if answers else []
    told = {"title": "A live session", "sentence": session_sentence(summary), "facts": facts, "figures": figures}
    return rendered("live_page.html", ["style.css"], rows=[], columns=[], **told).encode()


def session_sentence(summary):
    """Return in a sentence what became of a session."""
    latency = summary["latency_ms"]
    how = (
        f" (latency: median {number(latency['median'], 1)} ms, 99th percentile {number(latency['99th percentile'], 1)} ms; "
        f"{summary['later_than_the_step']} later than the step of {number(1e3 * summary['step'], 0)} ms)"
        if latency
        else ""
    )
    ended = str(summary["ended"]).rstrip(".")
    return f"{summary['decoder']}: {number(summary['seconds'], 1)} s seen, {summary['answers']} answers{how}. Ended: {ended}."


def loop_page(told):
    """Return the page of the closed loop (`neuroloom.live.closed_loop.closed_loop`) as bytes."""
    settings = told["settings"]
    rows = [(MEASURES[one], *(with_interval(told["change"][name][one]) for name in CONDITIONS)) for one in MEASURES]
    trials = settings["n_runs"] * settings["n_trials"]
    facts = [
        ("Simulated people", str(settings["n_participants"]), f"{trials} trials each"),
        ("Decoder", settings["decoder"], "trained on other days of the same people"),
        ("Planted learning", number(settings["learning"], 3), "growth of the gain by a trial"),
    ]
    about = {"title": "Neurofeedback on simulated people", "sentence": loop_sentence(told), "facts": facts}
    return rendered(
        "live_page.html",
        ["style.css"],
        rows=rows,
        columns=list(CONDITIONS.values()),
        figures=loop_figures(told),
        **about,
    ).encode()


def loop_sentence(told):
    """Return in a sentence what the closed loop reached beside sham."""
    change = {name: with_interval(told["change"][name]["gain"]) for name in CONDITIONS}
    settings = told["settings"]
    gap = told["change"]["difference"]["gain"]
    verdict = (
        "They learn from feedback on what they do."
        if gap["low"] > 0
        else "The two differ, with more gain from sham." if gap["high"] < 0 else "No learning from feedback is shown."
    )  # fmt: skip
    return (
        f"In {settings['n_participants']} simulated people the gain changes by {change['feedback']} with feedback of their own "
        f"decoder and by {change['sham']} with sham feedback, from the first third of "
        f"{settings['n_runs'] * settings['n_trials']} trials to the last; the difference is {change['difference']}. {verdict} In "
        f"what the decoder sees, feedback to the cue, the difference is {with_interval(told['change']['difference']['reward'])}."
    )


def with_interval(one):
    """Return a mean and its interval as words."""
    return f"{one['mean']:+.2f} ({one['low']:+.2f} to {one['high']:+.2f})"
