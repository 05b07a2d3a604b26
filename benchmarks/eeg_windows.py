"""Overlapping windows of a long recording: neuroloom's indices into one file, and an array of copies, in one run.

    python benchmarks/eeg_windows.py [--minutes 120] [--channels 64] [--out results.json]

A recording at 250 Hz, windows of 4 s every 0.5 s, so that copies hold every sample eight times. Both sides hand the same
windows, in the same random order, in batches of 64 as tensors, from a process of its own. ``indices``: `Windows` on a memory-mapped
store. ``copies``: all windows cut first, then the same loader (`Items`) on them. ``tensor``: the copies as one tensor, indexed by
hand, without the checks of values that the loader makes.

Memory is what the process has beyond what it had before the windows, at its peak (resident, looked at every 10 ms), pages of
mapped files counted too.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import torch

from neuroloom.sampling.whole import Whole
from neuroloom.sampling.windows import Windows
from neuroloom.training.items import Items
from neuroloom.transforms.store import ArrayStore, MappedStore

RATE, LENGTH, STEP, BATCH = 250, 1000, 125, 64


def write_recording(path, n_channels, minutes):
    """Write a recording as the cache does, a time point after the other."""
    rng, shape = np.random.default_rng(0), (n_channels, minutes * 60 * RATE)
    recording = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape, fortran_order=True)
    for minute in np.split(recording.T, minutes):
        minute[:] = rng.standard_normal(minute.shape, dtype=np.float32)


class Peak(threading.Thread):
    """The peak resident memory of this process beyond what it had at the start."""

    def __init__(self):
        super().__init__(daemon=True)
        self.process, self.over = psutil.Process(), threading.Event()
        self.before = self.peak = self.process.memory_info().rss
        self.start()

    def run(self):
        while not self.over.wait(0.01):
            self.peak = max(self.peak, self.process.memory_info().rss)

    def stop(self):
        self.over.set()
        self.join()
        return (self.peak - self.before) / 2**20


def side(name, path):
    """Return seconds of making and of an epoch, peak memory, and a sum that must be the same on all sides."""
    torch.set_num_threads(1)
    store = MappedStore("series", ("recording",), (path,))
    windows = Windows(LENGTH, STEP)
    items = Items({"eeg": store}, windows, np.array([0]))
    order = np.random.default_rng(1).permutation(len(items))
    peak, begun = Peak(), clock()
    batch_of = SIDES[name](store, items)
    made, total = clock(), 0.0
    for numbers in items.batches(BATCH, order):
        total += float(batch_of(numbers)[:, 0, 0].sum())
    ended = clock()
    n = len(items)
    return {
        "windows": n, "memory_mb": peak.stop(), "sum": total,
        "making": [after - before for before, after in zip(begun, made, strict=True)],
        "epoch": [after - before for before, after in zip(made, ended, strict=True)],
    }  # fmt: skip


def clock():
    return time.perf_counter(), time.process_time()


def from_file(store, items):
    return lambda numbers: items.batch(numbers).inputs["eeg"]


def cut_all(store, items):
    recording = store[0]
    copies = np.empty((len(items), recording.shape[0], LENGTH), dtype=np.float32)
    for copy, (_, start) in zip(copies, items.items, strict=True):
        copy[:] = recording[:, start : start + LENGTH]
    return copies


def from_copies(store, items):
    copies = cut_all(store, items)
    names = tuple(map(str, range(len(copies))))
    held = ArrayStore("series", names, dict(enumerate(copies)))
    return from_file(held, Items({"eeg": held}, Whole(), np.arange(len(copies))))


def from_tensor(store, items):
    copies = torch.from_numpy(cut_all(store, items))
    return lambda numbers: copies[torch.as_tensor(numbers)]


SIDES = {"indices": from_file, "copies": from_copies, "tensor": from_tensor}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, default=120)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--out", type=Path, help="JSON with all numbers")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--recording", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        print(json.dumps(side(asked.side, asked.recording)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "recording.npy"
        write_recording(path, asked.channels, asked.minutes)
        results = {name: run(name, path) for name in SIDES}
    assert len({round(result["sum"], 2) for result in results.values()}) == 1, "the sides saw different windows"
    for name, result in results.items():
        print(told(name, result))
    if asked.out:
        machine = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
        asked.out.write_text(json.dumps({**machine, "minutes": asked.minutes, "results": results}, indent=1))


def run(name, path):
    command = [sys.executable, __file__, "--side", name, "--recording", str(path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def told(name, result):
    """Return a result as text: windows a second of CPU and of the clock, for the first epoch and the later ones."""
    making, epoch = np.array(result["making"]), np.array(result["epoch"])
    first, later = result["windows"] / (making + epoch), result["windows"] / epoch
    return (
        f"{name:8} {result['windows']} windows; {result['memory_mb']:.0f} MB; windows a second of CPU (of the clock): "
        f"first epoch {first[1]:.0f} ({first[0]:.0f}), later {later[1]:.0f} ({later[0]:.0f})"
    )


if __name__ == "__main__":
    main()
