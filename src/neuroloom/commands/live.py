"""The command `live`: a finished run answers on a stream, or closes the loop on simulated people."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from neuroloom.commands.words import Force, Jobs, Out, RunFolder
from neuroloom.errors import NeuroloomError

live_app = typer.Typer()

From = Annotated[str | None, typer.Option("--from", help="A sender: tcp://HOST:PORT.")]
Replay = Annotated[Path | None, typer.Option("--replay", help="A recording, in its own time.")]
Lsl = Annotated[str | None, typer.Option("--lsl", help="Name of a stream of the Lab Streaming Layer.")]
Simulate = Annotated[bool, typer.Option("--simulate", help="Close the loop on the run's simulated people.")]
Fast = Annotated[bool, typer.Option("--fast", help="Replay as fast as it goes.")]
LoopSet = Annotated[
    list[str] | None, typer.Option("--set", help="With --simulate: n_participants, n_runs, n_trials, learning.")
]
To = Annotated[str | None, typer.Option("--to", help="Send the lines to who connects to tcp://HOST:PORT.")]
Learner = Annotated[str | None, typer.Option(help="Another learner of the run than the model.")]
Person = Annotated[str | None, typer.Option(help="Who it is, in a run with a model a person.")]
Towards = Annotated[str | None, typer.Option(help="Class that feedback is towards; else the recipe's positive one.")]
Step = Annotated[float | None, typer.Option(help="Seconds from answer to answer; else as the recipe says.")]
Smooth = Annotated[float | None, typer.Option(help="Seconds over which feedback is smoothed; else as the recipe says.")]
Every = Annotated[bool, typer.Option("--every", help="Answer for each step, however late.")]
Seconds = Annotated[float | None, typer.Option(help="End after so many seconds of the stream.")]


@live_app.command()
def live(
    folder: RunFolder,
    address: From = None,
    replay: Replay = None,
    lsl: Lsl = None,
    simulate: Simulate = False,
    fast: Fast = False,
    settings: LoopSet = None,
    out: Out = None,
    to: To = None,
    learner: Learner = None,
    person: Person = None,
    towards: Towards = None,
    step: Step = None,
    smooth: Smooth = None,
    every: Every = False,
    seconds: Seconds = None,
    jobs: Jobs = None,
    force: Force = False,
):
    """Answer on a stream as it comes: probability and feedback every step, until it ends or Ctrl-C."""
    if sum((address is not None, replay is not None, lsl is not None, simulate)) != 1:
        raise NeuroloomError("live needs one source: --from tcp://HOST:PORT, --replay FILE, --lsl NAME or --simulate.")
    shared = {"out": out, "learner": learner, "step": step, "smooth": smooth, "force": force}
    if simulate:
        told = {
            "--to": to,
            "--person": person,
            "--towards": towards,
            "--seconds": seconds,
            "--fast": fast,
            "--every": every,
        }
        _refuse("--simulate", told)
        _simulate(folder, settings, jobs, shared)
        return
    _refuse("--from, --replay and --lsl", {"--set": settings, "--jobs": jobs})
    _refuse("--from and --lsl", {"--fast": fast and replay is None})
    from neuroloom.api import answer_live
    from neuroloom.live.wire import address_of
    from neuroloom.report.live_page import session_sentence

    if address is not None:
        address_of(address)
    source = address or replay or f"lsl://{lsl}"
    told = {"to": to, "person": person, "towards": towards, "fast": fast, "every": every, "seconds": seconds}

    def on_end(summary):
        typer.echo(session_sentence(summary), err=out is None)

    answer_live(folder, source, text=sys.stdout if out is None else None, on_end=on_end, **told, **shared)
    _tell_page(out)


def _simulate(folder, settings, jobs, shared):
    from neuroloom.api import close_loop
    from neuroloom.progress import shown_progress
    from neuroloom.recipe import parse_override
    from neuroloom.report.live_page import loop_sentence

    told = dict(parse_override(text) for text in settings or [])
    with shown_progress() as on_progress:
        reached = close_loop(folder, settings=told, jobs=jobs, on_progress=on_progress, **shared)
    typer.echo(loop_sentence(reached))
    _tell_page(shared["out"])


def _refuse(source, options):
    """Refuse options that have no meaning for a source."""
    told = [name for name, value in options.items() if value]
    if told:
        raise NeuroloomError(f"{', '.join(told)} means nothing with {source}. Leave it out.")


def _tell_page(out):
    from neuroloom.live.outputs import PAGE

    if out is not None:
        typer.echo(f"Page: {out / PAGE}")
    typer.echo("For research; it does not replace clinical judgment.", err=True)
