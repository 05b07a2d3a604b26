"""What has come of a source by now: read by a thread, so that the work of answering does not hide how long a block waited."""

import threading

MOST_WAITING = 64 * 1024**2  # bytes of samples; with more the reader stands still until they are taken


class Arrivals:
    """Read a source beside the work.

    Parameters
    ----------
    source : iterable of Block
        With ``paced`` (whether samples come by themselves) and ``close``. One that is not paced is asked for a block at a
        time.
    """

    def __init__(self, source):
        self.source = source
        self.waiting, self.n_bytes = [], 0
        self.over, self.error, self.left = False, None, False  # of the source; whether nobody takes blocks any more
        self.change = threading.Condition()

    def __iter__(self):
        """Yield lists of all blocks that have come since the last one; what the source raised is raised after them."""
        if not self.source.paced:
            yield from ([block] for block in self.source)
            return
        threading.Thread(target=self._read, daemon=True, name="neuroloom stream").start()
        try:
            while blocks := self._come():
                yield blocks
            if self.error is not None:
                raise self.error
        finally:
            self._leave()

    def _read(self):
        try:
            for block in self.source:
                if not self._put(block):
                    return
        except BaseException as error:  # it is raised where the blocks are taken
            self.error = error
        finally:
            with self.change:
                self.over = True
                self.change.notify_all()

    def _put(self, block):
        """Let a block wait, once there is room; return whether anybody still takes blocks."""
        with self.change:
            self.change.wait_for(lambda: self.n_bytes < MOST_WAITING or self.left)
            self.waiting.append(block)
            self.n_bytes += block.data.nbytes
            self.change.notify_all()
            return not self.left

    def _come(self):
        """Return the blocks that have come, one at least, or none where the source is over."""
        with self.change:
            self.change.wait_for(lambda: self.waiting or self.over)
            blocks, self.waiting, self.n_bytes = self.waiting, [], 0
            self.change.notify_all()
            return blocks

    def _leave(self):
        """Wake up a reader that stands still, and let go of the source."""
        with self.change:
            self.left = True
            self.change.notify_all()
        self.source.close()
