"""Files damaged at random places are read or refused; nothing else comes of them."""

import json
import os
import subprocess
import sys
from pathlib import Path

WORKER = Path(__file__).with_name("fuzz_worker.py")
N_COPIES = 150


def test_randomly_damaged_files_are_read_or_refused(tmp_path):
    ended = subprocess.run(
        [sys.executable, WORKER, tmp_path, str(N_COPIES), "0"],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    outcomes = json.loads(ended.stdout)
    assert len(outcomes) == 22
    for name, outcome in outcomes.items():
        assert outcome["sound"] == "read", name
        assert set(outcome["damaged"]) <= {"read", "clear error"}, name
        assert outcome["damaged"]["clear error"] > 0.3 * N_COPIES, name  # most damage is noticed
