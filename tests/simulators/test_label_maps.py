import numpy as np
import pytest

from neuroloom.atlases.anatomy import generation_table
from neuroloom.errors import NeuroloomError
from neuroloom.simulators.label_maps import simulate_label_maps, template_labels


@pytest.fixture(scope="module")
def cohort():
    return simulate_label_maps(n_participants=4, seed=3)


def litres(labels, *numbers):
    return np.isin(labels, numbers).sum() * 8 / 1e6


def test_the_template_has_a_brain_of_its_size_with_sides_and_a_head_about_it():
    labels, affine = template_labels()
    assert 1.4 < litres(labels, 2, 41, 3, 42, 7, 46, 8, 47, 16, 4, 43, 17, 53) < 2.1
    for left, right in ((2, 41), (3, 42), (8, 47), (17, 53)):
        assert litres(labels, left) == pytest.approx(litres(labels, right), rel=0.12)
        x = [
            np.mean((affine @ np.vstack([np.argwhere(labels == n).T, np.ones((labels == n).sum())]))[0])
            for n in (left, right)
        ]
        assert x[0] < -5 < 5 < x[1]  # mm, right is positive
    assert set(np.unique(labels)) <= set(generation_table()["label"])
    assert labels[0].max() == labels[-1].max() == 0


def test_people_differ_and_a_person_is_the_same_each_time(cohort):
    first, second = (cohort.load("labels", sample).data for sample in cohort.samples[:2])
    np.testing.assert_array_equal(first, cohort.load("labels", cohort.samples[0]).data)
    brains = [np.isin(labels, (2, 41, 3, 42)) for labels in (first, second)]
    overlap = 2 * (brains[0] & brains[1]).sum() / (brains[0].sum() + brains[1].sum())
    assert 0.6 < overlap < 0.99
    hippocampi = [labels == 17 for labels in (first, second)]
    assert 2 * (hippocampi[0] & hippocampi[1]).sum() / (hippocampi[0].sum() + hippocampi[1].sum()) < 0.9


def test_another_seed_gives_other_people(cohort):
    other = simulate_label_maps(n_participants=4, seed=4)
    assert not np.array_equal(cohort.load("labels", "sub-001").data, other.load("labels", "sub-001").data)
    assert cohort.fingerprint() != other.fingerprint()


def test_nobody_cannot_be_simulated():
    with pytest.raises(NeuroloomError, match="n_participants"):
        simulate_label_maps(n_participants=0)
