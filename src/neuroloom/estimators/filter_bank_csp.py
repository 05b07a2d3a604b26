"""Filter bank common spatial patterns: CSP in many bands, and the filters that tell most about the class."""

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.estimators.bands import checked_bands
from neuroloom.estimators.channels import Channels, covariances
from neuroloom.estimators.csp_lda import checked_pairs, csp_filters, log_filtered
from neuroloom.estimators.lda import LDA
from neuroloom.estimators.on_series import OnSeries
from neuroloom.transforms.series_clean import band_pass

BANDS = tuple((low, low + 4) for low in range(4, 40, 4))  # Hz, as in the source
AT_ONCE = 32  # trials that are filtered together


class FilterBankCSP(OnSeries):
    """Filter bank common spatial patterns (Ang et al. 2012, doi:10.3389/fnins.2012.00039), shrunk LDA.

    Trials are filtered to each band forward and backward, so the first and last cycles of a short trial are less sure.
    Of all filters' log powers those with the most mutual information with the class are kept, each with its pair.

    Parameters
    ----------
    bands : list of [float, float]
        Edges in Hz.
    pairs : int
        Filters from each end of the spectrum, in each band, of each class where there are more than two.
    n_best : int
        Log powers that are kept, before each is joined by its pair.
    class_weight : str
        ``balanced`` or ``none``; a run takes the task's.
    """

    name = "filter_bank_csp"
    needs_rate = True

    def __init__(self, bands=BANDS, pairs=2, n_best=4, class_weight="balanced"):
        super().__init__(LDA(class_weight))
        self.bands = checked_bands(self.name, bands)
        self.pairs, self.n_best = checked_pairs(self.name, pairs), int(n_best)
        if self.n_best < 1:
            raise NeuroloomError(f"{self.name}: n_best is 1 or more, not {n_best}.")

    def learn(self, x, y):
        """Return the filters (band, filter, channel), the bands that are used, and the chosen features."""
        channels = Channels(self.name).fit(x)
        self.warnings = channels.warnings
        filters, powers = [], []
        for band in self.bands:
            trials = self._covariances(x, channels.project, band, self.sampling_rate)
            found = csp_filters(trials, y, self.pairs, self.name)
            powers.append(log_filtered(found @ trials @ found.T))
            filters.append(found @ channels.project)
        chosen = with_pairs(best_of(np.concatenate(powers, axis=1), y, self.n_best))
        band, number = np.divmod(chosen, len(filters[0]))
        return {
            "filters": np.stack([filters[b][n] for b, n in zip(band, number, strict=True)]),  # (chosen, channel)
            "bands": self.bands[band],
            "rate": np.array([self.sampling_rate]),
        }

    def features(self, x):
        """Return the chosen log powers, shape (n, chosen)."""
        rate, bands = float(self.fitted["rate"][0]), self.fitted["bands"]
        found = np.empty((len(x), len(bands)))
        for band in np.unique(bands, axis=0):
            own = (bands == band).all(axis=1)
            found[:, own] = log_filtered(self._covariances(x, self.fitted["filters"][own], band, rate))
        return found

    def _covariances(self, x, project, band, rate):
        """Return the covariance of each trial in a band, in the projected directions."""
        made = []
        for start in range(0, len(x), AT_ONCE):
            part = project @ x[start : start + AT_ONCE]  # (n, direction, time)
            flat = band_pass(part.reshape(-1, x.shape[-1]), rate, *map(float, band), asker=self.name)
            made.append(covariances(flat.reshape(part.shape), np.eye(len(project)), "empirical"))
        return np.concatenate(made)


def best_of(features, y, n_best):
    """Return the numbers of the features (n, feature) that tell most about the class, the best first."""
    told = [mutual_information(feature, y) for feature in features.T]
    return np.argsort(told, kind="stable")[::-1][:n_best]


def with_pairs(chosen):
    """Return chosen features and those paired with them (0 with 1, 2 with 3 ...), each once, rising."""
    return np.unique(np.concatenate([chosen, chosen ^ 1]))


def mutual_information(feature, y):
    """Return the mutual information of a feature (n,) with the class (n,), in nats.

    Densities are sums of Gaussians of a width that suits normal ones (eq. 10 to 15 of the source).
    """
    classes, y = np.unique(y, return_inverse=True)
    share = np.bincount(y) / len(y)
    width = feature.std() * (4 / (3 * len(feature))) ** 0.2
    if width == 0:
        return 0.0
    nearness = np.exp(-((feature[:, None] - feature) ** 2) / (2 * width**2))  # (asked, known)
    density = np.stack(
        [nearness[:, y == value].mean(axis=1) for value in range(len(classes))], axis=1
    )  # (asked, class)
    chance = density * share / (density @ share)[:, None]
    surprise = -np.sum(np.where(chance > 0, chance * np.log(np.maximum(chance, 1e-300)), 0.0), axis=1).mean()
    return float(-np.sum(share * np.log(share)) - surprise)
