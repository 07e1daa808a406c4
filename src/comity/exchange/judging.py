"""Steps R8 and R9: what is answered to one message. Decides; stores nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from comity.agreements import (
    DUTY_KINDS,
    Agreement,
    Asking,
    Decision,
    DutyAsked,
    Engine,
    SharingRequest,
    judge_duty,
    judge_incoming,
)
from comity.agreements import Incoming as Asked
from comity.agreements.selectors import adopted_agreement, engine_of
from comity.common import ComityError
from comity.exchange.arrivals import Arrival
from comity.exchange.duties import check_form, check_signer
from comity.exchange.errors import MessageFormError, MessageRefusedError
from comity.exchange.limits import Limits
from comity.exchange.message import Message, read_message
from comity.exchange.onward import Provenance, check_onward
from comity.exchange.receipt import Answer
from comity.exchange.strength import check_arrival
from comity.trade import Handling
from comity.trust import sha256_hex

Validator = Callable[[Mapping[str, object]], object]

# By the code of a refusal: the field that is wrong (None: those that were not released), and what the sender can do.
_OTHER_ARTICLE = "Share it under an article that permits it; `comity agreement explain` names the nearest one."
_MENDING: Mapping[str, tuple[str | None, str]] = {
    "unknown_agreement": ("agreement", "Ask the contact point to adopt it, or share under one that both have adopted."),
    "field_not_released": (None, "Leave them out."),
}


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message of an arrival. message: None where its bytes cannot be read. id: then made of the digest."""

    arrival: Arrival
    position: int
    data: bytes
    sha256: str
    id: str
    message: Message | None
    trouble: MessageFormError | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What makes a message the same message: sender and message id."""
        return self.arrival.contents.sender, self.id

    @property
    def sequence(self) -> int:
        """Its place in the sender's sequence."""
        return self.arrival.contents.first_sequence + self.position


def read_incoming(arrival: Arrival, limits: Limits) -> list[Incoming]:
    """Step R8, first half: every message of an arrival, read where it can be read."""
    incoming = []
    for position, data in enumerate(arrival.messages):
        digest = sha256_hex(data)
        try:
            message, trouble = read_message(data, limit=limits.message_bytes), None
        except MessageFormError as error:
            message, trouble = None, error
        # The words of the row stay unique: a digest is no UUID.
        name = message.id if message else digest[:36]
        incoming.append(Incoming(arrival, position, data, digest, name, message, trouble))
    return incoming


class Verdict(NamedTuple):
    """What is answered to one message. refused: the decision against it, whose receipt is kept for our officers.

    A decision for it is kept in the signed receipt.
    """

    incoming: Incoming
    answer: Answer
    refused: tuple[SharingRequest, Decision] | None = None


@dataclass(slots=True)
class Judge:
    """Judges the messages of one group. validators: for each kind that has a journey, what raises on a wrong body.

    The engines are looked up once for a group.
    """

    validators: Mapping[str, Validator]
    limits: Limits
    at: datetime
    engines: dict[str, Engine | None] = field(default_factory=dict)
    agreements: dict[str, Agreement | None] = field(default_factory=dict)

    def judge(self, incoming: Incoming) -> Verdict:
        """Steps R8 and R9: form, ends, times, kind, body, agreement. A refusal names what and why."""
        message = incoming.message
        if message is None:
            return _refusal("", incoming, incoming.trouble or MessageFormError("The message cannot be read"))
        try:
            self._check_ends(message, incoming)
            self._check_times(message)
            self._check_body(message)
            check_arrival(incoming.arrival, self._agreement(message.agreement))
            provenance = check_onward(message, self.at) if message.onward is not None else None
            return self._authorise(message, provenance, incoming)
        except ComityError as error:
            return _refusal(incoming.id, incoming, error)

    def _check_ends(self, message: Message, incoming: Incoming) -> None:
        contents = incoming.arrival.contents
        for name in ("sender", "recipient"):
            if getattr(message, name) != getattr(contents, name):
                raise MessageFormError(
                    f"The {name} of the message is not that of its envelope", where=name, remedy="Send it anew."
                )
        # Whose word it is decides whose reliability it moves: only its own signature says so (step O1).
        if message.origin != message.sender and (message.onward is None or message.kind in DUTY_KINDS):
            raise MessageFormError(
                f"{message.sender} cannot speak as {message.origin}",
                where="origin",
                remedy="Hand it on with the proof of its origin, or send it as your own and name the source.",
            )
        if message.origin == message.sender and message.onward is not None:
            raise MessageFormError(
                "A message of its sender's own needs no proof of another origin", where="onward", remedy="Leave it out."
            )

    def _check_times(self, message: Message) -> None:
        if message.created > self.at + timedelta(seconds=self.limits.clock_skew_seconds):
            raise MessageRefusedError(
                "created_in_future",
                "The message says that it was created in the future",
                where="created",
                remedy="Set the clock of the node.",
            )
        if message.valid_until is not None and message.valid_until < self.at:
            raise MessageRefusedError(
                "expired",
                "The message was no longer valid when it arrived",
                where="valid_until",
                remedy="Send it anew.",
            )

    def _check_body(self, message: Message) -> None:
        validate = self.validators.get(message.kind)
        if validate is None:
            raise MessageRefusedError(
                "unknown_kind",
                f"This node has no use for messages of the kind {message.kind}",
                where="kind",
                remedy=f"Known here are: {', '.join(sorted(self.validators))}.",
            )
        if message.kind in DUTY_KINDS:
            check_form(message)
        validate(message.body)
        if message.kind in DUTY_KINDS:
            check_signer(message, self.at)

    def _authorise(self, message: Message, provenance: Provenance | None, incoming: Incoming) -> Verdict:
        """The same engine as the sender's, as `comity.agreements.services.authorise` decides for one message."""
        handling = _handling(message.handling)
        consents = provenance is not None and provenance.consents
        asking = Asking(
            sender=message.sender,
            receiver=message.recipient,
            kind=message.kind,
            purpose=message.purpose,
            handling=handling,
            at=self.at,
            owner_consents=consents,
            posted_at=message.created,
        )
        if message.kind in DUTY_KINDS:
            agreement = self._agreement(message.agreement)
            request, decision = judge_duty(DutyAsked(asking, message.agreement, agreement, message.body))
        else:
            asked = Asked(asking, message.agreement, message.article, message.body)
            request, decision = judge_incoming(self._engine(message.agreement), asked)
        if decision.is_permitted:
            answer = Answer(message.id, incoming.sha256, accepted=True, article=decision.article_id)
            return Verdict(incoming, answer)
        reason = decision.reasons[0]
        field, remedy = _MENDING.get(reason.code, ("article", _OTHER_ARTICLE))
        answer = Answer(
            message.id,
            incoming.sha256,
            accepted=False,
            code=reason.code,
            text=reason.text[:300],
            clause=reason.clause or message.article,
            field=field or ", ".join(decision.fields_withheld)[:200],
            remedy=remedy,
        )
        return Verdict(incoming, answer, (request, decision))

    def _agreement(self, agreement_id: str) -> Agreement | None:
        if agreement_id not in self.agreements:
            self.agreements[agreement_id] = adopted_agreement(agreement_id)
        return self.agreements[agreement_id]

    def _engine(self, agreement_id: str) -> Engine | None:
        if agreement_id not in self.engines:
            self.engines[agreement_id] = engine_of(agreement_id)
        return self.engines[agreement_id]


def _handling(word: str) -> Handling:
    try:
        return Handling.from_word(word)
    except KeyError as error:
        raise MessageRefusedError(
            "unknown_handling",
            f"There is no handling level {word}",
            where="handling",
            remedy=f"Known are: {', '.join(level.word for level in Handling)}.",
        ) from error


def _refusal(name: str, incoming: Incoming, error: ComityError) -> Verdict:
    """name: the id of the message, where it could be read."""
    answer = Answer(
        name,
        incoming.sha256,
        accepted=False,
        code=error.code,
        text=error.what[:300],
        field=error.where[:200],
        remedy=error.remedy[:300],
    )
    return Verdict(incoming, answer)
