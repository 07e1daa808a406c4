"""One exchange as a bundle that anyone can check offline."""

from __future__ import annotations

from datetime import datetime

from comity.agreements.selectors import agreement
from comity.exchange.directory import load_peer
from comity.exchange.errors import MessageUnknownError
from comity.exchange.models import OutboxMessage
from comity.exchange.receipt import read_sealed_receipt
from comity.exchange.selectors import envelope_of
from comity.ledger import commit
from comity.ledger.bundle import Bundle, Leaf
from comity.ledger.selectors import entry, tlog_proof
from comity.trust import Keyring, inclusion_path, leaf_hash, sha256_hex


def bundle_of(message_id: str, *, keyring: Keyring, at: datetime) -> Bundle:
    """Everything that proves that a message was sent under its agreement, and what the partner answered.

    Raises: MessageUnknownError where it was not sent from here or is not answered; UnknownAgreementError.
    """
    row = OutboxMessage.objects.select_related("partner").filter(message_id=message_id).first()
    envelope = envelope_of(row) if row else None
    if row is None or envelope is None or envelope.answer is None:
        raise MessageUnknownError(
            "No message of this id was sent from here and answered",
            where=message_id[:60],
            remedy="A bundle is made by the sender, once the receipt has come: see `comity exchange status`.",
        )
    sealed = read_sealed_receipt(bytes(envelope.answer))
    siblings = OutboxMessage.objects.filter(
        partner_id=row.partner_id,
        sequence__gte=envelope.first_sequence,
        sequence__lt=envelope.first_sequence + envelope.count,
    ).order_by("sequence")
    hashes = [leaf_hash(bytes(data)) for data in siblings.values_list("data", flat=True)]
    place = row.sequence - envelope.first_sequence
    receipt_entry = commit(
        "receipt",
        bytes.fromhex(sha256_hex(sealed.statement.payload)),
        agreement="",
        message_id=envelope.envelope_id,
        salt=sealed.salt,
    )
    return Bundle(
        made_at=at,
        key_documents=(keyring.key_statement.to_bytes(), load_peer(row.partner.administration).statement),
        agreement=agreement(row.agreement, at=at).statement,
        message=bytes(row.data),
        envelope=bytes(envelope.statement),
        index=place,
        path=tuple(inclusion_path(hashes, place)),
        receipt=sealed.statement.to_bytes(),
        receipted=Leaf(receipt_entry, sealed.salt, sealed.proof),
        release=Leaf(entry(row.log_index), bytes(row.salt), tlog_proof(row.log_index)),
    )
