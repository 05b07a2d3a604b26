"""Libraries of the extra ``signals``, imported when they are needed."""

import importlib

from neuroloom.errors import NeuroloomError


def mne():
    """Return MNE-Python, or say which extra of the package brings it."""
    return library("mne")


def library(name):
    """Return a library of the extra ``signals`` by the name that it is imported by."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise NeuroloomError(f"this needs {name}: pip install 'neuroloom[signals]'.") from None
