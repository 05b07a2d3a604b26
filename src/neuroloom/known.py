"""Names in tables: what they stand for, and which was meant where one is not known."""

import difflib
import importlib

from neuroloom.errors import NeuroloomError


def check_known(what, name, known):
    """Raise an error that names the closest known name when ``name`` is not known."""
    known = list(known)
    if name in known:
        return
    close = difflib.get_close_matches(str(name), known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise NeuroloomError(f"Unknown {what}: {name!r}.{hint} Known: {', '.join(known) or '(none)'}.")


def locate(kind, table, name):
    """Return the object that ``name`` stands for in ``table`` (name -> ``module:attribute``)."""
    check_known(kind, name, table)
    module, attribute = table[name].split(":")
    return getattr(importlib.import_module(module), attribute)
