"""Errors reach the user whole, from a process that works beside too."""

import pickle

import pytest

from neuroloom.errors import FileProblem
from neuroloom.parallel import side_by_side


def fail(path):
    raise FileProblem(path, "it is cut.", "Copy it again.")


def test_a_file_problem_keeps_its_parts_when_it_is_handed_over():
    again = pickle.loads(pickle.dumps(FileProblem("a.nii", "it is cut.", "Copy it again.")))
    assert (again.path, again.problem, again.way_out) == ("a.nii", "it is cut.", "Copy it again.")
    assert str(again) == "a.nii: it is cut. Copy it again."


def test_a_file_problem_of_another_process_is_told_as_it_is():
    with pytest.raises(FileProblem, match=r"^b\.nii: it is cut\. Copy it again\.$"):
        list(side_by_side([(fail, "b.nii"), (fail, "b.nii")], jobs=2))
