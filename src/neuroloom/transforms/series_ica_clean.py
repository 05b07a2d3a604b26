"""Take blinks and eye movements out of EEG: independent components that go with the eye channels."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import signal
from sklearn.decomposition import FastICA
from sklearn.exceptions import ConvergenceWarning

from neuroloom.errors import NeuroloomError
from neuroloom.formats import spacious
from neuroloom.scan import Scan
from neuroloom.transforms.series_channels import (
    as_list,
    check_amount,
    check_finite,
    eeg_channels,
    recording,
    told_channels,
    types_of,
)
from neuroloom.transforms.series_mixing import Mixing, mixed
from neuroloom.transforms.series_pick import place_of
from neuroloom.transforms.series_rank import measured_rank
from neuroloom.transforms.series_regions import sampling_rate
from neuroloom.transforms.series_sections import butterworth

DRIFTS = 1.0  # Hz: the copy that is fitted on is high-passed here
LOWEST_RATE = 100.0  # Hz, of that copy
EYES = 10.0  # Hz: eyes move below
LONGEST = 1_200.0  # s, of that copy
N_STRETCHES = 20
ORDER = 4
LEAST_CHANNELS = 4
LEAST_CORRELATION = {False: 0.4, True: 0.7}  # with a channel that is of type eeg, or is not


@dataclass(frozen=True)
class IcaClean:
    """Remove independent components that go with the eyes from the good EEG channels.

    FastICA (Hyvärinen 1999, doi:10.1109/72.761722) is fitted on a copy of at most 20 minutes, spread evenly over
    the recording, high-passed at 1 Hz and thinned to 100 to 200 Hz. A component goes when the size of its
    correlation with an eye channel, between 1 and 10 Hz, lies more than ``largest_z`` robust standard
    deviations above that of the other components, and above ``least_correlation``. What was removed stands in
    ``geometry["removed_components"]``.

    Parameters
    ----------
    eog : str or list of str or None
        Eye channels, or frontal EEG channels that see the eyes; None takes the channels of type eog.
    largest_z : float
    least_correlation : float or None
        None: 0.4 with an eog channel; 0.7 with an EEG channel that stands in for one, which sees the brain too
        (the component must be half of its slow variance).
    seed : int
        Of the start of FastICA.
    max_iterations : int
        Where FastICA does not come to rest in so many rounds, ``geometry["ica_at_rest"]`` is false: components
        that are Gaussian noise never do, and do no harm; but where blinks are left over, look here first.
    """

    eog: str | Sequence[str] | None = None
    largest_z: float = 3.5
    least_correlation: float | None = None
    seed: int = 0
    max_iterations: int = 400

    causal = False

    def __post_init__(self):
        check_amount(
            "ica_clean", largest_z=self.largest_z, least_correlation=self.least_correlation,
            max_iterations=self.max_iterations,
        )  # fmt: skip

    def __call__(self, scan: Scan) -> Scan:
        scan = recording(scan, "ica_clean")
        check_finite(scan.data, scan.geometry, "ica_clean")
        eyes, channels = self._eyes(scan.geometry), eeg_channels(scan.geometry, "ica_clean", with_bad=False)
        rank = measured_rank(scan.data, channels)
        if rank < LEAST_CHANNELS:
            raise NeuroloomError(
                f"ica_clean needs {LEAST_CHANNELS} independent EEG channels; this recording has {rank}."
            )
        places = np.unique(np.concatenate([channels, eyes]))
        copy, rate = thinned(scan.data, places, sampling_rate(scan, "ica_clean"))
        eeg, eye = copy[np.searchsorted(places, channels)], copy[np.searchsorted(places, eyes)]
        unmixing, mixing, at_rest = self._fitted(eeg, rank)
        slow = butterworth("ica_clean", rate, None, EYES, ORDER)
        pairs = signal.sosfiltfilt(slow, unmixing @ eeg, axis=1), signal.sosfiltfilt(slow, eye, axis=1)
        removed = self._with_the_eyes(*pairs, eyes, scan.geometry)
        which = sorted({one["component"] for one in removed})
        whole = np.eye(len(scan.data))
        whole[np.ix_(channels, channels)] -= mixing[:, which] @ unmixing[which]
        geometry = {**scan.geometry, "removed_components": removed, "ica_at_rest": at_rest}
        if which:
            geometry["rank"] = rank - len(which)
        return mixed(scan, Mixing(whole, geometry))

    def _eyes(self, geometry):
        if self.eog is not None:
            return np.array([place_of(name, geometry, "ica_clean") for name in as_list(self.eog)])
        eyes = [place for place, kind in enumerate(types_of(geometry)) if kind == "eog"]
        if not eyes:
            raise NeuroloomError(
                "ica_clean: the recording has no channel of type eog. Name channels that see the eyes, for example "
                f"eog: [Fp1, Fp2]. It has {told_channels(geometry)}."
            )
        return np.array(eyes)

    def _fitted(self, copy, rank):
        """Return unmixing (component, channel), mixing (channel, component), and whether FastICA came to rest."""
        ica = FastICA(rank, whiten="unit-variance", max_iter=self.max_iterations, random_state=self.seed)
        scale = copy.std()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # told in the geometry
            ica.fit((copy / scale).T)
        return ica.components_ / scale, ica.mixing_ * scale, ica.n_iter_ < self.max_iterations

    def _with_the_eyes(self, sources, series, eyes, geometry):
        """Return the components that go with an eye channel, as a list of records."""
        removed = []
        for place, eye in zip(eyes, series, strict=True):
            least = self.least_correlation or LEAST_CORRELATION[types_of(geometry)[place] == "eeg"]
            size = np.abs(correlations(sources, eye))
            away = size - np.median(size)
            z = away / max(1.4826 * np.median(np.abs(away)), 1e-12)
            for one in np.flatnonzero((z > self.largest_z) & (size > least)):
                told = {"component": int(one), "with": geometry["names"][place]}
                removed.append({**told, "correlation": round(float(size[one]), 4)})
        return removed


def correlations(series, other):
    """Return the correlation of each of several series (n, time) with another (time,)."""
    series = series - series.mean(axis=1, keepdims=True)
    other = other - other.mean()
    norms = np.sqrt((series**2).sum(axis=1) * (other @ other))
    return np.divide(series @ other, norms, out=np.zeros(len(series)), where=norms > 0)


def thinned(data, channels, rate):
    """Return the copy of some channels that is fitted on: high-passed, at a lower rate, at most 20 minutes.

    Parameters
    ----------
    data : ndarray of shape (channel, time)
    channels : ndarray of int
    rate : float
        Hz.

    Returns
    -------
    copy : ndarray of shape (len(channels), n), float64
    rate : float
        Hz, of the copy.
    """
    step = max(1, int(rate // LOWEST_RATE))
    low_pass = None if step == 1 else 0.4 * rate / step
    sections = butterworth("ica_clean", rate, DRIFTS, low_pass, ORDER)
    length = min(data.shape[1], int(LONGEST / N_STRETCHES * rate))
    n_stretches = min(N_STRETCHES, data.shape[1] // length)
    starts = np.linspace(0, data.shape[1] - length, n_stretches).astype(int)
    if length < 10 * rate:
        raise NeuroloomError(f"ica_clean needs 10 s at least, but this recording has {data.shape[1] / rate:.3g} s.")
    pieces = []
    for start in starts:
        stretch = data[channels, start : start + length].astype(np.float64)
        pieces.append(signal.sosfiltfilt(sections, stretch, axis=1)[:, ::step])
        spacious.let_go(data)
    return np.concatenate(pieces, axis=1), rate / step
