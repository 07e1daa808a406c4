"""Step E4: an accepted offer becomes a file that is coming."""

from __future__ import annotations

from base64 import b64decode

from django.db import transaction

from comity.exchange.errors import PartnerUnknownError
from comity.exchange.message import ReceivedMessage, read_message
from comity.exchange.models import EvidenceIn, InboxMessage, Partner
from comity.trade.encoding import evidence_from_body

_KIND = "evidence/1"


@transaction.atomic
def expect(received: ReceivedMessage) -> None:
    """Await the file that a message offers. Twice the same message changes nothing.

    Raises: NoticeError where its body was not checked, PartnerUnknownError.
    """
    message = received.message
    notice = evidence_from_body(message.body)
    partner = Partner.objects.filter(administration=message.sender).first()
    if partner is None:
        raise PartnerUnknownError("The sender is no partner", where=message.sender)
    EvidenceIn.objects.get_or_create(
        partner=partner,
        message_id=message.id,
        defaults={
            "about": notice.about,
            "name": notice.name,
            "media_type": notice.media_type,
            "sha256": notice.sha256,
            "size_bytes": notice.size_bytes,
            "chunk_bytes": notice.chunk_bytes,
            "chunks": notice.chunks,
            "root": notice.root,
            "key": b64decode(notice.key),
            "offered_at": received.received_at,
        },
    )


def expect_waiting(sender: str) -> None:
    """As `expect`, for a partner's offers whose journeys have not run yet: their chunks may lie in the same file."""
    rows = InboxMessage.objects.filter(sender=sender, kind=_KIND, is_accepted=True, processed_at=None)
    for row in rows.order_by("id"):
        expect(ReceivedMessage(read_message(bytes(row.data)), row.received_at, row.sequence, row.failures + 1))
