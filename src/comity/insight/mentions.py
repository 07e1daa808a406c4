"""Reading messages, steps and decisions on hits for whom they name, so that a person's question needs no search through
their content.

Each source is read from where it was left; a stretch is read again, since on PostgreSQL a row may appear after one with
a higher number. Declarations need none of this: intake keeps the keys of their parties.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Model, QuerySet

from comity.agreements.procedures import procedure
from comity.common import ComityError
from comity.exchange.message import read_message
from comity.exchange.models import InboxMessage, OutboxMessage
from comity.insight.models import Mention, ReadUpTo
from comity.insight.naming import (
    Named,
    keyed,
    keys_of,
    named_in_alert,
    named_in_finding,
    named_in_hit,
    named_in_step,
)
from comity.operations.models import CaseStep
from comity.operations.steps import step_from_body
from comity.risk.models import ScreeningDecision
from comity.trade.encoding import alert_from_body, finding_from_body

ALERT, FINDING = "alert/1", "finding/1"
RECEIVED, SENT, STEP, HIT = "received", "sent", "step", "hit"
AT_ONCE = 2_000
_AGAIN = 200
# The node itself purges, so the job that runs beside it looks back no further than it may have stood still.
_PURGED_SINCE = timedelta(days=7)
_READERS: Mapping[str, Callable[[Mapping[str, object]], tuple[Named, ...]]] = {
    ALERT: lambda body: named_in_alert(alert_from_body(body)),
    FINDING: lambda body: named_in_finding(finding_from_body(body)),
}
NAMING_KINDS = tuple(_READERS)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a turn read, and how much is left: messages, steps and decisions on hits."""

    read: int
    left: int


@transaction.atomic
def read_mentions(*, limit: int = AT_ONCE) -> Reading:
    """Read at most so many rows of each source."""
    read = sum(_read(source, limit) for source in _SOURCES)
    return Reading(read, left_to_read())


def read_mentions_due(at: datetime) -> int:
    """One turn of the node's own job: what was purged or deleted is forgotten here, too. Returns how much was read."""
    purged = InboxMessage.objects.filter(purged_at__gte=at - _PURGED_SINCE, kind__in=NAMING_KINDS)
    Mention.objects.filter(source=RECEIVED, row__in=purged.values("pk")).delete()
    Mention.objects.filter(source=HIT).exclude(row__in=ScreeningDecision.objects.values("pk")).delete()
    return read_mentions().read


def read_anew(*, limit: int = AT_ONCE) -> Reading:
    """Forget the index and begin again, as after a change of the node's secret."""
    with transaction.atomic():
        Mention.objects.all().delete()
        ReadUpTo.objects.all().delete()
    return read_mentions(limit=limit)


def left_to_read() -> int:
    """How many rows were not read yet; by their numbers, so at most."""
    return sum(max(0, _last(source) - _done(source)) for source in _SOURCES)


def mentioned(names: Iterable[str], ids: Iterable[str]) -> dict[str, list[int]]:
    """Of each source the rows that name somebody under one of these normal forms; exact, by the index."""
    key = _key()
    wanted = [keyed(key, f"name:{each}") for each in names] + [keyed(key, f"id:{each}") for each in ids]
    found: dict[str, list[int]] = {source: [] for source in _SOURCES}
    for start in range(0, len(wanted), 500):
        rows = Mention.objects.filter(key__in=wanted[start : start + 500]).values_list("source", "row")
        for source, row in rows:
            found[source].append(row)
    return {source: sorted(set(rows)) for source, rows in found.items()}


def named_in_message(kind: str, body: Mapping[str, object]) -> tuple[Named, ...]:
    """Whom the body of a message names; nobody where its kind names nobody or it cannot be read."""
    reader = _READERS.get(kind)
    try:
        return reader(body) if reader else ()
    except ComityError:
        return ()


def named_in_row(row: CaseStep) -> tuple[Named, ...]:
    """Whom a kept step names, as far as its fields are shown here."""
    step = step_from_body(json.loads(bytes(row.body)), row.article)
    return named_in_step(procedure(step.procedure), step.fields)


def _read(source: str, limit: int) -> int:
    done = _done(source)
    rows = list(_SOURCES[source]().filter(pk__gt=done - _AGAIN).order_by("pk")[: limit + _AGAIN])
    key = _key()
    made = [Mention(source=source, row=row.pk, key=each) for row in rows for each in _keys(source, row, key)]
    Mention.objects.bulk_create(made, ignore_conflicts=True, batch_size=500)
    is_end = len(rows) < limit + _AGAIN
    upto = _last(source) if is_end else rows[-1].pk
    ReadUpTo.objects.update_or_create(source=source, defaults={"row": max(done, upto)})
    return sum(row.pk > done for row in rows)


def mark_of(text: str) -> str:
    """A short keyed hash, by which a part is named where its name must not stand, as in the audit."""
    return keyed(_key(), text)[:16]


def _keys(source: str, row: Model, key: bytes) -> Iterator[str]:
    if isinstance(row, CaseStep):
        named = named_in_row(row)
    elif isinstance(row, ScreeningDecision):
        named = named_in_hit(row.ours)
    elif isinstance(row, InboxMessage | OutboxMessage):
        named = _named_in_bytes(row.kind, bytes(row.data))
    else:
        raise TypeError(f"{source} is no source of mentions")
    return (keyed(key, each) for each in keys_of(named))


def _named_in_bytes(kind: str, data: bytes) -> tuple[Named, ...]:
    try:
        return named_in_message(kind, read_message(data).body)
    except ComityError:
        return ()


def _last(source: str) -> int:
    return int(_SOURCES[source]().aggregate(last=Max("pk"))["last"] or 0)


def _done(source: str) -> int:
    row = ReadUpTo.objects.filter(source=source).first()
    return row.row if row else 0


def _received() -> QuerySet[InboxMessage]:
    return InboxMessage.objects.filter(kind__in=NAMING_KINDS)


def _sent() -> QuerySet[OutboxMessage]:
    return OutboxMessage.objects.filter(kind__in=NAMING_KINDS)


def _steps() -> QuerySet[CaseStep]:
    return CaseStep.objects.select_related("case")


def _hits() -> QuerySet[ScreeningDecision]:
    return ScreeningDecision.objects.all()


_Rows = QuerySet[InboxMessage] | QuerySet[OutboxMessage] | QuerySet[CaseStep] | QuerySet[ScreeningDecision]
_SOURCES: Mapping[str, Callable[[], _Rows]] = {RECEIVED: _received, SENT: _sent, STEP: _steps, HIT: _hits}


def _key() -> bytes:
    return f"comity.insight.mention:{settings.SECRET_KEY}".encode()
