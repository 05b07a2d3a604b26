"""A simulated cohort written as files is read back as it was."""

import numpy as np
import pytest

from neuroloom.cohort.opened import open_cohort
from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.formats.tables import read_table
from neuroloom.simulators.bids import write_cohort
from neuroloom.simulators.bold import simulate_bold
from neuroloom.simulators.label_maps import simulate_label_maps
from neuroloom.simulators.t1w import simulate_t1w
from neuroloom.simulators.table import simulate_table


@pytest.mark.parametrize(
    ("simulate", "name"),
    [
        (lambda: simulate_table(n_participants=6), "thickness"),
        (lambda: simulate_bold(n_participants=8, n_regions=56), "bold"),
        (lambda: simulate_t1w(n_participants=2, voxel_size=6.0, n_sites=2), "t1w"),
    ],
    ids=["thickness", "bold", "t1w"],
)
def test_files_hold_what_was_drawn(tmp_path, simulate, name):
    cohort = simulate()
    write_cohort(cohort, tmp_path / "study")
    read = open_cohort(tmp_path / "study")
    assert sorted(read.table["participant_id"]) == sorted(cohort.table["participant_id"])
    assert read.table["age"].to_numpy() == pytest.approx(cohort.table["age"].to_numpy())
    for sample in cohort.samples:
        drawn, stored = cohort.load(name, sample), read.load(name, sample)
        assert np.allclose(stored.data, drawn.data, rtol=1e-5, atol=1e-6)
        for key in ("affine", "sampling_rate"):
            if key in drawn.geometry:
                assert np.allclose(stored.geometry[key], drawn.geometry[key], atol=1e-5)


def test_ages_of_visits_are_kept(tmp_path):
    cohort = simulate_t1w(n_participants=3, n_sites=1, voxel_size=8.0, visits=2, visit_interval=2.5)
    write_cohort(cohort, tmp_path / "study")
    read = open_cohort(tmp_path / "study")
    assert read.samples == cohort.samples
    assert read.table["age"].tolist() == cohort.table["age"].tolist()
    assert read.table["age"].diff().iloc[[1, 3, 5]].tolist() == pytest.approx([2.5] * 3, abs=0.11)  # two rounded ages
    assert not [note for note in read.notes if "the same at all" in note]
    people = read_table(tmp_path / "study" / "participants.tsv")
    assert list(people) == ["participant_id", "site", "sex", "head_size", "diagnosis"]


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_with_files_is_not_written_into(tmp_path, force):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(
        NeuroloomError, match=r"holds no simulated cohort but thesis.txt, so --force does not .* Name another"
    ):
        write_cohort(simulate_table(n_participants=3), tmp_path, force=force)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_earlier_cohort_is_replaced_whole(tmp_path):
    write_cohort(simulate_bold(n_participants=8, n_regions=56), tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(NeuroloomError, match=r"it exists already\. Name another --out, or replace it with --force"):
        write_cohort(simulate_bold(n_participants=4, n_sites=2, n_regions=56), tmp_path)
    write_cohort(simulate_bold(n_participants=4, n_sites=2, n_regions=56), tmp_path, force=True)
    assert len(open_cohort(tmp_path)) == 4
    write_cohort(simulate_table(n_participants=3), tmp_path, force=True)
    assert set(open_cohort(tmp_path).inputs) == {"thickness"}
    write_cohort(simulate_bold(n_participants=4, n_sites=2, n_regions=56), tmp_path, force=True)
    assert set(open_cohort(tmp_path).inputs) == {"bold"}
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("sub-")) == [
        "dataset_description.json",
        "derivatives",
        "notes.txt",
        "participants.tsv",
    ]


@pytest.mark.parametrize("place", ["taken", "taken/below"])
def test_a_place_that_can_be_no_folder_is_named(tmp_path, place):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(FileProblem, match=r"taken.*: cannot be made \((File exists|Not a directory)\).*--out"):
        write_cohort(simulate_table(n_participants=3), tmp_path / place)


def test_label_maps_are_read_back_by_their_cohort_file(tmp_path):
    cohort = simulate_label_maps(n_participants=2, seed=1)
    write_cohort(cohort, tmp_path / "maps")
    again = open_cohort(tmp_path / "maps")
    assert again.samples == cohort.samples
    for sample in cohort.samples:
        first, second = cohort.load("labels", sample), again.load("labels", sample)
        np.testing.assert_array_equal(first.data, second.data)
        np.testing.assert_allclose(first.geometry["affine"], second.geometry["affine"])
