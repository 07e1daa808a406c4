"""Where this node keeps its models and its histories, and how the learning libraries are reached."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

from django.conf import settings

from comity.risk.errors import MissingLibraryError
from comity.risk.modelling.life import Shelf

FOLDER, STATE_NAME, TARIFF_NAME = "models", "histories.npz", "tariff.csv"


def this_shelf() -> Shelf:
    """The models of this node."""
    return Shelf(models_folder(), settings.COMITY_ADMINISTRATION, settings.COMITY_KEYRING)


def models_folder() -> Path:
    """Where models and histories lie."""
    return Path(settings.COMITY_HOME) / FOLDER


def state_path() -> Path:
    """The file of the histories."""
    return models_folder() / STATE_NAME


def tariff_path() -> Path:
    """The tariff in the home: hs6,mfn_rate. Without it no rate is known."""
    return Path(settings.COMITY_HOME) / TARIFF_NAME


def learning(module: str) -> ModuleType:
    """A module of prediction; its libraries are loaded now.

    Raises: MissingLibraryError naming the extra or the system library.
    """
    try:
        return importlib.import_module(f"comity.risk.prediction.{module}")
    except ImportError as error:
        raise MissingLibraryError(
            "A library that learning needs is not installed",
            where=error.name or str(error),
            remedy="Run `pip install 'comity[learning]'`.",
        ) from error
    except OSError as error:
        raise MissingLibraryError(
            "LightGBM cannot be loaded",
            where=str(error),
            remedy="It needs the system library libgomp1: `apt-get install libgomp1`.",
        ) from error
