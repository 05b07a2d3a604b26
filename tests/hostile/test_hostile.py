"""Every hostile file ends in a clear error, soon, and in little memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hostile_corpus import CASES

WORKER = Path(__file__).with_name("hostile_worker.py")
MOST_SECONDS, MOST_MEGABYTES = 2, 200


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile") / "data"


@pytest.fixture(scope="module")
def outcomes(corpus):
    corpus.mkdir()
    ended = subprocess.run(
        [sys.executable, WORKER, corpus],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""  # no warning reaches the user either
    return json.loads(ended.stdout)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name[:40])
def test_hostile_file_ends_in_a_clear_error(case, outcomes):
    if case.needs_no_root and os.geteuid() == 0:
        pytest.skip("root may read every file")
    outcome = outcomes[case.name]
    assert outcome["outcome"] == "NeuroloomError", outcome
    assert Path(case.name).name in outcome["message"].replace("\\\\", "\\")
    assert case.says in outcome["message"]
    assert "memory ran out" not in outcome["message"]
    assert outcome["seconds"] < MOST_SECONDS
    assert outcome["megabytes"] < MOST_MEGABYTES


def test_no_file_ran_its_code(corpus, outcomes):
    assert outcomes
    assert not (corpus / "owned").exists()


def test_names_are_told_apart():
    assert len({case.name for case in CASES}) == len(CASES) >= 40
