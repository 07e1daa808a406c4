"""Road 5: every decision on sharing, yes or no, leaves its commitment in the tamper-evident log."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from comity.agreements.services import mark_logged, take_unlogged
from comity.ledger import commit
from comity.ledger.services import append

DECISION = "decision"
_AT_ONCE = 500


@transaction.atomic
def log_decisions(at: datetime) -> int:
    """Commit to the decisions that are not in the log yet. Returns how many.

    A decision is stored in the transaction of the deed, and even where the deed is refused; its commitment follows
    within a second, so that a refusal, which leaves nothing else behind, cannot be taken away later.
    """
    waiting = take_unlogged(limit=_AT_ONCE)
    if not waiting:
        return 0
    entries = [
        commit(
            DECISION,
            bytes.fromhex(each.digest),
            agreement=each.agreement_id,
            message_id=str(each.receipt_id),
            salt=each.salt,
        )
        for each in waiting
    ]
    appended = append(entries, signer=settings.COMITY_KEYRING.log, at=at)
    mark_logged(receipts=waiting, first_index=appended.first_index)
    return len(waiting)
