"""A run at work on a stream, or on simulated people: from the run's folder to lines, summary and page."""

import json
from contextlib import ExitStack
from pathlib import Path

from neuroloom.errors import FileProblem, NeuroloomError
from neuroloom.formats.atomic import atomic_write, make_folder, refuse_to_replace
from neuroloom.known import check_known
from neuroloom.live.closed_loop import Loop, closed_loop
from neuroloom.live.decoder import Decoder
from neuroloom.live.feedback import Feedback
from neuroloom.live.lines_out import json_line, served, written
from neuroloom.live.lsl_source import LslSource
from neuroloom.live.replay_source import ReplaySource
from neuroloom.live.session import Session
from neuroloom.live.socket_source import SocketSource
from neuroloom.prediction import new_scans
from neuroloom.recipe import LiveSettings
from neuroloom.report.live_page import loop_page, session_page

ANSWERS, SUMMARY, PAGE, LOOP = "answers.jsonl", "summary.json", "live.html", "closed_loop.json"
LSL = "lsl://"


def live_settings(run, step=None, smooth=None):
    """Return step and smoothing (s): as told, else as the run's recipe says, else the usual ones."""
    settings = run.recipe.live or LiveSettings()
    step, smooth = settings.step if step is None else step, settings.smooth if smooth is None else smooth
    if not step > 0 or not smooth >= 0:
        raise NeuroloomError(f"live: step must be above 0 s and smooth 0 s or more, not {step!r} and {smooth!r}.")
    return step, smooth


def live_session(
    run, source, *, out=None, text=None, to=None, learner=None, person=None, towards=None, step=None, smooth=None,
    fast=False, every=False, seconds=None, force=False, on_line=None,
):  # fmt: skip
    """Answer for a stream with a finished run, until it ends.

    Parameters
    ----------
    run : Run
    source : str, Path or object
        ``tcp://HOST:PORT``, ``lsl://NAME``, the path of a recording to be replayed, or an object as
        `neuroloom.live.replay_source.ReplaySource` is one.
    out : Path or None
        Folder for ``answers.jsonl``, ``summary.json`` and ``live.html``.
    text : file or None
        Where each line is written too.
    to : str or None
        tcp://HOST:PORT, where lines are sent to whoever connects.
    learner, person : str or None
        See `Decoder`.
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
    force : bool
        Replace what an earlier session left in ``out``.
    on_line : callable or None
        Called with each line, a dict.

    Returns
    -------
    dict
        The summary.
    """
    step, smooth = live_settings(run, step, smooth)
    if out is not None:
        refuse_to_replace([Path(out) / name for name in (ANSWERS, SUMMARY, PAGE)], force)
    decoder = Decoder(run, learner, person)
    towards = towards or run.recipe.target.positive or decoder.classes[-1]
    check_known("class of this run", towards, decoder.classes)
    with ExitStack() as stack:
        send = [] if to is None else [stack.enter_context(served(to))]
        source = opened(source, run, decoder, fast)
        stack.callback(source.close)
        session = Session(source, decoder, Feedback(decoder.classes, smooth), towards, step, every)
        if out is not None:
            make_folder(out)
            text_files = [stack.enter_context(open(Path(out) / ANSWERS, "w", encoding="utf-8"))]
        else:
            text_files = []
        send += [stack.enter_context(written(file)) for file in (*text_files, *([text] if text else []))]
        answers = []
        try:
            for line in session.lines(seconds):
                words = json_line(line)
                for one in send:
                    one(words)
                if on_line is not None:
                    on_line(line)
                if out is not None and line["event"] == "answer":
                    answers.append((line["time"], line["feedback"]))
        finally:
            summary = {**session.summary(), "decoder": decoder.name, "towards": towards, "source": source.name}
            for one in send:
                one(json_line({"event": "end", **summary}))
            if out is not None:
                _write(Path(out) / SUMMARY, summary)
                atomic_write(Path(out) / PAGE, session_page(summary, answers, getattr(source, "events", [])))
    return summary


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
        _write(Path(out) / LOOP, told)
        atomic_write(Path(out) / PAGE, loop_page(told))
    return told


def _write(path, content):
    atomic_write(path, json.dumps(content, indent=1).encode())
