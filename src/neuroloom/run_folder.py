"""Run: the folder that an experiment leaves. It locks, resumes, refuses, and answers for new scans."""

import datetime
import json
import os
import platform
import shutil
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import filelock
import yaml

from neuroloom.errors import NeuroloomError
from neuroloom.formats.atomic import atomic_write, make_folder, not_ours, remove_halves
from neuroloom.formats.limits import load_yaml, read_json
from neuroloom.formats.tables import read_table, write_table
from neuroloom.recipe import resolved
from neuroloom.training.log import Log, plain

LIBRARIES = ("neuroloom", "torch", "numpy", "scipy", "pandas", "scikit-learn", "nibabel", "nilearn", "safetensors")

COHORT_FILE = "cohort.yaml"
WRITTEN_FIRST = (".lock", "environment.json", COHORT_FILE)  # before recipe.yaml, which makes the folder a run's


class Run:
    """A run's folder.

    Parameters
    ----------
    folder : Path
        Made when first written to.
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    @classmethod
    def existing(cls, folder):
        """Return the run in a folder; another folder is an error."""
        run = cls(folder)
        if not (run.folder / "recipe.yaml").is_file():
            raise NeuroloomError(f"{folder}: this is not a run's folder (it holds no recipe.yaml).")
        return run

    @property
    def recipe(self):
        return resolved(load_yaml(self.folder / "recipe.yaml", "recipe"))

    @property
    def environment(self):
        return read_json(self.folder / "environment.json")

    @property
    def metrics(self):
        return read_json(self.folder / "metrics.json")

    @property
    def predictions(self):
        return read_table(self.folder / "predictions.csv")

    @property
    def cohort_file(self):
        """The copy of the cohort file that was given beside the data; None where none was."""
        path = self.folder / COHORT_FILE
        return path if path.is_file() else None

    @property
    def finished(self):
        """Whether the run has come to its end."""
        return any(event["event"] == "run ended" for event in self.log.events())

    @property
    def log(self):
        return Log(self.folder / "log.jsonl")

    def job_folder(self, fold_key, learner):
        """Return where one learner of one fold keeps its weights and its fitted state."""
        return self.folder / "folds" / fold_key / learner

    @contextmanager
    def locked(self):
        """Hold the folder; a second run in it is refused, and a killed one lets go by itself."""
        make_folder(self.folder)
        lock = filelock.FileLock(self.folder / ".lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            raise NeuroloomError(
                f"{self.folder}: another run is at work in this folder. Wait, or name another --out."
            ) from None
        try:
            yield self
        finally:
            lock.release()

    def start(self, recipe, fingerprint, cohort_file=None):
        """Write what the run is; a folder that holds another recipe or cohort is refused, naming the difference."""
        told = recipe.as_yaml()
        before = self.folder / "recipe.yaml"
        remove_halves(self.folder)
        if before.is_file():
            self._refuse_other(before, told, fingerprint)
            self.log.mend()
            self._tell_other_versions(fingerprint)
            return
        if strangers := self._strangers():
            raise not_ours(self.folder, "run", strangers[0])
        atomic_write(self.folder / "environment.json", json.dumps(environment(fingerprint), indent=1).encode())
        if cohort_file is not None:
            atomic_write(self.folder / COHORT_FILE, cohort_file.read_bytes())
        atomic_write(before, told.encode())

    def clear(self):
        """Delete what a run has left in the folder, which is held; what is not a run's is never deleted."""
        if (strangers := self._strangers()) and not (self.folder / "recipe.yaml").is_file():
            raise not_ours(self.folder, "run", strangers[0])
        for path in self.folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != ".lock":
                path.unlink()

    def write_table(self, name, frame):
        write_table(self.folder / name, frame)

    def write_json(self, name, content):
        text = json.dumps(content, indent=1, default=plain)
        atomic_write(self.folder / name, text.encode())

    def _strangers(self):
        """Return the names of what lies in the folder beside what a run writes before its recipe."""
        return sorted(path.name for path in self.folder.iterdir() if path.name not in WRITTEN_FIRST)

    def _tell_other_versions(self, fingerprint):
        """Log, for the page, that a run goes on with other libraries than it was begun with."""
        begun, now = (told["versions"] for told in (self.environment, environment(fingerprint)))
        other = [f"{name} {begun.get(name)} then, {now[name]} now" for name in now if begun.get(name) != now[name]]
        if other and not self.finished:
            text = f"This run was begun with other versions and went on with the present ones: {', '.join(other)}."
            self.log.add("went on", warnings=[text])

    def _refuse_other(self, before, told, fingerprint):
        if before.read_text() != told:
            key = _first_difference(load_yaml(before, "recipe"), yaml.safe_load(told))
            raise NeuroloomError(
                f"{self.folder}: this folder holds a run of another recipe (they differ in {key}). "
                "Name another folder with --out, or delete this one."
            )
        if self.environment["cohort_fingerprint"] != fingerprint:
            raise NeuroloomError(
                f"{self.folder}: this run was begun on other data: a file or a column of the cohort has changed since. "
                "Name another folder with --out."
            )


def environment(fingerprint):
    """Return what is needed to repeat a run: versions and machine; no name of a person, host or folder."""
    import torch

    return {
        "cohort_fingerprint": fingerprint,
        "started": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "threads_per_job": 1,
        "versions": {name: metadata.version(name) for name in LIBRARIES},
    }


def _first_difference(one, other, prefix=""):
    for key in [*one, *(key for key in other if key not in one)]:
        if one.get(key) == other.get(key):
            continue
        if isinstance(one.get(key), dict) and isinstance(other.get(key), dict):
            return _first_difference(one[key], other[key], f"{prefix}{key}.")
        return f"{prefix}{key}: {one.get(key)!r} there, {other.get(key)!r} now"
    return "their form"
