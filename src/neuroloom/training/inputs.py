"""The inputs of a learner inside a fold: fitted transforms see the fit part only."""

import numpy as np

from neuroloom.transforms.chain import FittedChain
from neuroloom.transforms.store import ArrayStore


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

    def fit(self, data, rows):
        """Fit on some rows of the data."""
        for name, chain in self.chains.items():
            store = data.stores[name]
            if chain.steps:
                known = rows[store.present[rows]]
                chain.fit(store.stack(known), data.cohort.table.iloc[known], store.names)
            self.names[name] = chain.names if chain.steps else store.names
        return self

    def stores(self, data, rows):
        """Return stores that hold the transformed rows; an input without fitted steps stays as it is."""
        return {name: self._store(name, chain, data, np.asarray(rows)) for name, chain in self.chains.items()}

    def _store(self, name, chain, data, rows):
        store = data.stores[name]
        if not chain.steps:
            return store
        known = rows[store.present[rows]]
        made = chain.transform(store.stack(known), data.cohort.table.iloc[known]) if len(known) else []
        values = {int(row): array for row, array in zip(known, made, strict=True)}
        return ArrayStore(chain.kind_out(store.kind), store.samples, values, chain.names)

    @property
    def warnings(self):
        return [text for chain in self.chains.values() for text in chain.warnings]

    def state(self):
        return {f"{name}.{key}": array for name, chain in self.chains.items() for key, array in chain.state().items()}

    def load_state(self, state):
        for name, chain in self.chains.items():
            prefix = f"{name}."
            chain.load_state({k[len(prefix) :]: v for k, v in state.items() if k.startswith(prefix)})
        return self
