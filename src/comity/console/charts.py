"""Small pictures of figures, as the server draws them: points and bars in the units of an SVG. Pure.

Each picture stands beside a table with the same figures; it is hidden from screen readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 360, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 8, 10, 28


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of the grid with what it says. at: where, in units of the picture."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve with the band in which it may lie, its grid, and one point to be seen."""

    line: str
    band: str
    across: tuple[Mark, ...]
    up: tuple[Mark, ...]
    point: tuple[float, float]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    bottom: int = HEIGHT - _BOTTOM


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a chart. width: of at most 100."""

    label: str
    value: float
    width: float
    top: int


def curve_of(points: Sequence[tuple[float, float, float, float]], at: float) -> Curve | None:
    """A curve through (across, up, low, high); None where there is nothing to draw. at: across, of the point to see."""
    most_across = max((each[0] for each in points), default=0.0)
    if len(points) < 2 or most_across <= 0:
        return None
    most_up = max(1.0, *(each[3] for each in points))

    def place(across: float, up: float) -> tuple[float, float]:
        x = _LEFT + (WIDTH - _LEFT - _RIGHT) * across / most_across
        y = HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * up / most_up
        return round(x, 1), round(y, 1)

    def path(places: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{x},{y}" for x, y in places)

    band = [place(x, high) for x, _, _, high in points] + [place(x, low) for x, _, low, _ in reversed(points)]
    seen = min(points, key=lambda each: abs(each[0] - at))
    return Curve(
        line=path([place(x, y) for x, y, _, _ in points]),
        band=path(band),
        across=tuple(Mark(place(value, 0)[0], f"{value:.0f}") for value in _steps(most_across)),
        up=tuple(Mark(place(0, value)[1], f"{value:g}") for value in _steps(most_up)),
        point=place(seen[0], seen[1]),
    )


def bars_of(values: Sequence[tuple[str, float]], most: float) -> tuple[Bar, ...]:
    """A bar for each value, one below the other; what is below nothing has none."""
    return tuple(
        Bar(label, value, round(100 * min(max(value, 0.0), most) / most, 1) if most else 0.0, 18 * number)
        for number, (label, value) in enumerate(values)
    )


def _steps(most: float) -> list[float]:
    """From nothing in three to five round steps."""
    size = 10.0 ** (len(str(int(most))) - 1)
    for part in (0.2, 0.5, 1.0, 2.0, 5.0):
        step = size * part
        if most / step <= 5 and (step >= 1 or most < 2):
            return [step * number for number in range(int(most / step) + 1)]
    return [0.0, most]


@dataclass(frozen=True, slots=True)
class Dot:
    """A point of a picture, as large as it stands for many."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True, slots=True)
class Dots:
    """What was told (across) beside what was found (up), both from 0 to 1, with the line on which they are alike."""

    dots: tuple[Dot, ...]
    across: tuple[Mark, ...]
    up: tuple[Mark, ...]
    diagonal: tuple[float, float, float, float]
    width: int = WIDTH
    height: int = WIDTH
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    bottom: int = WIDTH - _BOTTOM


def dots_of(points: Sequence[tuple[float, float, int]]) -> Dots | None:
    """Points (told, found, how many) in a square up to the highest of both; None where there is nothing to draw."""
    if not points:
        return None
    highest = max(max(told, found) for told, found, _ in points)
    step = next((each for each in (0.05, 0.1, 0.2) if highest <= 4 * each), 0.25)
    most = 4 * step
    many = max(count for _, _, count in points)

    def place(across: float, up: float) -> tuple[float, float]:
        x = _LEFT + (WIDTH - _LEFT - _RIGHT) * across / most
        y = WIDTH - _BOTTOM - (WIDTH - _TOP - _BOTTOM) * up / most
        return round(x, 1), round(y, 1)

    steps = [step * part for part in range(5)]
    return Dots(
        dots=tuple(Dot(*place(told, found), round(3 + 6 * (count / many) ** 0.5, 1)) for told, found, count in points),
        across=tuple(Mark(place(value, 0)[0], f"{100 * value:.0f}") for value in steps),
        up=tuple(Mark(place(0, value)[1], f"{100 * value:.0f}") for value in steps),
        diagonal=(*place(0, 0), *place(most, most)),
    )


@dataclass(frozen=True, slots=True)
class Pillar:
    """What was found in a span of weeks, as a bar from below, and the interval told of it where there was one."""

    text: str
    x: float
    top: float
    tall: float
    middle: float
    whisker: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Pillars:
    """Spans of weeks side by side, the coming one last with its interval alone. point: what is expected of it."""

    pillars: tuple[Pillar, ...]
    point: tuple[float, float]
    up: tuple[Mark, ...]
    wide: float
    width: int = 2 * WIDTH
    height: int = HEIGHT + 20
    left: int = _LEFT
    right: int = 2 * WIDTH - _RIGHT
    bottom: int = HEIGHT + 20 - _BOTTOM


def spans_of(past: Sequence[tuple[str, int, int | None, int | None]], coming: tuple[str, float, int, int]) -> Pillars:
    """Spans gone by (name, found, low, high) and the coming one (name, expected, low, high)."""
    highs = [max(found, high or 0) for _, found, _, high in past]
    most = float(max(4, coming[3], *highs, 0))
    whole, bottom = 2 * WIDTH - _LEFT - _RIGHT, HEIGHT + 20 - _BOTTOM
    step = whole / (len(past) + 1)
    wide = round(step * 0.5, 1)

    def up(value: float) -> float:
        return round(bottom - (bottom - _TOP) * value / most, 1)

    def pillar(place: int, text: str, found: float, told: tuple[int | None, int | None]) -> Pillar:
        middle, (low, high) = round(_LEFT + step * (place + 0.5), 1), told
        whisker = (up(high), up(low)) if low is not None and high is not None else None
        return Pillar(text, round(middle - wide / 2, 1), up(found), round(bottom - up(found), 1), middle, whisker)

    pillars = [pillar(place, text, found, (low, high)) for place, (text, found, low, high) in enumerate(past)]
    last = pillar(len(past), coming[0], 0, (coming[2], coming[3]))
    return Pillars(
        pillars=(*pillars, last),
        point=(last.middle, up(coming[1])),
        up=tuple(Mark(up(value), f"{value:g}") for value in _steps(most)),
        wide=wide,
    )
