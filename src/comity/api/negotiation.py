"""The life of an agreement for programs: proposals, answers, suspensions, and whether all nodes hold the same."""
# ruff: noqa: ARG001 - the framework hands the request over by name

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status
from pydantic import StringConstraints

from comity.agreements import selectors
from comity.agreements.life import MoveKind
from comity.agreements.moves import Wish
from comity.agreements.moving import PartnerStanding, lives
from comity.api.fields import Given, Instant, Word
from comity.api.guard import actor_of, needs
from comity.common import utc_now
from comity.journeys import negotiate
from comity.staff import Permission

router = Router(tags=["agreements"])

_MOVES = {
    "accept": MoveKind.SIGN,
    "refuse": MoveKind.REFUSE,
    "withdraw": MoveKind.WITHDRAW,
    "suspend": MoveKind.SUSPEND,
    "restore": MoveKind.RESTORE,
    "leave": MoveKind.LEAVE,
}
_Manage = needs(Permission.MANAGE_AGREEMENTS)
DraftText = Annotated[str, StringConstraints(min_length=1, max_length=500_000)]


class ProposeIn(Given):
    """A version in YAML. amends: the one in force in whose place it comes; counters: the proposal that it answers.

    is_accession: it names this administration, which joins an agreement that is in force.
    """

    text: DraftText
    amends: Word = ""
    counters: Word = ""
    is_accession: bool = False


class MoveIn(Given):
    """A move. articles: to suspend or restore these alone. effective_at: from when it counts; now, where left out."""

    move: Literal["accept", "refuse", "withdraw", "suspend", "restore", "leave"]
    reason: Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00]*$")] = ""
    articles: list[Word] = Field(default=[], max_length=200)
    effective_at: Instant | None = None


class MoveOut(Schema):
    """What became of it. told: parties to which it is on its way; untold: those that cannot be reached now.

    proposal_id: of a suspension or leaving, which waits for a second officer.
    """

    agreement_id: str
    move: str
    digest: str = ""
    told: list[str] = []
    untold: list[str] = []
    proposal_id: UUID | None = None


class MadeMove(Schema):
    """One move in the life of an agreement, in the order that all nodes give them."""

    number: int
    at: Instant
    by: str
    move: str
    reason: str


class Held(Schema):
    """What a node holds of an agreement: how far it is, by whom it is signed, and the hash of all that follows."""

    stage: str
    version: str
    signed_by: list[str]
    fold: str


class PartnerHeld(Schema):
    """What a partner told, beside what we hold; nothing where it has not told yet."""

    partner: str
    is_same: bool
    text: str
    told_at: Instant | None = None
    theirs: Held | None = None


class StandingOut(Schema):
    """The life of an agreement as this node holds it, and whether every partner holds the same."""

    agreement_id: str
    ours: Held | None = None
    moves: list[MadeMove]
    partners: list[PartnerHeld]


@router.post("/agreements/proposals", response={201: MoveOut}, summary="Propose an agreement", **_Manage)
def propose_agreement(request: HttpRequest, body: ProposeIn) -> MoveOut:
    """It is signed and sent to every other party; in force once all have accepted. A version is proposed once."""
    actor, data, at = actor_of(request), body.text.encode(), utc_now()
    if body.is_accession:
        return _made(negotiate.accede(actor, data=data, at=at), "accede")
    made = negotiate.propose(actor, data=data, at=at, amends=body.amends, counters=body.counters)
    return _made(made, "counter_propose" if body.counters else "propose")


@router.post(
    "/agreements/{agreement_id}/moves",
    response={201: MoveOut, 202: MoveOut},
    summary="Accept, refuse, withdraw, suspend, restore or leave",
    **_Manage,
)
def move(request: HttpRequest, agreement_id: Word, body: MoveIn) -> Status[MoveOut]:
    """201: made and on its way. 202: `suspend` and `leave` wait for a second officer; the same again is the same
    proposal. 409 `move_refused`: not possible as things stand, such as what was done already.
    """
    at = utc_now()
    found = selectors.agreement(agreement_id, at=at)
    kind = _MOVES[body.move]
    wish = Wish(
        kind, found.id, articles=tuple(body.articles), reason=body.reason.strip(), effective_at=body.effective_at
    )
    if kind in negotiate.DEED_OF_MOVE:
        waiting = negotiate.propose_move(actor_of(request), wish=wish, at=at)
        return Status(202, MoveOut(agreement_id=found.id, move=body.move, proposal_id=waiting.proposal_id))
    return Status(201, _made(negotiate.make(actor_of(request), wish=wish, at=at), body.move))


@router.get(
    "/agreements/{agreement_id}/standing",
    response=StandingOut,
    summary="The life of an agreement, and whether all hold the same",
    **needs(None),
)
def show_standing(request: HttpRequest, agreement_id: Word) -> StandingOut:
    """Every move, and beside what each partner has told what this node holds."""
    at = utc_now()
    found = selectors.agreement(agreement_id, at=at)
    life = lives().get(found.id)
    partners = negotiate.standings(at=at, agreement_id=found.id)
    moves = [
        MadeMove(number=each.number, at=each.at, by=each.by, move=each.kind.value, reason=each.reason)
        for each in (life.history if life else ())
    ]
    ours = _held(partners[0].ours) if partners else None
    return StandingOut(agreement_id=found.id, ours=ours, moves=moves, partners=[_partner(each) for each in partners])


def _made(made: negotiate.MoveMade, word: str) -> MoveOut:
    return MoveOut(
        agreement_id=made.agreement.id, move=word, digest=made.digest, told=list(made.told), untold=list(made.untold)
    )


def _partner(found: PartnerStanding) -> PartnerHeld:
    theirs = _held(found.theirs) if found.theirs else None
    return PartnerHeld(
        partner=found.partner, is_same=found.is_same, text=found.text, told_at=found.told_at, theirs=theirs
    )


def _held(held: object) -> Held:
    return Held.model_validate(held, from_attributes=True)
