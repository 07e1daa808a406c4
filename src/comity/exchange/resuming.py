"""Going on with partners after a restore: each says how far our sequence has arrived, and we go on behind it.

Messages that were posted after the backup are not known here. Their places in the sequence must not be used again,
and those that never arrived must not stay open for ever: a partner's position would never become whole. So the next
message goes behind the highest that arrived, and places that nobody will ever fill are filled with probes.
"""

from __future__ import annotations

import logging
import secrets
from datetime import datetime

from django.conf import settings
from django.db import transaction

from comity.agreements import Duty
from comity.agreements.services import permit_duty
from comity.common import Actor
from comity.exchange.models import Partner
from comity.exchange.position import Position, Range
from comity.exchange.services import Posting, post_all, suspend_partner

logger = logging.getLogger(__name__)

_MOST_FILLED = 4096
_AT_ONCE = 256


def hold_partners(actor: Actor, *, reason: str, at: datetime) -> tuple[str, ...]:
    """Suspend every partner with which we exchange, until it was asked what it has. Returns which.

    Raises: PermissionRefusedError.
    """
    rows = Partner.objects.exclude(state=Partner.State.SUSPENDED).order_by("administration")
    codes = tuple(rows.values_list("administration", flat=True))
    for code in codes:
        suspend_partner(actor, administration=code, reason=reason, at=at)
    return codes


def was_sent_since(administration: str, position: Position) -> bool:
    """Whether the partner has a message of ours that was posted after the backup."""
    return position.highest >= Partner.objects.get(administration=administration).next_sequence


@transaction.atomic
def resume_from(actor: Actor, *, administration: str, position: Position, at: datetime) -> int:
    """Take up the exchange with a partner behind what it has. Returns how many places were filled.

    The log must be one that may be appended to.
    """
    known = Partner.objects.values_list("next_sequence", flat=True).get(administration=administration)
    lost = [(max(first, known), last) for first, last in position.missing if last >= known]
    Partner.objects.filter(administration=administration).update(state=Partner.State.ACTIVE)
    filled = 0
    for gap in lost:
        filled += _fill(actor, administration, gap, at, _MOST_FILLED - filled)
    following = max(known, position.highest + 1)
    Partner.objects.filter(administration=administration).update(next_sequence=following)
    logger.warning(
        "%s has our messages up to %d, the backup knew of %d; %d places were filled", administration,
        position.highest, known - 1, filled,
    )  # fmt: skip
    return filled


def _fill(actor: Actor, administration: str, gap: Range, at: datetime, most: int) -> int:
    """Probes at exactly these places of the sequence."""
    first, last = gap[0], min(gap[1], gap[0] + most - 1)
    for start in range(first, last + 1, _AT_ONCE):
        count = min(_AT_ONCE, last + 1 - start)
        Partner.objects.filter(administration=administration).update(next_sequence=start)
        body = {"nonce": secrets.token_hex(16), "answer": False}
        release = permit_duty(actor, kind=Duty.PROBE.value, recipient=administration, body=body, at=at)
        post_all(actor, [Posting(release)] * count, signer=settings.COMITY_KEYRING.log, at=at)
    return max(last + 1 - first, 0)
