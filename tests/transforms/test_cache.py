"""What a prepared sample depends on: when any of it changes, the sample is prepared anew."""

from importlib import metadata
from pathlib import Path

import pytest

import neuroloom
from neuroloom.transforms import cache

ROOT = Path(neuroloom.__file__).parent


@pytest.mark.parametrize(
    "file",
    ["scan.py", "seeds.py", "atlases/__init__.py", "atlases/coarse_regions.yaml", "formats/nifti.py",
     "simulators/t1w.py", "transforms/volume_resample.py"],
)  # fmt: skip
def test_code_and_the_data_that_ship_with_it_count(file):
    assert ROOT / file in cache.code_files()


@pytest.mark.parametrize("library", ["numpy", "scipy", "nibabel", "nilearn", "torch"])
def test_versions_of_libraries_count(library, monkeypatch):
    before, version = cache.code_version.__wrapped__(), metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "0.0" if name == library else version(name))
    assert cache.code_version.__wrapped__() != before


def test_the_bytes_of_an_atlas_count(tmp_path, monkeypatch):
    atlas = tmp_path / "atlas.yaml"
    atlas.write_text("left: 1")
    monkeypatch.setattr(cache, "code_files", lambda: [atlas])
    before = cache.code_version.__wrapped__()
    atlas.write_text("left: 2")
    assert cache.code_version.__wrapped__() != before
