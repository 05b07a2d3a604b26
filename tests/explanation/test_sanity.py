"""The tests of a map: what they must say of maps whose worth is known."""

from functools import partial

import numpy as np
import pytest
from scipy.stats import norm, spearmanr

from neuroloom.explanation.chance import drawn_answers
from neuroloom.explanation.frame import Frame
from neuroloom.explanation.planted import Place
from neuroloom.explanation.sanity import (
    check_agreement_of_folds,
    check_agreement_of_methods,
    check_amplitudes,
    check_completeness,
    check_learner,
    check_planted_place,
    check_randomised_weights,
    means_of_folds,
    rank_correlation,
    verdict,
)

N_FEATURES = 300
EVERYWHERE = np.ones(N_FEATURES, bool)


def drawn_maps(shared, n=5, seed=0):
    """Return n maps that share a part of their variance with one common map."""
    rng = np.random.default_rng(seed)
    common, own = rng.standard_normal(N_FEATURES), rng.standard_normal((n, N_FEATURES))
    return list(np.sqrt(shared) * common + np.sqrt(1 - shared) * own)


def noise(folds=5, draws=2, seed=100):
    rng = np.random.default_rng(seed)
    return [list(rng.standard_normal((draws, N_FEATURES))) for _ in range(folds)]


def test_rank_correlation_is_spearmans_of_the_strengths_inside_the_domain():
    one, other = np.random.default_rng(0).standard_normal((2, 50))
    domain = np.arange(50) < 40
    one[3] = np.nan
    known = domain & np.isfinite(one)
    expected = spearmanr(abs(one[known]), abs(other[known])).statistic
    assert rank_correlation(one, other, domain) == pytest.approx(expected)


def test_learned_maps_pass_and_noise_fails():
    learned, nothing = drawn_maps(0.8), drawn_maps(0.0)
    assert check_randomised_weights(learned, noise(), EVERYWHERE)["passed"] is True
    assert check_agreement_of_folds(learned, noise(), EVERYWHERE)["passed"] is True
    assert check_randomised_weights(nothing, noise(), EVERYWHERE)["passed"] is False
    assert check_agreement_of_folds(nothing, noise(), EVERYWHERE)["passed"] is False


def test_a_map_that_drawn_weights_do_not_change_fails():
    """An edge detector: what it shows is the input, whatever the weights are."""
    maps = drawn_maps(0.8, n=15)
    learned, redrawn = maps[:5], [maps[5 + 2 * fold : 7 + 2 * fold] for fold in range(5)]
    assert check_randomised_weights(learned, redrawn, EVERYWHERE)["passed"] is False
    assert check_agreement_of_folds(learned, redrawn, EVERYWHERE)["passed"] is False


def test_methods_agree_on_what_they_share_only():
    learned = drawn_maps(0.8)
    other = [one + 0.5 * two for one, two in zip(learned, drawn_maps(0.0, seed=7), strict=True)]
    assert check_agreement_of_methods(learned, noise(), other, noise(seed=3), EVERYWHERE, "occlusion")["passed"] is True
    apart = drawn_maps(0.0, seed=8)
    assert check_agreement_of_methods(learned, noise(), apart, noise(seed=3), EVERYWHERE, "x")["passed"] is False


def test_one_fold_decides_nothing():
    told = check_agreement_of_folds(drawn_maps(0.8, n=1), noise(folds=1), EVERYWHERE)
    assert told["passed"] is None
    assert told["value"] is None
    assert "must not be read as a biomarker" in verdict([told])


@pytest.mark.parametrize(
    ("strength", "effect", "knows", "passed"),
    [
        (2.0, True, True, True),
        (2.0, True, None, True),
        (2.0, True, False, False),  # a learner at chance finds nothing, whatever its map shows
        (2.0, False, True, False),
        (2.0, False, False, None),  # and where nothing is planted, its map is not read
        (0.0, False, False, None),
        (0.0, True, True, False),
        (0.0, False, True, True),
    ],
)
def test_planted_place(strength, effect, knows, passed):
    rng = np.random.default_rng(1)
    mask = np.arange(N_FEATURES) < 30
    values = rng.standard_normal(N_FEATURES) + strength * mask
    people = rng.standard_normal((60, N_FEATURES))
    of_answers = partial(drawn_answers, people, lambda weights, along: weights, "mean")
    place, frame = Place(mask, "planted features", effect), Frame("table", (N_FEATURES,))
    told = check_planted_place(values, noise(), place, frame, EVERYWHERE, of_answers, knows=knows)
    assert told["passed"] is passed
    assert ("he learner is not above chance" in told["text"]) is (knows is False)
    assert told["name"] == ("planted_place" if effect else "nothing_planted")
    assert (told["value"] > told["threshold"]) is (strength > 0)  # the map's own verdict stays to be seen
    assert ("Not decided: nothing planted." in verdict([told])) is (passed is None)


def test_verdict_names_what_failed():
    assert verdict([check_completeness(0.01)]) == "It passed its 1 test."
    told = verdict([check_completeness(0.01), check_completeness(0.2)])
    assert told == "It failed 1 of its 2 tests (completeness): this map must not be read as a biomarker."


def test_a_learner_at_chance_has_no_explanation():
    assert check_learner({"metric": "auc", "p": 0.01})["passed"] is True
    assert "own mean absolute error, against chance" in check_learner({"metric": "mae", "p": 0.01})["text"]
    assert check_learner({"metric": "auc", "p": 0.4})["passed"] is False
    assert check_learner(None)["passed"] is None
    undecided = check_learner({"metric": "balanced_accuracy", "p": None})  # leave-one-out: nobody to exchange
    assert (undecided["passed"], undecided["value"]) == (None, None)


def test_maps_whose_sign_tells_something_are_compared_with_it():
    """Drawn weights that give the same strength with any sign are no copy of a learned map."""
    learned = drawn_maps(0.8)
    opposite = [[-one] for one in learned]
    assert check_randomised_weights(learned, opposite, EVERYWHERE, signed=True)["passed"] is True
    assert check_randomised_weights(learned, opposite, EVERYWHERE)["passed"] is False
    one, other = learned[:2]
    assert rank_correlation(one, other, EVERYWHERE, signed=True) == pytest.approx(spearmanr(one, other).statistic)


def test_maps_by_drawn_weights_are_averaged_over_folds():
    redrawn = noise(folds=4, draws=3)
    means = means_of_folds(redrawn)
    assert len(means) == 3
    np.testing.assert_allclose(means[1][0], sum(fold[1] for fold in redrawn) / 4)


def test_the_largest_amplitude_is_held_against_chance_and_none_is_counted():
    values = np.zeros(N_FEATURES)
    values[7] = -0.5
    bar = norm.isf(0.5 * (1 - 0.95 ** (1 / N_FEATURES))) * 0.1
    told = check_amplitudes(values, EVERYWHERE, 0.01)
    assert told["threshold"] == pytest.approx(bar)
    assert told["passed"] is True
    assert f"of {N_FEATURES} values" not in told["text"]  # one amplitude lifts its neighbours
    assert "or on a neighbour's within some centimetres" in told["text"]
    values[7] = 0.9 * bar
    assert check_amplitudes(values, EVERYWHERE, 0.01)["passed"] is False
