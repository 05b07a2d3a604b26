"""Whether two ways of measuring give the same number, not only numbers that rise together."""

import numpy as np

from neuroloom.metrics.metric import Metric, first_over_second, ratio
from neuroloom.metrics.regression import moments


def _icc_sums(truth, prediction, weight, reference):
    """Return the variance between people, and that with what differs between truth and prediction, shape (n_draws, 2).

    The mean squares of a two-way table of n people and 2 ways, written with the sums of squares about the means: those of
    rows less those of the error are 2 Sxy / (n - 1), both together (Sxx + Syy) / (n - 1).
    """
    product, of_truth, of_prediction = moments(truth, prediction, weight).T
    n = weight.sum(axis=1)
    shift = ratio(weight @ (prediction - truth), n) ** 2  # 2 / n of the mean square of columns
    both, error = of_truth + of_prediction, (of_truth + of_prediction - 2 * product) / 2
    sums = np.stack([ratio(2 * product, n - 1), ratio(both, n - 1) + shift - 2 * ratio(error, n * (n - 1))], axis=1)
    return np.where((of_truth > 0)[:, None], sums, 0.0)  # people who do not differ say nothing


icc = Metric(
    name="icc",
    label="intraclass correlation",
    kind="number",
    sums=_icc_sums,
    finish=first_over_second,
    higher_is_better=True,
    chance=lambda truth, reference=None: 0.0,
    scale="correlation",
    estimand="intraclass correlation ICC(A,1) of prediction and truth inside the test folds (McGraw and Wong 1996, "
    "doi:10.1037/1082-989X.1.1.30): 1 only where both are the same number",
    needs="spread",
)
