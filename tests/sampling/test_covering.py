import numpy as np
import pytest

from neuroloom.sampling.covering import covering


@pytest.mark.parametrize(("size", "length", "overlap"), [(13, 6, 0.5), (100, 16, 0.5), (7, 7, 0.5), (31, 4, 0.0)])
def test_windows_reach_both_ends_and_their_shares_sum_to_one(size, length, overlap):
    found, total = covering(size, length, overlap), np.zeros(size)
    for start, share in found:
        total[start : start + length] += share
    np.testing.assert_allclose(total, 1, atol=1e-6)
    starts = [start for start, _ in found]
    assert starts[0] == 0
    assert starts[-1] == size - length
    assert max(np.diff(starts), default=0) <= length * (1 - overlap)


def test_where_windows_overlap_the_nearer_middle_counts_more():
    (_, first), (at, second) = covering(48, 32, 0.5)
    assert at == 16
    assert first[:20].tolist() == [1] * 20  # the volume begins here; the other window's outer four count nothing
    assert first[-4:].tolist() == [0] * 4
    assert (np.diff(first[20:28]) < 0).all()
    np.testing.assert_allclose(second[:16], 1 - first[16:], atol=1e-6)
