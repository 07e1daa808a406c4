"""What partners refused, each with code, clause, field, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from comity.common import parse_instant
from comity.exchange.models import Delivery, OutboxMessage
from comity.exchange.receipt import read_answer


@dataclass(frozen=True, slots=True)
class PartnerRefusal:
    """One refusal by a partner. message: its id; empty where a whole envelope was refused, or the line failed.

    at: when its answer came; of a whole envelope, when it is tried again, or None. clause: article or paper that it
    rests on. field: of the message. remedy: what the partner says that we can do.
    """

    partner: str
    code: str
    text: str
    clause: str
    field: str
    remedy: str
    message: str
    kind: str
    at: datetime | None


def refusals_of_partner(
    partner: str = "", *, before: datetime | None = None, limit: int = 50
) -> tuple[PartnerRefusal, ...]:
    """What partners, or this one, refused: whole envelopes that are still refused first, then messages, newest first.

    before: answered earlier than this only, for the next page; then without envelopes.
    """
    found = [] if before else list(_envelopes(partner))
    rows = OutboxMessage.objects.select_related("partner").filter(state=OutboxMessage.State.REFUSED)
    rows = rows.filter(partner__administration=partner) if partner else rows
    rows = rows.filter(answered_at__lt=before) if before else rows
    rows = rows.defer("data", "decision").order_by("-answered_at", "-id")
    return tuple([*found, *(_message(row) for row in rows[:limit])][:limit])


def _message(row: OutboxMessage) -> PartnerRefusal:
    answer = read_answer({"accepted": False, **(row.answer or {})})
    return PartnerRefusal(
        partner=row.partner.administration,
        code=answer.code,
        text=answer.text,
        clause=answer.clause,
        field=answer.field,
        remedy=answer.remedy,
        message=row.message_id,
        kind=row.kind,
        at=row.answered_at,
    )


def _envelopes(partner: str) -> Iterator[PartnerRefusal]:
    """The last refusal of a whole envelope by each partner, as long as nothing was answered since."""
    rows = Delivery.objects.select_related("partner").exclude(last_refusal={})
    rows = rows.filter(partner__administration=partner) if partner else rows
    for row in rows.order_by("partner__administration"):
        said = row.last_refusal
        yield PartnerRefusal(
            partner=row.partner.administration,
            code=str(said.get("code", "")),
            text=str(said.get("text", "")),
            clause="",
            field=str(said.get("where", "")),
            remedy=str(said.get("remedy", "")),
            message="",
            kind="",
            at=parse_instant(str(said["at"])) if "at" in said else None,
        )
