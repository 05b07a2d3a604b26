"""Series as an estimator of trials wants them: arrays (n, channel, time) of equal length, read from the items of some rows."""

from contextlib import contextmanager

import numpy as np

from neuroloom.errors import NeuroloomError, listed
from neuroloom.estimators.channels import FlatTrials
from neuroloom.formats.spacious import empty
from neuroloom.training.items import Items

AT_ONCE = 256  # trials that are read and answered together


class Trials:
    """The items of some rows of one series input, as trials.

    Parameters
    ----------
    name : str
        Of the learner, for errors.
    stores : dict
        The one input that it sees, after the fitted transforms.
    sampling : object
        Cuts samples into items.
    rows : ndarray of int
    """

    def __init__(self, name, stores, sampling, rows):
        self.name, self.input, self.store = name, *the_one_series(name, stores)
        rows = np.asarray(rows)
        absent = [self.store.samples[row] for row in rows[~self.store.present[rows]]]
        if absent:
            raise NeuroloomError(
                f"{name}: {len(absent)} of {len(rows)} samples have no {self.input}: {listed(absent)}. Leave them out with "
                "cohort.where."
            )
        self.items = Items(stores, sampling, rows)
        self._check_lengths()

    def __len__(self):
        return len(self.items)

    @property
    def shape(self):
        """Channels and time points of a trial."""
        return tuple(self.items.blank[self.input].shape)

    @property
    def places(self):
        """Which of the rows each trial is from, shape (n_trials,)."""
        place = {int(row): at for at, row in enumerate(self.items.rows)}
        return np.array([place[int(row)] for row in self.items.items[:, 0]])

    def all(self):
        """Return all trials as one array (n, channel, time), float64; a large one lies in a file."""
        x = empty((len(self), *self.shape), np.float64)
        for numbers in self._parts():
            x[numbers] = self._read(numbers)
        return x

    def answers(self, predict):
        """Return what ``predict`` answers (trials -> (n, outputs)), joined over the trials of each row: (rows, outputs)."""
        made = []
        for numbers in self._parts():
            with self.named(numbers):
                made.append(predict(self._read(numbers)))
        return self.items.joined(np.concatenate(made))

    @contextmanager
    def named(self, numbers=None):
        """Name the samples of trials that an estimator finds to be flat."""
        try:
            yield
        except FlatTrials as flat:
            trials = np.asarray(flat.trials) if numbers is None else numbers[flat.trials]
            samples = dict.fromkeys(self.store.samples[row] for row in self.items.items[trials, 0])
            raise NeuroloomError(f"{self.name}: {listed(samples)}: {flat.problem}") from None

    def _parts(self):
        return self.items.batches(AT_ONCE)

    def _read(self, numbers):
        return self.items.batch(numbers).inputs[self.input].numpy().astype(np.float64)

    def _check_lengths(self):
        """Raise an error where trials differ in length, which a filter of whole trials cannot take."""
        cut = {
            int(n): self.items.sampling.cut({self.input: self.store}, item) for n, item in enumerate(self.items.items)
        }
        lengths = {number: array[self.input].shape[-1] for number, array in cut.items()}
        if len(set(lengths.values())) > 1:
            shortest = min(lengths.values())
            odd = [f"{self.store.samples[self.items.items[n][0]]} {length}" for n, length in lengths.items()
                   if length != lengths[0]]  # fmt: skip
            raise NeuroloomError(
                f"{self.name} needs series of one length, but beside {lengths[0]} time points there are {listed(odd)}. Cut "
                f"trials of equal length, put {{name: crop_series, ...}} into the chain of {self.input}, or use windows: "
                f"--set sampling.name=windows --set sampling.length={shortest}."
            )


def check_one_input(name, inputs):
    """Raise an error where an estimator of series would see none or several inputs."""
    if len(inputs) != 1:
        raise NeuroloomError(
            f"{name} looks at one series, but its inputs are {', '.join(inputs) or 'none'}. Name one: "
            f"{{name: {name}, inputs: [eeg]}}."
        )


def the_one_series(name, stores):
    """Return name and store of the one input that an estimator of series sees."""
    check_one_input(name, stores)
    [(input_name, store)] = stores.items()
    if store.kind != "series":
        raise NeuroloomError(
            f"{name} looks at a series (channel, time), but {input_name} is a {store.kind} at the end of its chain. Name an "
            "input whose chain leaves it a series."
        )
    return input_name, store


def sampling_rate_of(name, store, rows):
    """Return the sampling rate in Hz that some rows of a store share; None where none is known."""
    rates = {row: store.geometry(int(row)).get("sampling_rate") for row in rows}
    first = next(iter(rates.values()), None)
    odd = [f"{store.samples[row]} ({rate} Hz)" for row, rate in rates.items() if not _same(rate, first)]
    if odd:
        raise NeuroloomError(
            f"{name}: series differ in sampling rate: beside {first} Hz there are {listed(odd)}. Bring them to one in the "
            "input's chain."
        )
    return None if first is None else float(first)


def check_rate(name, sample, rate, fitted):
    """Raise an error where new series are of another rate (Hz) than those fitted on; None is a rate that nobody knows."""
    if fitted is None or _same(rate, fitted):
        return
    told, way_out = (
        (
            "its sampling rate is not known",
            f"Give it: --sampling-period {1 / fitted:g}, or sampling_rate in cohort.yaml.",
        )
        if rate is None
        else (f"{rate} Hz", "Bring it to that rate.")
    )
    raise NeuroloomError(f"{name}: {sample}: {told}, but this learner was fitted on series of {fitted} Hz. {way_out}")


def _same(rate, other):
    return rate is other if None in (rate, other) else bool(np.isclose(rate, other, rtol=1e-6))
