"""Receipts signed anew after a loss of keys: a partner that never got one could not verify the old one any more.

The payload stays as it was, and so does its commitment in the log; only the signature and the checkpoint are new.
"""

from __future__ import annotations

from dataclasses import replace

from django.db import transaction

from comity.exchange.models import InboxEnvelope
from comity.exchange.receipt import RECEIPT_TYPE, read_sealed_receipt
from comity.ledger.selectors import tlog_proof
from comity.trust import Keyring, sign_statement

# More than a partner can have under way: those that it may still ask for again.
_NEWEST = 4096


@transaction.atomic
def sign_receipts_anew(keyring: Keyring) -> int:
    """Sign the newest receipts to each partner with the present keys. Returns how many."""
    count = 0
    for sender in InboxEnvelope.objects.order_by().values_list("sender", flat=True).distinct():
        for row in InboxEnvelope.objects.filter(sender=sender).order_by("-pk")[:_NEWEST]:
            sealed = read_sealed_receipt(bytes(row.receipt))
            is_doubled = len(sealed.statement.signatures) > 1
            signers = keyring.signers_for(is_doubled=is_doubled)
            statement = sign_statement(RECEIPT_TYPE, sealed.statement.payload, *signers)
            anew = replace(
                sealed, statement=statement, proof=tlog_proof(row.log_index), cosignature=None, consistency=None
            )
            InboxEnvelope.objects.filter(pk=row.pk).update(receipt=anew.to_bytes())
            count += 1
    return count
