"""One exchange as a bundle that anyone can check offline.

Where its agreement asks for a quorum of witnesses, both entries are proved against checkpoints that have one: ours from
the cosignatures that partners gave us, the receipt's by asking the receiver for such a checkpoint and its tiles.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from comity.agreements.selectors import agreement
from comity.common import ComityError
from comity.exchange.directory import Peer, load_peer, read_stored_keys, statements_of
from comity.exchange.errors import MessagePurgedError, MessageUnknownError
from comity.exchange.log_routes import QUORUM_PATH
from comity.exchange.models import OutboxMessage
from comity.exchange.purging import mark_in
from comity.exchange.receipt import read_sealed_receipt
from comity.exchange.selectors import envelope_of
from comity.exchange.transports.https.asking import Ask, PartnerLines
from comity.exchange.witnesses import cosigner_documents, quorum_of
from comity.ledger import Quorum, RemoteTree, commit
from comity.ledger.bundle import Bundle, Leaf
from comity.ledger.selectors import entry, witnessed_proof
from comity.trust import Keyring, inclusion_path, leaf_hash, make_tlog_proof, sha256_hex, verify_inclusion
from comity.trust.tlogproof import parse_tlog_proof

logger = logging.getLogger(__name__)

_ASK_SECONDS = 5.0


def bundle_of(message_id: str, *, keyring: Keyring, at: datetime, ask: Ask | None = None) -> Bundle:
    """Everything that proves that a message was sent under its agreement, and what the partner answered.

    ask: how the receiver is asked, where the agreement wants its log witnessed; by its port where nothing is given. It
    need not answer: then the bundle has the proof of the receipt, and its check says that the quorum is not there.
    Raises: MessageUnknownError where it was not sent from here or is not answered; MessagePurgedError where its content
    is gone; UnknownAgreementError.
    """
    row = OutboxMessage.objects.select_related("partner").filter(message_id=message_id).first()
    envelope = envelope_of(row) if row else None
    if row is None or envelope is None or envelope.answer is None:
        raise MessageUnknownError(
            "No message of this id was sent from here and answered",
            where=message_id[:60],
            remedy="A bundle is made by the sender, once the receipt has come: see `comity exchange status`.",
        )
    if mark_in(bytes(row.data)) is not None:
        raise MessagePurgedError(
            "The message was handed on from here and has been purged; a bundle would have to hold it",
            where=message_id,
            remedy="Ask its origin for a bundle of its own message. That it was handed on, and what was answered, "
            "stays in the outbox and in both logs.",
        )
    sealed = read_sealed_receipt(bytes(envelope.answer))
    siblings = OutboxMessage.objects.filter(
        partner_id=row.partner_id,
        sequence__gte=envelope.first_sequence,
        sequence__lt=envelope.first_sequence + envelope.count,
    ).order_by("sequence")
    hashes = [_leaf_of(bytes(data)) for data in siblings.values_list("data", flat=True)]
    place = row.sequence - envelope.first_sequence
    receipt_entry = commit(
        "receipt",
        bytes.fromhex(sha256_hex(sealed.statement.payload)),
        agreement="",
        message_id=envelope.envelope_id,
        salt=sealed.salt,
    )
    stored, peer = agreement(row.agreement, at=at), load_peer(row.partner.administration)
    quorum = quorum_of(stored.agreement, keyring)
    release_proof, receipt_proof = witnessed_proof(row.log_index, quorum), sealed.proof
    documents: tuple[bytes, ...] = (keyring.key_statement.to_bytes(), _statement_of(peer, sealed.proof))
    if quorum is not None:
        logged = _Logged(receipt_entry, sealed.proof, peer, replace(quorum, owner=peer.administration), stored.id)
        receipt_proof = _witnessed_receipt(logged, ask or partial(_ask, keyring))
        notes = [parse_tlog_proof(each).note for each in (release_proof, receipt_proof)]
        documents += tuple(each for each in cosigner_documents(notes) if each not in documents)
    return Bundle(
        made_at=at,
        key_documents=documents,
        agreement=stored.statement,
        message=bytes(row.data),
        envelope=bytes(envelope.statement),
        index=place,
        path=tuple(inclusion_path(hashes, place)),
        receipt=sealed.statement.to_bytes(),
        receipted=Leaf(receipt_entry, sealed.salt, receipt_proof),
        release=Leaf(entry(row.log_index), bytes(row.salt), release_proof),
    )


def _leaf_of(data: bytes) -> bytes:
    """The leaf of a message as it was sent, also where it was purged since."""
    mark = mark_in(data)
    return mark.leaf if mark is not None else leaf_hash(data)


@dataclass(frozen=True, slots=True)
class _Logged:
    """The entry of a receipt in the receiver's log, its proof in the receipt, and the quorum that is asked for."""

    entry: bytes
    proof: str
    peer: Peer
    quorum: Quorum
    agreement_id: str


def _witnessed_receipt(logged: _Logged, ask: Ask) -> str:
    """A proof against a checkpoint that the quorum has seen, where the receiver shows one; else the receipt's own."""
    peer, given = logged.peer, parse_tlog_proof(logged.proof)
    try:
        if logged.quorum.weigh(given.note, peer.log).is_met:
            return logged.proof
        note = (ask(peer, f"{QUORUM_PATH}/{logged.agreement_id}") or b"").decode("utf-8", "replace")
        checkpoint = logged.quorum.weigh(note, peer.log).require().checkpoint
        path = RemoteTree(checkpoint, lambda place: ask(peer, f"/log/{place}")).inclusion_path(given.index)
        verify_inclusion(leaf_hash(logged.entry), given.index, checkpoint.size, path, checkpoint.root)
    except ComityError as error:
        logger.warning("%s shows no witnessed proof of its receipt: %s", peer.administration, error)
        return logged.proof
    return make_tlog_proof(given.index, path, note)


def _ask(keyring: Keyring, peer: Peer, path: str) -> bytes | None:
    with PartnerLines(keyring, seconds=_ASK_SECONDS) as lines:
        return lines.ask(peer, path)


def _statement_of(peer: Peer, proof: str) -> bytes:
    """The partner's newest key document that names the log of this proof: after a loss its log has another key."""
    origin = proof.partition("\n\n")[2].partition("\n")[0]
    kept = (each for each in statements_of(peer.administration) if read_stored_keys(each).log_origin == origin)
    return next(kept, peer.statement)
