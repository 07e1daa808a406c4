"""A second officer agrees: whatever was proposed is done by the journey to which it belongs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from comity.common import Actor
from comity.journeys.assist import OPEN_DEED, STEP_DEED, approve_step
from comity.journeys.negotiate import DEED_OF_MOVE, approve_move
from comity.journeys.override import LOWER_DEED, approve_lowering
from comity.journeys.share import approve_sharing
from comity.staff.selectors import proposal as proposal_by_id


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an approval. posted: ids of messages by recipient; told: parties to which a move is on its way.

    case_id, agreement_id: what it was about; empty where it was about none. is_lane: a control
    falls away, and nobody is told.
    """

    proposal_id: UUID
    posted: tuple[tuple[str, str], ...] = ()
    told: tuple[str, ...] = ()
    case_id: str = ""
    agreement_id: str = ""
    is_lane: bool = False


def approve_proposal(actor: Actor, *, proposal_id: UUID, at: datetime) -> Done:
    """Agree to what another officer proposed, and do it in the same transaction.

    Raises: PermissionRefusedError, ProposalRefusedError, and what the deed itself raises.
    """
    deed = proposal_by_id(proposal_id).deed
    if deed in (OPEN_DEED, STEP_DEED):
        taken = approve_step(actor, proposal_id=proposal_id, at=at)
        return Done(proposal_id, posted=taken.posted, case_id=taken.step.case, agreement_id=taken.step.agreement)
    if deed in DEED_OF_MOVE.values():
        made = approve_move(actor, proposal_id=proposal_id, at=at)
        return Done(proposal_id, told=made.told, agreement_id=made.agreement.id)
    if deed == LOWER_DEED:
        approve_lowering(actor, proposal_id=proposal_id, at=at)
        return Done(proposal_id, is_lane=True)
    return Done(proposal_id, posted=approve_sharing(actor, proposal_id=proposal_id, at=at).posted)
