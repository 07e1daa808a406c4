"""The libraries of bulk work, loaded when they are needed, so that a node without them runs all else."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from comity.risk.errors import MissingLibraryError

_OURS = "comity"


def load(module: str, *, extra: str = "learning") -> ModuleType:
    """A module that needs more than the base installation.

    Raises: MissingLibraryError where a library of the extra is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        name = (error.name or str(error)).partition(".")[0]
        if name == _OURS:
            raise
        raise MissingLibraryError(
            f"The library {name} is not installed", where=module, remedy=f"Run: pip install 'comity[{extra}]'"
        ) from error
    except OSError as error:
        raise MissingLibraryError(
            "A library of the system cannot be loaded",
            where=str(error)[:200],
            remedy="LightGBM needs libgomp1: apt-get install libgomp1.",
        ) from error
