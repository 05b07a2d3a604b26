"""The picture and the page of a reference's curves."""

import io
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.norms import fit_norms
from neuroloom.report.norms_page import write_norms
from neuroloom.report.svg import drawing


@pytest.fixture(scope="module")
def norms():
    rng = np.random.default_rng(5)
    n = 240
    age, sex = rng.uniform(20, 80, n), np.where(np.arange(n) % 2, "M", "F")
    name = [f"person-{i}" for i in range(n)]
    values = {"<b>volume</b>": 10 + age / 20 + rng.standard_normal(n), "area": rng.standard_normal(n)}
    table = pd.DataFrame({"participant_id": name, "age": age, "sex": sex, **values})
    return fit_norms(table, name="A <reference>")


def test_lines_are_drawn_where_the_norms_say(norms):
    from neuroloom.report.figures_norms import CENTILES, norms_panels

    with drawing(6, 3) as figure:
        norms_panels(figure, norms, "area")
        for axes, code in zip(figure.axes, "FM", strict=True):
            assert len(axes.lines) == len(CENTILES)
            for line, centile in zip(axes.lines, CENTILES, strict=True):
                ages, values = line.get_data()
                np.testing.assert_allclose(values, norms.curve("area", code, ages, [centile])[0])


def test_a_picture_of_each_measure(norms, tmp_path):
    assert write_norms(norms, tmp_path / "all.png") == list(norms.measures)
    write_norms(norms, tmp_path / "one.png", ["area"])
    both, one = (imread(io.BytesIO((tmp_path / f"{name}.png").read_bytes())) for name in ("all", "one"))
    assert both.shape[0] > 1.7 * one.shape[0]
    assert one[..., :3].min() < 0.5 < one[..., :3].max()


def test_the_page_is_one_file_that_escapes_names(norms, tmp_path):
    write_norms(norms, tmp_path / "norms.html")
    page = (tmp_path / "norms.html").read_text()
    assert "A &lt;reference&gt;" in page
    assert "<b>volume" not in page
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    assert page.count("<svg") == 2
    assert "research" in page


def test_what_cannot_be_drawn_is_told(norms, tmp_path):
    with pytest.raises(FileProblem, match=r"\.png or \.html, not as '.pdf'"):
        write_norms(norms, tmp_path / "norms.pdf")
    with pytest.raises(NeuroloomError, match="Did you mean 'area'"):
        write_norms(norms, tmp_path / "norms.png", ["aera"])
    many = norms.model_copy(update={"measures": {f"m{i}": norms.measures["area"] for i in range(13)}})
    with pytest.raises(NeuroloomError, match="12 at most in a picture"):
        write_norms(many, tmp_path / "norms.png")
