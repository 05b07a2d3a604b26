"""The page of a scan's volumes: made from its files alone, safe with any name, without faces and without a network."""

import json
import re
import sys
import threading
import zlib
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
from markupsafe import Markup
from small_volumes import NAME, NORMS, percentile, simulated_brain, structure, told, write_answer

from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.report.volumes_page import page_content, write_volumes_page
from neuroloom.report.volumes_pdf import MOST_PAGES, laid_out
from neuroloom.report.volumes_record import VolumesRecord
from neuroloom.scan import Scan

STRUCTURES = [
    structure("hippocampus", 3.81, 3.92, percentile=percentile(2.1, 1.0, 4.0), repeatability_percent=1.8),
    structure("brain_stem", total=21.5),
]
HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def brain():
    return simulated_brain()


@pytest.fixture
def answer(tmp_path, brain):
    return write_answer(tmp_path, told(STRUCTURES, norms=NORMS), brain=brain)


class Tables(HTMLParser):
    """Keep the cells of a page's rows, and every address in it."""

    def __init__(self):
        super().__init__()
        self.rows, self.addresses, self.inside, self.tags = [], [], False, []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for key, value in attributes if key in ("href", "src", "srcset", "action")]
        if tag == "tr":
            self.rows.append([])
        self.inside = tag in ("td", "th") or (self.inside and tag in ("span", "b", "small"))
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.inside = False

    def handle_data(self, text):
        if self.inside and self.rows and self.rows[-1]:
            self.rows[-1][-1] += text.strip()


def parsed(text):
    found = Tables()
    found.feed(text)
    return found


def test_the_page_tells_findings_numbers_and_files(answer):
    page = write_volumes_page(answer, NAME)
    text = page.read_text()
    assert page == answer / f"{NAME}_report.html"
    assert "63 years, female. Quality: <span" in text
    assert "Below the 5th percentile of Healthy adults" in text
    assert "For research; it does not replace clinical judgment." in text
    rows = {row[0]: row for row in parsed(text).rows if row}
    assert rows["Hippocampus"][1:6] == ["3.81", "3.92", "7.73", "−2.8", "0.52"]
    assert rows["Brain stem"][1:6] == ["–", "–", "21.5", "–", "1.43"]
    for name in (f"{NAME}_view.html", f"{NAME}_volumes.tsv", f"{NAME}_volumes.csv"):
        assert (answer / name).exists()
        assert f"./{name}" in parsed(text).addresses


def test_the_page_asks_the_network_for_nothing_and_runs_nothing(answer):
    found = parsed(write_volumes_page(answer, NAME).read_text())
    assert all(address.startswith(("#", "./", "data:")) for address in found.addresses)
    assert not {"script", "iframe", "link", "object"} & set(found.tags)


def test_names_are_text_and_never_code(tmp_path, brain):
    name = "sub-<b>1&'\""
    held = [structure(HOSTILE, 3.0, 4.0, flag=HOSTILE, percentile=percentile(50.0)), *STRUCTURES]
    changes = [{"name": HOSTILE, "before_ml": 8.0, "after_ml": 7.0, "percent_per_year": -6.0, "changed": True}]
    content = told(
        held, scan=HOSTILE, sex=HOSTILE, warnings=[HOSTILE], software=HOSTILE, norms={**NORMS, "name": HOSTILE},
        prior={"scan": HOSTILE, "years": 1.0, "warnings": [HOSTILE], "changes": changes},
        quality={"score": 0.5, "passed": True, "reasons": [HOSTILE]},
        files={"labels": "javascript:alert(1).nii.gz", "brain": "'><b1>.nii.gz", "mask": "https:x"},
    )  # fmt: skip
    write_answer(tmp_path, content, name=name, brain=brain)
    text = write_volumes_page(tmp_path, name, viewer=False).read_text()
    found = parsed(text)
    assert not {"script", "b1"} & set(found.tags)
    assert found.tags.count("img") == 1  # the slices
    assert "onerror=alert(1)&gt;" in text
    assert all(address.startswith(("#", "./", "data:")) for address in found.addresses)
    view = tmp_path / f"{name}_view.html"
    assert not view.exists()
    write_volumes_page(tmp_path, name)
    assert parsed(view.read_text()).tags.count("script") == 2  # niivue, and ours


def test_a_scan_that_shows_a_head_is_refused(tmp_path, brain):
    scan, labels = brain
    everywhere = Scan(np.full_like(scan.data, 300.0), "volume", scan.geometry)
    write_answer(tmp_path, told(STRUCTURES), brain=(everywhere, labels))
    with pytest.raises(FileProblem, match="more than the brain"):
        write_volumes_page(tmp_path, NAME)
    assert not list(tmp_path.glob("*.html"))


def test_grids_that_differ_are_refused(tmp_path, brain):
    scan, labels = brain
    shifted = scan.geometry["affine"].copy()
    shifted[0, 3] += 2.0
    write_answer(tmp_path, told(STRUCTURES), brain=(scan, Scan(labels.data, "labels", {"affine": shifted})))
    with pytest.raises(FileProblem, match=r"its grid .* is not that of"):
        write_volumes_page(tmp_path, NAME)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"structures": []}, "structures"),
        ({"age": "old"}, "age"),
        ({"intracranial_ml": float("nan")}, "intracranial_ml"),
    ],
)
def test_numbers_that_are_none_are_named_with_their_place(answer, change, words):
    content = {**told(STRUCTURES), **change}
    (answer / f"{NAME}_volumes.json").write_text(json.dumps(content))
    with pytest.raises(FileProblem, match=f"{NAME}_volumes.json: {words}: "):
        write_volumes_page(answer, NAME)


def test_a_scan_without_files_is_an_error_that_says_so(tmp_path):
    with pytest.raises(FileProblem, match="there is no such file"):
        write_volumes_page(tmp_path, NAME)
    with pytest.raises(FileProblem, match="not the name of a scan"):
        write_volumes_page(tmp_path, f"../{NAME}")


def full_record():
    """Return what a long page holds: every structure, many of them notable, an earlier scan, warnings."""
    names = [f"structure_{n}_of_the_brain" for n in range(18)]
    held = [structure(name, 3.0, 4.0, percentile=percentile(2.0, 1, 7), repeatability_percent=1.0) for name in names]
    changes = [
        {"name": name, "before_ml": 8.0, "after_ml": 7.0, "percent_per_year": -6.0, "least_percent_per_year": 1.0, "changed": n < 6}
        for n, name in enumerate(names)
    ]  # fmt: skip
    prior = {"scan": "sub-001_ses-1_T1w", "years": 2.0, "warnings": ["another scanner"] * 3, "changes": changes}
    return told(held, norms=NORMS, prior=prior, warnings=["The header does not name the scanner."] * 4)


def poor_record():
    """Return the same of a scan whose quality is poor in every structure."""
    content, flag = full_record(), "its borders are unsure: contrast, noise, motion or an unusual shape"
    held = [{**one, "flag": flag} for one in content["structures"]]
    reasons = ["voxels are 6.0 mm long", *(f"{one['name'].replace('_', ' ')}: {flag}" for one in held)]
    return {**content, "structures": held, "quality": {"score": 0.4, "passed": False, "reasons": reasons}}


@pytest.mark.slow
@pytest.mark.parametrize("record", [full_record, poor_record])
def test_print_is_two_pages_at_most_however_much_is_told(tmp_path, brain, record):
    pytest.importorskip("weasyprint", reason="needs the extra pdf")
    write_answer(tmp_path, record(), brain=brain)
    write_volumes_page(tmp_path, NAME, pdf=True, viewer=False)
    content = (tmp_path / f"{NAME}_report.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    streams = re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL)
    told_of = content + b"".join(zlib.decompressobj().decompress(one) for one in streams if one[:1] == b"x")
    assert 1 <= len(re.findall(rb"/Type /Page\b", told_of)) <= MOST_PAGES


def test_print_asks_nobody_for_anything(tmp_path):
    pytest.importorskip("weasyprint", reason="needs the extra pdf")
    asked = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

    server = HTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    outside = f"http://127.0.0.1:{server.server_port}/x.png"
    secret = tmp_path / "secret.svg"
    secret.write_text("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>")
    slices = {"svg": Markup(f'<img src="{outside}"><img src="{secret.as_uri()}">'), "caption": ""}
    record = VolumesRecord.model_validate(told(STRUCTURES))
    document = laid_out(page_content(record, NAME, slices, {"viewer": None, "pdf": None}), 8.0)
    document.write_pdf()
    server.shutdown()
    assert asked == []


def test_print_without_its_library_names_the_extra(answer, monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(NeuroloomError, match=r"pip install 'neuroloom\[pdf\]'"):
        write_volumes_page(answer, NAME, pdf=True)
    assert not list(answer.glob("*.html"))
