"""The one statement on which "exactly once" rests, written by hand for both databases.

`bulk_create(ignore_conflicts=True)` cannot say which rows it stored: on PostgreSQL it gave 2,540 acceptances for 600
messages that were sent eight times at once. RETURNING names exactly the rows that this transaction stored.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain

from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from comity.exchange.arrivals import Arrival
from comity.exchange.judging import Incoming, Verdict
from comity.exchange.limits import Priority, natural_priority
from comity.exchange.models import InboxEnvelope, InboxMessage
from comity.exchange.receipt import Answer, answer_text

_COLUMNS = (
    "sender", "message_id", "sequence", "kind", "agreement", "article", "purpose", "handling", "in_reply_to",
    "created_at", "received_at", "envelope_id", "position", "data", "sha256", "is_accepted", "answer", "keep_until",
    "priority",
)  # fmt: skip
# What every row begins with; the other columns begin as NULL.
_FIXED = {"failures": "0", "last_error": "''", "purge_ground": "''"}
_BEGINNING = (0, "", "")
# SQLite takes 32,766 parameters in a statement; 19 columns of 500 rows stay well below.
_ROWS = 500
_NAMES = ", ".join((*_COLUMNS, *_FIXED))
_INSERT = f"INSERT INTO {InboxMessage._meta.db_table} ({_NAMES}) "
_ONCE = " ON CONFLICT (sender, message_id) DO NOTHING RETURNING sender, message_id"
# The stage of a connection to PostgreSQL: nothing of it is logged or outlives the connection.
_STAGE = (
    f"CREATE TEMPORARY TABLE IF NOT EXISTS exchange_arriving AS SELECT {', '.join(_COLUMNS)} "  # noqa: S608  # as above
    f"FROM {InboxMessage._meta.db_table} WITH NO DATA"
)
# Binary: text would write every byte of a message as two digits, and read them again.
_COPY = "COPY {} ({}) FROM STDIN (FORMAT BINARY)"
_COPY_STAGE = _COPY.format("exchange_arriving", ", ".join(_COLUMNS))
_COPY_ROWS = _COPY.format(InboxMessage._meta.db_table, _NAMES)
_TYPES = (
    "varchar", "varchar", "int8", "varchar", "varchar", "varchar", "varchar", "varchar", "varchar",
    "timestamptz", "timestamptz", "varchar", "int4", "bytea", "varchar", "bool", "text", "timestamptz",
    "int2", "int4", "varchar", "varchar",
)  # fmt: skip
_FROM_STAGE = f"SELECT {', '.join((*_COLUMNS, *_FIXED.values()))} FROM exchange_arriving"  # noqa: S608  # as above
_CLEAR = "TRUNCATE exchange_arriving"
_ANSWER_OF = (
    f"SELECT message_id, sha256, answer FROM {InboxMessage._meta.db_table} "  # noqa: S608  # our own names
    "WHERE sender = %s AND message_id "
)
_ANSWERS = {
    "postgresql": _ANSWER_OF + "= ANY (%s)",
    "sqlite": _ANSWER_OF + "IN (SELECT value FROM json_each(%s))",  # noqa: S608  # our own names
}
# A journey of its own for each message makes these two the statements that run most often of all.
_CLAIM_DUE = (
    f"SELECT data, failures FROM {InboxMessage._meta.db_table} "  # noqa: S608  # our own names
    "WHERE id = %s AND processed_at IS NULL"
)
_CLAIMS = {"postgresql": _CLAIM_DUE + " FOR UPDATE SKIP LOCKED", "sqlite": _CLAIM_DUE}
_MARK_DONE = (
    f"UPDATE {InboxMessage._meta.db_table} "  # noqa: S608  # our own names
    "SET processed_at = %s, last_error = '', next_attempt_at = NULL WHERE id = %s"
)
_ENVELOPE_COLUMNS = (
    "sender", "envelope_id", "first_sequence", "count", "statement_sha256", "statement", "fingerprint", "receipt",
    "log_index", "received_at",
)  # fmt: skip
_ENVELOPE_TYPES = (
    "varchar", "varchar", "int8", "int4", "varchar", "bytea", "varchar", "bytea", "int8", "timestamptz",
)  # fmt: skip
_COPY_ENVELOPES = _COPY.format(InboxEnvelope._meta.db_table, ", ".join(_ENVELOPE_COLUMNS))
_INSERT_ENVELOPE = (
    f"INSERT INTO {InboxEnvelope._meta.db_table} ({', '.join(_ENVELOPE_COLUMNS)}) "  # noqa: S608  # our own names
    f"VALUES ({', '.join(['%s'] * len(_ENVELOPE_COLUMNS))})"
)
_ROW = "(" + ", ".join((*"?" * len(_COLUMNS), *_FIXED.values())) + ")"

EnvelopeRow = tuple[str, str, int, int, str, bytes, str, bytes, int, str | datetime | None]
_Value = str | int | bytes | datetime | None
Key = tuple[str, str]


def insert_once(judged: Sequence[Verdict], *, at: datetime) -> set[Key]:
    """Step R10: store what is not stored yet. Returns the keys (sender, message id) that this call stored.

    Must run in a transaction. Two calls at once never both return the same key.
    """
    moments = _Moments()
    rows = [_row(each.incoming, each.answer, at, moments) for each in judged]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            return _insert_copied(cursor, rows, [each.incoming.key for each in judged])
    return _insert_listed(rows)


def _insert_listed(rows: Sequence[tuple[_Value, ...]]) -> set[Key]:
    """On SQLite. Not through Django's cursor: to turn ten thousand %s into ? takes a fifth as long as the writing."""
    stored: set[Key] = set()
    with connection.wrap_database_errors:
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            statement = _INSERT + "VALUES " + ", ".join([_ROW] * len(part)) + _ONCE
            stored.update(connection.connection.execute(statement, list(chain.from_iterable(part))))
    return stored


def _insert_copied(cursor: CursorWrapper, rows: Sequence[tuple[_Value, ...]], keys: Sequence[Key]) -> set[Key]:
    """The same over COPY: to put nine thousand values into a statement costs PostgreSQL's driver more than all else.

    Straight into the table, since nobody else takes from a sender whose Reception is locked. Should somebody all the
    same, the unique key stops this, and the rows go by way of a stage.
    """
    try:
        with transaction.atomic():
            _copy(cursor, _COPY_ROWS, _TYPES, [(*row, *_BEGINNING) for row in rows])
    except IntegrityError:
        return _insert_staged(cursor, rows)
    return set(keys)


def _insert_staged(cursor: CursorWrapper, rows: Sequence[tuple[_Value, ...]]) -> set[Key]:
    cursor.execute(_STAGE)
    _copy(cursor, _COPY_STAGE, _TYPES[: len(_COLUMNS)], rows)
    cursor.execute(_INSERT + _FROM_STAGE + _ONCE)
    stored = {(sender, message_id) for sender, message_id in cursor.fetchall()}
    cursor.execute(_CLEAR)
    return stored


def _copy(cursor: CursorWrapper, statement: str, types: Sequence[str], rows: Sequence[tuple[_Value, ...]]) -> None:
    # Django hands the driver's own copy through, errors and all.
    with connection.wrap_database_errors, cursor.copy(statement) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def insert_envelopes(rows: Sequence[EnvelopeRow]) -> None:
    """Store answered envelopes with their receipts."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            _copy(cursor, _COPY_ENVELOPES, _ENVELOPE_TYPES, rows)
        else:
            cursor.executemany(_INSERT_ENVELOPE, rows)


def envelope_row(arrival: Arrival, receipt: bytes, index: int, *, at: datetime) -> EnvelopeRow:
    """What is stored of an answered envelope."""
    contents = arrival.contents
    return (
        contents.sender,
        contents.envelope,
        contents.first_sequence,
        contents.count,
        arrival.statement_sha256,
        arrival.statement,
        arrival.peer.fingerprint,
        receipt,
        index,
        connection.ops.adapt_datetimefield_value(at),
    )


def stored_answers(keys: Sequence[Key]) -> Iterator[tuple[Key, tuple[str, str]]]:
    """The key and (sha256, answer text) of each of these messages that is stored."""
    names: dict[str, list[str]] = defaultdict(list)
    for sender, name in keys:
        names[sender].append(name)
    is_array, statement = connection.vendor == "postgresql", _ANSWERS[connection.vendor]
    with connection.cursor() as cursor:
        for sender, wanted in names.items():
            cursor.execute(statement, [sender, wanted if is_array else json.dumps(wanted)])
            yield from (((sender, name), (sha256, answer)) for name, sha256, answer in cursor.fetchall())


def claim_due(key: int) -> tuple[bytes, int] | None:
    """(data, failures) of a stored message whose journey has not ended well; none where another worker has it.

    Must run in a transaction, which then has the message to itself.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIMS[connection.vendor], [key])
        row = cursor.fetchone()
    return (bytes(row[0]), row[1]) if row else None


def mark_done(key: int, *, at: datetime) -> None:
    """The journey of a stored message ended well."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK_DONE, [connection.ops.adapt_datetimefield_value(at), key])


class _Moments(dict[datetime | None, _Value]):
    """Times as the database takes them. The messages of a group share most of theirs."""

    def __missing__(self, moment: datetime | None) -> _Value:
        value: _Value = connection.ops.adapt_datetimefield_value(moment)
        self[moment] = value
        return value


def _row(incoming: Incoming, answer: Answer, at: datetime, moments: _Moments) -> tuple[_Value, ...]:
    message = incoming.message
    # Without a form there are no words to store; its bytes are kept all the same.
    words = (
        (message.kind, message.agreement, message.article, message.purpose, message.handling, message.in_reply_to)
        if message
        else ("",) * 6
    )
    return (
        *incoming.key,
        incoming.sequence,
        *words,
        moments[message.created if message else None],
        moments[at],
        incoming.arrival.contents.envelope,
        incoming.position,
        incoming.data,
        incoming.sha256,
        answer.accepted,
        answer_text(answer),
        moments[message.valid_until if message else None],
        (natural_priority(message.kind, message.body) if message else Priority.ORDINARY).value,
    )
