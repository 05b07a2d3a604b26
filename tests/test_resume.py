"""A run that was killed at any moment goes on where it was and ends with the same bytes."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from small import small

from neuroloom import experiment
from neuroloom.preparation import prepare, read_cohort
from neuroloom.recipe import read_recipe
from neuroloom.run_folder import Run
from neuroloom.sampling.data import with_shuffled_target
from neuroloom.transforms.cache import Cache

COMMAND = ["run", "brain-age-table", "--jobs", "1"]
for key, value in small("brain-age-table"):
    COMMAND += ["--set", f"{key}={'null' if value is None else value}"]
COMMAND += ["--set", "training.epochs=12", "--set", "validation.folds=3"]

# The program, but the process kills itself at the n-th rename, before it (the file is half there) or after it.
KILLS_ITSELF = """
import os, signal, sys
count, kill_at, after = 0, int(sys.argv[1]), sys.argv[2] == "after"
rename = os.replace
def killing_rename(*names):
    global count
    count += 1
    if count == kill_at and not after:
        os.kill(os.getpid(), signal.SIGKILL)
    rename(*names)
    if count == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)
os.replace = killing_rename
sys.argv = ["neuroloom", *sys.argv[3:]]
from neuroloom.cli import main
main()
"""


def program(*words, script=None):
    start = ["-c", script] if script else ["-m", "neuroloom.cli"]
    return [sys.executable, *start, *map(str, words)]


def quietly(command, environment, **options):
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return {**os.environ, "NEUROLOOM_CACHE": str(tmp_path_factory.mktemp("cache")), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, environment):
    folder = tmp_path_factory.mktemp("runs") / "undisturbed"
    done = quietly(program(*COMMAND, "--out", folder), environment)
    assert done.returncode == 0, done.stderr
    return folder


def kept(folder):
    """Return the bytes of all that a run leaves, but for what holds a time of day."""
    other = {"log.jsonl", "environment.json", "report.html", "replay.json", ".lock"}
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in other]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def assert_the_same(folder, undisturbed):
    one, other = kept(folder), kept(undisturbed)
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []
    events = Run(folder).log.events()
    of_jobs = [event for event in events if event["event"].endswith("ended") and "fold" in event]
    ended = Counter((event["learner"], event["fold"], event.get("epoch")) for event in of_jobs)
    assert set(ended.values()) == {1}
    assert sum(epoch is not None for _, _, epoch in ended) == 3 * 12


@pytest.mark.slow
@pytest.mark.parametrize(("kill_at", "moment"), [(7, "before"), (19, "after"), (40, "before"), (61, "after")])
def test_killed_around_a_rename(tmp_path, environment, undisturbed, kill_at, moment):
    folder = tmp_path / "run"
    killed = quietly(program(kill_at, moment, *COMMAND, "--out", folder, script=KILLS_ITSELF), environment)
    assert killed.returncode == -signal.SIGKILL
    again = quietly(program(*COMMAND, "--out", folder), environment)
    assert again.returncode == 0, again.stderr
    assert_the_same(folder, undisturbed)


@pytest.mark.slow
def test_killed_again_and_again_at_random_moments(tmp_path, environment, undisturbed):
    folder, draw, kills = tmp_path / "run", random.Random(1), 0
    while True:
        process = subprocess.Popen(program(*COMMAND, "--out", folder), env=environment, stderr=subprocess.DEVNULL)
        wait_for_work(folder, process)
        try:
            assert process.wait(timeout=draw.uniform(0.1, 0.8) if kills < 5 else 300) == 0
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
    assert kills >= 2
    assert_the_same(folder, undisturbed)


def wait_for_work(folder, process):
    """Wait until the process has written something of its own, so that a kill falls into the work."""
    size = log_size(folder)
    while log_size(folder) == size and process.poll() is None:
        time.sleep(0.01)


def log_size(folder):
    log = folder / "log.jsonl"
    return log.stat().st_size if log.exists() else 0


@pytest.mark.slow
def test_parallel_and_serial_runs_agree(tmp_path, environment, undisturbed):
    folder = tmp_path / "run"
    words = [word if word != "1" or COMMAND[i - 1] != "--jobs" else "2" for i, word in enumerate(COMMAND)]
    done = quietly(program(*words, "--out", folder), environment)
    assert done.returncode == 0, done.stderr
    assert_the_same(folder, undisturbed)


@pytest.mark.slow
def test_replay_agrees_and_disagrees_when_one_weight_is_edited(environment, undisturbed, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    agreed = quietly(program("replay", undisturbed), environment)
    assert agreed.returncode == 0, agreed.stderr
    assert "The run agrees" in agreed.stdout
    copy = tmp_path / "copy"
    shutil.copytree(undisturbed, copy)
    weights = copy / "folds" / "0-1" / "mlp" / "model.safetensors"
    tensors = load_file(weights)
    name = sorted(tensors)[-1]
    tensors[name].view(-1)[0] += 0.01
    save_file(tensors, weights)
    disagreed = quietly(program("replay", copy), environment)
    assert disagreed.returncode == 1
    assert "does NOT agree" in disagreed.stdout


def test_a_folder_with_another_recipe_is_refused(environment, undisturbed):
    refused = quietly(program(*COMMAND, "--set", "training.learning_rate=0.1", "--out", undisturbed), environment)
    assert refused.returncode == 1
    assert "another recipe (they differ in training.learning_rate: 0.002 there, 0.1 now)" in refused.stderr


def test_two_runs_in_one_folder_are_refused(tmp_path, environment):
    with Run(tmp_path / "run").locked():
        refused = quietly(program(*COMMAND, "--out", tmp_path / "run"), environment)
    assert refused.returncode == 1
    assert "another run is at work in this folder" in refused.stderr


def test_refits_that_were_done_are_not_done_again(tmp_path, monkeypatch):
    recipe = read_recipe("brain-age-table", None, small("brain-age-table", baselines=[{"name": "ridge"}]))
    cache = Cache(tmp_path / "cache")
    prepared, run = prepare(recipe, read_cohort(recipe), cache), Run(tmp_path / "run")
    refit = experiment.refits(run, prepared, cache)["ridge"]
    once = refit(7)
    shuffled = with_shuffled_target(prepared.data, "participant", 7).target.values
    truth = dict(zip(prepared.data.cohort.samples, shuffled, strict=True))
    assert once["truth_age"].tolist() == [truth[sample] for sample in once["sample_id"]]
    assert [str(p.relative_to(run.folder)) for p in run.folder.rglob("*.*")] == ["refits/ridge/7.csv"]
    monkeypatch.setattr(experiment, "learn", None)  # it would be called
    assert refit(7).equals(once)
