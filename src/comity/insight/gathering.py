"""What happened between administrations, read from the rooms that keep it: cases and messages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from comity.agreements import KINDS
from comity.agreements.obligations import FINDING_SHARED, Fulfilment, Occurrence
from comity.exchange.selectors import Direction, MessageLine, messages
from comity.insight.facts import CaseFacts, facts_of, fulfilments_of, occurrences_of
from comity.insight.reciprocity import Sent
from comity.operations.models import Case
from comity.operations.selectors import fold, steps_of

MOST_CASES, MOST_MESSAGES = 20_000, 100_000
FINDING_KIND = "finding/1"
_REFUSED = "refused"


def case_facts(*, at: datetime, agreement: str = "") -> tuple[CaseFacts, ...]:
    """The facts of every case, or of those under one agreement, the newest first."""
    rows = Case.objects.filter(agreement=agreement) if agreement else Case.objects.all()
    found = rows.order_by("-opened_at", "case_id").prefetch_related("steps")[:MOST_CASES]
    return tuple(
        facts
        for row in found
        for facts in facts_of(row.case_id, row.agreement, fold(row, steps_of(row.steps.all()), at))
    )


def sent_messages(partner: str) -> tuple[Sent, ...]:
    """What we and a partner sent each other under agreements: alerts, findings, files. What was refused is left out."""
    lines = [line for kind in KINDS for line in messages(kind=kind, partner=partner, limit=MOST_MESSAGES)]
    return tuple(_sent(line) for line in lines if line.state != _REFUSED)


def occurrences(agreement: str, facts: Iterable[CaseFacts]) -> tuple[Occurrence, ...]:
    """What obligations of an agreement may count from: requests, breaches, findings that were shared."""
    lines = messages(kind=FINDING_KIND, agreement=agreement, limit=MOST_MESSAGES)
    shared = [(_sent(line), line.id) for line in lines if line.state != _REFUSED]
    found = [Occurrence(FINDING_SHARED, each.by, each.to, each.at, ref) for each, ref in shared]
    return (*found, *(each for case in facts for each in occurrences_of(case)))


def fulfilments(facts: Iterable[CaseFacts]) -> tuple[Fulfilment, ...]:
    """What was done of what may be owed."""
    return tuple(each for case in facts for each in fulfilments_of(case))


def _sent(line: MessageLine) -> Sent:
    us = str(settings.COMITY_ADMINISTRATION)
    by, to = (us, line.partner) if line.direction == Direction.SENT else (line.partner, us)
    return Sent(line.kind, line.agreement, by, to, line.at)
