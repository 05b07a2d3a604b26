"""Template matching: how alike a stretch of some channel is to waves that were seen in the fit part, such as sharp waves."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.cluster import KMeans

from neuroloom.errors import NeuroloomError
from neuroloom.estimators.band_power import HEADS
from neuroloom.estimators.channels import Channels, check_power, log_power
from neuroloom.estimators.on_series import OnSeries
from neuroloom.known import check_known

ROUNDS = 5  # of looking for the waves anew with the templates found so far
LARGEST = 3  # channels whose mean is looked at beside the best one
FLAT = 1e-6  # of the largest value of a trial: a piece without a wave, by sums in float64


class TemplateMatching(OnSeries):
    """Waves of the fit part as templates, how alike each channel is to them at best, and a linear model.

    Each trial of a class is taken to hold one wave, where one channel stands out most; the waves are put into clusters, and
    each is looked for anew with the mean of its cluster, so that they come to lie on each other (Nonclercq et al. 2012,
    doi:10.1016/j.jneumeth.2012.07.015, who find the waves without labels; Lodder et al. 2013,
    doi:10.1016/j.clinph.2013.05.019, who match templates of many people). The templates are courses in one channel, so that
    another place on the head is no other wave. Of each template the features of a trial are the largest normalised
    cross-correlation over channels and time (as Fisher's z), its mean over the three channels that have most of it, and the
    log of the largest height.

    Parameters
    ----------
    length : float
        Of a template, s.
    n_templates : int
        Of each class but the one that is everything else: the first of two classes, the most frequent of more.
    head : str
        ``lda`` (shrunk) or ``logistic`` (penalty chosen inside the fit part).
    class_weight : str
        ``balanced`` or ``none``; a run takes the task's.
    """

    name = "template_matching"
    needs_rate = True

    def __init__(self, length=0.3, n_templates=4, head="lda", class_weight="balanced"):
        check_known(f"head of {self.name}", head, HEADS)
        super().__init__(HEADS[head](class_weight=class_weight))
        if not length > 0:
            raise NeuroloomError(f"{self.name}: length is in s and more than 0, not {length}.")
        if not (isinstance(n_templates, int) and n_templates >= 1):
            raise NeuroloomError(f"{self.name}: n_templates must be 1 or more, but is {n_templates!r}.")
        self.length, self.n_templates = float(length), n_templates

    def learn(self, x, y):
        """Return the templates (template, time), each of mean 0 and length 1, and which channels carry a signal."""
        n_times = round(self.length * self.sampling_rate)
        if not 4 <= n_times <= x.shape[-1]:
            raise NeuroloomError(
                f"{self.name}: a template of {self.length:g} s is {n_times} time points, and trials have {x.shape[-1]}. Give "
                "a length of 4 time points or more that fits into a trial."
            )
        channels = Channels(self.name).fit(x)
        self.warnings = channels.flat_warnings
        counts = np.bincount(y)
        rest = 0 if len(counts) == 2 else int(counts.argmax())
        scaled = [x[y == one][:, channels.live] / channels.deviation[channels.live][:, None]
                  for one in range(len(counts)) if one != rest and counts[one]]  # fmt: skip
        return {
            "live": np.flatnonzero(channels.live),
            "deviation": channels.deviation[channels.live],
            "templates": np.concatenate([templates_of(waves, n_times, self.n_templates) for waves in scaled]),
        }

    def features(self, x):
        """Return likeness of the best channel and of the best three, and the log of the height: (n, 3 a template)."""
        live, templates = self.fitted["live"], self.fitted["templates"]
        found = np.empty((len(x), 3, len(templates)))
        check_power(np.stack([trial[live].var(axis=-1) for trial in x]))
        for place, trial in zip(found, x, strict=True):
            height, alike = matched(trial[live] / self.fitted["deviation"][:, None], templates)
            best = np.sort(alike.max(axis=1), axis=0)[::-1]  # (channel, template)
            place[:] = best[0], best[:LARGEST].mean(axis=0), height.max(axis=(0, 1))
        found[:, :2] = np.arctanh(np.clip(found[:, :2], -0.999, 0.999))
        found[:, 2] = log_power(found[:, 2])
        return found.reshape(len(x), -1)


def templates_of(waves, n_times, n_templates):
    """Return templates (template, time) of trials (n, channel, time) that each hold one wave, largest cluster first."""
    pieces = np.stack([standing_out(trial, n_times) for trial in waves])
    n_templates = min(n_templates, len(np.unique(pieces, axis=0)))
    templates = unit(KMeans(n_templates, n_init=10, random_state=0).fit(pieces).cluster_centers_)
    for _ in range(ROUNDS):
        found = [best_piece(trial, templates) for trial in waves]
        number = np.array([one for one, _ in found])
        pieces = np.stack([piece for _, piece in found])
        templates = unit(np.stack([pieces[number == one].mean(axis=0) for one in np.unique(number)]))
    sizes = np.bincount([best_piece(trial, templates)[0] for trial in waves], minlength=len(templates))
    return templates[np.argsort(-sizes, kind="stable")]


def standing_out(trial, n_times):
    """Return the piece (time,) around the point that lies farthest from its channel's mean, of mean 0 and length 1."""
    away = np.abs(trial - trial.mean(axis=-1, keepdims=True))
    channel, point = np.unravel_index(away.argmax(), away.shape)
    first = int(np.clip(point - n_times // 2, 0, trial.shape[-1] - n_times))
    return unit(trial[channel, first : first + n_times])


def best_piece(trial, templates):
    """Return which template is found with the largest height in a trial, and the piece there, of mean 0 and length 1."""
    height, _ = matched(trial, templates)
    channel, first, number = np.unravel_index(height.argmax(), height.shape)
    return number, unit(trial[channel, first : first + templates.shape[1]])


def matched(trial, templates):
    """Return height and likeness of templates at each place of a trial, both (channel, place, template).

    Parameters
    ----------
    trial : ndarray of shape (channel, time)
    templates : ndarray of shape (template, time)
        Of mean 0 and length 1.

    Returns
    -------
    height : ndarray
        Length of the piece's part along the template.
    alike : ndarray
        Normalised cross-correlation, -1 to 1; 0 where a piece is flat.
    """
    trial, n_times = trial - trial.mean(axis=-1, keepdims=True), templates.shape[1]
    height = (
        sliding_window_view(trial, n_times, axis=-1) @ templates.T
    )  # (channel, place, time) -> (channel, place, template)
    total, squares = (running_sum(values, n_times) for values in (trial, trial**2))
    size = np.sqrt(np.maximum(squares - total**2 / n_times, 0.0))[..., None]
    return height, np.divide(height, size, out=np.zeros_like(height), where=size > FLAT * np.abs(trial).max())


def running_sum(values, n):
    """Return the sum of each ``n`` neighbours along the last axis."""
    sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=-1)
    return sums[:, n:] - sums[:, :-n]


def unit(waves):
    """Return courses (..., time) brought to mean 0 and length 1; a flat one stays 0."""
    waves = waves - waves.mean(axis=-1, keepdims=True)
    size = np.linalg.norm(waves, axis=-1, keepdims=True)
    return np.divide(waves, size, out=np.zeros_like(waves), where=size > 0)
