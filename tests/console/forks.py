"""Two histories of a log, really signed; and the settings file of a node that nobody serves."""

from __future__ import annotations

from datetime import datetime

from comity.trust import Checkpoint, ForkProof, LogSigner, sign_note
from comity.trust.merkle import consistency_path, leaf_hashes, tree_root

TOML = """administration = "XC"
name = "Customs of Charlie"
[console]
host = "127.0.0.1"
port = 1
url = "http://127.0.0.1:1"
[partners]
host = "127.0.0.1"
port = 1
url = "https://127.0.0.1:1"
"""
_ONE = leaf_hashes(b"one %d" % each for each in range(40))
_TWO = [*_ONE[:10], *leaf_hashes(b"two %d" % each for each in range(10, 40))]


def fork(log: LogSigner, at: datetime, large: int = 30) -> ForkProof:
    """Two states of a log that cannot both be true, signed by its key."""
    notes = [
        sign_note(Checkpoint(log.name, size, tree_root(leaves[:size])).text, log, at=at)
        for leaves, size in ((_ONE, 20), (_TWO, large))
    ]
    path = tuple(consistency_path(_TWO[:large], 20))
    return ForkProof(log.vkey, notes[0], notes[1], "The log showed another history to XA", tree_root(_TWO[:20]), path)
