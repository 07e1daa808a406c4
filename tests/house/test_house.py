"""The house rules that no linter knows: sizes, faces, imports, workers' edges."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

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


@cache
def tree_of(path: Path) -> ast.Module:
    """A file as it is parsed, once for all the rules."""
    return ast.parse(path.read_text())


def test_no_file_and_no_function_is_too_long() -> None:
    assert [trouble for path in EVERY_FILE for trouble in _too_long(path)] == []


def _too_long(path: Path) -> Iterator[str]:
    place = path.relative_to(ROOT)
    if (lines := path.read_text().count("\n")) > MOST_LINES_IN_A_FILE:
        yield f"{place} has {lines} lines"
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MOST_LINES_IN_A_FUNCTION:
                yield f"{place}: {node.name} has {length} lines"


def test_the_ground_stays_small() -> None:
    assert sum(path.read_text().count("\n") for path in (PACKAGE / "common").glob("*.py")) <= MOST_LINES_ON_THE_GROUND


def test_a_face_defines_nothing() -> None:
    faces = sorted(PACKAGE.glob("*/__init__.py")) + sorted(PACKAGE.glob("*/models/__init__.py"))
    assert len(faces) > 10
    assert [trouble for face in faces for trouble in _no_face(face)] == []


def _no_face(path: Path) -> Iterator[str]:
    place, tree = _name(path), tree_of(path)
    if path.read_text().count("\n") > MOST_LINES_IN_A_FACE * 2:
        yield f"{place} is longer than a page"
    if not ast.get_docstring(tree):
        yield f"{place} does not say in one line what the room is for"
    for node in tree.body:
        is_docstring = isinstance(node, ast.Expr)
        is_list_of_names = isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
        if not (isinstance(node, ast.ImportFrom) or is_docstring or is_list_of_names):
            yield f"{place}, line {node.lineno}: a face defines nothing"


def test_a_room_does_not_import_its_own_face() -> None:
    assert [trouble for path in MODULES for trouble in _own_face(path)] == []


def _own_face(path: Path) -> Iterator[str]:
    if path.parent == PACKAGE or path.name == "__init__.py":
        return
    room = path.relative_to(PACKAGE).parts[0]
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and node.module == f"comity.{room}":
            submodules = {child.stem for child in (PACKAGE / room).iterdir()}
            if not {alias.name for alias in node.names} <= submodules:
                yield f"{_name(path)}, line {node.lineno}: imports the room's own face"


def test_tables_stand_among_tables() -> None:
    """In a room's `models.py`, or where there are many in a module of its `models/`."""
    tables = [(path, name) for path in MODULES for name in _tables(tree_of(path))]
    assert len(tables) > 50
    assert [f"{_name(path)}: {name}" for path, name in tables if not _is_for_tables(path)] == []


def _tables(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and "models.Model" in {ast.unparse(base) for base in node.bases}:
            yield node.name


def _is_for_tables(path: Path) -> bool:
    _, *rest = path.relative_to(PACKAGE).parts
    return rest == ["models.py"] or (len(rest) == 2 and rest[0] == "models")


def test_imports_stand_at_the_top() -> None:
    allowed = {"node/main.py"}  # commands are loaded after Django is set up
    found = [(_name(path), line) for path in MODULES for line in _function_imports(tree_of(path))]
    assert [(name, line) for name, line in found if name not in allowed] == []
    assert [_name(path) for path in MODULES if "TYPE_CHECKING" in path.read_text()] == []


def _function_imports(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    yield inner.lineno


def test_only_workers_catch_everything() -> None:
    assert [trouble for path in MODULES if _name(path) not in WORKERS for trouble in _catch_all(path)] == []


def _catch_all(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.id if isinstance(node.type, ast.Name) else ""
            if node.type is None or caught in {"Exception", "BaseException"}:
                yield f"{_name(path)}, line {node.lineno}: catches everything"


def test_public_names_say_what_they_are() -> None:
    assert [trouble for path in MODULES for trouble in _unsaid(path)] == []


def _unsaid(path: Path) -> Iterator[str]:
    tree = tree_of(path)
    if not ast.get_docstring(tree) and path.name != "__init__.py":
        yield f"{_name(path)} does not say what it is for"
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node):
            yield f"{_name(path)}: {node.name} has no docstring"
