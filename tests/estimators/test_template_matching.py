"""Template matching: against correlations by scipy and numpy, planted waves, and places that were never seen."""

import numpy as np
import pytest
from scipy import signal
from sklearn.metrics import roc_auc_score

from neuroloom.errors import NeuroloomError
from neuroloom.estimators.template_matching import TemplateMatching, best_piece, matched, templates_of, unit

RATE = 100.0
TIME = np.arange(-15, 15) / RATE
WAVES = np.stack([np.exp(-0.5 * (TIME / 0.02) ** 2), np.sin(2 * np.pi * 12 * TIME) * np.exp(-0.5 * (TIME / 0.06) ** 2)])


def drawn(n, height, channels, which=lambda number: number % 2, seed=0, shift=10):
    """Return trials (n, 6, 100) of white noise, every second with a wave of 30 points at some place, classes, and places."""
    rng = np.random.default_rng(seed)
    x, y, places = rng.normal(size=(n, 6, 100)), np.arange(n) % 2, np.zeros(n, dtype=int)
    for number in np.flatnonzero(y):
        places[number] = 35 + rng.integers(-shift, shift + 1)
        wave = WAVES[which(number // 2)]
        x[number, rng.choice(channels), places[number] : places[number] + 30] += height * wave
    return 1e-5 * x, y, places


def test_likeness_is_the_correlation_coefficient_at_each_place():
    rng = np.random.default_rng(0)
    trial, templates = rng.normal(size=(3, 60)), unit(rng.normal(size=(2, 12)))
    height, alike = matched(trial, templates)
    assert height.shape == alike.shape == (3, 49, 2)
    by_scipy = np.stack([[signal.correlate(one, t, "valid") for t in templates] for one in trial]).transpose(0, 2, 1)
    np.testing.assert_allclose(height, by_scipy, atol=1e-12)
    expected = [
        [np.corrcoef(trial[c, p : p + 12], templates[k])[0, 1] for k in range(2)] for c in range(3) for p in range(49)
    ]
    np.testing.assert_allclose(alike, np.reshape(expected, alike.shape), atol=1e-12)


def test_a_flat_stretch_is_like_nothing():
    trial = np.full((2, 40), 3.0)
    trial[1, 30:] = np.arange(10)
    _, alike = matched(trial, unit(WAVES))
    assert (alike[0] == 0).all()
    assert np.isfinite(alike).all()


def test_the_templates_are_the_waves_that_were_planted():
    x, y, _ = drawn(240, height=12.0, channels=[0, 1, 2])
    found = templates_of(1e5 * x[y == 1], 30, 2)
    likeness = np.array(
        [[max(np.correlate(np.pad(unit(wave), 15), template, "valid")) for template in found] for wave in WAVES]
    )
    assert sorted(likeness.argmax(axis=1)) == [0, 1]
    assert (
        likeness.max(axis=1) > 0.98
    ).all()  # 60 waves each of 12 deviations: noise of a mean is 12 / 60 ** .5 times less
    sharp = found[likeness[0].argmax()]
    at = [np.abs(best_piece(1e5 * x[n], sharp[None])[1]).argmax() for n in np.flatnonzero(y)[::2]]
    assert np.ptp(at) <= 2  # they lie on each other, wherever in the trial they were


def test_waves_are_found_in_channels_where_none_was_learned():
    x, y, _ = drawn(400, height=6.0, channels=[0, 1])
    new, truth, _ = drawn(400, height=6.0, channels=[4, 5], seed=1)
    own = TemplateMatching(n_templates=2).fit(x, y, np.arange(400), sampling_rate=RATE)
    assert roc_auc_score(truth, own.predict(new)[:, 1]) > 0.95
    nothing, same, _ = drawn(400, height=0.0, channels=[4, 5], seed=2)
    assert abs(roc_auc_score(same, own.predict(nothing)[:, 1]) - 0.5) < 4 / np.sqrt(12 * 200 * 200 / 401)


def test_no_scale_and_no_level_of_the_channels_changes_an_answer():
    x, y, _ = drawn(100, height=6.0, channels=[0, 1])
    other = 7.0 * x + 3e-5 * np.arange(6)[:, None]
    answers = [TemplateMatching().fit(one, y, np.arange(100), sampling_rate=RATE).predict(one) for one in (x, other)]
    np.testing.assert_allclose(*answers, atol=1e-6)


@pytest.mark.parametrize(("arguments", "words"), [
    ({"length": 0.0}, "more than 0"), ({"n_templates": 0}, "1 or more"), ({"head": "tree"}, "head of template_matching"),
])  # fmt: skip
def test_settings_that_cannot_be_are_refused(arguments, words):
    with pytest.raises(NeuroloomError, match=words):
        TemplateMatching(**arguments)


@pytest.mark.parametrize("length", [1.1, 0.02])
def test_a_template_that_does_not_fit_a_trial_is_refused(length):
    x, y, _ = drawn(20, height=6.0, channels=[0])
    with pytest.raises(NeuroloomError, match=r"time points, and trials have 100"):
        TemplateMatching(length=length).fit(x, y, np.arange(20), sampling_rate=RATE)
