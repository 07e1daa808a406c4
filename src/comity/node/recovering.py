"""A restored node finds out what its partners have, before anything goes to them."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from datetime import datetime
from queue import SimpleQueue

from comity.common import parse_instant, show_instant
from comity.exchange.directory import Peer, load_peers
from comity.exchange.position import Position
from comity.exchange.resuming import resume_from, was_sent_since
from comity.exchange.transports.base import Transport
from comity.exchange.transports.https.client import HTTPSTransport
from comity.journeys.actors import this_node
from comity.journeys.gossip import ask_before_serving
from comity.ledger.guarding import release_appends
from comity.node.home import Home
from comity.trust import Keyring

log = logging.getLogger("comity.node")

NAME = "recovering.json"


@dataclass(frozen=True, slots=True)
class Recovery:
    """What is left to do. waiting: partners that have not been asked. behind: those that have more than we know of."""

    at: datetime
    has_new_log: bool
    waiting: tuple[str, ...]
    behind: tuple[str, ...] = ()


def read_recovery(home: Home) -> Recovery | None:
    """What is left to do after a restore; None where nothing is."""
    try:
        facts = json.loads((home.root / NAME).read_text())
    except FileNotFoundError:
        return None
    return Recovery(
        at=parse_instant(facts["at"]),
        has_new_log=bool(facts["new_log"]),
        waiting=tuple(facts["waiting"]),
        behind=tuple(facts["behind"]),
    )


def write_recovery(home: Home, recovery: Recovery) -> None:
    """Remember it, in one step."""
    facts = {
        "at": show_instant(recovery.at),
        "new_log": recovery.has_new_log,
        "waiting": list(recovery.waiting),
        "behind": list(recovery.behind),
    }
    part = home.root / f"{NAME}.part"
    part.write_text(json.dumps(facts, indent=1) + "\n")
    part.rename(home.root / NAME)


def recover_by_word(home: Home, code: str, position: Position, at: datetime) -> None:
    """As `recover` with a new log, for a partner that cannot be asked from here: its officer said what it has."""
    recovery = read_recovery(home)
    if recovery is not None and recovery.has_new_log:
        _keep(home, _with_new_log(recovery, {code: position}, at))


def recover(home: Home, keyring: Keyring, at: datetime, *, transport: Transport | None = None) -> Recovery | None:
    """Ask every partner that was not asked yet how far our sequence has arrived, and go on from there.

    With a new log each partner goes on as soon as it has answered. With the old one nobody does before all have, and
    nobody at all where one has a message that we know nothing of: then entries of the log are lost. Returns what is
    left to do, None where nothing is.
    """
    recovery = read_recovery(home)
    if recovery is None:
        return None
    peers = {code: peer for code, peer in load_peers(recovery.waiting).items() if code in recovery.waiting}
    positions = _ask(peers, transport or HTTPSTransport(keyring), is_ours=transport is None)
    left = _with_new_log(recovery, positions, at) if recovery.has_new_log else _with_old_log(recovery, positions, at)
    return _keep(home, left)


def _keep(home: Home, left: Recovery) -> Recovery | None:
    if left.waiting or left.behind:
        write_recovery(home, left)
        return left
    (home.root / NAME).unlink()
    log.warning("every partner was asked what it has; the restored node goes on with all of them")
    return None


def _ask(peers: dict[str, Peer], transport: Transport, *, is_ours: bool) -> dict[str, Position]:
    told: SimpleQueue[tuple[Peer, Position | None]] = SimpleQueue()
    try:
        for peer in peers.values():
            transport.ask_position(peer, lambda who, position: told.put((who, position)))
        answers = [told.get() for _ in peers]
    finally:
        if is_ours:
            transport.close()
    return {peer.administration: position for peer, position in answers if position is not None}


def _with_new_log(recovery: Recovery, positions: dict[str, Position], at: datetime) -> Recovery:
    for code, position in positions.items():
        resume_from(this_node(), administration=code, position=position, at=at)
    return replace(recovery, waiting=tuple(each for each in recovery.waiting if each not in positions))


def _with_old_log(recovery: Recovery, positions: dict[str, Position], at: datetime) -> Recovery:
    behind = tuple(code for code, position in positions.items() if was_sent_since(code, position))
    if behind:
        log.error(
            "%s received messages after the backup was made: the log has lost entries. Restore it again with --new-log",
            ", ".join(behind),
        )
        return replace(recovery, behind=behind)
    if set(recovery.waiting) - set(positions):
        return recovery
    for code, position in positions.items():
        resume_from(this_node(), administration=code, position=position, at=at)
    if positions:
        ask_before_serving(at)  # what they hold of our log; where that is no more than we have, appending goes on
    else:
        release_appends()
    return replace(recovery, waiting=(), behind=())
