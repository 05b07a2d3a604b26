"""Line length: of curves whose length is known, and as a classifier."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from neuroloom.errors import NeuroloomError
from neuroloom.estimators.line_length import LineLength


def sines(frequencies, height=1e-5, rate=256.0, n_times=1024):
    """Return trials (n, 2, time): a sine in the first channel, half as high in the second."""
    wave = height * np.sin(2 * np.pi * np.asarray(frequencies)[:, None] * np.arange(n_times) / rate + 0.1)
    return np.stack([wave, wave / 2], axis=1)


def test_the_line_of_a_sine_rises_and_falls_four_heights_a_cycle():
    x = sines([2.0, 4.0, 2.0, 4.0])
    fitted = LineLength().fit(x, np.array([0, 1, 0, 1]), np.arange(4))
    per_step = 4 * 1e-5 * np.array([2.0, 4.0, 2.0, 4.0]) / 256.0  # V
    np.testing.assert_allclose(np.exp(fitted.features(x)), np.stack([per_step, per_step / 2], axis=1), rtol=2e-3)


def test_what_stands_still_adds_nothing():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3, 200))
    fitted = LineLength().fit(x, np.arange(40) % 2, np.arange(40))
    np.testing.assert_allclose(fitted.features(x + 7.0), fitted.features(x), atol=1e-12)
    np.testing.assert_allclose(fitted.features(3.0 * x), fitted.features(x) + np.log(3.0), atol=1e-12)


@pytest.mark.parametrize("head", ["lda", "logistic"])
def test_longer_lines_are_told_apart_and_the_state_is_all_it_needs(head):
    rng, y = np.random.default_rng(1), np.arange(200) % 2
    x = rng.normal(size=(200, 4, 128)) * np.where(y == 1, 1.15, 1.0)[:, None, None]
    fitted = LineLength(head).fit(x[:100], y[:100], np.arange(100))
    again = LineLength(head).load_state(fitted.state())
    np.testing.assert_array_equal(again.predict(x[100:]), fitted.predict(x[100:]))
    # d' of the mean over 4 channels of the log line length: 0.14 / (0.75 / sqrt(128) / 2 * ~1.1) = 3.8: AUC .996
    assert roc_auc_score(y[100:], fitted.predict(x[100:])[:, 1]) > 0.97


def test_a_dead_channel_is_left_out_and_a_dead_trial_named():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(20, 3, 100))
    x[:, 1] = 0.0
    fitted = LineLength().fit(x, np.arange(20) % 2, np.arange(20))
    assert fitted.features(x).shape == (20, 2)
    assert "1 of 3 channels never change" in fitted.warnings[0]
    x[4, 0] = 0.0
    with pytest.raises(NeuroloomError, match="trials number 5"):
        fitted.predict(x)
