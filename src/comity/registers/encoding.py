"""Entries of watch lists as JSON, the form in which they are stored, and a digest to see a change of one by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from comity.registers.values import EntryKind, Identifier, ListedName, WatchEntry


def entry_to_json(entry: WatchEntry) -> dict[str, object]:
    """The entry as JSON; what is empty is left out."""
    body: dict[str, object] = {
        "names": [[name.text, 1] if name.is_weak else [name.text] for name in entry.names],
        "birth_dates": list(entry.birth_dates),
        "countries": list(entry.countries),
        "identifiers": [[each.type, each.number, each.country] for each in entry.identifiers],
        "program": entry.program,
        "listed_on": entry.listed_on,
        "note": entry.note,
    }
    return {name: value for name, value in body.items() if value}


def entry_of(ref: str, kind: str, body: Mapping[str, Any]) -> WatchEntry:
    """The entry that was stored."""
    return WatchEntry(
        ref=ref,
        kind=EntryKind(kind),
        names=tuple(ListedName(name[0], len(name) > 1) for name in body["names"]),
        birth_dates=tuple(body.get("birth_dates", ())),
        countries=tuple(body.get("countries", ())),
        identifiers=tuple(Identifier(*each) for each in body.get("identifiers", ())),
        program=body.get("program", ""),
        listed_on=body.get("listed_on", ""),
        note=body.get("note", ""),
    )


def content_of(body: Mapping[str, object]) -> str:
    """A digest of what an entry is recognised by; its notes and dates of listing may change without it."""
    told = {name: body.get(name) for name in ("names", "birth_dates", "countries", "identifiers")}
    text = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
