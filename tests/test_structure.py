"""The shape of the package: imports point one way, tables name what exists, the door opens fast."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import neuroloom
from neuroloom.estimators import ESTIMATORS
from neuroloom.explanation import EXPLANATIONS
from neuroloom.metrics import METRICS
from neuroloom.models import FUSIONS, MODELS
from neuroloom.parts import locate
from neuroloom.sampling import SAMPLINGS
from neuroloom.simulators import SIMULATORS
from neuroloom.tasks import TASKS
from neuroloom.transforms import AUGMENTATIONS, FITTED_TRANSFORMS, SCAN_TRANSFORMS

ROOT = Path(neuroloom.__file__).parent
ORDER = [  # a room imports only from rooms before it; rooms of one line may use each other
    ("errors", "seeds", "scan", "batch", "parts", "parallel"),
    ("formats",),
    ("cohort", "atlases"),
    ("simulators",),
    ("transforms",),
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
    ("progress", "tuning", "prediction"),
    ("experiment",),
    ("redteam", "api"),
    ("replay",),
    ("cli", "__init__"),
]
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}
TABLES = {
    "models": MODELS, "fusions": FUSIONS, "estimators": ESTIMATORS, "metrics": METRICS, "samplings": SAMPLINGS,
    "simulators": SIMULATORS, "tasks": TASKS, "scan transforms": SCAN_TRANSFORMS, "explanations": EXPLANATIONS,
    "fitted transforms": FITTED_TRANSFORMS, "augmentations": AUGMENTATIONS,
}  # fmt: skip


def room_of(path):
    relative = path.relative_to(ROOT)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("neuroloom."):
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


@pytest.mark.parametrize("table", TABLES)
def test_every_entry_of_every_table_is_there_and_says_what_it_is(table):
    for name in TABLES[table]:
        assert (locate(table, TABLES[table], name).__doc__ or "").strip(), name


def test_no_file_of_a_stranger_is_ever_unpickled():
    risky = {"pickle", "torch.load", "joblib.load", "eval", "exec", "yaml.unsafe_load", "os.system"}
    found = []
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in risky:
                found.append(f"{path.name}: {ast.unparse(node.func)}")
            if isinstance(node, ast.Import) and any(alias.name in risky for alias in node.names):
                found.append(f"{path.name}: import {node.names[0].name}")
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
