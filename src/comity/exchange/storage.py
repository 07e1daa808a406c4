"""The one statement on which "exactly once" rests, written by hand for both databases.

`bulk_create(ignore_conflicts=True)` cannot say which rows it stored: on PostgreSQL it gave 2,540 acceptances for 600
messages that were sent eight times at once. RETURNING names exactly the rows that this transaction stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import connection

from comity.exchange.arrivals import Arrival
from comity.exchange.judging import Incoming
from comity.exchange.models import InboxEnvelope, InboxMessage
from comity.exchange.receipt import Answer, answer_text

_COLUMNS = (
    "sender", "message_id", "sequence", "kind", "agreement", "article", "purpose", "handling", "in_reply_to",
    "created_at", "received_at", "envelope_id", "position", "data", "sha256", "is_accepted", "answer", "keep_until",
)  # fmt: skip
# What every row begins with.
_FIXED = {"processed_at": "NULL", "failures": "0", "next_attempt_at": "NULL", "last_error": "''", "purge_ground": "''"}
# SQLite takes 32,766 parameters in a statement; 18 columns of 500 rows stay well below.
_ROWS = 500
_NAMES = ", ".join((*_COLUMNS, *_FIXED))
_INSERT = f"INSERT INTO {InboxMessage._meta.db_table} ({_NAMES}) VALUES "  # noqa: S608  # our own names
_ONCE = " ON CONFLICT (sender, message_id) DO NOTHING RETURNING sender, message_id"
_ENVELOPE_COLUMNS = (
    "sender", "envelope_id", "first_sequence", "count", "statement_sha256", "statement", "fingerprint", "receipt",
    "log_index", "received_at",
)  # fmt: skip
_INSERT_ENVELOPE = (
    f"INSERT INTO {InboxEnvelope._meta.db_table} ({', '.join(_ENVELOPE_COLUMNS)}) "  # noqa: S608  # our own names
    f"VALUES ({', '.join(['%s'] * len(_ENVELOPE_COLUMNS))})"
)
_ROW = "(" + ", ".join((*["%s"] * len(_COLUMNS), *_FIXED.values())) + ")"

EnvelopeRow = tuple[str, str, int, int, str, bytes, str, bytes, int, str | datetime | None]
_Value = str | int | bytes | datetime | None
Judged = tuple[Incoming, Answer]
Key = tuple[str, str]


def insert_once(judged: Sequence[Judged], *, at: datetime) -> set[Key]:
    """Step R10: store what is not stored yet. Returns the keys (sender, message id) that this call stored.

    Must run in a transaction. Two calls at once never both return the same key.
    """
    stored: set[Key] = set()
    moments = _Moments()
    with connection.cursor() as cursor:
        for start in range(0, len(judged), _ROWS):
            part = judged[start : start + _ROWS]
            values = [value for each in part for value in _row(*each, at, moments)]
            cursor.execute(_INSERT + ", ".join([_ROW] * len(part)) + _ONCE, values)
            stored.update((sender, message_id) for sender, message_id in cursor.fetchall())
    return stored


def insert_envelopes(rows: Sequence[EnvelopeRow]) -> None:
    """Store answered envelopes with their receipts."""
    with connection.cursor() as cursor:
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


def stored_answers(keys: Sequence[Key]) -> Iterator[tuple[Key, str, str]]:
    """(key, sha256, answer text) of each of these messages that is stored."""
    wanted = set(keys)
    for start in range(0, len(keys), _ROWS):
        rows = InboxMessage.objects.filter(
            sender__in={sender for sender, _ in keys}, message_id__in=[name for _, name in keys[start : start + _ROWS]]
        )
        for sender, message_id, sha256, answer in rows.values_list("sender", "message_id", "sha256", "answer"):
            if (sender, message_id) in wanted:
                yield (sender, message_id), sha256, answer


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
    )
