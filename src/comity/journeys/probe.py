"""Road 6, tried on purpose: a probe goes the whole way to a partner's journey, and its answer comes all the way back.

A probe is a duty under the protocol itself: posted, logged, sealed, delivered, received and answered like any other
message. So what it proves is not that a line is up, but that what was to happen at the other end happens.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from comity import __version__
from comity.agreements import Duty
from comity.agreements import selectors as agreements
from comity.agreements.selectors import AgreementState
from comity.agreements.services import permit_duty
from comity.common import Actor, ActorKind, ComityError, parse_instant, show_instant
from comity.exchange import ReceivedMessage
from comity.exchange import selectors as exchange
from comity.exchange.selectors import Direction, MessageLine, PartnerView
from comity.exchange.services import post
from comity.exchange.skew import certain_skew
from comity.journeys.actors import this_node
from comity.staff import Permission, require

log = logging.getLogger("comity.journeys")

PROBE_KIND = Duty.PROBE.value
# No partner is probed more often, whoever asks; the job asks far less often.
PAUSE = timedelta(minutes=1)
JOB_PAUSE = timedelta(hours=1)
# A partner that probes more often than this within a minute gets no more answers: nobody is made a flood by a probe.
MOST_ANSWERS = 10
_LOOK_BACK = 60
_NONCE = re.compile(r"[0-9a-f]{16,64}", re.ASCII)
_VERSION = re.compile(r"[0-9A-Za-z.+_-]{1,60}", re.ASCII)
_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}/[1-9][0-9]{0,3}", re.ASCII)
_MOST_KINDS = 200


class ProbeFormError(ComityError):
    """The body of a probe is not as docs/schemas/probe-1.json says."""

    code = "bad_probe"


@dataclass(frozen=True, slots=True)
class Probe:
    """The body of a probe/1 message. A question has its nonce alone; an answer says what stands behind it.

    kinds: messages that the node has journeys for. agreements: in force there with the asker. clock: when it answered.
    """

    nonce: str
    is_answer: bool = False
    version: str = ""
    kinds: tuple[str, ...] = ()
    agreements: int = 0
    clock: datetime | None = None

    def to_body(self) -> dict[str, object]:
        """The body on the wire."""
        if not self.is_answer or self.clock is None:
            return {"nonce": self.nonce, "answer": False}
        return {
            "nonce": self.nonce,
            "answer": True,
            "version": self.version,
            "kinds": list(self.kinds),
            "agreements": self.agreements,
            "clock": show_instant(self.clock),
        }


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What the newest probe to a partner showed. Seconds are None until they are known.

    asked_at: None where it was never probed. state: of its message: waiting, sent, delivered or refused.
    receipt_seconds, answer_seconds: from asking. skew_seconds: how far its clock is ahead of ours for certain.
    """

    partner: str
    message_id: str = ""
    asked_at: datetime | None = None
    state: str = ""
    receipt_seconds: float | None = None
    answer_seconds: float | None = None
    skew_seconds: float | None = None
    version: str = ""
    kinds: tuple[str, ...] = ()
    agreements: int = 0

    @property
    def is_answered(self) -> bool:
        """Whether the whole road was gone, there and back."""
        return self.answer_seconds is not None


def probe_from_body(body: Mapping[str, object]) -> Probe:
    """The probe of a body.

    Raises: ProbeFormError naming the field.
    """
    nonce, is_answer = body.get("nonce"), body.get("answer")
    _check(isinstance(nonce, str) and _NONCE.fullmatch(nonce) is not None, "nonce", "Must be 16 to 64 digits in hex")
    _check(isinstance(is_answer, bool), "answer", "Must be true or false")
    if not is_answer:
        return Probe(str(nonce))
    version, kinds, count = body.get("version"), body.get("kinds"), body.get("agreements")
    _check(isinstance(version, str) and _VERSION.fullmatch(version) is not None, "version", "Must be a version")
    known = kinds if isinstance(kinds, list) and len(kinds) <= _MOST_KINDS else [None]
    is_kinds = all(isinstance(each, str) and _KIND.fullmatch(each) for each in known)
    _check(is_kinds, "kinds", "Must be kinds of messages")
    _check(isinstance(count, int) and not isinstance(count, bool) and count >= 0, "agreements", "Must be a number")
    clock = body.get("clock")
    _check(isinstance(clock, str), "clock", "Must be a time")
    return Probe(
        nonce=str(nonce),
        is_answer=True,
        version=str(version),
        kinds=tuple(kinds) if isinstance(kinds, list) else (),
        agreements=count if isinstance(count, int) else 0,
        clock=parse_instant(str(clock)),
    )


def probe_journey(kinds: Iterable[str]) -> Callable[[ReceivedMessage], None]:
    """The journey of probe/1: a question is answered; an answer is kept, and `probe_results` reads it.

    kinds: what this node has journeys for.
    """
    known = tuple(sorted(kinds))

    def take(received: ReceivedMessage) -> None:
        if not probe_from_body(received.message.body).is_answer:
            _answer(received, known)

    return take


def probe_partners(actor: Actor, *, at: datetime, partners: Sequence[str] = ()) -> dict[str, str]:
    """Post a probe to each partner that is not suspended. Returns for each the id of the probe to wait for.

    A partner that was probed within the last minute, or whose last probe is still on its way, gets no other one: then
    that one's id is given. partners: these alone. Raises: PermissionRefusedError, PartnerUnknownError.
    """
    if actor.kind is not ActorKind.NODE:
        require(actor, Permission.MANAGE_PARTNERS)
    views = [exchange.partner(each) for each in partners] if partners else exchange.partners()
    return {each.administration: _probe(actor, each, PAUSE, at) for each in views if each.state != "suspended"}


def probe_due(at: datetime) -> int:
    """As the node does by itself: each partner once an hour. Returns how many probes were posted."""
    before = {each.partner: each.message_id for each in probe_results()}
    posted = 0
    for view in exchange.partners():
        if view.state != "suspended":
            posted += _probe(this_node(), view, JOB_PAUSE, at) != before.get(view.administration)
    return posted


def probe_results(partners: Sequence[str] = ()) -> tuple[ProbeResult, ...]:
    """What the newest probe to each partner, or to these, showed."""
    names = partners or [each.administration for each in exchange.partners()]
    return tuple(_result(name) for name in names)


def _probe(actor: Actor, view: PartnerView, pause: timedelta, at: datetime) -> str:
    last = _newest_question(view.administration)
    if last is not None and (last.state in {"waiting", "sent"} or last.at > at - pause):
        return last.id
    release = permit_duty(
        actor, kind=PROBE_KIND, recipient=view.administration, body=Probe(secrets.token_hex(16)).to_body(), at=at
    )
    return post(actor, release, signer=settings.COMITY_KEYRING.log, at=at)


def _answer(received: ReceivedMessage, kinds: tuple[str, ...]) -> None:
    asker, at = received.message.sender, received.received_at
    sent = exchange.messages(direction=Direction.SENT, partner=asker, kind=PROBE_KIND, limit=_LOOK_BACK)
    lately = [each for each in sent if each.in_reply_to and each.at > at - PAUSE]
    if len(lately) >= MOST_ANSWERS:
        log.warning("probe %s of %s stays without an answer: it probes too often", received.message.id, asker)
        return
    answer = Probe(
        nonce=probe_from_body(received.message.body).nonce,
        is_answer=True,
        version=__version__,
        kinds=kinds,
        agreements=_common_agreements(asker, at),
        clock=at,
    )
    release = permit_duty(
        this_node(),
        kind=PROBE_KIND,
        recipient=asker,
        body=answer.to_body(),
        at=at,
        in_reply_to=received.message.id,
    )
    post(this_node(), release, signer=settings.COMITY_KEYRING.log, at=at)


def _common_agreements(partner: str, at: datetime) -> int:
    both = {partner, settings.COMITY_ADMINISTRATION}
    return sum(
        each.state is AgreementState.IN_FORCE and both <= set(each.agreement.parties)
        for each in agreements.agreements(at=at)
    )


def _newest_question(partner: str) -> MessageLine | None:
    sent = exchange.messages(direction=Direction.SENT, partner=partner, kind=PROBE_KIND, limit=_LOOK_BACK)
    return next((each for each in sent if not each.in_reply_to), None)


def _result(partner: str) -> ProbeResult:
    question = _newest_question(partner)
    if question is None:
        return ProbeResult(partner)
    view = exchange.message(question.id)
    asked = ProbeResult(
        partner=partner,
        message_id=question.id,
        asked_at=question.at,
        state=question.state,
        receipt_seconds=(view.answered_at - question.at).total_seconds() if view.answered_at else None,
    )
    return _with_answer(asked, view.message.body.get("nonce") if view.message else "")


def _with_answer(asked: ProbeResult, nonce: object) -> ProbeResult:
    """The first answer of this partner to this very question."""
    replies = exchange.messages(
        direction=Direction.RECEIVED, partner=asked.partner, kind=PROBE_KIND, in_reply_to=asked.message_id
    )
    for line in reversed(replies):
        view = exchange.message(line.id)
        probe = probe_from_body(view.message.body) if view.message and line.state != "refused" else None
        if probe is not None and probe.nonce == nonce and probe.clock is not None and asked.asked_at is not None:
            return ProbeResult(
                partner=asked.partner,
                message_id=asked.message_id,
                asked_at=asked.asked_at,
                state=asked.state,
                receipt_seconds=asked.receipt_seconds,
                answer_seconds=(line.at - asked.asked_at).total_seconds(),
                skew_seconds=certain_skew(asked.asked_at, probe.clock, line.at),
                version=probe.version,
                kinds=probe.kinds,
                agreements=probe.agreements,
            )
    return asked


def _check(is_right: bool, where: str, what: str) -> None:
    if not is_right:
        raise ProbeFormError(what, where=where, remedy="See docs/schemas/probe-1.json.")
