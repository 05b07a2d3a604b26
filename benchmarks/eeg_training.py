"""An epoch of EEGNet and of ShallowConvNet: neuroloom's loop and braindecode's EEGClassifier in one run.

    python benchmarks/eeg_training.py --peer-python PEER/bin/python [--trials 2304] [--threads 2] [--out results.json]

``PEER`` is an environment with ``pip install braindecode==0.8.1 skorch``. Trials of 22 channels x 1,125 samples in four
classes that differ in where a 10 Hz rhythm is strong. Both sides: batches of 64, AdamW at 1e-3, the same architecture,
dropout, initial weights and order of trials; no augmentation, no tune part. Neuroloom reads one memory-mapped file a trial,
as its cache has them; braindecode reads its own windows dataset (``create_from_X_y``) through its own loader.

First without dropout on 512 trials, two epochs: the losses of both sides must agree to 1e-3 (for this, braindecode's EEGNet is
given the paper's padding). Then the timed epoch, sides in turn, each in a process of its own. Wall-clock and CPU seconds
are told; where others use the machine, the CPU seconds are the steadier ones.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from neuroloom.models.eeg_eegnet import EEGNet
from neuroloom.models.eeg_shallow import ShallowConvNet
from neuroloom.seeds import generator

N_CHANNELS, N_TIMES, N_CLASSES, RATE = 22, 1125, 4, 250.0
KEY = (0, 0, 0, "network")
SIDES = Path(__file__).with_name("eeg_training_sides.py")
MODELS = {"eegnet": EEGNet, "shallow_convnet": ShallowConvNet}
PEER_NAMES = {  # ours -> braindecode's
    "eegnet": {
        "bank.temporal": "conv_temporal.weight",
        "bank.norm.weight": "bnorm_temporal.weight",
        "bank.norm.bias": "bnorm_temporal.bias",
        "bank.spatial": "conv_spatial.weight",
        "first.0.weight": "bnorm_1.weight",
        "first.0.bias": "bnorm_1.bias",
        "along_time": "conv_separable_depth.weight",
        "second.0.weight": "conv_separable_point.weight",
        "second.1.weight": "bnorm_2.weight",
        "second.1.bias": "bnorm_2.bias",
        "head.weight": "final_layer.conv_classifier.weight",
        "head.bias": "final_layer.conv_classifier.bias",
    },
    "shallow_convnet": {
        "bank.temporal": "conv_time_spat.conv_time.weight",
        "bank.temporal_bias": "conv_time_spat.conv_time.bias",
        "bank.spatial": "conv_time_spat.conv_spat.weight",
        "norm.weight": "bnorm.weight",
        "norm.bias": "bnorm.bias",
        "head.weight": "final_layer.conv_classifier.weight",
        "head.bias": "final_layer.conv_classifier.bias",
    },
}


def write_trials(folder, n_trials):
    """Write the trials: one array for braindecode, a file a trial for neuroloom."""
    rng = np.random.default_rng(0)
    labels = np.arange(n_trials) % N_CLASSES
    patterns = rng.normal(size=(N_CLASSES, N_CHANNELS, 1)).astype(np.float32)
    rhythm = np.sin(2 * np.pi * 10 * np.arange(N_TIMES, dtype=np.float32) / RATE + 1)
    trials = np.lib.format.open_memmap(
        folder / "x.npy", mode="w+", dtype=np.float32, shape=(n_trials, N_CHANNELS, N_TIMES)
    )
    for number, label in enumerate(labels):
        noise = rng.normal(size=(N_CHANNELS, N_TIMES)).astype(np.float32)
        trials[number] = noise + 0.15 * patterns[label] * rhythm
        np.save(folder / f"trial_{number}.npy", trials[number])
    np.save(folder / "y.npy", labels)


def write_start(folder):
    """Write the initial weights, by our names and by braindecode's; spatial filters begin within their limit."""
    for name, model in MODELS.items():
        torch.manual_seed(0)
        network = model((N_CHANNELS, N_TIMES), N_CLASSES)
        if hasattr(network, "constrain"):
            network.constrain()
        start = {key: value.detach().numpy() for key, value in network.named_parameters()}
        np.savez(folder / f"{name}.npz", **start)
        np.savez(folder / f"{name}_peer.npz", **{PEER_NAMES[name][key]: value for key, value in start.items()})


def write_orders(folder, n_trials, epochs):
    """Write the order in which our loop sees the trials in each epoch, for the other side; return the files."""
    files = [folder / f"order_{n_trials}_{epoch}.npy" for epoch in range(epochs)]
    for epoch, file in enumerate(files):
        np.save(file, generator(*KEY, "order", epoch).permutation(n_trials))
    return [str(file) for file in files]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer-python", required=True, help="python of an environment with braindecode 0.8.1")
    parser.add_argument("--trials", type=int, default=2304)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--out", type=Path, help="JSON with all numbers")
    asked = parser.parse_args()
    pythons = {"neuroloom": sys.executable, "braindecode": asked.peer_python}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_trials(folder, asked.trials)
        write_start(folder)
        results = [compared(folder, name, pythons, asked) for name in MODELS]
    for result in results:
        print(told(result))
    if asked.out:
        machine = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
        told_all = {**machine, "threads": asked.threads, "trials": asked.trials, "results": results}
        asked.out.write_text(json.dumps(told_all, indent=1))


def compared(folder, name, pythons, asked):
    """Return the losses without dropout, and the times of both sides in turn."""

    def made(side, n_trials, epochs, dropout):
        job = {"folder": str(folder), "model": name, "threads": asked.threads, "key": KEY, "side": side}
        job |= {"trials": n_trials, "epochs": epochs, "dropout": dropout}
        return run({**job, "orders": write_orders(folder, n_trials, epochs)}, pythons[side])

    losses = {side: made(side, min(512, asked.trials), 2, 0.0)["losses"] for side in pythons}
    apart = float(np.abs(np.subtract(*losses.values())).max())
    if apart > 1e-3:
        raise SystemExit(f"{name}: the losses differ by {apart:.2g}: {losses}. These are not the same trainings.")
    timed = {side: [] for side in pythons}
    for _ in range(asked.repeats):
        for side in pythons:
            timed[side].append(made(side, asked.trials, 1, 0.5))
    return {"model": name, "losses_without_dropout": losses, "losses_apart": apart, "timed": timed}


def run(job, python):
    """Run one job in a process of its own and return what it tells."""
    threads = str(job["threads"])
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "OMP_WAIT_POLICY": "passive", "MNE_LOGGING_LEVEL": "error"}
    done = subprocess.run(
        [python, str(SIDES), json.dumps(job)], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        raise SystemExit(f"{job['side']}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def told(result):
    """Return a result as text."""
    lines = [f"{result['model']}: losses without dropout at most {result['losses_apart']:.1e} apart"]
    best = {}
    for side, runs in result["timed"].items():
        best[side] = {what: min(run[what] for run in runs) for what in ("seconds", "cpu_seconds")}
        every = ", ".join(f"{run['seconds']:.1f} s ({run['cpu_seconds']:.1f} s CPU)" for run in runs)
        lines.append(f"    {side:12} {every}; loss {runs[0]['losses'][-1]:.3f}")
    ratios = {what: best["braindecode"][what] / best["neuroloom"][what] for what in ("seconds", "cpu_seconds")}
    lines.append(f"    braindecode / neuroloom: {ratios['seconds']:.2f} (CPU {ratios['cpu_seconds']:.2f})")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
