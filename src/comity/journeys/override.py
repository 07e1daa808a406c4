"""An officer puts goods into another lane; lowering a mandatory control takes a second officer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from comity.common import Actor
from comity.risk import Lane, SelectionError
from comity.risk.overriding import LaneChange, Overridden, needs_second_officer, override_lane
from comity.risk.selectors import queue_row
from comity.staff import Permission, require
from comity.staff.services import approve, propose

LOWER_DEED = "lower_lane"


@dataclass(frozen=True, slots=True)
class Moved:
    """What came of it: the change, or the proposal that waits for a second officer."""

    overridden: Overridden | None
    proposal_id: UUID | None = None


@transaction.atomic
def change_lane(actor: Actor, *, record_id: UUID, change: LaneChange, at: datetime) -> Moved:
    """Put a record into another lane, or put that before a second officer where a mandatory control would fall away.

    Raises: PermissionRefusedError, SelectionError.
    """
    require(actor, Permission.DECIDE_CONSIGNMENT)
    if not needs_second_officer(record_id, change.lane):
        return Moved(override_lane(actor, record_id=record_id, change=change, at=at))
    row = queue_row(record_id)
    if row is None:
        raise SelectionError("The record was not assessed yet", where=str(record_id))
    if not change.reason.strip():
        raise SelectionError("Another lane needs a reason", where="reason", remedy="Say why.")
    payload: dict[str, object] = {
        "record": str(record_id),
        "reference": row.reference,
        "from": row.lane.value,
        "lane": change.lane.value,
        "reason": change.reason.strip(),
    }
    waiting = propose(actor, deed=LOWER_DEED, payload=payload, handling=0, at=at)
    return Moved(None, waiting.proposal_id)


@transaction.atomic
def approve_lowering(actor: Actor, *, proposal_id: UUID, at: datetime) -> Overridden:
    """Agree that a mandatory control falls away, and let it.

    Raises: PermissionRefusedError, ProposalRefusedError, SelectionError.
    """
    agreed = approve(actor, proposal_id=proposal_id, at=at)
    given = agreed.payload
    change = LaneChange(Lane(str(given["lane"])), str(given["reason"]), proposed_by=agreed.proposed_by)
    return override_lane(actor, record_id=UUID(str(given["record"])), change=change, at=at)
