"""Commands about weights of anatomy: maps, pack."""

from pathlib import Path
from typing import Annotated

import typer

from neuroloom.commands.words import (
    CohortFile,
    Data,
    Force,
    OutFolder,
    RecipeName,
    Set,
    Variant,
    check_out_file,
    check_out_folder,
    recipe_of,
)

weights_app = typer.Typer(no_args_is_help=True, help="Train and pack weights of anatomy: see docs/weights.md.")


@weights_app.command("maps")
def weights_maps(
    recipe: RecipeName,
    out: Annotated[Path, typer.Option("--out", help="File of maps to write, .npz.")],
    hold_out: Annotated[str, typer.Option(help="Participants who are not learned from, with commas between.")],
    data: Data = None,
    cohort: CohortFile = None,
    variant: Variant = None,
    settings: Set = None,
    force: Force = False,
):
    """Write the label maps of a recipe as one file, for 'python -m neuroloom.training.steps' on a machine with a GPU."""
    from neuroloom.anatomy.weight_files import write_maps
    from neuroloom.api import cache_folder
    from neuroloom.transforms.cache import Cache

    check_out_file(out, force)
    held = [name.strip() for name in hold_out.split(",") if name.strip()]
    names = write_maps(
        recipe_of(recipe, variant, settings), out, Cache(cache_folder()), data=data, cohort_file=cohort, hold_out=held
    )
    typer.echo(f"{len(names)} maps, {len(held)} held out: {out}")


@weights_app.command("pack")
def weights_pack(
    state: Annotated[Path, typer.Argument(help="state.safetensors of a training.")],
    maps: Annotated[Path, typer.Argument(help="The file of maps that it learned from.")],
    out: OutFolder,
    name: Annotated[str, typer.Option(help="What the files are called.")] = "anatomy",
    data: Annotated[str, typer.Option(help="For the card: whose label maps.")] = "",
    licence: Annotated[str, typer.Option(help="For the card: of the weights.")] = "",
    machine: Annotated[str, typer.Option(help="For the card: what it was trained on, and for how long.")] = "",
    force: Force = False,
):
    """Try a training's weights on the maps that were held out, and write them in half precision with their card."""
    from neuroloom.anatomy.weight_files import pack_weights
    from neuroloom.progress import shown_progress

    check_out_folder(out, [f"{name}.json", f"{name}.safetensors"], force)
    about = {"data": data, "licence": licence, "machine": machine}
    with shown_progress() as on_progress:
        card = pack_weights(state, maps, out, name=name, about=about, on_progress=on_progress)
    typer.echo(f"Dice {card['scores']['dice']:.3f} on {card['scores']['on']}: {out / f'{name}.json'}")
