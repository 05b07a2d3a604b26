"""The page of a scan's volumes: what is notable in plain sentences, the table, slices, quality, limits; also as a PDF."""

from pathlib import Path
from urllib.parse import quote

from neuroloom.errors import FileProblem
from neuroloom.formats.atomic import atomic_write
from neuroloom.report.figures_centiles import centiles_figure
from neuroloom.report.figures_changes import changes_figure
from neuroloom.report.figures_overlay import overlay_figure
from neuroloom.report.page import rendered
from neuroloom.report.viewer import write_viewer
from neuroloom.report.volumes_findings import findings, quality_reasons
from neuroloom.report.volumes_methods import limits_text, methods_rows
from neuroloom.report.volumes_pdf import check_can_print, write_pdf
from neuroloom.report.volumes_record import read_pictures, read_volumes
from neuroloom.report.volumes_table import volumes_rows, write_volumes_tables
from neuroloom.report.wording import ABSENT, defined, millilitres, number

FILES = {
    "labels": "Label map", "mask": "Brain mask", "brain": "Brain-masked scan", "posteriors": "Posteriors",
    "GM": "Grey matter", "WM": "White matter", "CSF": "Fluid",
}  # fmt: skip
SEXES = {"F": "female", "M": "male"}


def write_volumes_page(folder, name, *, pdf=False, viewer=True):
    """Write the page of a scan from ``NAME_volumes.json``, and the label map and brain-masked scan that it names.

    Only the brain-masked scan is drawn: a slice through a head is a face.

    Parameters
    ----------
    folder : str or Path
        Where those files are. ``NAME_report.html`` and ``NAME_volumes.tsv`` and ``.csv`` are written beside them; files of
        these names are replaced.
    name : str
        Of the scan.
    pdf : bool
        Write ``NAME_report.pdf`` too, two pages at most; needs the extra ``pdf``.
    viewer : bool
        Write ``NAME_view.html`` too, to look through all slices and in 3D; the page links to it.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    FileProblem
        Where a file is missing, damaged, or of another grid than the other, or the scan shows more than the brain.
    """
    folder = Path(folder)
    if not name or Path(name).name != name:
        raise FileProblem(folder / name, f"{name!r} is not the name of a scan.", "Give the name without its folder.")
    if pdf:
        check_can_print()
    record = read_volumes(folder, name)
    scan, labels = read_pictures(folder, record)
    write_volumes_tables(folder, name, record)
    made = {"viewer": f"{name}_view.html" if viewer else None, "pdf": f"{name}_report.pdf" if pdf else None}
    content = page_content(record, name, overlay_figure(scan, labels), made)
    page = rendered("volumes_page.html", ["style.css", "volumes.css"], printed=False, **content)
    atomic_write(folder / f"{name}_report.html", page.encode("utf-8"))
    if viewer:
        write_viewer(folder / made["viewer"], record.scan, scan, labels)
    if pdf:
        write_pdf(folder / made["pdf"], content)
    return folder / f"{name}_report.html"


def page_content(record, name, slices, made):
    """Return everything that the template shows.

    Parameters
    ----------
    record : VolumesRecord
    name : str
        That the files begin with.
    slices : dict
        See `overlay_figure`.
    made : dict
        ``viewer`` and ``pdf``: the names of their files, or None.
    """
    trusted = record.quality.passed is not False
    return {
        "scan": record.scan,
        "who": who(record),
        "quality": quality_section(record),
        "findings": findings(record),
        "facts": facts(record),
        "rows": volumes_rows(record),
        "compared": any(one.percentile for one in record.structures),
        "reference": record.norms,
        "prior": record.prior,
        "centiles": centiles_figure(record) if trusted else None,
        "changes": changes_figure(record) if trusted else None,
        "slices": slices,
        "warnings": record.warnings,
        "methods": methods_rows(record),
        "limits": limits_text(record),
        "files": file_rows(record, name, made),
        "viewer": made["viewer"] and link(made["viewer"]),
        "software": record.software or "neuroloom",
    }


def who(record):
    """Return age and sex in words."""
    age = (
        "age not known"
        if record.age is None
        else f"{number(record.age, 0 if record.age == int(record.age) else 1)} years"
    )
    return f"{age}, {SEXES.get(record.sex, 'sex not known')}"


def quality_section(record):
    """Return the verdict, its word for the style (passed, failed or empty), the score and the reasons."""
    held = record.quality
    word = {True: "passed", False: "failed", None: ""}[held.passed]
    verdict = {True: "Good enough to read", False: "Poor: do not rely on it", None: "Not known"}[held.passed]
    return {"word": word, "verdict": verdict, "score": number(held.score), "reasons": quality_reasons(record)}


def facts(record):
    """Return the key numbers: (what, value, detail)."""
    tissues, occupancy = record.tissues, record.hippocampal_occupancy
    parts = [("grey", tissues.grey_ml), ("white", tissues.white_ml), ("fluid", tissues.csf_ml)]
    told = ", ".join(f"{what} {millilitres(value)}" for what, value in parts if defined(value) is not None)
    share = brain_share(record)
    sides = f"left {percent(occupancy.left)}, right {percent(occupancy.right)}"
    return [
        ("Intracranial volume", _ml(record.intracranial_ml), told),
        ("Brain", _ml(record.brain_ml), share and f"{share} of the intracranial volume"),
        ("Hippocampal occupancy", percent(occupancy.total), sides if occupancy.total is not None else ""),
        ("Quality", quality_section(record)["score"], quality_section(record)["verdict"].lower()),
    ]


def brain_share(record):
    """Return the brain as a share of the intracranial volume, in words; empty where one is not known."""
    if defined(record.brain_ml) is None or not record.intracranial_ml:
        return ""
    return percent(record.brain_ml / record.intracranial_ml)


def percent(share):
    return ABSENT if defined(share) is None else f"{number(100 * share, 0)} %"


def _ml(value):
    return ABSENT if defined(value) is None else f"{millilitres(value)} ml"


def file_rows(record, name, made):
    """Return the files beside the page: (what, name, address)."""
    named = [(FILES.get(key, key), file) for key, file in record.files.items()]
    named += [
        ("All numbers", f"{name}_volumes.json"),
        ("Table", f"{name}_volumes.tsv"),
        ("Table for a spreadsheet", f"{name}_volumes.csv"),
        ("Viewer", made["viewer"]),
        ("This page for print", made["pdf"]),
    ]
    return [(what, file, link(file)) for what, file in named if file]


def link(file):
    """Return the address of a file in the page's folder, whatever its name holds."""
    return f"./{quote(file, safe='')}"
