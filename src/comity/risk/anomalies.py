"""Reasons of the source ANOMALY: what is unusual beside this node's own past. Pure.

Everything is judged by small running statistics, each of which names its figures: a pair that never traded, a route
that goods of a chapter never took, a price far from the median, a week far above an importer's usual, several small
consignments under a threshold, goods that went out and come back. None of it proves anything, so the weights are
modest; none is said before there is enough of a past to say it from.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median

from comity.common import parse_instant, show_instant
from comity.risk.rules import Lane, SourceKind
from comity.risk.signals import party_key
from comity.risk.values import FoundReason
from comity.risk.wording import Evidence
from comity.trade import Declaration, GoodsItem, Party, RiskType

# How much of a past there must be.
KNOWN_IMPORTER, KNOWN_CHAPTER, KNOWN_PRICES, KNOWN_WEEKS = 5, 30, 12, 6
# What is kept of it.
MOST_PRICES, MOST_WEEKS, MOST_RECENT = 64, 10, 20

_PAIR_WEIGHT, _ROUTE_WEIGHT, _VOLUME_WEIGHT, _SPLIT_WEIGHT, _CIRCLE_WEIGHT = 5.0, 6.0, 8.0, 15.0, 12.0
_PRICE_WEIGHT, _MOST_PRICE_WEIGHT, _PRICE_SLOPE = 10.0, 25.0, 2.0
_FAR = 4.0  # robust deviations
# Two prices are never thought to be closer than this (5 %): many declarations copy one price list.
_LEAST_SPREAD = 0.05
_MAD_TO_SIGMA = 1.4826
_VOLUME_FACTOR = 4.0
_SPLIT_DAYS, _SPLIT_COUNT, _SPLIT_FROM = timedelta(days=7), 3, 0.5
_CIRCLE_REACH = timedelta(days=180)
# Below these a consignment is simplified or free in many places; where it is another amount, a rule profile says so.
SMALL = {"EUR": 150.0, "USD": 800.0, "GBP": 135.0, "CHF": 150.0, "AUD": 1000.0}
SOURCE = SourceKind.ANOMALY


@dataclass(slots=True)
class Pair:
    """What is known of an importer and an exporter. recent: of the last declarations (instant, HS heading, value)."""

    count: int = 0
    first_at: datetime | None = None
    recent: list[list[object]] = field(default_factory=list)


@dataclass(slots=True)
class Past:
    """The statistics that a batch of records needs; `remember` brings them forward.

    pairs: by (importer, exporter). routes: by (chapter, origin, dispatch, office). prices: logarithms by (HS, origin,
    currency). weeks: by importer (week, declarations, kg). importers: how many declarations named each.
    """

    pairs: dict[tuple[str, str], Pair] = field(default_factory=dict)
    routes: dict[tuple[str, str, str, str], int] = field(default_factory=dict)
    prices: dict[tuple[str, str, str], list[float]] = field(default_factory=dict)
    weeks: dict[str, list[list[object]]] = field(default_factory=dict)
    importers: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Traded:
    """What of a declaration the statistics read."""

    importer: str
    exporter: str
    names: tuple[str, str]
    is_import: bool
    office: str
    dispatch: str
    items: tuple[GoodsItem, ...]
    value: float
    currency: str
    mass_kg: float


def traded(declaration: Declaration) -> Traded:
    """What of a declaration the statistics read."""
    importer = declaration.importer or declaration.consignment.consignee
    exporter = declaration.exporter or declaration.consignment.consignor
    prices = [item.item_price for item in declaration.items if item.item_price is not None]
    currencies = {price.currency for price in prices}
    return Traded(
        importer=party_key(importer),
        exporter=party_key(exporter),
        names=(_name(importer), _name(exporter)),
        is_import=not declaration.declaration_type.upper().startswith("EX"),
        office=declaration.office,
        dispatch=declaration.country_dispatch,
        items=declaration.items,
        value=float(sum(price.amount for price in prices)) if len(currencies) == 1 else 0.0,
        currency=next(iter(currencies)) if len(currencies) == 1 else "",
        mass_kg=float(sum(item.net_mass_kg or item.gross_mass_kg or 0 for item in declaration.items)),
    )


def _name(party: Party | None) -> str:
    return (party.name or party.id) if party is not None else ""


def routes_of(one: Traded) -> set[tuple[str, str, str, str]]:
    """The routes of the goods, and for each chapter the empty route under which all of it is counted."""
    found = set()
    for item in one.items:
        chapter = item.hs_code.chapter if item.hs_code else ""
        if chapter and item.origin:
            found |= {(chapter, item.origin, one.dispatch, one.office), (chapter, "", "", "")}
    return found


def prices_of(one: Traded) -> Iterator[tuple[tuple[str, str, str], float, GoodsItem]]:
    """Each goods item that has a price per kg: where it is filed, the logarithm of the price, the item."""
    for item in one.items:
        if item.hs_code is None or not item.origin or item.item_price is None or not item.net_mass_kg:
            continue
        price = float(item.item_price.amount) / float(item.net_mass_kg)
        if price > 0:
            yield (item.hs_code.subheading, item.origin, item.item_price.currency), math.log(price), item


def headings_of(one: Traded) -> list[str]:
    """The HS headings of the goods, each once."""
    return sorted({item.hs_code.heading for item in one.items if item.hs_code})


def week_of(at: datetime) -> str:
    """The ISO week, such as 2026-W09."""
    year, week, _ = at.astimezone(UTC).isocalendar()
    return f"{year:04d}-W{week:02d}"


def judge(one: Traded, past: Past, *, at: datetime, administration: str) -> list[FoundReason]:
    """What is unusual about a declaration beside the past; it is not part of the past yet."""
    found = [*_new_pair(one, past), *_new_routes(one, past), *judge_prices(one, past), *_volume(one, past, at)]
    found += [*_split(one, past, at), *_circle(one, past, at)]
    return [_reason(each, administration) for each in found]


@dataclass(frozen=True, slots=True)
class Unusual:
    """One thing that is unusual: a stable word, the title, the sentence, the weight."""

    word: str
    title: str
    evidence: Evidence
    weight: float
    risk_type: RiskType | None = None


def _reason(found: Unusual, administration: str) -> FoundReason:
    return FoundReason(
        source_kind=SOURCE,
        source_ref=found.word,
        title=found.title,
        text=found.evidence.text,
        weight=found.weight,
        lane=Lane.GREEN,
        administration=administration,
        risk_type=found.risk_type,
        evidence=(found.evidence,),
    )


def price_reasons(one: Traded, past: Past, administration: str) -> list[FoundReason]:
    """Prices alone: of a later version of a declaration only these are judged anew."""
    return [_reason(each, administration) for each in judge_prices(one, past)]


def _new_pair(one: Traded, past: Past) -> Iterator[Unusual]:
    known = past.importers.get(one.importer, 0)
    if not one.importer or not one.exporter or known < KNOWN_IMPORTER or (one.importer, one.exporter) in past.pairs:
        return
    importer, exporter = one.names
    text = f"{importer} has not traded with {exporter} before, in {known} declarations here"
    yield Unusual(
        "first_pair", "First trade of this pair", Evidence(text, "", exporter, "not among", str(known)), _PAIR_WEIGHT
    )


def _new_routes(one: Traded, past: Past) -> Iterator[Unusual]:
    for chapter, origin, dispatch, office in sorted(routes_of(one)):
        known = past.routes.get((chapter, "", "", ""), 0)
        if not origin or known < KNOWN_CHAPTER or past.routes.get((chapter, origin, dispatch, office), 0):
            continue
        way = f"{origin} by {dispatch or '?'} to {office or '?'}"
        text = f"None of {known} consignments of HS chapter {chapter} came from {way} before"
        yield Unusual(
            "new_route",
            "New route for these goods",
            Evidence(text, "origin", way, "not among", str(known)),
            _ROUTE_WEIGHT,
        )
        return


def judge_prices(one: Traded, past: Past) -> Iterator[Unusual]:
    """The price that is farthest from what was usual, where one is far."""
    worst: Unusual | None = None
    for key, log_price, item in prices_of(one):
        logs = past.prices.get(key, [])
        if len(logs) < KNOWN_PRICES:
            continue
        middle = median(logs)
        spread = max(_MAD_TO_SIGMA * median(abs(each - middle) for each in logs), _LEAST_SPREAD)
        far = (log_price - middle) / spread
        if abs(far) < _FAR:
            continue
        weight = min(_MOST_PRICE_WEIGHT, _PRICE_WEIGHT + _PRICE_SLOPE * (abs(far) - _FAR)) * (1.0 if far < 0 else 0.5)
        if worst is None or weight > worst.weight:
            worst = _price(key, (math.exp(log_price), math.exp(middle)), item, (far, len(logs), round(weight, 1)))
    if worst is not None:
        yield worst


def _price(
    key: tuple[str, str, str], prices: tuple[float, float], item: GoodsItem, how: tuple[float, int, float]
) -> Unusual:
    """prices: the item's and the median. how: deviations, records, weight."""
    (hs_code, origin, currency), (own, usual), (far, count, weight) = key, prices, how
    words = "below" if far < 0 else "above"
    text = (
        f"Unit price {own:.2f} {currency}/kg is far {words} the usual {usual:.2f} for HS {hs_code} from {origin}"
        f" (median of {count} goods items; {abs(far):.1f} times the usual spread away)"
    )
    evidence = Evidence(text, "unit_price_per_kg", f"{own:.2f}", f"is far {words}", f"{usual:.2f}", item.item_no)
    return Unusual("price", "Price far from the usual", evidence, weight, RiskType.UNDERVALUATION if far < 0 else None)


def _volume(one: Traded, past: Past, at: datetime) -> Iterator[Unusual]:
    weeks = past.weeks.get(one.importer, []) if one.is_import else []
    this = week_of(at)
    earlier = [float(str(mass)) for week, _, mass in weeks if week != this]
    if len(earlier) < KNOWN_WEEKS:
        return
    usual = median(earlier)
    now = one.mass_kg + sum(float(str(mass)) for week, _, mass in weeks if week == this)
    if usual <= 0 or now < _VOLUME_FACTOR * usual:
        return
    text = (
        f"{one.names[0]} brought in {now:,.0f} kg this week, usually {usual:,.0f} kg (median of {len(earlier)} weeks)"
    )
    evidence = Evidence(text, "", f"{now:,.0f} kg", "is far above", f"{usual:,.0f} kg")
    yield Unusual("volume", "Volume far above the usual", evidence, _VOLUME_WEIGHT)


def _split(one: Traded, past: Past, at: datetime) -> Iterator[Unusual]:
    limit = SMALL.get(one.currency, 0.0)
    pair = past.pairs.get((one.importer, one.exporter))
    if pair is None or not _is_just_under(one.value, limit):
        return
    headings = set(headings_of(one))
    alike = [
        float(str(value))
        for when, heading, value, currency in pair.recent
        if heading in headings
        and currency == one.currency
        and at - parse_instant(str(when)) <= _SPLIT_DAYS
        and _is_just_under(float(str(value)), limit)
    ]
    if len(alike) + 1 < _SPLIT_COUNT:
        return
    whole = sum(alike) + one.value
    text = (
        f"{len(alike) + 1} consignments of this pair and HS heading within {_SPLIT_DAYS.days} days, each just under"
        f" {limit:,.0f} {one.currency}, together {whole:,.2f} {one.currency}"
    )
    evidence = Evidence(text, "item_price", f"{whole:,.2f}", "is above", f"{limit:,.0f}")
    yield Unusual("split", "Consignments that look split", evidence, _SPLIT_WEIGHT, RiskType.UNDERVALUATION)


def _is_just_under(value: float, limit: float) -> bool:
    return _SPLIT_FROM * limit <= value < limit


def _circle(one: Traded, past: Past, at: datetime) -> Iterator[Unusual]:
    """The same parties the other way round, the same goods."""
    back = past.pairs.get((one.exporter, one.importer))
    if back is None or one.importer == one.exporter:
        return
    headings = set(headings_of(one))
    times = [parse_instant(str(when)) for when, heading, *_ in back.recent if heading in headings]
    times = [when for when in times if at - when <= _CIRCLE_REACH]
    if not times:
        return
    importer, exporter = one.names
    text = (
        f"Goods of the same HS heading went from {importer} to {exporter} on {max(times):%Y-%m-%d}; now they come back"
    )
    yield Unusual("circle", "Goods out and back between the same parties", Evidence(text), _CIRCLE_WEIGHT)


def remember(one: Traded, past: Past, *, at: datetime) -> None:
    """Make a declaration part of the past."""
    past.importers[one.importer] = past.importers.get(one.importer, 0) + 1
    if one.importer and one.exporter:
        pair = past.pairs.setdefault((one.importer, one.exporter), Pair(first_at=at))
        pair.count += 1
        now = show_instant(at)
        pair.recent += [[now, heading, one.value, one.currency] for heading in headings_of(one)[:3]]
        del pair.recent[:-MOST_RECENT]
    for route in routes_of(one):
        past.routes[route] = past.routes.get(route, 0) + 1
    for key, log_price, _ in prices_of(one):
        logs = past.prices.setdefault(key, [])
        logs.append(round(log_price, 4))
        del logs[:-MOST_PRICES]
    if one.importer and one.is_import:
        _remember_week(past.weeks.setdefault(one.importer, []), one.mass_kg, week_of(at))


def _remember_week(weeks: list[list[object]], mass_kg: float, this: str) -> None:
    for entry in weeks:
        if entry[0] == this:
            entry[1], entry[2] = int(str(entry[1])) + 1, round(float(str(entry[2])) + mass_kg, 3)
            return
    weeks.append([this, 1, round(mass_kg, 3)])
    weeks.sort(key=lambda entry: str(entry[0]))
    del weeks[:-MOST_WEEKS]
