"""Road 9, the other way: the witnesses that an agreement wants are asked to cosign one and the same checkpoint.

Envelopes carry heads too; but while a log grows quickly, each partner gets another one of them, and a quorum of two
would form only when the log rests. The step number is that of docs/protocol.md §11.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from comity.common import ComityError
from comity.exchange import TransportError
from comity.exchange.directory import Peer
from comity.exchange.heads import one_head_for_all
from comity.exchange.log_routes import COSIGN_PATH
from comity.exchange.transports.https.asking import Hand
from comity.exchange.witnesses import quorum_standings, remember_cosigned
from comity.ledger.selectors import consistency_path
from comity.ledger.services import record_cosignature
from comity.trust import Checkpoint, Keyring, NoteError, add_signatures, split_note
from comity.trust.addcheckpoint import AddCheckpoint
from comity.trust.notes import parse_decimal

log = logging.getLogger("comity.journeys")

_OK, _CONFLICT = 200, 409
_ASKED_AT_ONCE = 8
# How often a newer checkpoint is chosen, because an envelope of another process was quicker; and how often a proof is
# made anew for one.
_CHECKPOINTS = 4
_PROOFS = 2


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one witness answered. line: its cosignature; known_size: where its proof has to start, if it said so."""

    peer: Peer
    line: str = ""
    known_size: int | None = None


def gather_cosignatures(keyring: Keyring, peers: Sequence[Peer], hand: Hand, at: datetime) -> tuple[str, ...]:
    """Step W8: ask every witness of an agreement in force for its cosignature on our newest checkpoint.

    Only where something was appended that a quorum has not seen. Returns who cosigned one and the same checkpoint.
    """
    wanted = _wanted(keyring, at)
    asked = {peer.administration: peer for peer in peers if peer.administration in wanted}
    starts = {name: wanted[name] for name in asked}
    done: set[str] = set()
    for _ in range(_CHECKPOINTS if asked else 0):
        with one_head_for_all() as note:
            done, is_overtaken = _Asking(keyring, hand, at, note, starts).run(asked.values())
        if not is_overtaken:
            break
    return tuple(sorted(done))


def _wanted(keyring: Keyring, at: datetime) -> dict[str, int]:
    """The witnesses that count for what has no quorum yet, each with the newest size that it cosigned."""
    found: dict[str, int] = {}
    for each in quorum_standings(keyring, at=at):
        if each.standing.entries_beyond:
            found |= each.standing.last_seen
    return found


@dataclass(slots=True)
class _Asking:
    """One checkpoint before several witnesses. starts: where each one's proof starts; kept for the next checkpoint."""

    keyring: Keyring
    hand: Hand
    at: datetime
    note: str
    starts: dict[str, int]

    def run(self, peers: Iterable[Peer]) -> tuple[set[str], bool]:
        """Who cosigned it, and whether one knows a newer one already: then all are asked for a newer one."""
        size, done, left = Checkpoint.parse(split_note(self.note)[0]).size, set[str](), list(peers)
        for _ in range(_PROOFS):
            again = []
            for answer in self._ask(left, size):
                if answer.line and self._keep(answer, size):
                    done.add(answer.peer.administration)
                elif answer.known_size is not None:
                    self.starts[answer.peer.administration] = answer.known_size
                    again.append(answer.peer)
            if any(self.starts[peer.administration] > size for peer in again):
                return done, True
            left = again
        return done, False

    def _ask(self, peers: Sequence[Peer], size: int) -> list[_Answer]:
        """The database first and alone, then the network at once."""
        bodies = {peer.administration: self._body(min(self.starts[peer.administration], size), size) for peer in peers}
        with ThreadPoolExecutor(_ASKED_AT_ONCE, thread_name_prefix="comity-cosign") as pool:
            return list(pool.map(lambda peer: self._ask_one(peer, bodies[peer.administration]), peers))

    def _body(self, start: int, size: int) -> bytes:
        path = consistency_path(start, size) if 0 < start < size else ()
        return AddCheckpoint(start, tuple(path), self.note).to_bytes()

    def _ask_one(self, peer: Peer, body: bytes) -> _Answer:
        try:
            status, answer = self.hand(peer, COSIGN_PATH, body)
            if status == _OK:
                return _Answer(peer, line=answer.decode())
            if status == _CONFLICT:
                return _Answer(peer, known_size=parse_decimal(answer.decode().removesuffix("\n")))
            log.warning("%s does not cosign our checkpoint: it answered %d", peer.administration, status)
        except (TransportError, NoteError, UnicodeDecodeError) as error:
            log.warning("%s could not be asked for its cosignature: %s", peer.administration, error)
        return _Answer(peer)

    def _keep(self, answer: _Answer, size: int) -> bool:
        peer, ours = answer.peer, self.keyring.log.verifier
        try:
            note = add_signatures(self.note, [answer.line])
            record_cosignature(note, log=ours, cosigner=peer.cosigner, at=self.at, witness=peer.administration)
        except ComityError as error:
            log.warning("What %s gave is no cosignature of its own: %s", peer.administration, error)
            return False
        remember_cosigned(peer, size=size)
        return True
