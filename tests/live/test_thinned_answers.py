"""A long row kept evenly, whatever its length."""

import numpy as np
import pytest

from neuroloom.live.thinned import Thinned


@pytest.mark.parametrize("most", [2, 5, 8, 4000])
@pytest.mark.parametrize("n", [0, 1, 4, 5, 9, 100, 30_000])
def test_what_is_kept_is_even_from_the_first_on_and_never_more_than_allowed(most, n):
    row, largest = Thinned(most), 0
    for item in range(n):
        row.take(item)
        largest = max(largest, len(row.kept))
    assert largest <= most
    assert row.kept[:1] == list(range(n))[:1]
    apart = 1
    while len(range(0, n, apart)) > most:
        apart *= 2
    np.testing.assert_array_equal(row.kept, np.arange(0, n, apart))
