"""Where chance comes from: the newest checkpoint of the log, which nobody could choose and everybody can look up."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from comity.ledger.errors import NoCheckpointError
from comity.ledger.selectors import latest_checkpoint
from comity.trust import EMPTY_ROOT, Checkpoint, split_note


@dataclass(frozen=True, slots=True)
class Chance:
    """A seed, and the size of the log whose checkpoint it comes from; None before the log has begun."""

    seed: bytes
    log_size: int | None


def chance_now() -> Chance:
    """The seed of the newest checkpoint. Before the log has begun: the root of the empty tree."""
    try:
        return chance_of(latest_checkpoint())
    except NoCheckpointError:
        return Chance(EMPTY_ROOT, None)


def chance_of(note: str) -> Chance:
    """The seed of a checkpoint: the SHA-256 of its text and the log's own signature, which stands first.

    Cosignatures come later and are left out. The signature makes even an empty log's seed unknown to whoever has not
    seen it.
    """
    text, signatures = split_note(note)
    seed = hashlib.sha256(f"{text}\n{signatures[0].line}".encode()).digest()
    return Chance(seed, Checkpoint.parse(text).size)


def chance_seed() -> bytes:
    """The seed of the newest checkpoint alone."""
    return chance_now().seed
