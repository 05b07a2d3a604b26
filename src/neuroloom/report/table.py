"""The result table at the end of a run, for the terminal."""

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from neuroloom.report.scores import ROLE_WORDS, column_groups, score_rows
from neuroloom.report.wording import metric_label

STYLES = {"deep": "cyan", "chance": "dim", "ceiling": "dim"}
MOST_METRICS = 3


def result_table(metrics):
    """Return the scores of a run: deep model, baselines, confounds, chance and, where known, the ceiling.

    Parameters
    ----------
    metrics : dict
        The content of metrics.json.

    Returns
    -------
    rich.table.Table
        Each score with its 95 % interval; bold where every comparison was won clearly.
    """
    columns = column_groups(metrics)[0][:MOST_METRICS]
    rows = score_rows(metrics, columns)
    has_p = any(row["p"] for row in rows)
    table = _empty(metrics, columns, has_p)
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        style = STYLES.get(row["role"], "")
        cells = [_cell_text(cell, style) for cell in row["cells"]]
        cells += [Text(row["p"].removeprefix("p = "), style)] if has_p else []
        ends = following is not None and row["role"] in ROLE_WORDS and following["role"] not in ROLE_WORDS
        table.add_row(Text(row["name"], style), *cells, end_section=ends)
    return table


def _empty(metrics, columns, has_p):
    unit = (metrics.get("target") or {}).get("unit")
    table = Table(
        title=Text(metrics.get("title") or "Result"),
        title_justify="left",
        box=SIMPLE_HEAD,
        caption="Below each score: its 95 % interval. p: against chance.",
    )
    table.add_column("Learner")
    for metric in columns:
        table.add_column(Text(metric_label(metric, unit)), justify="right", min_width=13)
    if has_p:
        table.add_column("p", justify="right", no_wrap=True)
    return table


def _cell_text(cell, style):
    text = Text(cell["value"], f"bold {style}".strip() if cell["bold"] else style)
    return text.append(f"\n{cell['interval']}", "dim") if cell["interval"] else text
