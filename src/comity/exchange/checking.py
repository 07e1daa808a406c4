"""Steps S8 to S10: is this answer what it says? Pure: the outbox changes nothing before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from comity.common import ComityError
from comity.exchange.directory import Peer
from comity.exchange.envelope import Contents, Extension
from comity.exchange.errors import ReceiptRefusedError
from comity.exchange.receipt import (
    RECEIPT_TYPE,
    REFUSAL_TYPE,
    Receipt,
    SealedReceipt,
    SignedRefusal,
    read_receipt,
    read_refusal,
    read_sealed_receipt,
)
from comity.ledger import commit
from comity.trust import LogVerifier, ProvedEntry, TrustError, notes, sha256_hex, verify_statement, verify_tlog_proof


@dataclass(frozen=True, slots=True)
class Parcel:
    """An envelope on its way. id: of its row. digests: SHA-256 hex of its messages. head: the checkpoint it carries."""

    id: int
    peer: Peer
    contents: Contents
    statement_sha256: str
    digests: tuple[str, ...]
    data: bytes

    @property
    def head(self) -> Extension | None:
        """The checkpoint of our log that the envelope carries."""
        return self.contents.log_head


@dataclass(frozen=True, slots=True)
class CheckedReceipt:
    """A receipt of which every part holds. body: its very bytes."""

    body: bytes
    sealed: SealedReceipt
    receipt: Receipt
    proved: ProvedEntry


def check_receipt(parcel: Parcel, body: bytes, *, at: datetime) -> CheckedReceipt:
    """The receipt for exactly this envelope, signed by the partner and standing in its log.

    Raises: ReceiptRefusedError.
    """
    sealed = read_sealed_receipt(body)
    peer, payload = parcel.peer, sealed.statement.payload
    try:
        verify_statement(sealed.statement, peer.signing_keys(at), payload_type=RECEIPT_TYPE)  # S8
        if parcel.contents.second_signature:
            verify_statement(sealed.statement, peer.second_keys(at), payload_type=RECEIPT_TYPE)
        receipt = read_receipt(payload)
        _check_names(parcel, receipt)  # S9
        entry = commit(
            "receipt",
            bytes.fromhex(sha256_hex(payload)),
            agreement="",
            message_id=receipt.envelope,
            salt=sealed.salt,
        )
        proved = verify_tlog_proof(sealed.proof, entry, _remembering(peer.log))  # S10
    except ReceiptRefusedError:
        raise
    except ComityError as error:
        raise ReceiptRefusedError(error.what, where=error.where, remedy=error.remedy) from error
    return CheckedReceipt(body, sealed, receipt, proved)


def check_refusal(parcel: Parcel, body: bytes, *, at: datetime) -> SignedRefusal | None:
    """A refusal that the partner signed for exactly these bytes; None where it is not to be believed."""
    refusal = read_refusal(body)
    if refusal is None:
        return None
    try:
        verify_statement(refusal.statement, parcel.peer.signing_keys(at), payload_type=REFUSAL_TYPE)
    except TrustError:
        return None
    return refusal if refusal.sha256 == sha256_hex(parcel.data) else None


class _RememberingVerifier(LogVerifier):
    """Receipts of one group carry one checkpoint: its signature is checked once. Only what held is remembered."""

    __slots__ = ()

    def verify(self, text: str, signature: notes.NoteSignature) -> int | None:
        """As its base."""
        return _verify_once(self, text, signature)


@lru_cache(maxsize=1024)
def _verify_once(verifier: LogVerifier, text: str, signature: notes.NoteSignature) -> int | None:
    return LogVerifier.verify(verifier, text, signature)


@lru_cache(maxsize=1024)
def _remembering(log: LogVerifier) -> LogVerifier:
    return _RememberingVerifier(log.name, log.key, log.kind)


def _check_names(parcel: Parcel, receipt: Receipt) -> None:
    contents = parcel.contents
    expected = (contents.envelope, contents.sender, contents.recipient, parcel.statement_sha256)
    if (receipt.envelope, receipt.sender, receipt.recipient, receipt.statement) != expected:
        raise ReceiptRefusedError("The receipt is for another envelope", where=f"envelope {receipt.envelope}")
    digests: Sequence[str] = tuple(answer.sha256 for answer in receipt.answers)
    if digests != parcel.digests:
        raise ReceiptRefusedError("The receipt answers other messages", where=f"envelope {receipt.envelope}")
