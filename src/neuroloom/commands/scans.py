"""Commands about scans: segment, volumes, register."""

import functools
import inspect
from pathlib import Path
from typing import Annotated

import typer

from neuroloom.commands.words import Force, OutFolder

scans_app = typer.Typer()
Scans = Annotated[list[Path], typer.Argument(help="Scans: files, DICOM folders, or a BIDS folder.")]
Weights = Annotated[Path | None, typer.Option("--weights", help="Card of other weights than those that ship.")]
Tissues = Annotated[bool, typer.Option("--tissues", help="Write maps of grey and white matter and fluid.")]
Posteriors = Annotated[bool, typer.Option("--posteriors", help="Write the probability of each structure (large).")]
Orientation = Annotated[str | None, typer.Option(help="Which ways the axes point, of files that do not say it: RAS.")]
Series = Annotated[str | None, typer.Option(help="Of a DICOM folder with several heads: its number.")]
Suffix = Annotated[str, typer.Option(help="Of the files that are meant in BIDS folders: T1w, T2w, FLAIR ...")]
SkipDone = Annotated[bool, typer.Option("--skip-done", help="Pass over scans whose results are there.")]
Device = Annotated[str, typer.Option(help="cpu, cuda or auto.")]


def scan_words(
    scans: Scans,
    out: OutFolder,
    tissues: Tissues = False,
    posteriors: Posteriors = False,
    weights: Weights = None,
    suffix: Suffix = "T1w",
    series: Series = None,
    orientation: Orientation = None,
    device: Device = "auto",
    skip_done: SkipDone = False,
    force: Force = False,
):
    """Return what `segment` and `volumes` are told alike, as arguments of `neuroloom.api`."""
    also = [name for name, asked in (("tissues", tissues), ("posteriors", posteriors)) if asked]
    reader = {name: told for name, told in (("orientation", orientation), ("series", series)) if told is not None}
    shared = {"weights": weights, "suffix": suffix, "device": device, "skip_done": skip_done, "force": force}
    return {"scans": scans, "out": out, "also": also, "reader": reader, **shared}


def with_scan_words(command):
    """Return a command that takes the words of `scan_words` beside its own, and gets what they say as its first argument."""
    shared = inspect.signature(scan_words).parameters
    own = list(inspect.signature(command).parameters.values())[1:]

    @functools.wraps(command)
    def asked(**words):
        command(scan_words(**{name: words.pop(name) for name in shared}), **words)

    words = sorted([*own, *shared.values()], key=lambda one: one.default is not inspect.Parameter.empty)  # needed first
    asked.__signature__ = inspect.Signature(words)  # what typer reads
    asked.__annotations__ = {one.name: one.annotation for one in words}
    return asked


@scans_app.command()
@with_scan_words
def segment(told):
    """Find 32 structures in scans of any contrast: label map, brain mask, stripped scan, and how sure that is."""
    from neuroloom.api import segment_scans
    from neuroloom.progress import shown_progress

    with shown_progress() as on_progress:
        table = segment_scans(**told, on_progress=on_progress)
    show_scans(table, told["out"])


@scans_app.command()
@with_scan_words
def volumes(
    told,
    age: Annotated[float | None, typer.Option(help="Of the one person, in years.")] = None,
    sex: Annotated[str | None, typer.Option(help="Of the one person: F or M.")] = None,
    people: Annotated[Path | None, typer.Option(help="Table of participant_id, age and sex, for several.")] = None,
    norms: Annotated[Path | None, typer.Option(help="A reference that you fitted: see 'neuroloom norms'.")] = None,
    prior: Annotated[Path | None, typer.Option(help="An earlier scan of the one person.")] = None,
    years: Annotated[float | None, typer.Option(help="Between the earlier scan and this one.")] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Write each page as PDF too.")] = False,
):
    """Measure 32 structures in scans: volumes, sides, quality, change since an earlier scan, and a page a scan."""
    from neuroloom.api import measure_scans
    from neuroloom.progress import shown_progress

    person = {"age": age, "sex": sex, "people": people, "norms": norms, "prior": prior, "years": years}
    with shown_progress() as on_progress:
        table = measure_scans(**told, **person, pdf=pdf, on_progress=on_progress)
    show_scans(table, told["out"])


@scans_app.command()
def register(
    moving: Annotated[Path, typer.Argument(help="The scan to move.")],
    fixed: Annotated[Path, typer.Argument(help="The scan it is moved to.")],
    out: OutFolder,
    degrees: Annotated[
        str | None, typer.Option(help="rigid (the default), similarity or affine (the default with --deformable).")
    ] = None,
    deformable: Annotated[
        bool, typer.Option("--deformable", help="Deform too: for two heads, of one contrast.")
    ] = False,
    labels: Annotated[Path | None, typer.Option("--labels", help="A label map of MOVING to move along.")] = None,
    force: Force = False,
):
    """Bring one scan onto another: the moved scan, the map, how alike they became, a picture to check it by."""
    from neuroloom.api import register_files

    told = register_files(moving, fixed, out, degrees=degrees, deformable=deformable, labels=labels, force=force)
    for note in told["notes"]:
        typer.echo(note, err=True)
    before, after = (told["likeness"][when]["mutual_information"] for when in ("before", "after"))
    typer.echo(f"Mutual information {before:.3f} before, {after:.3f} after; {told['degrees']}: {out}")
    if deformable:
        field = told["displacement"]
        typer.echo(
            f"Volumes change by factors of {field['jacobian_smallest']:.2f} to {field['jacobian_largest']:.2f}; "
            f"{field['folded_share']:.2%} of the voxels are folded."
        )
    typer.echo("Look at the picture before you use it. For research; it does not replace clinical judgment.", err=True)


def show_scans(table, out):
    """Tell what became of each scan; some that failed are an exit code of 1, all others being written."""
    for row in table.itertuples():
        if row.status != "done" or row.reason:
            typer.echo(f"{row.sample_id}: {row.status}. {row.reason}", err=True)
    counts = table["status"].value_counts()
    told = ", ".join(f"{counts[word]} {word}" for word in ("done", "poor", "failed") if word in counts)
    typer.echo(f"{len(table)} scans: {told}. Written to {out}")
    typer.echo("For research; it does not replace clinical judgment.", err=True)
    if "failed" in counts:
        raise typer.Exit(1)
