"""Every code with which this code base refuses an envelope or a message, found in its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "comity"
# Whose first argument is the code.
_NAMED = {"EnvelopeRefusedError", "MessageRefusedError", "StrengthMissingError"}
# A class that gives its own code to EnvelopeRefusedError.
_BASES = {"EnvelopeRefusedError"}
# Errors that reading a message, its handling or its body may raise: their class says the code.
_FORMS = (
    "MessageFormError",
    "NoticeError",
    "ProbeFormError",
    "InvitationError",
    "DutyFormError",
    "MoveRefusedError",
    "ProfileError",
)
# What judges a message under an agreement gives reasons, and the first one's code is the refusal's.
_JUDGES = ("agreements/incoming.py", "agreements/duties.py", "agreements/engine.py", "agreements/explaining.py")
_PERMITTING = {"permitted", "prohibits"}


def refusal_codes() -> set[str]:
    """All of them."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text())
        is_judge = str(path.relative_to(PACKAGE)) in _JUDGES
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                found.update(_of_call(node, is_judge=is_judge))
            elif isinstance(node, ast.ClassDef) and _is_form(node):
                found.update(_of_class(node))
            elif isinstance(node, ast.ClassDef) and _is_base(node):
                found.update(_of_super(node))
    return found - _PERMITTING


def _is_form(node: ast.ClassDef) -> bool:
    return node.name in _FORMS or any(isinstance(base, ast.Name) and base.id in _FORMS for base in node.bases)


def _is_base(node: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id in _BASES for base in node.bases)


def _of_super(node: ast.ClassDef) -> Iterator[str]:
    """The code that __init__ hands up."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr == "__init__":
            yield from _constants(each.args[0])


def _of_call(node: ast.Call, *, is_judge: bool) -> Iterator[str]:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    wanted = name in _NAMED or (is_judge and name in {"Reason", "_refusal", "_no"})
    if wanted and node.args:
        yield from _constants(node.args[0])
    is_row = isinstance(node.func, ast.Attribute) and node.func.attr == "create"
    if is_row or name == "Answer" or (name == "replace" and any(each.arg == "accepted" for each in node.keywords)):
        for keyword in node.keywords:
            if keyword.arg == "code":
                yield from _constants(keyword.value)


def _of_class(node: ast.ClassDef) -> Iterator[str]:
    for each in node.body:
        if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name) and each.targets[0].id == "code":
            yield from _constants(each.value)


def _constants(node: ast.expr) -> Iterator[str]:
    """The words that an expression may come to."""
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value.replace("_", "").isalpha():
            yield each.value
