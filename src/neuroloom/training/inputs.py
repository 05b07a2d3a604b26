"""The inputs of a learner inside a fold: fitted transforms see the fit part only."""

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.transforms.chain import FittedChain
from neuroloom.transforms.store import ArrayStore, first_difference, ragged_message


class FoldInputs:
    """The fitted part of each input's chain.

    Parameters
    ----------
    chains : dict
        Input name -> fitted parts of its chain.
    """

    def __init__(self, chains):
        self.chains = {name: FittedChain(parts) for name, parts in chains.items()}
        self.names = {}
        self.given = {}

    def fit(self, data, rows):
        """Fit on some rows of the data."""
        for name, chain in self.chains.items():
            store = data.stores[name]
            known = rows[store.present[rows]]
            if not len(known):
                raise NeuroloomError(
                    f"None of the {len(rows)} samples of a fit part has the input {name}. Use fewer folds, or leave it out."
                )
            shapes = {int(row): _shape(store, row) for row in known}
            if len(set(shapes.values())) > 1:
                raise NeuroloomError(ragged_message(store, shapes))
            rate = store.geometry(int(known[0])).get("sampling_rate")
            self.given[name] = {"shape": shapes[int(known[0])], "names": store.names, "sampling_rate": rate}
            if chain.steps:
                chain.fit(store.stack(known), data.cohort.table.iloc[known], store.names)
            self.names[name] = chain.names if chain.steps else store.names
        return self

    def stores(self, data, rows):
        """Return stores that hold the transformed rows; an input without fitted steps stays as it is."""
        return {name: self._store(name, chain, data, np.asarray(rows)) for name, chain in self.chains.items()}

    def _store(self, name, chain, data, rows):
        store = data.stores[name]
        known = rows[store.present[rows]]
        self._check_given(name, store, known)
        if not chain.steps:
            return store
        made = chain.transform(store.stack(known), data.cohort.table.iloc[known]) if len(known) else []
        values = {int(row): array for row, array in zip(known, made, strict=True)}
        return ArrayStore(store.kind, store.samples, values, chain.names)

    def _check_given(self, name, store, rows):
        """Raise an error where samples are not such as were fitted on: another shape, or other regions or features."""
        given = self.given[name]
        shapes = {int(row): _shape(store, row) for row in rows}
        if set(shapes.values()) - {tuple(given["shape"])}:
            raise NeuroloomError(ragged_message(store, shapes, fitted=tuple(given["shape"])))
        names = store.names if len(rows) else None
        if None not in (names, given["names"]) and list(names) != list(given["names"]):
            number, expected, found = first_difference(given["names"], names)
            raise NeuroloomError(
                f"{store.samples[rows[0]]}: number {number} of {name} is {found!r}, but this learner was fitted with "
                f"{expected!r} there. Give the same regions or features in the same order."
            )

    @property
    def warnings(self):
        """What the fitted steps of all inputs warn of."""
        return [text for chain in self.chains.values() for text in chain.warnings]

    def state(self):
        """Return the arrays of all fitted steps, as INPUT.STEP.NAME."""
        return {f"{name}.{key}": array for name, chain in self.chains.items() for key, array in chain.state().items()}

    def load_state(self, state):
        """Take up what `state` returned."""
        for name, chain in self.chains.items():
            prefix = f"{name}."
            chain.load_state({k[len(prefix) :]: v for k, v in state.items() if k.startswith(prefix)})
        return self


def _shape(store, row):
    """Return the shape of a row; of a series without its length, in which people may differ."""
    shape = store[int(row)].shape
    return shape[:-1] if store.kind == "series" else shape
