"""The house rules that no linter knows: sizes, faces, imports, workers' edges."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "comity"
MOST_LINES_IN_A_FILE = 600
MOST_LINES_IN_A_FUNCTION = 60
MOST_LINES_IN_A_FACE = 60
MOST_LINES_ON_THE_GROUND = 300
# Workers' edges, where a loop must outlive whatever one turn of it raises; each logs.
WORKERS = {
    "node/jobs.py",
    "exchange/collector.py",
    "exchange/delivery.py",
    "exchange/evidence/worker.py",
    "exchange/inbox.py",
    "exchange/transports/https/clerks.py",
    "exchange/transports/https/writer.py",
    "console/live.py",
    "journeys/watch.py",
    "api/problems.py",
}


def _modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "migrations" not in path.parts]


def _name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


MODULES = _modules()
EVERY_FILE = MODULES + sorted((ROOT / "tests").rglob("*.py")) + sorted((ROOT / "benchmarks").rglob("*.py"))


@pytest.mark.parametrize("path", EVERY_FILE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_and_no_function_is_too_long(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= MOST_LINES_IN_A_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= MOST_LINES_IN_A_FUNCTION, f"{node.name} has {length} lines"


def test_the_ground_stays_small() -> None:
    assert sum(path.read_text().count("\n") for path in (PACKAGE / "common").glob("*.py")) <= MOST_LINES_ON_THE_GROUND


ROOMS = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.name)
def test_a_face_defines_nothing(room: Path) -> None:
    text = (room / "__init__.py").read_text()
    assert text.count("\n") <= MOST_LINES_IN_A_FACE * 2
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a face says in one line what the room is for"
    for node in tree.body:
        is_docstring = isinstance(node, ast.Expr)
        is_list_of_names = isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
        assert isinstance(node, ast.ImportFrom) or is_docstring or is_list_of_names


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_room_does_not_import_its_own_face(path: Path) -> None:
    if path.parent == PACKAGE or path.name == "__init__.py":
        return
    face = f"comity.{path.relative_to(PACKAGE).parts[0]}"
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == face:
            submodules = {child.stem for child in (PACKAGE / face.removeprefix("comity.")).iterdir()}
            assert {alias.name for alias in node.names} <= submodules, f"line {node.lineno} imports the room's own face"


def _function_imports(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    yield inner.lineno


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_imports_stand_at_the_top(path: Path) -> None:
    text = path.read_text()
    assert "TYPE_CHECKING" not in text
    allowed = {"node/main.py"}  # commands are loaded after Django is set up
    if _name(path) not in allowed:
        assert list(_function_imports(ast.parse(text))) == []


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_only_workers_catch_everything(path: Path) -> None:
    if _name(path) in WORKERS:
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.id if isinstance(node.type, ast.Name) else ""
            assert node.type is not None, f"line {node.lineno}: a bare except"
            assert caught not in {"Exception", "BaseException"}, f"line {node.lineno}"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_public_names_say_what_they_are(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree) or path.name == "__init__.py", "a module says what it is for"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"
