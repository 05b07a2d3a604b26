"""The log of a run: what happened, a JSON line an event, written by every process of the run."""

import json
import time
from pathlib import Path

import numpy as np
import pandas as pd

from neuroloom.formats.atomic import atomic_write


class Log:
    """What happened, a JSON line an event; appended to by every process of the run."""

    def __init__(self, path):
        self.path = Path(path)

    def add(self, event, **told):
        """Append an event; times are of this machine's clock, in seconds since 1970."""
        line = json.dumps({"time": round(time.time(), 3), "event": event, **told}, default=plain)
        with open(self.path, "ab", buffering=0) as file:  # one write of one line: other processes append too
            file.write(line.encode() + b"\n")

    def events(self):
        """Return the events so far."""
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text().splitlines() if line.endswith("}")]

    def mend(self):
        """Cut off a last line that a killed run left half written."""
        if not self.path.exists():
            return
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            atomic_write(self.path, whole)


def plain(value):
    """Return a value as JSON can say it."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, pd.Timestamp | Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
