"""A log that goes on under a new name, after a restore from a backup that is older than what partners saw.

Entries that were appended after the backup are lost here, and their checkpoints were signed: whoever appended other
entries under the same name would show two histories. So the restored log ends where the backup ends, and a log with a
new name begins with the very same entries and goes on from there. Its first own entry names the former log and its
last checkpoint, in the clear. Every index and every proof of an old entry stays as it was, and every checkpoint of
the former log remains what it is: signed, cosigned, and true.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from comity.ledger.errors import LogDamagedError, WrongSignerError
from comity.ledger.models import Batch, LogState, Subtree
from comity.ledger.tree import subtree_id
from comity.trust import canonical_json, merkle, notes, tiles

CONTINUES = "continues"


@dataclass(frozen=True, slots=True)
class Continued:
    """The former log, where it ended, and the size of the one that goes on."""

    former: str
    former_size: int
    size: int


def continuing_entry(origin: str, size: int, root: bytes, *, vkey: str = "") -> bytes:
    """The entry with which a log says whose entries it began with. vkey: of the former log, where its key was another:
    after a loss of keys nothing else here can say which it was."""
    fields: dict[str, object] = {"kind": CONTINUES, "origin": origin, "size": size, "root": root.hex()}
    return canonical_json(fields | ({"vkey": vkey} if vkey else {}))


def former_vkey(entry: bytes) -> str:
    """The verifier key of the former log that an entry names; empty where it had the key of this one."""
    fields = json.loads(entry) if names_former(entry) is not None else {}
    return str(fields.get("vkey", ""))


def names_former(entry: bytes) -> tuple[str, int, str] | None:
    """Origin, size and root in hex of the log that an entry continues; None for another entry."""
    try:
        fields = json.loads(entry)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or fields.get("kind") != CONTINUES:
        return None
    origin, size, root = fields.get("origin"), fields.get("size"), fields.get("root")
    is_whole = isinstance(origin, str) and isinstance(size, int) and isinstance(root, str)
    return (str(origin), int(str(size)), str(root)) if is_whole else None


@transaction.atomic
def continue_log(*, former: notes.LogVerifier, signer: notes.LogSigner, at: datetime) -> Continued:
    """Begin the log of `signer` with all entries of the log of `former`, and an entry that says so.

    What was held or claimed against the former log holds no longer: it is not appended to any more.
    Raises: WrongSignerError where the names are the same, LogDamagedError where the stored tree was not signed.
    """
    if former.name == signer.name or len(signer.name) > 200:
        raise WrongSignerError("A log that goes on needs a name of its own", where=signer.name[:80])
    state = LogState.objects.select_for_update().get(id=1)
    last = Batch.objects.order_by("-first_index").first()
    size, stack, note = (last.size, bytes(last.stack), last.note) if last else (0, b"", state.note)
    hashes = [stack[place : place + merkle.HASH_SIZE] for place in range(0, len(stack), merkle.HASH_SIZE)]
    checkpoint, _ = notes.open_checkpoint(note, former)
    if (checkpoint.size, checkpoint.root) != (size, merkle.fold(hashes)):
        raise LogDamagedError("The stored tree is not the one that was signed last", where=f"size {size}")
    is_other_key = former.key != signer.key.verify_key
    entry = continuing_entry(former.name, size, checkpoint.root, vkey=former.vkey if is_other_key else "")
    growth = merkle.grow(merkle.Frontier.from_stack(size, hashes), merkle.leaf_hashes([entry]))
    edge = growth.frontier.stack
    Batch.objects.create(
        first_index=size,
        size=growth.frontier.size,
        appended_us=int(at.timestamp() * 1_000_000),
        note=notes.sign_note(
            notes.Checkpoint(signer.name, growth.frontier.size, merkle.fold(edge)).text, signer, at=at
        ),
        stack=b"".join(edge),
        hashes=b"".join(growth.completed(0)[1]),
        entries=tiles.pack_entries([entry]),
    )
    for level in range(1, 1 + (len(growth.levels) - 1) // tiles.TILE_HEIGHT):
        position, completed = growth.completed(level * tiles.TILE_HEIGHT)
        Subtree.objects.bulk_create(
            Subtree(id=subtree_id(level, position + place), hash=each) for place, each in enumerate(completed)
        )
    LogState.objects.filter(id=1).update(
        origin=signer.name,
        seen_size=0,
        seen_note="",
        seen_by="",
        claimed_size=0,
        claimed_by="",
        held_at=None,
        hold_reason="",
    )
    return Continued(former.name, size, growth.frontier.size)
