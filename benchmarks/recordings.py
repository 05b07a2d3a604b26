"""Memory and time of reading a long recording, beside mne's preload: ``python benchmarks/recordings.py [HOURS]``.

A made recording of 64 channels at 256 Hz is written as EDF by edfio; each way of reading it runs in a fresh process, whose
own peak (VmHWM) and memory that is not a file's (RssAnon) at its end are taken from Linux.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

N_CHANNELS, RATE = 64, 256

STATUS = """
import resource, time
from pathlib import Path
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
peak, own = (int(status[key].split()[0]) / 1024 for key in ("VmHWM", "RssAnon"))
print(f"{peak:.0f} {own:.0f} {time.perf_counter() - started:.1f}")
"""
START = "import sys, time\nstarted = time.perf_counter()\n"
WAYS = {
    "nothing (libraries loaded)": "import mne.io, neuroloom.formats.edf\n",
    "neuroloom.formats.read": "from neuroloom.formats import read\nheld = read(sys.argv[1])\n",
    "mne, preload=True": "import mne\nheld = mne.io.read_raw_edf(sys.argv[1], preload=True, verbose='error')\n",
}


def write_recording(path, hours):
    """Write noise of the size of EEG, a minute of it again and again."""
    import edfio
    import numpy as np

    n_minutes = round(60 * hours)
    minute = 20 * np.random.default_rng(0).standard_normal((N_CHANNELS, 60 * RATE)).astype(np.float32)
    signals = (
        edfio.EdfSignal(
            np.tile(row, n_minutes), RATE, label=f"EEG {n}", physical_dimension="uV", physical_range=(-250, 250)
        )
        for n, row in enumerate(minute)
    )
    edfio.Edf(list(signals)).write(path)


def main():
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "long.edf")
        subprocess.run([sys.executable, __file__, "--write", str(path), str(hours)], check=True)
        print(f"{hours:g} h, {N_CHANNELS} channels, {RATE} Hz: {path.stat().st_size / 2**20:.0f} MB of EDF")
        print(f"{'':28}{'peak MB':>9}{'own MB':>9}{'s':>7}")
        peaks = {}
        for name, code in WAYS.items():
            ran = subprocess.run(
                [sys.executable, "-c", START + code + STATUS, str(path)], capture_output=True, text=True, check=True
            )
            peak, own, seconds = ran.stdout.split()
            peaks[name] = float(peak)
            print(f"{name:28}{peak:>9}{own:>9}{seconds:>7}")
        print(f"peak of ours over mne's: {peaks['neuroloom.formats.read'] / peaks['mne, preload=True']:.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write_recording(sys.argv[2], float(sys.argv[3]))
    else:
        main()
