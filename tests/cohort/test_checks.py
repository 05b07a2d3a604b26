"""The check of a data folder: every finding on a folder that was spoilt for it, and none on a sound one."""

import tracemalloc

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from neuroloom.cohort import checks
from neuroloom.cohort.check_people import people_findings
from neuroloom.cohort.checks import check_cohort, check_data
from neuroloom.cohort.cohort import ArraySource, Cohort
from neuroloom.formats.nifti import write_nifti
from neuroloom.formats.tables import write_table
from neuroloom.scan import Scan

N_PEOPLE = 24
SHAPE = (14, 17, 12)
AFFINE = np.diag([2.0, 2.5, 3.0, 1.0])


def head(person, visit=0):
    """Return one measurement of a small head, float32 (i, j, k)."""
    draw = np.random.default_rng([5, person])
    smooth = ndimage.gaussian_filter(draw.standard_normal(SHAPE), 1.2)
    noise = np.random.default_rng([6, person, visit]).standard_normal(SHAPE)
    return (100 + 20 * smooth / smooth.std() + 3 * noise).astype(np.float32)


def sound_table(n=N_PEOPLE):
    """Return a table in which nothing is wrong: ages, sexes, sites and classes in balance."""
    draw = np.random.default_rng(0)
    numbers = np.arange(n)
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{number:02d}" for number in numbers],
            "age": np.round(draw.normal(45, 12, n).clip(19, 80), 2),
            "sex": np.where(numbers % 2, "M", "F"),
            "site": np.where(numbers // 2 % 2, "A", "B"),
            "diagnosis": np.where(numbers // 4 % 2, "patient", "control"),
        }
    )


def write_bids(folder, table=None, volumes=None):
    """Write a BIDS folder of heads; ``volumes`` replaces those of some people."""
    table = sound_table() if table is None else table
    write_table(folder / "participants.tsv", table)
    for number, person in enumerate(dict.fromkeys(table["participant_id"])):
        write_head(folder, person, (volumes or {}).get(person, head(number)))
    return folder


def write_head(folder, person, values, affine=AFFINE, name="T1w"):
    path = folder / person / "anat" / f"{person}_{name}.nii.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_nifti(path, Scan(np.asarray(values, dtype=np.float32)[None], "volume", {"affine": affine}))
    return path


def write_series(folder, people=12, change=None):
    """Write a folder of series with a cohort file; ``change`` maps a person's number to other values."""
    table = sound_table(people)
    table["period"] = 2.0
    write_table(folder / "people.csv", table)
    for number, person in enumerate(table["participant_id"]):
        draw = np.random.default_rng([4, number])
        values = ndimage.gaussian_filter1d(draw.standard_normal((60, 5)), 1, axis=0) @ draw.standard_normal((5, 5))
        values = values if change is None else change.get(number, lambda x: x)(values)
        np.savetxt(folder / f"{person}.csv", values, delimiter=",", fmt="%.5f")
    (folder / "cohort.yaml").write_text(
        "table: people.csv\ninputs:\n  bold: {kind: series, files: '{participant_id}.csv', axes: [time, region], "
        "sampling_period: {by: participant_id, values: {"
        + ", ".join(f"{person}: 2.0" for person in table["participant_id"])
        + "}}}\n"
    )
    return folder


def of(findings, what):
    """Return the one finding of a kind."""
    (finding,) = [finding for finding in findings if finding.what == what]
    return finding


# ---- a sound folder --------------------------------------------------------------------------------------


def test_a_sound_folder_has_neither_error_nor_warning(tmp_path):
    seen = []
    findings = check_data(write_bids(tmp_path), on_progress=lambda *told: seen.append(told))
    assert findings.ok
    assert {finding.level for finding in findings} == {"note"}
    assert of(findings, "class counts").text == "diagnosis: 12 control, 12 patient."
    assert seen == [("checking t1w", done, N_PEOPLE) for done in range(1, N_PEOPLE + 1)]


def test_sound_series_have_neither_error_nor_warning(tmp_path):
    findings = check_data(write_series(tmp_path, 24))
    assert {finding.level for finding in findings} == {"note"}


def test_findings_can_be_read_counted_and_written(tmp_path):
    findings = check_data(write_bids(tmp_path, volumes={"sub-03": np.zeros(SHAPE), "sub-05": head(4)}))
    assert not findings.ok
    assert [finding.level for finding in findings][:2] == ["error", "error"]  # the gravest first
    assert "24 samples of 24 participants. Found: 2 errors, 0 warnings, " in findings.text
    assert "ERROR   empty volumes: 1 of 24 people have a t1w that is 0 in every voxel: sub-03." in findings.text
    assert max(map(len, findings.text.splitlines())) <= 110
    table = findings.table()
    assert list(table) == ["level", "what", "n", "who", "text", "way_out"]
    assert len(table) == len(findings)
    row = table[table["what"] == "near-duplicate scans"].iloc[0]
    assert (row["n"], row["who"]) == (2, "sub-04 sub-05")
    write_table(tmp_path / "findings.csv", table)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (None, "neither a BIDS folder"),
        ("tabel: x.csv", "Did you mean 'table'"),
        ("table: nobody.csv", "no such file"),
    ],
)
def test_what_cannot_be_opened_is_a_finding(tmp_path, told, words):
    if told:
        (tmp_path / "cohort.yaml").write_text(told)
    findings = check_data(tmp_path)
    assert not findings.ok
    assert words in of(findings, "the cohort cannot be opened").text


# ---- files -----------------------------------------------------------------------------------------------


def test_missing_files_are_named(tmp_path):
    folder = write_bids(tmp_path)
    (folder / "sub-04" / "anat" / "sub-04_T1w.nii.gz").unlink()
    for number in (1, 2):
        write_head(folder, f"sub-0{number}", head(number, 1), name="T2w")
    findings = check_data(folder)
    assert findings.ok  # a recipe may do without
    assert "1 participants of participants.tsv have no file and are left out: sub-04" in of(
        findings, "people left out"
    ).text  # fmt: skip
    absent = of(findings, "missing files")
    assert absent.level == "warning"
    assert absent.text.startswith("21 of 23 samples have no t2w: sub-00, sub-03")
    assert len(absent.who) == 21


def test_files_that_cannot_be_read_are_named_with_the_readers_words(tmp_path):
    folder = write_bids(tmp_path)
    cut = folder / "sub-04" / "anat" / "sub-04_T1w.nii.gz"
    cut.write_bytes(cut.read_bytes()[:2000])
    (folder / "sub-07" / "anat" / "sub-07_T1w.nii.gz").write_bytes(b"this is no image")
    nib.save(nib.Nifti1Image(np.ones((*SHAPE, 3), np.float32), AFFINE), folder / "sub-09/anat/sub-09_T1w.nii.gz")
    findings = check_data(folder)
    assert not findings.ok
    bad = {finding.who: finding.text for finding in findings.of("error")}
    assert set(bad) == {("sub-04",), ("sub-07",), ("sub-09",)}
    for who, words in (("sub-04", "damaged"), ("sub-07", "damaged"), ("sub-09", "it holds 3 volumes")):
        assert f"{who}_T1w.nii.gz" in bad[who,]
        assert words in bad[who,]


def test_mixed_grids_are_named(tmp_path):
    folder = write_bids(tmp_path)
    write_head(folder, "sub-02", head(2), np.diag([2.0, 2.5, 6.0, 1.0]))
    write_head(folder, "sub-03", head(3)[:, :-2])
    write_head(folder, "sub-05", head(5), AFFINE @ np.diag([-1, -1, 1, 1]))
    findings = check_data(folder)
    assert findings.ok
    size, shape, axes = (of(findings, f"mixed {what}") for what in ("voxel size", "shape", "axes"))
    assert size.text == "t1w: 2 × 2.5 × 3 mm in 23 of 24, but 2 × 2.5 × 6 mm: sub-02."
    assert shape.text == "t1w: 14 × 17 × 12 in 23 of 24, but 14 × 15 × 12: sub-03."
    assert axes.text == "t1w: RAS in 23 of 24, but LPS: sub-05."
    assert (size.level, shape.level, axes.level) == ("warning", "warning", "note")
    assert (size.who, shape.who, axes.who) == (("sub-02",), ("sub-03",), ("sub-05",))
    assert "resample" in size.way_out


def test_jitter_of_a_header_is_no_other_voxel_size(tmp_path):
    folder = write_bids(tmp_path)
    for person, size in (("sub-01", 0.93749994), ("sub-02", 0.9375001), ("sub-03", 0.46875), ("sub-04", 0.468748)):
        write_head(folder, person, head(int(person[4:])), np.diag([size, 1.0, 1.0, 1.0]))
    text = of(check_data(folder), "mixed voxel size").text
    assert text.endswith("but 0.9375 × 1 × 1 mm: sub-01, sub-02; 0.4688 × 1 × 1 mm: sub-03, sub-04.")


def test_axes_in_another_order_are_not_another_shape(tmp_path):
    folder = write_bids(tmp_path)
    image = nib.Nifti1Image(head(5), AFFINE)
    turned = image.as_reoriented(nib.orientations.axcodes2ornt(("S", "L", "A")))
    write_head(folder, "sub-05", turned.get_fdata(), turned.affine)
    findings = check_data(folder)
    assert of(findings, "mixed axes").who == ("sub-05",)
    assert not findings.of("warning")


def test_empty_volumes_and_values_that_are_no_numbers_are_named(tmp_path):
    holes = head(7)
    holes[2, 3, 4:6], holes[0, 0, 0] = np.nan, np.inf
    spoilt = {"sub-02": np.zeros(SHAPE), "sub-03": np.full(SHAPE, 7), "sub-07": holes}
    findings = check_data(write_bids(tmp_path, volumes=spoilt))
    assert [finding.text for finding in findings.of("error")] == [
        "1 of 24 people have a t1w that is 0 in every voxel: sub-02.",
        "1 of 24 people have a t1w with one value in every voxel: sub-03.",
    ]
    assert of(findings, "NaN values").text == "1 of 24 people have NaN values in t1w (2 values): sub-07 (2)."
    assert of(findings, "inf values").who == ("sub-07",)


def test_headers_that_contradict_themselves_are_named(tmp_path):
    folder = write_bids(tmp_path)

    def rewrite(person, change):
        path = folder / person / "anat" / f"{person}_T1w.nii.gz"
        image = nib.Nifti1Image(nib.load(path).get_fdata(dtype=np.float32), AFFINE)
        image.set_qform(AFFINE, 1)
        image.set_sform(AFFINE, 1)
        change(image)
        nib.save(image, path)

    moved = AFFINE.copy()
    moved[2, 3] = 9
    rewrite("sub-01", lambda image: image.set_qform(moved, 1))
    rewrite("sub-02", lambda image: image.set_qform(moved, 2))

    def wrong_size(image):
        image.set_qform(None, 0)
        image.header["pixdim"][3] = 5.0

    rewrite("sub-03", wrong_size)
    rewrite("sub-04", lambda image: image.set_qform(AFFINE @ np.diag([-1, 1, 1, 1]), 1))
    rewrite("sub-06", lambda image: image.header["quatern_b"].__setitem__((), 3.0))
    findings = check_data(folder)
    assert of(findings, "sform and qform disagree").who == ("sub-01",)
    assert of(findings, "two spaces in a header").who == ("sub-02",)
    assert of(findings, "voxel size stated twice").who == ("sub-03",)
    assert of(findings, "qform not readable").who == ("sub-06",)
    (error,) = findings.of("error")  # a mirror image apart: the reader refuses to guess
    assert error.who == ("sub-04",)
    assert "which side is left" in error.text


def test_sides_that_only_the_cohort_file_states_are_named(tmp_path):
    for number in range(4):
        image = nib.Nifti1Image(head(number), None)
        image.header.set_sform(None, 0)
        image.header.set_qform(None, 0)
        nib.save(image, tmp_path / f"{number}.nii.gz")
    (tmp_path / "people.csv").write_text("participant_id\n0\n1\n2\n3\n")
    told = "table: people.csv\ninputs: {t1w: {kind: volume, files: '{participant_id}.nii.gz'%s}}"
    (tmp_path / "cohort.yaml").write_text(told % "")
    assert "which side is left would be guessed" in check_data(tmp_path).of("error")[0].text
    (tmp_path / "cohort.yaml").write_text(told % ", orientation: RAS")
    findings = check_data(tmp_path)
    assert findings.ok
    assert of(findings, "left and right not in the files").who == ("0", "1", "2", "3")


# ---- series ----------------------------------------------------------------------------------------------


def clipped(values):
    values = values.copy()
    values[:, 2] = values[:, 2].clip(None, np.quantile(values[:, 2], 0.8))
    return values


def with_constant(columns):
    def change(values):
        values = values.copy()
        values[:, columns] = 3.0
        return values

    return change


def test_constant_clipped_and_broken_regions_are_counted_by_person(tmp_path):
    def broken(values):
        values = values.copy()
        values[7, 1] = np.nan
        return values

    change = {2: with_constant([1]), 3: with_constant([0, 1, 4]), 5: clipped, 7: broken, 9: with_constant(range(5))}
    findings = check_data(write_series(tmp_path, change=change))
    constant = of(findings, "constant regions")
    assert constant.text == (
        "3 of 12 people have constant regions in bold (1 to 5 of 5): sub-09 (5), sub-03 (3), sub-02 (1). "
        "0 of 5 regions vary in everyone."
    )
    assert constant.level == "warning"
    assert of(findings, "empty series").who == ("sub-09",)
    assert of(findings, "clipped series").who == ("sub-05",)
    assert of(findings, "NaN values").who == ("sub-07",)


def test_counts_and_coarse_numbers_are_not_clipped(tmp_path):
    draw = np.random.default_rng(0)
    change = {
        1: lambda x: draw.poisson(0.3, x.shape),  # spikes rest at 0
        2: lambda x: np.round(x * 2),  # few levels, but the last ones are the rarest
        3: lambda x: np.sign(x) * np.minimum(abs(x), np.quantile(abs(x), 0.7)),  # overdriven on both sides
    }
    findings = check_data(write_series(tmp_path, change=change))
    assert of(findings, "clipped series").who == ("sub-03",)


def test_mixed_series_are_named(tmp_path):
    folder = write_series(tmp_path, change={4: lambda x: x[:-9], 6: lambda x: x[:, :4]})
    told = (folder / "cohort.yaml").read_text().replace("sub-02: 2.0", "sub-02: 2.5")
    (folder / "cohort.yaml").write_text(told)
    findings = check_data(folder)
    assert of(findings, "mixed regions").level == "error"
    assert of(findings, "mixed regions").text == "bold: 5 in 11 of 12, but 4: sub-06."
    assert of(findings, "mixed length").text == "bold: 60 in 11 of 12, but 51: sub-04."
    assert of(findings, "mixed sampling period").text == "bold: 2 s in 11 of 12, but 2.5 s: sub-02."
    (folder / "cohort.yaml").write_text(
        "table: people.csv\ninputs: {bold: {kind: series, files: '{participant_id}.csv', axes: [time, region]}}"
    )
    assert len(of(check_data(folder), "unknown sampling period").who) == 12


def test_regions_in_another_order_are_named():
    samples = ("a", "b", "c", "d")
    table = pd.DataFrame({"participant_id": samples}, index=pd.Index(samples, name="sample_id"))

    class Named(ArraySource):
        def load(self, sample):
            names = ["left", "right"] if sample != "c" else ["right", "left"]
            return Scan(np.random.default_rng(ord(sample)).standard_normal((2, 40)), "series", {"names": names})

    findings = check_cohort(Cohort(table, {"bold": Named("series", samples, None)}))
    mixed = of(findings, "mixed names")
    assert (mixed.level, mixed.who) == ("error", ("c",))
    assert "'left'" in mixed.text


def test_length_that_names_the_site_is_told(tmp_path):
    table = sound_table()
    change = {n: (lambda x: x[:50]) for n in range(24) if table["site"][n] == "A"}
    findings = check_data(write_series(tmp_path, 24, change))
    told = of(findings, "length names the site")
    assert told.level == "warning"
    assert "names the site of 24 of 24 (who always guesses the largest gets 12)" in told.text


def test_length_of_ones_own_names_no_site(tmp_path):
    change = {n: (lambda x, n=n: x[: 60 - n]) for n in range(24)}  # everybody has another length
    findings = check_data(write_series(tmp_path, 24, change))
    assert not [finding for finding in findings if "names the" in finding.what]


def test_voxel_size_that_names_the_diagnosis_is_told(tmp_path):
    table = sound_table()
    folder = write_bids(tmp_path, table)
    for number, person in enumerate(table["participant_id"]):
        if table["diagnosis"][number] == "patient":
            write_head(folder, person, head(number), np.diag([2.0, 2.5, 3.3, 1.0]))
    findings = check_data(folder)
    assert of(findings, "voxel size names the diagnosis").level == "warning"
    assert not [finding for finding in findings if finding.what == "voxel size names the site"]


# ---- people ----------------------------------------------------------------------------------------------


def people(**columns):
    """Return the table of a sound cohort with some cells changed: column -> {row: value}."""
    table = sound_table().assign(sample_id=lambda t: t["participant_id"]).set_index("sample_id")
    for column, cells in columns.items():
        for row, value in cells.items():
            if not isinstance(value, float | int):
                table[column] = table[column].astype(object)
            table.iloc[row, table.columns.get_loc(column)] = value
    return table


def test_a_participant_at_two_sites_is_named():
    table = people(participant_id={1: "sub-00"}, site={0: "A", 1: "B"}, sex={1: "F"})
    finding = of(people_findings(table), "participant at two sites")
    assert finding.text == "1 of 23 participants: sub-00 (A, B)."
    assert finding.who == ("sub-00",)
    assert finding.level == "warning"


def test_a_participant_of_two_sexes_and_a_changed_diagnosis_are_named():
    table = people(participant_id={1: "sub-00", 6: "sub-02"}, site={0: "B"})
    findings = people_findings(table)
    assert of(findings, "participant of two sexes").who == ("sub-00",)
    assert of(findings, "participant of two sexes").level == "error"
    assert of(findings, "diagnosis changes").who == ("sub-02",)


def test_ages_outside_reason_are_named():
    finding = of(people_findings(people(age={3: -4.0, 8: 130.0})), "age outside reason")
    assert finding.level == "error"
    assert finding.text == "2 of 24 ages are below 0 or above 120 years: sub-03 (-4), sub-08 (130)."
    assert "n/a" in of(people_findings(people(age={3: -9999.0})), "age outside reason").way_out


@pytest.mark.parametrize(("factor", "unit"), [(12, "months"), (365.25, "days")])
def test_ages_in_another_unit_are_recognised(factor, unit):
    table = people()
    table["age"] *= factor
    assert unit in of(people_findings(table), "age outside reason").way_out


def test_missing_ages_and_sexes_are_named():
    findings = people_findings(people(age={2: np.nan}, sex={5: None, 6: None}))
    assert of(findings, "age missing").who == ("sub-02",)
    assert of(findings, "sex missing").who == ("sub-05", "sub-06")
    assert of(people_findings(people().drop(columns=["age", "sex"])), "sex unknown").level == "note"
    assert "1, 2" in of(people_findings(people().assign(sex=[1, 2] * 12)), "sex not understood").text
    assert of(people_findings(people(age={1: "old"})), "age is not a number").who == ("sub-01",)


def test_names_that_differ_in_writing_alone_are_told():
    findings = people_findings(people(participant_id={1: "sub-2", 9: "SUB_08"}))
    assert of(findings, "names alike").text == (
        "2 participants may be here under two names: sub-2 = sub-02, sub-08 = SUB_08."
    )
    others = people(participant_id={0: "IXI012", 1: "IXI102", 2: "IXI1002", 3: "IXI12-2", 4: "100", 5: "1000"})
    assert "names alike" not in {finding.what for finding in people_findings(others)}


def test_people_with_the_same_record_are_told():
    table = people()
    draw = np.random.default_rng(1)
    for score in range(6):
        table[f"score_{score}"] = draw.normal(50, 10, N_PEOPLE)
    table["number"] = np.arange(N_PEOPLE)  # a running number tells copies apart, but not people
    assert "duplicate participants" not in {finding.what for finding in people_findings(table)}
    copied = ["age", *[f"score_{score}" for score in range(6)]]
    table.loc["sub-13", copied] = table.loc["sub-04", copied]
    finding = of(people_findings(table), "duplicate participants")
    assert finding.text.endswith("sub-04 = sub-13.")
    table.loc["sub-13", "participant_id"] = "sub-04"
    assert "duplicate participants" not in {finding.what for finding in people_findings(table)}


def test_codes_for_missing_are_told():
    table = people().assign(iq=[-9999, *[100 + n for n in range(23)]], year=999, change=np.linspace(-2000, 5, 24))
    table["count"] = [999, *range(985, 1008)]
    finding = of(people_findings(table), "codes for missing")
    assert finding.text == "2 columns hold a number that seems to stand for 'missing': iq (-9999), year (999)."


def test_classes_are_counted():
    assert of(people_findings(people()), "class counts").level == "note"
    few = people(diagnosis={n: "rare" for n in range(3)})
    assert of(people_findings(few), "class counts").level == "warning"
    assert "3 rare" in of(people_findings(few), "class counts").text
    one = people().assign(diagnosis="control")
    assert "nothing to tell apart" in of(people_findings(one), "class counts").text
    assert "class counts" not in {finding.what for finding in people_findings(one, target=None)}
    assert of(people_findings(people(), target="sex"), "class counts").text == "sex: 12 F, 12 M."


def test_site_sex_and_age_that_tell_the_diagnosis_are_told():
    table = people()
    patient = table["diagnosis"] == "patient"
    table["site"] = np.where(patient, "A", np.where(table["sex"] == "M", "A", "B"))
    table["sex"] = np.where(patient, "M", "F")
    table.loc[patient, "age"] += 30
    findings = people_findings(table)
    for what in ("site tells diagnosis", "sex tells diagnosis", "age tells diagnosis"):
        assert of(findings, what).level == "warning"
    assert "One class only: B" in of(findings, "site tells diagnosis").text
    # all of 12 patients M, all of 12 controls F: V is 1
    assert "Cramér's V 1.00" in of(findings, "sex tells diagnosis").text


def test_association_is_cramers_v():
    """30 of A and 10 of B are patients, of 40 each: chi² = 80 · (900 - 100)² / 40⁴ = 20, V = sqrt(20 / 80)."""
    table = pd.DataFrame(
        {
            "participant_id": [str(n) for n in range(80)],
            "site": ["A"] * 40 + ["B"] * 40,
            "diagnosis": (["patient"] * 30 + ["control"] * 10) + (["patient"] * 10 + ["control"] * 30),
        },
        index=pd.Index([str(n) for n in range(80)], name="sample_id"),
    )
    assert "Cramér's V 0.50, p < .001" in of(people_findings(table), "site tells diagnosis").text


# ---- copies ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "how"),
    [
        (lambda v: v, "every voxel the same"),
        (lambda v: 2 * v + 10, "intensities times 0.5"),
        (lambda v: v[::-1], "mirrored left to right"),
        (lambda v: np.roll(v, 1, 1), "shifted by (0, -1, 0) voxels"),
    ],
)
def test_a_copy_under_another_name_is_an_error(tmp_path, change, how):
    findings = check_data(write_bids(tmp_path, volumes={"sub-11": change(head(3))}))
    finding = of(findings, "near-duplicate scans")
    assert finding.level == "error"
    assert finding.who == ("sub-03", "sub-11")
    assert finding.text == f"one pair holds the same t1w under two names: sub-03 = sub-11 ({how})."


def test_two_visits_are_no_copies_but_a_copied_visit_is_told(tmp_path):
    for number in range(8):
        for visit in (1, 2):
            place = tmp_path / f"sub-{number:02d}" / f"ses-{visit}" / "anat"
            place.mkdir(parents=True)
            values = head(number, 0 if number == 5 else visit)
            scan = Scan(values[None], "volume", {"affine": AFFINE})
            write_nifti(place / f"sub-{number:02d}_ses-{visit}_T1w.nii.gz", scan)
    findings = check_data(tmp_path)
    assert findings.ok
    copied = of(findings, "copied visits")
    assert (copied.level, copied.who) == ("warning", ("sub-05_ses-1", "sub-05_ses-2"))


def test_two_visits_under_two_names_are_no_copies(tmp_path):
    findings = check_data(write_bids(tmp_path, volumes={"sub-11": head(3, visit=1)}))
    assert findings.ok
    assert not findings.of("warning")


def test_too_many_pairs_that_look_alike_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr("neuroloom.cohort.check_same_volume.ALIKE", -1.0)
    finding = of(check_data(write_bids(tmp_path, sound_table(8))), "pairs not compared")
    assert finding.text.startswith("12 pairs of t1w look alike")  # 28 pairs, 2 a person compared


def test_a_copied_row_of_a_table_is_an_error(tmp_path):
    table = sound_table()
    features = pd.DataFrame(np.random.default_rng(0).normal(2.5, 0.2, (24, 8)).round(3)).add_prefix("f_")
    features.iloc[20] = features.iloc[2]
    features.iloc[3, 4] = np.nan
    write_table(tmp_path / "people.csv", pd.concat([table, features], axis=1))
    (tmp_path / "cohort.yaml").write_text("table: people.csv\ninputs: {f: {kind: table, columns: 'f_*'}}")
    findings = check_data(tmp_path)
    assert of(findings, "near-duplicate scans").who == ("sub-02", "sub-20")
    missing = of(findings, "missing features")
    assert (missing.level, missing.who) == ("note", ("sub-03",))


# ---- once, and in little memory --------------------------------------------------------------------------


def test_each_file_is_read_once_and_memory_is_bounded(monkeypatch):
    samples = tuple(f"s{n}" for n in range(40))
    table = pd.DataFrame({"participant_id": samples}, index=pd.Index(samples, name="sample_id"))
    shape, read = (1, 60, 60, 60), []

    class Drawn(ArraySource):
        def load(self, sample):
            read.append(sample)
            draw = np.random.default_rng(int(sample[1:]))
            return Scan(draw.standard_normal(shape, dtype=np.float32), "volume", {"affine": np.eye(4)})

    monkeypatch.setattr(checks.os, "cpu_count", lambda: 2)
    tracemalloc.start()
    findings = check_cohort(Cohort(table, {"t1w": Drawn("volume", samples, None)}))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert findings.ok
    assert sorted(read) == sorted(samples)
    one = 4 * np.prod(shape)
    assert most < 2 * 16 * one < 40 * one  # two at a time, with what is worked out of each; never all of them


# ---- real cohorts ----------------------------------------------------------------------------------------


@pytest.mark.real_data
@pytest.mark.slow
def test_the_faults_of_a_real_series_cohort(real_data):
    findings = check_data(real_data / "abide_cc200", cohort_file="abide-cc200")
    assert findings.ok
    constant = of(findings, "constant regions")
    assert constant.text.startswith("31 of 120 people have constant regions in bold (1 to 118 of 200)")
    assert constant.text.endswith("52 of 200 regions vary in everyone.")
    assert len(constant.who) == 31
    assert "names the site of 119 of 120" in of(findings, "length names the site").text
    assert of(findings, "mixed sampling period").text.startswith("bold: 2 s in 64 of 120")
    assert of(findings, "class counts").text == "diagnosis: 60 autism, 60 control."
    assert {finding.what for finding in findings.of("warning")} == {
        "constant regions",
        "length names the site",
        "sampling period names the site",
        "mixed sampling period",
    }


@pytest.mark.real_data
@pytest.mark.slow
def test_a_real_bids_folder_is_sound_but_small(real_data):
    findings = check_data(real_data / "bids_depression_t1w")
    assert findings.ok
    assert [finding.what for finding in findings.of("warning")] == ["class counts"]
    assert "diagnosis: 6 depr, 6 control" in of(findings, "class counts").text


@pytest.mark.real_data
def test_real_tables(real_data, tmp_path):
    ixi = check_data(real_data / "tables" / "ixi_thickness", cohort_file="ixi-thickness")
    assert ixi.ok
    assert {finding.what for finding in ixi.of("warning")} == {"people left out"}
    (tmp_path / "oasis.yaml").write_text(
        "table: oasis_longitudinal.csv\nparticipant_id: Subject ID\nsession_id: Visit\n"
        "columns: {age: Age, sex: M/F, diagnosis: Group}\n"
        "inputs: {volumes: {kind: table, columns: [eTIV, nWBV, ASF]}}\n"
    )
    oasis = check_data(real_data / "tables" / "oasis", cohort_file=tmp_path / "oasis.yaml")
    assert (oasis.n_samples, oasis.n_participants) == (371, 150)
    assert oasis.ok
    assert not oasis.of("warning")
