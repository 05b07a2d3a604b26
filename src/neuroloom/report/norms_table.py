"""What was fitted, a line a measure, for the terminal."""

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from neuroloom.report.figures_norms import PANELS
from neuroloom.report.wording import ABSENT, number


def norms_table(norms):
    """Return the number of women and men of each measure, and the range over thirds of age of the share below each line."""
    caption = "Below: share of the reference below the 5, 50 and 95 % lines, least and most of the thirds by age."
    table = Table(title=Text(norms.name), title_justify="left", box=SIMPLE_HEAD, caption=caption)
    for title in ("Measure", *(word.capitalize() for word in PANELS.values()), "Below 5", "Below 50", "Below 95 %"):
        table.add_column(title, justify="left" if title == "Measure" else "right")
    for measure, norm in norms.measures.items():
        people = [_people(norm.people.get(code)) for code in PANELS]
        below = [_range([getattr(third, f"below_{line}") for third in norm.thirds]) for line in (5, 50, 95)]
        table.add_row(Text(measure), *people, *below)
    return table


def _people(group):
    return ABSENT if group is None else str(group.n)


def _range(shares):
    return f"{number(100 * min(shares), 0)} to {number(100 * max(shares), 0)}"
