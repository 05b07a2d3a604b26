"""The commands as a user gives them."""

import subprocess
import sys

import pandas as pd
import pytest
from typer.testing import CliRunner

from neuroloom.cli import app
from neuroloom.errors import NeuroloomError
from neuroloom.formats.tables import read_table, write_table
from neuroloom.norms import Norms

CANNOT = r"its folder is not there|is a file, no folder"
COHORT = """
table: people.csv
columns:
  sex: {from: code, values: {1: M, 2: F}}
inputs:
  measures: {kind: table, file: measures.csv, columns: [thickness, ventricles]}
"""


def command(*words):
    """Give a command; what goes wrong is raised, as `main` gets it."""
    done = CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False, standalone_mode=False)
    return done


@pytest.fixture
def table(people, tmp_path):
    write_table(tmp_path / "people.csv", people)
    return tmp_path / "people.csv"


def test_fit_apply_and_show(table, tmp_path):
    norms, placed = tmp_path / "norms.json", tmp_path / "placed.csv"
    done = command("norms", "fit", table, "--name", "Our people", "--measures", "thick*,ventricles", "--out", norms)
    assert done.exit_code == 0
    assert "Our people" in done.output
    assert list(Norms.load(norms).measures) == ["thickness", "ventricles"]
    command("norms", "apply", norms, table, "--out", placed)
    rows = read_table(placed)
    assert len(rows) == 600
    assert 0.02 < (rows.loc[rows["measure"] == "thickness", "percentile"] < 5).mean() < 0.08
    printed = command("norms", "apply", norms, table)
    assert printed.output.startswith("participant_id,age,sex,measure,value,percentile,low,high,z,reference,note")
    for name in ("curves.png", "curves.html"):
        command("norms", "show", norms, "--out", tmp_path / name, "--measures", "thickness")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "Our people" in (tmp_path / "curves.html").read_text()


def test_a_folder_with_a_cohort_file_joins_tables_and_maps_codes(people, tmp_path):
    write_table(tmp_path / "people.csv", people[["participant_id", "age"]].assign(code=(people["sex"] == "F") + 1))
    write_table(tmp_path / "measures.csv", people[["participant_id", "thickness", "ventricles"]].sample(frac=1))
    (tmp_path / "cohort.yaml").write_text(COHORT)
    command("norms", "fit", tmp_path, "--name", "Folder", "--out", tmp_path / "folder.json")
    write_table(tmp_path / "one.csv", people[["participant_id", "age", "sex", "thickness", "ventricles"]])
    command("norms", "fit", tmp_path / "one.csv", "--name", "Table", "--out", tmp_path / "table.json")
    folder, one = (Norms.load(tmp_path / f"{name}.json") for name in ("folder", "table"))
    found = folder.percentile("ventricles", 30, 50, "F")
    assert found == pytest.approx(one.percentile("ventricles", 30, 50, "F"), abs=1e-3)


def test_what_is_there_is_not_replaced_and_errors_come_before(table, tmp_path):
    (tmp_path / "norms.json").write_text("{}")
    with pytest.raises(NeuroloomError, match="replace it with --force"):
        command("norms", "fit", table, "--name", "x", "--out", tmp_path / "norms.json")
    with pytest.raises(NeuroloomError, match="not a file of norms"):
        command("norms", "apply", tmp_path / "norms.json", table)
    with pytest.raises(NeuroloomError, match="needs a name"):
        command("norms", "fit", table, "--name", " ", "--out", tmp_path / "other.json")


@pytest.mark.slow
def test_a_refusal_is_one_message_and_no_traceback(table, tmp_path):
    frame = pd.read_csv(table)
    write_table(tmp_path / "few.csv", frame.head(40))
    words = ["norms", "fit", str(tmp_path / "few.csv"), "--name", "few", "--out", str(tmp_path / "few.json")]
    done = subprocess.run([sys.executable, "-m", "neuroloom.cli", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "50 are needed" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "few.json").exists()


def test_the_table_of_volumes_is_a_reference_as_it_stands(people, tmp_path, capsys):
    rows = people[["participant_id"]].assign(sample_id=people["participant_id"] + "_T1w", status="done", quality=0.9)
    rows = rows.join(people[["age", "sex"]]).assign(hippocampus_total_ml=people["thickness"] + 4)
    rows["accumbens_area_total_ml"] = people["asymmetry"].clip(lower=0)  # half of the people have none
    rows.loc[rows.index[:5], "status"] = "poor"
    rows.loc[rows.index[:5], "quality"] = 0.1
    write_table(tmp_path / "volumes.tsv", rows)
    done = command("norms", "fit", tmp_path / "volumes.tsv", "--name", "Volumes", "--out", tmp_path / "norms.json")
    assert "left out: sub-0000 (poor), sub-0001 (poor)" in done.stderr
    assert "accumbens_area_total_ml is passed over" in done.stderr
    norms = Norms.load(tmp_path / "norms.json")
    assert list(norms.measures) == ["hippocampus_total_ml"]
    assert norms.measures["hippocampus_total_ml"].n == 295
    assert "sub-0000" not in (tmp_path / "norms.json").read_text()
    done = command(
        "norms", "apply", tmp_path / "norms.json", tmp_path / "volumes.tsv", "--out", tmp_path / "placed.csv"
    )
    assert "no percentile, since their status is poor or failed: sub-0000 (poor), sub-0001 (poor)" in done.stderr
    placed = read_table(tmp_path / "placed.csv")
    assert placed.loc[placed["percentile"].isna(), "participant_id"].tolist() == [f"sub-{n:04d}" for n in range(5)]
    assert set(placed["note"].dropna()) == {"the scan is poor"}
    assert placed["value"].notna().all()


@pytest.mark.parametrize("place", ["missing/n.json", "people.csv/n.json"])
def test_a_folder_that_cannot_be_written_is_told_before_the_work(table, tmp_path, monkeypatch, place):
    monkeypatch.setattr("neuroloom.api.fit_norms_table", None)
    monkeypatch.setattr("neuroloom.api.draw_norms", None)
    out = tmp_path / place
    with pytest.raises(NeuroloomError, match=CANNOT):
        command("norms", "fit", table, "--name", "x", "--out", out)
    with pytest.raises(NeuroloomError, match=CANNOT):
        command("norms", "show", tmp_path / "norms.json", "--out", out)
    with pytest.raises(NeuroloomError, match=CANNOT):
        command("norms", "apply", tmp_path / "norms.json", table, "--out", out.with_suffix(".csv"))
