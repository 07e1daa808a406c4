"""Writes of this room: a version of a list put in the place of the one before, or nothing at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from django.db import transaction

from comity.common import Actor
from comity.registers.encoding import content_of, entry_to_json
from comity.registers.errors import ListFormError, RegisterError, ShrunkListError, TooManyBrokenError
from comity.registers.models import EntryRow, VersionRow
from comity.registers.rules import (
    check_code,
    is_shrunk,
    is_too_broken,
    told_broken,
)
from comity.registers.selectors import version_of
from comity.registers.sources import read_list
from comity.registers.tables import read_table
from comity.registers.values import BrokenRow, ListSource, RegisterKind, RegisterVersion
from comity.staff.rules import Permission, require
from comity.staff.services import record_deed

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class _Row:
    """An entry on its way into the table."""

    ref: str
    kind: str
    name: str
    body: dict[str, object]


@dataclass(frozen=True, slots=True)
class _Contents:
    """What the files of a source come to."""

    rows: Sequence[_Row]
    broken: tuple[BrokenRow, ...]
    ignored: int
    dated: date | None


def load_list(actor: Actor, *, source: ListSource, allow_smaller: bool = False, at: datetime) -> RegisterVersion:
    """Read the files and put what they say in the place of the version in force. The same files change nothing.

    Rows that cannot be read are left out and told, up to 2 in 100; beyond that, or where nothing can be read, or where
    fewer than half of the entries are left and allow_smaller is not given, nothing is taken.
    Raises: PermissionRefusedError, RegisterError, ListFormError, TooManyBrokenError, ShrunkListError.
    """
    require(actor, Permission.MANAGE_PROFILES)
    check_code(source.code)
    digest = _digest(source)
    known = VersionRow.objects.filter(code=source.code, is_current=True).first()
    if known is not None and known.sha256 == digest and known.kind == source.kind:
        return version_of(known)
    contents = _read(source)
    if is_too_broken(len(contents.rows), len(contents.broken)):
        raise TooManyBrokenError(
            f"{len(contents.broken)} of {len(contents.rows) + len(contents.broken)} rows cannot be read; "
            "nothing was taken",
            broken=told_broken(contents.broken),
            where=str(contents.broken[0]),
            remedy="Mend the file or fetch it again; up to 2 in 100 may be broken.",
        )
    if not contents.rows:
        raise ListFormError("The file has no entry; nothing was taken", where=source.code)
    return _replace(actor, source, contents, digest, allow_smaller=allow_smaller, at=at)


@transaction.atomic
def _replace(
    actor: Actor, source: ListSource, contents: _Contents, digest: str, *, allow_smaller: bool, at: datetime
) -> RegisterVersion:
    before = VersionRow.objects.select_for_update().filter(code=source.code, is_current=True).first()
    if before is not None:
        _check_successor(before, source, len(contents.rows), allow_smaller=allow_smaller)
        VersionRow.objects.filter(pk=before.pk).update(is_current=False)
        EntryRow.objects.filter(version=before).delete()
    row = VersionRow.objects.create(
        code=source.code,
        kind=source.kind.value,
        format=source.format.value,
        publisher=source.publisher.strip()[:200],
        published_on=source.published_on or contents.dated or at.date(),
        sha256=digest,
        entry_count=len(contents.rows),
        ignored_count=contents.ignored,
        broken_count=len(contents.broken),
        broken=list(told_broken(contents.broken)),
        loaded_by=str(actor)[:100],
        loaded_at=at,
        is_current=True,
    )
    for part in _parts(contents.rows):
        EntryRow.objects.bulk_create(
            EntryRow(
                version=row,
                ref=each.ref,
                kind=each.kind,
                name=each.name[:500],
                content=content_of(each.body),
                body=each.body,
            )
            for each in part
        )
    record_deed(
        actor,
        deed="load_register",
        subject=f"register:{source.code}",
        facts={
            "published_on": str(row.published_on),
            "sha256": digest,
            "entries": str(len(contents.rows)),
            "broken": str(len(contents.broken)),
        },
        at=at,
    )
    return version_of(row)


@transaction.atomic
def withdraw_list(actor: Actor, *, code: str, reason: str, at: datetime) -> RegisterVersion:
    """Take a list out of force until it is loaded again.

    Raises: PermissionRefusedError, RegisterError where it is not in force or no reason is given.
    """
    require(actor, Permission.MANAGE_PROFILES)
    if not reason.strip():
        raise RegisterError("A reason is needed", where=code)
    row = VersionRow.objects.select_for_update().filter(code=code, is_current=True).first()
    if row is None:
        raise RegisterError("There is no such list in force", where=code)
    row.is_current = False
    row.save(update_fields=["is_current"])
    EntryRow.objects.filter(version=row).delete()
    record_deed(actor, deed="withdraw_register", subject=f"register:{code}", facts={"reason": reason[:200]}, at=at)
    return version_of(row)


def _read(source: ListSource) -> _Contents:
    if source.kind is RegisterKind.WATCH_LIST:
        reading = read_list(source.format, source.files)
        rows = [_Row(each.ref, each.kind.value, each.name, entry_to_json(each)) for each in reading.entries]
        return _Contents(rows, reading.broken, reading.ignored, reading.dated)
    table = read_table(source.kind, source.files)
    return _Contents([_Row(each.ref, "", each.name, each.body) for each in table.rows], table.broken, 0, None)


def _check_successor(before: VersionRow, source: ListSource, count: int, *, allow_smaller: bool) -> None:
    if before.kind != source.kind:
        raise RegisterError(
            f"This code is that of a register of another kind ({before.kind})",
            where=source.code,
            remedy="Choose another code.",
        )
    if is_shrunk(before.entry_count, count) and not allow_smaller:
        raise ShrunkListError(
            f"The new version has {count} entries, the one in force {before.entry_count}; nothing was taken",
            where=source.code,
            remedy="Look whether the file is whole; if it is, load it with --allow-smaller.",
        )


def _digest(source: ListSource) -> str:
    """SHA-256 of the file; of several files, of the digests of each with its name in their order."""
    if len(source.files) == 1:
        return hashlib.sha256(source.files[0][1]).hexdigest()
    parts = sorted(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in source.files)
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _parts(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    left = iter(rows)
    while part := list(islice(left, _AT_ONCE)):
        yield part
