"""Shared fixtures: the folder of real data, and a quiet machine."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def real_data_folder():
    """Return the folder of real scans and recordings, or None where there is none."""
    folder = Path(os.environ.get("NEUROLOOM_TEST_DATA", ROOT.parent / "shared" / "data"))
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def real_data():
    folder = real_data_folder()
    if folder is None:
        pytest.skip("no real data: set NEUROLOOM_TEST_DATA to the folder that holds it")
    return folder
