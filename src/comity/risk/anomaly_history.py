"""The past by which anomalies are judged: small rows, read by key for a batch and brought forward with it.

A declaration becomes part of the past once, with its first assessment and in the same transaction. A later assessment
keeps what was unusual then; of an amended declaration the prices are judged anew. Two processes that bring the same row
forward at once may lose one of the two: a count of hundreds is then one too low, and nothing waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, Q

from comity.intake import StoredRecord
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
T = TypeVar("T")


def anomaly_reasons(batch: Batch) -> list[list[FoundReason]]:
    """For each record what is unusual about it. Reads only; records of one batch see those before them."""
    trades = [traded(record.declaration) if record.declaration else None for record in batch.records]
    if not any(trades):
        return [[] for _ in batch.records]
    told = _told_before([record.record_id for record in batch.records])
    past = read_past([one for one in trades if one is not None])
    found: list[list[FoundReason]] = []
    for record, one in zip(batch.records, trades, strict=True):
        if one is None:
            found.append([])
        elif record.record_id in told:
            kept = [each for each in told[record.record_id] if each.source_ref != _PRICE]
            found.append([*kept, *price_reasons(one, past, batch.administration)])
        else:
            found.append(judge(one, past, at=batch.at, administration=batch.administration))
            remember(one, past, at=batch.at)
    return found


def remember_trade(records: Sequence[StoredRecord], *, at: datetime) -> None:
    """Make the records that are assessed for the first time part of the past; before the assessment is written."""
    known = _assessed([record.record_id for record in records])
    fresh = {record.record_id: record.declaration for record in records if record.record_id not in known}
    trades = [traded(declaration) for declaration in fresh.values() if declaration is not None]
    if trades:
        past = read_past(trades)
        for one in trades:
            remember(one, past, at=at)
        _write(past, trades, at)


def read_past(trades: Sequence[Traded]) -> Past:
    """The statistics that these declarations need, by key."""
    pairs = {(one.importer, one.exporter) for one in trades if one.importer and one.exporter}
    pairs |= {(exporter, importer) for importer, exporter in pairs}
    routes = {route for one in trades for route in routes_of(one)}
    prices = {key for one in trades for key, _, _ in prices_of(one)}
    importers = {one.importer for one in trades if one.importer}
    past = Past()
    for row in _rows(TradePair, ("importer", "exporter"), pairs):
        past.pairs[row.importer, row.exporter] = Pair(row.count, row.first_at, list(row.recent))
    for row in _rows(TradeRoute, ("chapter", "origin", "dispatch", "office"), routes):
        past.routes[row.chapter, row.origin, row.dispatch, row.office] = row.count
    for row in _rows(TradePrice, ("hs_code", "origin", "currency"), prices):
        past.prices[row.hs_code, row.origin, row.currency] = list(row.logs)
    for row in _rows(TradeVolume, ("importer",), {(each,) for each in importers}):
        past.weeks[row.importer], past.importers[row.importer] = list(row.weeks), row.count
    return past


def _rows(table: type[Model], names: tuple[str, ...], keys: Iterable[tuple[str, ...]]) -> Iterable[Any]:
    wanted = sorted(keys)
    for start in range(0, len(wanted), _KEYS_AT_ONCE):
        part = wanted[start : start + _KEYS_AT_ONCE]
        conditions = (Q(**dict(zip(names, key, strict=True))) for key in part)
        yield from table._default_manager.filter(reduce(or_, conditions))


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
                last_at=at,
                recent=found.recent,
            )
            for importer, exporter in pairs
            for found in (past.pairs[importer, exporter],)
        ],
        ("importer", "exporter"),
        ("count", "last_at", "recent"),
    )
    routes = sorted({route for one in trades for route in routes_of(one)})
    _upsert(
        [
            TradeRoute(
                chapter=key[0], origin=key[1], dispatch=key[2], office=key[3], count=past.routes[key], first_at=at
            )
            for key in routes
        ],
        ("chapter", "origin", "dispatch", "office"),
        ("count",),
    )
    prices = sorted({key for one in trades for key, _, _ in prices_of(one)})
    _upsert(
        [
            TradePrice(
                hs_code=key[0], origin=key[1], currency=key[2], count=len(past.prices[key]), logs=past.prices[key]
            )
            for key in prices
        ],
        ("hs_code", "origin", "currency"),
        ("count", "logs"),
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
