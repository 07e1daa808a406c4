"""Reads of this room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from comity.intake.errors import ArrivalNotFoundError, RecordNotFoundError
from comity.intake.models import Arrival, Record, RecordKey, Refusal
from comity.intake.rules import normal_key
from comity.intake.values import ArrivalInfo, KeyKind, RecordKind, RefusalNote, StoredRecord
from comity.trade import Declaration, Manifest, Problem, Severity
from comity.trade.encoding import declaration_from_json, manifest_from_json

MAX_ROWS = 1000
_AT_ONCE = 500
_NOBODY = UUID(int=0)
_RAW_BYTES = "arrival__data"


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which current records to list. text: part of a reference, or a whole key such as a UCR, a name or a container."""

    kind: RecordKind | None = None
    source: str = ""
    text: str = ""
    arrival_id: UUID | None = None
    received_from: datetime | None = None
    received_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class IntakeCounts:
    """How much there is."""

    arrivals: int
    records: int
    versions: int
    refusals: int


def record(record_id: UUID | str, *, version: int | None = None) -> StoredRecord:
    """The current version of a record, or the one asked for.

    Raises: RecordNotFoundError.
    """
    wanted = Q(is_current=True) if version is None else Q(version=version)
    row = _rows().filter(wanted, record_id=_uuid_of(record_id)).first()
    if row is None:
        raise RecordNotFoundError("There is no such record", where=f"{record_id} v{version or 'current'}")
    return _stored(row)


def records(chosen: RecordFilter | None = None, *, limit: int = 50, offset: int = 0) -> list[StoredRecord]:
    """Current records, the latest arrival first; at most 1,000 at a time."""
    rows = _chosen(chosen or RecordFilter()).order_by("-received_at", "-id")
    return [_stored(row) for row in rows[offset : offset + min(limit, MAX_ROWS)]]


def declarations_between(start: datetime, end: datetime) -> Iterator[StoredRecord]:
    """Every declaration received from `start` to before `end`, as it stands now; newest first."""
    chosen, offset = RecordFilter(kind=RecordKind.DECLARATION, received_from=start, received_until=end), 0
    while True:
        found = records(chosen, limit=_AT_ONCE, offset=offset)
        yield from found
        if len(found) < _AT_ONCE:
            return
        offset += _AT_ONCE


def first_declared_at(until: datetime) -> datetime | None:
    """When the oldest of the declarations that are held arrived, of those received before `until`."""
    rows = _chosen(RecordFilter(kind=RecordKind.DECLARATION, received_until=until))
    return rows.order_by("received_at").values_list("received_at", flat=True).first()


def latest_ids(*, limit: int = MAX_ROWS) -> list[UUID]:
    """The ids of the current records that arrived last, without reading what they hold."""
    rows = Record.objects.filter(is_current=True).order_by("-received_at", "-id")
    return list(rows.values_list("record_id", flat=True)[:limit])


def count_records(chosen: RecordFilter | None = None) -> int:
    """How many current records there are."""
    return _chosen(chosen or RecordFilter()).count()


def records_by_id(record_ids: Iterable[UUID]) -> dict[UUID, StoredRecord]:
    """The current versions of several records at once; unknown ids are left out."""
    rows = _rows().filter(is_current=True, record_id__in=list(record_ids))
    return {row.record_id: _stored(row) for row in rows}


def versions(reference: str, *, lodged_by: str | None = None) -> list[StoredRecord]:
    """Every version under a reference, the newest first."""
    rows = _rows().filter(reference=reference)
    if lodged_by is not None:
        rows = rows.filter(lodged_by=lodged_by)
    return [_stored(row) for row in rows.order_by("-received_at", "-version")]


def versions_of(record_id: UUID | str) -> list[StoredRecord]:
    """Every version of one record, the newest first."""
    return [_stored(row) for row in _rows().filter(record_id=_uuid_of(record_id)).order_by("-version")]


def as_lodged(record: StoredRecord) -> StoredRecord:
    """The oldest version that is held of a record."""
    return record if record.version == 1 else versions_of(record.record_id)[-1]


def records_matching(kind: KeyKind | str, value: str, *, limit: int = MAX_ROWS) -> list[StoredRecord]:
    """Current records that carry a key; case, accents, spaces and punctuation do not count."""
    wanted = KeyKind(kind)
    found = RecordKey.objects.filter(value=normal_key(wanted, value), kind=wanted.value).values("record_id")
    rows = _rows().filter(is_current=True, id__in=found).order_by("-received_at", "-id")
    return [_stored(row) for row in rows[:limit]]


def raw_bytes(arrival_id: UUID | str) -> bytes:
    """The bytes exactly as they arrived.

    Raises: ArrivalNotFoundError.
    """
    data = Arrival.objects.filter(id=_uuid_of(arrival_id)).values_list("data", flat=True).first()
    if data is None:
        raise ArrivalNotFoundError("Nothing arrived under this id", where=str(arrival_id))
    return bytes(data)


def arrival(arrival_id: UUID | str) -> ArrivalInfo:
    """What is known of an arrival.

    Raises: ArrivalNotFoundError.
    """
    row = Arrival.objects.defer("data").filter(id=_uuid_of(arrival_id)).first()
    if row is None:
        raise ArrivalNotFoundError("Nothing arrived under this id", where=str(arrival_id))
    return _arrival_info(row)


def arrivals(*, limit: int = 50) -> list[ArrivalInfo]:
    """The latest arrivals."""
    return [_arrival_info(row) for row in Arrival.objects.defer("data").order_by("-received_at", "-id")[:limit]]


def refusals(*, arrival_id: UUID | str | None = None, limit: int = 100) -> list[RefusalNote]:
    """What was refused, the latest first."""
    rows = Refusal.objects.select_related("arrival").defer(_RAW_BYTES, "raw").order_by("-refused_at", "id")
    if arrival_id is not None:
        rows = rows.filter(arrival_id=_uuid_of(arrival_id))
    return [
        RefusalNote(shown_name(row.arrival.name, row.member), row.line, row.field, row.code, row.message)
        for row in rows[:limit]
    ]


def refused_bytes(arrival_id: UUID | str) -> list[bytes]:
    """The bytes of each refused record of an arrival; whole files are not repeated here."""
    rows = Refusal.objects.filter(arrival_id=_uuid_of(arrival_id)).order_by("id")
    return [bytes(raw) for raw in rows.values_list("raw", flat=True) if raw]


def counts() -> IntakeCounts:
    """How many arrivals, current records, versions and refusals there are."""
    return IntakeCounts(
        arrivals=Arrival.objects.count(),
        records=Record.objects.filter(is_current=True).count(),
        versions=Record.objects.count(),
        refusals=Refusal.objects.count(),
    )


def shown_name(name: str, member: str) -> str:
    """The name of a file, with the member of a zip file behind `!`."""
    return f"{name}!{member}" if member else name


def _rows() -> QuerySet[Record]:
    return Record.objects.select_related("arrival").defer(_RAW_BYTES)


def _chosen(chosen: RecordFilter) -> QuerySet[Record]:
    rows = _rows().filter(is_current=True)
    if chosen.kind is not None:
        rows = rows.filter(kind=chosen.kind.value)
    if chosen.source:
        rows = rows.filter(arrival__source=chosen.source)
    if chosen.arrival_id is not None:
        rows = rows.filter(arrival_id=chosen.arrival_id)
    if chosen.received_from is not None:
        rows = rows.filter(received_at__gte=chosen.received_from)
    if chosen.received_until is not None:
        rows = rows.filter(received_at__lt=chosen.received_until)
    if chosen.text:
        keys = {normal_key(kind, chosen.text) for kind in KeyKind}
        found = RecordKey.objects.filter(value__in=keys).values("record_id")
        rows = rows.filter(Q(reference__icontains=chosen.text) | Q(id__in=found))
    return rows


def _stored(row: Record) -> StoredRecord:
    content: Declaration | Manifest
    if row.kind == RecordKind.DECLARATION:
        content = declaration_from_json(row.parsed)
    else:
        content = manifest_from_json(row.parsed)
    return StoredRecord(
        record_id=row.record_id,
        version=row.version,
        is_current=row.is_current,
        reference=row.reference,
        lodged_by=row.lodged_by,
        content=content,
        problems=_problems_of(row.problems),
        received_at=row.received_at,
        arrival=_arrival_info(row.arrival, row.member, row.line),
    )


def _problems_of(rows: Sequence[Sequence[str | int]]) -> tuple[Problem, ...]:
    return tuple(
        Problem(Severity(str(severity)), str(code), str(message), str(field), int(line))
        for severity, code, message, field, line in rows
    )


def _arrival_info(row: Arrival, member: str = "", line: int = 1) -> ArrivalInfo:
    return ArrivalInfo(row.id, row.sha256, row.source, row.name, row.received_at, member, line)


def _uuid_of(text: UUID | str) -> UUID:
    """The id; what is no UUID becomes the nil UUID, which nothing has."""
    if isinstance(text, UUID):
        return text
    try:
        return UUID(text)
    except ValueError:
        return _NOBODY
