"""Hits of the screening: what waits for an officer, and what officers decided. A decision is remembered for the same
subject and the same entry, as long as neither changes."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, QuerySet

from comity.common import Actor
from comity.intake.selectors import records_by_id
from comity.risk.assessing import assess_all
from comity.risk.errors import ScreeningError
from comity.risk.models import Assessment, AssessmentReason, ScreeningDecision, Selection
from comity.risk.rules import Lane, SourceKind, TargetState
from comity.risk.screening import Verdict
from comity.staff import Permission, require
from comity.staff.services import record_deed
from comity.trade.knowledge import HitGround

PAGE_SIZE = 50
_MAX_REASSESSED = 2_000
_OURS = {"Our name": "name", "Our part": "part", "Our country": "country", "Our numbers": "numbers"}
_THEIRS = {
    "Entry name": "name",
    "Other names": "other_names",
    "Entry kind": "kind",
    "Born": "born",
    "Countries": "countries",
    "Numbers": "numbers",
    "Program": "program",
    "Listed on": "listed_on",
    "Note": "note",
    "List": "list",
    "Publisher": "publisher",
    "List of": "list_of",
    "Entry": "entry",
}


@dataclass(frozen=True, slots=True)
class HitPart:
    """One thing that was compared. effect: what it did to the score, such as agrees +0.15."""

    feature: str
    ours: str
    theirs: str
    effect: str


@dataclass(frozen=True, slots=True)
class HitDecision:
    """What an officer decided. ground: the reason as a word."""

    verdict: Verdict
    reason: str
    decided_by: str
    decided_at: datetime
    is_current: bool
    ground: HitGround = HitGround.OTHER


@dataclass(frozen=True, slots=True)
class HitRow:
    """A hit as lists show it. records: how many records of now have it."""

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


@dataclass(frozen=True, slots=True)
class HitPage:
    """A page of hits, the heaviest first."""

    rows: tuple[HitRow, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class HitView:
    """A hit with both sides. earlier: decisions on it and on the same subject and entry before one of them changed."""

    row: HitRow
    ours: Mapping[str, str]
    theirs: Mapping[str, str]
    parts: tuple[HitPart, ...]
    decision: HitDecision | None
    earlier: tuple[HitDecision, ...]
    records: tuple[tuple[UUID, str], ...]


def open_hits(page: int = 1, *, page_size: int = PAGE_SIZE) -> HitPage:
    """What waits for a decision: hits of current assessments that no officer has decided."""
    decided = ScreeningDecision.objects.filter(ref=OuterRef("source_ref"), is_current=True)
    grouped = _current().filter(~Exists(decided)).order_by().values("source_ref")
    counted = grouped.annotate(records=Count("assessment_id"), heaviest=Max("weight"), latest=Max("id"))
    total = counted.count()
    pages = max(1, math.ceil(total / page_size))
    page = min(max(1, page), pages)
    found = list(counted.order_by("-heaviest", "source_ref")[(page - 1) * page_size : page * page_size])
    rows = AssessmentReason.objects.in_bulk([each["latest"] for each in found])
    return HitPage(tuple(_row(rows[each["latest"]], each["records"]) for each in found), total, page, pages)


def decided_hits(most: int = 100) -> list[tuple[str, str, str, HitDecision]]:
    """The latest decisions in force: reference, our name, their name, the decision."""
    rows = ScreeningDecision.objects.filter(is_current=True).order_by("-decided_at", "-id")[:most]
    return [(row.ref, row.ours.get("name", ""), row.theirs.get("name", ""), _decision(row)) for row in rows]


def hit(ref: str) -> HitView:
    """A hit with both sides and what was decided.

    Raises: ScreeningError where no current assessment has it.
    """
    rows = list(_current().filter(source_ref=ref).select_related("assessment").order_by("-id"))
    if not rows:
        raise ScreeningError("There is no such hit", where=ref, remedy="The record or the list may have changed.")
    told = rows[0].facts
    decisions = ScreeningDecision.objects.filter(
        list_code=told["List"], entry_ref=told["Entry"], subject_key=told["Subject key"]
    ).order_by("-decided_at", "-id")
    every = [(row.ref, _decision(row)) for row in decisions]
    current = next((each for known, each in every if known == ref and each.is_current), None)
    names = dict(
        Selection.objects.filter(record_id__in=[row.assessment.record_id for row in rows[:PAGE_SIZE]]).values_list(
            "record_id", "reference"
        )
    )
    return HitView(
        row=_row(rows[0], len(rows)),
        ours=_side(told, _OURS),
        theirs=_side(told, _THEIRS),
        parts=tuple(_parts(rows[0].evidence)),
        decision=current,
        earlier=tuple(each for _, each in every if each is not current),
        records=tuple(sorted(names.items(), key=lambda pair: pair[1])),
    )


def sides_of(refs: Collection[str]) -> dict[str, tuple[Mapping[str, str], Mapping[str, str]]]:
    """Both sides of these hits, ours and theirs, as current assessments have them; unknown ones are left out."""
    rows = _current().filter(source_ref__in=list(refs)).order_by("id")
    return {row.source_ref: (_side(row.facts, _OURS), _side(row.facts, _THEIRS)) for row in rows}


@transaction.atomic
def decide_hit(
    actor: Actor, *, ref: str, verdict: Verdict, reason: str, at: datetime, ground: HitGround = HitGround.OTHER
) -> list[UUID]:
    """Decide whether both sides of a hit are the same, and assess again what has it. Returns these records.

    The decision holds for the same subject and entry from now on; another decision takes its place. ground: the reason
    as a word.
    Raises: PermissionRefusedError, ScreeningError.
    """
    require(actor, Permission.DECIDE_CONSIGNMENT)
    reason = " ".join(reason.split())[:500]
    if len(reason) < 3:
        raise ScreeningError("A reason is needed", where=ref, remedy="Say in a sentence what tells them apart or one.")
    view = hit(ref)
    told = _current().filter(source_ref=ref).order_by("-id")[0].facts
    ScreeningDecision.objects.filter(ref=ref, is_current=True).update(is_current=False)
    ScreeningDecision.objects.create(
        ref=ref,
        list_code=told["List"],
        entry_ref=told["Entry"],
        subject_key=told["Subject key"],
        verdict=verdict.value,
        ground=ground.value,
        reason=reason,
        ours=dict(view.ours),
        theirs=dict(view.theirs),
        parts=[[part.feature, part.ours, part.theirs, part.effect] for part in view.parts],
        decided_by=str(actor)[:100],
        decided_at=at,
        is_current=True,
    )
    record_deed(
        actor,
        deed="decide_hit",
        subject=f"screening:{ref}",
        facts={"verdict": verdict.value, "ground": ground.value, "reason": reason},
        at=at,
    )
    return _reassess(actor, ref, at)


def _reassess(actor: Actor, ref: str, at: datetime) -> list[UUID]:
    told = _current().filter(source_ref=ref).values_list("assessment__record_id", flat=True)
    still_open = Selection.objects.exclude(state=TargetState.RELEASED.value).filter(record_id__in=list(told))
    records = records_by_id(list(still_open.values_list("record_id", flat=True)[:_MAX_REASSESSED]))
    node = Actor(actor.kind.NODE, actor.administration, actor.administration)
    assess_all(node, records=tuple(records.values()), at=at)
    return list(records)


def _current() -> QuerySet[AssessmentReason]:
    current = Assessment.objects.filter(pk=OuterRef("assessment_id"), is_current=True)
    return AssessmentReason.objects.filter(Exists(current), source_kind=SourceKind.SCREENING.value)


def _row(row: AssessmentReason, records: int) -> HitRow:
    told = row.facts
    return HitRow(
        ref=row.source_ref,
        ours=told.get("Our name") or told.get("Our numbers", ""),
        part=told.get("Our part", ""),
        theirs=told.get("Entry name", ""),
        list_code=told.get("List", ""),
        list_of=told.get("List of", ""),
        score=told.get("Score", ""),
        weight=row.weight,
        lane=Lane(row.lane),
        is_mandatory=row.is_mandatory,
        records=records,
    )


def _side(told: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {name: told[label] for label, name in names.items() if told.get(label)}


def _parts(evidence: Sequence[Mapping[str, Any]]) -> list[HitPart]:
    return [
        HitPart(each.get("column", ""), each.get("value", ""), each.get("bound", ""), each.get("comparison", ""))
        for each in evidence
    ]


def _decision(row: ScreeningDecision) -> HitDecision:
    return HitDecision(
        Verdict(row.verdict), row.reason, row.decided_by, row.decided_at, row.is_current, HitGround(row.ground)
    )
