"""Where a part of a recipe comes from: the source that its own docstring names."""

import ast
import importlib.util
import re

REFERENCE = re.compile(r"([A-Z][^().;:\n]*?(?:\set al\.)?,?\s\(?\d{4}[a-z]?)\)?,?\s*doi:\s*(10\.\d{4,9}/[^\s,;\"'<>]+)")
DOI = re.compile(r"10\.\d{4,9}/[^\s,;\"'<>]+")


def references_of(table, name, of_arguments=False):
    """Return (who and when, DOI) pairs that the docstring of a table's entry names.

    The source file is parsed, not imported: a page that mentions a network does not need torch.

    Parameters
    ----------
    table : dict
        name -> ``module:attribute``.
    name : str
    of_arguments : bool
        Also those that stand with single arguments or in the notes: they hold only where such an argument is used.
    """
    if name not in table:
        return []
    module, attribute = table[name].split(":")
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return []
    with open(spec.origin, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    nodes = [node for node in tree.body if getattr(node, "name", None) == attribute]
    texts = [ast.get_docstring(node) or "" for node in [*nodes[:1], tree]]
    told = " ".join(text if of_arguments else re.split(r"\n(?:Parameters|Notes)\n", text)[0] for text in texts)
    return _found(re.sub(r"\s+", " ", told))


def reference_in(text):
    """Return (who and when, DOI) of a source as a recipe writes it, or None where it names no DOI."""
    found = DOI.search(str(text or ""))
    return ("", _closed(found[0])) if found else None


def _found(text):
    pairs = [(who.strip().lstrip("(").replace(" (", " "), _closed(doi)) for who, doi in REFERENCE.findall(text)]
    return list(dict.fromkeys(pairs))


def _closed(doi):
    """Return a DOI without the point or bracket that ends the sentence around it."""
    doi = doi.rstrip(".")
    while doi.endswith(")") and doi.count(")") > doi.count("("):
        doi = doi[:-1].rstrip(".")
    return doi
