"""Reads of this room: the queue, explanations, profiles, signals, reliability."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from comity.risk.backtesting import latest_backtest
from comity.risk.errors import ProfileError, SelectionError
from comity.risk.exploring import wilson
from comity.risk.hit_advice import advice_sources
from comity.risk.mirror_views import mirror_sources
from comity.risk.models import (
    AlertFeedback,
    Assessment,
    AssessmentReason,
    ChanceRow,
    PartnerSignal,
    RuleProfile,
    Selection,
    SelectionPlan,
)
from comity.risk.outcomes import by_chance
from comity.risk.profile_sharing import profile_sources
from comity.risk.profiles import profile_of
from comity.risk.reasons import reliability_of
from comity.risk.rules import AfterRelease, Cause, Lane, Reliability, SourceKind, TargetState
from comity.risk.shadows import with_shadows
from comity.risk.terms import DayPlan, plan_of
from comity.risk.values import (
    AlertReason,
    AlertSource,
    AssessmentRef,
    Backtest,
    Compliance,
    Explanation,
    Feedback,
    FoundReason,
    Plan,
    Profile,
    QueueFilter,
    QueuePage,
    QueueRow,
    Signal,
)
from comity.risk.wording import Evidence
from comity.risk.writing import ref_of
from comity.trade import RiskType

MAX_PAGE = 200
_FORMULA = (
    "100 × (1 − product of (1 − weight / 100)) over the reasons below; "
    "a weight below 0 takes its percentage off the whole, unless a reason selects by itself"
)
_ORDER = ("-assessment__is_mandatory", "-assessment__score", "-received_at", "record_id")


def queue(chosen: QueueFilter) -> QueuePage:
    """A page of the targeting queue, mandatory ones first, then by score, then the latest; with facet counts."""
    rows = _filtered(chosen)
    total = rows.count()
    size = min(max(1, chosen.page_size), MAX_PAGE)
    pages = max(1, math.ceil(total / size))
    page = min(max(1, chosen.page), pages)
    found = list(rows.select_related("assessment").order_by(*_ORDER)[(page - 1) * size : page * size])
    return QueuePage(_queue_rows(found), total, page, pages, _facets(chosen))


def queue_row(record_id: UUID) -> QueueRow | None:
    """One record as the queue shows it, or None where it was not assessed."""
    return next(
        iter(_queue_rows(list(Selection.objects.select_related("assessment").filter(record_id=record_id)))), None
    )


def queue_rows(record_ids: Sequence[UUID]) -> dict[UUID, QueueRow]:
    """These records as the queue shows them; those that were not assessed are left out."""
    rows = Selection.objects.select_related("assessment").filter(record_id__in=list(record_ids))
    return {row.record_id: row for row in _queue_rows(list(rows))}


def neighbours(record_id: UUID) -> tuple[UUID | None, UUID | None]:
    """The records before and after this one among those of the queue that are not released, in its order."""
    row = Selection.objects.select_related("assessment").filter(record_id=record_id).first()
    if row is None:
        return None, None
    rows = Selection.objects.exclude(state=TargetState.RELEASED.value)
    is_first, score, at = row.assessment.is_mandatory, row.assessment.score, row.received_at
    same_rank = Q(assessment__is_mandatory=is_first)
    same_score = same_rank & Q(assessment__score=score)
    same_time = same_score & Q(received_at=at)
    later = (
        Q(assessment__is_mandatory__lt=is_first)
        | (same_rank & Q(assessment__score__lt=score))
        | (same_score & Q(received_at__lt=at))
        | (same_time & Q(record_id__gt=record_id))
    )
    ids = rows.filter(later).order_by(*_ORDER).values_list("record_id", flat=True)
    backwards = [name.removeprefix("-") if name.startswith("-") else f"-{name}" for name in _ORDER]
    before = rows.exclude(later).exclude(record_id=record_id).order_by(*backwards)
    return before.values_list("record_id", flat=True).first(), ids.first()


def assessment(record_id: UUID) -> AssessmentRef | None:
    """The current assessment of a record, or None."""
    row = Assessment.objects.filter(record_id=record_id, is_current=True).first()
    return ref_of(row) if row else None


def assessments(record_id: UUID) -> list[AssessmentRef]:
    """Every assessment of a record, the newest first."""
    return [ref_of(row) for row in Assessment.objects.filter(record_id=record_id).order_by("-number")]


def explanation(record_id: UUID) -> Explanation:
    """Why a record stands where it stands.

    Raises: SelectionError where it was not assessed.
    """
    row = Selection.objects.select_related("assessment").filter(record_id=record_id).first()
    if row is None:
        raise SelectionError("The record was not assessed yet", where=str(record_id))
    return Explanation(
        assessment=ref_of(row.assessment),
        formula=_FORMULA,
        reasons=tuple(_reason(entry) for entry in row.assessment.reasons.order_by("position")),
        state=TargetState(row.state),
        cause=Cause(row.cause),
        selection=_selection_sentence(row),
        day=row.day,
        seed=row.seed,
        draw=row.draw,
        assigned_to=row.assigned_to,
        after=AfterRelease(row.after),
    )


def sources_of(record_id: UUID) -> tuple[str, ...]:
    """What asked for the control of a record, as outcomes name it: alert:<ref>, profile:<ref>, random."""
    found = assessment(record_id)
    return found.sources if found else ()


def profiles(at: datetime) -> list[Profile]:
    """Every profile with its statistics, by reference; where another one hides it, with that one."""
    return with_shadows([profile_of(row, at) for row in RuleProfile.objects.order_by("ref")])


def backtest(ref: str) -> Backtest | None:
    """The latest back-test of a profile, also where its rule was changed since; None where there is none."""
    return latest_backtest(ref)


def has_profile(ref: str) -> bool:
    """Whether there is a profile of this reference."""
    return RuleProfile.objects.filter(ref=ref).exists()


def profile(ref: str, at: datetime) -> Profile:
    """One profile.

    Raises: ProfileError where there is none.
    """
    row = RuleProfile.objects.filter(ref=ref).first()
    if row is None:
        raise ProfileError("There is no such profile", where=ref)
    return profile_of(row, at)


def signals(at: datetime) -> list[Signal]:
    """Every partner's alert that was taken, the latest first."""
    rows = list(PartnerSignal.objects.order_by("-taken_at", "-id"))
    known = reliability_of(sorted({row.issuer for row in rows}))
    return [
        Signal(
            ref=row.ref,
            issuer=row.issuer,
            message_id=row.message_id,
            article=row.article,
            title=row.title,
            state=_signal_state(row, at),
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            hits=row.hits,
            confirmed=row.confirmed,
            unconfirmed=row.unconfirmed,
            reliability=known[row.issuer],
        )
        for row in rows
    ]


def alert_sources(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], AlertSource]:
    """Partners' alerts, offers and profiles by (issuer, reference), the latest of each; unknown ones are left out."""
    wanted = set(pairs)
    rows = PartnerSignal.objects.filter(ref__in={ref for _, ref in wanted}).order_by("taken_at", "id")
    return (
        mirror_sources(wanted)
        | profile_sources(wanted)
        | advice_sources(wanted)
        | {
            (row.issuer, row.ref): AlertSource(row.message_id, str(row.body.get("handling", "")) if row.body else "")
            for row in rows
            if (row.issuer, row.ref) in wanted
        }
    )


def alert_reasons(record_ids: Iterable[UUID]) -> dict[UUID, list[AlertReason]]:
    """Of each record what partners told among the reasons of its current assessment: alerts, differences, profiles."""
    found: dict[UUID, list[AlertReason]] = {record_id: [] for record_id in record_ids}
    rows = AssessmentReason.objects.filter(assessment__record_id__in=list(found), assessment__is_current=True)
    first: dict[UUID, int] = {}
    told = rows.order_by("position").values_list(
        "assessment__record_id", "position", "source_kind", "administration", "source_ref"
    )
    for record_id, position, kind, administration, ref in told:
        first.setdefault(record_id, position)
        if kind in (SourceKind.ALERT.value, SourceKind.MIRROR.value) or (
            kind == SourceKind.PROFILE.value and administration != settings.COMITY_ADMINISTRATION
        ):
            found[record_id].append(AlertReason(administration, ref, is_first=first[record_id] == position))
    return found


def reliability(issuer: str) -> Reliability:
    """How often an issuer's alerts were confirmed here."""
    return reliability_of([issuer])[issuer]


def feedback(alert_ref: str) -> list[Feedback]:
    """What partners found where they followed an alert of ours."""
    return [
        Feedback(row.alert_ref, row.administration, row.finding_ref, row.is_irregular, row.found_at)
        for row in AlertFeedback.objects.filter(alert_ref=alert_ref).order_by("found_at", "id")
    ]


def plan(day: date) -> Plan:
    """The plan of a day: stated, or what the latest stated one means for it."""
    row = SelectionPlan.objects.filter(day__lte=day).order_by("-day").first()
    if row is not None and row.day == day:
        return plan_of(row)
    figures = DayPlan() if row is None else row
    return Plan(
        day, figures.capacity, figures.random_share, figures.score_threshold, figures.expected_arrivals, 0, 0, 0
    )


def asked_on(day: date) -> list[ChanceRow]:
    """What chance was asked on a day, in order."""
    return list(ChanceRow.objects.filter(day=day).order_by("id"))


def selected_on(day: date) -> dict[Cause, int]:
    """How many of a day's records were selected for each cause."""
    rows = Selection.objects.filter(day=day).exclude(cause="").values("cause").annotate(n=Count("id"))
    return {Cause(row["cause"]): row["n"] for row in rows.order_by("cause")}


def compliance() -> Compliance:
    """What random controls found: an unbiased sample of what no reason selected, and of that alone."""
    hits = by_chance()
    low, high = wilson(hits)
    return Compliance(hits.controls, hits.irregular, low, high)


def state_counts() -> dict[TargetState, int]:
    """How many records stand in each state of the queue."""
    counted = Counter(
        {TargetState(row["state"]): row["n"] for row in Selection.objects.values("state").annotate(n=Count("id"))}
    )
    return {state: counted[state] for state in TargetState}


def unassessed(record_ids: list[UUID]) -> list[UUID]:
    """Which of these records were not assessed yet."""
    known = set(Selection.objects.filter(record_id__in=record_ids).values_list("record_id", flat=True))
    return [record_id for record_id in record_ids if record_id not in known]


def _filtered(chosen: QueueFilter, *, without: str = "") -> QuerySet[Selection]:
    """The rows that the filter leaves, one of its facets left out."""
    wanted = Q(assessment__score__gte=chosen.min_score) if chosen.min_score > 0 else Q()
    if chosen.states and without != "state":
        wanted &= Q(state__in=[state.value for state in chosen.states])
    if chosen.lanes and without != "lane":
        wanted &= Q(assessment__lane__in=[lane.value for lane in chosen.lanes])
    if chosen.causes and without != "cause":
        wanted &= Q(cause__in=[cause.value for cause in chosen.causes])
    if chosen.office and without != "office":
        wanted &= Q(office=chosen.office)
    if without != "assigned_to" and (chosen.assigned_to or chosen.is_unassigned):
        wanted &= Q(assigned_to="" if chosen.is_unassigned else chosen.assigned_to)
    for word in chosen.text.casefold().split():
        wanted &= Q(search_text__contains=word)
    return Selection.objects.filter(wanted)


def _facets(chosen: QueueFilter) -> Mapping[str, Mapping[str, int]]:
    columns = {"state": "state", "lane": "assessment__lane", "cause": "cause", "office": "office"}
    columns |= {"assigned_to": "assigned_to"}
    facets = {}
    for facet, column in columns.items():
        rows = _filtered(chosen, without=facet).values(column).annotate(n=Count("id")).order_by("-n", column)
        facets[facet] = {str(row[column]): int(row["n"]) for row in rows}
    return facets


def _queue_rows(rows: list[Selection]) -> tuple[QueueRow, ...]:
    partners: dict[int, set[str]] = {}
    told = AssessmentReason.objects.filter(
        assessment__in=[row.assessment_id for row in rows], source_kind=SourceKind.ALERT.value
    )
    for assessment_id, administration in told.values_list("assessment_id", "administration"):
        partners.setdefault(assessment_id, set()).add(administration)
    return tuple(_queue_row(row, tuple(sorted(partners.get(row.assessment_id, ())))) for row in rows)


def _queue_row(row: Selection, administrations: tuple[str, ...]) -> QueueRow:
    return QueueRow(
        record_id=row.record_id,
        version=row.assessment.version,
        kind=row.kind,
        reference=row.reference,
        office=row.office,
        exporter=row.exporter,
        importer=row.importer,
        hs_code=row.hs_code,
        origin=row.origin,
        state=TargetState(row.state),
        cause=Cause(row.cause),
        score=row.assessment.score,
        lane=Lane(row.assessment.lane),
        is_mandatory=row.assessment.is_mandatory,
        top_reason=row.assessment.top_reason,
        administrations=administrations,
        assigned_to=row.assigned_to,
        received_at=row.received_at,
        assessed_at=row.assessment.at,
    )


def _reason(row: AssessmentReason) -> FoundReason:
    return FoundReason(
        source_kind=SourceKind(row.source_kind),
        source_ref=row.source_ref,
        title=row.title,
        text=row.text,
        weight=row.weight,
        lane=Lane(row.lane),
        administration=row.administration,
        is_mandatory=row.is_mandatory,
        risk_type=RiskType(row.risk_type) if row.risk_type else None,
        clause=row.clause,
        evidence=tuple(Evidence(**entry) for entry in row.evidence),
        facts=tuple((label, str(words)) for label, words in row.facts.items()),
    )


_AFTER = {
    AfterRelease.ORDERED: "Released in the blue lane; its documents are checked afterwards.",
    AfterRelease.FULL: "Released without a check afterwards: no control of documents was left at its office, and those"
    " that there were went to goods of at least its weight.",
    AfterRelease.YIELDED: "Released in the blue lane; its check gave way to weightier goods of the same day, since no"
    " more controls of documents were left.",
}


def _selection_sentence(row: Selection) -> str:
    if row.after:
        return _AFTER[AfterRelease(row.after)]
    match Cause(row.cause):
        case Cause.MANDATORY:
            return f"Selected on {row.day} because a reason below makes it mandatory."
        case Cause.RISK:
            return f"Selected on {row.day} for its score."
        case Cause.RANDOM:
            return (
                f"Selected at random on {row.day}: the draw {row.draw:.6f} is SHA-256 of the seed {row.seed} and the "
                "record number; nobody chose it, and anyone can recompute it."
            )
        case Cause.LEARNING:
            return f"Selected on {row.day} to learn: little is known of goods with such a score."
        case Cause.OFFICER:
            return "Selected by an officer."
        case _:
            return "Not selected."


def _signal_state(row: PartnerSignal, at: datetime) -> str:
    if row.withdrawn_at is not None:
        return "withdrawn"
    if at < row.valid_from:
        return "announced"
    return "in force" if at < row.valid_until else "expired"
