"""From a template to a page: everything escaped, no folder of this machine on it."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from neuroloom.report.wording import without_paths

TEMPLATES = Path(__file__).parent / "templates"


def rendered(template, styles, **content):
    """Return a page as HTML text.

    Parameters
    ----------
    template : str
        A file in templates/.
    styles : list of str
        Style sheets in templates/, which go into the page; later ones win.
    **content
        What the template shows. Text is escaped; only `markupsafe.Markup` goes in as it is.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = Markup("\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in styles))
    return environment.get_template(template).render(style=style, **content)


def _shown(value):
    """Keep folders of whoever ran this off the page, wherever a text comes from."""
    return without_paths(value) if isinstance(value, str) and not isinstance(value, Markup) else value
