"""Road 7 and 8: what a partner sent is acted on: an alert targets goods here, a finding closes the loop of an alert."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from comity.exchange import ReceivedMessage
from comity.exchange.selectors import sent_to
from comity.intake import selectors as intake
from comity.journeys.actors import this_node
from comity.journeys.chance import chance_seed
from comity.journeys.hold import source_of
from comity.journeys.share import ALERT_KIND
from comity.risk.partner_findings import take_partner_finding
from comity.risk.services import consider_all, reassess_for_signal, take_feedback, take_signal
from comity.trade.encoding import alert_from_body, finding_from_body

log = logging.getLogger("comity.journeys")


def take_alert(received: ReceivedMessage) -> None:
    """Let a partner's alert target goods here, look again at what has not left yet, and select what it concerns.

    The issuer is its origin, who signed it, whatever the body says and whoever handed it on; it targets no longer than
    the article lets us keep it.
    """
    message = received.message
    alert = replace(alert_from_body(message.body), issuer=message.origin)
    if message.valid_until is not None:
        alert = replace(alert, valid_until=min(alert.valid_until, message.valid_until))
    at = received.received_at
    source = source_of(message)
    ref = take_signal(alert, message_id=source.message_id, article=source.article, agreement=source.agreement, at=at)
    changed = reassess_for_signal(this_node(), signal_ref=ref, at=at)
    records = list(intake.records_by_id(changed).values())
    consider_all(this_node(), records=records, at=at, seed=chance_seed())


def take_finding(received: ReceivedMessage) -> None:
    """Keep what a partner found for models to learn from; where it followed our alert, the loop is closed.

    Only who was sent an alert can have followed it.
    """
    message = received.message
    finding = replace(finding_from_body(message.body), administration=message.origin)
    take_partner_finding(finding, source=source_of(message), at=received.received_at)
    asked = sent_to(message.sender, message.in_reply_to)
    if asked is None or asked.kind != ALERT_KIND or asked.body.get("ref") != finding.alert_ref:
        log.warning("finding %s of %s answers no alert that was sent to it", message.id, message.sender)
        return
    take_feedback(finding, message_id=message.id, at=received.received_at)


JOURNEYS: Mapping[str, Callable[[ReceivedMessage], None]] = {"alert/1": take_alert, "finding/1": take_finding}
VALIDATORS: Mapping[str, Callable[[Mapping[str, object]], object]] = {
    "alert/1": alert_from_body,
    "finding/1": finding_from_body,
}
