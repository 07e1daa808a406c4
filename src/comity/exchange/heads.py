"""Heads of logs: each end follows the other's log, so that nobody can show two histories.

An envelope may carry the sender's checkpoint with a proof that it continues the last one that the receiver cosigned;
the receipt carries the receiver's cosignature, and a proof that the receiver's log continues what the sender knew.
A head that cannot be followed never holds up a message: it is logged, and evidence of a fork is kept by the ledger.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from comity.common import ComityError
from comity.exchange.arrivals import Arrival
from comity.exchange.directory import Peer
from comity.exchange.envelope import Extension, PartnerHead
from comity.exchange.models import Delivery
from comity.exchange.receipt import SealedReceipt
from comity.ledger import LogBehindError, SplitViewError, StaleHeadError
from comity.ledger.selectors import consistency_path, latest_checkpoint, log_size
from comity.ledger.services import note_claim, record_cosignature, witness
from comity.trust import Checkpoint, Keyring, add_signatures, split_note

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Witnessing:
    """What came of the heads in one envelope. follows_from: the size of our log that the sender knows, if it asked."""

    cosignature: str | None = None
    witnessed: int = 0
    follows_from: int | None = None

    def consistency_to(self, size: int) -> Extension | None:
        """The proof that our log of this size continues what the sender knows."""
        if self.follows_from is None or not 0 <= self.follows_from <= size:
            return None
        return Extension("", self.follows_from, _path(self.follows_from, size))


def witness_heads(arrivals: Sequence[Arrival], *, keyring: Keyring, at: datetime) -> dict[int, Witnessing]:
    """Follow the heads in these envelopes. By number of the arrival.

    In the order of partners, as answers are recorded: else the two could wait for each other's heads.
    """
    with_heads = [each for each in arrivals if each.contents.log_head or each.contents.partner_head]
    return {
        each.number: _witness_arrival(each, keyring, at)
        for each in sorted(with_heads, key=lambda arrival: arrival.peer.id)
    }


class _CommonHead:
    """The checkpoint that every envelope of this process carries for a while; none: each carries the newest."""

    note: str | None = None


_common = _CommonHead()


@contextmanager
def one_head_for_all() -> Iterator[str]:
    """The newest checkpoint, which no envelope of this process overtakes while witnesses are asked to cosign it."""
    _common.note = note = latest_checkpoint()
    try:
        yield note
    finally:
        _common.note = None


def present_head(delivery: Delivery) -> tuple[Extension, PartnerHead]:
    """What to put into an envelope for this partner, so that both ends follow each other's log."""
    note = _common.note or latest_checkpoint()
    size = Checkpoint.parse(split_note(note)[0]).size
    start = min(delivery.cosigned_size, size)
    known = PartnerHead(delivery.followed_size, delivery.followed_note)
    return Extension(note, start, _path(start, size)), known


def follow_receipt(
    delivery: Delivery,
    peer: Peer,
    receipt: SealedReceipt,
    *,
    head: Extension | None,
    keyring: Keyring,
    at: datetime,
) -> None:
    """Keep the partner's cosignature of our checkpoint and cosign its own. Changes `delivery`; does not save it.

    head: the checkpoint of ours that our envelope carried.
    """
    if head is not None:
        _keep_cosignature(delivery, peer, receipt, head=head, keyring=keyring, at=at)
    _follow(delivery, peer, receipt, keyring, at)


def _witness_arrival(arrival: Arrival, keyring: Keyring, at: datetime) -> Witnessing:
    head, known = arrival.contents.log_head, arrival.contents.partner_head
    cosignature, witnessed = None, 0
    if known is not None and known.note:
        _record(known.note, arrival.peer, keyring, at)
    if head is not None:
        cosignature, witnessed = _cosign(head, arrival.peer, keyring, at)
    return Witnessing(cosignature, witnessed, known.size if known else None)


def _cosign(head: Extension, peer: Peer, keyring: Keyring, at: datetime) -> tuple[str | None, int]:
    try:
        path = [bytes.fromhex(each) for each in head.path]
        line = witness(head.note, head.old_size, path, known=peer.log, cosigner=keyring.cosigner, at=at)
        return line, Checkpoint.parse(split_note(head.note)[0]).size
    except StaleHeadError as error:
        return None, error.known_size
    except SplitViewError as error:
        logger.error("The log of %s shows two histories; both are kept as evidence: %s", peer.administration, error)
    except (ComityError, ValueError) as error:
        logger.warning("The head of the log of %s cannot be followed: %s", peer.administration, error)
    return None, 0


def _record(note: str, peer: Peer, keyring: Keyring, at: datetime) -> None:
    """Raises: LogBehindError: what would now be appended, a receipt among it, would be a second history."""
    try:
        record_cosignature(note, log=keyring.log.verifier, cosigner=peer.cosigner, at=at, witness=peer.administration)
    except LogBehindError:
        raise
    except ComityError as error:
        logger.warning("A cosignature of %s cannot be kept: %s", peer.administration, error)


def _keep_cosignature(
    delivery: Delivery,
    peer: Peer,
    receipt: SealedReceipt,
    *,
    head: Extension,
    keyring: Keyring,
    at: datetime,
) -> None:
    size = Checkpoint.parse(split_note(head.note)[0]).size
    if receipt.cosignature is None:
        if receipt.witnessed > log_size():
            note_claim(receipt.witnessed, witness=peer.administration)
            logger.error(
                "%s says that it has seen %d entries of our log, which has %d: was the database restored from an old"
                " backup? What is appended now would be a second history",
                peer.administration,
                receipt.witnessed,
                log_size(),
            )
        # The partner stands elsewhere than we thought: the next head starts from there.
        delivery.cosigned_size = min(receipt.witnessed, log_size())
        return
    try:
        note = add_signatures(head.note, [receipt.cosignature])
        record_cosignature(note, log=keyring.log.verifier, cosigner=peer.cosigner, at=at, witness=peer.administration)
        delivery.cosigned_size = max(delivery.cosigned_size, size)
    except ComityError as error:
        logger.warning("The cosignature of %s cannot be kept: %s", peer.administration, error)


def _follow(delivery: Delivery, peer: Peer, receipt: SealedReceipt, keyring: Keyring, at: datetime) -> None:
    note = receipt.proof.partition("\n\n")[2]  # tlog-proof: the checkpoint follows the first empty line
    step = receipt.consistency
    if step is None:
        return
    try:
        path = [bytes.fromhex(each) for each in step.path]
        line = witness(note, step.old_size, path, known=peer.log, cosigner=keyring.cosigner, at=at)
        delivery.followed_size = Checkpoint.parse(split_note(note)[0]).size
        delivery.followed_note = add_signatures(note, [line])
    except StaleHeadError as error:
        delivery.followed_size = error.known_size
    except SplitViewError as error:
        logger.error("The log of %s shows two histories; both are kept as evidence: %s", peer.administration, error)
    except (ComityError, ValueError) as error:
        logger.warning("The log of %s cannot be followed: %s", peer.administration, error)


def _path(old_size: int, new_size: int) -> tuple[str, ...]:
    if not 0 < old_size < new_size:
        return ()
    return tuple(each.hex() for each in consistency_path(old_size, new_size))
