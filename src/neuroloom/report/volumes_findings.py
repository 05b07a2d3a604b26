"""What a scan's volumes say, in plain sentences: each is said by a rule that stands here, and none is said without its data."""

from dataclasses import dataclass

from scipy.stats import norm, t

from neuroloom.report.wording import counted, joined, millilitres, number

FALSE_ALARMS = 0.05  # chance that any structure of a symmetric brain is called asymmetric
LOW, HIGH = 5.0, 95.0  # percentiles of the reference beyond which a volume is told
QUANTITIES = {"percent_of_icv": "share of the intracranial volume", "total_ml": "volume in ml"}
NO_REFERENCE = "No reference was given, so nothing is said about normal or abnormal."


@dataclass(frozen=True)
class Finding:
    """A sentence, and what it is: poor (quality), notable, plain or unknown (what could not be judged)."""

    kind: str
    text: str


def findings(record):
    """Return the key findings of a `VolumesRecord`, in the order in which they are read.

    Poor quality comes first, and then nothing else is said. Structures that were flagged are left out of all that follows.

    Parameters
    ----------
    record : VolumesRecord

    Returns
    -------
    list of Finding
    """
    if record.quality.passed is False:
        return _poor_quality(record)
    judged = [_centiles(record), _asymmetries(record), _changes(record)]
    notable = [one for found, _, _ in judged for one in found]
    plain = [text for found, text, _ in judged if text]
    unknown = [Finding("unknown", text) for _, _, texts in judged for text in texts]
    compared = record.norms is not None and not record.norms.reason
    if not notable and compared and plain:
        calm = [Finding("plain", f"Nothing notable was found: {'; '.join(plain)}.")]
    else:
        calm = [Finding("plain", f"{capital(text)}.") for text in plain]
    return _left_out(record) + notable + calm + unknown


def _poor_quality(record):
    score = "" if record.quality.score is None else f" (score {number(record.quality.score)})"
    told = "; ".join(quality_reasons(record))
    return [
        Finding("poor", f"The quality of this segmentation is poor{score}{': ' if told else ''}{told}."),
        Finding("poor", "Its volumes may be wrong, so nothing is said about them. Look at the slices; a new scan may be needed."),
    ]  # fmt: skip


def quality_reasons(record):
    """Return what speaks against a scan's quality: reasons of the whole scan, then those of structures."""
    of_structures = {f"{one.name.replace('_', ' ')}: {one.flag}" for one in record.structures if one.flag}
    return [text for text in record.quality.reasons if text not in of_structures] + flagged(record)


def flagged(record):
    """Return each reason for which structures were flagged, with their names before it."""
    held = [one for one in record.structures if one.flag]
    return [
        f"{joined(one.words for one in held if one.flag == flag)} ({flag})"
        for flag in dict.fromkeys(one.flag for one in held)
    ]


def _left_out(record):
    """Return what is said of quality where the scan as a whole passed, or where that is not known."""
    found = []
    if record.quality.passed is None:
        found.append(Finding("unknown", "The quality of this segmentation is not known: look at the slices first."))
    if flagged(record):
        found.append(Finding("poor", f"Not judged, as quality is poor: {'; '.join(flagged(record))}."))
    return found


def usable(record):
    """Return the structures of which something may be said: none of a scan of poor quality, none that is flagged."""
    return [] if record.quality.passed is False else [one for one in record.structures if not one.flag]


def is_outside(one):
    """Return whether a structure's volume is beyond the limits of the reference."""
    return one.percentile is not None and not LOW <= one.percentile.value <= HIGH


def _centiles(record):
    """Return findings, a plain sentence about all others, and sentences on what could not be judged."""
    if record.norms is None:
        return [], "", [NO_REFERENCE]
    if record.norms.reason:
        return [], "", [f"No percentile of {record.norms.name} is given: {record.norms.reason.rstrip('.')}."]
    compared = [one for one in usable(record) if one.percentile is not None]
    if not compared:
        return [], "", [f"No structure could be compared with {record.norms.name}."]
    below = [one for one in compared if one.percentile.value < LOW]
    above = [one for one in compared if one.percentile.value > HIGH]
    outside = [*below, *above]
    found = [
        Finding("notable", text)
        for text in (*_beyond(below, record, "Below", LOW), *_beyond(above, record, "Above", HIGH))
    ]
    limits = f"between the {LOW:.0f}th and the {HIGH:.0f}th percentile of {record.norms.name}"
    if not outside:
        alone = (
            "the one structure compared lies" if len(compared) == 1 else f"all {len(compared)} structures compared lie"
        )
        return [], f"{alone} {limits}", []
    chance = number(len(compared) * (LOW + 100 - HIGH) / 100, 1)
    rest = len(compared) - len(outside)
    others = (
        f"the other {counted(rest, 'structure')} compared {'lies' if rest == 1 else 'lie'} {limits}; " if rest else ""
    )
    text = f"{others}in a person of the reference about {chance} of {len(compared)} lie outside by chance"
    return found, text, []


def _beyond(outside, record, word, limit):
    """Yield a sentence for each quantity in which structures lie beyond a limit, the furthest first."""
    for of in dict.fromkeys(one.percentile.of for one in outside):
        told = sorted(
            (one for one in outside if one.percentile.of == of), key=lambda one: abs(one.percentile.value - 50)
        )
        names = "; ".join(_centile_words(one) for one in reversed(told))
        quantity = QUANTITIES.get(of, of.replace("_", " "))
        yield f"{word} the {limit:.0f}th percentile of {record.norms.name}, by {quantity}: {names}."


def _centile_words(one):
    held = one.percentile
    if held.low is None or held.high is None:
        return f"{one.words} (percentile {number(held.value, 1)})"
    reaches = held.low <= HIGH if held.value > HIGH else held.high >= LOW
    note = ", which reaches the limit: perhaps chance of measuring" if reaches else ""
    return f"{one.words} (percentile {number(held.value, 1)}, interval {number(held.low, 1)} to {number(held.high, 1)}{note})"


def asymmetry_limit(repeatability_percent, n=1, pairs=None):
    """Return the asymmetry, in percent, that errors of measuring pass in 1 of 20 symmetric brains, in any of ``n`` structures.

    Asymmetry is 100 (left - right) over their mean. Where the sides err independently, or partly together, their difference
    errs no more than their sum does, so its standard deviation is at most twice the coefficient of variation of the sum.

    Parameters
    ----------
    repeatability_percent : float
        Coefficient of variation of one measurement of both sides together.
    n : int
        Structures that are judged (Bonferroni).
    pairs : int or None
        Of scans, that the coefficient is from: few pairs know it badly, which Student's t allows for. None takes it for
        known (the normal law).
    """
    beyond = 1 - FALSE_ALARMS / 2 / n
    return float(norm.ppf(beyond) if pairs is None else t.ppf(beyond, pairs)) * 2 * repeatability_percent


def asymmetry_limits(record):
    """Return name -> limit of each structure whose asymmetry can be judged."""
    known = [
        one for one in usable(record) if one.asymmetry_percent is not None and one.repeatability_percent is not None
    ]
    pairs = record.repeatability_pairs
    return {one.name: asymmetry_limit(one.repeatability_percent, len(known), pairs) for one in known}


def asymmetric(record):
    """Return the structures whose sides differ by more than the error of measuring, the most unequal first."""
    limits = asymmetry_limits(record)
    beyond = [one for one in record.structures if one.name in limits and abs(one.asymmetry_percent) > limits[one.name]]
    return sorted(beyond, key=lambda one: -abs(one.asymmetry_percent))


def _asymmetries(record):
    limits, beyond = asymmetry_limits(record), asymmetric(record)
    if not limits:
        sided = any(one.asymmetry_percent is not None for one in usable(record))
        return [], "", ["The error of measuring is not known, so asymmetries are not judged."] if sided else []
    if not beyond:
        return [], "no asymmetry is beyond the error of measuring", []
    told = "; ".join(_asymmetry_words(one, limits[one.name]) for one in beyond)
    text = f"Asymmetries beyond the error of measuring (in brackets: what that explains at most): {told}."
    return [Finding("notable", f"{text} Healthy brains are not quite symmetric: real is not yet abnormal.")], "", []


def _asymmetry_words(one, limit):
    small = "left" if one.asymmetry_percent < 0 else "right"
    return f"{one.words} {small} smaller by {number(abs(one.asymmetry_percent), 1)} % ({number(limit, 1)} %)"


def _changes(record):
    if record.prior is None:
        return [], "", []
    years = "" if record.prior.years is None else f", {number(record.prior.years, 1)} years before"
    since = f"the earlier scan ({record.prior.scan}{years})"
    good = {one.name for one in usable(record)}
    known = [one for one in record.prior.changes if one.name in good and one.percent_per_year is not None]
    care = [f"Read changes with care: {text.rstrip('.')}." for text in record.prior.warnings]
    if not known:
        return [], "", [f"No change since {since} could be measured.", *care]
    changed = sorted((one for one in known if one.changed), key=lambda one: -abs(one.percent_per_year))
    told = "; ".join(_change_words(one) for one in changed)
    found = [Finding("notable", f"Changed since {since}, beyond the error of measuring: {told}.")] if changed else []
    others = "no other structure" if found else "no structure"
    return found, f"{others} changed by more than the error of measuring since {since}", care


def _change_words(one):
    word = "smaller" if one.percent_per_year < 0 else "larger"
    least = one.least_percent_per_year
    error = "" if least is None else f"; the least that can be told is {number(least, 1)} %"
    volumes = f"{millilitres(one.before_ml)} ml then, {millilitres(one.after_ml)} ml now"
    return f"{one.words} {word} by {number(abs(one.percent_per_year), 1)} % a year ({volumes}{error})"


def capital(text):
    """Return text with its first letter large."""
    return text[:1].upper() + text[1:]
