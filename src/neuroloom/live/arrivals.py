"""What has come of a source by now: read by a thread, so that the work of answering does not hide how long a block waited."""

import queue
import threading

END = object()


class Arrivals:
    """Read a source beside the work.

    Parameters
    ----------
    source : iterable of Block
        With ``paced`` (whether samples come by themselves) and ``close``. One that is not paced is asked for a block at a
        time.
    """

    def __init__(self, source):
        self.source, self.waiting = source, queue.Queue()

    def __iter__(self):
        """Yield lists of all blocks that have come since the last one."""
        if not self.source.paced:
            yield from ([block] for block in self.source)
            return
        threading.Thread(target=self._read, daemon=True, name="neuroloom stream").start()
        try:
            over = False
            while not over:
                blocks, over = self._come()
                if blocks:
                    yield blocks
        finally:
            self.source.close()

    def _read(self):
        try:
            for block in self.source:
                self.waiting.put(block)
            self.waiting.put(END)
        except BaseException as error:  # it is raised where the blocks are taken
            self.waiting.put(error)

    def _come(self):
        """Return the blocks that have come, one at least, and whether the stream is over; raise what the source raised."""
        blocks, one = [], self.waiting.get()
        while one is not END:
            if isinstance(one, BaseException):
                if not blocks:
                    raise one
                self.waiting.put(one)  # first what came before it
                return blocks, False
            blocks.append(one)
            try:
                one = self.waiting.get_nowait()
            except queue.Empty:
                return blocks, False
        return blocks, True
