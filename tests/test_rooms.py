"""The rooms of the house: who may import whom. Imports within functions count as well."""

import ast
import re
from functools import cache
from pathlib import Path

import networkx
import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("circuits", "fitness", "evo")
STATEMENTS = ast.stmt | ast.ExceptHandler | ast.match_case  # where imports stand

# what circuits are judged by, and its names
CONCRETE = ("fitness.tasks", "fitness.recordings", "fitness.datasets", "fitness.learning", "fitness.registry")
NAMING = {
    "evo.spec": "a spec names its judge",
    "evo.cli": "evo tasks and evo recording list and explain what there is",
    "evo.web": "the lab lets choose a task",
    "evo.inspect.terminal.recording": "evo recording shows a file, and no run",
    "evo.studies.baselines": "models beside circuits, fitted to a recording",
}


def _modules():
    """The names of all modules, each with its file."""
    found = {}
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            parts = file.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


MODULES = _modules()


def _imported(name):
    """The modules of ours that a module imports, but for types alone."""
    wanted, nodes = set(), [ast.parse(MODULES[name].read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        nodes += [child for child in ast.iter_child_nodes(node) if isinstance(child, STATEMENTS)]
        if isinstance(node, ast.Import):
            wanted |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            wanted |= {
                f"{node.module}.{alias.name}" if f"{node.module}.{alias.name}" in MODULES else node.module
                for alias in node.names
            }
    return {module for module in wanted if module in MODULES} - {name}


@cache
def _imports():
    """The modules of ours that each module imports."""
    return {name: _imported(name) for name in MODULES}


def _within(module, rooms):
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def _names(module, package):
    """The names that a module imports from the face of a package."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == package]
    return {alias.name for node in froms for alias in node.names}


def _circles(arrows):
    graph = networkx.DiGraph()
    graph.add_edges_from(arrows)
    return sorted(sorted(circle) for circle in networkx.strongly_connected_components(graph) if len(circle) > 1)


def test_packages_import_one_way():
    order = {package: k for k, package in enumerate(PACKAGES)}
    back = {(a, b) for a, those in _imports().items() for b in those if order[a.split(".")[0]] < order[b.split(".")[0]]}
    assert not back


def test_no_module_imports_itself_through_others():
    assert _circles((a, b) for a, those in _imports().items() for b in those) == []


@pytest.mark.parametrize("room", sorted({name.rpartition(".")[0] for name in MODULES} - {""}))
def test_what_lies_in_a_room_imports_one_way(room):
    """A folder is one thing to those beside it: what it imports, they may not import back. Its face, `__init__`, shows it to
    others, and is not one of its parts."""
    depth = room.count(".") + 2
    inside = [name for name in MODULES if name.startswith(room + ".")]
    place = {name: ".".join(name.split(".")[:depth]) for name in inside}
    arrows = {(place[a], place[b]) for a in inside for b in _imports()[a] if b in place}
    assert _circles((a, b) for a, b in arrows if a != b) == []


def test_whoever_judges_circuits_is_known_by_one_contract():
    """Searches, stores and pages import `fitness.judges.judge`, and ask what it answers: they know no task, recording or other
    judge, and compare no name. (`fitness.judges.scores` reads what is told to `evo.Evolver`.)"""
    file = MODULES["fitness.judges.judge"]
    contract = {node.name for node in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef)}
    faces = {"fitness.judges.judge", "fitness.judges.scores"}
    concrete = {name for name in MODULES if _within(name, (*CONCRETE, "fitness.judges"))} - faces - {"fitness.judges"}
    assert {"fitness.judges.simulated", "fitness.recordings.task", "fitness.tasks.gate"} <= concrete
    assert _imports()["fitness.judges.judge"] & concrete == set()
    asking = [name for name in MODULES if name.startswith("evo.") and not _within(name, NAMING)]
    assert {(name, known) for name in asking for known in _imports()[name] & concrete} == set()
    allowed = contract | {"PUT_OFF", "judged", "kind"}
    assert {(name, known) for name in asking for known in _names(name, "fitness.judges") - allowed} == set()
    comparing = re.compile(r"judged_by *(==|!=|in\b|not in\b)")
    assert [name for name in asking if comparing.search(MODULES[name].read_text(encoding="utf-8"))] == []
    assert [room for room in NAMING if not any(_within(name, [room]) and _imports()[name] & concrete for name in MODULES)] == []


def test_every_room_says_what_it_is_for():
    assert [
        str(file)
        for name, file in MODULES.items()
        if file.name == "__init__.py" and not ast.get_docstring(ast.parse(file.read_text()))
    ] == []
