"""Is this the same recording under another name? A trace for each series, and a test of two series.

What a brain does by itself never comes twice: the moments at which a recording changes much and little are
its own, whatever the scale, sign or order of its regions. Two visits agree by chance alone.
"""

import numpy as np
from scipy import fft

from neuroloom.cohort.check_same_volume import Match

LONGEST = 1024  # samples of a trace that are kept
FEWEST = 16  # samples that two series must share to be compared
SHARED = 0.6  # of the shorter one
ALIKE = 0.75  # traces of two people correlate below .69 at their best lag, of copies above .98 (120 people)
SAME = 0.98  # time courses of the same region: two people below .2 there; of the likest region: below .5; copies .99
MOST_COMPARED = 100_000  # samples of two long recordings that are compared
MOST_REGIONS = 64  # that are looked for among the other's, where the order differs


def fingerprint(scan):
    """Return how much a series changes from sample to sample, over all its regions.

    Parameters
    ----------
    scan : Scan
        Series (region, time).

    Returns
    -------
    ndarray of shape (time - 1,), float32, or None
        Root mean square over regions of the difference between neighbouring samples, each region in units
        of its own spread; at most ``LONGEST`` values. None where nothing varies, or too short.
    """
    series = scaled(scan.data[:, : LONGEST + 1])
    series = series[series.any(axis=1)]
    if not len(series) or series.shape[1] <= FEWEST:
        return None
    return np.sqrt((np.diff(series, axis=1) ** 2).mean(axis=0)).astype(np.float32)


def scaled(data):
    """Return each region with mean 0 and spread 1; regions that do not vary, or hold NaN, are 0 throughout."""
    known = np.isfinite(data).all(axis=1, keepdims=True)
    data = np.where(known, data, 0).astype(np.float32)
    data = data - data.mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
    spread = data.std(axis=1, keepdims=True)
    varies = spread > 1e-6 * np.abs(data).max(axis=1, keepdims=True, initial=0)
    return np.where(varies, data / np.where(varies, spread, 1), 0)


def candidates(traces):
    """Return the pairs that look alike: (score, first, second, lag in samples), the most alike first.

    Sample t of the second is sample t + lag of the first.

    Parameters
    ----------
    traces : list of ndarray of shape (time,)
    """
    lengths = np.array([len(trace) for trace in traces], dtype=np.int64)
    padded = np.zeros((len(traces), lengths.max(initial=1)))
    for row, trace in zip(padded, traces, strict=True):
        row[: len(trace)] = trace - trace.mean(dtype=np.float64)
    spectra = fft.rfft(padded, _size(padded))
    sums = [_running_sum(padded**power) for power in (1, 2)]
    found = []
    for i in range(len(traces) - 1):
        scores, lags = _best_lags(i, lengths, spectra, sums)
        found += [(float(scores[j]), i, i + 1 + int(j), int(lags[j])) for j in np.flatnonzero(scores >= ALIKE)]
    return sorted(found, key=lambda pair: (-pair[0], *pair[1:3]))


def _size(padded):
    return fft.next_fast_len(2 * padded.shape[1], real=True)


def _running_sum(values):
    """Return sums of values[:, :t], for t from 0 on."""
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)


def _best_lags(i, lengths, spectra, sums):
    """Return the largest correlation of trace i with each later one over all lags, and that lag."""
    width = sums[0].shape[1] - 1
    size = fft.next_fast_len(2 * width, real=True)
    lags = np.arange(-width + 1, width)
    length, others = lengths[i], lengths[i + 1 :, None]
    start = np.clip(lags, 0, None)  # the shared part, in samples of trace i
    stop = np.clip(np.minimum(length, others + lags), start, None)  # (other, lag)
    n = stop - start
    sum_one, square_one = (total[i][stop] - total[i][start] for total in sums)
    sum_other, square_other = (_between(total[i + 1 :], start - lags, stop - lags) for total in sums)
    safe = np.maximum(n, 1)
    products = fft.irfft(spectra[i] * np.conj(spectra[i + 1 :]), size)[:, lags]  # negative lags stand at the end
    covariance = products - sum_one * sum_other / safe
    spread = (square_one - sum_one**2 / safe) * (square_other - sum_other**2 / safe)
    usable = (n >= np.maximum(FEWEST, SHARED * np.minimum(length, others))) & (spread > 1e-12)
    scores = np.where(usable, covariance / np.sqrt(np.where(spread > 1e-12, spread, 1)), -1)
    best = scores.argmax(axis=1)
    return scores[np.arange(len(best)), best], lags[best]


def _between(totals, start, stop):
    """Return the sums of each row between its starts and stops, from running sums."""
    start, stop = np.broadcast_arrays(start, stop)
    return np.take_along_axis(totals, stop, axis=1) - np.take_along_axis(totals, start, axis=1)


def compare(one, other, lag):
    """Return the `Match` of two series that hold the same recording, else None.

    Parameters
    ----------
    one, other : Scan
        Series (region, time).
    lag : int
        Sample t of ``other`` is sample t + lag of ``one``.
    """
    start = max(lag, 0)
    stop = min(one.data.shape[1], other.data.shape[1] + lag, start + MOST_COMPARED)
    a, b = scaled(one.data[:, start:stop]), scaled(other.data[:, start - lag : stop - lag])
    if len(a) == len(b):
        both = a.any(axis=1) & b.any(axis=1)
        alike = np.abs((a[both] * b[both]).mean(axis=1))
        if both.any() and np.median(alike) >= SAME:
            return Match(float(np.median(alike)), _how(one, other, lag))
    a, b = a[a.any(axis=1)], b[b.any(axis=1)]
    if len(a) > len(b):
        a, b = b, a
    chosen = a[:: max(1, len(a) // MOST_REGIONS)]
    if not len(chosen):
        return None
    alike = np.abs(chosen @ b.T / a.shape[1]).max(axis=1)
    if np.median(alike) < SAME:
        return None
    order = "its regions in another order" if len(a) == len(b) else f"{len(a)} of {len(b)} regions of it"
    return Match(float(np.median(alike)), _how(one, other, lag, order))


def _how(one, other, lag, order=""):
    """Say what was done to one of two copies."""
    done = [order] if order else []
    n, m = one.data.shape[1], other.data.shape[1]
    if lag:
        done.append(f"shifted by {lag} samples")
    if n != m:
        done.append(f"{abs(n - m)} samples shorter")
    if not order and not lag and n == m:
        same = all(np.array_equal(*rows, equal_nan=True) for rows in zip(one.data, other.data, strict=True))
        done.append("every sample the same" if same else "on another scale or rounded")
    return ", ".join(done)
