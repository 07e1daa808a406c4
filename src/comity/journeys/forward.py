"""Road 7, onward: a message of one partner is handed on to another, with the proof of its origin and its consent.

The step numbers are those of docs/protocol.md §10.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.db import transaction

from comity.agreements import EVIDENCE_KIND, Release
from comity.agreements import Onward as Rule
from comity.agreements.services import permit
from comity.common import Actor, new_id
from comity.custody import (
    CannotBeCutError,
    ConsentAsked,
    ConsentError,
    ConsentMissingError,
    ConsentNotice,
    ForwardError,
    HoldingNotice,
    Limits,
    NotHeldError,
    Signed,
    Status,
    consent_from_body,
)
from comity.custody import consents as asking
from comity.custody import selectors as custody
from comity.custody import services as keeping
from comity.custody import successors as succeeding
from comity.custody.notices import CONSENT_KIND, sign_consent, sign_holding
from comity.custody.selectors import ConsentView, HolderView
from comity.exchange import Message, ReceivedMessage, read_message
from comity.exchange.onward import Onward, may_pass, proof_of, rule_of
from comity.exchange.services import Posting, post_all
from comity.journeys.tell import tell, tell_senders
from comity.staff import Permission, require
from comity.trade import Handling
from comity.trust import canonical_json

log = logging.getLogger("comity.custody")
# From this level up a message is handed on only with its owner's consent, whatever the article says: that is the
# second pair of eyes, and it is the owner's.
CONSENT_FROM = Handling.RESTRICTED


@dataclass(frozen=True, slots=True)
class HandingOn:
    """To whom, and what they may use it for. agreement_id: where only this agreement shall answer."""

    recipients: tuple[str, ...]
    purpose: str
    agreement_id: str | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """Whether one recipient may get it. rule: of the article under which the message came; None: unknown here."""

    rule: Rule | None
    consent: ConsentView | None
    is_open: bool


@dataclass(frozen=True, slots=True)
class _Leave:
    """One recipient who may get it: the release, and the consent where there is one."""

    release: Release
    consent: ConsentView | None


def forward(actor: Actor, *, message_id: str, to: HandingOn, at: datetime) -> tuple[tuple[str, str], ...]:
    """Steps O1 to O8 at the forwarder: hand a partner's message on as it is. All recipients or none.

    Returns (recipient, id of the copy). The origin is told who holds it now.
    Raises: PermissionRefusedError, ForwardError, SharingRefusedError, PartnerUnknownError.
    """
    require(actor, Permission.SHARE)
    held = _held(message_id)
    sender, copy_id = _intact_copy(held)
    proof = proof_of(sender, copy_id, administration=_us())
    original = read_message(proof.original)
    recipients = _checked(to.recipients, held, sender)
    # Outside of the transaction: a refusal leaves its receipt.
    leaves = [_leave(actor, held, original, replace(to, recipients=(each,)), at) for each in recipients]
    with transaction.atomic():
        held = keeping.lock_own(_us(), held.origin, held.message_id, at=at)
        postings = [_posting(leave, proof, held) for leave in leaves]
        posted = post_all(actor, postings, signer=settings.COMITY_KEYRING.log, at=at)
        for leave, new in zip(leaves, posted, strict=True):
            _remember(actor, held, leave, new, at)
    return tuple(zip(recipients, posted, strict=True))


def ask_consent(actor: Actor, *, message_id: str, recipients: Sequence[str], reason: str, at: datetime) -> ConsentView:
    """Ask the owner of a message that we hold whether we may hand it on.

    Raises: PermissionRefusedError, ForwardError where it is not held, ConsentError where the owner cannot be asked.
    """
    held = _held(message_id)
    chosen = _checked(tuple(recipients), held, "")
    asked = ConsentAsked(str(new_id(at)), held.message_id, held.origin, chosen, reason[:500])
    with transaction.atomic():
        asking.note_question(actor, asked, held, at=at)
        sent = tell(held.origin, asked.to_body(), kind=CONSENT_KIND, agreement=held.agreement, actor=actor, at=at)
        if not sent:
            raise ConsentError(
                f"{held.origin} cannot be asked under the agreement by which the message came",
                where=held.agreement[:12],
                remedy="Ask the partner from whom it came to ask for you.",
            )
        asking.note_asked_in(asked.id, sent)
    view = custody.consent(asked.id)
    if view is None:
        raise ConsentError("The question was not kept", where=asked.id)
    return view


def give_consent(
    actor: Actor, *, consent_id: str, until: datetime, at: datetime, recipients: Sequence[str] = ()
) -> ConsentView:
    """Let a partner hand our message on until a day: to all whom it named, or to fewer.

    Raises: PermissionRefusedError, ConsentError.
    """
    if until <= at:
        raise ConsentError("The day has passed", where="until", remedy="Name a later one.")
    return _answer(actor, consent_id, tuple(recipients), until, at)


def refuse_consent(actor: Actor, *, consent_id: str, at: datetime) -> ConsentView:
    """Do not let a partner hand our message on.

    Raises: PermissionRefusedError, ConsentError.
    """
    return _answer(actor, consent_id, (), None, at)


def take_consent(received: ReceivedMessage) -> None:
    """A partner asks for our consent, or an owner answers us. Whose signature it is was checked when it was taken."""
    message, read = received.message, consent_from_body(received.message.body)
    if isinstance(read, Signed):
        is_taken = asking.take_answer(read, at=received.received_at)
        if not is_taken and not asking.take_unasked(
            read, asker=_us(), agreement=message.agreement, at=received.received_at
        ):
            log.warning("consent %s of %s answers nothing that was asked", message.id, message.sender)
        return
    held = custody.holding_of(_us(), read.message, message.sender)
    if read.owner != _us() or held is None:
        log.warning("%s asks for our consent to what it did not get from us", message.sender)
        return
    asking.take_question(
        read,
        asker=message.sender,
        agreement=message.agreement,
        handling=held.handling,
        asked_in=message.id,
        at=received.received_at,
    )


def _answer(
    actor: Actor, consent_id: str, recipients: tuple[str, ...], until: datetime | None, at: datetime
) -> ConsentView:
    asked = custody.consent(consent_id)
    if asked is None or asked.owner != _us():
        raise ConsentError(
            "Nobody waits for this consent", where=consent_id, remedy="See `comity custody consents` for what waits."
        )
    chosen = recipients or asked.recipients
    notice = ConsentNotice(asked.consent_id, asked.message_id, _us(), asked.asker, chosen, at, until is not None, until)
    signed = sign_consent(notice, settings.COMITY_KEYRING.signing)
    with transaction.atomic():
        view = asking.answer_question(actor, signed, recipients=chosen, at=at)
        tell(
            asked.asker,
            signed.to_body(),
            kind=CONSENT_KIND,
            agreement=asked.agreement,
            in_reply_to=asked.asked_in,
            actor=actor,
            at=at,
        )
    return view


def _held(message_id: str) -> HolderView:
    held = custody.held_as(message_id, holder=_us())
    if held is None or held.origin == _us():
        raise NotHeldError(
            "No partner's message of this id is held here",
            where=message_id,
            remedy="Share what is your own as your own.",
        )
    refuse_file(held)
    return held


def refuse_file(held: HolderView) -> None:
    """A file is not handed on: what its origin signed holds the key for one recipient.

    Raises: ForwardError.
    """
    if held.kind == EVIDENCE_KIND:
        raise ForwardError(
            "A file is not handed on: it is sealed to whom its origin shared it with",
            where=held.message_id,
            remedy=f"Ask {held.origin} to share the file with them itself.",
        )


def _intact_copy(held: HolderView) -> tuple[str, str]:
    if held.status is not Status.HELD:
        raise NotHeldError(
            f"The message is {held.status.value} here",
            where=held.message_id,
            remedy="Only what is held and was not taken back is handed on.",
        )
    first, *_ = custody.copies_of(held.origin, held.message_id)
    return first.sender, first.copy_id


def _checked(recipients: tuple[str, ...], held: HolderView, sender: str) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(recipients))
    if not chosen or {_us(), held.origin, sender} & set(chosen):
        raise ForwardError(
            "A message is handed on to partners that have no part in it yet",
            where=", ".join(chosen) or "no recipient",
            remedy=f"Choose others than this administration, {held.origin} and {sender or 'its sender'}.",
        )
    return chosen


def _leave(actor: Actor, held: HolderView, original: Message, to: HandingOn, at: datetime) -> _Leave:
    """Steps O7 and O8, before anything is posted: the article under which it came, the consent, the article onward."""
    (recipient,) = to.recipients
    passage = passage_of(held, original, recipient, at)
    consent = passage.consent
    if not passage.is_open:
        raise ConsentMissingError(
            f"Article {original.article} asks for the consent of {held.origin} to hand it on to {recipient}",
            where=held.message_id,
            remedy=f"Ask {held.origin}: `comity custody consent ask`. An article with onward: none never allows it.",
        )
    release = permit(
        actor,
        agreement_id=to.agreement_id,
        kind=original.kind,
        recipient=recipient,
        purpose=to.purpose,
        handling=Handling.from_word(held.handling),
        body=original.body,
        at=at,
        owner_consents=consent is not None,
    )
    if release.body_bytes != canonical_json(original.body):
        raise CannotBeCutError(
            f"Article {release.article_id} would withhold {', '.join(release.withheld[:5])}",
            where=f"to {recipient}",
            remedy="Its origin signed the whole: ask the origin to share with them itself.",
        )
    return _Leave(release, consent)


def passage_of(held: HolderView, original: Message, recipient: str, at: datetime) -> Passage:
    """Step O7: what the article under which it came says of this recipient, and the consent there is."""
    consent = custody.consent_covering(held.origin, held.message_id, recipient, at)
    rule, parties = rule_of(original)
    may_go = may_pass(rule, parties, recipient, consents=consent is not None)
    is_sensitive = Handling.from_word(held.handling) >= CONSENT_FROM
    return Passage(rule, consent, is_open=may_go and not (is_sensitive and consent is None))


def _posting(leave: _Leave, proof: Onward, held: HolderView) -> Posting:
    consent = leave.consent.statement if leave.consent else b""
    return Posting(leave.release, onward=replace(proof, consent=consent, keep_until=held.keep_until))


def _remember(actor: Actor, held: HolderView, leave: _Leave, copy_id: str, at: datetime) -> None:
    release = leave.release
    ends = [each for each in (release.valid_until, held.keep_until) if each is not None]
    limits = Limits(min(ends, default=None), release.handling.word)
    handed = keeping.HandedOn(
        recipient=release.recipient,
        copy_id=copy_id,
        agreement=release.agreement_id,
        article=release.article_id,
        consent_id=leave.consent.consent_id if leave.consent else "",
        limits=limits,
    )
    keeping.note_hand_on(actor, held, handed, at=at)
    succeeding.note_handed_on(actor, held, release.recipient, at=at)
    notice = HoldingNotice(
        message=held.message_id,
        origin=held.origin,
        holder=release.recipient,
        told_by=_us(),
        status=Status.HELD,
        ground="",
        at=at,
        via=_us(),
        keep_until=limits.keep_until,
        handling=limits.handling,
    )
    body = sign_holding(notice, settings.COMITY_KEYRING.signing).to_body()
    tell_senders(held.origin, held.message_id, body, at=at)


def _us() -> str:
    return str(settings.COMITY_ADMINISTRATION)


JOURNEYS: Mapping[str, Callable[[ReceivedMessage], None]] = {CONSENT_KIND: take_consent}
VALIDATORS: Mapping[str, Callable[[Mapping[str, object]], object]] = {CONSENT_KIND: consent_from_body}
