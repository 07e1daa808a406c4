"""Knowledge that partners share: what an officer decided of a hit of the screening, asked for and told.

The step numbers are those of docs/protocol.md, section Knowledge. A question is answered by the node itself, as far as
an article permits; a partner's decision is shown beside our own hit and never applied.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from django.conf import settings

from comity.common import Actor
from comity.exchange import ReceivedMessage
from comity.journeys.actors import this_node
from comity.journeys.hold import source_of
from comity.journeys.permitted import Telling, permitted_partners, reachable_partners, tell
from comity.journeys.share import HIT_DEED, Letter, Preview, ShareResult, Wish, preview_letter, share_letter
from comity.journeys.teach import take_back
from comity.risk.errors import ScreeningError
from comity.risk.hit_advice import (
    AnswerDue,
    answers_due,
    compose_answer,
    decision_to_tell,
    mark_answered,
    mark_outdated,
    outdated,
    question_about,
)
from comity.risk.hit_advice import take_advice as keep_advice
from comity.risk.hit_advice import take_question as keep_question
from comity.risk.hit_keeping import forget_decisions
from comity.risk.values import Source
from comity.trade import Handling
from comity.trade.knowledge import (
    HIT_DECISION_KIND,
    HIT_QUESTION_KIND,
    decision_from_body,
    knowledge_to_body,
    question_from_body,
)

log = logging.getLogger("comity.knowledge")
_AT_ONCE = 200


def ask_about_hit(actor: Actor, *, ref: str, wish: Wish, at: datetime) -> ShareResult:
    """Step K6: ask partners what they decided of the party and the entry of a hit, without naming the party.

    Raises: PermissionRefusedError, NoRecipientError, ScreeningError, SharingRefusedError, PartnerUnknownError.
    """
    return share_letter(actor, letter=_question(actor, ref), wish=wish, deed=HIT_QUESTION_KIND, payload={}, at=at)


def preview_question(actor: Actor, *, ref: str, wish: Wish, at: datetime) -> list[Preview]:
    """Who would be asked what; nothing is sent and nothing is stored.

    Raises: PermissionRefusedError, NoRecipientError, ScreeningError.
    """
    return preview_letter(actor, _question(actor, ref), wish, at)


def _question(actor: Actor, ref: str) -> Letter:
    question = question_about(ref, administration=actor.administration, handling=Handling.OFFICIAL)
    return Letter(HIT_QUESTION_KIND, knowledge_to_body(question), Handling.OFFICIAL, about=ref)


def tell_hit(actor: Actor, *, ref: str, wish: Wish, handling: Handling, at: datetime) -> ShareResult:
    """Step K9: tell partners the decision in force on a hit; from the level restricted a second officer agrees.

    Raises: PermissionRefusedError, NoRecipientError, ScreeningError, SharingRefusedError, PartnerUnknownError.
    """
    letter = _telling(actor, ref, handling)
    payload = {"decision": dict(letter.body), "about": ref}
    return share_letter(actor, letter=letter, wish=wish, deed=HIT_DEED, payload=payload, at=at)


def preview_telling(actor: Actor, *, ref: str, wish: Wish, handling: Handling, at: datetime) -> list[Preview]:
    """Who would be told what of a decision; nothing is sent and nothing is stored.

    Raises: PermissionRefusedError, NoRecipientError, ScreeningError.
    """
    return preview_letter(actor, _telling(actor, ref, handling), wish, at)


def _telling(actor: Actor, ref: str, handling: Handling) -> Letter:
    decision = decision_to_tell(ref, administration=actor.administration, handling=handling)
    return Letter(HIT_DECISION_KIND, knowledge_to_body(decision), handling, about=ref)


def consult_turn(at: datetime) -> int:
    """Steps K8 and K10: answer what can be answered, take back what no longer holds. Returns how many messages."""
    gone = take_back(outdated(), mark=mark_outdated, at=at)
    partners = permitted_partners(HIT_DECISION_KIND, at)
    reachable = reachable_partners()
    posted = 0
    for due in answers_due(at, limit=_AT_ONCE):
        if due.partner in partners and due.partner in reachable:
            posted += _answer(due, partners[due.partner], at)
    return gone + posted


def forget_due(at: datetime) -> int:
    """Delete decisions that nothing needs any more. Returns how many."""
    return forget_decisions(this_node(), at=at)


def _answer(due: AnswerDue, purpose: str, at: datetime) -> bool:
    answer = compose_answer(due, administration=settings.COMITY_ADMINISTRATION, handling=Handling.OFFICIAL)
    telling = Telling(
        rule="screening-answers",
        kind=HIT_DECISION_KIND,
        recipient=due.partner,
        purpose=purpose,
        body=knowledge_to_body(answer),
        agreement=due.agreement,
        in_reply_to=due.message_id,
    )
    return tell(telling, lambda message_id: mark_answered(due, message_id=message_id, at=at), at=at)


def take_question(received: ReceivedMessage) -> None:
    """Step K7: keep a partner's question about a hit."""
    question = question_from_body(received.message.body)
    _keep(received, lambda source, at: keep_question(question, source=source, at=at))


def take_decision(received: ReceivedMessage) -> None:
    """Step K9: keep a partner's decision, to be shown beside our own hits."""
    decision = decision_from_body(received.message.body)
    _keep(received, lambda source, at: keep_advice(decision, source=source, at=at))


def _keep(received: ReceivedMessage, keep: Callable[[Source, datetime], None]) -> None:
    source = source_of(received.message)
    try:
        keep(source, received.received_at)
    except ScreeningError as error:
        # What makes no sense stays in the messages: to run again would not make it better.
        log.warning("%s %s of %s: %s", received.message.kind, received.message.id, received.message.sender, error)


JOURNEYS: Mapping[str, Callable[[ReceivedMessage], None]] = {
    HIT_QUESTION_KIND: take_question,
    HIT_DECISION_KIND: take_decision,
}
VALIDATORS: Mapping[str, Callable[[Mapping[str, object]], object]] = {
    HIT_QUESTION_KIND: question_from_body,
    HIT_DECISION_KIND: decision_from_body,
}
