"""Smoothing by its closed form, and the scale of feedback."""

import numpy as np
import pytest

from neuroloom.live.feedback import Feedback


def test_a_step_is_followed_as_an_exponential_whatever_the_times_between():
    rule = Feedback(("left", "right"), smooth=0.5)
    rule.hear([0.9, 0.1], 0.0)
    for time in np.cumsum([0.1, 0.3, 0.05, 0.55]):
        smoothed = rule.hear([0.2, 0.8], time)
    np.testing.assert_allclose(smoothed, [0.2 + 0.7 * np.exp(-1.0 / 0.5), 0.8 - 0.7 * np.exp(-1.0 / 0.5)])
    assert rule.state == "right"
    rule.restart()
    np.testing.assert_array_equal(rule.hear([0.6, 0.4], 9.0), [0.6, 0.4])


@pytest.mark.parametrize(("p", "value"), [(1.0, 1.0), (1 / 3, 0.0), (0.0, -1.0), (2 / 3, 0.5), (1 / 6, -0.5)])
def test_feedback_is_0_at_chance_and_1_at_certainty(p, value):
    rule = Feedback(("a", "b", "c"), smooth=0.0)
    rule.hear([p, 1 - p, 0.0], 0.0)
    assert rule.towards("a") == pytest.approx(value)
