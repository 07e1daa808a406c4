"""How good models were on controlled records, and how far trade has moved from what one learned. Pure, small figures.

Shift is the population stability index (PSI, as in credit scoring: Siddiqi 2006) over the tenths of training, less what
chance alone makes of so few rows: its expectation without any shift is (bins - 1) x (1/recent + 1/reference).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise

from comity.risk.modelling.values import Comparison, Judged, ReliabilityRow, Shift

# Of the controlled records that both scored, this share counts as ranked highest.
TOP_SHARE = 0.2
EDGES = (0.0, 0.01, 0.03, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
# Fewer recent declarations, or controls, say nothing of drift.
ENOUGH_ROWS, ENOUGH_CONTROLS = 200, 50
MOVING, CHANGED = 0.10, 0.25
Z_MOVING, Z_CHANGED = 2.0, 3.0
_LEAST_SHARE = 1e-4


def compare(pairs: Sequence[tuple[float, float, bool]], champion: str, challenger: str) -> Comparison:
    """Both models on the same records. pairs: the champion's chance, the challenger's, whether it was irregular."""
    hits = [hit for _, _, hit in pairs]
    return Comparison(
        controls=len(pairs),
        irregular=sum(hits),
        top=top_of(len(pairs)),
        champion=judge(champion, [chance for chance, _, _ in pairs], hits),
        challenger=judge(challenger, [chance for _, chance, _ in pairs], hits),
    )


def judge(model_id: str, chances: Sequence[float], hits: Sequence[bool]) -> Judged:
    """A model's figures on records that were controlled."""
    count = len(hits)
    return Judged(
        model_id=model_id,
        average_precision=average_precision(chances, hits),
        hit_rate=_hit_rate(chances, hits),
        told=sum(chances) / count if count else 0.0,
        found=sum(hits) / count if count else 0.0,
        rows=reliability(chances, hits),
    )


def top_of(count: int) -> int:
    """How many of so many records count as ranked highest."""
    return math.ceil(round(TOP_SHARE * count, 9))


def _hit_rate(chances: Sequence[float], hits: Sequence[bool]) -> float | None:
    top = top_of(len(hits))
    order = sorted(range(len(hits)), key=lambda place: (-chances[place], place))
    return sum(hits[place] for place in order[:top]) / top if top else None


def average_precision(chances: Sequence[float], hits: Sequence[bool]) -> float | None:
    """The mean of the precision at each hit, equal chances standing at one place; None where nothing was found."""
    total = sum(hits)
    if not total:
        return None
    seen, found, area = 0, 0, 0.0
    ranked = sorted(zip(chances, hits, strict=True), key=lambda each: -each[0])
    for _, group in groupby(ranked, key=lambda each: each[0]):
        rows = [hit for _, hit in group]
        seen, found = seen + len(rows), found + sum(rows)
        area += sum(rows) / total * found / seen
    return area


def reliability(chances: Sequence[float], hits: Sequence[bool]) -> tuple[ReliabilityRow, ...]:
    """The reliability table; bands without a record are left out."""
    rows = []
    for low, high in pairwise(EDGES):
        inside = [
            place for place, chance in enumerate(chances) if low <= chance < high or (high == EDGES[-1] == chance)
        ]
        if inside:
            told = sum(chances[place] for place in inside) / len(inside)
            rows.append(
                ReliabilityRow(low, high, len(inside), told, sum(hits[place] for place in inside) / len(inside))
            )
    return tuple(rows)


def shift_of(name: str, values: Sequence[float | None], reference: Mapping[str, object]) -> Shift:
    """How far recent values lie from the tenths of training. A value that is not known has a place of its own."""
    edges = [float(str(edge)) for edge in _list(reference.get("edges"))]
    shares = [float(str(share)) for share in _list(reference.get("shares"))]
    if len(values) < ENOUGH_ROWS or len(shares) != len(edges) + 2:
        return Shift(name, 0.0, len(values), "too_few")
    counts = [0] * len(shares)
    for value in values:
        counts[-1 if value is None else bisect_left(edges, round(value, 6))] += 1
    index = 0.0
    for count, share in zip(counts, shares, strict=True):
        now, then = max(count / len(values), _LEAST_SHARE), max(share, _LEAST_SHARE)
        index += (now - then) * math.log(now / then)
    rows = max(int(float(str(reference.get("rows", 0) or 0))), 1)
    bins = sum(share > 0 for share in shares)
    index = max(0.0, index - (bins - 1) * (1 / len(values) + 1 / rows))
    return Shift(name, round(index, 4), len(values), level_of(index))


def level_of(index: float) -> str:
    """In a word how much a shift means: steady, moving or changed."""
    return "changed" if index >= CHANGED else "moving" if index >= MOVING else "steady"


def off_by(chances: Sequence[float], hits: Sequence[bool]) -> float | None:
    """By how many standard errors controls found more than was told; below 0: less. None where they are too few."""
    spread = math.sqrt(sum(chance * (1 - chance) for chance in chances))
    if len(hits) < ENOUGH_CONTROLS or not spread:
        return None
    return (sum(hits) - sum(chances)) / spread


def verdict_of(shifts: Sequence[Shift], z: float | None) -> tuple[str, float]:
    """The watch's word on all of it, and how much of it exploration should follow, 0 to 1.

    Changed: the chances themselves moved, or two main features did, or controls find clearly other than was told.
    """
    chance = next((shift for shift in shifts if shift.name == "chance"), None)
    others = [shift for shift in shifts if shift.name != "chance"]
    away = abs(z) if z is not None else 0.0
    moved = sum(shift.level == "changed" for shift in others)
    degree = max(
        _between(chance.index if chance and chance.level != "too_few" else 0.0, MOVING, 2 * CHANGED),
        _between(away, Z_MOVING, 2 * Z_MOVING),
        0.5 if moved > 1 else 0.0,
    )
    if (chance is not None and chance.level == "changed") or moved > 1 or away >= Z_CHANGED:
        return "changed", round(degree, 4)
    if any(shift.level in ("moving", "changed") for shift in shifts) or away >= Z_MOVING:
        return "moving", round(degree, 4)
    if all(shift.level == "too_few" for shift in shifts) and z is None:
        return "too_few", 0.0
    return "steady", 0.0


def _between(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []
