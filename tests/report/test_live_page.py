"""Pages of what ran live: the sentence follows the numbers."""

import re

import pytest

from neuroloom.report.live_page import loop_page, loop_sentence, session_page

SUMMARY = {
    "ended": "end of the stream", "step": 0.2, "seconds": 10.0, "answers": 2, "latency_ms": {"median": 3.04, "99th percentile": 9.96},
    "later_than_the_step": 1, "gaps": 0, "lost_samples": 0, "late_samples": 0, "decoder": "CSP <b>", "towards": "right",
}  # fmt: skip


def told(low, high):
    one = {"mean": (low + high) / 2, "low": low, "high": high}
    change = {name: dict.fromkeys(("gain", "reward", "right"), one) for name in ("feedback", "sham", "difference")}
    curve = {"gain": [1.0, 1.1, 1.2], "reward": [0.1, 0.2, 0.3]}
    settings = {"n_participants": 4, "n_runs": 1, "n_trials": 3, "learning": 0.04, "decoder": "CSP"}
    return {"settings": settings, "change": change, "curves": {"feedback": curve, "sham": curve}}


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.1, 0.3, "They learn from feedback on what they do."),
        (-0.1, 0.3, "No learning from feedback is shown."),
        (0.0, 0.0, "No learning from feedback is shown."),
        (-0.3, -0.1, "The two differ, with more gain from sham."),
    ],
)
def test_learning_is_said_only_where_the_interval_shows_it(low, high, verdict):
    assert verdict in loop_sentence(told(low, high))


def test_the_page_of_the_loop_has_each_number_with_its_interval():
    page = loop_page(told(0.1, 0.3)).decode()
    assert page.count("+0.20 (+0.10 to +0.30)") == 9 + 4  # a table of 3 x 3, and the sentence
    assert page.count("<svg") == 2


def test_the_page_of_a_session_escapes_names_and_draws_what_was_seen():
    events = [[1.0, 2.0, "left"], [50.0, 2.0, "never seen"]]
    page = session_page(SUMMARY, [(2.0, 0.5), (2.2, -0.5)], events).decode()
    assert "CSP &lt;b&gt;: 10.0 s seen, 2 answers (latency: median 3.0 ms, 99th percentile 10.0 ms; 1 later" in page
    assert re.search(r"<svg.*left.*</svg>", page, re.DOTALL)
    assert "never seen" not in page
