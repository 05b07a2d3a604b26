"""A run at work on a stream, or on simulated people: from the run's folder to lines, summary and page."""

import json
import math
from contextlib import ExitStack
from pathlib import Path

from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.formats.atomic import atomic_write, make_folder, refuse_to_replace
from neuroloom.known import check_known
from neuroloom.live.closed_loop import Loop, closed_loop
from neuroloom.live.decoder import Decoder
from neuroloom.live.feedback import Feedback
from neuroloom.live.lsl_source import LslSource
from neuroloom.live.outputs import PAGE, Outputs
from neuroloom.live.replay_source import ReplaySource
from neuroloom.live.session import Session
from neuroloom.live.socket_source import SocketSource
from neuroloom.prediction import new_scans
from neuroloom.recipe import LiveSettings
from neuroloom.report.live_page import loop_page

LOOP = "closed_loop.json"
LSL = "lsl://"
LONGEST = 86400.0  # s: of a step, of smoothing; a day


def live_settings(run, step=None, smooth=None):
    """Return step and smoothing (s): as told, else as the run's recipe says, else the usual ones."""
    settings = run.recipe.live or LiveSettings()
    step, smooth = settings.step if step is None else step, settings.smooth if smooth is None else smooth
    if not 0 < step <= LONGEST or not 0 <= smooth <= LONGEST:
        raise NeuroloomError(
            f"live: step must be above 0 s and smooth 0 s or more, both {LONGEST:g} s at most, not {step!r} and {smooth!r}."
        )
    return step, smooth


def _check_seconds(seconds):
    if seconds is not None and not 0 < seconds < math.inf:
        raise NeuroloomError(
            f"live: seconds must be a number above 0, not {seconds!r}. Leave it out to go on until the stream ends."
        )


def live_session(
    run, source, *, learner=None, person=None, towards=None, step=None, smooth=None, fast=False, every=False,
    seconds=None, **outputs,
):  # fmt: skip
    """Answer for a stream with a finished run, until it ends.

    Whether the run can be done on a stream is checked before anything is read. Ctrl-C ends a session as its end does.

    Parameters
    ----------
    run : Run
    source : str, Path or object
        ``tcp://HOST:PORT``, ``lsl://NAME``, the path of a recording to be replayed, or an object as
        `neuroloom.live.replay_source.ReplaySource` is one.
    learner, person : str or None
        See `neuroloom.live.decoder.Decoder`.
    towards : str or None
        The class that feedback is towards; by default the recipe's positive class, else the last one.
    step, smooth : float or None
        s; see `live_settings`.
    fast : bool
        Whether a recording is replayed as fast as it goes.
    every : bool
        Whether each step is answered for, however late.
    seconds : float or None
        After so many of the stream the session ends.
    **outputs
        ``out``, ``text``, ``to``, ``on_line``, ``on_end``, ``force`` of `neuroloom.live.outputs.Outputs`.

    Returns
    -------
    dict
        The summary.
    """
    step, smooth = live_settings(run, step, smooth)
    _check_seconds(seconds)
    with ExitStack() as stack:
        kept = Outputs(**outputs)
        decoder = Decoder(run, learner, person)
        towards = towards or run.recipe.target.positive or decoder.classes[-1]
        check_known("class of this run", towards, decoder.classes)
        source = opened(source, run, decoder, fast)
        stack.callback(source.close)
        session = Session(source, decoder, Feedback(decoder.classes, smooth), towards, step, every)
        stack.enter_context(kept)
        about = {"decoder": decoder.name, "towards": towards, "source": source.name}
        try:
            for line in session.lines(seconds):
                kept.take(line)
        except KeyboardInterrupt:
            session.ended = "stopped"
        finally:
            kept.end({**session.summary(), **about}, getattr(source, "events", []))
    return {**session.summary(), **about}


def opened(source, run, decoder, fast=False):
    """Return the source that an address or a path names; an object is one already."""
    if not isinstance(source, str | Path):
        return source
    if str(source).startswith(LSL):
        return LslSource(str(source).removeprefix(LSL))
    if "://" in str(source):
        return SocketSource(source)
    path = Path(source)
    cohort = new_scans(run, decoder.learners[0], [path], {})
    [(name, held)] = cohort.inputs.items()
    scan = held.load(cohort.samples[0])
    if scan.kind != "series" or not scan.geometry.get("names") or not scan.geometry.get("sampling_rate"):
        raise FileProblem(
            path,
            f"it cannot be replayed: {name} must be a series with names and a sampling rate.",
            "Tell them beside it.",
        )
    return ReplaySource(scan, path.name, fast)


def live_loop(
    run, out=None, settings=None, *, learner=None, step=None, smooth=None, jobs=1, force=False, on_progress=None
):
    """Close the loop on a run's simulated people; see `neuroloom.live.closed_loop.closed_loop`.

    Parameters
    ----------
    run : Run
    out : Path or None
        Folder for ``closed_loop.json`` and ``live.html``.
    settings : dict or None
        Of `Loop`.
    learner, step, smooth, jobs, on_progress
        As there.
    force : bool
        Replace what an earlier one left in ``out``.

    Returns
    -------
    dict
    """
    for name in settings or {}:
        check_known("setting of the closed loop", name, Loop.__dataclass_fields__)
    if out is not None:
        refuse_to_replace([Path(out) / name for name in (LOOP, PAGE)], force)
    step, smooth = live_settings(run, step, smooth)
    told = closed_loop(
        run, Loop(**(settings or {})), learner=learner, step=step, smooth=smooth, jobs=jobs, on_progress=on_progress
    )
    if out is not None:
        make_folder(out)
        atomic_write(Path(out) / LOOP, json.dumps(told, indent=1).encode())
        atomic_write(Path(out) / PAGE, loop_page(told))
    return told
