"""A small run that can answer live, new recordings for it, and senders at a socket."""

import socket
import threading

import numpy as np
import pandas as pd

from neuroloom.cohort.cohort import Cohort, DrawnSource
from neuroloom.live.wire import first_line, frame
from neuroloom.scan import Scan
from neuroloom.seeds import generator

RATE = 100.0
NAMES = ["C3", "Cz", "C4", "Pz"]
N_TRIALS = 12
STOP = 2.0  # s after the event, the end of a trial


def recording(sample):
    """Return a recording of trials of two hands, one each 3 s; in each one channel is twice as loud for 2 s."""
    draw = generator(0, "live trials", sample)
    hands = draw.permutation([0, 1] * (N_TRIALS // 2))
    data = 1e-5 * draw.standard_normal((4, int(RATE * (N_TRIALS * 3 + 2)))).astype(np.float32)
    for number, hand in enumerate(hands):
        first = int((1 + 3 * number) * RATE)
        data[2 * hand, first : first + 200] *= 2
    events = [[1.0 + 3 * number, 2.0, ["left", "right"][hand]] for number, hand in enumerate(hands)]
    return Scan(data, "series", {"sampling_rate": RATE, "names": NAMES, "unit": "V", "events": events})


def simulate_live_hands():
    samples = [f"{person}_run-{run}" for person in ("anna", "ben") for run in (1, 2)]
    table = pd.DataFrame(
        {"participant_id": [s.split("_")[0] for s in samples], "run_id": [s.split("_")[1] for s in samples]},
        pd.Index(samples, name="sample_id"),
    )
    source = DrawnSource("series", frozenset(samples), recording, "live hands")
    return Cohort(table, {"eeg": source}, name="hands", simulated=True)


CONTENT = {
    "id": "live-hands", "title": "Hands", "source": "none", "cohort": {"name": "live_hands"},
    "inputs": {"eeg": [
        {"name": "filter", "high_pass": 4.0, "low_pass": 20.0, "form": "causal"},
        {"name": "resample_series", "rate": 50.0, "form": "causal"},
        {"name": "exponential_standardize", "factor": 0.01},
    ]},
    "trials": {"input": "eeg", "start": 0.2, "stop": STOP},
    "target": {"column": "event", "positive": "right"}, "task": {"name": "classify"},
    "model": {"name": "conv1d", "widths": [8], "kernel_size": 3},
    "baselines": [{"name": "csp_lda"}, {"name": "band_power", "bands": [[4, 20]]}],
    "training": {"epochs": 1, "batch_size": 8},
    "validation": {"unit": "run", "within": "participant", "folds": 2, "permutations": 20, "confounds": ["onset"]},
    "live": {"step": 0.2, "smooth": 0.0},
}  # fmt: skip


def saved(scan, path):
    """Write a recording as .fif with its events, and return the path."""
    import mne

    raw = mne.io.RawArray(scan.data.astype(float), mne.create_info(NAMES, RATE, "eeg"), verbose="error")
    raw.set_annotations(mne.Annotations(*zip(*scan.geometry["events"], strict=True)))
    raw.save(path, verbose="error")
    return path


def frames(data, lengths=(7, 20, 33), first=0, unit=1e6):
    """Return data (channel, time) as frames of the given lengths in turn, in uV."""
    made, at, n = [], 0, 0
    while at < data.shape[1]:
        length = lengths[n % len(lengths)]
        made.append(frame(first + at, unit * data[:, at : at + length], RATE))
        at, n = at + length, n + 1
    return made


def over(data):
    """Return the frame that says that a stream of data is over."""
    return frame(data.shape[1], data[:, :0], RATE)


class Sender:
    """Listen at a free port, and send some bytes to who comes first; a context.

    With ``hold`` the connection stays open, silent, until the other side goes.
    """

    def __init__(self, *pieces, names=NAMES, line=None, hold=False):
        self.hold = hold
        self.pieces = [first_line(names, RATE, "uV") if line is None else line, *pieces]
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self.server.getsockname()[1]}"

    def __enter__(self):
        self.thread = threading.Thread(target=self._send, daemon=True)
        self.thread.start()
        return self.address

    def __exit__(self, *error):
        self.server.close()
        self.thread.join(timeout=10)

    def _send(self):
        try:
            one, _ = self.server.accept()
            with one:
                one.sendall(b"".join(self.pieces))
                if self.hold:
                    one.recv(1)
        except OSError:
            return  # nobody came, or they went
