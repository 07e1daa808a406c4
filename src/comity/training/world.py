"""A day of made-up trade: XA exports, XB is passed, XC imports. The same seed makes the same day."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType

from comity.trade import Declaration, Manifest, RiskType
from comity.training.cast import EXPORTER, IMPORTER, TRANSIT
from comity.training.papers import Voyage, export_declaration, import_declaration, manifest
from comity.training.shipments import Shipment, draw_shipment, draw_story_shipment, settle_traders
from comity.training.story import Story, story_of

FIRST_DAY = date(2026, 3, 2)
_DAYS_AT_SEA = 5
_PER_VOYAGE = 40
_AFTERNOON_EXPORTS = 6


@dataclass(frozen=True, slots=True)
class Truth:
    """What is really the matter with a consignment; risk_type is None where all is in order."""

    ucr: str
    risk_type: RiskType | None
    consignor_id: str


@dataclass(frozen=True, slots=True)
class Day:
    """Everything that is lodged on a day, and the truth behind it, which no administration sees.

    exports: at XA in the morning. transit: at XB. arrivals: at XC. imports: at XC in the morning.
    afternoon_exports: at XA after noon; the story's second consignment is among them.
    """

    seed: int
    day: date
    exports: tuple[Declaration, ...]
    transit: tuple[Manifest, ...]
    arrivals: tuple[Manifest, ...]
    imports: tuple[Declaration, ...]
    afternoon_exports: tuple[Declaration, ...]
    truth: Mapping[str, Truth]
    story: Story


def day_of_trade(seed: int, size: int, *, day: date = FIRST_DAY) -> Day:
    """A day with `size` consignments beside the story's two; each appears at XA, XB and XC under one UCR.

    Raises: ValueError where size is below 1.
    """
    if size < 1:
        raise ValueError("a day of trade needs at least one consignment")
    chance = random.Random(seed)  # noqa: S311 - a made-up world must come out the same from the same seed
    traders = settle_traders(chance)
    clock = _Clock(day)
    drawn = [draw_shipment(chance, traders, number, clock.exported(number)) for number in range(1, size + 1)]
    first = draw_story_shipment(chance, traders, size + 1, clock.exported(size + 1))
    shipments = (*drawn, first)
    later = [
        draw_shipment(chance, traders, number, clock.afternoon(number))
        for number in range(size + 3, size + 2 + _AFTERNOON_EXPORTS)
    ]
    second = draw_story_shipment(chance, traders, size + 2, clock.afternoon(size + 2))
    late = (second, *later)
    return Day(
        seed=seed,
        day=day,
        exports=tuple(export_declaration(shipment) for shipment in shipments),
        transit=_voyages(shipments, clock, is_transit=True),
        arrivals=_voyages(shipments, clock, is_transit=False),
        imports=tuple(import_declaration(shipment, clock.imported(shipment.number)) for shipment in shipments),
        afternoon_exports=tuple(export_declaration(shipment) for shipment in late),
        truth=_truth_of((*shipments, *late)),
        story=_story(first, second, clock),
    )


@dataclass(frozen=True, slots=True)
class _Clock:
    day: date

    def _at(self, hour: int, number: int, days_before: int = 0) -> datetime:
        start = datetime.combine(self.day - timedelta(days=days_before), time(hour), UTC)
        return start + timedelta(seconds=7 * (number % 1500))

    def exported(self, number: int) -> datetime:
        return self._at(8, number, _DAYS_AT_SEA)

    def imported(self, number: int) -> datetime:
        return self._at(7, number)

    def afternoon(self, number: int) -> datetime:
        return self._at(13, number)


def _voyages(shipments: Sequence[Shipment], clock: _Clock, *, is_transit: bool) -> tuple[Manifest, ...]:
    start, end, days = (EXPORTER, TRANSIT, _DAYS_AT_SEA - 1) if is_transit else (TRANSIT, IMPORTER, 2)
    sails_at = datetime.combine(clock.day - timedelta(days=days), time(18), UTC)
    loads = [shipments[at : at + _PER_VOYAGE] for at in range(0, len(shipments), _PER_VOYAGE)]
    return tuple(manifest(Voyage(n, start, end, sails_at), load) for n, load in enumerate(loads, 1))


def _truth_of(shipments: Sequence[Shipment]) -> Mapping[str, Truth]:
    return MappingProxyType({s.ucr: Truth(s.ucr, s.risk_type, s.exporter.id) for s in shipments})


def _story(first: Shipment, second: Shipment, clock: _Clock) -> Story:
    first_import = import_declaration(first, clock.imported(first.number))
    numbers = (first.ucr, first_import.lrn, second.ucr, export_declaration(second).lrn)
    return story_of(first.exporter, first.importer, numbers)
