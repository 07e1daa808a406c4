"""What the goals of the administration make of the records that wait."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from uuid import UUID

from comity.risk.choosing import Waiting
from comity.risk.goals import Policy, Weighed, critical_score, priority, stake
from comity.risk.modelling.live import currency_of
from comity.risk.modelling.rules import ModelState
from comity.risk.models import AssessmentReason, LearnedModel, ModelScore, Selection
from comity.risk.planning import RevenueBasis, RevenueSilence
from comity.risk.rules import Lane
from comity.risk.writing import parts


@dataclass(frozen=True, slots=True)
class Ranking:
    """The reasons of records by their assessment, where the policy asks for more than the score.

    revenues: what the champion expects of a control of each record, in the currency of account; stake_rate: what a
    stake comes to in that money, for the records of which it told none.
    """

    policy: Policy
    reasons: Mapping[int, Sequence[Weighed]]
    revenues: Mapping[UUID, float] = field(default_factory=dict)
    stake_rate: float = 1.0

    def of(self, row: Selection) -> Waiting:
        """A record of the queue as it is ranked."""
        assessment, reasons = row.assessment, self.reasons.get(row.assessment_id, ())
        weighed = priority(reasons, self.policy) if reasons else assessment.score
        return Waiting(
            record_id=row.record_id,
            office=row.office,
            lane=Lane(assessment.lane),
            is_mandatory=assessment.is_mandatory,
            priority=weighed,
            score=assessment.score,
            critical=critical_score(reasons),
            stake=self.revenues.get(row.record_id, self.stake_rate * _stake_of(row, self.policy)),
            is_lowered=row.lowered_number == assessment.number,
        )


def ranking_of(rows: Iterable[Selection], policy: Policy) -> Ranking:
    """The ranking of these records; what the policy does not ask for is not read."""
    wanted = list(rows)
    is_score_enough = policy.revenue == policy.security == policy.ipr and not policy.share_critical
    reasons = {} if is_score_enough else weighed_reasons([row.assessment_id for row in wanted])
    revenues = expected_revenues([row.record_id for row in wanted], policy.currency) if policy.share_value else {}
    return Ranking(policy, reasons, revenues, _stake_rate(wanted, revenues, policy))


@dataclass(frozen=True, slots=True)
class ToldRevenues:
    """What the champion expects of a control of each record of which it told anything."""

    basis: RevenueBasis
    by_record: Mapping[UUID, float] = field(default_factory=dict)


def told_revenues(record_ids: Sequence[UUID]) -> ToldRevenues:
    """What the champion told of each record, in whichever currency it learned; one that was retired has no say."""
    row = LearnedModel.objects.filter(state=ModelState.CHAMPION.value).first()
    if row is None:
        return ToldRevenues(RevenueBasis(RevenueSilence.NO_CHAMPION))
    if not row.card.get("tells_revenue"):
        return ToldRevenues(RevenueBasis(RevenueSilence.NO_AMOUNTS))
    found: dict[UUID, float] = {}
    for part in parts(record_ids):
        told = ModelScore.objects.filter(model=row, record_id__in=part, revenue__isnull=False)
        found |= {record_id: revenue or 0.0 for record_id, revenue in told.values_list("record_id", "revenue")}
    return ToldRevenues(RevenueBasis(None, currency_of(row.card)), found)


def expected_revenues(record_ids: Sequence[UUID], currency: str) -> Mapping[UUID, float]:
    """What the champion told of each record, where it learned amounts in this currency; else nothing."""
    if not currency:
        return {}
    told = told_revenues(record_ids)
    return told.by_record if told.basis.currency == currency else {}


def _stake_of(row: Selection, policy: Policy) -> float:
    comparable = row.value if row.value is not None and row.currency == policy.currency else None
    return stake(row.assessment.score, comparable)


def _stake_rate(rows: Sequence[Selection], revenues: Mapping[UUID, float], policy: Policy) -> float:
    """The median of what was told beside the stake, where both are known; so those without find a place among them."""
    rates = [
        revenues[row.record_id] / at_stake
        for row in rows
        if revenues.get(row.record_id, 0.0) > 0 and (at_stake := _stake_of(row, policy)) > 0
    ]
    return median(rates) if rates else 1.0


def weighed_reasons(assessment_ids: Sequence[int]) -> Mapping[int, Sequence[Weighed]]:
    """The weight and the irregularity of each reason, by assessment."""
    found: dict[int, list[Weighed]] = {}
    for part in parts(assessment_ids):
        rows = AssessmentReason.objects.filter(assessment_id__in=part).exclude(weight=0)
        for assessment_id, weight, risk_type in rows.values_list("assessment_id", "weight", "risk_type"):
            found.setdefault(assessment_id, []).append((weight, risk_type))
    return found
