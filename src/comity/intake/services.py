"""Writes of this room: taking in what arrives."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.conf import settings
from django.db import IntegrityError, transaction

from comity.common import Actor, new_id
from comity.intake import home
from comity.intake.errors import TooLargeError
from comity.intake.models import Arrival, Record, RecordKey, Refusal
from comity.intake.reading import Asked, Item, read_file
from comity.intake.rules import MAX_REFERENCE, keys_of, lodged_by, reference_of
from comity.intake.selectors import shown_name
from comity.intake.values import Receipt, RecordKind, RecordRef, RefusalNote, kind_of, ucr_of
from comity.staff.rules import Permission, require
from comity.staff.services import record_deed
from comity.trade import Declaration, Manifest, Problem
from comity.trade.encoding import declaration_to_json, manifest_to_json

_BATCH = 500
# In each round of a race one door gets through, so this many doors may take in one reference at the same moment.
_TRIES = 10
_Identity = tuple[str, str, str]


def receive(actor: Actor, *, source: str, name: str, data: bytes, mapping: str | None = None, at: datetime) -> Receipt:
    """Take in a file: keep its bytes, store each record as a version, keep each refusal with its bytes.

    mapping: for delimited text, the name of a column mapping in the home or its YAML text; none to choose by the
    first row. The same record again is recognised; the same reference with other content is a new version.
    Raises: PermissionRefusedError; TooLargeError, where nothing was kept.
    """
    require(actor, Permission.IMPORT)
    limit_bytes = settings.COMITY_MAX_UPLOAD_BYTES
    if len(data) > limit_bytes:
        raise TooLargeError(
            f"The file has {len(data)} bytes; this node accepts {limit_bytes}", where=name, remedy="Send it in parts."
        )
    asked = Asked(mapping, home.hs_list(), limit_bytes)
    source, name = _kept(source, 200), _kept(name, 255)
    tries = _TRIES
    while True:
        try:
            return _receive(actor, source=source, name=name, data=data, asked=asked, at=at)
        except IntegrityError:
            # Two doors took in the same file or reference at once; the later one now finds what the earlier wrote.
            tries -= 1
            if not tries:
                raise


@dataclass(frozen=True, slots=True)
class _Arriving:
    """A record that was read, as it will be stored. digest: of its own bytes and of what was understood."""

    content: Declaration | Manifest
    identity: _Identity
    parsed: dict[str, object]
    digest: str
    item: Item


@dataclass(slots=True)
class _Tally:
    """What has been stored so far of one arrival."""

    arrival: Arrival
    at: datetime
    imported: list[RecordRef] = field(default_factory=list)
    refused: list[RefusalNote] = field(default_factory=list)
    warned: int = 0
    duplicates: int = 0


@transaction.atomic
def _receive(actor: Actor, *, source: str, name: str, data: bytes, asked: Asked, at: datetime) -> Receipt:
    arrival = _keep_bytes(source, name, data, at)
    tally = _Tally(arrival, at)
    items = iter(read_file(data, asked))
    while batch := list(islice(items, _BATCH)):
        _store_records(tally, [entry for entry in map(_arriving, batch) if entry is not None])
        _store_refusals(tally, [item for item in batch if item.reading.record is None], data)
    record_deed(
        actor,
        deed="import",
        subject=f"arrival:{arrival.id}",
        facts={
            "source": source,
            "name": name,
            "imported": str(len(tally.imported)),
            "refused": str(len(tally.refused)),
            "duplicates": str(tally.duplicates),
        },
        at=at,
    )
    return Receipt(arrival.id, tuple(tally.imported), tally.warned, tuple(tally.refused), tally.duplicates)


def _keep_bytes(source: str, name: str, data: bytes, at: datetime) -> Arrival:
    digest = hashlib.sha256(data).hexdigest()
    known = Arrival.objects.defer("data").filter(sha256=digest).first()
    if known is not None:
        # What was refused before is read again: a mapping or a list may have been put right meanwhile.
        known.refusals.all().delete()
        return known
    return Arrival.objects.create(
        id=new_id(at),
        sha256=digest,
        data=data,
        size_bytes=len(data),
        source=source,
        name=name,
        received_at=at,
    )


def _store_records(tally: _Tally, arriving: Sequence[_Arriving]) -> None:
    latest, digests = _known_versions(arriving)
    new: list[tuple[Record, _Arriving]] = []
    superseded: list[int] = []
    for entry in arriving:
        if (entry.identity, entry.digest) in digests:
            tally.duplicates += 1
            continue
        digests.add((entry.identity, entry.digest))
        row = _row_of(entry, tally)
        before = latest.get(entry.identity)
        if before is not None:
            row.record_id, row.version = before.record_id, before.version + 1
            before.is_current = False
            if before.pk is not None:
                superseded.append(before.pk)
        latest[entry.identity] = row
        new.append((row, entry))
        tally.imported.append(RecordRef(row.record_id, row.version, RecordKind(row.kind), row.reference))
        tally.warned += bool(row.problems)
    Record.objects.filter(pk__in=superseded).update(is_current=False)
    Record.objects.bulk_create([row for row, _ in new])
    keys = [
        RecordKey(record=row, kind=kind.value, value=value)
        for row, entry in new
        for kind, value in keys_of(entry.content)
    ]
    RecordKey.objects.bulk_create(keys, batch_size=_BATCH)


def _known_versions(arriving: Iterable[_Arriving]) -> tuple[dict[_Identity, Record], set[tuple[_Identity, str]]]:
    """The newest version of each identity, and the digests of all versions."""
    references = {entry.identity[1] for entry in arriving}
    rows = Record.objects.filter(reference__in=references).only(
        "record_id", "version", "is_current", "kind", "reference", "lodged_by", "digest"
    )
    latest: dict[_Identity, Record] = {}
    digests: set[tuple[_Identity, str]] = set()
    for row in rows.order_by("version"):
        identity = (row.kind, row.reference, row.lodged_by)
        latest[identity] = row
        digests.add((identity, row.digest))
    return latest, digests


def _arriving(item: Item) -> _Arriving | None:
    content = item.reading.record
    if content is None:
        return None
    parsed = declaration_to_json(content) if isinstance(content, Declaration) else manifest_to_json(content)
    understood = json.dumps(parsed, sort_keys=True).encode()
    digest = hashlib.sha256(hashlib.sha256(item.reading.raw).digest() + understood).hexdigest()
    identity = (kind_of(content).value, reference_of(content), lodged_by(content))
    return _Arriving(content, identity, parsed, digest, item)


def _row_of(entry: _Arriving, tally: _Tally) -> Record:
    kind, reference, party = entry.identity
    content, reading = entry.content, entry.item.reading
    return Record(
        record_id=new_id(tally.at),
        version=1,
        is_current=True,
        kind=kind,
        reference=reference,
        lodged_by=party,
        digest=entry.digest,
        ucr=ucr_of(content)[:MAX_REFERENCE],
        parsed=entry.parsed,
        problems=[_problem_row(problem) for problem in reading.problems],
        arrival=tally.arrival,
        member=_kept(entry.item.member, 255),
        line=reading.line,
        received_at=tally.at,
    )


def _problem_row(problem: Problem) -> list[str | int]:
    return [problem.severity.value, problem.code, problem.message, problem.field, problem.line]


def _store_refusals(tally: _Tally, items: Iterable[Item], data: bytes) -> None:
    rows = []
    for item in items:
        reading = item.reading
        for number, problem in enumerate(reading.errors):
            line, member = problem.line or reading.line, _kept(item.member, 255)
            rows.append(
                Refusal(
                    arrival=tally.arrival,
                    member=member,
                    line=line,
                    field=_kept(problem.field, 100),
                    code=problem.code,
                    message=_kept(problem.message, 2000),
                    # The arrival keeps the whole file; what is a part of it is kept once more, with its first reason.
                    raw=reading.raw if reading.raw != data and number == 0 else b"",
                    refused_at=tally.at,
                )
            )
        first = rows[-len(reading.errors)]
        name = shown_name(tally.arrival.name, first.member)
        tally.refused.append(RefusalNote(name, first.line, first.field, first.code, first.message))
    Refusal.objects.bulk_create(rows)


def _kept(text: str, length: int) -> str:
    """What a column can hold: no NUL, no half of a surrogate pair, of bounded length."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:length]
