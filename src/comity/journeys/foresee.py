"""What would become of a wish, before anything is done: handing a message on, sharing a file. Nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from comity.agreements import EVIDENCE_KIND, Asking, Decision, Onward, request_for
from comity.agreements.selectors import engine
from comity.common import Actor, ComityError
from comity.custody import NotHeldError, Status
from comity.custody import selectors as custody
from comity.custody.selectors import ConsentView, HolderView
from comity.exchange import Message, read_message
from comity.exchange.errors import MessageUnknownError
from comity.exchange.evidence import about_for
from comity.exchange.onward import proof_of
from comity.journeys.evidence import FileWish, notice_of
from comity.journeys.forward import HandingOn, passage_of, refuse_file
from comity.journeys.share import Wish
from comity.staff import Permission, require
from comity.trade import Handling
from comity.trade.encoding import evidence_to_body


class Obstacle(StrEnum):
    """What stands in the way of handing a message on to somebody.

    Never: its origin forbade it for good. Consent: the origin is to be asked. Whole: an article would withhold a part,
    and what is handed on is whole. Article: none permits it.
    """

    NONE = ""
    NEVER = "never"
    CONSENT = "consent"
    WHOLE = "whole"
    ARTICLE = "article"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Whether a message may be handed on to one recipient. consent: the origin's, where there is one.

    decision: of the agreement under which it would travel; None where that is not reached.
    """

    recipient: str
    obstacle: Obstacle
    consent: ConsentView | None
    decision: Decision | None

    @property
    def is_permitted(self) -> bool:
        """Whether nothing stands in the way."""
        return self.obstacle is Obstacle.NONE


@dataclass(frozen=True, slots=True)
class FileForeseen:
    """Whether a file may be shared with one recipient. problem: what an agreement does not judge, where it is wrong."""

    recipient: str
    decision: Decision
    problem: ComityError | None = None

    @property
    def is_permitted(self) -> bool:
        """Whether nothing stands in the way."""
        return self.decision.is_permitted and self.problem is None


def foresee_forwarding(actor: Actor, *, message_id: str, to: HandingOn, at: datetime) -> tuple[Foreseen, ...]:
    """What `forward` would say of each recipient (docs/protocol.md §10, O7 and O8).

    Raises: PermissionRefusedError, NotHeldError, ForwardError for a file, MessageFormError where its origin cannot be
    proved.
    """
    require(actor, Permission.SHARE)
    held = custody.held_as(message_id, holder=actor.administration)
    if held is None or held.origin == actor.administration or held.status is not Status.HELD:
        raise NotHeldError(
            "Only a partner's message that is held and was not taken back is handed on", where=message_id
        )
    refuse_file(held)
    first, *_ = custody.copies_of(held.origin, held.message_id)
    original = read_message(proof_of(first.sender, first.copy_id, administration=actor.administration).original)
    return tuple(_foreseen(held, original, each, to, at) for each in dict.fromkeys(to.recipients))


def foresee_file(actor: Actor, *, file: FileWish, wish: Wish, at: datetime) -> tuple[FileForeseen, ...]:
    """What `share_evidence` would say of each recipient; a file named by its path is taken in.

    Raises: PermissionRefusedError, EvidenceError, ChunkError, NoRoomError.
    """
    require(actor, Permission.SHARE)
    body = evidence_to_body(notice_of(actor, file))
    foreseen = []
    for recipient in dict.fromkeys(wish.recipients):
        asking = Asking(actor.administration, recipient, EVIDENCE_KIND, wish.purpose, file.handling, at)
        decision = engine(at).decide(request_for(asking, body), agreement_id=wish.agreement_id or "")
        foreseen.append(FileForeseen(recipient, decision, _unseen(recipient, file.about)))
    return tuple(foreseen)


def _foreseen(held: HolderView, original: Message, recipient: str, to: HandingOn, at: datetime) -> Foreseen:
    passage = passage_of(held, original, recipient, at)
    consent = passage.consent
    if passage.rule is Onward.NONE:
        return Foreseen(recipient, Obstacle.NEVER, consent, None)
    if not passage.is_open:
        return Foreseen(recipient, Obstacle.CONSENT, None, None)
    level = Handling.from_word(held.handling)
    asking = Asking(held.holder, recipient, original.kind, to.purpose, level, at, owner_consents=consent is not None)
    decision = engine(at).decide(request_for(asking, original.body), agreement_id=to.agreement_id or "")
    return Foreseen(recipient, _obstacle(decision), consent, decision)


def _obstacle(decision: Decision) -> Obstacle:
    if not decision.is_permitted:
        return Obstacle.ARTICLE
    return Obstacle.WHOLE if decision.fields_withheld else Obstacle.NONE


def _unseen(recipient: str, about: str) -> ComityError | None:
    """A file can be about a message only for who has seen that message."""
    if about:
        try:
            about_for(recipient, about)
        except MessageUnknownError as error:
            return error
    return None
