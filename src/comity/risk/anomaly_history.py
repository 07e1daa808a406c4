"""The past by which anomalies are judged: small rows, read by key for a batch and brought forward with it.

A declaration becomes part of the past once, with its first assessment and in the same transaction. A later assessment
keeps what was unusual then; of an amended declaration the prices are judged anew. Two processes that bring the same row
forward at once may lose one of the two: a count of hundreds is then one too low, and nothing waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Model, Q

from comity.risk.anomalies import Pair, Past, Traded, judge, price_reasons, prices_of, remember, routes_of, traded
from comity.risk.models import Assessment, AssessmentReason, TradePair, TradePrice, TradeRoute, TradeVolume
from comity.risk.rules import Lane, SourceKind
from comity.risk.values import Batch, FoundReason
from comity.risk.wording import Evidence
from comity.trade import RiskType

# Each condition takes up to four variables; SQLite's tree of conditions is at most 1,000 deep.
_KEYS_AT_ONCE = 200
_IDS_AT_ONCE = 5_000
_PRICE = "price"
_PAIR = ("importer", "exporter")
_VOLUME = ("importer", "count", "weeks")
_ROUTE = ("chapter", "origin", "dispatch", "office")
_PRICED = ("hs_code", "origin", "currency")


@dataclass(frozen=True, slots=True)
class Habits:
    """With how many others a trader was declared until now, and since when that is remembered.

    declarations: of the trader as importer, ever; weeks, mass_kg: the weeks that are kept, and what came in by them.
    """

    partners: int
    since: datetime
    declarations: int = 0
    weeks: int = 0
    mass_kg: float = 0.0


def anomaly_reasons(batch: Batch) -> list[list[FoundReason]]:
    """For each record what is unusual about it; those before it in the batch are part of its past.

    Also writes: what is assessed for the first time becomes part of the past, in the transaction of the assessment.
    """
    trades = [traded(record.declaration) if record.declaration else None for record in batch.records]
    named = [one for one in trades if one is not None]
    if not named:
        return [[] for _ in batch.records]
    told = _told_before([record.record_id for record in batch.records])
    past = read_past(named)
    found: list[list[FoundReason]] = []
    fresh: dict[UUID, Traded] = {}
    for record, one in zip(batch.records, trades, strict=True):
        if one is None:
            found.append([])
        elif record.record_id in told or record.record_id in fresh:
            kept = [each for each in told.get(record.record_id, ()) if each.source_ref != _PRICE]
            found.append([*kept, *price_reasons(one, past, batch.administration)])
        else:
            found.append(judge(one, past, at=batch.at, administration=batch.administration))
            remember(one, past, at=batch.at)
            fresh[record.record_id] = one
    if fresh:
        _write(past, list(fresh.values()), batch.at)
    return found


def read_past(trades: Sequence[Traded]) -> Past:
    """The statistics that these declarations need, by key."""
    pairs = {(one.importer, one.exporter) for one in trades if one.importer and one.exporter}
    pairs |= {(exporter, importer) for importer, exporter in pairs}
    routes = {route for one in trades for route in routes_of(one)}
    prices = {key for one in trades for key, _, _ in prices_of(one)}
    importers = {one.importer for one in trades if one.importer}
    past = Past()
    for importer, exporter, count, first_at, recent in _rows(TradePair, _PAIR, pairs, ("count", "first_at", "recent")):
        past.pairs[importer, exporter] = Pair(count, first_at, list(recent))
    for chapter, origin, dispatch, office, count in _rows(TradeRoute, _ROUTE, routes, ("count",)):
        past.routes[chapter, origin, dispatch, office] = count
    for hs_code, origin, currency, logs in _rows(TradePrice, _PRICED, prices, ("logs",)):
        past.prices[hs_code, origin, currency] = list(logs)
    for importer, weeks, count in _rows(
        TradeVolume, ("importer",), {(each,) for each in importers}, ("weeks", "count")
    ):
        past.weeks[importer], past.importers[importer] = list(weeks), count
    return past


def habits_held(keys: Iterable[str]) -> dict[str, Habits]:
    """What the past keeps of traders, by `signals.trader_key`; those of whom it keeps nothing are left out."""
    wanted, found = sorted(set(keys)), dict[str, Habits]()
    for start in range(0, len(wanted), _KEYS_AT_ONCE):
        part = wanted[start : start + _KEYS_AT_ONCE]
        pairs = TradePair.objects.filter(Q(importer__in=part) | Q(exporter__in=part)).values_list(*_PAIR, "first_at")
        first: dict[str, list[datetime]] = {}
        for importer, exporter, first_at in pairs:
            for key in {importer, exporter} & set(part):
                first.setdefault(key, []).append(first_at)
        found |= {key: Habits(len(times), min(times)) for key, times in first.items()}
        for importer, count, weeks in TradeVolume.objects.filter(importer__in=part).values_list(*_VOLUME):
            since = found[importer].since if importer in found else _monday(str(weeks[0][0])) if weeks else None
            if since is not None:
                mass = sum(float(kg) for _, _, kg in weeks)
                others = found[importer].partners if importer in found else 0
                found[importer] = Habits(others, since, count, len(weeks), mass)
    return found


def _monday(week: str) -> datetime:
    """The first instant of an ISO week such as 2026-W09."""
    return datetime.strptime(f"{week}-1", "%G-W%V-%u").replace(tzinfo=UTC)


def _rows(
    table: type[Model], names: tuple[str, ...], keys: Iterable[tuple[str, ...]], values: tuple[str, ...]
) -> Iterator[tuple[Any, ...]]:
    """The columns of the key and these values, of the rows that there are."""
    wanted = sorted(keys)
    for start in range(0, len(wanted), _KEYS_AT_ONCE):
        part = wanted[start : start + _KEYS_AT_ONCE]
        if len(names) == 1:
            condition = Q(**{f"{names[0]}__in": [key[0] for key in part]})
        else:
            condition = reduce(or_, (Q(**dict(zip(names, key, strict=True))) for key in part))
        yield from table._default_manager.filter(condition).values_list(*names, *values)


def _write(past: Past, trades: Sequence[Traded], at: datetime) -> None:
    """In the order of their keys, so that two who write the same rows do not wait for each other in a circle."""
    pairs = sorted({(one.importer, one.exporter) for one in trades if one.importer and one.exporter})
    _upsert(
        [
            TradePair(
                importer=importer,
                exporter=exporter,
                count=found.count,
                first_at=found.first_at or at,
                recent=found.recent,
            )
            for importer, exporter in pairs
            for found in (past.pairs[importer, exporter],)
        ],
        _PAIR,
        ("count", "recent"),
    )
    routes = sorted({route for one in trades for route in routes_of(one)})
    _upsert(
        [
            TradeRoute(
                chapter=key[0], origin=key[1], dispatch=key[2], office=key[3], count=past.routes[key], first_at=at
            )
            for key in routes
        ],
        _ROUTE,
        ("count",),
    )
    prices = sorted({key for one in trades for key, _, _ in prices_of(one)})
    _upsert(
        [TradePrice(hs_code=key[0], origin=key[1], currency=key[2], logs=past.prices[key]) for key in prices],
        _PRICED,
        ("logs",),
    )
    importers = sorted({one.importer for one in trades if one.importer})
    _upsert(
        [
            TradeVolume(importer=each, count=past.importers.get(each, 0), weeks=past.weeks.get(each, []))
            for each in importers
        ],
        ("importer",),
        ("count", "weeks"),
    )


def _upsert(rows: Sequence[Any], unique: tuple[str, ...], changing: tuple[str, ...]) -> None:
    if rows:
        type(rows[0])._default_manager.bulk_create(
            rows, update_conflicts=True, unique_fields=list(unique), update_fields=list(changing), batch_size=500
        )


def _assessed(record_ids: Sequence[UUID]) -> set[UUID]:
    known: set[UUID] = set()
    for start in range(0, len(record_ids), _IDS_AT_ONCE):
        rows = Assessment.objects.filter(record_id__in=record_ids[start : start + _IDS_AT_ONCE], is_current=True)
        known |= set(rows.values_list("record_id", flat=True))
    return known


def _told_before(record_ids: Sequence[UUID]) -> dict[UUID, list[FoundReason]]:
    """What was unusual about records when they were first assessed; those that were not are left out."""
    told: dict[UUID, list[FoundReason]] = {record_id: [] for record_id in _assessed(record_ids)}
    known = list(told)
    for start in range(0, len(known), _IDS_AT_ONCE):
        rows = AssessmentReason.objects.filter(
            assessment__record_id__in=known[start : start + _IDS_AT_ONCE],
            assessment__is_current=True,
            source_kind=SourceKind.ANOMALY.value,
        )
        for row in rows.select_related("assessment").order_by("position"):
            told[row.assessment.record_id].append(_reason_of(row))
    return told


def _reason_of(row: AssessmentReason) -> FoundReason:
    return FoundReason(
        source_kind=SourceKind.ANOMALY,
        source_ref=row.source_ref,
        title=row.title,
        text=row.text,
        weight=row.weight,
        lane=Lane(row.lane),
        administration=row.administration,
        risk_type=RiskType(row.risk_type) if row.risk_type else None,
        evidence=tuple(Evidence(**entry) for entry in row.evidence),
    )
