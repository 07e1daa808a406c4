"""Forecasts of counts: intervals are the shortest that hold, and as wide as earlier forecasts of this past were off."""

from __future__ import annotations

import math
import random

import pytest

from comity.risk.outlooks import Key, Series, fitted, interval, outlooks

pytestmark = pytest.mark.once


def chances(mean: float, size: float, most: int = 400) -> list[float]:
    """Of the negative binomial, by its own formula."""
    rest = [math.lgamma(count + size) - math.lgamma(size) - math.lgamma(count + 1) for count in range(most)]
    logs = (math.log(size / (size + mean)) * size, math.log(mean / (size + mean)))
    return [math.exp(each + logs[0] + count * logs[1]) for count, each in enumerate(rest)]


@pytest.mark.parametrize(("mean", "size"), [(0.3, 3.0), (0.6, 0.5), (1.0, 8.0), (4.0, 2.0), (30.0, 10.0)])
def test_no_shorter_run_of_counts_holds_as_much(mean: float, size: float) -> None:
    each = chances(mean, size)
    low, high, held = interval(mean, size)
    assert held == pytest.approx(sum(each[low : high + 1]), rel=1e-9)
    assert held >= 0.9
    shorter = high - low
    assert all(sum(each[start : start + shorter]) < 0.9 for start in range(200))


def test_where_nothing_comes_nothing_is_expected() -> None:
    assert interval(0.0, 3.0) == (0, 0, 1.0)


def test_the_spread_is_what_came_of_forecasts() -> None:
    chance = random.Random(5)
    means = [chance.uniform(0.5, 6) for _ in range(1_500)]
    drawn = [_poisson(chance, mean * chance.gammavariate(2.0, 0.5) * 0.8) for mean in means]
    spread = fitted(list(zip(drawn, means, strict=True)))
    assert spread.factor == pytest.approx(0.8, abs=0.06)
    assert 1.5 < spread.size < 2.7
    assert fitted([]).factor == 1.0


def _poisson(chance: random.Random, mean: float) -> int:
    bound, count, product = math.exp(-mean), 0, chance.random()
    while product > bound:
        count, product = count + 1, product * chance.random()
    return count


def world(weeks: int, seed: int = 3) -> dict[Key, Series]:
    """Forty routes of four headings; one brings counterfeits in every third declaration, most hardly any."""
    chance, history = random.Random(seed), {}
    for route in range(40):
        share = 0.3 if route == 7 else 0.02
        declared = [chance.randrange(2, 9) for _ in range(weeks)]
        seen = [chance.randrange(count + 1) for count in declared]
        found = [sum(chance.random() < share for _ in range(count)) for count in seen]
        history[f"640{route % 4}", "XA", f"X{route:02d}"] = Series(declared, seen, found)
    return history


def test_most_is_expected_where_most_was_found_and_intervals_hold() -> None:
    history = world(44)
    told = outlooks(history, first_week=40, weeks=4)
    assert told[0].departure == "X07"
    assert told[0].low > 0
    # What came among the controlled, beside what is expected of all: the share is right where the bound holds for it.
    seen = sum(history["6403", "XA", "X07"].seen[40:])
    assert told[0].share * seen == pytest.approx(0.3 * seen, rel=0.5)
    assert all(one.promised >= 0.9 and one.low <= one.high for one in told)


def test_the_weeks_that_are_told_are_not_looked_at() -> None:
    long, short = (
        world(44),
        {
            key: Series(*(part[:40] for part in (each.declared, each.seen, each.found)))
            for key, each in world(44).items()
        },
    )
    assert outlooks(long, first_week=40, weeks=4) == outlooks(short, first_week=40, weeks=4)


def test_what_is_sampled_is_told_wider_by_the_few_finds_it_rests_on() -> None:
    history = world(44)
    sure = {(one.heading, one.departure): one for one in outlooks(history, first_week=40, weeks=4)}
    sampled = outlooks(history, first_week=40, weeks=4, is_sampled=True)
    assert len({round(one.expected / sure[one.heading, one.departure].expected, 9) for one in sampled}) == 1
    assert all(one.size < sure[one.heading, one.departure].size for one in sampled)
    assert sum(one.high - one.low for one in sampled) > sum(one.high - one.low for one in sure.values())


def test_shares_from_few_controls_are_not_corrected_by_the_luck_of_earlier_ones() -> None:
    """What was found at first and never again: earlier forecasts told too much; from so few nothing follows."""
    few = Series([60] * 40, [1] * 40, [1] * 8 + [0] * 32)
    history: dict[Key, Series] = {("6404", "XA", "XA"): few, ("6404", "XA", "XB"): few}
    corrected, as_found = (outlooks(history, first_week=40, weeks=4, is_sampled=each)[0] for each in (False, True))
    assert corrected.share < 0.9 * as_found.share
    # What was found in its heading and the whole, weighed by age, and nothing else.
    assert fitted([(0, 5.0)] * 8, None).factor == 1.0
    seen = sum(0.5 ** (week / 12) for week in range(40))
    found = sum(0.5 ** (week / 12) for week in range(32, 40))
    whole = (2 * found + 0.5) / (2 * seen + 10)
    heading = (2 * found + 30 * whole) / (2 * seen + 30)
    assert as_found.share == pytest.approx((found + 15 * heading) / (seen + 15))
