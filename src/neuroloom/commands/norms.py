"""Commands about norms: fit, apply, show."""

from pathlib import Path
from typing import Annotated

import typer

from neuroloom.commands.words import CohortFile, ForceFile, check_out_file, console

norms_app = typer.Typer(
    no_args_is_help=True, help="Percentiles for age and sex, against a named reference that you fit yourself."
)
PeopleTable = Annotated[Path, typer.Argument(help="A .csv or .tsv with a row a person, or your folder.")]
NormsFile = Annotated[Path, typer.Argument(help="A file that 'norms fit' wrote.")]
Measures = Annotated[str | None, typer.Option("--measures", help="Columns or patterns: hippocampus_ml,*_thickness.")]
AgeColumn = Annotated[str | None, typer.Option("--age", help="Column of ages in years, else by its usual words.")]
SexColumn = Annotated[str | None, typer.Option("--sex", help="Column of sexes, else by its usual words.")]
PersonColumn = Annotated[str | None, typer.Option("--person", help="Column of names, else by its usual words.")]


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
    check_out_file(out, force)
    from neuroloom.api import fit_norms_table
    from neuroloom.progress import shown_progress
    from neuroloom.report.norms_table import norms_table

    told = {"age": age, "sex": sex, "person": person, "cohort_file": cohort, "on_note": _note}
    with shown_progress() as on_progress:
        norms = fit_norms_table(table, name=name, out=out, measures=_names(measures), on_progress=on_progress, **told)
    console().print(norms_table(norms))
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
        check_out_file(out, force)
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
    check_out_file(out, force)
    from neuroloom.api import draw_norms

    typer.echo(f"{len(draw_norms(norms, out, measures=_names(measures)))} measures: {out}")


def _note(text):
    typer.echo(text, err=True)


def _names(listed):
    """Return the words of a list with commas; None where nothing was told."""
    return None if listed is None else [name.strip() for name in listed.split(",") if name.strip()]
