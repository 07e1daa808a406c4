"""Road 9: the partners' logs are watched. Each is followed and cosigned, and what it showed to others is compared.

Step numbers are those of docs/protocol.md §11. A log that shows one history here and another there is found by the
first two who compare; the evidence needs nobody's word. A fork never stops a message; only cosigning that log stops.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import transaction

from comity.agreements import Duty
from comity.agreements.services import permit_duty
from comity.common import Actor, ComityError
from comity.exchange import ReceivedMessage, TransportError
from comity.exchange.directory import Peer
from comity.exchange.log_routes import CHECKPOINT_PATH, HEADS_PATH
from comity.exchange.services import Posting, post_all
from comity.exchange.transports.https.asking import Ask, Hand, PartnerLines
from comity.exchange.witnesses import log_owner, partners_to_ask, remember_followed
from comity.journeys.actors import this_node
from comity.journeys.cosigning import gather_cosignatures
from comity.ledger import LogBehindError, LookState, RemoteTree, SplitViewError, StaleHeadError, TilesError
from comity.ledger import selectors as ledger
from comity.ledger.services import (
    mark_told,
    note_look,
    open_log,
    record_cosignature,
    record_split,
    refuse_fork,
    release_appends,
    withdraw_claim,
    witness,
)
from comity.staff import Permission, require
from comity.staff.services import record_deed
from comity.trust import Checkpoint, ForkProof, Keyring, NoteError, add_signatures, open_checkpoint, split_note

log = logging.getLogger("comity.journeys")

SPLIT_VIEW_KIND = Duty.SPLIT_VIEW.value
_MOST_HEADS = 1000
_ASKED_AT_ONCE = 8
# Asked before a node serves: it must not keep an officer waiting for a partner that is away.
_FIRST_SECONDS, _FIRST_PATIENCE = 3.0, 10.0

TOLD_OTHERWISE = "The log showed another history to {}"
BROKE_OFF = "What the log shows now does not continue what it showed before"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was found of one log. administration: whose it is, our own too. is_alarm: a person must act."""

    administration: str
    origin: str
    state: str
    text: str
    size: int = 0
    is_alarm: bool = False


@dataclass(frozen=True, slots=True)
class MonitorReport:
    """What one round found, and how many partners were told of new evidence."""

    sightings: tuple[Sighting, ...]
    told: int = 0

    @property
    def alarms(self) -> tuple[Sighting, ...]:
        """What a person must act on."""
        return tuple(each for each in self.sightings if each.is_alarm)


def monitor_logs(at: datetime, *, ask: Ask | None = None, hand: Hand | None = None) -> MonitorReport:
    """One round: follow every partner's log, compare with what others saw, tell the partners of a fork, and ask the
    witnesses that agreements want for their cosignatures.

    ask, hand: how partners are asked and given something; by their ports where nothing is given.
    """
    keyring: Keyring = settings.COMITY_KEYRING
    with PartnerLines(keyring) as lines:
        return _Round(keyring, ask or lines.ask, at, hand=hand or lines.hand).run()


def watch_logs(at: datetime) -> MonitorReport:
    """As `monitor_logs`; what a person must act on goes into the node's own log as well."""
    report = monitor_logs(at)
    for each in report.alarms:
        log.error("log of %s: %s", each.administration, each.text)
    return report


def ask_before_serving(at: datetime) -> None:
    """Steps W1 and W2 alone: what have partners seen of our own log? A node that is behind then appends nothing."""
    keyring: Keyring = settings.COMITY_KEYRING
    with PartnerLines(keyring, seconds=_FIRST_SECONDS, patience_seconds=_FIRST_PATIENCE) as lines:
        for each in _Round(keyring, lines.ask, at).ask_about_us():
            log.error("log of %s: %s", each.administration, each.text)


@transaction.atomic
def release_held(actor: Actor, *, reason: str, at: datetime) -> bool:
    """Let our log go on although some partners could not be asked; whether it had been held.

    Raises: PermissionRefusedError.
    """
    require(actor, Permission.MANAGE_PARTNERS)
    was_held = release_appends()
    if was_held:
        record_deed(actor, deed="release_log", subject="ledger", facts={"reason": reason}, at=at)
    return was_held


def take_split_view(received: ReceivedMessage) -> None:
    """A partner tells that a log showed two histories: believed where both signatures and the proof say so."""
    keyring: Keyring = settings.COMITY_KEYRING
    message = received.message
    proof = ForkProof.from_body(message.body)
    is_ours = proof.vkey == keyring.log.vkey
    if not is_ours and not log_owner(proof.vkey):
        log.warning("%s accuses the log %s, which is no partner's", message.sender, proof.origin)
        return
    try:
        is_new = record_split(proof, at=received.received_at, reported_by=message.sender)
    except ComityError as error:
        log.warning("%s accuses the log %s, but proves nothing: %s", message.sender, proof.origin, error)
        return
    if is_new:
        whose = "our own log" if is_ours else f"the log {proof.origin}"
        log.error("%s proves that %s showed two histories", message.sender, whose)


JOURNEYS: Mapping[str, Callable[[ReceivedMessage], None]] = {SPLIT_VIEW_KIND: take_split_view}
VALIDATORS: Mapping[str, Callable[[Mapping[str, object]], object]] = {SPLIT_VIEW_KIND: ForkProof.from_body}


@dataclass(slots=True)
class _Round:
    """One round of the monitor. heads: by partner, what it has cosigned of others. notes: each partner's newest.

    hand: where nothing is given, nobody is asked for a cosignature.
    """

    keyring: Keyring
    ask: Ask
    at: datetime
    peers: tuple[Peer, ...] = ()
    apart: tuple[Peer, ...] = ()
    heads: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)
    trees: dict[str, RemoteTree] = field(default_factory=dict)
    hand: Hand | None = None

    def run(self) -> MonitorReport:
        """Steps W1 to W8."""
        found = list(self.ask_about_us())
        self._ask_all(self._ask_checkpoint)
        for peer in self.peers:
            state, text, size = self._look(peer)
            found.append(self._sighting(peer, state, text, size))
        for peer in self.apart:
            found.append(
                self._sighting(peer, LookState.APART, "It cannot be asked from here; its envelopes bring its head.", 0)
            )
        told = self._tell()
        if self.hand is not None:
            there = [peer for peer in self.peers if peer.administration not in self.troubles]
            gather_cosignatures(self.keyring, there, self.hand, self.at)  # W8
        found += [_own(each, self.keyring) for each in ledger.own_fork_warnings()]
        return MonitorReport(tuple(dict.fromkeys(found)), told)

    def ask_about_us(self) -> Iterator[Sighting]:
        """Steps W1 and W2."""
        open_log(signer=self.keyring.log, at=self.at)
        self.peers, self.apart = partners_to_ask()
        self._ask_all(self._ask_heads)  # W1
        for peer in self.peers:  # W2
            for note in self.heads.get(peer.administration, ()):
                if note.partition("\n")[0] == self.keyring.log.name:
                    self._compare_ours(peer, note)
        answered = set(self.heads) == {peer.administration for peer in self.peers}
        warnings = ledger.own_fork_warnings()
        # After a restore every partner is suspended until it was asked for our position: then nobody was asked here.
        is_known = answered and self.peers and not self.apart
        if is_known and {each.code for each in warnings} == {"held"} and release_appends():
            warnings = ()
        return iter([_own(each, self.keyring) for each in warnings])

    def _ask_all(self, question: Callable[[Peer], None]) -> None:
        """The network at once, so that one partner that is away keeps nobody waiting; the database alone, later."""
        with ThreadPoolExecutor(_ASKED_AT_ONCE, thread_name_prefix="comity-monitor") as pool:
            list(pool.map(question, [peer for peer in self.peers if peer.administration not in self.troubles]))

    def _ask_heads(self, peer: Peer) -> None:
        try:
            self.heads[peer.administration] = _read_heads(self.ask(peer, HEADS_PATH))
        except TransportError as error:
            self.troubles[peer.administration] = str(error)

    def _ask_checkpoint(self, peer: Peer) -> None:
        try:
            note = self.ask(peer, CHECKPOINT_PATH)
            self.notes[peer.administration] = (note or b"").decode("utf-8", "replace")
        except TransportError as error:
            self.troubles[peer.administration] = str(error)

    def _compare_ours(self, peer: Peer, note: str) -> None:
        """What a partner holds of our own log; where it contradicts what is stored, that is stored too."""
        ours = self.keyring.log.verifier
        try:
            try:
                record_cosignature(note, log=ours, cosigner=peer.cosigner, at=self.at, witness=peer.administration)
            except NoteError:  # cosigned with an older key of the partner: what it shows still counts
                refuse_fork(note, log=ours, witness=peer.administration, at=self.at)
        except (LogBehindError, SplitViewError) as error:
            log.warning("%s holds another head of our log: %s", peer.administration, error)
        except ComityError as error:
            log.warning("What %s holds of our log proves nothing: %s", peer.administration, error)
            return
        withdraw_claim(witness=peer.administration)

    def _look(self, peer: Peer) -> tuple[LookState, str, int]:
        """Steps W3 to W5 for one partner's log."""
        size = 0
        try:
            if not ledger.has_split(peer.log.vkey) and peer.administration not in self.troubles:
                size = self._follow(peer)  # W3, W4
                self._compare(peer)  # W5
        except StaleHeadError:
            return LookState.COSIGNED, "It grew while it was looked at.", size
        except SplitViewError:
            log.info("evidence against the log of %s is kept", peer.administration)
        except TransportError as error:
            self.troubles[peer.administration] = str(error)
        except ComityError as error:
            return LookState.SUSPECT, f"It does not show what it signed: {error}", size
        if ledger.has_split(peer.log.vkey):
            return LookState.SPLIT, "It showed two histories; nothing of it is cosigned any more.", size
        if peer.administration in self.troubles:
            return LookState.UNREACHABLE, self.troubles[peer.administration], size
        return LookState.COSIGNED, f"{size} entries, which continue all that was seen of it.", size

    def _follow(self, peer: Peer) -> int:
        """Steps W3 and W4: the newest checkpoint continues the last one seen, and is cosigned. Returns its size."""
        note = self.notes[peer.administration]
        seen = ledger.partner_head(peer.log.name)
        checkpoint, _ = open_checkpoint(note, peer.log)
        if seen is not None and checkpoint.size < seen.size:
            # An envelope may have brought a newer one since it was asked: then a second look shows it.
            note = self.notes[peer.administration] = (self.ask(peer, CHECKPOINT_PATH) or b"").decode("utf-8", "replace")
            checkpoint, _ = open_checkpoint(note, peer.log)
        if seen is None or seen.size in (0, checkpoint.size):
            line = self._witness(peer, note, seen.size if seen else 0, ())
        elif checkpoint.size < seen.size:
            raise TilesError("Its log has become smaller", where=f"{checkpoint.size} entries, {seen.size} seen before")
        else:
            line = self._extend(peer, note, checkpoint, seen)
        remember_followed(peer, size=checkpoint.size, note=add_signatures(note, [line]))
        return checkpoint.size

    def _extend(self, peer: Peer, note: str, checkpoint: Checkpoint, seen: ledger.Head) -> str:
        old = _checkpoint_of(seen.note)
        root, path = self._tree(peer, checkpoint).prefix(old.size)
        if root != old.root:
            proof = ForkProof(peer.log.vkey, seen.note, note, BROKE_OFF, root, path)
            record_split(proof, at=self.at)
            raise _split(proof)
        return self._witness(peer, note, old.size, path)

    def _witness(self, peer: Peer, note: str, old_size: int, path: tuple[bytes, ...]) -> str:
        return witness(note, old_size, path, known=peer.log, cosigner=self.keyring.cosigner, at=self.at)

    def _compare(self, peer: Peer) -> None:
        """Step W5: what others have seen of this log belongs to the history that it shows us."""
        ours = ledger.partner_head(peer.log.name)
        if ours is None:
            return
        for teller in self.peers:
            for note in self.heads.get(teller.administration, ()):
                if note.partition("\n")[0] == peer.log.name:
                    self._compare_with(peer, ours.note, note, teller)

    def _compare_with(self, peer: Peer, our_note: str, their_note: str, teller: Peer) -> None:
        try:
            theirs, _ = open_checkpoint(their_note, peer.log)
        except NoteError as error:
            log.info(
                "what %s holds of the log of %s counts for nothing: %s", teller.administration, peer.log.name, error
            )
            return
        ours = _checkpoint_of(our_note)
        if ours == theirs:
            return
        reason = TOLD_OTHERWISE.format(teller.administration)
        proof = ForkProof(peer.log.vkey, our_note, their_note, reason)
        if ours.size != theirs.size:
            smaller, larger = (ours, theirs) if ours.size < theirs.size else (theirs, ours)
            root, path = self._tree(peer, larger).prefix(smaller.size)
            if root == smaller.root:
                return
            proof = ForkProof(peer.log.vkey, our_note, their_note, reason, root, path)
        record_split(proof, at=self.at)
        raise _split(proof)

    def _tree(self, peer: Peer, checkpoint: Checkpoint) -> RemoteTree:
        """A partner's tree as it serves it; many comparisons in a round share its tiles."""
        key = checkpoint.text
        if key not in self.trees:
            self.trees[key] = RemoteTree(checkpoint, partial(self._tile, peer))
        return self.trees[key]

    def _tile(self, peer: Peer, path: str) -> bytes | None:
        return self.ask(peer, f"/log/{path}")

    def _sighting(self, peer: Peer, state: LookState, text: str, size: int) -> Sighting:
        note_look(peer.administration, origin=peer.log.name, state=state, detail=text, size=size, at=self.at)
        is_alarm = state in (LookState.SPLIT, LookState.SUSPECT)
        return Sighting(peer.administration, peer.log.name, state.value, text, size, is_alarm)

    def _tell(self) -> int:
        """Steps W6 and W7: every partner is told of what was found here, the accused among them."""
        new = [
            each for each in ledger.split_views() if each.is_proven and each.told_at is None and not each.reported_by
        ]
        told = 0
        for evidence in new:
            told += self._tell_all(evidence)
        return told

    def _tell_all(self, evidence: ledger.ForkEvidence) -> int:
        body, to = evidence.proof.to_body(), [peer.administration for peer in (*self.peers, *self.apart)]
        try:
            with transaction.atomic():
                releases = [
                    permit_duty(this_node(), kind=SPLIT_VIEW_KIND, recipient=each, body=body, at=self.at) for each in to
                ]
                post_all(this_node(), [Posting(each) for each in releases], signer=self.keyring.log, at=self.at)
                mark_told([evidence.digest], at=self.at)
        except ComityError as error:  # a log that is behind can post nothing; it is tried again in the next round
            log.warning("the partners cannot be told of the fork of %s: %s", evidence.origin, error)
            return 0
        return len(to)


def _read_heads(body: bytes | None) -> tuple[str, ...]:
    """One of each log, as a node that tells the truth has it: each costs tiles to compare."""
    try:
        heads = json.loads(body or b"")["heads"]
        notes = [str(each["note"]) for each in heads[:_MOST_HEADS]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise TransportError("The partner's node does not tell which heads it has seen", where=HEADS_PATH) from error
    return tuple({note.partition("\n")[0]: note for note in notes}.values())


def _own(warning: ledger.OwnForkWarning, keyring: Keyring) -> Sighting:
    text = f"{warning.text} {warning.remedy}"
    return Sighting(keyring.administration, keyring.log.name, warning.code, text, warning.size, is_alarm=True)


def _checkpoint_of(note: str) -> Checkpoint:
    return Checkpoint.parse(split_note(note)[0])


def _split(proof: ForkProof) -> SplitViewError:
    return SplitViewError(proof.reason, where=proof.origin, seen=proof.seen_note, shown=proof.shown_note)
