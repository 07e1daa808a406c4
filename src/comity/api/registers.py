"""Watch lists and registers, names screened against them, and decisions on hits."""
# ruff: noqa: ARG001 - the framework hands the request over by name

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema
from pydantic import StringConstraints

from comity.api.fields import Given, Instant, Sentence, Word
from comity.api.guard import actor_of, needs
from comity.common import utc_now
from comity.registers import EntryKind, Identifier, RegisterKind, RegisterVersion, selectors
from comity.registers.matching import Subject
from comity.registers.screeners import screener_in_force
from comity.risk import Lane
from comity.risk.hits import decide_hit, hit, open_hits
from comity.risk.screening import Verdict
from comity.staff import Permission
from comity.trade.knowledge import HitGround

router = Router(tags=["registers"])

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
HitRef = Annotated[str, StringConstraints(min_length=3, max_length=100)]


class RegisterOut(Schema):
    """A list or register in force. broken_count: rows of the file that could not be read and were left out."""

    code: str
    kind: RegisterKind
    publisher: str
    published_on: date
    sha256: str
    entries: int
    broken_count: int
    loaded_at: Instant


class RegistersOut(Schema):
    """Every list and register in force, by code."""

    items: list[RegisterOut]


class NameIn(Given):
    """Who is screened. birth_date: such as 1971-05-28 or 1971; country: ISO 3166-1; number: passport, tax, IMO."""

    name: Sentence
    kind: EntryKind | None = None
    birth_date: Annotated[str, StringConstraints(pattern=r"^(\d{4}(-\d{2}(-\d{2})?)?)?$")] = ""
    country: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")] = ""
    number: Word = ""


class PartOut(Schema):
    """One thing that was compared. effect: what it did to the score."""

    feature: str
    verdict: str
    effect: float
    ours: str
    theirs: str


class MatchOut(Schema):
    """An entry that may be the same, with what agrees."""

    list_code: str
    published_on: date
    entry: str
    name: str
    score: float
    parts: list[PartOut]


class MatchesOut(Schema):
    """The entries that may be the same, the likeliest first. lists: what was screened against."""

    items: list[MatchOut]
    lists: list[str]


class HitQuery(Given):
    """Which page of the hits is wanted, from 1."""

    page: int = Field(default=1, ge=1, le=1_000_000)


class HitOut(Schema):
    """A hit that waits for a decision. records: how many current assessments have it."""

    ref: str
    ours: str
    part: str
    theirs: str
    list_code: str
    list_of: str
    score: str
    weight: float
    lane: Lane
    is_mandatory: bool
    records: int


class HitsOut(Schema):
    """A page of hits, the heaviest first."""

    items: list[HitOut]
    total: int
    page: int
    pages: int


class HitDecisionIn(Given):
    """Whether both sides of a hit are the same, and why. ground: the reason as a word, which partners may be told."""

    ref: HitRef
    verdict: Verdict
    reason: Sentence
    ground: HitGround = HitGround.OTHER


class HitDecisionOut(Schema):
    """The decision in force. reassessed: records that were assessed again because of it."""

    ref: str
    verdict: Verdict
    reassessed: list[UUID]


@router.get(
    "/registers", response=RegistersOut, summary="Lists and registers in force", **needs(Permission.VIEW_CONSIGNMENTS)
)
def list_registers(request: HttpRequest) -> RegistersOut:
    """Watch lists and registers as assessments ask them now."""
    return RegistersOut(items=[_register(version) for version in selectors.in_force()])


@router.get(
    "/registers/{code}", response=RegistersOut, summary="Versions of a list", **needs(Permission.VIEW_CONSIGNMENTS)
)
def register_versions(request: HttpRequest, code: Code) -> RegistersOut:
    """Every version that was loaded, the latest first; only the first may be in force."""
    return RegistersOut(items=[_register(version) for version in selectors.history(code)])


@router.post("/screening", response=MatchesOut, summary="Screen a name", **needs(Permission.VIEW_CONSIGNMENTS))
def screen_name(request: HttpRequest, body: NameIn) -> MatchesOut:
    """Compare a name with the watch lists in force. Nothing is kept."""
    screener = screener_in_force()
    if screener is None:
        return MatchesOut(items=[], lists=[])
    numbers = (Identifier("number", body.number),) if body.number else ()
    subject = Subject(body.name, body.kind, body.birth_date, body.country, numbers)
    items = []
    for match in screener.screen(subject):
        version = screener.list_of(match)
        items.append(
            MatchOut(
                list_code=version.code,
                published_on=version.published_on,
                entry=match.entry.ref,
                name=match.entry.name,
                score=match.score,
                parts=[PartOut.from_orm(part) for part in match.parts],
            )
        )
    lists = [version.label for version in selectors.in_force() if version.kind is RegisterKind.WATCH_LIST]
    return MatchesOut(items=items, lists=lists)


@router.get("/screening/hits", response=HitsOut, summary="Hits", **needs(Permission.VIEW_CONSIGNMENTS))
def list_hits(request: HttpRequest, query: Query[HitQuery]) -> HitsOut:
    """What the screening found in current assessments and no officer has decided."""
    found = open_hits(query.page)
    items = [HitOut.from_orm(row) for row in found.rows]
    return HitsOut(items=items, total=found.total, page=found.page, pages=found.pages)


@router.post(
    "/screening/decisions", response=HitDecisionOut, summary="Decide on a hit", **needs(Permission.DECIDE_CONSIGNMENT)
)
def decide(request: HttpRequest, body: HitDecisionIn) -> HitDecisionOut:
    """The decision holds for the same subject and entry from now on; records that have the hit are assessed again."""
    hit(body.ref)
    changed = decide_hit(
        actor_of(request),
        ref=body.ref,
        verdict=body.verdict,
        reason=body.reason,
        ground=body.ground,
        at=utc_now(),
    )
    return HitDecisionOut(ref=body.ref, verdict=body.verdict, reassessed=changed)


def _register(version: RegisterVersion) -> RegisterOut:
    return RegisterOut.from_orm(version)
