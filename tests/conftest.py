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


def pytest_terminal_summary(terminalreporter):
    """In CI a real-data test that was skipped although its data are there fails the run, by name."""
    if not (os.environ.get("NEUROLOOM_CI") and real_data_folder()):
        return
    skipped = [report.nodeid for report in terminalreporter.stats.get("skipped", []) if "real_data" in report.keywords]
    if skipped:
        terminalreporter.write_line(
            f"real-data tests skipped although the data are there: {', '.join(skipped)}", red=True
        )


def pytest_sessionfinish(session, exitstatus):
    if not (os.environ.get("NEUROLOOM_CI") and real_data_folder()) or hasattr(session.config, "workerinput"):
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if any("real_data" in report.keywords for report in reporter.stats.get("skipped", [])) and exitstatus == 0:
        session.exitstatus = 1
