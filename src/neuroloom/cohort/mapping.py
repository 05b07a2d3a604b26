"""Values of a user's table mapped to the words of the cohort."""

from neuroloom.errors import NeuroloomError, listed
from neuroloom.formats.tables import NUMBER, WHOLE


def mapped(values, column, path):
    """Return the values by their mapping, found by `plain_key`; an unnamed value is an error."""
    mapping = {plain_key(key): value for key, value in column.values.items()}
    keys = values.map(plain_key, na_action="ignore")
    odd = sorted({str(key) for key in keys.dropna() if key not in mapping})
    if odd:
        raise NeuroloomError(
            f"{path}: column {column.source!r} holds {listed(odd)}, which its 'values' do not name "
            f"(they name {listed(column.values)})."
        )
    return keys.map(mapping)


def plain_key(value):
    """Return one word for a value however it is written: 1, 1.0 and '1' are one, true and 'True', not 7 and '007'."""
    text = str(value).strip()
    if text.lower() in ("true", "false"):
        return text.lower()
    if WHOLE.fullmatch(text):
        return str(int(text))
    if not NUMBER.fullmatch(text):
        return text
    number = float(text)
    return str(int(number)) if number.is_integer() else str(number)
