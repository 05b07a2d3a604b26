"""What every study does with what it found: the commit it was made at, and its JSON."""

import json
import subprocess
from pathlib import Path


def commit():
    """Return the short name of the commit that the studies are at."""
    ask = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(ask, capture_output=True, text=True, cwd=Path(__file__).parent, check=True).stdout.strip()


def write(path, told):
    """Write what was found as JSON, replacing what was there."""
    path.write_text(json.dumps(told, indent=1) + "\n")
