"""How numbers, metrics and names are written, on the page and in the terminal."""

import math
import re

from neuroloom.known import locate
from neuroloom.metrics import METRICS

IN_UNIT_OF_TARGET = {"mae", "rmse"}
DECIMALS = {"brier": 3, "log_loss": 3, "ece": 3}  # metrics whose second decimal says too little
CORRECTED = "_corrected"
ABSENT = "–"

_NOT_AFTER = r"(?<![\w/\\.:…])(?:file:/*)?"  # so that and/or, https:// and ./x stay as they are
_HOME = re.compile(
    _NOT_AFTER + r"(?:[A-Za-z]:)?[\\/]+(?:root|(?:home|Users)[\\/]+"
    r"(?:[^\s\\/\"'<>|]+(?: [^\s\\/\"'<>|]+){0,2}(?=[\\/])|[^\s\\/\"'<>|,;:]+))(?![\w-])",
    re.IGNORECASE,
)
_FOLDER = r"(?:[^\s\\/\"'<>|,;]+[\\/])"
_FOLDERS = re.compile(_NOT_AFTER + rf"(?:~[\w.-]*[\\/]{_FOLDER}*|(?:[A-Za-z]:[\\/]|\\\\|/){_FOLDER}+)")


def metric_label(metric, unit=None):
    """Return what a reader calls a metric, with the target's unit where it has one: ``Mean absolute error (years)``."""
    words = metric_words(metric)
    label = words[:1].upper() + words[1:]
    return f"{label} ({unit})" if unit and metric.removesuffix(CORRECTED) in IN_UNIT_OF_TARGET else label


def metric_words(metric):
    """Return what a reader calls a metric inside a sentence."""
    base = metric.removesuffix(CORRECTED)
    known = _known(base)
    words = known.label if known else base.replace("_", " ")
    return words if metric == base else f"{words}, bias-corrected"


def less_is_better(metric):
    known = _known(metric.removesuffix(CORRECTED))
    return known is not None and known.higher_is_better is False


def _known(metric):
    return locate("metric", METRICS, metric) if metric in METRICS else None


def defined(value):
    """Return the number, or None where it is missing or NaN: JSON knows both ways to say so."""
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def number(value, digits=2):
    """Return a number with a true minus sign; a dash where it is missing or not defined."""
    if defined(value) is None:
        return ABSENT
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def score(value, metric):
    return number(value, DECIMALS.get(metric.removesuffix(CORRECTED), 2))


def score_interval(interval, metric):
    """Return ``0.80 to 0.92``, or nothing where there is no interval."""
    if not interval or any(defined(end) is None for end in interval):
        return ""
    return " to ".join(score(end, metric) for end in interval)


def compact(value, spread=None):
    """Return a number with the decimals that three digits of it, or two digits of its spread, need."""
    if defined(value) is None:
        return ABSENT
    size = abs(value) if spread is None else abs(spread)
    digits = (2 if spread is None else 1) - math.floor(math.log10(size)) if size else 0
    return number(value, min(max(digits, 0), 6))


def millilitres(value):
    """Return a volume in ml with three digits."""
    if defined(value) is None:
        return ABSENT
    return number(value, 0 if value >= 100 else 1 if value >= 10 else 2)


def p_value(p):
    if defined(p) is None:
        return ABSENT
    return "p < 0.001" if p < 0.001 else f"p = {number(p, 3)}"


def counted(n, noun, plural=None):
    """Return ``1 participant``, ``12 participants``."""
    return f"{n} {noun if n == 1 else plural or noun + 's'}"


def joined(words):
    """Return ``a``, ``a and b``, ``a, b and c``."""
    words = [str(word) for word in words]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def without_paths(text):
    """Return text without absolute folders: what they lead to stays, whose machine it was does not show.

    Web addresses and words such as ``and/or`` are left as they are.
    """
    return _FOLDERS.sub("…/", _HOME.sub("…", str(text)))
