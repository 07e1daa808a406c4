"""What so many inspections would find: yields of score bands from past controls, with their uncertainty. Pure.

A band's yield is Beta-distributed: what was found in it, beside what all bands together found, worth two controls. With
no history at all it is Beta(1, 1), of which the interval says that nothing is known. Bands are exchangeable, the draw
within one is not; so the interval of a sum of bands adds their variances as independent ones, and that of the
consignments within them.

Expected revenue is told of each record by the champion model, chance and amount together; here it is only added up, and
counted of how many it was told. It has no interval: the model tells none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from comity.risk.exploring import Z95, Hits

# Bounds of the score bands, the lowest first; the last one takes in 100.
BANDS = (0, 20, 40, 60, 80, 100)
# What all bands together say of one of them counts as so many controls.
PRIOR_CONTROLS = 2.0
# Fewer controls in all, and a page must say that its figures are little more than a guess.
FEW = 30


class RevenueSilence(StrEnum):
    """Why no expected revenue is told of any record: no model is champion, or the champion learned no amounts."""

    NO_CHAMPION = "no_champion"
    NO_AMOUNTS = "no_amounts"


@dataclass(frozen=True, slots=True)
class RevenueBasis:
    """Whether the champion tells expected revenues, and in which currency; empty where what it learned from named none.

    silence: why it tells none.
    """

    silence: RevenueSilence | None = RevenueSilence.NO_CHAMPION
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Yield:
    """What a control in a band of scores finds. alpha, beta: of its Beta distribution."""

    low: int
    high: int
    hits: Hits
    alpha: float
    beta: float

    @property
    def mean(self) -> float:
        """The share of controls that find something, as far as is known."""
        return self.alpha / (self.alpha + self.beta)

    @property
    def variance(self) -> float:
        """Of the share, not of one control."""
        total = self.alpha + self.beta
        return self.alpha * self.beta / (total * total * (total + 1))

    @property
    def interval(self) -> tuple[float, float]:
        """Where the share lies with 95 %."""
        return beta_quantile(0.025, self.alpha, self.beta), beta_quantile(0.975, self.alpha, self.beta)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that waits. value: declared, in the currency of comparison; None where unknown.

    revenue: what the champion expects of a control of it; None where it told nothing.
    """

    score: float
    is_mandatory: bool
    office: str
    control: str
    critical: float = 0.0
    value: float | None = None
    revenue: float | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What so many inspections would find. critical: of them goods that do harm; value: declared, of what is irregular.

    low, high: of the hits, 95 %. without_value: how many of the inspected ones declare no comparable value.
    revenue: what the champion expects of those of which it told anything, with_revenue of them; None where of none.
    """

    inspections: int
    hits: float
    low: float
    high: float
    critical: float
    value: float
    without_value: int
    revenue: float | None = None
    with_revenue: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the inspections: at an office, or of a kind of control, or both. revenue: as for all of them."""

    office: str
    control: str
    inspections: int
    hits: float
    revenue: float | None = None
    with_revenue: int = 0


@dataclass(frozen=True, slots=True)
class Forecast:
    """What so many inspections would find, in all and by office and kind, and what fewer or more of them would.

    controls: how many past ones it rests on. waiting: how many records there are. curve: from none to all of them.
    basis: of the expected revenues.
    """

    expected: Expected
    parts: tuple[Share, ...]
    curve: tuple[Expected, ...]
    yields: tuple[Yield, ...]
    controls: int
    waiting: int
    basis: RevenueBasis = RevenueBasis()

    @property
    def with_revenue(self) -> int:
        """Of how many of all that wait the champion told an expected revenue."""
        return self.curve[-1].with_revenue

    @property
    def is_guess(self) -> bool:
        """Whether there is so little history that the figures are hardly more than a guess."""
        return self.controls < FEW


def band_of(score: float) -> int:
    """The number of the band of a score."""
    return min(sum(score >= bound for bound in BANDS[1:]), len(BANDS) - 2)


def yields_of(outcomes: Mapping[int, Hits]) -> tuple[Yield, ...]:
    """The yield of each band. outcomes: what was found in the bands that have a history."""
    controls = sum(hits.controls for hits in outcomes.values())
    irregular = sum(hits.irregular for hits in outcomes.values())
    base = (1 + irregular) / (2 + controls)
    # Without any history the prior is flat.
    alpha, beta = (base * PRIOR_CONTROLS, (1 - base) * PRIOR_CONTROLS) if controls else (1.0, 1.0)
    found = []
    for number, (low, high) in enumerate(pairwise(BANDS)):
        hits = outcomes.get(number, Hits())
        found.append(Yield(low, high, hits, alpha + hits.irregular, beta + hits.controls - hits.irregular))
    return tuple(found)


def in_order(candidates: Iterable[Candidate]) -> list[Candidate]:
    """As they would be selected: mandatory ones first, then by score."""
    return sorted(candidates, key=lambda each: (not each.is_mandatory, -each.score))


def forecast(
    candidates: Sequence[Candidate],
    yields: Sequence[Yield],
    inspections: int,
    steps: int = 20,
    basis: RevenueBasis = RevenueBasis(),
) -> Forecast:
    """What the first so many of these records would yield, and the whole curve in so many steps."""
    ordered = in_order(candidates)
    wanted = min(max(0, inspections), len(ordered))
    marks = sorted({0, wanted, len(ordered), *(len(ordered) * step // steps for step in range(1, steps))})
    sums = _running(ordered, yields, marks)
    return Forecast(
        expected=sums[wanted],
        parts=_parts(ordered[:wanted], yields),
        curve=tuple(sums[mark] for mark in marks),
        yields=tuple(yields),
        controls=sum(each.hits.controls for each in yields),
        waiting=len(ordered),
        basis=basis,
    )


def _running(ordered: Sequence[Candidate], yields: Sequence[Yield], marks: Sequence[int]) -> dict[int, Expected]:
    counts = [0] * len(yields)
    critical = value = revenue = 0.0
    unknown = told = 0
    found: dict[int, Expected] = {}
    wanted = set(marks)
    if 0 in wanted:
        found[0] = _expected(counts, yields, (0.0, 0.0, 0, None, 0))
    for number, each in enumerate(ordered, start=1):
        band = band_of(each.score)
        counts[band] += 1
        mean = yields[band].mean
        critical += mean * (each.critical / each.score if each.score else 0.0)
        value += mean * (each.value or 0.0)
        unknown += each.value is None
        revenue += each.revenue or 0.0
        told += each.revenue is not None
        if number in wanted:
            sums = (critical, value, unknown, revenue if told else None, told)
            found[number] = _expected(counts, yields, sums)
    return found


def _expected(
    counts: Sequence[int], yields: Sequence[Yield], sums: tuple[float, float, int, float | None, int]
) -> Expected:
    mean = variance = 0.0
    for count, each in zip(counts, yields, strict=True):
        mean += count * each.mean
        # A beta-binomial: the chance within the consignments, and what is not known of the band's share.
        variance += count * each.mean * (1 - each.mean) + count * (count - 1) * each.variance
    reach = Z95 * math.sqrt(max(0.0, variance))
    total = sum(counts)
    return Expected(total, mean, max(0.0, mean - reach), min(float(total), mean + reach), *sums)


def _parts(chosen: Iterable[Candidate], yields: Sequence[Yield]) -> tuple[Share, ...]:
    found: dict[tuple[str, str], list[Candidate]] = {}
    for each in chosen:
        found.setdefault((each.office, each.control), []).append(each)
    return tuple(_share(*place, found[place], yields) for place in sorted(found))


def _share(office: str, control: str, chosen: Sequence[Candidate], yields: Sequence[Yield]) -> Share:
    told = [each.revenue for each in chosen if each.revenue is not None]
    hits = sum(yields[band_of(each.score)].mean for each in chosen)
    return Share(office, control, len(chosen), hits, sum(told) if told else None, len(told))


def beta_quantile(p: float, alpha: float, beta: float) -> float:
    """Where a Beta distribution has the share p below it, to nine decimals, by halving."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        if beta_below(middle, alpha, beta) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def beta_below(x: float, alpha: float, beta: float) -> float:
    """The share of a Beta distribution below x: the regularised incomplete beta function (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (alpha + 1) / (alpha + beta + 2):
        return 1 - beta_below(1 - x, beta, alpha)
    front = math.exp(
        math.lgamma(alpha + beta) - math.lgamma(alpha) - math.lgamma(beta) + alpha * math.log(x) + beta * math.log1p(-x)
    )
    return front / (alpha * _fraction(x, alpha, beta))


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    tiny = 1e-300
    value, c, d = 1.0, 1.0, 0.0
    for m in range(200):
        for odd in (False, True):
            if odd:
                step = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            else:
                step = 1.0 if m == 0 else m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            if m == 0 and not odd:
                continue
            d = 1 / ((1 + step * d) or tiny)
            c = (1 + step / c) or tiny
            value *= c * d
        if abs(c * d - 1) < 1e-12:
            break
    return value


def learning_order(scores: Sequence[float], yields: Sequence[Yield]) -> list[int]:
    """The places of these scores, those of the least known band first; the order within a band stays."""
    widths = [high - low for low, high in (each.interval for each in yields)]
    return sorted(range(len(scores)), key=lambda place: -widths[band_of(scores[place])])
