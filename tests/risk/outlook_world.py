"""A made-up past of declarations and controls, week by week: some routes bring counterfeits, some undervaluation."""

from __future__ import annotations

import random
from datetime import date, timedelta

from comity.risk.models import RouteWeek
from comity.risk.outlook_rules import KINDS, Past, RoutePast
from comity.risk.outlooks import Key
from comity.trade import RiskType

MONDAY = date(2026, 11, 16)
WEEKS = 40
# heading, origin, dispatch -> declarations a week, share of counterfeits, share of undervaluation
ROUTES = {
    ("6404", "CN", "CN"): (30, 0.10, 0.04),
    ("6404", "VN", "VN"): (12, 0.01, 0.02),
    ("4202", "CN", "HK"): (9, 0.22, 0.05),
    ("4202", "IT", "IT"): (6, 0.01, 0.01),
    ("8517", "CN", "HK"): (20, 0.03, 0.08),
    ("8517", "KR", "KR"): (8, 0.0, 0.01),
    ("6109", "BD", "BD"): (25, 0.01, 0.10),
    ("6109", "TR", "TR"): (14, 0.05, 0.06),
    ("9503", "CN", "CN"): (16, 0.07, 0.05),
    ("3304", "FR", "AE"): (5, 0.12, 0.02),
    ("8708", "DE", "DE"): (18, 0.01, 0.03),
    ("2204", "FR", "FR"): (7, 0.0, 0.02),
}
# Of what is irregular, and of what is not, so much is controlled for a reason; of the rest so much by chance.
CHOSEN, CHOSEN_CLEAN, BY_CHANCE = 0.4, 0.05, 0.06


# By goods and route, and kind: what is irregular in each week, controlled or not.
Known = dict[tuple[Key, RiskType], list[int]]


def past(weeks: int = WEEKS, seed: int = 7, by_chance: float = BY_CHANCE) -> Past:
    """The weeks before MONDAY and, where there are more than WEEKS, after it."""
    return both(weeks, seed, by_chance)[0]


def both(weeks: int, seed: int, by_chance: float = BY_CHANCE) -> tuple[Past, Known]:
    """A past, and all that is irregular in it."""
    routes, first = {}, date.fromordinal(MONDAY.toordinal() - 7 * WEEKS)
    known: Known = {(key, kind): [0] * weeks for key in ROUTES for kind in KINDS}
    for key, (many, counterfeit, undervalued) in ROUTES.items():
        route = routes[key] = RoutePast.empty(weeks)
        chance = random.Random(f"{seed} {key}")
        for week in range(weeks):
            route.declared[week] = chance.randrange(many // 2, many + many // 2 + 1)
            for _ in range(route.declared[week]):
                kind = _declare(chance, route, week, (counterfeit, undervalued, by_chance))
                if kind:
                    known[key, kind][week] += 1
    return Past(first, weeks, routes), known


def _declare(chance: random.Random, route: RoutePast, week: int, shares: tuple[float, float, float]) -> RiskType | None:
    """One declaration, controlled or not. Returns what is irregular about it."""
    drawn = chance.random()
    kind = RiskType.COUNTERFEIT if drawn < shares[0] else RiskType.UNDERVALUATION if drawn < sum(shares[:2]) else None
    if chance.random() < (CHOSEN if kind else CHOSEN_CLEAN):
        route.by_reason[week] += 1
        if kind:
            route.found_by_reason[kind][week] += 1
    elif chance.random() < shares[2]:
        route.by_chance[week] += 1
        if kind:
            route.found_by_chance[kind][week] += 1
    return kind


def keep(known: Past) -> None:
    """The weekly counts of a past, as if they had been counted."""
    rows = []
    for week in range(known.weeks):
        first_day = known.first_day + timedelta(weeks=week)
        rows.append(RouteWeek(first_day=first_day, declared=1))
        for (heading, origin, departure), route in known.routes.items():
            kinds = route.found_by_reason
            rows.append(
                RouteWeek(
                    first_day=first_day,
                    heading=heading,
                    origin=origin,
                    departure=departure,
                    declared=route.declared[week],
                    by_reason=route.by_reason[week],
                    by_chance=route.by_chance[week],
                    found={
                        kind: [route.found_by_reason[kind][week], route.found_by_chance[kind][week]] for kind in kinds
                    },
                )
            )
    RouteWeek.objects.bulk_create(rows)
