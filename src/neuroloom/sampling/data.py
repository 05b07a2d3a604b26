"""Data: all that a learner is given of a cohort (people, prepared inputs, the target)."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neuroloom.cohort.cohort import Cohort
from neuroloom.cohort.exchange import Exchange, exchangeable
from neuroloom.cohort.folds import unit_groups
from neuroloom.cohort.target import Target
from neuroloom.errors import NeuroloomError
from neuroloom.seeds import generator
from neuroloom.transforms.store import ArrayStore

# columns that say who somebody is, and where in which recording a trial lies: folds are made of them
WHO_AND_WHERE = ("participant_id", "session_id", "run_id", "recording_id", "block", "site", "family_id")


@dataclass(frozen=True)
class Data:
    """A cohort made ready.

    Parameters
    ----------
    cohort : Cohort
        Its table holds the confounds too.
    stores : dict
        Recipe input name -> store of prepared samples (before what is fitted inside a fold).
    target : Target
    sampling : object
        How samples are cut into items.
    """

    cohort: Cohort
    stores: dict[str, Any]
    target: Target | None
    sampling: Any

    def __len__(self):
        return len(self.cohort)

    @property
    def people(self):
        """The participant of each row, (n,)."""
        return self.cohort.table["participant_id"].astype(str).to_numpy()


def with_shuffled_target(data, unit, seed=0):
    """Return the data with the target dealt anew between units of claim, within site, see `exchangeable`.

    With the unit ``site`` people change places: the sites keep what they hold.
    """
    group = unit_groups(data.cohort, "participant" if unit == "site" else unit)
    block, stratum, words, time = exchangeable(data.cohort.table, data.target.values, group)
    exchange = Exchange(data.target.values, block, stratum, time=time)
    if not exchange.strata:
        raise NeuroloomError(
            f"{data.cohort.name}: {data.target.name!r} cannot be shuffled: no {words} holds two of the unit {unit!r} of "
            "different truth to exchange."
        )
    values = exchange.draw(generator(seed, "shuffled target"))
    return replace(data, target=replace(data.target, values=values))


def with_noise(data, rows, seed=0):
    """Return the data with everything about some rows replaced by noise: arrays, targets, confounds.

    What a learner is after fitting must not change by a bit when the test rows are treated so.
    """
    draw = generator(seed, "noise")
    rows = np.asarray(rows)
    stores = {name: _noisy_store(store, rows, draw) for name, store in data.stores.items()}
    target = replace(data.target, values=_noisy_values(data.target, rows, draw))
    table = data.cohort.table.copy()
    for column in table.columns.difference(WHO_AND_WHERE):
        values = table[column].to_numpy(copy=True)
        values[rows] = values[draw.permutation(len(values))[: len(rows)]]
        table[column] = values
    return replace(data, cohort=replace(data.cohort, table=table), stores=stores, target=target)


def _noisy_store(store, rows, draw):
    noisy = set(rows.tolist())
    values, told = {}, {}
    for row in np.flatnonzero(store.present):
        array = np.asarray(store[row])
        if row in noisy:
            array = _noise_like(array, store.kind, draw)
        values[int(row)], told[int(row)] = array, store.geometry(row)
    return ArrayStore(store.kind, store.samples, values, store.names, told)


def _noise_like(array, kind, draw):
    """Return noise of an array's shape and type: of a graph, a covariance of noise."""
    scale = 10 * float(np.nanstd(array)) + 1
    noise = draw.normal(scale=scale, size=array.shape)
    if kind == "graph":
        noise = noise @ noise.T / (scale * len(noise)) + np.eye(len(noise))
        noise = (noise + noise.T) / 2
    if kind == "labels":
        noise = draw.permutation(array.ravel()).reshape(array.shape)
    return noise.astype(array.dtype)


def _noisy_values(target, rows, draw):
    values = target.values.copy()
    if target.kind == "class":
        values[rows] = draw.integers(len(target.classes), size=len(rows))
    else:
        values[rows] = draw.normal(loc=1e3, scale=1e3, size=len(rows))
    return values
