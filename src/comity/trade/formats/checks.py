"""Checks that look at more than one field, the same for every format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from comity.trade.formats.reading import error_of, warning_of
from comity.trade.records import Declaration
from comity.trade.values import Problem

MAX_REFERENCE = 100


def check_reference(reference: str, field: str) -> Problem | None:
    """A record without a reference cannot be told from others: that refuses it."""
    if not reference:
        return error_of("missing_reference", "The record has no reference of its own", field=field)
    if len(reference) > MAX_REFERENCE:
        return error_of("too_long", f"The reference has more than {MAX_REFERENCE} characters", field=field)
    return None


def check_declaration(declaration: Declaration, lines: Sequence[int] = ()) -> Iterator[Problem]:
    """Warnings about what does not fit together. lines: where each item begins."""
    count = declaration.items_count
    if count is not None and declaration.items and count != len(declaration.items):
        message = f"{count} items are announced and {len(declaration.items)} are there"
        yield warning_of("items_count", message, field="items_count", line=lines[0] if lines else 0)
    seen: set[int] = set()
    for position, item in enumerate(declaration.items):
        line = lines[position] if position < len(lines) else 0
        field = f"items[{position + 1}]"
        if item.item_no in seen:
            yield warning_of(
                "item_no_twice", f"Item number {item.item_no} comes twice", field=f"{field}.item_no", line=line
            )
        seen.add(item.item_no)
        net, gross = item.net_mass_kg, item.gross_mass_kg
        if net is not None and gross is not None and net > gross:
            message = f"The net mass {net} kg exceeds the gross mass {gross} kg"
            yield warning_of("net_over_gross", message, field=f"{field}.net_mass_kg", line=line)
