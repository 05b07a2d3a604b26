"""The door: ``neuroloom``. Heavy libraries are imported by the command that needs them."""

import json
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Annotated

import typer

from neuroloom.errors import NeuroloomError

STOPPED = 130  # the exit code of a program that was stopped by Ctrl-C

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Brain data of any kind into a trained, honestly validated, explained deep-learning model and a report. "
    "For research; it does not replace clinical judgment.",
)

RecipeName = Annotated[str, typer.Argument(help="Recipe id (see 'neuroloom list') or a recipe file.")]
Data = Annotated[Path | None, typer.Option("--data", help="Your folder: BIDS, or with a cohort.yaml.")]
CohortFile = Annotated[str | None, typer.Option("--cohort", help="A cohort file elsewhere, or a preset's name.")]
Variant = Annotated[str | None, typer.Option("--variant", help="One of the recipe's variants.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="Change a recipe key: training.epochs=5.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder to write to.")]
Jobs = Annotated[int | None, typer.Option("--jobs", min=1, help="Folds and learners side by side.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what is in the folder.")]
RunFolder = Annotated[Path, typer.Argument(help="A run's folder.")]
ForceFile = Annotated[bool, typer.Option("--force", help="Replace the file that is there.")]
PeopleTable = Annotated[Path, typer.Argument(help="A .csv or .tsv with a row a person, or your folder.")]
NormsFile = Annotated[Path, typer.Argument(help="A file that 'norms fit' wrote.")]
Measures = Annotated[str | None, typer.Option("--measures", help="Columns or patterns: hippocampus_ml,*_thickness.")]
AgeColumn = Annotated[str | None, typer.Option("--age", help="Column of ages in years, else by its usual words.")]
SexColumn = Annotated[str | None, typer.Option("--sex", help="Column of sexes, else by its usual words.")]
PersonColumn = Annotated[str | None, typer.Option("--person", help="Column of names, else by its usual words.")]

norms_app = typer.Typer(
    no_args_is_help=True, help="Percentiles for age and sex, against a named reference that you fit yourself."
)
app.add_typer(norms_app, name="norms")


@app.command("list")
def list_recipes(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False):
    """List the recipes: id, title, inputs, task, variants."""
    from neuroloom.recipe import read_recipe, recipe_names

    recipes = [read_recipe(name) for name in recipe_names()]
    if as_json:
        typer.echo(json.dumps([_summary(recipe) for recipe in recipes], indent=1))
        return
    from rich.table import Table

    table = Table("id", "title", "inputs", "task", "variants")
    for recipe in recipes:
        told = _summary(recipe)
        table.add_row(recipe.id, recipe.title, ", ".join(told["inputs"]), recipe.task.name, ", ".join(told["variants"]))
    _console().print(table)


def _summary(recipe):
    return {
        "id": recipe.id,
        "title": recipe.title,
        "inputs": list(recipe.inputs),
        "task": recipe.task.name,
        "source": recipe.source,
        "variants": list(recipe.variants),
    }


@app.command()
def show(recipe: RecipeName, variant: Variant = None, settings: Set = None):
    """Show a recipe as it would be run."""
    typer.echo(_recipe(recipe, variant, settings).as_yaml(), nl=False)


@app.command()
def run(
    recipe: RecipeName,
    data: Data = None,
    cohort: CohortFile = None,
    variant: Variant = None,
    settings: Set = None,
    out: Out = None,
    jobs: Jobs = None,
    force: Force = False,
):
    """Run a recipe: files to report. A run that was stopped goes on where it was."""
    parsed = _recipe(recipe, variant, settings)
    from neuroloom.api import run_recipe
    from neuroloom.progress import shown_progress

    with shown_progress() as on_progress:
        done = run_recipe(parsed, data, cohort_file=cohort, out=out, jobs=jobs, force=force, on_progress=on_progress)
    _show_result(done)


@app.command()
def report(folder: RunFolder):
    """Write a run's page again, from what is in its folder."""
    from neuroloom.report.study_page import write_study_page
    from neuroloom.run_folder import Run

    typer.echo(f"Report: {write_study_page(Run.existing(folder).folder)}")


@app.command()
def predict(
    folder: RunFolder,
    files: Annotated[list[Path], typer.Argument(help="New scans, or a table with a row a person.")],
    learner: Annotated[str | None, typer.Option(help="Another learner of the run than the model.")] = None,
    sampling_period: Annotated[float | None, typer.Option(help="Of series without one, in seconds.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="CSV to write, else printed; for label maps a folder.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file that is there.")] = False,
):
    """Answer for new scans: the mean of the folds' learners. Runs that segment write label maps."""
    from neuroloom.api import predict_files, segment_files
    from neuroloom.formats.tables import delimiter_of, write_table

    if _segments(folder):
        if out is None:
            raise NeuroloomError("this run answers with label maps: name a folder for them with --out.")
        table = segment_files(folder, files, out, learner=learner, force=force)
        typer.echo(f"{len(table)} label maps and volumes.tsv: {out}")
        typer.echo("For research; it does not replace clinical judgment.", err=True)
        return
    if out is not None:
        delimiter_of(out)
        _refuse_to_replace(out, force)
    reader = {} if sampling_period is None else {"sampling_period": sampling_period}
    answers = predict_files(folder, files, learner=learner, reader=reader)
    if out is None:
        typer.echo(answers.to_csv(index=False), nl=False)
    else:
        write_table(out, answers)
        typer.echo(f"{len(answers)} answers: {out}")
    typer.echo("For research; it does not replace clinical judgment.", err=True)


Scans = Annotated[list[Path], typer.Argument(help="Scans: files, DICOM folders, or a BIDS folder.")]
ScansOut = Annotated[Path, typer.Option("--out", help="Folder to write to.")]
Weights = Annotated[Path | None, typer.Option("--weights", help="Card of other weights than those that ship.")]
Tissues = Annotated[bool, typer.Option("--tissues", help="Write maps of grey and white matter and fluid.")]
Posteriors = Annotated[bool, typer.Option("--posteriors", help="Write the probability of each structure (large).")]
Orientation = Annotated[str | None, typer.Option(help="Which ways the axes point, of files that do not say it: RAS.")]
Series = Annotated[str | None, typer.Option(help="Of a DICOM folder with several heads: its number.")]
Suffix = Annotated[str, typer.Option(help="Of the files that are meant in BIDS folders: T1w, T2w, FLAIR ...")]
Device = Annotated[str, typer.Option(help="cpu, cuda or auto.")]


@app.command()
def segment(
    scans: Scans,
    out: ScansOut,
    tissues: Tissues = False,
    posteriors: Posteriors = False,
    weights: Weights = None,
    suffix: Suffix = "T1w",
    series: Series = None,
    orientation: Orientation = None,
    device: Device = "auto",
    force: Force = False,
):
    """Find 32 structures in scans of any contrast: label map, brain mask, stripped scan, and how sure that is."""
    from neuroloom.api import segment_scans
    from neuroloom.progress import shown_progress

    with shown_progress() as on_progress:
        table = segment_scans(
            scans, out, also=_also(tissues, posteriors), weights=weights, reader=_reader(orientation, series), suffix=suffix, device=device,
            force=force, on_progress=on_progress,
        )  # fmt: skip
    _show_scans(table, out)


@app.command()
def volumes(
    scans: Scans,
    out: ScansOut,
    age: Annotated[float | None, typer.Option(help="Of the one person, in years.")] = None,
    sex: Annotated[str | None, typer.Option(help="Of the one person: F or M.")] = None,
    people: Annotated[Path | None, typer.Option(help="Table of participant_id, age and sex, for several.")] = None,
    norms: Annotated[Path | None, typer.Option(help="A reference that you fitted: see 'neuroloom norms'.")] = None,
    prior: Annotated[Path | None, typer.Option(help="An earlier scan of the one person.")] = None,
    years: Annotated[float | None, typer.Option(help="Between the earlier scan and this one.")] = None,
    tissues: Tissues = False,
    posteriors: Posteriors = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="Write each page as PDF too.")] = False,
    weights: Weights = None,
    suffix: Suffix = "T1w",
    series: Series = None,
    orientation: Orientation = None,
    device: Device = "auto",
    force: Force = False,
):
    """Measure 32 structures in scans: volumes, sides, quality, change since an earlier scan, and a page a scan."""
    from neuroloom.api import measure_scans
    from neuroloom.progress import shown_progress

    with shown_progress() as on_progress:
        table = measure_scans(
            scans, out, age=age, sex=sex, people=people, norms=norms, prior=prior, years=years, pdf=pdf,
            also=_also(tissues, posteriors), weights=weights, reader=_reader(orientation, series), suffix=suffix, device=device, force=force,
            on_progress=on_progress,
        )  # fmt: skip
    _show_scans(table, out)


def _also(tissues, posteriors):
    return [name for name, asked in (("tissues", tissues), ("posteriors", posteriors)) if asked]


def _reader(orientation, series):
    return {name: told for name, told in (("orientation", orientation), ("series", series)) if told is not None}


def _show_scans(table, out):
    """Tell what became of each scan; some that failed are an exit code of 1, all others being written."""
    for row in table.itertuples():
        if row.status != "done":
            typer.echo(f"{row.sample_id}: {row.status}. {row.reason}", err=True)
    counts = table["status"].value_counts()
    told = ", ".join(f"{counts[word]} {word}" for word in ("done", "poor", "failed") if word in counts)
    typer.echo(f"{len(table)} scans: {told}. Written to {out}")
    typer.echo("For research; it does not replace clinical judgment.", err=True)
    if "failed" in counts:
        raise typer.Exit(1)


@app.command()
def replay(folder: RunFolder, data: Data = None, cohort: CohortFile = None, jobs: Jobs = None):
    """Repeat a run and compare: do its weights give its predictions, and does training end the same?"""
    from neuroloom.progress import shown_progress
    from neuroloom.replay import replay_run
    from neuroloom.run_folder import Run

    with shown_progress() as on_progress:
        agreement = replay_run(Run.existing(folder), data=data, cohort_file=cohort, jobs=jobs, on_progress=on_progress)
    typer.echo(agreement.text)
    raise typer.Exit(0 if agreement.agrees else 1)


@app.command()
def redteam(
    recipe: RecipeName,
    data: Data = None,
    cohort: CohortFile = None,
    variant: Variant = None,
    settings: Set = None,
    out: Out = None,
    jobs: Jobs = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file that is there.")] = False,
):
    """Attack a recipe: shuffled labels, a deliberately wrong split, confounds alone."""
    parsed = _recipe(recipe, variant, settings)
    from neuroloom.api import red_team_recipe
    from neuroloom.progress import shown_progress
    from neuroloom.redteam import ATTACKS_FILE, attack_table, write_attacks

    if out is not None:
        _refuse_to_replace(out / ATTACKS_FILE, force)
    with shown_progress() as on_progress:
        attacks = red_team_recipe(parsed, data, cohort_file=cohort, jobs=jobs, on_progress=on_progress)
    _console().print(attack_table(attacks))
    for attack in attacks:
        typer.echo(f"{attack.name}: {attack.text}")
    if out is not None:
        typer.echo(f"Written: {write_attacks(out, attacks)}")
    raise typer.Exit(1 if any(attack.passed is False for attack in attacks) else 0)


@app.command()
def check(data: Annotated[Path, typer.Argument(help="Your folder.")], cohort: CohortFile = None):
    """Look for what is wrong with a folder: missing, unreadable, mixed, constant, twice under two names."""
    from neuroloom.cohort.checks import check_data
    from neuroloom.progress import shown_progress

    with shown_progress() as on_progress:
        findings = check_data(data, cohort_file=cohort, on_progress=on_progress)
    typer.echo(findings.text)
    raise typer.Exit(0 if findings.ok else 1)


@app.command()
def simulate(
    kind: Annotated[str, typer.Argument(help="simulated_t1w, simulated_bold, simulated_table ...")],
    out: Annotated[Path, typer.Option("--out", help="A new folder.")],
    settings: Set = None,
    force: Force = False,
):
    """Write a simulated cohort as real files: BIDS for scans and series, a table with a cohort.yaml else."""
    from neuroloom.api import simulate_files
    from neuroloom.progress import shown_progress
    from neuroloom.recipe import parse_override

    with shown_progress() as on_progress:
        n_people = simulate_files(
            kind, out, dict(parse_override(text) for text in settings or []), force=force, on_progress=on_progress
        )
    typer.echo(f"{n_people} people: {out}")


@app.command()
def register(
    moving: Annotated[Path, typer.Argument(help="The scan to move.")],
    fixed: Annotated[Path, typer.Argument(help="The scan it is moved to.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")],
    degrees: Annotated[
        str | None, typer.Option(help="rigid (the default), similarity or affine (the default with --deformable).")
    ] = None,
    deformable: Annotated[
        bool, typer.Option("--deformable", help="Deform too: for two heads, of one contrast.")
    ] = False,
    labels: Annotated[Path | None, typer.Option("--labels", help="A label map of MOVING to move along.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
):
    """Bring one scan onto another: the moved scan, the map, how alike they became, a picture to check it by."""
    from neuroloom.api import register_files

    told = register_files(moving, fixed, out, degrees=degrees, deformable=deformable, labels=labels, force=force)
    before, after = (told["likeness"][when]["mutual_information"] for when in ("before", "after"))
    typer.echo(f"Mutual information {before:.3f} before, {after:.3f} after; {told['degrees']}: {out}")
    if deformable:
        field = told["displacement"]
        typer.echo(
            f"Volumes change by factors of {field['jacobian_smallest']:.2f} to {field['jacobian_largest']:.2f}; "
            f"{field['folded_share']:.2%} of the voxels are folded."
        )
    typer.echo("Look at the picture before you use it. For research; it does not replace clinical judgment.", err=True)


@app.command()
def cache(clear: Annotated[bool, typer.Option("--clear", help="Delete all prepared scans.")] = False):
    """Show where prepared scans are kept and how much room they take."""
    from neuroloom.api import cache_folder
    from neuroloom.transforms.cache import Cache

    kept = Cache(cache_folder())
    if clear:
        kept.clear()
    n_samples, n_bytes = kept.size()
    typer.echo(f"{kept.folder}: {n_samples} prepared samples, {n_bytes / 2**20:.1f} MiB")


weights_app = typer.Typer(no_args_is_help=True, help="Train and pack weights of anatomy: see docs/weights.md.")
app.add_typer(weights_app, name="weights")


@weights_app.command("maps")
def weights_maps(
    recipe: RecipeName,
    out: Annotated[Path, typer.Option("--out", help="File of maps to write, .npz.")],
    data: Data = None,
    cohort: CohortFile = None,
    variant: Variant = None,
    settings: Set = None,
    hold_out: Annotated[str, typer.Option(help="Participants who are not learned from, with commas between.")] = "",
    force: Force = False,
):
    """Write the label maps of a recipe as one file, for 'python -m neuroloom.training.steps' on a machine with a GPU."""
    from neuroloom.anatomy.weight_files import write_maps
    from neuroloom.api import cache_folder
    from neuroloom.transforms.cache import Cache

    _refuse_to_replace(out, force)
    held = [name.strip() for name in hold_out.split(",") if name.strip()]
    names = write_maps(
        _recipe(recipe, variant, settings), out, Cache(cache_folder()), data=data, cohort_file=cohort, hold_out=held
    )
    typer.echo(f"{len(names)} maps, {len(held)} held out: {out}")


@weights_app.command("pack")
def weights_pack(
    state: Annotated[Path, typer.Argument(help="state.safetensors of a training.")],
    maps: Annotated[Path, typer.Argument(help="The file of maps that it learned from.")],
    out: ScansOut,
    name: Annotated[str, typer.Option(help="What the files are called.")] = "anatomy",
    data: Annotated[str, typer.Option(help="For the card: whose label maps.")] = "",
    licence: Annotated[str, typer.Option(help="For the card: of the weights.")] = "",
    machine: Annotated[str, typer.Option(help="For the card: what it was trained on, and for how long.")] = "",
    force: Force = False,
):
    """Try a training's weights on the maps that were held out, and write them in half precision with their card."""
    from neuroloom.anatomy.weight_files import pack_weights
    from neuroloom.progress import shown_progress

    _refuse_to_replace(out / f"{name}.json", force)
    about = {"data": data, "licence": licence, "machine": machine}
    with shown_progress() as on_progress:
        card = pack_weights(state, maps, out, name=name, about=about, on_progress=on_progress)
    typer.echo(f"Dice {card['scores']['dice']:.3f} on {card['scores']['on']}: {out / f'{name}.json'}")


@norms_app.command("fit")
def fit_norms(
    table: PeopleTable,
    name: Annotated[str, typer.Option("--name", help="What the reference is called: 'IXI thickness'.")],
    out: Annotated[Path, typer.Option("--out", help="JSON file to write.")],
    measures: Measures = None,
    age: AgeColumn = None,
    sex: SexColumn = None,
    person: PersonColumn = None,
    cohort: CohortFile = None,
    force: ForceFile = False,
):
    """Fit centile curves of measures by age and sex on the people of a table."""
    _refuse_to_replace(out, force)
    from neuroloom.api import fit_norms_table
    from neuroloom.progress import shown_progress
    from neuroloom.report.norms_table import norms_table

    told = {"age": age, "sex": sex, "person": person, "cohort_file": cohort, "on_note": _note}
    with shown_progress() as on_progress:
        norms = fit_norms_table(table, name=name, out=out, measures=_names(measures), on_progress=on_progress, **told)
    _console().print(norms_table(norms))
    typer.echo(f"{len(norms.measures)} measures: {out}")


@norms_app.command("apply")
def apply_norms(
    norms: NormsFile,
    table: PeopleTable,
    out: Annotated[Path | None, typer.Option("--out", help="Table to write, else printed.")] = None,
    age: AgeColumn = None,
    sex: SexColumn = None,
    person: PersonColumn = None,
    cohort: CohortFile = None,
    force: ForceFile = False,
):
    """Give the percentile of each person's measures, with its interval, or say why there is none."""
    from neuroloom.formats.tables import delimiter_of, write_table

    if out is not None:
        delimiter_of(out)
        _refuse_to_replace(out, force)
    from neuroloom.api import apply_norms_table

    rows = apply_norms_table(norms, table, age=age, sex=sex, person=person, cohort_file=cohort, on_note=_note)
    if out is None:
        typer.echo(rows.to_csv(index=False), nl=False)
    else:
        write_table(out, rows)
        typer.echo(f"{rows['percentile'].notna().sum()} percentiles of {len(rows)} values: {out}")
    typer.echo("For research; it does not replace clinical judgment.", err=True)


@norms_app.command("show")
def show_norms(
    norms: NormsFile,
    out: Annotated[Path, typer.Option("--out", help="Picture (.png) or page (.html) to write.")],
    measures: Measures = None,
    force: ForceFile = False,
):
    """Draw the centile curves over age, by sex."""
    _refuse_to_replace(out, force)
    from neuroloom.api import draw_norms

    typer.echo(f"{len(draw_norms(norms, out, measures=_names(measures)))} measures: {out}")


def _note(text):
    typer.echo(text, err=True)


def _names(listed):
    """Return the words of a list with commas; None where nothing was told."""
    return None if listed is None else [name.strip() for name in listed.split(",") if name.strip()]


def _segments(folder):
    """Return whether a folder holds a run that answers with label maps."""
    from neuroloom.run_folder import Run

    return (folder / "recipe.yaml").is_file() and Run.existing(folder).recipe.target.input is not None


def _recipe(name, variant, settings):
    from neuroloom.recipe import parse_override, read_recipe

    return read_recipe(name, variant, [parse_override(text) for text in settings or []])


def _refuse_to_replace(path, force):
    """Raise where a file would be lost, before any work is done for it."""
    if path.exists() and not force:
        raise NeuroloomError(f"{path}: there is such a file already. Name another --out, or replace it with --force.")


def _show_result(done):
    from neuroloom.report.table import result_table

    metrics = done.metrics
    _console().print(result_table(metrics))
    typer.echo(metrics["sentence"])
    typer.echo(f"Report: {done.folder / 'report.html'}")


def _console():
    from rich.console import Console

    return Console()


def main():
    """Run the command line; whatever goes wrong ends in one clear message and an exit code."""
    try:
        code = app(standalone_mode=False)  # an Exit, and Ctrl-C, come back as a number
    except NeuroloomError as error:
        _fail(str(error), 1)
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except Exception as error:
        _unexpected(error)
    if code == STOPPED:
        _fail("Stopped. The same command goes on where it was (redteam starts anew).", STOPPED)
    sys.exit(code or 0)


def _unexpected(error):
    if hasattr(error, "show") and hasattr(error, "exit_code"):  # wrong words on the command line
        error.show()
        sys.exit(error.exit_code)
    with tempfile.NamedTemporaryFile("w", prefix="neuroloom-", suffix=".txt", delete=False) as file:
        file.write("".join(traceback.format_exception(error)))
    told = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    _fail(f"This should not happen and is a fault of neuroloom. {told}\nDetails for a bug report: {file.name}", 70)


def _fail(message, code):
    typer.echo(f"neuroloom: {message}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
