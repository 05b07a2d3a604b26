"""How a scan's volumes were measured, and how far they go: for the page's last section."""

from neuroloom.report.wording import joined, number

MOST_LISTED = 8  # numbers of a table
WAYS = {"R": "right", "L": "left", "A": "front", "P": "back", "S": "top", "I": "bottom"}


def methods_rows(record):
    """Return (what, text) of the scan, the weights, the errors and the reference."""
    rows = [("Scan", _scan(record)), ("Weights", _weights(record.weights))]
    rows.append(("Error of measuring", _repeatability(record)))
    if record.norms:
        rows.append(("Reference", _reference(record.norms)))
    return rows


def _scan(record):
    size, shape = (joined_by_cross(values, digits) for values, digits in ((record.voxel_mm, 2), (record.shape, 0)))
    ways = joined(WAYS[letter] for letter in record.orientation or "")
    axes = f", axes to the {ways} ({record.orientation})" if ways else ""
    return f"voxels of {size} mm, {shape} of them{axes}."


def joined_by_cross(values, digits):
    return " × ".join(number(value, digits) for value in values)


def _weights(told):
    text = told.name
    if told.answer_mm is not None:
        text += f", answers at {number(told.answer_mm, 1)} mm"
    if told.sha256:
        text += f", SHA-256 {told.sha256[:16]}"
    text = f"{text}."
    if told.summary:
        text += f" {told.summary.rstrip('.')}."
    return f"{text} {_reached(told.scores)}".strip()


def _reached(scores):
    """Return what weights reached: single numbers, then tables of them, long ones by their ends."""
    if not scores:
        return ""
    single = joined(f"{key} {number(value)}" for key, value in scores.items() if isinstance(value, int | float))
    where = f" on {scores['on']}" if scores.get("on") else ""
    tables = [_table(key, value) for key, value in scores.items() if isinstance(value, dict) and value]
    return f"Reached: {'; '.join([f'{single}{where}', *tables])}."


def _table(key, values):
    known = [value for value in values.values() if isinstance(value, int | float)]
    if len(values) > MOST_LISTED and known:
        told = f"{number(min(known))} to {number(max(known))}"
    else:
        told = joined(f"{name.replace('_', ' ')} {number(value)}" for name, value in values.items())
    return f"{key.replace('_', ' ')} {told}"


def _repeatability(record):
    known = [one.repeatability_percent for one in record.structures if one.repeatability_percent is not None]
    if not known:
        return "not known for these weights, so asymmetries are not judged."
    pairs = "" if record.repeatability_pairs is None else f" from {record.repeatability_pairs} pairs of scans"
    return (
        f"coefficient of variation of one measurement, {number(min(known), 1)} to {number(max(known), 1)} % by "
        f"structure{pairs}. It is that of simulated T1-weighted scans at 1 mm without thick slices or ghosts: other scans err "
        "more, and more asymmetries are then told by chance. "
        "An asymmetry, 100 (left − right) over their mean, is told where it is beyond what this error gives in 1 of 20 "
        "symmetric brains, the number of structures allowed for."
    )


def _reference(norms):
    people = "" if norms.n is None else f", {norms.n} people"
    ages = f" of {number(norms.ages[0], 0)} to {number(norms.ages[-1], 0)} years" if norms.ages else ""
    none = f" No percentile here: {norms.reason.rstrip('.')}." if norms.reason else ""
    return f"{norms.name}{people}{ages}. Told are percentiles below 5 and above 95.{none}"


def limits_text(record):
    """Return the sentences on what these numbers cannot say."""
    texts = ["For research; it does not replace clinical judgment. A volume is not a diagnosis."]
    if record.weights.answer_mm:
        texts.append(
            f"The network answers at {number(record.weights.answer_mm, 1)} mm: thin parts are less sure than large ones."
        )
    texts.append("Lesions, tumours and surgery are not looked for, and can make volumes near them wrong.")
    if record.norms:
        texts.append(
            "A percentile compares with the people of the reference; another scanner or sequence can shift it."
        )
    if record.prior:
        texts.append("Changes are those between two scans; another scanner, sequence or movement can look like change.")
    return texts
