"""What a session leaves: each line as it comes, and at the end a summary and a page."""

import json
from contextlib import ExitStack
from pathlib import Path

from neuroloom.formats.atomic import atomic_write, make_folder, refuse_to_replace
from neuroloom.live.listeners import Listeners
from neuroloom.live.thinned import Thinned
from neuroloom.report.live_page import session_page

ANSWERS, SUMMARY, PAGE = "answers.jsonl", "summary.json", "live.html"
MOST_DRAWN = 4000  # answers of a session


class Outputs:
    """Where the lines of a session go; a context, in which files and sockets are open.

    Parameters
    ----------
    out : Path or None
        Folder for ``answers.jsonl``, ``summary.json`` and ``live.html``.
    text : file or None
        Where each line is written too.
    to : str or None
        tcp://HOST:PORT, where lines are sent to whoever connects.
    on_line, on_end : callable or None
        Called with each line, and at the end with the summary.
    force : bool
        Replace what an earlier session left in ``out``.
    """

    def __init__(self, out=None, text=None, to=None, on_line=None, on_end=None, force=False):
        self.out, self.text, self.to = None if out is None else Path(out), text, to
        self.on_line, self.on_end = on_line, on_end
        self.drawn = Thinned(MOST_DRAWN)  # (time s, feedback)
        if self.out is not None:
            refuse_to_replace([self.out / name for name in (ANSWERS, SUMMARY, PAGE)], force)

    def __enter__(self):
        self.stack, self.writers = ExitStack(), []
        if self.to is not None:
            self.writers.append(self.stack.enter_context(Listeners(self.to)).send)
        if self.out is not None:
            make_folder(self.out)
            file = self.stack.enter_context(open(self.out / ANSWERS, "w", encoding="utf-8"))
            self.writers.append(_writer(file))
        if self.text is not None:
            self.writers.append(_writer(self.text))
        return self

    def __exit__(self, *error):
        self.stack.close()

    def take(self, line):
        """Hand a line on."""
        text = json_line(line)
        for write in self.writers:
            write(text)
        if self.on_line is not None:
            self.on_line(line)
        if self.out is not None and line["event"] == "answer":
            self.drawn.take((line["time"], line["feedback"]))

    def end(self, summary, events):
        """Tell how it ended; ``events`` are those of a recording that was replayed."""
        for write in self.writers:
            write(json_line({"event": "end", **summary}))
        if self.out is not None:
            atomic_write(self.out / SUMMARY, json.dumps(summary, indent=1).encode())
            atomic_write(self.out / PAGE, session_page(summary, self.drawn.kept, events))
        if self.on_end is not None:
            self.on_end(summary)


def json_line(line):
    """Return a line as text, its numbers to six decimals."""
    return json.dumps(_rounded(line)) + "\n"


def _rounded(value):
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return round(value, 6) if isinstance(value, float) else value


def _writer(file):
    def write(text):
        file.write(text)
        file.flush()

    return write
