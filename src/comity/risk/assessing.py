"""Assessments: written for each version of a record, again when a signal arrives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from comity.common import Actor, ActorKind
from comity.intake import KeyKind, StoredRecord
from comity.intake.selectors import records_by_id, records_matching
from comity.risk.errors import SignalError
from comity.risk.models import Assessment, AssessmentReason, PartnerSignal, RuleProfile, Selection
from comity.risk.reasons import profile_reasons, signal_reasons
from comity.risk.rules import Lane, SourceKind, TargetState, combine_weights, lane_of
from comity.risk.signals import match_alert, normal_name, signal_keys, traits_of
from comity.risk.values import AssessmentRef, FoundReason
from comity.staff import Permission, require
from comity.staff.services import record_deed
from comity.trade import Alert, SubjectRole
from comity.trade.encoding import alert_from_body
from comity.trade.facts import facts_of

# Goods that left the queue longer ago than this are out of reach of a new alert.
REACH = timedelta(days=30)
MAX_SCANNED = 2_000

_ID_KINDS = {
    SubjectRole.CONSIGNOR: (KeyKind.EXPORTER_ID, KeyKind.EXPORTER_NAME),
    SubjectRole.CONSIGNEE: (KeyKind.IMPORTER_ID, KeyKind.IMPORTER_NAME),
    SubjectRole.CONTAINER: (KeyKind.CONTAINER,),
    SubjectRole.CONVEYANCE: (KeyKind.MEANS_ID,),
}
_KEPT_KINDS = (SourceKind.RANDOM.value, SourceKind.OFFICER.value)


@transaction.atomic
def assess(actor: Actor, *, record: StoredRecord, at: datetime) -> AssessmentRef:
    """Assess one version of a record and put it in the queue. The same reasons again leave the assessment as it is.

    Raises: PermissionRefusedError.
    """
    if actor.kind is ActorKind.OFFICER:
        require(actor, Permission.ASSESS)
        record_deed(actor, deed="assess", subject=f"record:{record.record_id}", at=at)
    rows = facts_of(record.content, at)
    found = profile_reasons(rows, at=at, administration=settings.COMITY_ADMINISTRATION)
    found += signal_reasons(traits_of(record.content), at=at)
    found.sort(key=lambda reason: (-reason.weight, reason.source))
    return _write(record, found, rows[0], at)


@transaction.atomic
def reassess_for_signal(actor: Actor, *, signal_ref: str, at: datetime) -> list[UUID]:
    """Assess again what has not left yet and what an alert, new or withdrawn, concerns. Returns what changed.

    Raises: SignalError where there is no such signal.
    """
    signals = list(PartnerSignal.objects.filter(ref=signal_ref))
    if not signals:
        raise SignalError("There is no such signal", where=signal_ref)
    open_ids = _open_ids(at)
    changed: list[UUID] = []
    concerned = _concerned([alert_from_body(signal.body) for signal in signals], open_ids)
    for record in (concerned | _told(signal_ref, open_ids)).values():
        before = Assessment.objects.get(record_id=record.record_id, is_current=True).number
        if assess(actor, record=record, at=at).number != before:
            changed.append(record.record_id)
    return changed


def _open_ids(at: datetime) -> list[UUID]:
    """Records not yet released, the latest first."""
    rows = Selection.objects.exclude(state=TargetState.RELEASED.value).filter(received_at__gte=at - REACH)
    return list(rows.order_by("-received_at").values_list("record_id", flat=True)[:MAX_SCANNED])


def _concerned(alerts: Sequence[Alert], open_ids: Sequence[UUID]) -> dict[UUID, StoredRecord]:
    """Records that one of the alerts matches: by intake's keys, and among the open ones by everything an alert says."""
    candidates = {record.record_id: record for alert in alerts for record in _keyed(alert)}
    candidates = {record_id: candidates[record_id] for record_id in open_ids if record_id in candidates}
    if any(_needs_scan(alert) for alert in alerts):
        candidates |= records_by_id([record_id for record_id in open_ids if record_id not in candidates])
    traits = {record_id: traits_of(record.content) for record_id, record in candidates.items()}
    return {
        record_id: record
        for record_id, record in candidates.items()
        if any(match_alert(alert, traits[record_id]) for alert in alerts)
    }


def _told(signal_ref: str, open_ids: Sequence[UUID]) -> dict[UUID, StoredRecord]:
    """Open records that name the alert among their reasons: a corrected one may match them no more."""
    rows = AssessmentReason.objects.filter(
        source_kind=SourceKind.ALERT.value, source_ref=signal_ref, assessment__is_current=True
    )
    still_open = set(open_ids)
    told = rows.values_list("assessment__record_id", flat=True)
    return records_by_id([record_id for record_id in told if record_id in still_open])


def _keyed(alert: Alert) -> Iterable[StoredRecord]:
    for subject in alert.subjects:
        for kind in _ID_KINDS.get(subject.role, ()):
            text = subject.name if kind in {KeyKind.EXPORTER_NAME, KeyKind.IMPORTER_NAME} else subject.id
            if text:
                yield from records_matching(kind, text)


def _needs_scan(alert: Alert) -> bool:
    """Whether intake's keys may miss a match: goods, routes, declarants, carriers, and names in another spelling."""
    return any(
        not key.startswith(("consignor:id:", "consignee:id:", "container:id:", "conveyance:id:"))
        for key in signal_keys(alert)
    )


def _write(record: StoredRecord, found: list[FoundReason], first: dict[str, object], at: datetime) -> AssessmentRef:
    row = Selection.objects.select_for_update().select_related("assessment").filter(record_id=record.record_id).first()
    before = row.assessment if row else None
    if before is not None and _is_same(before, record.version, found):
        return ref_of(before)
    score = combine_weights(reason.weight for reason in found)
    lane = lane_of(score, [reason.lane for reason in found])
    if before is not None:
        Assessment.objects.filter(pk=before.pk).update(is_current=False)
    assessment = Assessment.objects.create(
        record_id=record.record_id,
        version=record.version,
        number=before.number + 1 if before else 1,
        is_current=True,
        score=score,
        lane=lane.value,
        is_mandatory=any(reason.is_mandatory for reason in found),
        top_reason=(f"{found[0].title}: {found[0].text}" if found else "")[:500],
        at=at,
    )
    _count_hits(record.record_id, found)
    AssessmentReason.objects.bulk_create(
        reason_row(assessment, reason, position) for position, reason in enumerate(found, start=1)
    )
    if before is not None:
        _carry_over(before, assessment, len(found))
    _queue(record, assessment, first, at)
    return ref_of(assessment)


def _is_same(before: Assessment, version: int, found: Sequence[FoundReason]) -> bool:
    if before.version != version:
        return False
    rows = before.reasons.exclude(source_kind__in=_KEPT_KINDS).order_by("position")
    kept = [(row.source_kind, row.source_ref, row.weight, row.text) for row in rows]
    return kept == [(reason.source_kind.value, reason.source_ref, reason.weight, reason.text) for reason in found]


def _count_hits(record_id: UUID, found: Sequence[FoundReason]) -> None:
    """A source hits a record once, however often the record is assessed."""
    earlier = set(
        AssessmentReason.objects.filter(assessment__record_id=record_id).values_list("source_kind", "source_ref")
    )
    fresh = [reason for reason in found if (reason.source_kind.value, reason.source_ref) not in earlier]
    profiles = [reason.source_ref for reason in fresh if reason.source_kind is SourceKind.PROFILE]
    alerts = [reason.source_ref for reason in fresh if reason.source_kind is SourceKind.ALERT]
    if profiles:
        RuleProfile.objects.filter(ref__in=profiles).update(hits=F("hits") + 1)
    if alerts:
        PartnerSignal.objects.filter(ref__in=alerts).update(hits=F("hits") + 1)


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


def _carry_over(before: Assessment, assessment: Assessment, position: int) -> None:
    """How a record was selected stays a reason when it is assessed again."""
    for offset, row in enumerate(before.reasons.filter(source_kind__in=_KEPT_KINDS).order_by("position"), start=1):
        row.pk, row.assessment, row.position = None, assessment, position + offset
        row.save(force_insert=True)


def _queue(record: StoredRecord, assessment: Assessment, first: dict[str, object], at: datetime) -> None:
    shown = {name: str(first.get(name) or "") for name in _SHOWN}
    words = [record.reference, record.ucr, *shown.values(), normal_name(shown["exporter_name"])]
    fields = {
        "assessment": assessment,
        "kind": record.kind.value,
        "reference": record.reference,
        "office": shown["office"],
        "exporter": (shown["exporter_name"] or shown["exporter_id"])[:300],
        "importer": (shown["importer_name"] or shown["importer_id"])[:300],
        "hs_code": (shown["hs_code"] or shown["hs_heading"] or shown["hs_chapter"])[:16],
        "origin": shown["origin"][:16],
        "search_text": "\n".join(word.casefold() for word in words if word),
        "received_at": record.received_at,
        "changed_at": at,
    }
    Selection.objects.update_or_create(
        record_id=record.record_id,
        defaults=fields,
        create_defaults=fields | {"state": TargetState.NEW.value},
    )


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
    """The assessment in short."""
    sources = [
        kind if kind == SourceKind.RANDOM else f"{kind}:{ref}"
        for kind, ref in row.reasons.order_by("position").values_list("source_kind", "source_ref")
    ]
    return AssessmentRef(
        row.record_id, row.version, row.number, row.score, Lane(row.lane), row.is_mandatory, row.at, tuple(sources)
    )
