"""What every round of delivery asks of its tables, by hand.

A round with a few small envelopes costs what its statements cost, and the ORM needs longer to write most of them than
the database to run them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from django.db import connection

from comity.exchange.limits import Priority
from comity.exchange.models import Delivery, OutboxEnvelope, OutboxMessage, Partner
from comity.exchange.position import Range, merged

_DELIVERIES, _PARTNERS = Delivery._meta.db_table, Partner._meta.db_table
_MESSAGES, _ENVELOPES = OutboxMessage._meta.db_table, OutboxEnvelope._meta.db_table
# All names below are of our own tables, all values are parameters or words of this room.
# ruff: noqa: S608
_DUE = f"""
SELECT d.partner_id FROM {_DELIVERIES} d JOIN {_PARTNERS} p ON p.id = d.partner_id
WHERE p.state <> 'suspended' AND {{whom}} AND (
    EXISTS (SELECT 1 FROM {_MESSAGES} m WHERE m.partner_id = d.partner_id AND m.state = 'waiting')
    OR EXISTS (SELECT 1 FROM {_ENVELOPES} e WHERE e.partner_id = d.partner_id AND e.state = 'open'
        AND (e.leased_until IS NULL OR e.leased_until <= %s)))
ORDER BY d.partner_id
"""
_DUE_TO_PUSH = _DUE.format(whom="p.way = 'push' AND (d.next_attempt_at IS NULL OR d.next_attempt_at <= %s)")
_DUE_ONE = _DUE.format(whom="d.partner_id = %s")
_OPEN = (
    f"SELECT first_sequence, count, leased_until IS NULL OR leased_until <= %s FROM {_ENVELOPES} "
    "WHERE partner_id = %s AND state = 'open'"
)
_EXISTS = (
    f"EXISTS (SELECT 1 FROM {_MESSAGES} WHERE partner_id = %s AND state = 'waiting' AND priority = {{}} "
    "AND sequence {} %s)"
)
_SIDES = ("<", ">")
_ANY = "SELECT " + ", ".join(_EXISTS.format(each.value, side) for each in Priority for side in _SIDES)
_BEYOND = 1 << 62
_STILL_OPEN = {
    "postgresql": f"SELECT id FROM {_ENVELOPES} WHERE state = 'open' AND id = ANY (%s)",
    "sqlite": f"SELECT id FROM {_ENVELOPES} WHERE state = 'open' AND id IN (SELECT value FROM json_each(%s))",
}
_COLUMNS = (
    "envelope_id", "partner_id", "first_sequence", "count", "statement", "created_at", "state", "attempts",
    "leased_until",
)  # fmt: skip
_TYPES = ("text", "int8", "int8", "int4", "bytea", "timestamptz", "text", "int4", "timestamptz")
_STORE = f"INSERT INTO {_ENVELOPES} ({', '.join(_COLUMNS)}) {{}} RETURNING first_sequence, id"
_STORE_ARRAYS = _STORE.format("SELECT * FROM unnest(" + ", ".join(f"%s::{each}[]" for each in _TYPES) + ")")
_ROW = "(" + ", ".join(["%s"] * len(_COLUMNS)) + ")"
# SQLite takes 32,766 parameters in a statement.
_ROWS = 1024
_ANSWER = f"UPDATE {_ENVELOPES} SET state = 'answered', leased_until = NULL, "
_ANSWER_ARRAYS = (
    _ANSWER + "answer = a.answer, answer_index = a.place, answered_at = a.moment FROM unnest("
    "%s::bytea[], %s::int8[], %s::timestamptz[], %s::int8[]) AS a (answer, place, moment, id) "
    f"WHERE {_ENVELOPES}.id = a.id"
)
_ANSWER_ONE = _ANSWER + "answer = %s, answer_index = %s, answered_at = %s WHERE id = %s"


@dataclass(frozen=True, slots=True)
class OpenEnvelopes:
    """What is open to one partner. runs: of its sequence; claimed: envelopes that somebody is sending; free: others."""

    runs: tuple[Range, ...]
    claimed: int
    free: int


def due_partners(at: datetime, *, only: int | None = None) -> list[int]:
    """Ids of the partners to which something is to go, in their order; only: whatever its way and waits."""
    moment = connection.ops.adapt_datetimefield_value(at)
    with connection.cursor() as cursor:
        cursor.execute(_DUE_TO_PUSH if only is None else _DUE_ONE, [moment if only is None else only, moment])
        return [row[0] for row in cursor.fetchall()]


def open_envelopes(partner_id: int, at: datetime) -> OpenEnvelopes:
    """To be read under the lock of the Delivery: until then another worker may be forming more."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [connection.ops.adapt_datetimefield_value(at), partner_id])
        rows = cursor.fetchall()
    free = sum(bool(is_free) for *_, is_free in rows)
    return OpenEnvelopes(merged((first, first + count - 1) for first, count, _ in rows), len(rows) - free, free)


def who_waits(partner_id: int, runs: Sequence[Range]) -> Mapping[int, tuple[bool, bool]]:
    """By priority, whether a message waits before the first of these runs, and after it, be it in a later one."""
    first, last = runs[0] if runs else (_BEYOND, _BEYOND)
    with connection.cursor() as cursor:
        cursor.execute(_ANY, [partner_id, first, partner_id, last] * len(Priority))
        found = cursor.fetchone()
    return {each.value: (bool(found[2 * each]), bool(found[2 * each + 1])) for each in Priority}


def store_formed(rows: Sequence[OutboxEnvelope]) -> None:
    """Insert these envelopes and give each its id."""
    if not rows:
        return
    moment = connection.ops.adapt_datetimefield_value
    values = [
        (
            row.envelope_id,
            row.partner_id,
            row.first_sequence,
            row.count,
            bytes(row.statement),
            moment(row.created_at),
            str(row.state),
            row.attempts,
            moment(row.leased_until),
        )
        for row in rows
    ]
    ids: dict[int, int] = {}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_STORE_ARRAYS, [list(column) for column in zip(*values, strict=True)])
            ids.update(cursor.fetchall())
        else:
            for start in range(0, len(values), _ROWS):
                part = values[start : start + _ROWS]
                cursor.execute(
                    _STORE.format("VALUES " + ", ".join([_ROW] * len(part))), list(chain.from_iterable(part))
                )
                ids.update(cursor.fetchall())
    for row in rows:
        row.pk = ids[row.first_sequence]


def still_open(keys: Collection[int]) -> set[int]:
    """Those of these envelopes that are open."""
    wanted = list(keys)
    with connection.cursor() as cursor:
        cursor.execute(
            _STILL_OPEN[connection.vendor], [wanted if connection.vendor == "postgresql" else json.dumps(wanted)]
        )
        return {row[0] for row in cursor.fetchall()}


def store_answers(answers: Sequence[tuple[bytes, int, int]], at: datetime) -> None:
    """Keep the receipt of each envelope: its bytes, its index in the partner's log, the id of our row."""
    moment = connection.ops.adapt_datetimefield_value(at)
    rows = [(body, index, moment, key) for body, index, key in answers]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_ANSWER_ARRAYS, [list(column) for column in zip(*rows, strict=True)])
        else:
            cursor.executemany(_ANSWER_ONE, rows)
