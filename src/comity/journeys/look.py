"""A look at what partners sent: who may see how much of it, for which purpose, and that it was seen.

Each door asks here. Three questions, in this order: does the officer need to know (staff), may it be opened for the
purpose that was stated (agreements), and where is it written that it was (the audit). A refusal is written, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.conf import settings

from comity.agreements import DUTY_KINDS, PURPOSES
from comity.agreements.selectors import adopted_agreement
from comity.agreements.uses import permitted_uses
from comity.common import Actor, ComityError
from comity.custody import selectors as custody
from comity.exchange import selectors as exchange
from comity.exchange.errors import MessageUnknownError
from comity.exchange.evidence import OpenedEvidence
from comity.exchange.selectors import Direction, MessageLine, MessageView
from comity.journeys.evidence import open_evidence
from comity.risk import FoundReason, QueueRow
from comity.risk import selectors as risk
from comity.risk.values import AlertSource
from comity.staff import Permission, Sight, may, require, require_sight, sight_of
from comity.staff.services import record_deed

# Whoever checks that what was done was lawful must read it, and uses it for nothing else.
OVERSIGHT = "oversight"
STATABLE = (*PURPOSES, OVERSIGHT)


class PurposeMissingError(ComityError):
    """Content of partners' data was asked for without a purpose, or with a word that is none."""

    code = "purpose_missing"


class PurposeRefusedError(ComityError):
    """The purpose that was stated is none for which this message may be opened. uses: those that are."""

    code = "purpose_refused"

    def __init__(self, what: str, *, uses: tuple[str, ...]) -> None:
        named = ", ".join(uses) or OVERSIGHT
        super().__init__(what, where="purpose", remedy=f"It may be opened for: {named}.")
        self.uses = uses


class Veil(StrEnum):
    """Why a reason or a title is not shown. none: it is shown."""

    NONE = ""
    PURPOSE = "purpose"
    USE = "use"
    NEED_TO_KNOW = "need_to_know"


@dataclass(frozen=True, slots=True)
class Source:
    """A partner's alert as the source of a reason. uses: for what it may be opened; empty: for anything."""

    message_id: str
    handling: str
    uses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """Who looks, and for what. given: the records that were given to this officer."""

    actor: Actor
    purpose: str
    given: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class SeenReason:
    """A reason as far as it may be seen. uses: the purposes that would show it, where another one was stated."""

    reason: FoundReason
    veil: Veil = Veil.NONE
    uses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SeenLine:
    """A message in a list; where only its existence may be known, its particulars are empty."""

    line: MessageLine
    is_whole: bool = True


def open_message(actor: Actor, *, message_id: str, purpose: str, at: datetime) -> MessageView:
    """A message whole, for a purpose; who looked is in the access log.

    Raises: PermissionRefusedError, MessageUnknownError, SightRefusedError, PurposeMissingError, PurposeRefusedError.
    """
    view = openable(actor, message_id=message_id, purpose=purpose, at=at)
    note_look(actor, view, purpose=purpose, at=at)
    return view


def openable(actor: Actor, *, message_id: str, purpose: str, at: datetime) -> MessageView:
    """A message that may be opened for a purpose. Whoever then shows of it what it holds notes the look.

    Raises: as `open_message`.
    """
    require(actor, Permission.VIEW_MESSAGES)
    view = find_message(actor, message_id=message_id, at=at)
    check_purpose(actor, view, purpose=purpose, at=at)
    return view


def note_look(actor: Actor, view: MessageView, *, purpose: str, at: datetime, deed: str = "view_message") -> None:
    """Write a look into the access log. deed: of insight.access.LOOKS."""
    facts = {"purpose": purpose, "partner": view.line.partner, "kind": view.line.kind, "handling": view.line.handling}
    record_deed(actor, deed=deed, subject=f"message:{view.line.id}", facts=facts, at=at)


def find_message(actor: Actor, *, message_id: str, at: datetime) -> MessageView:
    """A message that the actor needs to know; nothing of its content may be shown before its purpose was checked.

    Raises: MessageUnknownError also where not even its existence may be known; SightRefusedError.
    """
    view = exchange.message(message_id)
    sight = sight_of(actor, view.line.handling)
    if sight is Sight.WHOLE:
        return view
    facts = {"handling": view.line.handling, "partner": view.line.partner, "sight": sight.value}
    record_deed(actor, deed="refuse_sight", subject=f"message:{message_id}", facts=facts, at=at)
    if sight is Sight.NOTHING:
        raise MessageUnknownError(
            "No message of this id was sent or received here",
            where=message_id[:60],
            remedy="See `comity exchange status`.",
        )
    require_sight(actor, view.line.handling, where=f"message:{message_id}"[:60])
    return view


def check_purpose(actor: Actor, view: MessageView, *, purpose: str, at: datetime) -> None:
    """Whether a message may be opened for this purpose; a refusal is in the access log.

    Raises: PurposeMissingError, PurposeRefusedError.
    """
    uses = uses_of(view)
    if is_use(actor, uses, purpose):
        return
    subject = f"message:{view.line.id}"
    record_deed(actor, deed="refuse_purpose", subject=subject, facts={"purpose": purpose or "none"}, at=at)
    if purpose not in STATABLE:
        raise _missing(uses or PURPOSES)
    raise PurposeRefusedError(
        f"Article {view.line.article} of the agreement does not let this message be opened for {purpose}", uses=uses
    )


def is_use(actor: Actor, uses: tuple[str, ...], purpose: str) -> bool:
    """Whether a thing with these uses may be opened for a purpose. uses: empty: any purpose will do."""
    if purpose == OVERSIGHT:
        return may(actor, Permission.VIEW_AUDIT)
    return purpose in PURPOSES and (not uses or purpose in uses)


def uses_of(view: MessageView) -> tuple[str, ...]:
    """For which purposes a message may be opened here; empty: for any, since it is our own or a duty between nodes."""
    line = view.line
    is_ours = line.direction is Direction.SENT and (view.message is None or view.message.origin == _us())
    if is_ours or line.kind in DUTY_KINDS or line.purpose not in PURPOSES:
        return ()
    agreement = adopted_agreement(line.agreement)
    return permitted_uses(agreement.article(line.article) if agreement else None, line.purpose)


def open_file(
    actor: Actor, *, message_id: str, sha256: str, purpose: str, at: datetime, partner: str = ""
) -> OpenedEvidence:
    """The bytes of a file of a message, under the message's own conditions.

    Raises: as `open_message`; EvidenceError where it is not here.
    """
    require(actor, Permission.VIEW_MESSAGES)
    view = find_message(actor, message_id=message_id, at=at)
    check_purpose(actor, view, purpose=purpose, at=at)
    return open_evidence(actor, message_id=message_id, sha256=sha256, partner=partner, at=at, purpose=purpose)


def open_feedback(actor: Actor, *, ref: str, purpose: str, at: datetime) -> None:
    """Let what partners found after an alert of ours be looked at, for a purpose; it is in the access log.

    Raises: PermissionRefusedError, PurposeMissingError.
    """
    require(actor, Permission.VIEW_MESSAGES)
    if not is_use(actor, (), purpose):
        raise _missing(PURPOSES)
    record_deed(actor, deed="view_feedback", subject=f"alert:{ref}", facts={"purpose": purpose}, at=at)


def see_lines(actor: Actor, lines: Iterable[MessageLine]) -> tuple[SeenLine, ...]:
    """The messages of a list: whole, as existing only, or left out."""
    seen = ((line, sight_of(actor, line.handling)) for line in lines)
    return tuple(
        SeenLine(line) if sight is Sight.WHOLE else SeenLine(_bare(line), is_whole=False)
        for line, sight in seen
        if sight is not Sight.NOTHING
    )


def see_reasons(look: Look, record_id: UUID, reasons: Iterable[FoundReason]) -> tuple[SeenReason, ...]:
    """The reasons of an assessment as far as they may be seen; our own are shown whole."""
    every = tuple(reasons)
    known = sources_of(each for reason in every if (each := _alert_in(reason)))
    return tuple(
        _lifted(look, record_id, reason, known) for reason in every if not _is_hidden(look, record_id, reason, known)
    )


def see_rows(look: Look, rows: Iterable[QueueRow]) -> tuple[tuple[QueueRow, Veil], ...]:
    """Rows of the queue; where the first reason is a partner's and may not be shown, it is empty and why is said."""
    every = tuple(rows)
    alerts = risk.alert_reasons([row.record_id for row in every])
    known = sources_of((each.issuer, each.ref) for found in alerts.values() for each in found)
    seen = []
    for row in every:
        given = row.record_id in look.given or row.assigned_to == look.actor.id
        own = [
            (each, _veil(look, known.get((each.issuer, each.ref)), is_given=given)) for each in alerts[row.record_id]
        ]
        hidden = {each.issuer for each, (_, is_hidden) in own} - {each.issuer for each, (_, hid) in own if not hid}
        veil = next((veil for each, (veil, _) in own if each.is_first), Veil.NONE)
        shown = replace(row, administrations=tuple(code for code in row.administrations if code not in hidden))
        seen.append((replace(shown, top_reason="") if veil else shown, veil))
    return tuple(seen)


def see_signals(look: Look, pairs: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Veil | None]:
    """Of partners' alerts by (issuer, reference): why what they say is not shown; None: not even that they exist."""
    known = sources_of(pairs)
    lifted = {pair: _veil(look, source, is_given=False) for pair, source in known.items()}
    return {pair: None if is_hidden else veil for pair, (veil, is_hidden) in lifted.items()}


def sources_of(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Source]:
    """Partners' alerts by (issuer, reference): their messages here, as they are handled now."""
    found = risk.alert_sources(pairs)
    return {pair: _source(pair[0], each) for pair, each in found.items()}


def _source(issuer: str, found: AlertSource) -> Source:
    """What was emptied says nothing any more, so nothing of it is veiled."""
    if not found.handling:
        return Source(found.message_id, "open", ())
    held = custody.holding_of(issuer, found.message_id, _us())
    copy = next((each.copy_id for each in custody.copies_of(issuer, found.message_id)), found.message_id)
    try:
        view = exchange.message(copy)
    except MessageUnknownError:
        return Source(copy, held.handling if held else found.handling, ())
    return Source(copy, held.handling if held else view.line.handling, uses_of(view))


def _alert_in(reason: FoundReason) -> tuple[str, str] | None:
    is_partners = reason.administration not in ("", _us())
    return (reason.administration, reason.source_ref) if is_partners else None


def _is_hidden(look: Look, record_id: UUID, reason: FoundReason, known: Mapping[tuple[str, str], Source]) -> bool:
    pair = _alert_in(reason)
    return pair is not None and _veil(look, known.get(pair), is_given=record_id in look.given)[1]


def _lifted(look: Look, record_id: UUID, reason: FoundReason, known: Mapping[tuple[str, str], Source]) -> SeenReason:
    pair = _alert_in(reason)
    if pair is None:
        return SeenReason(reason)
    source = known.get(pair)
    veil, _ = _veil(look, source, is_given=record_id in look.given)
    if not veil:
        return SeenReason(reason)
    bare = replace(reason, title="", text="", evidence=(), facts=(), risk_type=None, source_ref="")
    return SeenReason(bare, veil, source.uses if source and veil is Veil.USE else ())


def _veil(look: Look, source: Source | None, *, is_given: bool) -> tuple[Veil, bool]:
    """Why it is not shown, and whether it is left out altogether. What is not known counts as confidential."""
    sight = sight_of(look.actor, source.handling if source else "confidential", is_given=is_given)
    if sight is not Sight.WHOLE:
        return Veil.NEED_TO_KNOW, sight is Sight.NOTHING
    if look.purpose not in STATABLE:
        return Veil.PURPOSE, False
    return (Veil.NONE if is_use(look.actor, source.uses if source else (), look.purpose) else Veil.USE), False


def _missing(uses: Iterable[str]) -> PurposeMissingError:
    remedy = f"State one of: {', '.join(uses)}."
    return PurposeMissingError(
        "What partners shared is shown for a stated purpose only", where="purpose", remedy=remedy
    )


def _bare(line: MessageLine) -> MessageLine:
    return replace(line, kind="", agreement="", article="", purpose="", in_reply_to="", error="", log_index=None)


def _us() -> str:
    return str(settings.COMITY_ADMINISTRATION)
