"""The road of the mirror check: exports are told as commitments, figures are asked for where they differ, and given.

The step numbers are those of docs/protocol.md, section Mirror check. Nothing leaves without a Release; a refusal is
kept as every decision on sharing is. All three kinds are posted by a job, outside of the transactions in which they
fell due, so that the receipt of a refusal stays.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from django.db import transaction

from comity.agreements import Release
from comity.exchange import ReceivedMessage
from comity.exchange.limits import Priority
from comity.exchange.services import Posting
from comity.intake import StoredRecord
from comity.intake import selectors as intake
from comity.journeys.actors import standing_rule, this_node
from comity.journeys.chance import chance_seed
from comity.journeys.hold import post_held, source_of
from comity.journeys.permitted import Telling, leave_for, permitted_partners, reachable_partners, tell
from comity.risk.errors import SignalError
from comity.risk.mirror_exports import (
    AnswerDue,
    ExportDue,
    answers_due,
    compose_offer,
    compose_values,
    exports_due,
    forget_old,
    mark_answered,
    mark_sent,
    mark_unsent,
    note_exports,
)
from comity.risk.mirror_exports import take_request as keep_request
from comity.risk.mirroring import (
    AskDue,
    asks_due,
    compose_request,
    mark_asked,
    note_imports,
)
from comity.risk.mirroring import take_offer as keep_offer
from comity.risk.mirroring import take_values as keep_values
from comity.risk.services import assess_all, consider_all
from comity.trade.mirror import (
    MIRROR_KIND,
    MIRROR_REQUEST_KIND,
    MIRROR_VALUES_KIND,
    mirror_to_body,
    offer_from_body,
    request_from_body,
    values_from_body,
)

log = logging.getLogger("comity.mirror")

_RULE = "mirror-check"
_PURPOSE = "risk_assessment"
_AT_ONCE = 200
T = TypeVar("T", AskDue, AnswerDue)


def note_arrivals(records: Sequence[StoredRecord], *, at: datetime) -> None:
    """Steps M1 and M4, before records are assessed and in the same transaction."""
    _look_again(note_imports(records, at=at), at)
    note_exports(records, partners=told_partners(at), at=at)


def told_partners(at: datetime) -> dict[str, str]:
    """Whom an article in force lets us tell of exports, and for which purpose."""
    return permitted_partners(MIRROR_KIND, at)


def mirror_turn(at: datetime) -> int:
    """Steps M2, M5 and M7: post what is due. Returns how many messages were posted."""
    return _tell(at) + _ask(at) + _answer(at)


def forget_due(at: datetime) -> int:
    """Delete the keys that nobody needs any more."""
    return forget_old(at)


def _tell(at: datetime) -> int:
    reachable, purposes = reachable_partners(), told_partners(at)
    ready: list[tuple[ExportDue, Release, str]] = []
    for due in exports_due(limit=_AT_ONCE):
        if due.partner not in reachable:
            continue
        composed = compose_offer(due, at=at)
        if composed is None:
            mark_unsent(due, is_refused=False)
            continue
        offer, content_key = composed
        purpose = purposes.get(due.partner, _PURPOSE)
        release = leave_for(Telling(_RULE, MIRROR_KIND, due.partner, purpose, mirror_to_body(offer)), at)
        if release is None:
            mark_unsent(due, is_refused=True)
        else:
            ready.append((due, release, content_key))
    if not ready:
        return 0
    with transaction.atomic():
        postings = [Posting(release, priority=Priority.BULK) for _, release, _ in ready]
        ids = post_held(standing_rule(_RULE), postings, at=at)
        for (due, release, content_key), message_id in zip(ready, ids, strict=True):
            mark_sent(due, message_id=message_id, agreement=release.agreement_id, content_key=content_key)
    return len(ready)


def _ask(at: datetime) -> int:
    return _tell_each(
        asks_due(limit=_AT_ONCE),
        _request,
        lambda due, message_id: mark_asked(due, request_id=message_id, at=at),
        at,
    )


def _request(due: AskDue, purpose: str) -> Telling:
    return Telling(
        rule=_RULE,
        kind=MIRROR_REQUEST_KIND,
        recipient=due.partner,
        purpose=purpose,
        body=mirror_to_body(compose_request(due)),
        agreement=due.agreement,
        in_reply_to=due.offer_id,
    )


def _answer(at: datetime) -> int:
    return _tell_each(
        answers_due(limit=_AT_ONCE),
        _figures,
        lambda due, message_id: mark_answered(due, message_id=message_id),
        at,
    )


def _figures(due: AnswerDue, purpose: str) -> Telling | None:
    values = compose_values(due)
    if values is None:
        return None
    return Telling(
        rule=_RULE,
        kind=MIRROR_VALUES_KIND,
        recipient=due.partner,
        purpose=purpose,
        body=mirror_to_body(values),
        agreement=due.agreement,
        in_reply_to=due.request_id,
    )


def _tell_each(
    dues: Sequence[T], telling_of: Callable[[T, str], Telling | None], mark: Callable[[T, str], None], at: datetime
) -> int:
    """One message for each that is due; what the agreement refuses is marked, and not asked for again."""
    reachable, purposes, posted = reachable_partners(), told_partners(at), 0
    for due in dues:
        if due.partner not in reachable:
            continue
        telling = telling_of(due, purposes.get(due.partner, _PURPOSE))
        if telling is None:
            mark(due, "")
        else:
            posted += tell(telling, partial(mark, due), at=at)
    return posted


def take_offer(received: ReceivedMessage) -> None:
    """Step M3: keep a partner's offer, and assess again what it turns out to be of."""
    offer, at = offer_from_body(received.message.body), received.received_at
    try:
        touched = keep_offer(offer, source=source_of(received.message), at=at)
    except SignalError as error:
        _leave_aside(received, error)
    else:
        _look_again(touched, at)


def take_request(received: ReceivedMessage) -> None:
    """Step M6: a partner asks for figures; they are posted with the next turn."""
    message = received.message
    try:
        keep_request(request_from_body(message.body), partner=message.origin, message_id=message.id)
    except SignalError as error:
        _leave_aside(received, error)


def take_values(received: ReceivedMessage) -> None:
    """Step M8: a partner's figures come; what differs becomes reasons."""
    message, at = received.message, received.received_at
    values = values_from_body(message.body)
    try:
        touched = keep_values(values, source=source_of(received.message), in_reply_to=message.in_reply_to, at=at)
    except SignalError as error:
        _leave_aside(received, error)
    else:
        _look_again(touched, at)


def _leave_aside(received: ReceivedMessage, error: SignalError) -> None:
    """What makes no sense stays in the messages: to run again would not make it better."""
    log.warning("%s %s of %s: %s", received.message.kind, received.message.id, received.message.sender, error)


def _look_again(record_ids: Sequence[UUID], at: datetime) -> None:
    records = list(intake.records_by_id(dict.fromkeys(record_ids)).values())
    if records:
        assess_all(this_node(), records=records, at=at)
        consider_all(this_node(), records=records, at=at, seed=chance_seed())


JOURNEYS: Mapping[str, Callable[[ReceivedMessage], None]] = {
    MIRROR_KIND: take_offer,
    MIRROR_REQUEST_KIND: take_request,
    MIRROR_VALUES_KIND: take_values,
}
VALIDATORS: Mapping[str, Callable[[Mapping[str, object]], object]] = {
    MIRROR_KIND: offer_from_body,
    MIRROR_REQUEST_KIND: request_from_body,
    MIRROR_VALUES_KIND: values_from_body,
}
