"""What models tell of declarations that have just arrived: chance, revenue, and why where the chance is worth it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from comity.risk.prediction.arrays import Floats
from comity.risk.prediction.errors import ModelFileError
from comity.risk.prediction.explaining import Told, explain
from comity.risk.prediction.states import State, live_features
from comity.risk.prediction.training import Model

REASONS = 3


@dataclass(frozen=True, slots=True)
class Why:
    """One family's part of what raises a chance. share: of all that raises it, 0 to 1."""

    family: str
    text: str
    feature: str
    value: float
    usual: float
    share: float


@dataclass(frozen=True, slots=True)
class Word:
    """What a model tells of one declaration. main: its main features, None where not known."""

    chance: float
    revenue: float | None
    main: tuple[float | None, ...]
    why: tuple[Why, ...] = ()


def tell(
    state: State, models: Sequence[Model], rows: Sequence[Mapping[str, object]], *, week: int, least: float
) -> list[list[Word]]:
    """What each model tells of each row. The first model says why, where its chance is at least `least`.

    Explaining takes ten times as long as scoring, so it is done for those alone.
    Raises: ModelFileError where a model asks for other features than this release makes.
    """
    names, known = live_features(state, rows, week=week)
    told = []
    for number, model in enumerate(models):
        values = _picked(names, known, model.names)
        chances = model.chances(values)
        revenues = model.revenues(values, chances)
        places = [model.names.index(str(each["name"])) for each in _main_of(model)]
        wanted = np.flatnonzero(chances >= least) if number == 0 else np.zeros(0, dtype=np.int64)
        why: dict[int, tuple[Why, ...]] = {}
        if len(wanted):
            explained = explain(model.chance, model.names, model.usual, values[wanted], most=len(model.names))
            why = {int(row): _strongest(each) for row, each in zip(wanted, explained, strict=True)}
        told.append(
            [
                Word(
                    chance=float(chances[row]),
                    revenue=None if model.revenue is None else float(revenues[row]),
                    main=tuple(_known(float(values[row, place])) for place in places),
                    why=why.get(row, ()),
                )
                for row in range(len(rows))
            ]
        )
    return told


def _picked(names: Sequence[str], values: Floats, wanted: Sequence[str]) -> Floats:
    """The columns that a model asks for; one without partners' data asks for fewer than are known."""
    if tuple(names) == tuple(wanted):
        return values
    place = {name: number for number, name in enumerate(names)}
    if any(name not in place for name in wanted):
        raise ModelFileError("The model asks for other features than this release makes", remedy="Train anew.")
    return values[:, [place[name] for name in wanted]]


def _main_of(model: Model) -> list[dict[str, object]]:
    main = model.reference.get("main", [])
    return [dict(each) for each in main] if isinstance(main, list) else []


def _known(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None


def _strongest(told: Sequence[Told]) -> tuple[Why, ...]:
    raising = [each for each in told if each.weight > 0]
    total = sum(each.weight for each in raising)
    return tuple(
        Why(each.family, each.text, each.feature, each.value, each.usual, each.weight / total)
        for each in raising[:REASONS]
    )
