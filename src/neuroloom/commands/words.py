"""Words that several commands share: arguments, options, and what is done with them."""

from pathlib import Path
from typing import Annotated

import typer

RecipeName = Annotated[str, typer.Argument(help="Recipe id (see 'neuroloom list') or a recipe file.")]
Data = Annotated[Path | None, typer.Option("--data", help="Your folder: BIDS, or with a cohort.yaml.")]
CohortFile = Annotated[str | None, typer.Option("--cohort", help="A cohort file elsewhere, or a preset's name.")]
Variant = Annotated[str | None, typer.Option("--variant", help="One of the recipe's variants.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="Change a recipe key: training.epochs=5.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder to write to.")]
Jobs = Annotated[int | None, typer.Option("--jobs", min=1, help="Folds and learners side by side.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what an earlier one left there.")]
RunFolder = Annotated[Path, typer.Argument(help="A run's folder.")]
ForceFile = Annotated[bool, typer.Option("--force", help="Replace the file that is there.")]
OutFolder = Annotated[Path, typer.Option("--out", help="Folder to write to.")]


def recipe_of(name, variant, settings):
    from neuroloom.recipe import parse_override, read_recipe

    return read_recipe(name, variant, [parse_override(text) for text in settings or []])


def check_out_file(path, force):
    """Raise where a file would be lost, or cannot be written, before any work is done for it."""
    from neuroloom.formats.atomic import check_can_write, refuse_to_replace

    refuse_to_replace([path], force)
    check_can_write(path)


def check_out_folder(folder, files, force):
    """Raise where files in a folder would be lost, or the folder cannot be made, before any work is done for them."""
    from neuroloom.formats.atomic import check_can_make, refuse_to_replace

    refuse_to_replace([folder / file for file in files], force)
    check_can_make(folder)


def console():
    from rich.console import Console

    return Console()
