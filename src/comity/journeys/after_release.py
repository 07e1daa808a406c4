"""Goods leave; of those in the blue lane the documents are checked afterwards, as far as there are hands for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from comity.common import Actor, ActorKind, Reason
from comity.enforcement import Inspection, ReleaseDecision
from comity.enforcement.checks import drop_check, free_checks, hold_free_check, order_check
from comity.enforcement.services import release_goods
from comity.journeys.actors import this_node
from comity.risk import Lane, TargetState
from comity.risk import selectors as risk_selectors
from comity.risk import services as risk
from comity.risk.after_release import CheckGiven, give_check, is_full, weakest_check
from comity.risk.rules import AfterRelease
from comity.staff import Role

# WCO Revised Kyoto Convention, general annex; WTO Trade Facilitation Agreement.
CLAUSE = "RKC GA 6.6, TFA 7.5"
_WHY = Reason("lane", "Blue lane: the documents are checked after the release", CLAUSE)
_YIELDED = "Gave way to weightier goods of the same day: no more controls of documents were left"


@dataclass(frozen=True, slots=True)
class Gone:
    """Goods that left. check: what is still to be made of them."""

    decision: ReleaseDecision
    after: AfterRelease
    check: Inspection | None = None


@transaction.atomic
def let_go(actor: Actor, *, record_id: UUID, reason: str, at: datetime, without_check: str = "") -> Gone:
    """Release goods; of those in the blue lane a check is ordered, or it is said why none is.

    without_check: the reason of the release in its place where nobody is left to check.
    Raises: PermissionRefusedError, ReleaseError, RecordNotFoundError, SelectionError.
    """
    given, displaced = _give(record_id, at)
    words = without_check or reason if given.after is AfterRelease.FULL else reason
    decision = release_goods(actor, record_id=record_id, reason=words, at=at)
    risk.set_target_state(actor, record_id=record_id, state=TargetState.RELEASED, at=at)
    if given.displaced is not None and displaced is not None:
        drop_check(standing_checks(), inspection_id=displaced, reason=_YIELDED, at=at)
    if given.due_on is None:
        return Gone(decision, given.after)
    found = risk_selectors.explanation(record_id).reasons
    reasons = [*(Reason(each.source, f"{each.title}: {each.text}", each.clause) for each in found), _WHY]
    check = order_check(standing_checks(), record_id=record_id, reasons=reasons, due_on=given.due_on, at=at)
    return Gone(decision, given.after, check)


def standing_checks() -> Actor:
    """The administration's standing rule by which checks after release are ordered and give way."""
    us = settings.COMITY_ADMINISTRATION
    return Actor(ActorKind.NODE, "standing-rule:after-release", us, frozenset({Role.OFFICER.value}))


def _give(record_id: UUID, at: datetime) -> tuple[CheckGiven, UUID | None]:
    """What becomes of the goods afterwards, and the check that may have given way, which is held until then."""
    row = risk_selectors.queue_row(record_id)
    if row is None or row.lane is not Lane.BLUE:
        return CheckGiven(AfterRelease.NONE), None
    instead, displaced = _weakest(row.office, at) if is_full(row.office, at) else (None, None)
    return give_check(this_node(), record_id=record_id, at=at, instead_of=instead), displaced


def _weakest(office: str, at: datetime) -> tuple[UUID | None, UUID | None]:
    """The record and its check that would give way first, where there is one."""
    midnight = at.astimezone(ZoneInfo(settings.COMITY_TIME_ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)
    free = free_checks(office, midnight)
    record_id = weakest_check(free, at)
    if record_id is None or not hold_free_check(free[record_id]):
        return None, None
    return record_id, free[record_id]
