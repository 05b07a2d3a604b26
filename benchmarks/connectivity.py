"""Covariance and tangent of 120 people x 200 regions: neuroloom and nilearn's ConnectivityMeasure in one run.

    python benchmarks/connectivity.py [--quick] [--out results.json]

Both sides take the same series in memory, shrink each person's covariance (Ledoit-Wolf), find the geometric mean
of all people and map every person to its tangent space; they take turns, on the same threads, and the best of
the repeats counts. Neuroloom keeps a person's covariance in float32, as its cache does. Beside the times stand
the largest differences between the two, and of each to the exact geometric mean (found to 1e-13).

The people are simulated. Where ``$NEUROLOOM_TEST_DATA/abide_cc200`` is present, those of its people and regions
that are complete are measured too.
"""

import argparse
import json
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from nilearn.connectome import ConnectivityMeasure
from threadpoolctl import threadpool_info, threadpool_limits

from neuroloom.scan import Scan
from neuroloom.simulators.bold import simulate_bold
from neuroloom.transforms.fitted_tangent import Tangent, geometric_mean
from neuroloom.transforms.series_clean import CleanSeries
from neuroloom.transforms.series_covariance import Covariance
from neuroloom.transforms.series_regions import constant_regions


def simulated_scans(n_people, n_regions):
    """Return cleaned series of simulated people."""
    cohort = simulate_bold(n_participants=n_people, n_regions=n_regions, effect=0)
    return [CleanSeries()(cohort.load("bold", sample)) for sample in cohort.samples]


def real_scans():
    """Return cleaned series of the ABIDE people who have all regions that 95 % of the people have; None without."""
    root = Path(os.environ.get("NEUROLOOM_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    files = sorted((root / "abide_cc200").glob("*.1D"))
    if not files:
        return None
    series = [np.loadtxt(file, dtype=np.float32).T for file in files]
    lacking = np.array([constant_regions(one) for one in series])  # (person, region)
    kept = lacking.mean(axis=0) <= 0.05
    whole = ~lacking[:, kept].any(axis=1)
    return [CleanSeries()(Scan(one[kept], "series")) for one, use in zip(series, whole, strict=True) if use]


def ours(scans):
    """Return seconds, covariances, geometric mean and tangent vectors of neuroloom."""
    rows = pd.DataFrame(index=[str(number) for number in range(len(scans))])
    start = time.perf_counter()
    covariances = np.stack([Covariance()(scan).data for scan in scans])
    covered = time.perf_counter()
    tangent = Tangent().fit(covariances, rows)
    vectors = tangent.transform(covariances, rows)
    return (covered - start, time.perf_counter() - start), covariances, tangent.mean, vectors


def theirs(scans):
    """Return the same of nilearn."""
    series = [np.ascontiguousarray(scan.data.T, dtype=np.float64) for scan in scans]
    start = time.perf_counter()
    covariances = ConnectivityMeasure(kind="covariance").fit_transform(series)
    covered = time.perf_counter() - start
    measure = ConnectivityMeasure(kind="tangent")
    start = time.perf_counter()
    vectors = measure.fit_transform(series)  # covariances, mean and tangent space
    return (covered, time.perf_counter() - start), covariances, measure.mean_, vectors


def compared(scans, repeats):
    """Return times and differences of both sides on the same scans."""
    runs = [(ours(scans), theirs(scans)) for _ in range(repeats)]
    mine, peer = runs[-1]
    times = {
        side: {step: min(run[at][0][place] for run in runs) for place, step in enumerate(("covariance", "whole"))}
        for at, side in enumerate(("neuroloom", "nilearn"))
    }
    exact = geometric_mean(mine[1], tolerance=1e-13, max_iterations=500)[0]
    return {
        "people": len(scans),
        "regions": scans[0].data.shape[0],
        "seconds": times,
        "ratio": times["nilearn"]["whole"] / times["neuroloom"]["whole"],
        "largest_difference": {
            "covariance": apart(mine[1], peer[1]), "mean": apart(mine[2], peer[2]), "tangent": apart(mine[3], peer[3]),
        },
        "distance_to_exact_mean": {"neuroloom": apart(mine[2], exact), "nilearn": apart(peer[2], exact)},
    }  # fmt: skip


def apart(a, b):
    return float(np.abs(a - b).max())


def told(result):
    """Return a result as text."""
    seconds, differences = result["seconds"], result["largest_difference"]
    lines = [f"{result['data']}: {result['people']} people x {result['regions']} regions"]
    for step in ("covariance", "whole"):
        lines.append(
            f"    {step:11} neuroloom {seconds['neuroloom'][step]:7.2f} s   nilearn {seconds['nilearn'][step]:7.2f} s"
        )
    lines.append(f"    nilearn / neuroloom, whole: {result['ratio']:.2f}")
    lines.append("    largest difference: " + ", ".join(f"{what} {value:.1e}" for what, value in differences.items()))
    exact = result["distance_to_exact_mean"]
    lines.append("    to the exact mean:  " + ", ".join(f"{side} {value:.1e}" for side, value in exact.items()))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="24 people x 60 regions, once")
    parser.add_argument("--threads", type=int, default=1, help="of linear algebra, on both sides")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, help="JSON with all numbers")
    asked = parser.parse_args()
    data = {"simulated": simulated_scans(24, 60) if asked.quick else simulated_scans(120, 200)}
    real = None if asked.quick else real_scans()
    if real:
        data["ABIDE (CC200), complete people and regions"] = real
    with threadpool_limits(asked.threads):
        linear_algebra = sorted({f"{one['internal_api']} {one['version']}" for one in threadpool_info()})
        results = [
            {"data": name, **compared(scans, 1 if asked.quick else asked.repeats)} for name, scans in data.items()
        ]
    packages = {name: version(name) for name in ("numpy", "scipy", "scikit-learn", "nilearn")}
    machine = {"machine": platform.processor() or platform.machine(), "threads": asked.threads, "blas": linear_algebra}
    print(*(told(result) for result in results), sep="\n")
    print(", ".join(f"{name} {number}" for name, number in packages.items()), f"; {asked.threads} thread(s)")
    if asked.out:
        asked.out.write_text(json.dumps({**machine, "packages": packages, "results": results}, indent=1))


if __name__ == "__main__":
    main()
