"""Assessments, their reasons and their rows in the queue, written for many records with a few statements.

Locks are taken in one order everywhere in this room, so that nobody waits in a circle: rows of the queue by record,
then profiles and then signals by reference, then the plan of the day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db.models import F, QuerySet

from comity.intake import StoredRecord
from comity.risk.goals import declared_value
from comity.risk.models import Assessment, AssessmentReason, PartnerSignal, RuleProfile, Selection
from comity.risk.rules import Lane, SourceKind, TargetState, combine_weights, lane_of
from comity.risk.signals import normal_name
from comity.risk.values import AssessmentRef, FoundReason

# How a record was selected stays a reason when it is assessed again.
_KEPT_KINDS = (SourceKind.RANDOM.value, SourceKind.OFFICER.value)
# SQLite takes at most 32,766 variables in a statement.
_AT_ONCE = 5_000

Source = tuple[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Judged:
    """A record and the reasons found for it, the heaviest first. first: the facts of its first goods item."""

    record: StoredRecord
    found: Sequence[FoundReason]
    first: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Before:
    """The assessment that a record has, with its reasons in their order."""

    row: Assessment
    reasons: list[AssessmentReason] = field(default_factory=list)

    @property
    def kept(self) -> list[AssessmentReason]:
        """The reasons that say how the record was selected."""
        return [reason for reason in self.reasons if reason.source_kind in _KEPT_KINDS]

    def is_same(self, judged: Judged) -> bool:
        """Whether the same version was assessed with the same reasons."""
        if self.row.version != judged.record.version:
            return False
        earlier = [
            (reason.source_kind, reason.source_ref, reason.weight, reason.text)
            for reason in self.reasons
            if reason.source_kind not in _KEPT_KINDS
        ]
        return earlier == [
            (reason.source_kind.value, reason.source_ref, reason.weight, reason.text) for reason in judged.found
        ]


def lock_queue(rows: QuerySet[Selection]) -> list[Selection]:
    """Lock rows of the queue in the order of their records, each with its assessment as it is after the wait."""
    locked = list(rows.select_for_update().order_by("record_id"))
    # A join would lose the rows whose assessment was replaced while we waited (PostgreSQL 15, 13.2.1).
    assessments = Assessment.objects.in_bulk([row.assessment_id for row in locked])
    for row in locked:
        row.assessment = assessments[row.assessment_id]
    return locked


def lock_records(record_ids: Sequence[UUID]) -> dict[UUID, Selection]:
    """Lock the rows of these records; one that the queue does not know is left out."""
    rows: dict[UUID, Selection] = {}
    for part in parts(sorted(set(record_ids))):
        rows |= {row.record_id: row for row in lock_queue(Selection.objects.filter(record_id__in=part))}
    return rows


def write_assessments(judged: Sequence[Judged], at: datetime) -> dict[UUID, AssessmentRef]:
    """Write what changed, for records that are each named once; must run inside a transaction."""
    befores = _befores([one.record.record_id for one in judged])
    changed: list[Judged] = []
    refs: dict[UUID, AssessmentRef] = {}
    # By record, as rows are locked: two who assess the same new records then meet at the first of them.
    for one in sorted(judged, key=lambda each: each.record.record_id):
        before = befores.get(one.record.record_id)
        if before is not None and before.is_same(one):
            refs[one.record.record_id] = _ref(before.row, before.reasons)
        else:
            changed.append(one)
    return refs | _write_changed(changed, befores, at)


def _befores(record_ids: Sequence[UUID]) -> dict[UUID, Before]:
    befores = {record_id: Before(row.assessment) for record_id, row in lock_records(record_ids).items()}
    by_assessment = {before.row.pk: before for before in befores.values()}
    for part in parts(list(by_assessment)):
        for reason in AssessmentReason.objects.filter(assessment_id__in=part).order_by("position"):
            by_assessment[reason.assessment_id].reasons.append(reason)
    return befores


def _write_changed(
    changed: Sequence[Judged], befores: Mapping[UUID, Before], at: datetime
) -> dict[UUID, AssessmentRef]:
    replaced = [befores[one.record.record_id].row.pk for one in changed if one.record.record_id in befores]
    for part in parts(replaced):
        Assessment.objects.filter(pk__in=part).update(is_current=False)
    rows = [_assessment_row(one, befores.get(one.record.record_id), at) for one in changed]
    assessments = Assessment.objects.bulk_create(rows)
    _count_hits(changed, befores)
    reasons: list[AssessmentReason] = []
    refs = {}
    for one, assessment in zip(changed, assessments, strict=True):
        own = [reason_row(assessment, reason, position) for position, reason in enumerate(one.found, start=1)]
        before = befores.get(one.record.record_id)
        own += _carried_over(before, assessment, len(own)) if before else []
        refs[assessment.record_id] = _ref(assessment, own)
        reasons += own
    AssessmentReason.objects.bulk_create(reasons)
    _queue(changed, assessments, at)
    return refs


def _assessment_row(one: Judged, before: Before | None, at: datetime) -> Assessment:
    is_mandatory = any(reason.is_mandatory for reason in one.found)
    # A recognised trader is relieved of what is weighed, never of what selects by itself.
    score = combine_weights(reason.weight for reason in one.found if reason.weight > 0 or not is_mandatory)
    # What an officer asked for stays asked for; that he asked for less held for the reasons that he saw.
    asked = [Lane(reason.lane) for reason in before.kept] if before else []
    return Assessment(
        record_id=one.record.record_id,
        version=one.record.version,
        number=before.row.number + 1 if before else 1,
        is_current=True,
        score=score,
        lane=lane_of(score, [*(reason.lane for reason in one.found), *asked]).value,
        is_mandatory=is_mandatory,
        top_reason=(f"{one.found[0].title}: {one.found[0].text}" if one.found else "")[:500],
        at=at,
    )


def _carried_over(before: Before, assessment: Assessment, position: int) -> list[AssessmentReason]:
    kept = before.kept
    for offset, row in enumerate(kept, start=1):
        row.pk, row.assessment, row.position = None, assessment, position + offset
        row._state.adding = True
    return kept


def _count_hits(changed: Sequence[Judged], befores: Mapping[UUID, Before]) -> None:
    """A source hits a record once, however often the record is assessed."""
    earlier = _earlier_sources([one.record.record_id for one in changed if one.record.record_id in befores])
    hits: Counter[Source] = Counter()
    for one in changed:
        sources = {(reason.source_kind.value, reason.source_ref) for reason in one.found}
        hits.update(sources - earlier.get(one.record.record_id, set()))
    counted = {SourceKind.PROFILE.value: RuleProfile.objects, SourceKind.ALERT.value: PartnerSignal.objects}
    for kind, table in counted.items():
        for (source, ref), count in sorted(hits.items()):
            if source == kind:
                table.filter(ref=ref).update(hits=F("hits") + count)


def _earlier_sources(record_ids: Sequence[UUID]) -> dict[UUID, set[Source]]:
    earlier: dict[UUID, set[Source]] = {}
    for part in parts(record_ids):
        rows = AssessmentReason.objects.filter(assessment__record_id__in=part)
        for record_id, kind, ref in rows.values_list("assessment__record_id", "source_kind", "source_ref"):
            earlier.setdefault(record_id, set()).add((kind, ref))
    return earlier


def reason_row(assessment: Assessment, reason: FoundReason, position: int) -> AssessmentReason:
    """The row of a reason, not yet saved."""
    return AssessmentReason(
        assessment=assessment,
        position=position,
        source_kind=reason.source_kind.value,
        source_ref=reason.source_ref,
        title=reason.title[:300],
        text=reason.text,
        weight=reason.weight,
        lane=reason.lane.value,
        is_mandatory=reason.is_mandatory,
        risk_type=reason.risk_type.value if reason.risk_type else "",
        clause=reason.clause,
        administration=reason.administration,
        evidence=[entry.to_json() for entry in reason.evidence],
        facts=dict(reason.facts),
    )


def _queue(changed: Sequence[Judged], assessments: Sequence[Assessment], at: datetime) -> None:
    """A row for each record that is new to the queue; of the others the columns that follow the assessment."""
    Selection.objects.bulk_create(
        [_queue_row(one, assessment, at) for one, assessment in zip(changed, assessments, strict=True)],
        update_conflicts=True,
        unique_fields=["record_id"],
        update_fields=_FOLLOWING,
    )


def _queue_row(one: Judged, assessment: Assessment, at: datetime) -> Selection:
    record = one.record
    shown = {name: str(one.first.get(name) or "") for name in _SHOWN}
    declared = declared_value(record.content)
    words = [record.reference, record.ucr, *shown.values(), normal_name(shown["exporter_name"])]
    return Selection(
        record_id=record.record_id,
        assessment=assessment,
        kind=record.kind.value,
        reference=record.reference,
        office=shown["office"],
        exporter=(shown["exporter_name"] or shown["exporter_id"])[:300],
        importer=(shown["importer_name"] or shown["importer_id"])[:300],
        hs_code=(shown["hs_code"] or shown["hs_heading"] or shown["hs_chapter"])[:16],
        origin=shown["origin"][:16],
        search_text="\n".join(word.casefold() for word in words if word),
        received_at=record.received_at,
        value=float(declared.amount) if declared else None,
        currency=declared.currency if declared else "",
        state=TargetState.NEW.value,
        changed_at=at,
    )


_FOLLOWING = [
    "assessment",
    "kind",
    "reference",
    "office",
    "exporter",
    "importer",
    "hs_code",
    "origin",
    "search_text",
    "received_at",
    "value",
    "currency",
    "changed_at",
]
_SHOWN = (
    "office",
    "exporter_name",
    "exporter_id",
    "importer_name",
    "importer_id",
    "hs_code",
    "hs_heading",
    "hs_chapter",
    "origin",
    "description",
    "container",
    "means_id",
    "mrn",
    "declarant_id",
)


def ref_of(row: Assessment) -> AssessmentRef:
    """The assessment in short, its reasons read."""
    return _ref(row, row.reasons.order_by("position"))


def _ref(row: Assessment, reasons: Iterable[AssessmentReason]) -> AssessmentRef:
    sources = tuple(
        reason.source_kind if reason.source_kind == SourceKind.RANDOM else f"{reason.source_kind}:{reason.source_ref}"
        for reason in reasons
    )
    return AssessmentRef(
        row.record_id, row.version, row.number, row.score, Lane(row.lane), row.is_mandatory, row.at, sources
    )


def parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """The items in pieces that fit into one statement."""
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
