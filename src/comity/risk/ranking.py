"""What the goals of the administration make of the records that wait."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from comity.risk.choosing import Waiting
from comity.risk.goals import Policy, Weighed, critical_score, priority, stake
from comity.risk.models import AssessmentReason, Selection
from comity.risk.rules import Lane
from comity.risk.writing import parts


@dataclass(frozen=True, slots=True)
class Ranking:
    """The reasons of records by their assessment, where the policy asks for more than the score."""

    policy: Policy
    reasons: Mapping[int, Sequence[Weighed]]

    def of(self, row: Selection) -> Waiting:
        """A record of the queue as it is ranked."""
        assessment, reasons = row.assessment, self.reasons.get(row.assessment_id, ())
        comparable = row.value if row.value is not None and row.currency == self.policy.currency else None
        weighed = priority(reasons, self.policy) if reasons else assessment.score
        return Waiting(
            record_id=row.record_id,
            office=row.office,
            lane=Lane(assessment.lane),
            is_mandatory=assessment.is_mandatory,
            priority=weighed,
            score=assessment.score,
            critical=critical_score(reasons),
            stake=stake(assessment.score, comparable),
            is_lowered=row.lowered_number == assessment.number,
        )


def ranking_of(rows: Iterable[Selection], policy: Policy) -> Ranking:
    """The ranking of these records; where all goals count alike the score is enough, and nothing is read."""
    is_score_enough = policy.revenue == policy.security == policy.ipr and not policy.share_critical
    if is_score_enough:
        return Ranking(policy, {})
    return Ranking(policy, weighed_reasons([row.assessment_id for row in rows]))


def weighed_reasons(assessment_ids: Sequence[int]) -> Mapping[int, Sequence[Weighed]]:
    """The weight and the irregularity of each reason, by assessment."""
    found: dict[int, list[Weighed]] = {}
    for part in parts(assessment_ids):
        rows = AssessmentReason.objects.filter(assessment_id__in=part).exclude(weight=0)
        for assessment_id, weight, risk_type in rows.values_list("assessment_id", "weight", "risk_type"):
            found.setdefault(assessment_id, []).append((weight, risk_type))
    return found
