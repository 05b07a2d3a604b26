"""Windows as rows: the same data with a row for each window, which is then a sample of its own."""

from dataclasses import replace

import numpy as np
import pandas as pd

from neuroloom.sampling.whole import Whole
from neuroloom.sampling.windows import Windows
from neuroloom.transforms.store_parts import PartStore


def windows_as_rows(data):
    """Return data with a row a window (``SAMPLE_w0007``), and the row that each came from; nothing is copied.

    Parameters
    ----------
    data : Data
        Where it is not sampled by windows, it is returned as it is.

    Returns
    -------
    (Data, ndarray of int)
    """
    if not isinstance(data.sampling, Windows):
        return data, np.arange(len(data))
    series = {name: store for name, store in data.stores.items() if store.kind == "series"}
    row, first = data.sampling.items(series, range(len(data))).T
    number = pd.Series(row).groupby(row).cumcount() + 1
    table = data.cohort.table.iloc[row].copy()
    table.index = pd.Index([f"{one}_w{n:04d}" for one, n in zip(table.index, number, strict=True)], name="sample_id")
    length = np.full(len(row), data.sampling.length)
    stores = {
        name: PartStore(store, tuple(table.index), row, *((first, length) if name in series else ()))
        for name, store in data.stores.items()
    }
    cohort = replace(data.cohort, table=table, inputs={}, known_truth=None)
    target = replace(data.target, values=data.target.values[row])
    return replace(data, cohort=cohort, stores=stores, target=target, sampling=Whole()), row
