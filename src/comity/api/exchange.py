"""Partners, and the messages sent to them and received from them."""
# ruff: noqa: ARG001 - the framework hands the request over by name

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema
from pydantic import JsonValue

from comity.api.fields import Code, Given, Instant, PurposeQuery, Word
from comity.api.guard import actor_of, needs
from comity.api.openapi import raw_answer
from comity.common import Actor, utc_now
from comity.exchange import Message, selectors
from comity.exchange.bundles import bundle_of
from comity.exchange.selectors import MessageLine, MessageView, PartnerView
from comity.journeys.look import SeenLine, note_look, open_message, openable, see_lines
from comity.staff import Permission

router = Router(tags=["exchange"])

_MOST_AT_ONE_INSTANT = 10_000
_BUNDLE = "application/vnd.comity.bundle+json"


class PartnerOut(Schema):
    """A partner and how the exchange with it goes. waiting: messages without an answer yet."""

    administration: str
    name: str
    state: str
    endpoint: str
    fingerprint: str
    keys_expire_at: Instant
    introduced_at: Instant
    last_answer_at: Instant | None = None
    last_envelope_at: Instant | None = None
    failures: int
    next_attempt_at: Instant | None = None
    last_error: str
    waiting: int
    cosigned_size: int
    followed_size: int


class Partners(Schema):
    """Every partner, in the order of their codes."""

    items: list[PartnerOut]


class RefusalQuery(Given):
    """Whose refusals are wanted. before: only those answered earlier, for the next page; then without envelopes."""

    partner: Code | None = None
    before: Instant | None = None
    limit: int = Field(default=50, ge=1, le=200)


class PartnerRefusalOut(Schema):
    """What a partner refused. message_id: empty where it was a whole envelope; clause: what the refusal rests on."""

    partner: str
    code: str
    text: str
    clause: str
    field: str
    remedy: str
    message_id: str
    kind: str
    at: Instant | None = None


class PartnerRefusals(Schema):
    """Envelopes that are refused now, then messages, the newest first."""

    items: list[PartnerRefusalOut]


class MessageQuery(Given):
    """Which messages are wanted. before: only older ones, for the next page."""

    direction: Literal["sent", "received"] | None = None
    partner: Code | None = None
    kind: Word = ""
    agreement: Word = ""
    state: Word = ""
    in_reply_to: Word = ""
    before: Instant | None = None
    limit: int = Field(default=50, ge=1, le=200)


class MessageSummary(Schema):
    """A message as lists show it. at: when it was posted or received; log_index: of a sent one, in this node's log.

    is_whole: false where the token's roles need to know only that it exists; then its particulars are empty.
    """

    message_id: str
    direction: str
    partner: str
    kind: str
    agreement_id: str
    article_id: str
    purpose: str
    handling: str
    at: Instant
    state: str
    in_reply_to: str
    log_index: int | None = None
    error: str
    is_whole: bool = True


class Messages(Schema):
    """A part of the messages, the newest first. next_before: the `before` of the next part; null at the end."""

    items: list[MessageSummary]
    next_before: Instant | None = None


class AnswerOut(Schema):
    """What the receiver answered: accepted, or why not and what the sender may do."""

    accepted: bool
    code: str
    text: str
    clause: str
    field: str
    remedy: str


class MessageOut(MessageSummary):
    """A message whole. body: the notice as it was released; withheld: the paths that the article did not release."""

    created: Instant | None = None
    valid_until: Instant | None = None
    sha256: str
    sequence: int
    body: dict[str, JsonValue] | None = None
    withheld: list[str]
    answer: AnswerOut | None = None
    answered_at: Instant | None = None
    processed_at: Instant | None = None


@router.get("/partners", response=Partners, summary="Partners", **needs(Permission.VIEW_MESSAGES))
def list_partners(request: HttpRequest) -> Partners:
    """Every partner with the state of the exchange."""
    return Partners(items=[_partner_of(partner) for partner in selectors.partners()])


@router.get(
    "/partners/refusals", response=PartnerRefusals, summary="What partners refused", **needs(Permission.VIEW_MESSAGES)
)
def list_partner_refusals(request: HttpRequest, query: Query[RefusalQuery]) -> PartnerRefusals:
    """Each with its code, the clause that it rests on, the field that is wrong, and what can be done."""
    found = selectors.refusals_of_partner(query.partner or "", before=query.before, limit=query.limit)
    return PartnerRefusals(
        items=[
            PartnerRefusalOut(
                partner=each.partner,
                code=each.code,
                text=each.text,
                clause=each.clause,
                field=each.field,
                remedy=each.remedy,
                message_id=each.message,
                kind=each.kind,
                at=each.at,
            )
            for each in found
        ]
    )


@router.get("/messages", response=Messages, summary="Messages, the newest first", **needs(Permission.VIEW_MESSAGES))
def list_messages(request: HttpRequest, query: Query[MessageQuery]) -> Messages:
    """Messages sent and received that match. A page is longer than its limit where many were posted at one instant."""
    actor, lines = actor_of(request), _find(query, query.limit + 1)
    if len(lines) <= query.limit:
        return _page(actor, lines, is_last=True)
    # The next page begins before an instant, so an instant is never divided between two pages.
    page = [line for line in lines if line.at > lines[-1].at]
    if page:
        return _page(actor, page, is_last=False)
    many = _find(query, _MOST_AT_ONE_INSTANT)
    page = [line for line in many if line.at == lines[-1].at]
    return _page(actor, page, is_last=len(page) == len(many))


@router.get(
    "/messages/{uuid:message_id}", response=MessageOut, summary="One message", **needs(Permission.VIEW_MESSAGES)
)
def show_message(request: HttpRequest, message_id: UUID, query: Query[PurposeQuery]) -> MessageOut:
    """A message with its body, its answer, and what was withheld. 403 `purpose_missing` without a purpose,
    `purpose_refused` where the article does not let it be opened for that one; its remedy names those that will do.
    """
    view = open_message(actor_of(request), message_id=str(message_id), purpose=query.purpose, at=utc_now())
    return MessageOut.model_validate(_line_of(view.line) | _facts_of(view))


@router.get(
    "/messages/{uuid:message_id}/bundle",
    summary="One exchange as a file that anyone can verify offline",
    **needs(Permission.VIEW_MESSAGES, raw_answer(_BUNDLE, "A file that `comity ledger verify-bundle` reads")),
)
def show_bundle(request: HttpRequest, message_id: UUID, query: Query[PurposeQuery]) -> HttpResponse:
    """The message, its agreement, the receipt, and the proofs of both logs. Made of messages sent from here that were
    answered; 404 for others. The purpose is asked for as for the message itself.
    """
    at, actor = utc_now(), actor_of(request)
    view = openable(actor, message_id=str(message_id), purpose=query.purpose, at=at)
    bundle = bundle_of(str(message_id), keyring=settings.COMITY_KEYRING, at=at)
    note_look(actor, view, purpose=query.purpose, at=at, deed="download_bundle")
    response = HttpResponse(bundle.to_bytes(), content_type=_BUNDLE)
    response["Content-Disposition"] = f'attachment; filename="{message_id}.bundle.json"'
    return response


def _find(query: MessageQuery, limit: int) -> tuple[MessageLine, ...]:
    return selectors.messages(
        direction=query.direction,
        partner=query.partner or "",
        kind=query.kind,
        agreement=query.agreement,
        state=query.state,
        in_reply_to=query.in_reply_to,
        before=query.before,
        limit=limit,
    )


def _page(actor: Actor, lines: Sequence[MessageLine], *, is_last: bool) -> Messages:
    items = [MessageSummary.model_validate(_seen(each)) for each in see_lines(actor, lines)]
    return Messages(items=items, next_before=None if is_last else lines[-1].at)


def _seen(seen: SeenLine) -> dict[str, object]:
    return _line_of(seen.line) | {"is_whole": seen.is_whole}


def _partner_of(partner: PartnerView) -> PartnerOut:
    return PartnerOut(
        administration=partner.administration,
        name=partner.name,
        state=partner.state,
        endpoint=partner.endpoint,
        fingerprint=partner.fingerprint,
        keys_expire_at=partner.keys.expires_at,
        introduced_at=partner.introduced_at,
        last_answer_at=partner.last_answer_at,
        last_envelope_at=partner.last_envelope_at,
        failures=partner.failures,
        next_attempt_at=partner.next_attempt_at,
        last_error=partner.last_error,
        waiting=partner.waiting,
        cosigned_size=partner.cosigned_size,
        followed_size=partner.followed_size,
    )


def _line_of(line: MessageLine) -> dict[str, object]:
    return {
        "message_id": line.id,
        "direction": line.direction.value,
        "partner": line.partner,
        "kind": line.kind,
        "agreement_id": line.agreement,
        "article_id": line.article,
        "purpose": line.purpose,
        "handling": line.handling,
        "at": line.at,
        "state": line.state,
        "in_reply_to": line.in_reply_to,
        "log_index": line.log_index,
        "error": line.error,
    }


def _facts_of(view: MessageView) -> dict[str, object]:
    facts: dict[str, object] = {
        "sha256": view.sha256,
        "sequence": view.sequence,
        "withheld": list(view.withheld),
        "answer": _answer_of(view),
        "answered_at": view.answered_at,
        "processed_at": view.processed_at,
    }
    return facts | (_content_of(view.message) if view.message else {})


def _content_of(message: Message) -> dict[str, object]:
    return {"created": message.created, "valid_until": message.valid_until, "body": dict(message.body)}


def _answer_of(view: MessageView) -> AnswerOut | None:
    answer = view.answer
    if answer is None:
        return None
    return AnswerOut(
        accepted=answer.accepted,
        code=answer.code,
        text=answer.text,
        clause=answer.clause,
        field=answer.field,
        remedy=answer.remedy,
    )
