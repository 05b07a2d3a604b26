"""Amplitude perturbation: which rhythm of which channel an answer goes along with when it is made larger and smaller."""

import numpy as np
import torch
from scipy.stats import norm

from neuroloom.errors import NeuroloomError
from neuroloom.explanation.items import Attribution, asked, items_of, over_whole_items
from neuroloom.explanation.occlusion import VALUES_AT_ONCE, repeated
from neuroloom.explanation.series_frame import positions_of
from neuroloom.explanation.spectrum import check_range, lines_of_input
from neuroloom.seeds import torch_generator

NAME = "amplitude_perturbation"
LEVEL = 0.05
ANSWERS = "answers "  # no input is called so


class AmplitudePerturbation:
    """Correlation of the answer with drawn changes of amplitude, by channel and frequency.

    The input-perturbation network-prediction correlation map (Schirrmeister et al. 2017, doi:10.1002/hbm.23730), for
    networks and for estimators of series. The amplitudes of each trial's spectrum are multiplied by drawn factors, one for
    each channel and column of frequencies, phases stay; the change of the answer is correlated with the logarithm
    of each factor over trials and draws. Every draw is used twice, as it is and with larger and smaller exchanged.

    What cortex does reaches neighbouring electrodes together, so the factors of neighbours are drawn alike (``reach``);
    with a reach of 0, as in the source, each channel goes its own way, and few trials show little.

    The factors are drawn, so chance is known: where the answer hangs on no amplitude, each correlation is normal with
    mean 0 and variance one over trials times draws. Where it hangs on one, neighbours that are not looked at show too, by as
    much as their factors are alike (.61 at 4 cm by default). A value beyond chance says that the answer hangs on this
    amplitude or on that of a neighbour within some centimetres, not on which.

    Parameters
    ----------
    draws : int
        Of each trial (each used twice).
    spread : float
        Standard deviation of the logarithm of the factors.
    reach : float
        In m: logarithms of factors of electrodes d apart have the correlation exp(-d^2 / (2 reach^2)); without
        positions, or where it is 0, they are independent.
    lowest, highest, width : float
        Hz: which frequencies are changed, and how wide a column is (no less than one over the length of an item in s).
    baselines : int
        So many of the recipe's baselines that look at series get the same map beside the model's.
    people : int
        At most this many test people (or trials) of each fold are looked at.
    seed : int
        Of the draws.
    """

    kinds = ("trained", "estimator")
    sees = "series"
    is_contribution = False
    is_pattern = True
    is_signed = True  # what a rhythm does to the answer is told by its sign
    window = None
    label = "Correlation"
    axis = "frequency"  # of maps of series
    text = (
        "Correlation of {answer} with drawn changes of amplitude, by channel and frequency: above 0 where a larger rhythm "
        "makes it larger. A value speaks of its channel or of a neighbour within some centimetres, as far as electrodes are "
        "changed alike (reach). It shows what the learner uses thereabouts, not what the brain does: a channel may be used "
        "to cancel noise that it shares with others (Haufe et al. 2014)."
    )

    def __init__(
        self, draws=32, spread=0.5, reach=0.04, lowest=1.0, highest=45.0, width=2.0, baselines=1, people=24, seed=0
    ):
        if draws < 1 or spread <= 0 or reach < 0:
            raise NeuroloomError(
                f"{NAME}: draws must be 1 or more, spread above 0 and reach 0 or more, not {draws}, {spread} and {reach}."
            )
        check_range(NAME, lowest, highest, width)
        self.draws, self.spread, self.reach, self.range = draws, spread, reach, (lowest, highest, width)
        self.baselines, self.people, self.seed = baselines, people, seed

    def lines(self, learner, data, name, rows):
        """Return the `Lines` that are changed of an input."""
        return lines_of_input(NAME, learner, data, name, rows, *self.range)

    def attribute(self, learner, data, rows, fold, answer):
        """Return the `Attribution` of some rows: each one's part of the correlation, which is their mean."""
        stores = learner.inputs.stores(data, rows)
        series = [name for name, store in stores.items() if store.kind == "series"]
        if not series:
            raise NeuroloomError(
                f"explanation {NAME!r}: {learner.plan.name} sees no series. Explain it by another method."
            )
        lines = {name: self.lines(learner, data, name, rows[stores[name].present[rows]]) for name in series}
        ask = asked(learner, answer, {name: store.kind for name, store in stores.items()})
        alike = {name: self._alike(learner, data, name, rows[stores[name].present[rows]]) for name in series}
        draw = torch_generator(self.seed, NAME, fold.repeat, fold.index)

        def of_batch(batch):
            before, made = ask(batch), {}
            for name in series:
                along, square = self._answered(ask, batch, name, lines[name], alike[name], draw)
                made |= {name: along, f"square of {name}": square}
            return made | {ANSWERS: before}

        found = over_whole_items(learner, data, rows, of_batch)
        maps = {name: found[name] / max(np.sqrt(found[f"square of {name}"].mean()), 1e-12) for name in series}
        n_items = len(items_of(learner, data, rows))
        return Attribution(maps, found[ANSWERS], {"variance": len(rows) / (n_items * self.draws)})

    def _answered(self, ask, batch, name, lines, alike, draw):
        """Return mean over draws of factor times change of the answer, (batch, channel, column), and of the change's square."""
        x = batch.inputs[name]
        along = torch.zeros(*x.shape[:2], lines.n, dtype=torch.float64)
        square = torch.zeros(len(x), dtype=torch.float64)
        for first in range(0, self.draws, self._at_once(x)):
            n = min(self._at_once(x), self.draws - first)
            factors = torch.einsum("cd,nbdf->nbcf", alike, torch.randn((n, *along.shape), generator=draw))
            both = torch.cat([changed(x, lines, self.spread * factors), changed(x, lines, -self.spread * factors)])
            after = ask(repeated(batch, 2 * n, **{name: both.flatten(0, 1)})).double().reshape(2, n, len(x))
            change = (after[0] - after[1]) / 2
            along += torch.einsum("nbcf,nb->bcf", factors.double(), change)
            square += (change**2).sum(dim=0)
        return along / self.draws, square / self.draws

    def _alike(self, learner, data, name, rows):
        """Return a matrix that makes independent draws of channels alike as far as the reach, (channel, channel)."""
        names = learner.inputs.names.get(name)
        positions = positions_of(data.stores[name], int(rows[0]), names and [str(one) for one in names])
        if positions is None or self.reach == 0:
            n_channels = learner.inputs.stores(data, rows[:1])[name][int(rows[0])].shape[0]
            return torch.eye(n_channels)
        return torch.as_tensor(mixing(np.array(positions), self.reach), dtype=torch.float32)

    @staticmethod
    def _at_once(x):
        return max(1, VALUES_AT_ONCE // (2 * x.numel()))


def mixing(positions, reach):
    """Return a matrix whose rows have length 1 and whose products are exp(-d^2 / (2 reach^2)), d the distance of electrodes.

    Parameters
    ----------
    positions : ndarray of shape (channel, 3)
    reach : float
        In the same unit.
    """
    apart = np.linalg.norm(positions[:, None] - positions, axis=-1)
    values, vectors = np.linalg.eigh(np.exp(-0.5 * (apart / reach) ** 2))
    root = vectors * np.sqrt(np.maximum(values, 0.0))  # those below 0 are rounding
    return root / np.linalg.norm(root, axis=1, keepdims=True)


def changed(x, lines, logarithms):
    """Return series whose amplitudes are multiplied by e to the power of drawn numbers.

    Parameters
    ----------
    x : Tensor of shape (batch, channel, time)
    lines : Lines
    logarithms : Tensor of shape (n, batch, channel, column)

    Returns
    -------
    Tensor of shape (n, batch, channel, time)
    """
    spectrum = torch.fft.rfft(x) * lines.spread(logarithms, 0.0).exp()
    return torch.fft.irfft(spectrum, n=x.shape[-1]).to(x.dtype)


def beyond_chance(n_values, variance):
    """Return the correlation that one map in twenty reaches anywhere where the answer hangs on no amplitude.

    The factors are normal, so that of ``n_values`` correlations none exceeds it with a probability of .95, or more where
    neighbours are alike (Sidak 1967, doi:10.1080/01621459.1967.10482935).

    Parameters
    ----------
    n_values : int
        Channels times columns.
    variance : float
        Of one correlation by chance.
    """
    return float(norm.isf((1 - (1 - LEVEL) ** (1 / n_values)) / 2) * np.sqrt(variance))
