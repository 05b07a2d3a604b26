"""What a value is compared with: the mean of the fit people, or zero, after the fitted transforms."""

import numpy as np
import torch

from neuroloom.errors import NeuroloomError


def reference(learner, data, fold, kind="mean"):
    """Return what stands for "nothing special" in each input that a learner sees.

    Parameters
    ----------
    learner : Trained or Estimator
    data : Data
    fold : Fold
        Only its fit part is looked at.
    kind : str
        ``mean``: the mean of the fit people, of a series the mean of each region over people and time.
        ``zeros``.

    Returns
    -------
    dict of Tensor
        Input name -> (*shape); of a series (region, 1).
    """
    if kind not in ("mean", "zeros"):
        raise NeuroloomError(f"The baseline of an attribution is 'mean' or 'zeros', not {kind!r}.")
    stores = learner.inputs.stores(data, fold.fit)
    made = {name: mean_of(store, fold.fit) for name, store in stores.items()}
    return {name: torch.as_tensor(mean if kind == "mean" else 0 * mean) for name, mean in made.items()}


def mean_of(store, rows):
    """Return the mean of some rows of a store, float32; of series the mean over time too, (region, 1)."""
    known = [int(row) for row in rows if store.present[row]]
    total, count = 0.0, 0
    for row in known:
        values = np.asarray(store[row], dtype=np.float64)
        if store.kind == "series":
            total, count = total + values.sum(axis=-1, keepdims=True), count + values.shape[-1]
        else:
            total, count = total + values, count + 1
    return (total / count).astype(np.float32)
