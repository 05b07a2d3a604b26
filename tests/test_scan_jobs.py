"""Many scans one after the other, and the tables that tell what became of them."""

import numpy as np

from neuroloom.errors import FileProblem
from neuroloom.formats.tables import read_table
from neuroloom.scan_jobs import SUMMARY, Job, drop_rows, each, put_row


def test_whatever_goes_wrong_with_one_scan_the_others_are_done_and_told(tmp_path):
    wrong = {"a": FileProblem(tmp_path / "a.nii", "it is cut."), "b": MemoryError(), "c": ZeroDivisionError("by 0")}

    def work(job):
        if job.name in wrong:
            raise wrong[job.name]
        return {"status": "done", "score": 0.5, "reason": ""}

    seen = []
    jobs = [Job(name, tmp_path / name) for name in "abcd"]
    table = each(jobs, tmp_path, work, ("score",), lambda *told: seen.append(told))
    assert table["status"].tolist() == ["failed", "failed", "failed", "done"]
    assert list(table) == list(read_table(tmp_path / SUMMARY)) == ["sample_id", "status", "score", "reason"]
    np.testing.assert_array_equal(table["score"], [np.nan, np.nan, np.nan, 0.5])
    for row, words in zip(
        table["reason"], ("a.nii: it is cut.", "memory ran out", "a fault of neuroloom: ZeroDiv"), strict=False
    ):
        assert words in row
    assert seen == [("scans", n, 4) for n in (1, 2, 3, 4)]
    np.testing.assert_array_equal(read_table(tmp_path / SUMMARY)["score"], table["score"])
    assert str(tmp_path) not in (tmp_path / SUMMARY).read_text()


def test_a_row_takes_the_place_of_an_earlier_one_and_the_last_one_can_go(tmp_path):
    path = tmp_path / "volumes.tsv"
    for name, ml in (("a", 1.0), ("b", 2.0), ("a", 3.0)):
        put_row(path, {"sample_id": name, "ball_ml": ml})
    assert read_table(path).set_index("sample_id")["ball_ml"].to_dict() == {"b": 2.0, "a": 3.0}
    drop_rows(path, ["a", "nobody"])
    assert read_table(path)["sample_id"].tolist() == ["b"]
    drop_rows(path, ["b"])
    drop_rows(path, ["b"])
    put_row(path, {"sample_id": "c", "ball_ml": 4.0})
    assert read_table(path)["sample_id"].tolist() == ["c"]
