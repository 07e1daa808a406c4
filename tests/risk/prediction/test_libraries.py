"""What learning needs beside Comity: an extra and a library of the system. Without them its tests are left out."""

from __future__ import annotations

import importlib

import pytest

LIBRARIES = ("numpy", "pyarrow", "lightgbm")


def missing_library() -> str:
    """Why learning cannot run here, or nothing."""
    for name in LIBRARIES:
        try:
            importlib.import_module(name)
        except (ImportError, OSError) as error:
            return f"{name}: {error}"
    return ""


def test_learning_can_run_here():
    if why := missing_library():
        pytest.skip(f"needs the extra `learning` and the system library libgomp1 ({why})")
    assert int(importlib.import_module("lightgbm").__version__.partition(".")[0]) >= 4
