"""Assessments: written for each version of a record, again when a signal arrives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import chain
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from comity.common import Actor, ActorKind
from comity.intake import KeyKind, StoredRecord
from comity.intake.selectors import records_by_id, records_matching
from comity.registers.selectors import in_force
from comity.risk.anomaly_history import anomaly_reasons
from comity.risk.errors import SignalError
from comity.risk.mirror_reasons import mirror_reasons
from comity.risk.modelling.live import model_reasons
from comity.risk.models import Assessment, AssessmentReason, PartnerSignal, Selection
from comity.risk.reasons import profile_reasons, signal_reasons
from comity.risk.registered import registered_reasons
from comity.risk.rules import SourceKind, TargetState
from comity.risk.screening import screening_reasons
from comity.risk.signals import match_alert, signal_keys, traits_of
from comity.risk.values import AssessmentRef, Batch, FoundReason
from comity.risk.writing import Judged, write_assessments
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


def assess(actor: Actor, *, record: StoredRecord, at: datetime) -> AssessmentRef:
    """Assess one version of a record and put it in the queue. The same reasons again leave the assessment as it is.

    Raises: PermissionRefusedError.
    """
    (ref,) = assess_all(actor, records=(record,), at=at)
    return ref


@transaction.atomic
def assess_all(actor: Actor, *, records: Sequence[StoredRecord], at: datetime) -> list[AssessmentRef]:
    """Assess several records, each as `assess` would, reading what is in force once. Answers in their order.

    Raises: PermissionRefusedError.
    """
    if actor.kind is ActorKind.OFFICER:
        require(actor, Permission.ASSESS)
        for record in records:
            record_deed(actor, deed="assess", subject=f"record:{record.record_id}", at=at)
    judged = _judge(records, at)
    refs: dict[int, AssessmentRef] = {}
    for places in _rounds(records):
        written = _write([judged[place] for place in places], at)
        refs |= {place: written[records[place].record_id] for place in places}
    return [refs[place] for place in range(len(records))]


def _judge(records: Sequence[StoredRecord], at: datetime) -> list[Judged]:
    facts = tuple(tuple(facts_of(record.content, at)) for record in records)
    batch = Batch(tuple(records), facts, settings.COMITY_ADMINISTRATION, at, tuple(in_force()))
    found = [source(batch) for source in SOURCES]
    return [
        Judged(record, sorted(chain.from_iterable(each), key=lambda reason: (-reason.weight, reason.source)), rows[0])
        for record, rows, *each in zip(records, facts, *found, strict=True)
    ]


def _by_profile(batch: Batch) -> list[list[FoundReason]]:
    return profile_reasons(batch.facts, at=batch.at, administration=batch.administration)


def _by_signal(batch: Batch) -> list[list[FoundReason]]:
    return signal_reasons([traits_of(record.content) for record in batch.records], at=batch.at)


# What an assessment rests on. Each gives for every record of a batch, in their order, the reasons that it found.
SOURCES: tuple[Callable[[Batch], list[list[FoundReason]]], ...] = (
    _by_profile,
    _by_signal,
    mirror_reasons,
    anomaly_reasons,
    screening_reasons,
    registered_reasons,
    model_reasons,
)


def _rounds(records: Sequence[StoredRecord]) -> list[list[int]]:
    """The places of the records in rounds that name a record once, so that each sees what the round before wrote."""
    rounds: list[list[int]] = []
    seen: Counter[UUID] = Counter()
    for place, record in enumerate(records):
        if seen[record.record_id] == len(rounds):
            rounds.append([])
        rounds[seen[record.record_id]].append(place)
        seen[record.record_id] += 1
    return rounds


def _write(judged: Sequence[Judged], at: datetime) -> dict[UUID, AssessmentRef]:
    try:
        with transaction.atomic():
            return write_assessments(judged, at)
    except IntegrityError:
        # Another process assessed one of them for the first time meanwhile: there was no row yet on which to wait for
        # it. Now there is, and it is found and locked.
        return write_assessments(judged, at)


@transaction.atomic
def reassess_for_signal(actor: Actor, *, signal_ref: str, at: datetime) -> list[UUID]:
    """Assess again what has not left yet and what an alert, new or withdrawn, concerns. Returns what changed.

    Raises: SignalError where there is no such signal.
    """
    signals = list(PartnerSignal.objects.filter(ref=signal_ref))
    if not signals:
        raise SignalError("There is no such signal", where=signal_ref)
    open_ids = _open_ids(at)
    alerts = [alert_from_body(signal.body) for signal in signals if signal.body]  # a forgotten one has no content
    concerned = _concerned(alerts, open_ids) | _told(signal_ref, open_ids)
    current = Assessment.objects.filter(record_id__in=list(concerned), is_current=True)
    before = dict(current.values_list("record_id", "number"))
    refs = assess_all(actor, records=list(concerned.values()), at=at)
    return [ref.record_id for ref in refs if ref.number != before[ref.record_id]]


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
