"""Knowledge that partners share: the issuer of an alert or a profile is told what came of it.

The step numbers are those of docs/protocol.md, section Knowledge. Told are counts, by the node itself, as far as an
article permits; where none does, nothing is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from django.conf import settings

from comity.custody import selectors as custody
from comity.exchange import ReceivedMessage
from comity.exchange.limits import Priority
from comity.exchange.selectors import sent_to
from comity.journeys.hold import source_of
from comity.journeys.permitted import Telling, permitted_partners, reachable_partners, tell
from comity.risk.errors import SignalError
from comity.risk.reporting import Came, compose_report, mark_told, reports_due
from comity.risk.reporting import take_report as keep_report
from comity.trade.knowledge import SIGNAL_REPORT_KIND, knowledge_to_body, report_from_body

log = logging.getLogger("comity.knowledge")
_AT_ONCE = 200


def report_turn(at: datetime) -> int:
    """Steps K11 and K12: tell issuers what came of what they told us. Returns how many reports were posted."""
    partners = permitted_partners(SIGNAL_REPORT_KIND, at)
    if not partners:
        return 0
    reachable = reachable_partners()
    due = (each for each in reports_due(at, limit=_AT_ONCE) if each.issuer in partners and each.issuer in reachable)
    return sum(_tell(came, partners[came.issuer], at) for came in due)


def _tell(came: Came, purpose: str, at: datetime) -> bool:
    report = compose_report(came, administration=settings.COMITY_ADMINISTRATION, at=at)
    telling = Telling(
        rule="signal-reports",
        kind=SIGNAL_REPORT_KIND,
        recipient=came.issuer,
        purpose=purpose,
        body=knowledge_to_body(report),
        handling=came.handling,
        in_reply_to=came.message_id,
    )
    return tell(
        telling, lambda message_id: mark_told(came, message_id=message_id, at=at), at=at, priority=Priority.BULK
    )


def take_report(received: ReceivedMessage) -> None:
    """Step K13: keep what a partner tells of an alert or a profile of ours that it has."""
    message = received.message
    report = report_from_body(message.body)
    if not _was_told(message.sender, report.about):
        log.warning("%s %s of %s is about nothing that it has of us", message.kind, message.id, message.sender)
        return
    source = source_of(message)
    try:
        keep_report(report, source=source, at=received.received_at)
    except SignalError as error:
        # What makes no sense stays in the messages: to run again would not make it better.
        log.warning("%s %s of %s: %s", message.kind, message.id, message.sender, error)


def _was_told(partner: str, message_id: str) -> bool:
    """Whether the partner got this message from us, or from who handed it on."""
    return sent_to(partner, message_id) is not None or any(
        view.holder == partner for view in custody.holders_of(message_id)
    )


JOURNEYS: Mapping[str, Callable[[ReceivedMessage], None]] = {SIGNAL_REPORT_KIND: take_report}
VALIDATORS: Mapping[str, Callable[[Mapping[str, object]], object]] = {SIGNAL_REPORT_KIND: report_from_body}
