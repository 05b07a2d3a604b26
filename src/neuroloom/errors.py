"""The one kind of error a user is meant to read: it says what, whose, how much, and the way out."""


class NeuroloomError(Exception):
    """Something in the user's files, recipe or machine stops the work; the message names it and the way out."""


class FileProblem(NeuroloomError):
    """A file cannot be read as what it was taken for."""

    def __init__(self, path, problem, way_out=""):
        shown = str(path).encode("utf-8", "backslashreplace").decode()  # a name that is not UTF-8 can be told too
        self.path, self.problem, self.way_out = shown, problem, way_out
        super().__init__(f"{self.path}: {problem}" + (f" {way_out}" if way_out else ""))

    def __reduce__(self):  # a process that works beside this one hands it over as its arguments
        return FileProblem, (self.path, self.problem, self.way_out)


class LeakError(NeuroloomError):
    """A person (or family, or site) would be on both sides of a split, or the answer among the features."""


class Diverged(NeuroloomError):
    """A training's loss is no longer a number."""


def listed(names, most=8):
    """Return names as one comma-separated phrase, cut with a count when there are many."""
    names = [str(name) for name in names]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
