"""How much is explored: more where what is found says that the rules fall behind, within stated bounds. Pure.

Two windows are compared, a recent one and the one before it. Two things speak of drift: random controls find more than
they did, so something goes past the rules; and controls by score find less than they did, so what the rules know is
leaving. Neither is believed on few controls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

# The recent window and the one before it, in days.
RECENT_DAYS, BEFORE_DAYS = 28, 84
# Fewer controls in either window measure nothing.
ENOUGH = 20
# Standard normal quantiles: from the first on exploration rises, at the second it is at its bound (one-sided 10 % and
# 0.1 %).
_BEGINS, _FULL = 1.2816, 3.0902
Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Hits:
    """So many controls, and how many of them found something irregular."""

    controls: int = 0
    irregular: int = 0

    @property
    def share(self) -> float:
        """From 0 to 1; 0 where there was no control."""
        return self.irregular / self.controls if self.controls else 0.0


@dataclass(frozen=True, slots=True)
class Window:
    """What was found in a time: by random controls, and by those that risk selected."""

    by_chance: Hits = Hits()
    by_risk: Hits = Hits()


@dataclass(frozen=True, slots=True)
class Exploration:
    """How much of a day is explored beyond what is stated, and what was measured.

    extra: share of the capacity to add. risen, fallen: how far chance found more and risk less, in standard errors;
    None where there are too few controls to say. lift: how much more often risk is right than chance, lately.
    """

    extra: float
    risen: float | None
    fallen: float | None
    lift: float | None

    @property
    def is_measured(self) -> bool:
        """Whether there were controls enough to say anything."""
        return self.risen is not None or self.fallen is not None


def wilson(hits: Hits, z: float = Z95) -> tuple[float, float]:
    """The interval of a share by Wilson's method, 95 % unless said otherwise; 0 to 1 where there was no control."""
    n = hits.controls
    if not n:
        return 0.0, 1.0
    middle = (hits.share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(hits.share * (1 - hits.share) / n + z * z / (4 * n**2))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def rise(before: Hits, after: Hits) -> float | None:
    """By how many standard errors a share rose between two windows; None where either has too few controls."""
    if min(before.controls, after.controls) < ENOUGH:
        return None
    pooled = (before.irregular + after.irregular) / (before.controls + after.controls)
    error = math.sqrt(pooled * (1 - pooled) * (1 / before.controls + 1 / after.controls))
    return (after.share - before.share) / error if error else 0.0


def explore(*, stated: float, at_most: float, before: Window, recent: Window, model_drift: float = 0.0) -> Exploration:
    """How much to add to the stated exploration: nothing without drift, up to the bound where it is beyond doubt.

    It never falls below what is stated: what is not looked at cannot be seen to change. model_drift: how far the
    watch on the champion asks for it, 0 to 1; the stronger of both signs counts.
    """
    risen = rise(before.by_chance, recent.by_chance)
    fallen = rise(recent.by_risk, before.by_risk)
    strongest = max((z for z in (risen, fallen) if z is not None), default=0.0)
    degree = min(1.0, max(0.0, (strongest - _BEGINS) / (_FULL - _BEGINS)))
    extra = round(max(0.0, at_most - stated) * max(degree, min(1.0, model_drift)), 4)
    lift = recent.by_risk.share / recent.by_chance.share if recent.by_chance.irregular else None
    return Exploration(extra, risen, fallen, lift)


def whole_trade(*, certain: Hits, rest: int, by_chance: Hits) -> tuple[float, float, float]:
    """How much of the whole trade is irregular: middle, low, high.

    certain: what was selected for a reason, and so looked at. rest: how many were left to chance; by_chance: those of
    them that chance had looked at. Chance speaks for the rest alone; the certain ones are known.
    """
    total = certain.controls + rest
    if not total:
        return 0.0, 0.0, 1.0
    low, high = wilson(by_chance)
    middle, low, high = ((certain.irregular + rest * share) / total for share in (by_chance.share, low, high))
    return middle, low, high
