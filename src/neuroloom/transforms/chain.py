"""The chain of transforms of one input: a per-scan part, cached, and a fitted part, inside the fold."""

import numpy as np

from neuroloom.errors import NeuroloomError
from neuroloom.known import check_known
from neuroloom.parts import build, resolve
from neuroloom.transforms import FITTED_TRANSFORMS, SCAN_TRANSFORMS


class ScanChain:
    """Per-scan transforms applied in turn; the same scan gives the same bytes wherever it runs."""

    def __init__(self, parts):
        self.parts = list(parts)
        self.steps = [build("transform", SCAN_TRANSFORMS, part) for part in self.parts]

    def __call__(self, scan):
        for step in self.steps:
            scan = step(scan)
        return scan


def split_chain(parts):
    """Return the per-scan parts and the fitted parts of a chain; a per-scan part may not follow a fitted one."""
    known = {**SCAN_TRANSFORMS, **FITTED_TRANSFORMS}
    for part in parts:
        check_known("transform", part.name, known)
        resolve("transform", known, part)
    is_fitted = [part.name in FITTED_TRANSFORMS for part in parts]
    first = is_fitted.index(True) if True in is_fitted else len(parts)
    late = [part.name for part, fitted in zip(parts[first:], is_fitted[first:], strict=True) if not fitted]
    if late:
        raise NeuroloomError(
            f"Transform {late[0]!r} works on one scan at a time and must stand before "
            f"{parts[first].name!r}, which is fitted on the training people."
        )
    return tuple(parts[:first]), tuple(parts[first:])


class FittedChain:
    """Fitted transforms applied in turn; `fit` sees the fit part only."""

    def __init__(self, parts):
        self.parts = list(parts)
        self.steps = [build("transform", FITTED_TRANSFORMS, part) for part in self.parts]
        self.names = None

    def fit(self, x, rows, names=None):
        """Fit each step on what the steps before it make of ``x``; return the transformed ``x``.

        Parameters
        ----------
        x : ndarray of shape (n, *shape)
        rows : DataFrame
            The cohort's rows of these samples.
        names : list of str or None
            Names of the regions or features.
        """
        for step in self.steps:
            step.fit(x, rows, names=names)
            x = step.transform(x, rows)
            names = _names_after(step, names)
        self.names = names
        return x

    def transform(self, x, rows):
        """Apply all steps to ``x`` (n, ...), the samples at ``rows``."""
        for step in self.steps:
            x = step.transform(x, rows)
        return x

    @property
    def warnings(self):
        """What the fitted steps warn of."""
        return [text for step in self.steps for text in getattr(step, "warnings", [])]

    def state(self):
        """Return every fitted array by ``step.part.array``."""
        return {
            f"{number}.{part.name}.{key}": np.asarray(array)
            for number, (part, step) in enumerate(zip(self.parts, self.steps, strict=True))
            for key, array in step.state().items()
        }

    def load_state(self, state, names=None):
        """Take up what `state` returned."""
        for number, (part, step) in enumerate(zip(self.parts, self.steps, strict=True)):
            prefix = f"{number}.{part.name}."
            step.load_state({key[len(prefix) :]: array for key, array in state.items() if key.startswith(prefix)})
            names = _names_after(step, names)
        self.names = names
        return self


def _names_after(step, names):
    return step.feature_names(names) if names is not None and hasattr(step, "feature_names") else names
