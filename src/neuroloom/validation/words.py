"""Words for numbers of people."""


def plural(name, n):
    """Return the word for n of a unit of claim."""
    if n == 1:
        return name
    return name[:-1] + "ies" if name.endswith("y") else name + "s"
