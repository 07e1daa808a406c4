"""What a run would leave behind if something were wrong: done to its databases, so that the verdict is seen to fail.

`python -m tests.torture.mutants HOME MUTANT`, in a process of its own, on the SQLite database of one node.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.torture.names import EFFECTS


def _change(home: Path, *statements: str) -> None:
    with sqlite3.connect(home / "comity.sqlite3") as database:
        for statement in statements:
            if database.execute(statement).rowcount != 1:
                raise ValueError(f"the mutant changed nothing: {statement}")
    database.close()


def drop_effect(home: Path) -> None:
    """A journey was marked as run and left nothing."""
    _change(home, f"DELETE FROM {EFFECTS} WHERE rowid = (SELECT min(rowid) FROM {EFFECTS})")


def double_effect(home: Path) -> None:
    """A journey ran twice."""
    _change(home, f"INSERT INTO {EFFECTS} SELECT * FROM {EFFECTS} LIMIT 1")


def lose_arrival(home: Path) -> None:
    """A message whose receipt was sent is gone at the receiver, with all that it did."""
    first = "(SELECT message_id FROM exchange_inboxmessage ORDER BY id LIMIT 1)"
    _change(
        home,
        f"DELETE FROM {EFFECTS} WHERE message_id = {first}",
        f"DELETE FROM exchange_inboxmessage WHERE message_id = {first}",
    )


def lose_posting(home: Path) -> None:
    """The newest message of the outbox is gone, though the node had said that it was posted."""
    _change(home, "DELETE FROM exchange_outboxmessage WHERE id = (SELECT max(id) FROM exchange_outboxmessage)")


def leave_waiting(home: Path) -> None:
    """A message never went out."""
    newest = "(SELECT max(id) FROM exchange_outboxmessage)"
    _change(home, f"UPDATE exchange_outboxmessage SET state = 'waiting' WHERE id = {newest}")


def claim_delivery(home: Path) -> None:
    """A message is called refused, and the receipt says otherwise."""
    newest = "(SELECT max(id) FROM exchange_outboxmessage)"
    _change(home, f"UPDATE exchange_outboxmessage SET state = 'refused' WHERE id = {newest}")


def change_receipt(home: Path) -> None:
    """One byte of a receipt is another."""
    with sqlite3.connect(home / "comity.sqlite3") as database:
        key, answer = database.execute(
            "SELECT id, answer FROM exchange_outboxenvelope WHERE state = 'answered' LIMIT 1"
        ).fetchone()
        place = answer.index(b'"payload"') + 20
        other = b"A" if answer[place : place + 1] != b"A" else b"B"
        changed = answer[:place] + other + answer[place + 1 :]
        database.execute("UPDATE exchange_outboxenvelope SET answer = ? WHERE id = ?", (changed, key))
    database.close()


def change_log(home: Path) -> None:
    """One byte of an entry of the log is another."""
    with sqlite3.connect(home / "comity.sqlite3") as database:
        key, entries = database.execute("SELECT first_index, entries FROM ledger_batch LIMIT 1").fetchone()
        changed = entries[:-1] + bytes([entries[-1] ^ 1])
        database.execute("UPDATE ledger_batch SET entries = ? WHERE first_index = ?", (changed, key))
    database.close()


def act_unasked(home: Path) -> None:
    """A message was acted on that nobody sent."""
    _change(home, f"INSERT INTO {EFFECTS} VALUES ('XQ', '01950000-0000-7000-8000-000000000000')")


# What it does -> the fault that the verdict must then name.
MUTANTS: Mapping[str, tuple[Callable[[Path], None], str]] = {
    "drop_effect": (drop_effect, "lost"),
    "double_effect": (double_effect, "doubled"),
    "lose_arrival": (lose_arrival, "lost"),
    "lose_posting": (lose_posting, "lost"),
    "leave_waiting": (leave_waiting, "lost"),
    "claim_delivery": (claim_delivery, "lost"),
    "change_receipt": (change_receipt, "bad receipts"),
    "change_log": (change_log, "log problems"),
    "act_unasked": (act_unasked, "doubled"),
}


if __name__ == "__main__":
    MUTANTS[sys.argv[2]][0](Path(sys.argv[1]))
