"""Norms: a person's place on the curves, the curves, and the file."""

import json

import numpy as np
import pandas as pd
import pytest

from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.norms import Norms, Percentile, apply_norms, fit_norms

MEASURES = ["thickness", "ventricles", "asymmetry"]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("sex", ["F", "M"])
def test_percentiles_and_curves_undo_each_other(norms, measure, sex):
    centiles, ages = (0.5, 5, 50, 95, 99.5), [22.0, 40.0, 77.0]
    curve = norms.curve(measure, sex, ages, centiles)
    assert curve.shape == (5, 3)
    for centile, line in zip(centiles, curve, strict=True):
        for age, value in zip(ages, line, strict=True):
            found = norms.percentile(measure, value, age, sex)
            assert found.percentile == pytest.approx(centile, abs=1e-6)
            assert found.low < centile < found.high


def test_the_planted_lines_are_found_within_their_errors(norms):
    """The law is normal around 3 - age / 100; the half of a line's 95 % interval is about two of its errors."""
    ages = np.linspace(25, 75, 11)
    for z, centile in ((-1.6449, 5), (0, 50), (1.6449, 95)):
        truth = 3 - ages / 100 + z * (0.1 + 0.001 * ages)
        low, high = norms.curve_interval("thickness", "F", ages, [centile])[:, 0]
        apart = (norms.curve("thickness", "F", ages, [centile])[0] - truth) / ((high - low) / 3.92)
        assert np.sqrt(np.mean(apart**2)) < 2.5


def test_an_interval_of_a_percentile_is_that_of_its_line(norms):
    """Where a value lies on the upper end of the 95 % line's interval, the line's 95 is an end of its own interval."""
    high = norms.curve_interval("thickness", "F", [50], [95])[1, 0, 0]
    assert norms.percentile("thickness", high, 50, "F").low == pytest.approx(95, abs=0.35)


def test_no_percentile_and_the_reason(norms):
    assert "outside the reference's women of 2" in norms.percentile("thickness", 2.5, 85, "f")
    assert norms.percentile("thickness", 2.5, 50, "unknown") == "the sex is not known"
    assert norms.percentile("thickness", 2.5, float("nan"), "F") == "the age is not known"
    assert norms.percentile("thickness", float("nan"), 50, "F") == "not measured"
    assert norms.percentile("thickness", None, 50, "F") == "not measured"
    assert isinstance(norms.percentile("thickness", 2.5, 50, " Female "), Percentile)
    with pytest.raises(NeuroloomError, match="Did you mean 'thickness'"):
        norms.percentile("thicknes", 2.5, 50, "F")


def test_curves_end_where_the_reference_ends(norms):
    assert np.isnan(norms.curve("thickness", "F", [10, 50, 90], [50])[0]).tolist() == [True, False, True]


def test_a_value_in_another_unit_is_told(norms):
    found = norms.places("ventricles", [30_000.0, -1.0], [50, 50], ["M", "M"])
    assert found["percentile"].tolist() == pytest.approx([100, 0], abs=1e-6)
    assert found["note"].str.contains("unit").all()
    assert np.isfinite(found[["percentile", "low", "high"]].to_numpy()).all()


def test_units_and_signs_do_not_matter(people, norms):
    other = people.assign(ventricles=people["ventricles"] * 1000, asymmetry=-people["asymmetry"])
    refitted = fit_norms(other, ["ventricles", "asymmetry"], name="other")
    for value in (15.0, 30.0, 60.0):
        ours = norms.percentile("ventricles", value, 45, "M")
        assert refitted.percentile("ventricles", 1000 * value, 45, "M") == pytest.approx(ours, abs=1e-3)
    for value in (-0.03, 0.0, 0.02):
        percentile, low, high = norms.percentile("asymmetry", value, 45, "M")
        mirrored = refitted.percentile("asymmetry", -value, 45, "M")
        assert mirrored == pytest.approx((100 - percentile, 100 - high, 100 - low), abs=1e-3)


def test_the_scale_of_a_log_normal_measure_is_log(norms):
    assert norms.measures["ventricles"].units == "log"
    assert norms.measures["asymmetry"].units == "linear"


def test_the_file_gives_the_norms_back(norms, tmp_path):
    norms.save(tmp_path / "norms.json")
    again = Norms.load(tmp_path / "norms.json")
    assert again == norms
    assert again.percentile("thickness", 2.4, 50, "F") == norms.percentile("thickness", 2.4, 50, "F")


def test_the_file_names_nobody_and_holds_nobodys_age(norms, people, tmp_path):
    norms.save(tmp_path / "norms.json")
    text = (tmp_path / "norms.json").read_text()
    assert not any(name in text for name in people["participant_id"])
    group = json.loads(text)["measures"]["thickness"]["people"]["F"]
    women = people.loc[people["sex"] == "F", "age"]
    assert group == {
        "n": len(women),
        "youngest": np.floor(10 * women.min()) / 10,
        "oldest": np.ceil(10 * women.max()) / 10,
    }


def test_order_and_names_do_not_change_the_fingerprint_and_values_do(people, norms):
    mixed = people.sample(frac=1, random_state=0).assign(participant_id=[f"x{i}" for i in range(len(people))])
    assert fit_norms(mixed, name="mixed").fingerprint == norms.fingerprint
    changed = people.assign(asymmetry=people["asymmetry"].where(people.index != 7, 0.5))
    assert fit_norms(changed, name="changed").fingerprint != norms.fingerprint


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda held: held.pop("name"), "name: Field required"),
        (lambda held: held.update(format="something"), "format"),
        (lambda held: held["measures"]["thickness"].update(scale=-1.0), "greater than 0"),
        (lambda held: held["measures"]["thickness"]["coefficients"].pop(), "38 coefficients"),
        (lambda held: held["measures"]["thickness"].update(centre=None), "valid number"),
        (lambda held: held["measures"]["thickness"].update(people={}), "people"),
        (lambda held: held["measures"]["thickness"]["people"].update(X={"n": 3, "youngest": 1.0, "oldest": 2.0}), "people"),
        (lambda held: held["measures"]["thickness"]["people"]["F"].update(youngest=99.0), "youngest"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused(norms, tmp_path, change, told):
    held = json.loads(norms.model_dump_json())
    change(held)
    (tmp_path / "norms.json").write_text(json.dumps(held))
    with pytest.raises(FileProblem, match=told):
        Norms.load(tmp_path / "norms.json")


def test_one_sex_alone_has_curves_and_the_other_has_none(people):
    women = people[people["sex"] == "F"]
    norms = fit_norms(women, ["thickness"], name="women")
    assert isinstance(norms.percentile("thickness", 2.5, 50, "F"), Percentile)
    assert norms.percentile("thickness", 2.5, 50, "M") == "the reference has no men"
    with pytest.raises(NeuroloomError, match="sex in 'women'"):
        norms.curve("thickness", "M", [50], [50])


def test_a_table_is_placed_person_by_person(people, norms):
    table = people.head(3).assign(age=[30.0, 95.0, np.nan]).drop(columns="asymmetry")
    rows = apply_norms(norms, table)
    assert rows["participant_id"].tolist() == np.repeat(table["participant_id"], 2).tolist()
    assert rows["measure"].tolist() == ["thickness", "ventricles"] * 3
    assert rows["percentile"].notna().tolist() == [True, True, False, False, False, False]
    assert set(rows["reference"]) == {"Simulated people"}
    one = norms.percentile("ventricles", table["ventricles"].iloc[0], 30, table["sex"].iloc[0])
    assert rows.loc[1, ["percentile", "low", "high"]].tolist() == pytest.approx(list(one))
    with pytest.raises(NeuroloomError, match="none of the measures"):
        apply_norms(norms, pd.DataFrame({"participant_id": ["a"], "age": [30], "sex": ["F"], "other": [1.0]}))
