"""Step R11: the receipt's signature and names, its leaf in the node's log, that log's consistency, the cosignature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from comity.cli.conformance.tester import How, NotConformingError, Sealing, Tester
from comity.common import ComityError
from comity.exchange.envelope import Contents, Extension, PartnerHead
from comity.exchange.receipt import RECEIPT_TYPE, SealedReceipt, read_receipt
from comity.ledger import commit
from comity.trust import (
    EMPTY_ROOT,
    Checkpoint,
    LogVerifier,
    ProvedEntry,
    add_signatures,
    open_checkpoint,
    sha256_hex,
    sign_note,
    verify_consistency,
    verify_statement,
    verify_tlog_proof,
)


def signed(tester: Tester) -> str:
    """The statement is the node's."""
    sealed = _receipt(tester)[1]
    try:
        verify_statement(sealed.statement, tester.keys.active_signing_keys(tester.at()), payload_type=RECEIPT_TYPE)
    except ComityError as error:
        raise NotConformingError(str(error)) from error
    return "signed by a key of the key document"


def names(tester: Tester) -> str:
    """S9: it names this envelope, this statement, and each message by its hash."""
    sealing, sealed = _receipt(tester)
    receipt, contents = read_receipt(sealed.statement.payload), sealing.contents
    wanted = (contents.envelope, contents.sender, contents.recipient, sha256_hex(sealing.statement.payload))
    if (receipt.envelope, receipt.sender, receipt.recipient, receipt.statement) != wanted:
        raise NotConformingError("the receipt is for another envelope")
    if [each.sha256 for each in receipt.answers] != [sha256_hex(each) for each in sealing.messages]:
        raise NotConformingError("the receipt answers other messages")
    return "this envelope, this statement, these messages"


def proved(tester: Tester) -> str:
    """S10: its leaf stands in the node's log."""
    entry = _prove(tester, _receipt(tester)[1])
    return f"entry {entry.index} of {entry.size}"


def salted(tester: Tester) -> str:
    """§3: the commitment is under a salt of its own, so that the log tells nobody what was answered."""
    salts = {_receipt(tester)[1].salt for _ in range(2)}
    if len(salts) != 2 or min(map(len, salts)) < 16:
        raise NotConformingError("the salt is short or used twice")
    return "a fresh salt each time"


def consistent(tester: Tester) -> str:
    """§3: the node's log continues what the sender knew of it."""
    before = _checkpoint(tester, _receipt(tester)[1])
    known = PartnerHead(before.size)
    _, sealed = _receipt(tester, lambda contents: replace(contents, partner_head=known))
    after, step = _checkpoint(tester, sealed), sealed.consistency
    if step is None or step.old_size != before.size:
        raise NotConformingError(f"no proof that the log continues size {before.size}")
    try:
        path = [bytes.fromhex(each) for each in step.path]
        verify_consistency(before.size, after.size, path, before.root, after.root)
    except ComityError as error:
        raise NotConformingError(f"the log shows another history: {error}") from error
    return f"{before.size} to {after.size}"


def cosigned(tester: Tester) -> str:
    """§3: the sender's checkpoint comes back cosigned."""
    note = sign_note(Checkpoint(tester.keyring.log.name, 0, EMPTY_ROOT).text, tester.keyring.log, at=tester.at())
    head = Extension(note, 0, ())
    _, sealed = _receipt(tester, lambda contents: replace(contents, log_head=head))
    if sealed.cosignature is None:
        raise NotConformingError(f"no cosignature; it says that it has witnessed {sealed.witnessed}")
    cosigner = LogVerifier.from_vkey(tester.keys.cosigner_vkey)
    try:
        _, opened = open_checkpoint(add_signatures(note, [sealed.cosignature]), tester.keyring.log.verifier, [cosigner])
    except ComityError as error:
        raise NotConformingError(str(error)) from error
    if cosigner.vkey not in opened.signed_by:
        raise NotConformingError("the line is not signed by the cosigner of the key document")
    return "cosigned by the key of the key document"


def _receipt(
    tester: Tester, changes: Callable[[Contents], Contents] = lambda contents: contents
) -> tuple[Sealing, SealedReceipt]:
    sealing, answer = tester.send(tester.message(), how=How(changes=changes))
    return sealing, answer.sealed()


def _checkpoint(tester: Tester, sealed: SealedReceipt) -> Checkpoint:
    """Of the proof, its own signature checked; the leaf is another check's."""
    note = sealed.proof.partition("\n\n")[2]
    try:
        checkpoint, _ = open_checkpoint(note, LogVerifier.from_vkey(tester.keys.log_vkey))
    except ComityError as error:
        raise NotConformingError(str(error)) from error
    return checkpoint


def _prove(tester: Tester, sealed: SealedReceipt) -> ProvedEntry:
    payload = sealed.statement.payload
    entry = commit(
        "receipt",
        bytes.fromhex(sha256_hex(payload)),
        agreement="",
        message_id=read_receipt(payload).envelope,
        salt=sealed.salt,
    )
    try:
        return verify_tlog_proof(sealed.proof, entry, LogVerifier.from_vkey(tester.keys.log_vkey))
    except ComityError as error:
        raise NotConformingError(str(error)) from error
