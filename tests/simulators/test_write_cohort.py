"""A simulated cohort written as files is read back as it was."""

import numpy as np
import pytest

from neuroloom.cohort.opened import open_cohort
from neuroloom.errors import NeuroloomError
from neuroloom.simulators.bids import write_cohort
from neuroloom.simulators.bold import simulate_bold
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


def test_a_folder_with_files_is_not_written_into(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(NeuroloomError, match="the folder is not empty"):
        write_cohort(simulate_table(n_participants=3), tmp_path)
