"""Who is selected of those that wait: mandatory ones, then by score, harm, value and learning, then by chance. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from comity.risk.controls import ControlKind, Purse, control_of
from comity.risk.goals import Policy, Quota, part_of
from comity.risk.planning import Yield, learning_order
from comity.risk.rules import Cause, Lane, draw, random_slots
from comity.risk.values import Considered, Plan


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record that waits. priority: its score with the goals weighed; critical: what speaks for harm in itself.

    stake: for comparing what controls may save. is_lowered: an officer judged that it needs less; only chance may still
    select it.
    """

    record_id: UUID
    office: str
    lane: Lane
    is_mandatory: bool
    priority: float
    score: float
    critical: float = 0.0
    stake: float = 0.0
    is_lowered: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A record that is selected, from which part of the day, and for which control."""

    considered: Considered
    quota: Quota
    control: ControlKind


@dataclass(slots=True)
class Choosing:
    """A day's inspections while they are given to those that wait, best first."""

    plan: Plan
    policy: Policy
    purse: Purse
    waiting: Sequence[Waiting]
    chosen: list[Choice] = field(default_factory=list)
    taken: set[UUID] = field(default_factory=set)

    def take(self, one: Waiting, cause: Cause, quota: Quota = Quota.NONE, drew: float | None = None) -> None:
        """Select one."""
        control = control_of(one.lane, cause, self.policy.random_control)
        self.purse.spend(one.office, control)
        self.taken.add(one.record_id)
        self.chosen.append(Choice(Considered(one.record_id, cause, drew), quota, control))

    def take_best(self, count: int, quota: Quota, worth: Callable[[Waiting], float]) -> int:
        """Select up to so many of those that are worth most and for whose control something is left."""
        cause = Cause.LEARNING if quota is Quota.LEARNING else Cause.RISK
        first = len(self.chosen)
        if count <= 0:
            return 0
        for one in sorted(self.rest, key=lambda each: -worth(each)):
            if worth(one) <= 0 or len(self.chosen) - first >= count:
                break
            if not one.is_lowered and self.purse.has_room(one.office, control_of(one.lane, cause)):
                self.take(one, cause, quota)
        return len(self.chosen) - first

    @property
    def rest(self) -> list[Waiting]:
        """Those not selected yet, in their order."""
        return [one for one in self.waiting if one.record_id not in self.taken]


def choose(choosing: Choosing, yields: Sequence[Yield], seed: bytes) -> list[Choice]:
    """Give what is left of the day: mandatory ones always, the parts in their order, what they leave to the score.

    The smallest draws win: everybody who has the seed can recompute who they are.
    """
    plan, parts = choosing.plan, parts_of(choosing.plan, choosing.policy)
    for one in choosing.waiting:
        if one.is_mandatory and not one.is_lowered:
            choosing.take(one, Cause.MANDATORY)
    left = max(0, plan.left - len(choosing.chosen))
    slots = random_left(plan)
    room = max(0, left - slots)
    critical, value = min(parts.critical, room), min(parts.value, max(0, room - parts.critical))
    learning = min(parts.learning, max(0, room - critical - value))
    spent = choosing.take_best(room - critical - value - learning, Quota.SCORE, lambda one: one.priority)
    spent += choosing.take_best(critical, Quota.CRITICAL, lambda one: one.critical)
    spent += choosing.take_best(value, Quota.VALUE, lambda one: one.stake)
    spent += choosing.take_best(room - spent - learning, Quota.SCORE, lambda one: one.priority)
    if learning:
        rest = choosing.rest
        order = learning_order([one.score for one in rest], yields)
        rank = {rest[place].record_id: len(order) - number for number, place in enumerate(order)}
        spent += choosing.take_best(learning, Quota.LEARNING, lambda one: rank.get(one.record_id, 0))
    drawn = sorted((draw(seed, one.record_id), str(one.record_id), one) for one in choosing.rest)
    for drew, _, one in drawn[: max(0, min(slots, left - spent))]:
        choosing.take(one, Cause.RANDOM, drew=drew)
    return choosing.chosen


@dataclass(frozen=True, slots=True)
class Parts:
    """How many of a day's inspections are left for harm in itself, for value, for learning."""

    critical: int
    value: int
    learning: int

    @property
    def all(self) -> int:
        """All of them."""
        return self.critical + self.value + self.learning


def parts_of(plan: Plan, policy: Policy) -> Parts:
    """What the stated shares still come to on a day; half of what drift adds is for learning."""
    learning = policy.share_learning + plan.extra_share / 2
    return Parts(
        critical=max(0, part_of(plan.capacity, policy.share_critical) - plan.used_critical),
        value=max(0, part_of(plan.capacity, policy.share_value) - plan.used_value),
        learning=max(0, math.ceil(round(plan.capacity * learning, 9)) - plan.used_learning),
    )


def draw_bound(plan: Plan) -> float:
    """A record is selected at random on arrival where its draw is below this."""
    if plan.expected_arrivals is None:
        return plan.chance_share
    return min(1.0, random_slots(plan.capacity, plan.chance_share) / plan.expected_arrivals)


def random_left(plan: Plan) -> int:
    """How many of the inspections spent at random are left."""
    return max(0, random_slots(plan.capacity, plan.chance_share) - plan.used_random)
