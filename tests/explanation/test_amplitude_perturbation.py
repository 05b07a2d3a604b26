"""Amplitude perturbation: correlations in closed form, chance as it is drawn, and only amplitudes changed."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import binom

from neuroloom.errors import NeuroloomError
from neuroloom.explanation.amplitude_perturbation import AmplitudePerturbation, beyond_chance, changed, mixing
from neuroloom.explanation.explained import check_explanation, learners_of
from neuroloom.explanation.spectrum import lines_of
from neuroloom.parts import Part
from neuroloom.recipe import resolved
from neuroloom.transforms.store import ArrayStore

RATE, N_CHANNELS, N_TIMES = 32.0, 5, 32
FOLD = SimpleNamespace(repeat=0, index=0)
ANSWER = SimpleNamespace(of_prediction=lambda prediction: prediction)


def trials(drawn, n=12, seed=0, geometry=None):
    """Return `Data` of n trials of a second at 32 Hz, five channels."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((n, N_CHANNELS, N_TIMES)).astype(np.float32)
    names = [f"C{number}" for number in range(N_CHANNELS)]
    told = dict.fromkeys(range(n), {"names": names, "sampling_rate": RATE} if geometry is None else geometry)
    data = drawn.data("series", n=n)
    store = ArrayStore("series", data.stores["x"].samples, dict(enumerate(values)), names, told)
    return replace(data, stores={"x": store})


def answering(data, predict):
    """Return a learner of trials that answers a number."""
    inputs = SimpleNamespace(
        stores=lambda _, rows: data.stores, names={"x": data.stores["x"].names}, chains={"x": None}
    )
    plan = SimpleNamespace(kind="estimator", name="told", confounds=())
    estimator = SimpleNamespace(predict=predict)
    return SimpleNamespace(inputs=inputs, plan=plan, estimator=estimator, takes_series=True)


def log_amplitudes(x, cells):
    """Return the sum of the log amplitude of some (channel, Hz), all one line wide."""
    spectrum = np.abs(np.fft.rfft(x))
    return sum(np.log(spectrum[:, channel, frequency]) for channel, frequency in cells)


def correlations(data, predict, **arguments):
    method = AmplitudePerturbation(width=1.0, lowest=1.0, highest=12.0, **arguments)
    rows = np.arange(len(data.stores["x"]))
    made = method.attribute(answering(data, predict), data, rows, FOLD, ANSWER)
    return made.maps["x"].mean(axis=0), made.told["variance"] / len(rows)


@pytest.mark.parametrize("cells", [[(2, 4)], [(0, 3), (1, 9), (4, 3), (4, 12)]])
def test_of_k_amplitudes_that_count_alike_each_has_the_correlation_one_over_root_k(drawn, cells):
    data = trials(drawn)
    found, variance = correlations(data, lambda x: log_amplitudes(x, cells), draws=64)
    assert found.shape == (N_CHANNELS, 12)
    assert variance == pytest.approx(1 / (12 * 64))  # one over trials times draws
    expected = np.zeros_like(found)
    for channel, frequency in cells:
        expected[channel, frequency - 1] = 1 / np.sqrt(len(cells))
    np.testing.assert_allclose(found, expected, atol=4.5 * np.sqrt(variance))


def test_a_rhythm_that_makes_the_answer_smaller_is_below_zero(drawn):
    found, variance = correlations(trials(drawn), lambda x: -log_amplitudes(x, [(1, 7)]))
    assert found[1, 6] == pytest.approx(-1, abs=5 * np.sqrt(variance))


def test_one_map_in_twenty_reaches_the_threshold_by_chance(drawn):
    """Answers that hang on nothing that is drawn, with heavy tails."""
    data, noise, reached = trials(drawn, n=6), np.random.default_rng(1), 0
    for seed in range(200):
        found, variance = correlations(data, lambda x: noise.standard_t(4, len(x)), draws=16, seed=seed)
        reached += np.abs(found).max() > beyond_chance(found.size, variance)
    low, high = binom.interval(0.999, 200, 0.05)
    assert low <= reached <= high


def test_neighbours_are_as_alike_as_their_distance_says():
    positions = np.random.default_rng(0).normal(size=(20, 3)) * 0.05
    root = mixing(positions, 0.04)
    apart = np.linalg.norm(positions[:, None] - positions, axis=-1)
    np.testing.assert_allclose(root @ root.T, np.exp(-(apart**2) / (2 * 0.04**2)), atol=1e-9)


def test_with_positions_the_neighbours_of_a_channel_that_counts_show_too(drawn):
    names = [f"C{number}" for number in range(N_CHANNELS)]
    line = [[0.03 * number, 0.0, 0.1] for number in range(N_CHANNELS)]  # 3 cm from one to the next
    data = trials(drawn, geometry={"names": names, "sampling_rate": RATE, "positions": line})
    found, variance = correlations(data, lambda x: log_amplitudes(x, [(1, 5)]), draws=64, reach=0.03)
    expected = np.exp(-0.5 * (np.arange(N_CHANNELS) - 1.0) ** 2)
    np.testing.assert_allclose(found[:, 4], expected, atol=4.5 * np.sqrt(variance))


def test_a_neighbour_that_is_not_looked_at_is_beyond_chance_too_and_the_map_says_so(drawn):
    """Two electrodes 4 cm apart, the default reach: factors correlate exp(-1/2)."""
    names = [f"C{number}" for number in range(N_CHANNELS)]
    # the last three lie far away
    places = [[0.0, 0.0, 0.1], [0.04, 0.0, 0.1], [0.0, 5.0, 0.1], [5.0, 0.0, 0.1], [5.0, 5.0, 0.1]]
    data = trials(drawn, geometry={"names": names, "sampling_rate": RATE, "positions": places})
    every = [(0, frequency) for frequency in range(1, 13)]
    found, variance = correlations(data, lambda x: log_amplitudes(x, every), draws=256)
    assert found[1].mean() == pytest.approx(np.exp(-0.5) / np.sqrt(12), abs=4.5 * np.sqrt(variance / 12))
    assert (found[1] > beyond_chance(found.size, variance)).mean() > 0.9
    assert (np.abs(found[2:]) > beyond_chance(found.size, variance)).sum() == 0
    assert "of its channel or of a neighbour within some centimetres" in AmplitudePerturbation.text


def test_amplitudes_alone_are_changed_by_what_is_drawn():
    lines = lines_of("x", 100, 50.0, 2.0, 10.0, 1.0)  # lines 0.5 Hz apart, two a column
    rng = np.random.default_rng(0)
    x, drawn = torch.as_tensor(rng.standard_normal((2, 3, 100))), torch.as_tensor(rng.standard_normal((4, 2, 3, 8)))
    before, after = np.fft.rfft(x.numpy()), np.fft.rfft(changed(x, lines, drawn).numpy())
    ratio = after / before  # real where phases stay
    np.testing.assert_allclose(ratio.imag, 0, atol=1e-9)
    expected = np.ones((4, 2, 3, 51))
    expected[..., 4:20] = np.exp(np.repeat(drawn.numpy(), 2, axis=-1))
    np.testing.assert_allclose(ratio.real, expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"draws": 0}, "draws must be 1 or more"),
        ({"reach": -1.0}, "reach 0 or more"),
        ({"lowest": 9.0, "highest": 4.0}, "lowest below highest"),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments, message):
    with pytest.raises(NeuroloomError, match=message):
        AmplitudePerturbation(**arguments)


def test_series_of_unknown_rate_are_refused_with_the_way_out(drawn):
    data = trials(drawn, geometry={"names": None})
    with pytest.raises(NeuroloomError, match=r"sampling rate of x is unknown.*cohort.yaml"):
        correlations(data, lambda x: x.mean(axis=(1, 2)))


def test_a_model_that_sees_no_series_is_refused_before_training(drawn):
    with pytest.raises(NeuroloomError, match=r"cannot explain model 'mlp'.*a model of series"):
        check_explanation(resolved(drawn.recipe | {"explanation": [{"name": "amplitude_perturbation"}]}))


def test_baselines_of_series_stand_beside_the_model():
    parts = [Part(name=name) for name in ("eegnet", "lda", "csp_lda", "band_power")]
    for baselines, expected in ((0, [0]), (1, [0, 2]), (9, [0, 2, 3])):
        method = AmplitudePerturbation(baselines=baselines)
        assert learners_of("amplitude_perturbation", method, parts) == expected
