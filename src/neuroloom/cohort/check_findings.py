"""What a check of a cohort found: what, whose, how bad, and the way out."""

import textwrap
from dataclasses import dataclass

import pandas as pd

LEVELS = ("error", "warning", "note")  # stops the work or makes it wrong; may bias it; good to know
MARGIN = " " * 8


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Parameters
    ----------
    level : str
        One of ``LEVELS``.
    what : str
        The kind of finding, in a few words, the same in every cohort: "near-duplicate scans".
    text : str
        What was found, with names and numbers.
    who : tuple of str
        All samples (or participants) it is about; empty where it is about the whole cohort.
    way_out : str
        What to do about it.
    """

    level: str
    what: str
    text: str
    who: tuple[str, ...] = ()
    way_out: str = ""


@dataclass(frozen=True)
class Findings:
    """All findings of one check, the gravest first."""

    name: str
    n_samples: int
    n_participants: int
    found: tuple[Finding, ...]

    def __post_init__(self):
        object.__setattr__(self, "found", tuple(sorted(self.found, key=lambda finding: LEVELS.index(finding.level))))

    def __iter__(self):
        return iter(self.found)

    def __len__(self):
        return len(self.found)

    @property
    def ok(self):
        """Whether there is no error; warnings and notes may be there."""
        return not self.of("error")

    def of(self, level):
        """Return the findings of one level."""
        return [finding for finding in self.found if finding.level == level]

    @property
    def text(self):
        """The findings as a reader would like them on a terminal."""
        head = f"{self.name}: {self.n_samples} samples of {self.n_participants} participants"
        counts = ", ".join(_counted(len(self.of(level)), level) for level in LEVELS)
        lines = [f"{head}. Found: {counts}."]
        for finding in self.found:
            told = f"{finding.level.upper():<{len(MARGIN)}}{finding.what}: {finding.text}"
            lines += ["", _wrapped(told, first="")]
            if finding.way_out:
                lines.append(_wrapped(finding.way_out, first=MARGIN))
        return "\n".join(lines)

    def table(self):
        """Return the findings as a table: level, what, n, who, text, way_out."""
        rows = [
            {
                "level": finding.level,
                "what": finding.what,
                "n": len(finding.who),
                "who": " ".join(finding.who),
                "text": finding.text,
                "way_out": finding.way_out,
            }
            for finding in self.found
        ]
        return pd.DataFrame(rows, columns=["level", "what", "n", "who", "text", "way_out"])


def _wrapped(text, first):
    return textwrap.fill(
        text, 110, initial_indent=first, subsequent_indent=MARGIN, break_long_words=False, break_on_hyphens=False
    )


def _counted(n, word):
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
