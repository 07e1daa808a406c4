"""Goods of little risk leave at once, or after a while, as the policy says; papers that nobody read are read later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from comity.common import Actor, ActorKind
from comity.enforcement.errors import EnforcementError
from comity.intake import selectors as intake
from comity.journeys.actors import this_node
from comity.journeys.after_release import let_go
from comity.journeys.chance import chance_now
from comity.risk import Cause, Lane, QueueRow, TargetState
from comity.risk.budgets import policy_on
from comity.risk.release_times import may_leave, not_asked, turn_blue
from comity.risk.selectors import queue_row
from comity.risk.services import consider_all
from comity.risk.today import local_day
from comity.staff import Role

_REASONS = {
    Lane.GREEN: "Green lane: no reason speaks against these goods, and chance did not select them",
    Lane.BLUE: "Blue lane: released now, checked afterwards",
}
_UNCHECKED = "Blue lane: released now; not checked afterwards, since no control of documents was left at its office"


def let_low_risk_go(at: datetime, record_ids: Sequence[UUID] | None = None) -> int:
    """Release what the administration's policy lets leave by itself. Returns how many.

    Only what chance was asked about leaves: nothing goes before it could have been drawn.
    record_ids: only these, such as what just arrived; else everything that waits.
    """
    policy = policy_on(local_day(at))
    if not policy.green_leaves:
        return 0
    delay = timedelta(minutes=policy.green_delay_minutes)
    return sum(_release(record_id, at) for record_id in may_leave(at, delay=delay, record_ids=record_ids))


def lanes_turn(at: datetime) -> int:
    """What the clock does with lanes: yellow turns blue after the stated days, and what may leave leaves."""
    policy = policy_on(local_day(at))
    turned = 0
    if policy.blue_after_days:
        older_than = at - timedelta(days=policy.blue_after_days)
        turned = turn_blue(this_node(), older_than=older_than, at=at)
        if policy.green_leaves:
            _consider_again(older_than, at)
    return turned + let_low_risk_go(at)


@transaction.atomic
def _consider_again(older_than: datetime, at: datetime) -> None:
    """Consider what turned blue as if it arrived now: nothing leaves that chance could not have selected."""
    known = intake.records_by_id(not_asked(older_than))
    if known:
        chance = chance_now()
        records = list(known.values())
        consider_all(this_node(), records=records, at=at, seed=chance.seed, log_size=chance.log_size)


@transaction.atomic
def _release(record_id: UUID, at: datetime) -> bool:
    row = queue_row(record_id)
    if row is None or row.lane not in _REASONS or not _may_go(row):
        return False
    reason = _REASONS[row.lane]
    try:
        with transaction.atomic():
            let_go(_low_risk_rule(), record_id=record_id, reason=reason, at=at, without_check=_UNCHECKED)
    except EnforcementError:
        # An officer was quicker: an inspection is open, or the goods are gone already.
        return False
    return True


def _may_go(row: QueueRow) -> bool:
    """Whether it still waits, or was selected for a check that is made afterwards."""
    is_for_later = row.lane is Lane.BLUE and row.cause in (Cause.RISK, Cause.LEARNING)
    return row.state is TargetState.NEW or (row.state is TargetState.SELECTED and is_for_later)


def _low_risk_rule() -> Actor:
    """The administration's standing rule by which low-risk goods leave; it is named in the audit."""
    us = settings.COMITY_ADMINISTRATION
    return Actor(ActorKind.NODE, "standing-rule:low-risk", us, frozenset({Role.OFFICER.value}))
