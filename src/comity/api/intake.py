"""What arrives: files to import, and the records that came of them."""
# ruff: noqa: ARG001 - the framework hands the request over by name

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema
from pydantic import JsonValue

from comity.api.fields import Given, Instant, Word
from comity.api.guard import actor_of, needs
from comity.api.openapi import raw_answer, raw_body
from comity.api.paging import Page, Paging, page_of
from comity.api.problems import MediaTypeError
from comity.common import utc_now
from comity.intake import ArrivalInfo, Receipt, RecordKind, StoredRecord, selectors
from comity.intake.selectors import RecordFilter
from comity.journeys.arrive import arrive
from comity.staff import Permission
from comity.staff.services import record_deed
from comity.trade import Problem
from comity.trade.encoding import declaration_to_json, manifest_to_json

router = Router(tags=["intake"])

# Media type -> the ending that a file without a name gets, by which intake knows its format.
ENDINGS = {"application/xml": ".xml", "text/xml": ".xml", "text/csv": ".csv", "application/zip": ".zip"}


class ImportQuery(Given):
    """What a file is called, and how its columns are to be read."""

    name: Word = Field(default="", description="The name of the file; its ending tells the format where it has one")
    mapping: Word = Field(default="", description="Of a CSV file: the name of its column mapping on this node")


class ImportedRecord(Schema):
    """A record that came in."""

    record_id: UUID
    version: int
    kind: RecordKind
    reference: str


class RefusedRecord(Schema):
    """A record that did not come in, and why. line: from 1."""

    name: str
    line: int
    field: str
    code: str
    message: str


class ImportReceipt(Schema):
    """What an import came to. The bytes are kept in every case."""

    arrival_id: UUID
    imported: list[ImportedRecord]
    warned: int
    duplicates: int
    refused: list[RefusedRecord]


class RecordProblem(Schema):
    """A warning about a record that came in."""

    severity: str
    code: str
    message: str
    field: str
    line: int


class ArrivalOut(Schema):
    """The bytes that a record was read from. member: the file inside a zip file; line: where the record begins."""

    arrival_id: UUID
    sha256: str
    source: str
    name: str
    member: str
    line: int
    received_at: Instant


class RecordSummary(Schema):
    """A record as lists show it."""

    record_id: UUID
    version: int
    kind: RecordKind
    reference: str
    lodged_by: str
    ucr: str
    received_at: Instant
    problems: int


class RecordOut(Schema):
    """A record whole. `content`: the declaration or manifest, by the names of the vocabulary."""

    record_id: UUID
    version: int
    is_current: bool
    kind: RecordKind
    reference: str
    lodged_by: str
    ucr: str
    received_at: Instant
    content: dict[str, JsonValue]
    problems: list[RecordProblem]
    arrival: ArrivalOut


class RecordQuery(Paging):
    """Which records are wanted. text: part of a reference, or a whole UCR, name or container number."""

    kind: RecordKind | None = None
    text: Word = ""
    received_from: Instant | None = None
    received_until: Instant | None = None


class VersionQuery(Given):
    """Which version of a record is wanted; the current one where none is named."""

    version: int | None = Field(default=None, ge=1, le=1_000_000)


@router.post(
    "/imports",
    response=ImportReceipt,
    summary="Import a file",
    **needs(Permission.IMPORT, raw_body(tuple(ENDINGS), "The bytes of the file: WCO XML, CSV, or a zip file of these")),
)
def import_file(request: HttpRequest, query: Query[ImportQuery]) -> ImportReceipt:
    """Keep the bytes, read the records, assess each one. The same bytes again change nothing."""
    media_type = (request.content_type or "").lower()
    if media_type not in ENDINGS:
        raise MediaTypeError(
            f"A file of the type {media_type or 'none'} is not taken",
            where="Content-Type",
            remedy=f"Send one of {', '.join(ENDINGS)}.",
        )
    actor = actor_of(request)
    receipt = arrive(
        actor,
        source=f"api:{actor.id}",
        name=query.name or f"upload{ENDINGS[media_type]}",
        data=request.body,
        mapping=query.mapping or None,
        at=utc_now(),
    )
    return _receipt_of(receipt)


@router.get(
    "/records", response=Page[RecordSummary], summary="Records, the latest first", **needs(Permission.VIEW_CONSIGNMENTS)
)
def list_records(request: HttpRequest, query: Query[RecordQuery]) -> Page[RecordSummary]:
    """The current version of each record that matches."""
    chosen = RecordFilter(
        kind=query.kind,
        text=query.text,
        received_from=query.received_from,
        received_until=query.received_until,
    )
    rows = selectors.records(chosen, limit=query.limit, offset=query.offset)
    return page_of([_summary_of(row) for row in rows], query, total=selectors.count_records(chosen))


@router.get(
    "/records/{uuid:record_id}", response=RecordOut, summary="One record", **needs(Permission.VIEW_CONSIGNMENTS)
)
def show_record(request: HttpRequest, record_id: UUID, query: Query[VersionQuery]) -> RecordOut:
    """The current version of a record, or the one asked for."""
    stored = selectors.record(record_id, version=query.version)
    record_deed(actor_of(request), deed="view_record", subject=f"record:{record_id}", at=utc_now())
    return _record_of(stored)


@router.get(
    "/records/{uuid:record_id}/raw",
    summary="The bytes that a record was read from",
    **needs(
        Permission.VIEW_CONSIGNMENTS,
        raw_answer("application/octet-stream", "The whole file, as it arrived"),
    ),
)
def show_raw(request: HttpRequest, record_id: UUID, query: Query[VersionQuery]) -> HttpResponse:
    """The whole file as it arrived; `arrival.member` and `arrival.line` of the record tell where it stands."""
    stored = selectors.record(record_id, version=query.version)
    data = selectors.raw_bytes(stored.arrival.arrival_id)
    record_deed(actor_of(request), deed="view_raw", subject=f"arrival:{stored.arrival.arrival_id}", at=utc_now())
    response = HttpResponse(data, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{stored.arrival.arrival_id}"'
    return response


def _receipt_of(receipt: Receipt) -> ImportReceipt:
    return ImportReceipt(
        arrival_id=receipt.arrival_id,
        imported=[
            ImportedRecord(record_id=ref.record_id, version=ref.version, kind=ref.kind, reference=ref.reference)
            for ref in receipt.imported
        ],
        warned=receipt.warned,
        duplicates=receipt.duplicates,
        refused=[
            RefusedRecord(name=note.name, line=note.line, field=note.field, code=note.code, message=note.message)
            for note in receipt.refused
        ],
    )


def _summary_of(stored: StoredRecord) -> RecordSummary:
    return RecordSummary(
        record_id=stored.record_id,
        version=stored.version,
        kind=stored.kind,
        reference=stored.reference,
        lodged_by=stored.lodged_by,
        ucr=stored.ucr,
        received_at=stored.received_at,
        problems=len(stored.problems),
    )


def _record_of(stored: StoredRecord) -> RecordOut:
    declaration, manifest = stored.declaration, stored.manifest
    content = declaration_to_json(declaration) if declaration else manifest_to_json(manifest) if manifest else {}
    return RecordOut.model_validate(
        {
            "record_id": stored.record_id,
            "version": stored.version,
            "is_current": stored.is_current,
            "kind": stored.kind,
            "reference": stored.reference,
            "lodged_by": stored.lodged_by,
            "ucr": stored.ucr,
            "received_at": stored.received_at,
            "content": content,
            "problems": [_problem_of(problem) for problem in stored.problems],
            "arrival": _arrival_of(stored.arrival),
        }
    )


def _problem_of(problem: Problem) -> RecordProblem:
    return RecordProblem(
        severity=problem.severity.value,
        code=problem.code,
        message=problem.message,
        field=problem.field,
        line=problem.line,
    )


def _arrival_of(arrival: ArrivalInfo) -> ArrivalOut:
    return ArrivalOut(
        arrival_id=arrival.arrival_id,
        sha256=arrival.sha256,
        source=arrival.source,
        name=arrival.name,
        member=arrival.member,
        line=arrival.line,
        received_at=arrival.received_at,
    )
