"""What the address or a form asks for, read from text that anybody may have typed. What is misspelt asks nothing."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

_MOST_DIGITS = 5


def number_of(text: str) -> int | None:
    """The number that the text is, of five digits at most."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def page_number(text: str) -> int:
    """The page of a list, from 1; the first where the text is no such number."""
    return number_of(text) or 1


def uuid_of(text: str) -> UUID | None:
    """The id that the text is."""
    try:
        return UUID(text)
    except ValueError:
        return None


def uuids_of(texts: Iterable[str]) -> list[UUID]:
    """The ids among the texts, in their order."""
    return [found for found in map(uuid_of, texts) if found is not None]
