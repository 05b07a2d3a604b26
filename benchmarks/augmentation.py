"""Samples per second, memory and first epoch of augmented T1w batches: neuroloom, MONAI and TorchIO in one run.

    python benchmarks/augmentation.py [--quick] [--out results.json]

Twelve T1w scans -> RAS, 2 mm, z-score, once; then flip, affine, elastic warp, bias field and noise, all at
probability 1, in batches of 4, for 5 epochs. Every side and setting runs in a process of its own, whose memory
(with that of its workers) is watched from outside. The scans are those of
``$NEUROLOOM_TEST_DATA/bids_depression_t1w``, or synthesised ones of the same size where that folder is absent.

The elastic deformation is a random displacement of 7 x 7 x 7 control points of at most 7.5 mm, TorchIO's default.
TorchIO and neuroloom interpolate it by the same cubic B-spline. MONAI has no such transform: ``smooth_deform``
(RandSmoothDeform, the nearest kin: a control grid, interpolated) and ``elastic3d`` (Rand3DElastic: dense noise,
smoothed) are both tried; TorchIO's affine and elastic in one step was seen at a third of the speed of two
steps, and is left out. A peer's line is the best of its settings: data set kind x workers x threads.
"""

import argparse
import itertools
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
from importlib.metadata import version
from pathlib import Path

import psutil
from augmentation_sides import LIMITS, scans_in

N_SCANS = 12
LONGEST = 400  # seconds of one setting
OUR_SETTINGS = [(0, 1), (0, 2), (2, 2)]  # workers (processes that fill the cache), threads
SETTINGS = [(0, 1), (0, 2), (1, 1), (2, 1)]  # workers (that load batches, a thread each as torch sets them), threads
TORCHIO_SETTINGS = [(0, 2), (1, 1), (2, 1)]  # it is slow, and its threads change little
SIDES = Path(__file__).with_name("augmentation_sides.py")


def measured(job):
    """Run one job in its own process and return its times and the peak memory of it and its workers."""
    with tempfile.TemporaryDirectory() as scratch:
        job = {**job, "scratch": scratch}
        command = [sys.executable, str(SIDES), json.dumps(job)]
        threads = str(job["threads"])
        environment = {**os.environ, "OMP_NUM_THREADS": threads, "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": threads}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(command, text=True, env=environment, **pipes)
        watch = Watch(process.pid)
        try:
            out, errors = process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            out, errors = "", f"was stopped after {LONGEST} s"
            process.wait()
        peak = watch.stop()
    if process.returncode:
        return {**job, "error": errors.strip().splitlines()[-1] if errors.strip() else "ended without a word"}
    return {**job, **json.loads(out.splitlines()[-1]), "peak_mb": peak / 2**20}


class Watch(threading.Thread):
    """The peak memory of a process and its children, looked at every 50 ms.

    Proportional set size where the system tells it (pages that processes share are counted once).
    """

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.process, self.peak, self.over = psutil.Process(pid), 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.05):
            self.peak = max(self.peak, memory_of_family(self.process))

    def stop(self):
        self.over.set()
        self.join()
        return self.peak


def memory_of_family(process):
    total = 0
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0
    for member in family:
        try:
            told = member.memory_full_info()
            total += getattr(told, "pss", told.rss)
        except psutil.Error:
            continue  # it ended while we looked
    return total


def jobs_of(table, quick, before):
    """Return what is to be measured for one table: dicts of side, dataset, variant, workers, threads.

    The training table takes, of every side and data set, the setting that was fastest on the elastic table.
    """
    if table == "training" and before:
        kept = {(result["side"], result["dataset"]) for result in before}
        best = [best_of(before, side, dataset) for side, dataset in sorted(kept)]
        names = ("side", "dataset", "variant", "workers", "threads")
        return [{name: result[name] for name in names} for result in best if result]
    elastic = table != "plain"
    sides = [
        ("neuroloom", ["Cache"], ["-"], OUR_SETTINGS),
        (
            "monai",
            ["CacheDataset", "PersistentDataset"],
            ["smooth_deform", "elastic3d"] if elastic else ["none"],
            SETTINGS,
        ),
        ("torchio", ["memory"], ["two_steps"] if elastic else ["none"], TORCHIO_SETTINGS),
    ]
    return [
        {"side": side, "dataset": dataset, "variant": variant, "workers": workers, "threads": threads}
        for side, datasets, variants, settings in sides
        for dataset, variant in itertools.product(datasets, variants)
        for workers, threads in ([(0, 2)] if quick else settings)
    ]


def find_scans(scratch):
    """Return the folder of the real scans, or of synthesised ones of the same size, and what they are."""
    real = Path(os.environ.get("NEUROLOOM_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    real = real / "bids_depression_t1w"
    if len(scans_in(real)) >= N_SCANS:
        return real, "12 T1w scans of OpenNeuro ds002748"
    return synthesised(Path(scratch) / "bids"), "12 synthesised volumes of the size of OpenNeuro ds002748's"


def synthesised(folder):
    """Write volumes of 288 x 288 x 181 voxels: a smooth random head in an empty box."""
    import nibabel
    import numpy as np
    from scipy.ndimage import zoom

    shape = (288, 288, 181)
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij", sparse=True)
    head = sum((axis / 0.6) ** 2 for axis in axes) < 1
    for number in range(1, N_SCANS + 1):
        rng = np.random.default_rng(number)
        coarse = rng.normal(500, 120, size=(18, 18, 12))
        volume = zoom(coarse, [n / c for n, c in zip(shape, coarse.shape, strict=True)], order=1) * head
        path = folder / f"sub-{number:02d}" / "anat" / f"sub-{number:02d}_T1w.nii.gz"
        path.parent.mkdir(parents=True)
        affine = np.diag([-0.8680556, 0.8680556, 1.0, 1.0])
        nibabel.save(nibabel.Nifti1Image(volume.astype(np.float32), affine), path)
    return folder


def best_of(results, side, dataset=None):
    """Return the fastest setting of a side, or of one of its data sets."""
    mine = [result for result in results if result["side"] == side and dataset in (None, result["dataset"])]
    good = [result for result in mine if "error" not in result]
    return max(good, key=lambda result: result["samples_per_s"], default=None)


def print_table(table, results):
    titles = {
        "elastic": "flip + affine + elastic + bias field + noise",
        "plain": "the same without elastic",
        "training": "one training epoch of a 3D CNN on the elastic batches",
    }
    print(f"\n{titles[table]}")
    print(f"{'':34}{'samples/s':>10}{'epoch s':>9}{'first s':>9}{'peak MB':>9}")
    for result in sorted(results, key=lambda r: -r.get("samples_per_s", 0)):
        name = f"{result['side']} {result['dataset']} {result['variant']} w{result['workers']} t{result['threads']}"
        if "error" in result:
            print(f"{name:44} failed: {result['error']}")
            continue
        numbers = (result["samples_per_s"], result["epoch_s"], result["first_epoch_s"], result["peak_mb"])
        print(f"{name:44}{numbers[0]:8.1f}{numbers[1]:9.2f}{numbers[2]:9.2f}{numbers[3]:9.0f}")
    ours = best_of(results, "neuroloom")
    for side, dataset in (("monai", "CacheDataset"), ("monai", "PersistentDataset"), ("torchio", "memory")):
        peer = best_of(results, side, dataset)
        if ours and peer:
            speed, first, peak = (ours[key] / peer[key] for key in ("samples_per_s", "first_epoch_s", "peak_mb"))
            print(f"best neuroloom / best {side} {dataset}:")
            print(f"    {speed:.2f} x samples/s, {first:.2f} x first epoch, {peak:.2f} x peak memory")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one setting a side, two epochs")
    parser.add_argument("--tables", nargs="+", default=["elastic", "plain", "training"])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--out", type=Path, help="write everything as JSON")
    arguments = parser.parse_args()
    told = {
        "machine": platform.platform(),
        "cores": os.cpu_count(),
        "versions": {name: version(name) for name in ("neuroloom", "torch", "monai", "torchio", "SimpleITK")},
        "limits": LIMITS,
        "tables": {},
    }
    with tempfile.TemporaryDirectory() as scratch:
        scans, told["scans"] = find_scans(scratch)
        print(told["scans"])
        common = {"scans": str(scans), "epochs": 2 if arguments.quick else arguments.epochs}
        for table in arguments.tables:
            results = []
            for job in jobs_of(table, arguments.quick, told["tables"].get("elastic")):
                told_job = measured({**common, **job, "table": table})
                results.append({key: value for key, value in told_job.items() if key not in ("scans", "scratch")})
                print(".", end="", flush=True)
            print_table(table, results)
            told["tables"][table] = results
    if arguments.out:
        arguments.out.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
