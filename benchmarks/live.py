"""Latency of answers on a stream, and what a step costs beside the naive way: filtering the last seconds anew each time.

    python benchmarks/live.py [--seconds 30] [--out benchmarks/live.json]

For each cap (22 channels at 250 Hz, 64 at 512) a run is trained on two short simulated recordings: EEGNet (one epoch: its
speed does not depend on what it learned), CSP and LDA, Riemannian tangent space and SVM; the chain is the causal one of
`neurofeedback`, the window 2 s, a step 0.2 s. Latency: a recording replayed in its own time, from the arrival of a block's last
sample to the answer. Cost: CPU time a step of pushing 0.2 s through the chain whose state is kept, and of the chain run anew
over the window and the 5 s before it (for its filters and running means to settle), each with the same answer.
"""

import argparse
import json
import platform
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

import neuroloom
from neuroloom.api import answer_live
from neuroloom.live.decoder import Decoder
from neuroloom.live.replay_source import ReplaySource
from neuroloom.recipe import read_recipe
from neuroloom.run_folder import Run
from neuroloom.scan import Scan
from neuroloom.simulators.eeg_motor_imagery import simulate_motor_imagery
from neuroloom.transforms.chain import ScanChain

CAPS = {"22 channels, 250 Hz": (22, 250.0, 125.0), "64 channels, 512 Hz": (64, 512.0, 128.0)}
LEARNERS = ("eegnet", "csp_lda", "riemann_svm")
STEP, SETTLING = 0.2, 5.0  # s
N_STEPS = 60


def trained(n_channels, rate, after, folder):
    """Return a run of one person with all learners, one learner each a fold."""
    settings = {
        "cohort.n_participants": 1, "cohort.n_runs": 2, "cohort.n_trials": 12, "cohort.n_channels": n_channels,
        "cohort.sampling_rate": rate, "inputs.eeg.chain.1.rate": after, "sampling.length": round(2 * after),
        "training.epochs": 1, "validation.folds": 2, "validation.permutations": 0,
        "baselines": [{"name": "csp_lda"}, {"name": "riemann_svm"}],
    }  # fmt: skip
    recipe = read_recipe("neurofeedback", "eegnet", settings.items())
    return neuroloom.run(recipe, out=folder / "run", cache=folder / "cache", jobs=1)


def new_recording(n_channels, rate):
    cohort = simulate_motor_imagery(
        n_participants=1, n_sessions=2, n_runs=1, n_trials=12, n_channels=n_channels, sampling_rate=rate
    )
    return cohort.load("eeg", "sub-001_ses-02_run-01")


def per_step(function):
    """Return the median CPU time of calls with 0, 1, ..., in ms."""
    took = []
    for number in range(N_STEPS):
        begun = time.process_time()
        function(number)
        took.append(time.process_time() - begun)
    return 1e3 * float(np.median(took))


def costs(run, learner, scan):
    """Return the CPU time of a step in ms: ours and the naive way, chain alone and with the answer; and how far they differ."""
    decoder = Decoder(run, learner)
    rate = scan.geometry["sampling_rate"]
    n_step, n_past = round(STEP * rate), round((SETTLING + 2.0) * rate)
    stream, answers = decoder.stream(scan.geometry), {"ours": [], "naive": []}
    chain = ScanChain(decoder.parts)
    stream.push(scan.data[:, :n_past])

    def cut(number):
        return slice(n_past + number * n_step, n_past + (number + 1) * n_step)

    def naive(number):
        past = Scan(scan.data[:, cut(number).stop - n_past : cut(number).stop], "series", scan.geometry)
        return chain(past)

    def ours_whole(number):
        stream.push(scan.data[:, cut(number)])
        answers["ours"].append(stream.answer()[1])

    def naive_whole(number):
        made = naive(number)
        answers["naive"].append(decoder.answer(made.data[:, -stream.n_times :], made.geometry)[1])

    told = {"ours": per_step(ours_whole), "naive": per_step(naive_whole)}
    fresh = decoder.stream(scan.geometry)
    told |= {
        "ours, chain": per_step(lambda number: fresh.push(scan.data[:, cut(number)])),
        "naive, chain": per_step(naive),
    }
    apart = np.abs(np.subtract(answers["ours"], answers["naive"]))
    return {**told, "ratio": told["naive"] / told["ours"], "chain ratio": told["naive, chain"] / told["ours, chain"],
            "largest difference of probability": float(apart.max())}  # fmt: skip


def latency(run, learner, scan, seconds):
    """Return latency and late answers of a recording that is replayed in its own time."""
    summary = answer_live(run.folder, ReplaySource(scan, "replay"), learner=learner, step=STEP, seconds=seconds)
    return {key: summary[key] for key in ("answers", "latency_ms", "later_than_the_step", "passed_over")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0, help="of each replay")
    parser.add_argument("--out", type=Path, help="JSON with all numbers")
    asked = parser.parse_args()
    results = {}
    for cap, (n_channels, rate, after) in CAPS.items():
        with tempfile.TemporaryDirectory() as folder:
            run = Run(trained(n_channels, rate, after, Path(folder)).folder)
            scan = new_recording(n_channels, rate)
            for learner in LEARNERS:
                told = {**latency(run, learner, scan, asked.seconds), "cpu_ms": costs(run, learner, scan)}
                results[f"{cap}, {learner}"] = told
                print(cap, learner, json.dumps(told))
    if asked.out:
        packages = {name: version(name) for name in ("numpy", "scipy", "torch", "pyriemann")}
        asked.out.write_text(
            json.dumps({"results": results, "machine": platform.machine(), "packages": packages}, indent=1)
        )


if __name__ == "__main__":
    main()
