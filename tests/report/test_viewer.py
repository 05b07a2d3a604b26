"""The viewer: what it holds is the scan, and a browser draws it without a network."""

import base64
import gzip
import hashlib
import re
import shutil
import subprocess

import nibabel as nib
import numpy as np
import pytest
from matplotlib.image import imread
from small_volumes import simulated_brain

from neuroloom.report import viewer
from neuroloom.report.structure_colours import label_colours
from neuroloom.report.viewer import write_viewer
from neuroloom.transforms.volume_grid import ras

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--use-gl=angle",
    "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--virtual-time-budget=15000", "--enable-logging=stderr",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1200,900",
)  # fmt: skip


@pytest.fixture(scope="module")
def brain():
    return tuple(ras(scan) for scan in simulated_brain())


@pytest.fixture(scope="module")
def page(tmp_path_factory, brain):
    path = tmp_path_factory.mktemp("viewer") / "sub-001_view.html"
    write_viewer(path, "sub-001", *brain)
    return path


def volumes_in(page):
    """Return the images that a viewer's page holds."""
    packed = re.findall(r'\["[a-z]+\.nii\.gz", "([A-Za-z0-9+/=]+)"\]', page.read_text())
    return [nib.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(one))) for one in packed]


def centre_mm(image, number):
    voxels = np.argwhere(np.asarray(image.dataobj) == number)
    return nib.affines.apply_affine(image.affine, voxels.mean(axis=0))


def test_it_holds_the_scan_and_its_labels_where_they_were(page, brain):
    scan, labels = brain
    shown, found = volumes_in(page)
    assert np.asarray(shown.dataobj).dtype == np.uint8
    original = nib.Nifti1Image(labels.data, labels.geometry["affine"])
    for number in np.unique(labels.data)[1:]:
        assert (np.asarray(found.dataobj) == number).sum() == (labels.data == number).sum()
        np.testing.assert_allclose(centre_mm(found, number), centre_mm(original, number), atol=1e-3)
    inside = np.asarray(found.dataobj) > 0
    expected = scan.data[0][labels.data > 0]
    assert np.corrcoef(np.asarray(shown.dataobj)[inside], expected)[0, 1] > 0.999


def test_a_large_scan_is_shown_at_1_mm_in_the_same_place(tmp_path, brain, monkeypatch):
    monkeypatch.setattr(viewer, "MOST_VOXELS", 1000)
    write_viewer(tmp_path / "view.html", "sub-001", *brain)
    _, found = volumes_in(tmp_path / "view.html")
    labels = brain[1]
    original = nib.Nifti1Image(labels.data, labels.geometry["affine"])
    np.testing.assert_allclose(found.header.get_zooms(), 1.0, atol=1e-5)
    volume = np.prod(original.header.get_zooms())
    for number in (2, 17, 53):
        np.testing.assert_allclose(centre_mm(found, number), centre_mm(original, number), atol=0.6)
        ml = (np.asarray(found.dataobj) == number).sum()
        assert ml == pytest.approx((labels.data == number).sum() * volume, rel=0.05)


def test_the_page_may_ask_the_network_for_nothing(page):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page.read_text())[1]
    assert policy.startswith("default-src 'none';")
    assert "http" not in policy
    assert "connect-src" not in policy


def test_it_carries_niivues_licence(page):
    text = page.read_text()
    assert "Copyright (c) 2021, Niivue" in text
    assert "Redistributions in binary form must reproduce the above copyright" in text


def test_niivue_is_the_file_that_was_published():
    found = (viewer.VENDORED / "niivue-0.69.0.umd.js").read_bytes()
    assert hashlib.sha256(found).hexdigest() in (viewer.VENDORED / "niivue-LICENSES.txt").read_text()


def browsed(page, tmp_path, *arguments):
    """Return what a browser says about a page on its standard output and error."""
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", *arguments, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_a_browser_draws_the_brain_and_its_structures(page, tmp_path):
    done = browsed(page, tmp_path, f"--screenshot={tmp_path / 'shot.png'}")
    assert "CONSOLE" not in done.stderr  # no error, nothing blocked, nothing asked for in vain
    picture = imread(tmp_path / "shot.png")[70:800, :, :3]  # without the words above and below
    low, high = picture.min(axis=-1), picture.max(axis=-1)
    assert 0.02 < np.mean((low > 0.75) & (high - low < 0.05)) < 0.5  # white matter
    assert np.mean((picture[..., 0] - picture[..., 2] > 0.1) & (high > 0.4)) > 0.02  # the veil of the cortex
    corner = picture[:40, :40]
    assert corner.max() < 0.05


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_a_browser_names_the_structure_at_the_cross(page, brain, tmp_path):
    done = browsed(page, tmp_path, "--dump-dom")
    told = re.search(r"<output[^>]*>([a-z ]+) at (−?\d+), (−?\d+), (−?\d+) mm</output>", done.stdout)
    name, place = told[1], [float(at.replace("−", "-")) for at in told.groups()[1:]]
    labels = brain[1]
    middle = nib.affines.apply_affine(np.linalg.inv(labels.geometry["affine"]), place)
    near = np.indices((3, 3, 3)).reshape(3, -1).T - 1 + np.rint(middle).astype(int)  # mm are told without decimals
    names = {found.replace("_", " ") for found, _ in label_colours({labels.data[tuple(at)] for at in near}).values()}
    assert name in names | {"no structure"}
