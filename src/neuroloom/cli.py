"""The door: ``neuroloom``. Heavy libraries are imported by the command that needs them."""

import json
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Annotated

import typer

from neuroloom.commands.live import live_app
from neuroloom.commands.norms import norms_app
from neuroloom.commands.scans import scans_app, show_scans
from neuroloom.commands.weights import weights_app
from neuroloom.commands.words import (
    CohortFile,
    Data,
    Force,
    ForceFile,
    Jobs,
    Out,
    RecipeName,
    RunFolder,
    Set,
    Variant,
    check_out_file,
    check_out_folder,
    console,
    recipe_of,
)
from neuroloom.errors import NeuroloomError
from neuroloom.simulators import SIMULATORS

STOPPED = 130  # the exit code of a program that was stopped by Ctrl-C

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Brain data of any kind into a trained, honestly validated, explained deep-learning model and a report. "
    "For research; it does not replace clinical judgment.",
)

app.add_typer(scans_app)
app.add_typer(live_app)
app.add_typer(norms_app, name="norms")
app.add_typer(weights_app, name="weights")


@app.command("list")
def list_recipes(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False):
    """List the recipes: id, title, inputs, variants."""
    from neuroloom.recipe import read_recipe, recipe_names

    recipes = [read_recipe(name) for name in recipe_names()]
    if as_json:
        typer.echo(json.dumps([_summary(recipe) for recipe in recipes], indent=1))
        return
    console().print(_recipe_table(recipes), crop=False)


def _recipe_table(recipes):
    """Return the table of recipes; what is typed again (ids, variants) is whole in a terminal of any width."""
    from rich.table import Column, Table

    widest_id = max(len(recipe.id) for recipe in recipes)
    widest_variant = max(len(f"{name},") for recipe in recipes for name in recipe.variants)
    table = Table(
        Column("id", no_wrap=True, min_width=widest_id), "title", "inputs", Column("variants", min_width=widest_variant)
    )
    for recipe in recipes:
        table.add_row(recipe.id, recipe.title, ", ".join(recipe.inputs), ", ".join(recipe.variants))
    return table


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
    typer.echo(recipe_of(recipe, variant, settings).as_yaml(), nl=False)


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
    parsed = recipe_of(recipe, variant, settings)
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
    person: Annotated[
        str | None, typer.Option(help="Whose recordings these are, in a run with a model a person.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="CSV to write, else printed; for label maps a folder.")
    ] = None,
    alarms: Annotated[
        Path | None, typer.Option(help="CSV for the alarms or warnings in recordings, in a run that makes any.")
    ] = None,
    force: ForceFile = False,
):
    """Answer for new scans: the mean of the folds' learners. Runs that segment write label maps."""
    from neuroloom.api import alarms_in, check_alarms, predict_files, segment_files
    from neuroloom.formats.tables import delimiter_of, write_table
    from neuroloom.progress import shown_progress

    if _segments(folder):
        if alarms is not None:
            raise NeuroloomError(
                f"{folder}: this run answers with label maps and raises no alarms. Leave --alarms out."
            )
        if out is None:
            raise NeuroloomError("this run answers with label maps: name a folder for them with --out.")
        with shown_progress() as on_progress:
            table = segment_files(folder, files, out, learner=learner, force=force, on_progress=on_progress)
        show_scans(table, out)
        return
    for file in (out, alarms):
        if file is not None:
            delimiter_of(file)
            check_out_file(file, force)
    if alarms is not None:
        check_alarms(folder, out, alarms)
    reader = {} if sampling_period is None else {"sampling_period": sampling_period}
    answers = predict_files(folder, files, learner=learner, reader=reader, person=person)
    if out is None:
        typer.echo(answers.to_csv(index=False), nl=False)
    else:
        write_table(out, answers)
        typer.echo(f"{len(answers)} answers: {out}")
    if alarms is not None:
        raised = alarms_in(folder, answers, learner=learner, person=person)
        write_table(alarms, raised)
        typer.echo(f"{len(raised)} raised in {answers['recording_id'].nunique()} recordings: {alarms}")
    typer.echo("For research; it does not replace clinical judgment.", err=True)


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
    force: ForceFile = False,
):
    """Attack a recipe: shuffled labels, wrong splits, confounds alone."""
    parsed = recipe_of(recipe, variant, settings)
    from neuroloom.api import red_team_recipe
    from neuroloom.progress import shown_progress
    from neuroloom.redteam import ATTACKS_FILE, attack_table, write_attacks

    if out is not None:
        check_out_folder(out, [ATTACKS_FILE], force)
    with shown_progress() as on_progress:
        attacks = red_team_recipe(parsed, data, cohort_file=cohort, jobs=jobs, on_progress=on_progress)
    console().print(attack_table(attacks))
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
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(SIMULATORS)}.")],
    out: Annotated[Path, typer.Option("--out", help="A new folder.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Change an argument of the simulator: n_participants=3.")
    ] = None,
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
def cache(clear: Annotated[bool, typer.Option("--clear", help="Delete all prepared scans.")] = False):
    """Show where prepared scans are kept and how much room they take."""
    from neuroloom.api import cache_folder
    from neuroloom.transforms.cache import Cache

    kept = Cache(cache_folder())
    if clear:
        kept.clear()
    n_samples, n_bytes = kept.size()
    typer.echo(f"{kept.folder}: {n_samples} prepared samples, {n_bytes / 2**20:.1f} MiB")


def _segments(folder):
    """Return whether a folder holds a run that answers with label maps."""
    from neuroloom.run_folder import Run

    return (folder / "recipe.yaml").is_file() and Run.existing(folder).recipe.target.input is not None


def _show_result(done):
    from neuroloom.report.table import result_table

    metrics = done.metrics
    console().print(result_table(metrics))
    typer.echo(metrics["sentence"])
    typer.echo(f"Report: {done.folder / 'report.html'}")


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
        _fail(
            "Stopped. The same run or replay goes on where it was; segment and volumes with --skip-done; others start anew.",
            STOPPED,
        )
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
