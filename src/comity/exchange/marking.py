"""What becomes of messages that were sent, written by runs of their sequence: one statement for each run.

A list of two thousand numbers costs more to write and to read than the rows that it names.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import connection

from comity.exchange.models import OutboxMessage
from comity.exchange.position import Range, merged

_MARK = (
    f"UPDATE {OutboxMessage._meta.db_table} SET state = %s, answered_at = %s "  # noqa: S608  # our own table's name
    "WHERE partner_id = %s AND sequence >= %s AND sequence <= %s"
)


def mark_messages(partner_id: int, ranges: Iterable[Range], *, state: str, answered_at: datetime | None = None) -> None:
    """Give every message of these runs this state."""
    moment = connection.ops.adapt_datetimefield_value(answered_at)
    with connection.cursor() as cursor:
        for first, last in merged(ranges):
            cursor.execute(_MARK, [str(state), moment, partner_id, first, last])
