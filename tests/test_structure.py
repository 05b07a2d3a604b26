"""The shape of the package: imports point one way, tables name what exists, the door opens fast."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import neuroloom
from neuroloom.estimators import ESTIMATORS
from neuroloom.explanation import EXPLANATIONS
from neuroloom.known import locate
from neuroloom.metrics import METRICS
from neuroloom.models import FUSIONS, MODELS, ROW_MODELS
from neuroloom.sampling import SAMPLINGS
from neuroloom.simulators import SIMULATORS
from neuroloom.tasks import TASKS
from neuroloom.transforms import AUGMENTATIONS, FITTED_TRANSFORMS, SCAN_TRANSFORMS

ROOT = Path(neuroloom.__file__).parent
ORDER = [  # a room imports only from rooms before it; rooms of one line may use each other
    ("errors", "seeds", "scan", "batch", "known", "parts", "parallel"),
    ("formats",),
    ("cohort", "atlases"),
    ("simulators",),
    ("transforms",),
    ("registration", "norms"),
    ("sampling",),
    ("models",),
    ("estimators",),
    ("metrics",),
    ("tasks",),
    ("training",),
    ("validation",),
    ("explanation",),
    ("measurement",),
    ("report",),
    ("recipe",),
    ("preparation", "run_folder"),
    ("progress", "tuning", "prediction", "new_alarms", "scan_jobs", "segmentation"),
    ("live",),
    ("anatomy",),
    ("experiment",),
    ("redteam", "api"),
    ("replay",),
    ("commands",),
    ("cli", "__init__"),
]
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}
TABLES = {
    "models": MODELS, "models of rows": ROW_MODELS, "fusions": FUSIONS, "estimators": ESTIMATORS, "metrics": METRICS, "samplings": SAMPLINGS,
    "simulators": SIMULATORS, "tasks": TASKS, "scan transforms": SCAN_TRANSFORMS, "explanations": EXPLANATIONS,
    "fitted transforms": FITTED_TRANSFORMS, "augmentations": AUGMENTATIONS,
}  # fmt: skip


def room_of(path):
    relative = path.relative_to(ROOT)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imported_rooms(path):
    yield from rooms_in(path.read_text())


def rooms_in(code):
    """Yield the rooms that code imports from, as ``neuroloom.room...`` or ``from neuroloom import room``."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module == "neuroloom":
            yield from (alias.name for alias in node.names if alias.name in RANK)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("neuroloom."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("neuroloom."))


def test_imports_point_one_way():
    wrong = [
        f"{path.relative_to(ROOT)} imports {room}"
        for path in sorted(ROOT.rglob("*.py"))
        for room in imported_rooms(path)
        if RANK[room] > RANK[room_of(path)]
    ]
    assert wrong == []


def test_rooms_are_seen_in_every_form_of_import():
    code = (
        "import neuroloom.formats.nifti\nfrom neuroloom.cohort import folds\nfrom neuroloom import report, __version__"
    )
    assert list(rooms_in(code)) == ["formats", "cohort", "report"]


@pytest.mark.parametrize("table", TABLES)
def test_every_entry_of_every_table_is_there_and_says_what_it_is(table):
    for name in TABLES[table]:
        assert (locate(table, TABLES[table], name).__doc__ or "").strip(), name


UNPICKLERS = {  # module -> what in it may run code of whoever wrote a file; None is all of it
    "pickle": None,
    "dill": None,
    "cloudpickle": None,
    "joblib": {"load"},
    "torch": {"load"},
    "pandas": {"read_pickle"},
    "yaml": {"unsafe_load", "full_load", "Loader", "UnsafeLoader", "FullLoader"},
    "os": {"system"},
}
BUILT_IN = {"eval", "exec"}


def unpickling_in(code):
    """Return every line of code that could run what a file holds, whatever name its module was given."""
    nodes = list(ast.walk(ast.parse(code)))
    modules = {
        alias.asname or alias.name: alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names
    }
    return [ast.unparse(node) for node in nodes if _unpickles(node, modules)]


def _unpickles(node, modules):
    if isinstance(node, ast.Import):
        return any(UNPICKLERS.get(alias.name.split(".")[0], {}) is None for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        risky = UNPICKLERS.get((node.module or "").split(".")[0], {})
        return risky is None or any(alias.name in risky for alias in node.names)
    if isinstance(node, ast.Attribute):
        module = ast.unparse(node.value)
        return node.attr in (UNPICKLERS.get(modules.get(module, module), {}) or {})
    if isinstance(node, ast.Call):
        allowed = [word.value for word in node.keywords if word.arg == "allow_pickle"]
        return ast.unparse(node.func) in BUILT_IN or any(ast.unparse(value) != "False" for value in allowed)
    return False


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "from torch import load",
        "import torch as t\nt.load(path)",
        "numpy.load(path, allow_pickle=True)",
        "import pandas as pd\npd.read_pickle(path)",
        "from joblib import load as read",
        "yaml.load(text, yaml.UnsafeLoader)",
        "eval(text)",
    ],
)
def test_what_unpickles_is_seen(code):
    assert unpickling_in(code) != []


def test_what_does_not_unpickle_is_left_alone():
    assert unpickling_in("import torch\nimport numpy as np\nnp.load(path, allow_pickle=False)\ntorch.save(x, y)") == []


def test_no_file_of_a_stranger_is_ever_unpickled():
    found = [f"{path.name}: {line}" for path in sorted(ROOT.rglob("*.py")) for line in unpickling_in(path.read_text())]
    assert found == []


def asserting_nothing(code):
    """Return the tests in code that assert nothing themselves: no assert, no assert_..., no pytest.raises."""
    functions = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef)]
    return [one.name for one in functions if one.name.startswith("test_") and not any(map(_asserts, ast.walk(one)))]


def _asserts(node):
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).split(".")[-1]
        return name.startswith("assert_") or name in ("raises", "warns")
    return isinstance(node, ast.Assert)


def test_a_test_that_leaves_its_assertion_to_a_helper_is_seen():
    code = "def test_a():\n    check(x)\n\ndef test_b():\n    assert x\n\ndef test_c():\n    with pytest.raises(E):\n        x()"
    assert asserting_nothing(code) == ["test_a"]


def test_every_test_asserts_something_itself():
    files = sorted(Path(__file__).parent.rglob("test_*.py"))
    found = [f"{path.name}: {name}" for path in files for name in asserting_nothing(path.read_text())]
    assert found == []


@pytest.mark.parametrize("words", [["--help"], ["list", "--json"]])
def test_the_door_opens_without_heavy_libraries(words):
    heavy = "('torch', 'sklearn', 'nilearn', 'matplotlib', 'monai')"
    script = (
        f"import sys; sys.argv = ['neuroloom', *{words}]\n"
        "from neuroloom.cli import main\n"
        f"try: main()\nexcept SystemExit: print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
