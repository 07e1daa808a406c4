"""What selection is for: revenue, security, rights and learning, weighed as the administration states it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from comity.risk.controls import ControlKind
from comity.risk.errors import SelectionError
from comity.risk.rules import combine_weights
from comity.trade import Declaration, Manifest, Money, RiskType


class Goal(StrEnum):
    """What a control serves. GENERAL: what a reason does not say, or what serves all alike."""

    REVENUE = "revenue"
    SECURITY = "security"
    IPR = "ipr"
    GENERAL = "general"


class Quota(StrEnum):
    """The part of a day's inspections from which one was taken; NONE where it was not taken from any."""

    NONE = ""
    SCORE = "score"
    CRITICAL = "critical"
    VALUE = "value"
    LEARNING = "learning"


_GOAL_OF: Mapping[str, Goal] = {
    RiskType.UNDERVALUATION.value: Goal.REVENUE,
    RiskType.MISCLASSIFICATION.value: Goal.REVENUE,
    RiskType.FALSE_ORIGIN.value: Goal.REVENUE,
    RiskType.WRONG_QUANTITY.value: Goal.REVENUE,
    RiskType.PROHIBITED.value: Goal.SECURITY,
    RiskType.SMUGGLING.value: Goal.SECURITY,
    RiskType.SAFETY.value: Goal.SECURITY,
    RiskType.COUNTERFEIT.value: Goal.IPR,
}
# Goods that do harm in themselves, whatever they are worth.
CRITICAL = frozenset({Goal.SECURITY, Goal.IPR})

Weighed = tuple[float, str]


@dataclass(frozen=True, slots=True)
class Policy:
    """How an administration selects. Weights compare with each other; shares are parts of a day's inspections.

    explore_at_most: to which share of a day exploration may rise where drift is measured; 0: it stays as stated.
    currency: in which declared values are compared; empty: values are not compared. green_leaves: goods in the green
    lane leave by themselves, green_delay_minutes after they arrived. blue_after_days: papers that nobody looked at for
    so long are checked after release; 0: never. checks_at_most: the part of a day's inspections that may go to checks
    after release; check_due_days: until when each is to be made.
    """

    revenue: float = 1.0
    security: float = 1.0
    ipr: float = 1.0
    share_critical: float = 0.0
    share_value: float = 0.0
    share_learning: float = 0.0
    explore_at_most: float = 0.0
    random_control: ControlKind = ControlKind.PHYSICAL
    currency: str = ""
    green_leaves: bool = False
    green_delay_minutes: int = 0
    blue_after_days: int = 0
    checks_at_most: float = 0.25
    check_due_days: int = 30

    def check(self) -> None:
        """Raises: SelectionError where a figure makes no sense."""
        weights = (self.revenue, self.security, self.ipr)
        shares = (self.share_critical, self.share_value, self.share_learning)
        is_sound = (
            all(0 <= weight <= 100 for weight in weights)
            and any(weights)
            and all(0 <= share <= 1 for share in (*shares, self.explore_at_most, self.checks_at_most))
            and sum(shares) <= 1
            and 0 <= self.green_delay_minutes <= 10_080
            and 0 <= self.blue_after_days <= 365
            and 1 <= self.check_due_days <= 1_095
            and (not self.currency or (len(self.currency) == 3 and self.currency.isascii() and self.currency.isupper()))
        )
        if not is_sound:
            raise SelectionError(
                "The figures of the policy make no sense",
                where=f"{self}",
                remedy="Weights from 0 to 100, not all 0; shares from 0 to 1, together at most 1; at most a week of"
                " delay and a year of days, a check due within 1 to 1,095 days; the currency as three capitals.",
            )
        if self.share_value and not self.currency:
            raise SelectionError(
                "A share for value needs a currency in which values are compared",
                where="currency",
                remedy="Name the currency in which statistical values are declared here.",
            )

    def tilt(self, goal: Goal) -> float:
        """How much a goal counts against the one that counts most, from 0 to 1."""
        weights = {Goal.REVENUE: self.revenue, Goal.SECURITY: self.security, Goal.IPR: self.ipr}
        most = max(weights.values())
        return weights.get(goal, most) / most if most else 1.0


def goal_of(risk_type: str) -> Goal:
    """The goal that a control for this irregularity serves."""
    return _GOAL_OF.get(risk_type, Goal.GENERAL)


def priority(reasons: Iterable[Weighed], policy: Policy) -> float:
    """The score made again, with each reason's weight times how much its goal counts. reasons: weight, risk type.

    With equal weights it is the score itself; it is never above it.
    """
    return combine_weights(weight * policy.tilt(goal_of(risk_type)) for weight, risk_type in reasons)


def goal_scores(reasons: Iterable[Weighed]) -> dict[Goal, float]:
    """What the reasons of each goal come to by themselves, 0 to 100."""
    weights: dict[Goal, list[float]] = {}
    for weight, risk_type in reasons:
        weights.setdefault(goal_of(risk_type), []).append(weight)
    return {goal: combine_weights(found) for goal, found in weights.items()}


def critical_score(reasons: Iterable[Weighed]) -> float:
    """What speaks for goods that do harm in themselves, 0 to 100."""
    return combine_weights(weight for weight, risk_type in reasons if goal_of(risk_type) in CRITICAL)


def stake(score: float, value: float | None) -> float:
    """What a control may save, for comparing only: the score times the root of the declared value; 0 where unknown.

    The root, since the value declared says little of what is hidden, and the dearest goods are not the most irregular.
    """
    return score / 100 * math.sqrt(value) if value and value > 0 else 0.0


def part_of(capacity: int, share: float) -> int:
    """How many of a day's inspections a share comes to, rounded down: what is left over goes by score."""
    return math.floor(round(capacity * share, 9))


def declared_value(content: Declaration | Manifest) -> Money | None:
    """What the goods of a record are worth as declared: statistical values, else prices, else the invoice.

    None where nothing is declared, or not in one currency: this house knows no rates of exchange.
    """
    if not isinstance(content, Declaration):
        return None
    for amounts in (
        [item.statistical_value for item in content.items],
        [item.item_price for item in content.items],
        [content.invoice_amount],
    ):
        found = _sum_of(amounts)
        if found is not None:
            return found
    return None


def _sum_of(amounts: Iterable[Money | None]) -> Money | None:
    every = list(amounts)
    known = [amount for amount in every if amount is not None]
    if not known or len(known) < len(every) or len({amount.currency for amount in known}) > 1:
        return None
    return Money(sum((amount.amount for amount in known), Decimal(0)), known[0].currency)
