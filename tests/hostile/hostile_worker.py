"""Run every case of the corpus in a child of its own and print what came of it, as JSON.

``python hostile_worker.py FOLDER``: libraries are loaded once, then each child is a fork, so that its time and its
peak memory beyond the parent's are the case's own. A child that hangs is ended by its alarm.
"""

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

import hostile_corpus
import mne
import pandas  # noqa: F401 - loaded before the forks, as the readers' modules are
import pydicom.pixels  # noqa: F401
import pyxdf  # noqa: F401

from neuroloom.errors import NeuroloomError
from neuroloom.formats import READERS, limits, read, tables
from neuroloom.known import locate

ALARM = 20  # seconds


def run(case, folder):
    """Return what one case did: class and text of its error, seconds of work, MB beyond the start."""
    path = folder / case.name
    actions = {
        "read": lambda: read(path, **case.arguments),
        "table": lambda: tables.read_table(path),
        "yaml": lambda: limits.load_yaml(path, "recipe"),
        "json": lambda: limits.read_json(path),
        "inside": lambda: read(limits.inside(folder, case.name)),
    }
    before, started = peak(), time.process_time()
    try:
        actions[case.reader]()
        outcome, message = "nothing", ""
    except NeuroloomError as error:
        outcome, message = "NeuroloomError", str(error)
    except BaseException as error:
        outcome, message = type(error).__name__, str(error)
    seconds = time.process_time() - started
    return {"outcome": outcome, "message": message, "seconds": seconds, "megabytes": peak() - before}


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_child(case, folder):
    """Run one case in a fork and return its outcome."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.alarm(ALARM)
        with os.fdopen(writing, "w") as pipe:
            json.dump(run(case, folder), pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    return json.loads(told) if told else {"outcome": f"ended by signal {os.WTERMSIG(status)}"}


def main():
    folder = Path(sys.argv[1])
    os.chdir(folder)  # where code from a file would leave its mark
    for ending in ("edf", "bdf", "brainvision", "eeglab", "fif"):
        getattr(mne.io, f"read_raw_{ending}")  # mne imports these when they are asked for
    for name in READERS:
        locate("format", READERS, name)
    cases = hostile_corpus.make_corpus(folder)
    print(json.dumps({case.name: in_child(case, folder) for case in cases}))


if __name__ == "__main__":
    main()
