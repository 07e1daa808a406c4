"""Lists in pages: `limit` and `offset` in the query, `items` and `next_offset` in the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from ninja import Field, Schema

T = TypeVar("T")
MOST_PER_PAGE = 200
MOST_OFFSET = 1_000_000


class Paging(Schema):
    """Which part of a list is wanted."""

    limit: int = Field(default=50, ge=1, le=MOST_PER_PAGE, description="How many entries at most")
    offset: int = Field(default=0, ge=0, le=MOST_OFFSET, description="How many entries to pass over")


class Page(Schema, Generic[T]):
    """A part of a list. total: of the whole list; next_offset: where the next part begins, null at the end."""

    items: list[T]
    total: int
    next_offset: int | None = None


def page_of(rows: Sequence[T], paging: Paging, *, total: int) -> Page[T]:
    """The page of `rows`, which begin at the offset, out of a list of `total`."""
    end = paging.offset + len(rows)
    return Page(items=list(rows), total=total, next_offset=end if rows and end < total else None)
