"""The explanation section: each method, its figures, and the tests that it had to pass."""

from pathlib import Path

from neuroloom.formats.numpy_files import read_arrays
from neuroloom.report.figures_channels import channels_figure
from neuroloom.report.figures_connectome import connectome_figure
from neuroloom.report.figures_features import features_figure
from neuroloom.report.figures_volume import volume_figure
from neuroloom.report.wording import compact

FIGURES = {
    "volume_map": volume_figure,
    "connectome": connectome_figure,
    "channels": channels_figure,
    "features": features_figure,
}
LARGEST = 512 * 2**20  # bytes of the arrays of one figure: far more than any that is drawn
VERDICTS = {True: "passed", False: "failed", None: "not decided"}


def explanation_section(record):
    """Return each method of the explanation with its tests and figures; a figure without its file says so.

    Returns
    -------
    list of dict
        ``name``, ``learner``, ``text``, ``tests`` (name, value, threshold, verdict, text), ``figures`` (svg or None,
        title, caption, edges, and narrow: whether two fit side by side).
    """
    return [_method(record, told, f"explanation-{place}") for place, told in enumerate(record.explanation)]


def _method(record, told, name):
    return {
        "name": str(told.get("name", "")).replace("_", " "),
        "learner": record.label(told["learner"]) if told.get("learner") else "",
        "text": told.get("text") or "",
        "tests": [_test(test) for test in told.get("tests") or []],
        "figures": [_figure(record, asked, f"{name}-{n}") for n, asked in enumerate(told.get("figures") or [])],
    }


def _test(test):
    return {
        "name": str(test.get("name", "")).replace("_", " "),
        "value": compact(test.get("value")),
        "threshold": compact(test.get("threshold")),
        "verdict": VERDICTS[test.get("passed")],
        "text": test.get("text") or "",
    }


def _figure(record, asked, name):
    title, path = asked.get("title") or "", record.folder / "explanation" / Path(str(asked.get("file", ""))).name
    nothing = {"svg": None, "title": title, "edges": [], "narrow": False}
    if asked.get("kind") not in FIGURES:
        return {**nothing, "caption": f"a figure of kind {asked.get('kind')!r} cannot be drawn here."}
    if not path.is_file():
        return {**nothing, "caption": f"{path.name} is not in the run's folder."}
    drawn = FIGURES[asked["kind"]](read_arrays(path, LARGEST), title, name)
    return {**nothing, **(drawn or {"caption": "it is zero everywhere, so there is nothing to draw."})}
