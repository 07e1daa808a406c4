"""What really moves: shipments with their goods, prices and the wrong that some of them hide.

A shipment is the truth; declarations and manifests (see papers) are what is said about it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from comity.trade import Party, RiskType, Seal, TransportEquipment
from comity.trade.values import Address
from comity.training.cast import (
    CHEAPER_HEADING,
    EXPORTER,
    EXPORTER_NAMES,
    FORWARDER_NAMES,
    GOODS,
    IMPORTER,
    IMPORTER_NAMES,
    SPORTS_SHOES,
    STORY_CONSIGNEE_NAME,
    STORY_CONSIGNOR_NAME,
    Administration,
    Goods,
)
from comity.training.numbers import container_number

# Shares of shipments that hide something, in a trade where most is in order.
_SCHEMES = (
    (RiskType.COUNTERFEIT, 0.04),
    (RiskType.UNDERVALUATION, 0.05),
    (RiskType.MISCLASSIFICATION, 0.02),
    (RiskType.WRONG_QUANTITY, 0.02),
    (RiskType.FALSE_ORIGIN, 0.01),
)
# One exporter in five is crooked; a shipment of theirs is this many times as likely to hide something.
_CROOKED_FACTOR = 4
_STRAIGHT_FACTOR = 0.25


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of goods in a shipment. value: the true price of the line in USD."""

    goods: Goods
    packages: int
    net_kg: Decimal
    gross_kg: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True)
class Shipment:
    """Goods of one seller for one buyer, and what is wrong with them, if anything."""

    number: int
    ucr: str
    exporter: Party
    importer: Party
    forwarder: Party
    lines: tuple[Line, ...]
    equipment: tuple[TransportEquipment, ...]
    ready_at: datetime
    risk_type: RiskType | None = None


@dataclass(frozen=True, slots=True)
class Traders:
    """Everyone who trades in the made-up world. crooked: ids of exporters who hide things more often."""

    exporters: tuple[Party, ...]
    importers: tuple[Party, ...]
    forwarders: tuple[Party, ...]
    crooked: frozenset[str]
    story_consignor: Party
    story_consignee: Party


def settle_traders(chance: random.Random) -> Traders:
    """The traders of a world: their numbers, towns and tempers come from `chance`."""
    exporters = tuple(_trader(name, EXPORTER, 100 + n, chance) for n, name in enumerate(EXPORTER_NAMES))
    crooked = chance.sample([party.id for party in exporters], k=len(exporters) // 5)
    return Traders(
        exporters=exporters,
        importers=tuple(_trader(name, IMPORTER, 500 + n, chance) for n, name in enumerate(IMPORTER_NAMES)),
        forwarders=tuple(_trader(name, EXPORTER, 800 + n, chance) for n, name in enumerate(FORWARDER_NAMES)),
        crooked=frozenset(crooked),
        story_consignor=_trader(STORY_CONSIGNOR_NAME, EXPORTER, 190, chance),
        story_consignee=_trader(STORY_CONSIGNEE_NAME, IMPORTER, 590, chance),
    )


def draw_shipment(chance: random.Random, traders: Traders, number: int, ready_at: datetime) -> Shipment:
    """An ordinary shipment of the day, straight or not."""
    exporter = chance.choice(traders.exporters)
    risk_type = _draw_wrong(chance, is_crooked=exporter.id in traders.crooked)
    kinds = chance.sample(_wares_for(risk_type), k=chance.choice((1, 1, 1, 2, 3)))
    return Shipment(
        number=number,
        ucr=ucr_of(exporter, number, ready_at),
        exporter=exporter,
        importer=chance.choice(traders.importers),
        forwarder=chance.choice(traders.forwarders),
        lines=tuple(_draw_line(chance, goods) for goods in kinds),
        equipment=_draw_equipment(chance, number),
        ready_at=ready_at,
        risk_type=risk_type,
    )


def draw_story_shipment(chance: random.Random, traders: Traders, number: int, ready_at: datetime) -> Shipment:
    """A shipment of the story: counterfeit sports shoes of the story's consignor."""
    return Shipment(
        number=number,
        ucr=ucr_of(traders.story_consignor, number, ready_at),
        exporter=traders.story_consignor,
        importer=traders.story_consignee,
        forwarder=traders.forwarders[0],
        lines=(_draw_line(chance, SPORTS_SHOES),),
        equipment=_draw_equipment(chance, number),
        ready_at=ready_at,
        risk_type=RiskType.COUNTERFEIT,
    )


def ucr_of(exporter: Party, number: int, ready_at: datetime) -> str:
    """A unique consignment reference: last digit of the year, country and trader, serial (WCO UCR guidelines)."""
    return f"{ready_at.year % 10}{exporter.id}-{ready_at:%m%d}{number:05d}"


def _trader(name: str, home: Administration, serial: int, chance: random.Random) -> Party:
    number = f"{home.code}{serial:03d}{chance.randrange(10**6):06d}"
    street = f"{chance.randrange(1, 200)} {chance.choice(('Mill', 'Quay', 'Station', 'Orchard', 'Foundry'))} Road"
    return Party(number, name, Address(street, chance.choice(home.cities), f"{serial}", home.code))


def _draw_wrong(chance: random.Random, *, is_crooked: bool) -> RiskType | None:
    throw = chance.random() / (_CROOKED_FACTOR if is_crooked else _STRAIGHT_FACTOR)
    for risk_type, share in _SCHEMES:
        if throw < share:
            return risk_type
        throw -= share
    return None


def _wares_for(risk_type: RiskType | None) -> list[Goods]:
    if risk_type is RiskType.COUNTERFEIT:
        return [goods for goods in GOODS if goods.is_branded]
    if risk_type is RiskType.MISCLASSIFICATION:
        return [goods for goods in GOODS if goods.hs in CHEAPER_HEADING]
    return list(GOODS)


def _draw_line(chance: random.Random, goods: Goods) -> Line:
    packages = chance.randrange(20, 400) if goods.kg < 100 else chance.randrange(5, 22)
    net = Decimal(str(round(packages * goods.kg * chance.uniform(0.9, 1.1), 1)))
    gross = (net * Decimal(str(round(chance.uniform(1.04, 1.15), 3)))).quantize(Decimal("0.1"))
    price = Decimal(str(round(chance.uniform(goods.low, goods.high), 4)))
    return Line(goods, packages, net, gross, (net * price).quantize(Decimal("0.01")))


def _draw_equipment(chance: random.Random, number: int) -> tuple[TransportEquipment, ...]:
    count = chance.choice((1, 1, 1, 2))
    first = number * 10 + chance.randrange(5)
    return tuple(
        TransportEquipment(container_number(EXPORTER.owner, first + n), (Seal(f"XA{number:06d}{n}"),))
        for n in range(count)
    )
