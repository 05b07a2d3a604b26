"""Features as linear models want them."""

import numpy as np
import pytest

from neuroloom.estimators.features import Scaling


@pytest.mark.parametrize("unit", [1.0, 1e-12, 1e6])
def test_scaling_does_not_hang_on_the_unit(unit):
    x = np.random.default_rng(0).normal(loc=(0.0, 5.0, 0.0), size=(40, 3))
    x[:, 2] = 7.0  # constant
    scaled = Scaling().fit(unit * x)(unit * x)
    assert scaled.std(axis=0) == pytest.approx([1.0, 1.0, 0.0])
