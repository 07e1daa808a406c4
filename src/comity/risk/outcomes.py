"""What controls found, counted: by score band for planning, by window for exploration, by override."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

from django.db.models import Count, Q, QuerySet

from comity.risk.exploring import BEFORE_DAYS, RECENT_DAYS, Hits, Window
from comity.risk.models import LaneOverride, LearnedOutcome, Selection
from comity.risk.planning import BANDS, Yield, band_of, yields_of
from comity.risk.rules import Cause
from comity.trade import Outcome

# What was found longer ago than this says little of what is found now.
HISTORY = timedelta(days=365)


def snapshot(outcome: Outcome) -> dict[str, object]:
    """What the queue knows of an outcome's record now; of two with one reference the latest that was controlled."""
    risk_type = outcome.risk_type.value if outcome.risk_type else ""
    rows = Selection.objects.select_related("assessment").filter(reference=outcome.declaration_ref)
    row = rows.order_by("-changed_at").first()
    if row is None:
        return {"risk_type": risk_type}
    return {
        "risk_type": risk_type,
        "record_id": row.record_id,
        "score": row.assessment.score,
        "lane": row.assessment.lane,
        "office": row.office,
        "cause": row.cause,
        "control": row.control,
    }


def note_result(row: LearnedOutcome) -> None:
    """Write beside the overrides of a record what a control of it found."""
    if row.record_id is not None:
        overrides = LaneOverride.objects.filter(record_id=row.record_id, result="")
        overrides.update(result="irregular" if row.is_irregular else "in_order")


def windows(at: datetime) -> tuple[Window, Window]:
    """What controls found before, and lately."""
    recent, before = at - timedelta(days=RECENT_DAYS), at - timedelta(days=RECENT_DAYS + BEFORE_DAYS)
    return _window(before, recent), _window(recent, at)


def yields(at: datetime) -> tuple[Yield, ...]:
    """The yield of each score band in the controls of the last year."""
    counted = {
        number: _counts(rows) for number, rows in _by_band(LearnedOutcome.objects.filter(decided_at__gt=at - HISTORY))
    }
    return yields_of({number: hits for number, hits in counted.items() if hits.controls})


def by_chance() -> Hits:
    """All that random controls found."""
    return _counts(LearnedOutcome.objects.filter(is_random=True))


def _window(first: datetime, last: datetime) -> Window:
    rows = LearnedOutcome.objects.filter(decided_at__gt=first, decided_at__lte=last)
    # Papers of goods that have left show less than goods: with more of such checks the hits of selection would seem to
    # fall, though nothing has drifted.
    rows = rows.filter(is_after_release=False)
    by_risk = rows.filter(is_random=False, cause__in=(Cause.RISK.value, Cause.MANDATORY.value))
    return Window(_counts(rows.filter(is_random=True)), _counts(by_risk))


def _by_band(rows: QuerySet[LearnedOutcome]) -> Iterable[tuple[int, QuerySet[LearnedOutcome]]]:
    for low, high in pairwise(BANDS):
        upper = Q(score__lt=high) if high < BANDS[-1] else Q(score__lte=high)
        yield band_of(low), rows.filter(upper, score__gte=low)


def _counts(rows: QuerySet[LearnedOutcome]) -> Hits:
    counted = rows.aggregate(controls=Count("id"), irregular=Count("id", filter=Q(is_irregular=True)))
    return Hits(counted["controls"], counted["irregular"])
