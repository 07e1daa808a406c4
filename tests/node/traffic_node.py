"""What a node does while another process serves it; imported once Django is set up."""

from __future__ import annotations

import json
import sys
from datetime import timedelta

from django.conf import settings

from comity.agreements.services import permit
from comity.common import Actor, ActorKind, utc_now
from comity.exchange.models import InboxMessage, OutboxMessage, Partner, Reception
from comity.exchange.services import Posting, post_all
from comity.ledger.selectors import log_size, split_views
from comity.ledger.verifying import verify_log
from comity.staff import Role
from comity.trade import Handling, RiskType
from comity.trade.encoding import alert_to_body
from tests.exchange.cast import alert


def post(recipient: str, count: int) -> list[str]:
    """Post alerts that the agreement permits, ten in a transaction."""
    code = settings.COMITY_ADMINISTRATION
    actor = Actor(ActorKind.OFFICER, "traffic", code, frozenset(role.value for role in Role))
    at = utc_now()
    body = alert_to_body(
        alert(issuer=code, issued_at=at, valid_from=at, valid_until=at + timedelta(days=90), risk_type=RiskType.SAFETY)
    )
    ids: list[str] = []
    while len(ids) < count:
        release = permit(
            actor,
            kind="alert/1",
            recipient=recipient,
            purpose="control",
            handling=Handling.OFFICIAL,
            body=body,
            at=utc_now(),
        )
        part = [Posting(release)] * min(10, count - len(ids))
        ids += post_all(actor, part, signer=settings.COMITY_KEYRING.log, at=utc_now())
    return ids


def tell() -> dict[str, object]:
    """What has gone, what has come, and whether the log is whole."""
    report = verify_log(settings.COMITY_KEYRING.log.verifier)
    alerts = OutboxMessage.objects.filter(kind="alert/1")
    return {
        "sent": {state: alerts.filter(state=state).count() for state in ("waiting", "sent", "delivered", "refused")},
        "waiting": alerts.filter(state__in=["waiting", "sent"]).count(),
        "received": list(
            InboxMessage.objects.filter(kind="alert/1").order_by("id").values_list("message_id", flat=True)
        ),
        "done": InboxMessage.objects.filter(kind="alert/1", processed_at__isnull=False).count(),
        "refused": InboxMessage.objects.filter(is_accepted=False).count(),
        "log": log_size(),
        "problems": list(report.problems),
        "forks": [each.origin for each in split_views()],
        "partners": dict(Partner.objects.values_list("administration", "state")),
        "next": dict(Partner.objects.values_list("administration", "next_sequence")),
        "reached": dict(Reception.objects.values_list("partner__administration", "contiguous")),
        "islands": dict(Reception.objects.values_list("partner__administration", "islands")),
    }


def main(words: list[str]) -> None:
    """post CODE COUNT, or tell."""
    said = post(words[1], int(words[2])) if words[0] == "post" else tell()
    sys.stdout.write(json.dumps(said) + "\n")
