"""What stays of a step whose content is purged: who did what when, and how its case goes on; never what it said. Pure.

A guard reads flags and words. So that the case stands where it stood, a mark stays for each of its comparisons that
held: the hash of the case, the field and the word. Which words there are the procedure's file says. One stays too for
what a report is about, by which it is counted whether it was made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from comity.agreements.procedures import Procedure
from comity.common import parse_instant, show_instant
from comity.operations.steps import Purged, Step
from comity.trust import canonical_json, sha256_hex

_MARK_DIGITS = 32
# (procedure, field): words by which obligations are counted as done.
_COUNTED = frozenset({("report", "what")})


def purge_note(procedure: Procedure, step: Step, *, ground: str, at: datetime) -> dict[str, object]:
    """What is written beside a step as its content goes."""
    held = (_mark(step.case, name, value) for name, value in _compared(procedure) if step.fields.get(name) == value)
    return {"ground": ground, "at": show_instant(at), "fields": sorted(step.fields), "marks": sorted(held)}


def purged_in(procedure: Procedure, case: str, note: Mapping[str, object]) -> Purged:
    """What a note says."""
    marks, fields = note["marks"], note["fields"]
    if not isinstance(marks, list) or not isinstance(fields, list):
        raise TypeError("the note of a purged step holds lists")
    remembered = {name: value for name, value in _compared(procedure) if _mark(case, name, value) in marks}
    return Purged(str(note["ground"]), parse_instant(str(note["at"])), frozenset(map(str, fields)), remembered)


def _compared(procedure: Procedure) -> Iterable[tuple[str, object]]:
    """Each field that a guard reads, or that is counted, with each value that it is compared with."""
    guards = [event.when for event in procedure.events if event.when is not None]
    words = {pair for guard in guards for pair in guard.words}
    flags = {name for guard in guards for name in guard.fields} - {name for name, _ in words}
    counted = [each for each in procedure.fields if (procedure.name, each.name) in _COUNTED]
    words |= {(each.name, word) for each in counted for word, _ in each.words}
    return (*sorted(words), *((name, True) for name in sorted(flags)))


def _mark(case: str, name: str, value: object) -> str:
    return sha256_hex(canonical_json([case, name, value]))[:_MARK_DIGITS]
