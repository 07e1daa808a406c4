"""Where chance comes from: the newest checkpoint of the log, which nobody could choose and everybody can look up."""

from __future__ import annotations

import hashlib

from comity.ledger.errors import NoCheckpointError
from comity.ledger.selectors import latest_checkpoint
from comity.trust import EMPTY_ROOT, split_note


def chance_seed() -> bytes:
    """The SHA-256 of the newest checkpoint with the log's own signature, without the cosignatures that come later.

    The signature makes even an empty log's seed unknown to whoever has not seen it. Before the log has begun: the root
    of the empty tree.
    """
    try:
        text, signatures = split_note(latest_checkpoint())
    except NoCheckpointError:
        return EMPTY_ROOT
    return hashlib.sha256(f"{text}\n{signatures[0].line}".encode()).digest()
