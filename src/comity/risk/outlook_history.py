"""Weekly counts of the node's own records by heading and route: each week is counted once, the latest ones anew.

A declaration counts in the week in which it arrived, a control in the week in which its outcome became known: so
nothing of a later week is ever in an earlier one. A declaration stands as it was first lodged; of several controls of
one record the first counts. What was counted is kept as counts alone, and so outlives the records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.db import transaction

from comity.intake import StoredRecord
from comity.intake import selectors as intake
from comity.risk.modelling.rows import is_import, row_of
from comity.risk.models import LearnedOutcome, RouteWeek
from comity.risk.outlook_rules import HISTORY_WEEKS, KINDS, Past, RoutePast, monday_before
from comity.risk.outlooks import Key

# What was decided or taken in late still finds its week.
COUNTED_AGAIN = 6
_AT_ONCE = 500
_WEEK = timedelta(days=7)
_WHOLE: Key = ("", "", "")


def count_weeks(administration: str, monday: date) -> None:
    """Count the weeks before a Monday that were not counted yet, and the latest of them again."""
    first = _first_monday(monday)
    if first is None:
        return
    counted = set(RouteWeek.objects.filter(heading="", origin="", departure="").values_list("first_day", flat=True))
    week = first
    while week < monday:
        if week not in counted or week >= monday - COUNTED_AGAIN * _WEEK:
            _count(administration, week)
        week += _WEEK
    RouteWeek.objects.filter(first_day__lt=monday - HISTORY_WEEKS * _WEEK).delete()


def past_before(monday: date) -> Past:
    """What was counted before a Monday, at most as many weeks as still say something."""
    rows = RouteWeek.objects.filter(first_day__lt=monday, first_day__gte=monday - HISTORY_WEEKS * _WEEK)
    first = rows.order_by("first_day").values_list("first_day", flat=True).first() or monday
    weeks = (monday - first).days // 7
    routes: dict[Key, RoutePast] = {}
    for row in rows.exclude(heading="").iterator():
        route = routes.setdefault((row.heading, row.origin, row.departure), RoutePast.empty(weeks))
        week = (row.first_day - first).days // 7
        route.declared[week], route.by_reason[week], route.by_chance[week] = row.declared, row.by_reason, row.by_chance
        for kind, (by_reason, by_chance) in row.found.items():
            route.found_by_reason[kind][week], route.found_by_chance[kind][week] = by_reason, by_chance
    return Past(first, weeks, routes)


def _first_monday(monday: date) -> date | None:
    """The week of the oldest declaration that is held, or of as far back as is looked."""
    oldest = intake.first_declared_at(_midnight(monday))
    if oldest is None:
        return None
    return max(monday_before(oldest.astimezone(UTC).date()), monday - HISTORY_WEEKS * _WEEK)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


@transaction.atomic
def _count(administration: str, week: date) -> None:
    start, end = _midnight(week), _midnight(week + _WEEK)
    rows: dict[Key, RouteWeek] = {_WHOLE: _row(week, _WHOLE)}
    for record in intake.declarations_between(start, end):
        key = _key(record, administration)
        if key is not None:
            rows[_WHOLE].declared += 1
            if key[0]:
                rows.setdefault(key, _row(week, key)).declared += 1
    for outcome, record in _controlled(start, end):
        key = _key(record, administration)
        if key is not None and key[0]:
            _add_control(rows.setdefault(key, _row(week, key)), outcome)
    RouteWeek.objects.filter(first_day=week).delete()
    RouteWeek.objects.bulk_create(rows.values(), batch_size=_AT_ONCE)


def _row(week: date, key: Key) -> RouteWeek:
    return RouteWeek(
        first_day=week, heading=key[0], origin=key[1], departure=key[2], declared=0, by_reason=0, by_chance=0, found={}
    )


def _add_control(row: RouteWeek, outcome: LearnedOutcome) -> None:
    if outcome.is_random:
        row.by_chance += 1
    else:
        row.by_reason += 1
    if outcome.is_irregular and outcome.risk_type in {kind.value for kind in KINDS}:
        by_reason, by_chance = row.found.get(outcome.risk_type, (0, 0))
        row.found[outcome.risk_type] = [by_reason + (not outcome.is_random), by_chance + outcome.is_random]


def _controlled(start: datetime, end: datetime) -> Iterator[tuple[LearnedOutcome, StoredRecord]]:
    """The first outcome of each record, where it became known in this week."""
    known: dict[UUID, LearnedOutcome] = {}
    decided = LearnedOutcome.objects.filter(decided_at__gte=start, decided_at__lt=end, record_id__isnull=False)
    for outcome in decided.order_by("-decided_at", "-id").iterator():
        if outcome.record_id is not None:
            known[outcome.record_id] = outcome
    for ids in _parts(list(known)):
        before = set(
            LearnedOutcome.objects.filter(record_id__in=ids, decided_at__lt=start).values_list("record_id", flat=True)
        )
        for record_id, record in intake.records_by_id(each for each in ids if each not in before).items():
            yield known[record_id], record


def _parts(ids: list[UUID]) -> Iterable[list[UUID]]:
    for place in range(0, len(ids), _AT_ONCE):
        yield ids[place : place + _AT_ONCE]


def _key(record: StoredRecord, administration: str) -> Key | None:
    """Heading, origin and country of dispatch; None where it is no import. The heading is empty where none is declared.

    They are those of the dearest item, as models see a declaration.
    """
    first = intake.as_lodged(record)
    if first.declaration is None or not is_import(first.declaration, administration):
        return None
    row = row_of(first.declaration, administration=administration, arrived_at=record.received_at, rates={})
    heading = str(row["hs6"])[:4]
    return heading if len(heading) == 4 else "", str(row["origin"])[:16], str(row["departure"])[:16]
