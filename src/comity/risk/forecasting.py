"""The planner: what inspections of what waits now are likely to find, from what controls found before."""

from __future__ import annotations

from datetime import datetime

from comity.risk.controls import control_of
from comity.risk.goals import Policy, critical_score
from comity.risk.models import Selection
from comity.risk.outcomes import yields
from comity.risk.planning import Candidate, Forecast, forecast
from comity.risk.ranking import told_revenues, weighed_reasons
from comity.risk.rules import Cause, Lane, TargetState

# What is looked at, the highest scores first; a queue that is longer is cut, and the page says so.
MOST_WAITING = 20_000


def forecast_for(inspections: int, *, policy: Policy, at: datetime, office: str = "") -> Forecast:
    """What so many inspections would find among the consignments that wait or are selected. office: of one alone."""
    waiting = Selection.objects.select_related("assessment").filter(
        state__in=[TargetState.NEW.value, TargetState.SELECTED.value]
    )
    if office:
        waiting = waiting.filter(office=office)
    rows = list(waiting.order_by("-assessment__is_mandatory", "-assessment__score", "record_id")[:MOST_WAITING])
    reasons = weighed_reasons([row.assessment_id for row in rows])
    revenues = told_revenues([row.record_id for row in rows])
    candidates = [
        Candidate(
            score=row.assessment.score,
            is_mandatory=row.assessment.is_mandatory,
            office=row.office,
            control=row.control or control_of(Lane(row.assessment.lane), Cause.RISK).value,
            critical=critical_score(reasons.get(row.assessment_id, ())),
            value=row.value if row.currency and row.currency == policy.currency else None,
            revenue=revenues.by_record.get(row.record_id),
        )
        for row in rows
    ]
    return forecast(candidates, yields(at), inspections, basis=revenues.basis)
