"""Every key of a node in one value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keyring:
    """Being written."""

    administration: str
