"""Reads of this room: versions of lists, their entries."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast

from comity.registers.encoding import entry_of
from comity.registers.errors import RegisterError
from comity.registers.models import EntryRow, VersionRow
from comity.registers.values import EntryKind, ListFormat, RegisterKind, RegisterVersion, WatchEntry

_AT_ONCE = 2_000
# In these forms lists are published to everybody.
_PUBLISHED = frozenset({ListFormat.UN, ListFormat.OFAC, ListFormat.EU})
_NAMING = (RegisterKind.WATCH_LIST, RegisterKind.TRADERS, RegisterKind.RIGHTS)
# What the normal form of a name or number leaves out, of ASCII.
_NOT_TOLD = bytes(sign for sign in range(128) if not (chr(sign).isalnum() or sign == ord("_")))
_NO_PERSONS = (EntryKind.VESSEL.value, EntryKind.CONTAINER.value)


def version_of(row: VersionRow) -> RegisterVersion:
    """A version as a value."""
    return RegisterVersion(
        version_id=row.pk,
        code=row.code,
        kind=RegisterKind(row.kind),
        format=ListFormat(row.format),
        publisher=row.publisher,
        published_on=row.published_on,
        sha256=row.sha256,
        entries=row.entry_count,
        ignored=row.ignored_count,
        broken_count=row.broken_count,
        loaded_by=row.loaded_by,
        loaded_at=row.loaded_at,
        is_current=row.is_current,
        broken=tuple(row.broken),
    )


def in_force() -> list[RegisterVersion]:
    """The version in force of every list and register, by code; broken rows left out."""
    rows = VersionRow.objects.filter(is_current=True).defer("broken").order_by("code")
    return [_bare(row) for row in rows]


def _bare(row: VersionRow) -> RegisterVersion:
    row.broken = []
    return version_of(row)


def version(code: str) -> RegisterVersion:
    """The version in force of a list, with its broken rows.

    Raises: RegisterError where there is none.
    """
    row = VersionRow.objects.filter(code=code, is_current=True).first()
    if row is None:
        raise RegisterError("There is no such list in force", where=code)
    return version_of(row)


def history(code: str) -> list[RegisterVersion]:
    """Every version of a list that was loaded, the latest first."""
    return [version_of(row) for row in VersionRow.objects.filter(code=code).order_by("-loaded_at", "-id")]


def watch_entries(version_id: int) -> Iterator[tuple[WatchEntry, str]]:
    """Every entry of a version of a watch list, with the digest of what it is recognised by."""
    rows = EntryRow.objects.filter(version_id=version_id).order_by("id")
    for ref, kind, content, body in rows.values_list("ref", "kind", "content", "body").iterator(chunk_size=_AT_ONCE):
        yield entry_of(ref, kind, body), content


def watch_entry(code: str, ref: str) -> WatchEntry | None:
    """An entry of the version in force, or None."""
    row = EntryRow.objects.filter(version__code=code, version__is_current=True, ref=ref).first()
    return entry_of(row.ref, row.kind, row.body) if row and row.kind else None


def bodies(version_id: int) -> list[dict[str, object]]:
    """The rows of a version of a register."""
    rows = EntryRow.objects.filter(version_id=version_id).order_by("id")
    return list(rows.values_list("body", flat=True))


def search_entries(code: str, text: str, *, most: int = 50) -> list[tuple[str, str]]:
    """Reference and main name of entries that have the text in either."""
    rows = EntryRow.objects.filter(version__code=code, version__is_current=True)
    found = rows.filter(name__icontains=text) | rows.filter(ref__icontains=text)
    return list(found.order_by("name", "ref").values_list("ref", "name")[:most])


def published_lists() -> frozenset[str]:
    """The codes of watch lists that their publishers give to everybody, also of those that were withdrawn here."""
    rows = VersionRow.objects.filter(kind=RegisterKind.WATCH_LIST.value).order_by("loaded_at", "id")
    latest = dict(rows.values_list("code", "format"))
    return frozenset(code for code, form in latest.items() if form in _PUBLISHED)


def held_entries(words: Collection[str]) -> Iterator[tuple[RegisterVersion, str, Mapping[str, Any]]]:
    """Entries in force that may name a person or firm by one of these words: version, reference and body.

    words: in small letters and digits, without accents and punctuation. What has other letters than Latin ones without
    accents comes all the same, so the caller compares; ships are left out.
    """
    wanted = [word.encode() for word in words]
    for version in in_force():
        if version.kind in _NAMING:
            rows = EntryRow.objects.filter(version_id=version.version_id).exclude(kind__in=_NO_PERSONS).order_by("id")
            told = rows.annotate(text=Cast("body", TextField())).values_list("ref", "text")
            for ref, text in told.iterator(chunk_size=_AT_ONCE):
                if not text.isascii() or "\\u" in text or _has_any(text, wanted):
                    yield version, ref, json.loads(text)


def _has_any(text: str, wanted: Collection[bytes]) -> bool:
    plain = text.encode().lower().translate(None, _NOT_TOLD)
    return any(word in plain for word in wanted)
