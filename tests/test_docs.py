"""The tutorials run as they are printed, and the gallery is made from the recipes."""

import json
import os
import re
import runpy
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from neuroloom.errors import NeuroloomError
from neuroloom.formats.limits import load_yaml
from neuroloom.recipe import recipe_names, resolved

DOCS = Path(__file__).resolve().parents[1] / "docs"


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), flags=re.DOTALL)


def printed_recipes():
    """Return the whole recipes that the pages print, as text: blocks of YAML that begin as a recipe does."""
    pages = sorted(path.name for path in DOCS.glob("*.md"))
    texts = [(page, re.sub(r"\A(#.*\n)+", "", text)) for page in pages for text in blocks(page, "yaml")]
    return [pytest.param(text, id=page) for page, text in texts if text.startswith(("title:", "cohort: {name"))]


@pytest.mark.parametrize("text", printed_recipes())
def test_a_recipe_that_is_printed_loads(text):
    content = load_yaml(text, "recipe")
    recipe = resolved({"id": "printed", **content})
    assert recipe.as_dict()["title"] == content["title"]
    assert recipe.source.startswith("https://doi.org/")


def test_three_recipes_are_printed():
    assert [one.id for one in printed_recipes()] == ["eeg.md"] * 3


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


@pytest.mark.slow
def test_the_tutorial_of_live_answers(tmp_path, environment):
    script = "set -e\n" + "".join(blocks("live.md", "bash"))
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((tmp_path / "session/summary.json").read_text())
    # 5 s before, 8 trials of 7.5 s, 3 s after; a window of 2 s, an answer each 0.2 s
    assert summary["seconds"] == 68.0
    assert summary["answers"] == (68 - 2) * 5 + 1
    loop = json.loads((tmp_path / "loop/closed_loop.json").read_text())
    assert len(loop["curves"]["sham"]["gain"]) == 12


@pytest.mark.slow
def test_the_sender_that_is_printed_can_be_answered_for(tmp_path, environment):
    from neuroloom.live.socket_source import SocketSource

    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    script = blocks("live.md", "python")[0].replace("5555", str(port))
    sender = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, env=environment)
    for _ in range(200):
        try:
            source = SocketSource(f"tcp://localhost:{port}")
            break
        except NeuroloomError:
            time.sleep(0.1)
    sent = list(source)
    assert sender.wait(timeout=30) == 0
    assert [block.first for block in sent] == list(range(0, 1000, 10))
    assert len(source.geometry["names"]) == 22
    samples = 1e-5 * np.random.default_rng(990).standard_normal((10, 22))
    np.testing.assert_allclose(sent[-1].data, samples.T, rtol=1e-5)


def test_the_gallery_has_a_page_for_each_recipe(tmp_path):
    gallery = runpy.run_path(str(DOCS / "make_gallery.py"))
    gallery["main"].__globals__["GALLERY"] = tmp_path / "gallery"
    gallery["main"]()
    assert sorted(path.stem for path in (tmp_path / "gallery").glob("*.md")) == sorted([*recipe_names(), "index"])
    for name in recipe_names():
        assert f"neuroloom run {name} --data DIR" in (tmp_path / "gallery" / f"{name}.md").read_text()
