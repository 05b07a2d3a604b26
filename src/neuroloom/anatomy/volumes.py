"""Volumes of structures in scans: tables, a page a scan, and where a scan stands in a reference."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from neuroloom import __version__
from neuroloom.anatomy.answer import Answerer
from neuroloom.anatomy.measures import measured, structure_ml
from neuroloom.anatomy.scan_outputs import file_names, start_of, write_images, write_json, write_label_table
from neuroloom.anatomy.scans import TOLD, jobs_to_do, told_quality, understand
from neuroloom.anatomy.weight_card import load_weights
from neuroloom.cohort.words import SEXES, take_common_words
from neuroloom.errors import FileProblem, NeuroloomError, listed
from neuroloom.formats.atomic import make_folder
from neuroloom.formats.tables import read_table
from neuroloom.report.volumes_page import write_volumes_page
from neuroloom.report.volumes_pdf import check_can_print
from neuroloom.scan_jobs import drop_rows, each, put_row

TABLE = "volumes.tsv"


@dataclass(frozen=True)
class Person:
    """What is known of who was scanned.

    Parameters
    ----------
    age : float or None
        In years.
    sex : {"F", "M"} or None
    """

    age: float | None = None
    sex: str | None = None


def volumes_of_scans(
    jobs, out, *, people=None, norms=None, prior=None, weights=None, also=(), reader=None, pdf=False, force=False,
    skip_done=False, device="cpu", on_progress=None,
):  # fmt: skip
    """Measure the structures of each scan; write images, ``NAME_volumes.json``, a page a scan, and ``volumes.tsv``.

    Parameters
    ----------
    jobs : list of Job
    out : Path
    people : dict or None
        Name of a scan -> `Person`.
    norms : Norms or None
        A reference, for percentiles.
    prior : Prior or None
        An earlier scan of the one person.
    weights, also, reader, force, skip_done, device, on_progress
        See `neuroloom.anatomy.scans.segment_scans`.
    pdf : bool
        Write the page as PDF too.

    Returns
    -------
    DataFrame
        A row a scan, as ``scans.tsv``.
    """
    if prior is not None and len(jobs) != 1:
        raise NeuroloomError(f"a prior scan is compared with one scan, and {len(jobs)} were named. Name one.")
    if pdf:
        check_can_print()
    jobs = jobs_to_do(jobs, out, "page", force=force, skip_done=skip_done)
    make_folder(out)
    drop_rows(out / TABLE, [job.name for job in jobs])
    write_label_table(out)
    answerer = Answerer(load_weights(weights), device)

    def work(job):
        """Write what is found in one scan and its volumes, the page last: where that is, a scan is done."""
        done = understand(answerer, job.path, reader)
        person = (people or {}).get(job.name, Person())
        if people and job.name not in people:
            done.warnings.append("the table of people has no row of this scan")
        compared = None if prior is None else _compared(prior, done, answerer, reader)
        told = {**told_volumes(job.name, done, answerer.weights, person, norms), "prior": compared}
        told["files"] = write_images(out, job.name, done.found, answerer.weights.numbers, also)
        write_json(out / file_names(job.name)["volumes"], told)
        put_row(out / TABLE, table_row(told))
        write_volumes_page(out, start_of(job.name), pdf=pdf)
        return done.told()

    return each(jobs, out, work, TOLD, on_progress)


def _compared(prior, done, answerer, reader):
    """Return what is told of the change; where the scans cannot be compared that is a warning, and volumes are told still."""
    try:
        told = prior.compared(done, answerer, reader)
    except NeuroloomError as error:
        done.warnings.append(f"no change is told: {error}")
        return None
    done.warnings += told["warnings"]
    return told


def told_volumes(name, done, weights, person, norms=None):
    """Return what is told of a scan: volumes, quality, repeatability and, with a reference, percentiles."""
    found = measured(structure_ml(done.found.answer))
    again = weights.card["repeatability_percent"]
    for one in found["structures"]:
        one |= {
            "quality": done.scores[one["name"]],
            "flag": done.flags.get(one["name"]),
            "repeatability_percent": again[one["name"]],
            "percentile": None,
        }
    told = {"scan": name, "age": person.age, "sex": person.sex, **found, **told_quality(done, weights)}
    told |= {
        "structures": found["structures"],
        "norms": None,
        "repeatability_pairs": weights.card["change"]["pairs"],
        "software": f"neuroloom {__version__}",
    }
    if norms is not None:
        told["norms"] = _against(norms, found["structures"], person)
    return told


def _against(norms, structures, person):
    """Put percentiles into the structures, and return what is told of the reference."""
    reasons = []
    for one in structures:
        measure = next(
            (m for m in (f"{one['name']}_percent_of_icv", f"{one['name']}_total_ml") if m in norms.measures), None
        )
        if measure is None:
            continue
        of = "percent_of_icv" if measure.endswith("icv") else "total_ml"
        found = norms.percentile(measure, one[of], person.age, person.sex)
        if isinstance(found, str):
            reasons.append(found)
            continue
        value, low, high = found
        one["percentile"] = {
            "value": value,
            "low": low,
            "high": high,
            "of": of,
            "curve": _curve(norms, measure, person.sex),
        }
    known = sum(one["percentile"] is not None for one in structures)
    if known == 0 and not reasons:
        reasons.append("the reference has no column such as hippocampus_percent_of_icv, as volumes.tsv has them")
    return {
        "name": norms.name,
        "reason": reasons[0] if reasons and known == 0 else None,
        **_people(norms, structures, person),
    }


def _people(norms, structures, person):
    """Return how many people of which ages the percentiles are of; empty where there are none."""
    known = next((one for one in structures if one["percentile"] is not None), None)
    if known is None:
        return {}
    measure = f"{known['name']}_{known['percentile']['of']}"
    return {"n": norms.measures[measure].n, "ages": list(norms.ages(measure, person.sex))}


def _curve(norms, measure, sex):
    low, high = norms.ages(measure, sex)
    ages, centiles = np.linspace(low, high, 41), (5, 25, 50, 75, 95)
    lines = norms.curve(measure, sex, ages, centiles)
    return {"ages": ages.tolist(), "centiles": {str(c): line.tolist() for c, line in zip(centiles, lines, strict=True)}}


def table_row(told):
    """Return a row of ``volumes.tsv``: ml of each structure and both sides together, and percent of the intracranial volume."""
    status = "done" if told["quality"]["passed"] else "poor"
    who = told["scan"].split("_")[0] if told["scan"].startswith("sub-") else told["scan"]
    row = {
        "participant_id": who,
        "sample_id": told["scan"],
        "status": status,
        "age": told["age"],
        "sex": told["sex"],
        "quality": told["quality"]["score"],
    }
    row |= {key: told[key] for key in ("intracranial_ml", "brain_ml")} | told["tissues"]
    for one in told["structures"]:
        sides = {
            f"{side}_{one['name']}_ml": one[f"{side}_ml"] for side in ("left", "right") if one[f"{side}_ml"] is not None
        }
        row |= sides | {
            f"{one['name']}_total_ml": one["total_ml"],
            f"{one['name']}_percent_of_icv": one["percent_of_icv"],
        }
        if one["asymmetry_percent"] is not None:
            row[f"{one['name']}_asymmetry_percent"] = one["asymmetry_percent"]
    return row


def people_told(jobs, age=None, sex=None, people=None):
    """Return name of a scan -> `Person`, from the command line's words for one scan, or a table for several."""
    if people is not None:
        if age is not None or sex is not None:
            raise NeuroloomError("age and sex are said twice: by the table of people, and by --age or --sex. Drop one.")
        return people_of(people, jobs)
    if age is None and sex is None:
        return {}
    if len(jobs) != 1:
        raise NeuroloomError(
            f"--age and --sex are of one person, and {len(jobs)} scans were named. Use --people TABLE."
        )
    return {jobs[0].name: person_of(age, sex, jobs[0].name)}


def people_of(path, jobs):
    """Return name of a scan -> `Person`, from a table of people.

    A row's ``participant_id`` (or ``sample_id``) must be the scan's name, or its ``sub-...``; ``age`` is in years.

    Parameters
    ----------
    path : Path
    jobs : list of Job
    """
    table, _ = take_common_words(read_table(path, text=("participant_id", "sample_id")))
    key = next((name for name in ("sample_id", "participant_id") if name in table), None)
    if key is None:
        raise FileProblem(path, "it has no column participant_id or sample_id.", "Name who is in each row.")
    twice = sorted(set(table[key][table[key].duplicated()]))
    if twice:
        raise FileProblem(path, f"more than one row for {listed(twice)}.", "Keep one row each.")
    rows = table.set_index(key)
    found = {}
    for job in jobs:
        start = job.name.split("_")[0]
        who = next((one for one in (job.name, start, start.removeprefix("sub-")) if one in rows.index), None)
        if who is not None:
            found[job.name] = person_of(rows.loc[who].get("age"), rows.loc[who].get("sex"), f"{path}: {who}")
    if not found:
        names = listed(job.name for job in jobs)
        raise FileProblem(
            path, f"none of its rows is of a scan ({names}).", "Name them as the scans, or as their sub-."
        )
    return found


def person_of(age, sex, where):
    """Return a `Person` from an age and a word for a sex, either of which may be missing."""
    if age is None or pd.isna(age):
        age = None
    elif not isinstance(age, (int, float, np.number)) or not 0 <= age <= 120:
        raise NeuroloomError(f"{where}: age is {age!r}, expected years between 0 and 120.")
    if sex is None or pd.isna(sex):
        sex = None
    elif str(sex).strip().lower() not in SEXES:
        raise NeuroloomError(f"{where}: sex is {sex!r}, expected one of {', '.join(SEXES)}.")
    else:
        sex = SEXES[str(sex).strip().lower()]
    return Person(None if age is None else float(age), sex)
