"""What came of partners' alerts and profiles here, told back as counts; and what partners tell of ours.

No trader, no declaration and no officer is in a report: on how many records it fired, how many were examined, how many
were irregular and how.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Sum

from comity.risk.errors import SignalError
from comity.risk.models import (
    AssessmentReason,
    LearnedOutcome,
    PartnerSignal,
    ReportTaken,
    ReportTold,
    RuleProfile,
)
from comity.risk.rules import ProfileState, Reliability, SourceKind
from comity.risk.values import Source
from comity.trade import Handling, RiskType
from comity.trade.knowledge import FoundKind, SignalReport, Told

# How often the issuer is told while its alert or profile still targets; at its end it is told at once.
TOLD_EVERY = timedelta(days=7)
_NOTHING = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Came:
    """What came of one alert or profile of a partner until now. ref: here; issuer_ref: as its issuer names it."""

    told: Told
    issuer: str
    message_id: str
    ref: str
    issuer_ref: str
    handling: Handling
    since: datetime
    fired: int
    examined: int
    found: int
    is_closed: bool

    @property
    def counts(self) -> tuple[int, int, int]:
        """Fired, examined, found."""
        return self.fired, self.examined, self.found


@dataclass(frozen=True, slots=True)
class Report:
    """What a partner told of what came of an alert or a profile of ours. fired: None where it was not released."""

    administration: str
    message_id: str
    article: str
    told: Told
    ref: str
    about: str
    fired: int | None
    examined: int
    found: int
    kinds: tuple[FoundKind, ...]
    is_closed: bool
    counted_until: datetime


def reports_due(at: datetime, *, limit: int) -> list[Came]:
    """What is to be told to issuers: what changed since the last time, once a week, and at the end."""
    due: list[Came] = []
    for came in (*_signals(at), *_profiles(at)):
        if len(due) == limit:
            break
        if _is_due(came, at):
            due.append(came)
    return due


def _is_due(came: Came, at: datetime) -> bool:
    last = ReportTold.objects.filter(issuer=came.issuer, about=came.message_id).first()
    before = (last.fired, last.examined, last.found) if last else _NOTHING
    if came.is_closed and not (last and last.is_closed):
        return came.counts != _NOTHING
    is_news = came.counts[1:] != before[1:]
    return is_news and (came.is_closed or at - (last.told_at if last else came.since) >= TOLD_EVERY)


def _signals(at: datetime) -> Iterator[Came]:
    """Those of which not all was told: a node keeps every alert, and most have ended and were told of."""
    known = ReportTold.objects.filter(
        issuer=OuterRef("issuer"),
        about=OuterRef("message_id"),
        found=OuterRef("confirmed"),
        examined=OuterRef("confirmed") + OuterRef("unconfirmed"),
    )
    has_ended = Q(withdrawn_at__isnull=False) | Q(valid_until__lte=at)
    controlled = Q(confirmed__gt=0) | Q(unconfirmed__gt=0)
    open_news = ~has_ended & controlled & ~Exists(known)
    last_news = has_ended & (controlled | Q(hits__gt=0)) & ~Exists(known.filter(is_closed=True))
    for row in PartnerSignal.objects.filter(open_news | last_news).exclude(body={}).order_by("id").iterator():
        yield Came(
            told=Told.ALERT,
            issuer=row.issuer,
            message_id=row.message_id,
            ref=row.ref,
            issuer_ref=row.ref,
            handling=Handling.from_word(str(row.body.get("handling", "official"))),
            since=row.taken_at,
            fired=row.hits,
            examined=row.confirmed + row.unconfirmed,
            found=row.confirmed,
            is_closed=row.withdrawn_at is not None or row.valid_until <= at,
        )


def _profiles(at: datetime) -> Iterator[Came]:
    rows = RuleProfile.objects.exclude(issuer="").exclude(expression="")
    for row in rows.order_by("id"):
        has_ended = row.valid_until is not None and row.valid_until <= at
        yield Came(
            told=Told.PROFILE,
            issuer=row.issuer,
            message_id=row.message_id,
            ref=row.ref,
            issuer_ref=row.issuer_ref,
            handling=Handling.from_word(row.handling),
            since=row.approved_at or row.drafted_at,
            fired=row.hits,
            examined=row.confirmed + row.unconfirmed,
            found=row.confirmed,
            is_closed=has_ended or row.state == ProfileState.RETIRED,
        )


def compose_report(came: Came, *, administration: str, at: datetime) -> SignalReport:
    """What is told to the issuer."""
    return SignalReport(
        administration=administration,
        told=came.told,
        ref=came.issuer_ref,
        about=came.message_id,
        examined=came.examined,
        found=came.found,
        counted_until=at,
        fired=came.fired,
        kinds=_kinds(came),
        is_closed=came.is_closed,
        handling=came.handling,
    )


def _kinds(came: Came) -> tuple[FoundKind, ...]:
    """In which way what it led to was irregular, the most frequent first."""
    kind = SourceKind.ALERT if came.told is Told.ALERT else SourceKind.PROFILE
    reasons = AssessmentReason.objects.filter(
        source_kind=kind.value, source_ref=came.ref, administration=came.issuer
    ).values("assessment__record_id")
    outcomes = LearnedOutcome.objects.filter(record_id__in=reasons, is_irregular=True)
    source = f"{kind.value}:{came.ref}"
    found = Counter(
        risk_type for risk_type, sources in outcomes.values_list("risk_type", "sources") if source in sources
    )
    told = (
        (word, min(count, came.found)) for word, count in sorted(found.items(), key=lambda each: (-each[1], each[0]))
    )
    return tuple(FoundKind(RiskType(word), count) for word, count in told if word and count)


@transaction.atomic
def mark_told(came: Came, *, message_id: str, at: datetime) -> None:
    """The report is in the outbox, or (with no id) the agreement refused it."""
    ReportTold.objects.update_or_create(
        issuer=came.issuer,
        about=came.message_id,
        defaults={
            "told": came.told.value,
            "fired": came.fired,
            "examined": came.examined,
            "found": came.found,
            "is_closed": came.is_closed,
            "message_id": message_id,
            "told_at": at,
        },
    )


@transaction.atomic
def take_report(report: SignalReport, *, source: Source, at: datetime) -> None:
    """Keep what a partner tells of an alert or a profile of ours; what was counted later stands for it.

    Raises: SignalError where it is told for somebody else.
    """
    if report.administration != source.issuer:
        raise SignalError("A report is told by who made it", where=report.administration)
    of_it = ReportTaken.objects.filter(administration=source.issuer, about=report.about)
    if of_it.filter(message_id=source.message_id).exists():
        return
    is_latest = not of_it.filter(counted_until__gt=report.counted_until).exists()
    if is_latest:
        of_it.update(is_latest=False)
    ReportTaken.objects.create(
        administration=source.issuer,
        message_id=source.message_id,
        article=source.article[:100],
        told=report.told.value,
        ref=report.ref,
        about=report.about,
        fired=report.fired,
        examined=report.examined,
        found=report.found,
        kinds=[[each.risk_type.value, each.found] for each in report.kinds],
        is_closed=report.is_closed,
        counted_until=report.counted_until,
        taken_at=at,
        is_latest=is_latest,
    )


def reports_on(told: Told, ref: str) -> tuple[Report, ...]:
    """What each partner told last of an alert or a profile of ours."""
    rows = ReportTaken.objects.filter(told=told.value, ref=ref, is_latest=True)
    return tuple(_report(row) for row in rows.order_by("administration", "id"))


def reports_about(message_id: str) -> tuple[Report, ...]:
    """What partners told last of what they got by this message."""
    rows = ReportTaken.objects.filter(about=message_id, is_latest=True)
    return tuple(_report(row) for row in rows.order_by("administration", "id"))


def reports_by(administration: str, *, limit: int) -> tuple[Report, ...]:
    """What a partner told last of each of our alerts and profiles, the latest first."""
    rows = ReportTaken.objects.filter(administration=administration, is_latest=True)
    return tuple(_report(row) for row in rows.order_by("-counted_until", "-id")[:limit])


def our_reliability_at(administration: str) -> Reliability:
    """How often our alerts and profiles were confirmed at a partner, as far as it told."""
    rows = ReportTaken.objects.filter(administration=administration, is_latest=True)
    total = rows.aggregate(examined=Sum("examined"), found=Sum("found"))
    found = total["found"] or 0
    return Reliability(administration, found, (total["examined"] or 0) - found)


def forget_report(*, issuer: str, message_id: str) -> None:
    """A partner's report is taken back or has run out: nothing of it stays, and an earlier one counts again."""
    row = ReportTaken.objects.filter(administration=issuer, message_id=message_id).first()
    if row is None:
        return
    row.delete()
    rest = ReportTaken.objects.filter(administration=issuer, about=row.about).order_by("-counted_until", "-id")
    latest = rest.first()
    if row.is_latest and latest is not None:
        latest.is_latest = True
        latest.save(update_fields=["is_latest"])


def _report(row: ReportTaken) -> Report:
    return Report(
        administration=row.administration,
        message_id=row.message_id,
        article=row.article,
        told=Told(row.told),
        ref=row.ref,
        about=row.about,
        fired=row.fired,
        examined=row.examined,
        found=row.found,
        kinds=tuple(FoundKind(RiskType(word), count) for word, count in row.kinds),
        is_closed=row.is_closed,
        counted_until=row.counted_until,
    )
