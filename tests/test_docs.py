"""The tutorials run as they are printed, and the gallery is made from the recipes."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from neuroloom.recipe import recipe_names

DOCS = Path(__file__).resolve().parents[1] / "docs"


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), flags=re.DOTALL)


@pytest.fixture
def environment(tmp_path):
    programs = str(Path(sys.executable).parent)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "NEUROLOOM_CACHE": str(tmp_path / "cache"), "PATH": path}


@pytest.mark.slow
def test_the_tutorial_of_your_own_data(tmp_path, environment):
    script = "set -e\n" + "".join(blocks("tutorials/your-own-data.md", "bash"))
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answers = (tmp_path / "answers.csv").read_text().splitlines()
    assert len(answers) == 61
    assert "The run agrees" in done.stdout


@pytest.mark.slow
def test_the_tutorial_from_python(tmp_path, environment):
    script = "".join(blocks("tutorials/from-python.md", "python"))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "torch.Size([1, 40])" in done.stdout


def test_the_gallery_has_a_page_for_each_recipe(tmp_path):
    gallery = runpy.run_path(str(DOCS / "make_gallery.py"))
    gallery["main"].__globals__["GALLERY"] = tmp_path / "gallery"
    gallery["main"]()
    assert sorted(path.stem for path in (tmp_path / "gallery").glob("*.md")) == sorted([*recipe_names(), "index"])
    for name in recipe_names():
        assert f"neuroloom run {name} --data DIR" in (tmp_path / "gallery" / f"{name}.md").read_text()
