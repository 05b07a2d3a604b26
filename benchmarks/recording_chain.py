"""Memory and time of cleaning a long EEG recording: neuroloom's chain beside the same steps in MNE-Python.

    python benchmarks/recording_chain.py [--hours 2] [--channels 64] [--ours-only] [--out results.json]

A recording of 256 Hz is made and written as one array of float32. Each side runs in a process of its own and takes it
through the same four steps: keep the EEG channels; band-pass 0.5 to 40 Hz (Butterworth of order 4, forward and
backward); 128 Hz; average reference. Ours reads the array memory-mapped, as a reader or the cache gives it; MNE's is a
Raw with its data loaded, as these steps need it. Memory is the highest that was resident (VmHWM) above what the
process held after its imports, so that pages of mapped files count.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

RATE, NEW_RATE = 256.0, 128.0
BAND = (0.5, 40.0)
MISC = 2  # channels besides, which are not kept


def make_recording(path, n_channels, n_times):
    """Write a recording (channel, time) float32 in V: random walks that forget, and the mains."""
    from scipy.signal import lfilter

    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n_channels + MISC, n_times))
    rng = np.random.default_rng(0)
    mains = 5e-6 * np.sin(2 * np.pi * 50 * np.arange(n_times) / RATE)
    for channel in file:
        channel[:] = lfilter([3e-6], [1, -0.97], rng.standard_normal(n_times)) + mains
        file.flush()


def types(n_channels):
    return ["eeg"] * n_channels + ["misc"] * MISC


def ours(path, n_channels):
    """Return a function that cleans the recording with neuroloom, and gives (channel, time)."""
    from neuroloom.parts import Part
    from neuroloom.scan import Scan
    from neuroloom.transforms.chain import ScanChain

    parts = [
        Part(name="pick", types="eeg"),
        Part(name="filter", high_pass=BAND[0], low_pass=BAND[1]),
        Part(name="resample_series", rate=NEW_RATE),
        Part(name="reference"),
    ]
    chain = ScanChain(parts)
    names = [f"E{number}" for number in range(n_channels + MISC)]
    geometry = {"sampling_rate": RATE, "names": names, "types": types(n_channels)}
    return lambda: chain(Scan(np.load(path, mmap_mode="r"), "series", geometry)).data


def theirs(path, n_channels):
    """Return a function that does the same with MNE."""
    import mne
    import scipy.signal  # noqa: F401 - imported when first used, and so counted with the imports

    info = mne.create_info([f"E{number}" for number in range(n_channels + MISC)], RATE, types(n_channels))

    def clean():
        raw = mne.io.RawArray(np.load(path, mmap_mode="r"), info, verbose="error")
        raw.pick("eeg", verbose="error")
        iir = {"order": 4, "ftype": "butter", "output": "sos"}
        raw.filter(*BAND, method="iir", iir_params=iir, verbose="error")
        raw.resample(NEW_RATE, method="polyphase", verbose="error")
        raw.set_eeg_reference("average", verbose="error")
        return raw._data  # get_data would copy

    return clean


def highest():
    """Return the most memory this process has held, and what it holds, in MB."""
    with open("/proc/self/status") as file:
        told = dict(line.split(":", 1) for line in file)
    return int(told["VmHWM"].split()[0]) / 1024, int(told["VmRSS"].split()[0]) / 1024


def measure(side, path, n_channels):
    """Clean the recording on one side; print what it took, and some values to compare, as JSON."""
    clean = {"ours": ours, "mne": theirs}[side](path, n_channels)
    _, held = highest()
    start, cpu = time.perf_counter(), time.process_time()
    data = clean()
    took = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
    values = data[::16, 10_000::50_021].astype(float).tolist()
    print(json.dumps({**took, "memory_mb": highest()[0] - held, "imports_mb": held, "values": values}))


def run(side, path, n_channels):
    command = [sys.executable, __file__, "--side", side, "--file", str(path), "--channels", str(n_channels)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{side}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--ours-only", action="store_true", help="for recordings that MNE's Raw has no room for")
    parser.add_argument("--out", type=Path, help="JSON with all numbers")
    parser.add_argument("--side", choices=("ours", "mne"), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        return measure(asked.side, asked.file, asked.channels)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording.npy"
        make_recording(path, asked.channels, round(asked.hours * 3600 * RATE))
        results = {
            side: run(side, path, asked.channels) for side in (("ours",) if asked.ours_only else ("ours", "mne"))
        }
    values = {side: np.array(result.pop("values")) for side, result in results.items()}
    for side, result in results.items():
        print(side, ", ".join(f"{name} {value:.1f}" for name, value in result.items()))
    told = {"hours": asked.hours, "channels": asked.channels, **results}
    if not asked.ours_only:
        told |= {
            f"{what}_ratio": results["ours"][what] / results["mne"][what]
            for what in ("memory_mb", "cpu_seconds", "seconds")
        }
        told["largest_difference"] = float(np.abs(values["ours"] - values["mne"]).max() / values["mne"].std())
        print({name: round(value, 4) for name, value in told.items() if name.endswith(("ratio", "difference"))})
    if asked.out:
        packages = {name: version(name) for name in ("numpy", "scipy", "mne")}
        asked.out.write_text(json.dumps({**told, "machine": platform.machine(), "packages": packages}, indent=1))
    return None


if __name__ == "__main__":
    main()
