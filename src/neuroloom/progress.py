"""Progress bars on the terminal, and a watch on what the run's processes write to the log."""

import threading
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

console = Console(stderr=True)


@contextmanager
def shown_progress():
    """Yield a callable (what, done, of) that shows a bar for each kind of work."""
    columns = (TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        known = {}

        def on_progress(what, done, of):
            if of == 0:
                return
            if what not in known:
                known[what] = bars.add_task(what, total=of)
            bars.update(known[what], completed=done, total=of)

        yield on_progress


@contextmanager
def watched_epochs(log, total, on_progress):
    """While inside, tell how many epochs the log says have ended; the processes that train only write the log."""
    if on_progress is None or total == 0:
        yield
        return
    stop = threading.Event()

    def ended():
        return sum(event["event"] == "epoch ended" for event in log.events())

    def watch():
        while not stop.wait(0.5):
            on_progress("training epochs", ended(), total)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        on_progress("training epochs", ended(), ended())  # patience may have ended a training early
