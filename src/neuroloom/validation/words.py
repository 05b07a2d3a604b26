"""Words for numbers of people, and for not knowing who they are."""

WHO_UNKNOWN = "who is who is unknown, so the split cannot be proven to keep people apart"


def plural(name, n):
    """Return the word for n of a unit of claim."""
    if n == 1:
        return name
    return name[:-1] + "ies" if name.endswith("y") else name + "s"
