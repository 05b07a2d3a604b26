"""The study page: one self-contained HTML file that tells what a run found, made from the run's folder alone."""

from pathlib import Path

from neuroloom.formats.atomic import atomic_write
from neuroloom.report.cohort_tables import cohort_section
from neuroloom.report.confound_rows import confound_section
from neuroloom.report.event_section import events_section
from neuroloom.report.explained import explanation_section
from neuroloom.report.figures_calibration import calibration_figure
from neuroloom.report.figures_discrimination import roc_figure
from neuroloom.report.figures_null import null_figure, null_methods
from neuroloom.report.figures_scatter import scatter_figure
from neuroloom.report.figures_sites import forest_figure
from neuroloom.report.figures_spelling import spelling_figure
from neuroloom.report.figures_training import learning_curves_figure
from neuroloom.report.forecast_section import forecast_section
from neuroloom.report.groups import class_rows, confusion_tables, fold_table, seen_unseen, subgroup_rows
from neuroloom.report.headline import claims, environment_rows, key_facts, repeat_commands
from neuroloom.report.methods_text import methods_text
from neuroloom.report.missed import missed_section
from neuroloom.report.page import rendered
from neuroloom.report.run_record import read_run
from neuroloom.report.scores import ROLE_WORDS, column_groups, comparison_rows, estimands, score_rows
from neuroloom.report.structures import structures_section
from neuroloom.report.svg import learner_colours
from neuroloom.report.wording import CORRECTED, metric_label

CORRECTION = "After bias correction"


def write_study_page(run_folder):
    """Write ``report.html`` of a run from the files in its folder, and return its path.

    Parameters
    ----------
    run_folder : Path
        A run that has ended: metrics.json is needed; a section whose files are absent says so.

    Returns
    -------
    path : Path
    """
    run_folder = Path(run_folder)
    page = render(read_run(run_folder))
    atomic_write(run_folder / "report.html", page.encode("utf-8"))
    return run_folder / "report.html"


def render(record):
    """Return the page of a `RunRecord` as HTML text."""
    return rendered("study_page.html", ["style.css"], **page_content(record))


def page_content(record):
    """Return everything that the template shows, by section."""
    return {
        "title": record.metrics.get("title") or record.recipe.get("title") or record.folder.name,
        "simulated": record.is_simulated,
        "sentence": first_sentence(record),
        "facts": key_facts(record),
        "warnings": record.warnings,
        "scores": score_section(record),
        "events": events_section(record),
        "forecast": forecast_section(record),
        "curves": curves_section(record),
        "structures": structures_section(record),
        "confusions": confusion_tables(record),
        "by_class": class_rows(record),
        "sites": forest_figure(record, record.primary),
        "unseen": seen_unseen(record),
        "subgroups": subgroup_rows(record),
        "confounds": confound_section(record),
        "null": null_figure(record),
        "null_methods": null_methods(record),
        "explanation": explanation_section(record),
        "cohort": cohort_section(record),
        "missed": missed_section(record),
        "learning": [learning_curves_figure(record, name) for name in record.histories if name in record.learners],
        "folds": fold_table(record),
        "methods": methods_text(record),
        "claims": claims(record),
        "repeat": repeat_commands(record),
        "environment": environment_rows(record),
    }


def first_sentence(record):
    """Return the first sentence, and its two pieces: what was found, set large, and what stands beside it."""
    sentence = record.metrics.get("sentence") or "No first sentence was written for this run."
    found, _, beside = sentence.partition("; ")
    return {"whole": sentence, "found": f"{found}." if beside else found, "beside": beside[:1].upper() + beside[1:]}


def score_section(record):
    """Return the score tables (main, bias-corrected, further), comparisons and what the numbers estimate."""
    main, corrected, further = column_groups(record.metrics)
    return {
        "main": _score_table(record, main),
        "others": [
            (title, _score_table(record, columns, bare=title == CORRECTION))
            for title, columns in ((CORRECTION, corrected), ("Further scores", further))
            if columns
        ],
        "roles": ROLE_WORDS,
        "comparisons": comparison_rows(record.metrics),
        "estimands": estimands(record.metrics, main),
        "expected": expected_text(record),
    }


def _score_table(record, columns, bare=False):
    """Return a score table; ``bare`` column heads do not repeat that the scores are bias-corrected."""
    colours, unit = learner_colours(record.learners), record.target.get("unit")
    rows = [{**row, "colour": colours.get(row["learner"], "")} for row in score_rows(record.metrics, columns)]
    heads = [metric_label(metric.removesuffix(CORRECTED) if bare else metric, unit) for metric in columns]
    return {"columns": heads, "rows": rows}


def expected_text(record):
    """Return what the recipe says an honest run reaches, and where that is known from."""
    expected = record.recipe.get("expected") or {}
    if not expected.get("metric") or expected.get("value") is None:
        return ""
    value = expected["value"]
    shown = " to ".join(map(str, value)) if isinstance(value, list) else str(value)
    where = f" on {expected['on']}" if expected.get("on") else ""
    apart = " This run is on simulated data, so the two are not comparable." if record.is_simulated else ""
    label = metric_label(expected["metric"], record.target.get("unit"))
    return f"What an honest run is expected to reach{where}: {label} {shown}.{apart}"


def curves_section(record):
    """Return ROC and calibration of each class that is told apart, or for numbers predicted against true."""
    if not record.target.get("name") or record.metrics.get("task") == "segment":
        return []
    if not record.is_classification:
        found = [
            ("Predicted against true", True, scatter_figure(record)),
            ("Calibration", False, calibration_figure(record)),
        ]
    else:
        classes = [str(name) for name in record.target.get("classes") or []]
        found = []
        for positive in classes[1:] if len(classes) == 2 else classes:
            of_class = f": {positive}" if len(classes) > 2 else ""
            found += [(f"ROC{of_class}", False, roc_figure(record, positive))]
            found += [(f"Calibration{of_class}", False, calibration_figure(record, positive))]
    found.append(("Spelling", False, spelling_figure(record)))
    return [{"title": title, "wide": wide, **figure} for title, wide, figure in found if figure]
