"""Boosted trees asked of many rows at once: a column at a time, with the same answers to the last bit.

LightGBM walks each tree for each row, and waits at each fork for what it could not foresee. Here a column is turned
once into the places of its values among the thresholds of all trees, one byte each; a fork is then one comparison of
bytes for all rows, and the leaf of each row comes out of them without a jump. Sums are made in LightGBM's order.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from comity.risk.bulk.columns import Array
from comity.risk.prediction.heads import Head

# Rows of a block: what is held of each column and leaf then stays in the cache of one core.
_BLOCK = 32_768
# Rows on which answers are compared with those of LightGBM itself before any is given.
_TRIED = 64
_MOST_LEAVES = 255
# What LightGBM takes for 0 in a row, either side (kZeroThreshold).
_NOTHING = float(np.float32(1e-35))
_CATEGORICAL, _DEFAULT_LEFT, _MISSING_SHIFT = 1, 2, 2
_LINKS = {"binary sigmoid:1": "logistic", "tweedie": "exp"}
# Where a value that is missing goes: with the greatest, with the least, or as 0.
Missing = Literal["high", "low", "zero"]
_MISSING: tuple[Missing, ...] = ("high", "low", "zero")
_Column = tuple[int, Missing]


@dataclass(frozen=True, slots=True)
class _Fork:
    """A question: is the value of a column above a threshold. no, yes: a further fork, None for a leaf."""

    column: _Column
    place: Any
    leaves_of_no: Any
    no: _Fork | None
    yes: _Fork | None


@dataclass(frozen=True, slots=True)
class _Tree:
    """A tree. leaves: what each adds, from the left."""

    root: _Fork | None
    leaves: Array


@dataclass(frozen=True, slots=True)
class _Grove:
    """The trees of one booster. link: from their sum to the answer."""

    trees: tuple[_Tree, ...]
    link: str


@dataclass(frozen=True, slots=True)
class Columnwise(Head):
    """A head whose trees are asked column by column. thresholds: of each column; columns: those that trees ask."""

    groves: tuple[_Grove, ...]
    thresholds: Mapping[int, Array]
    columns: frozenset[_Column]

    def ask(self, values: Array) -> Array:
        """The mean answer for each row, as LightGBM gives it."""
        return np.concatenate([self._block(values[at : at + _BLOCK]) for at in range(0, max(1, len(values)), _BLOCK)])

    def _block(self, values: Array) -> Array:
        placed = self._placed(values)
        total = np.zeros(len(values))
        for grove in self.groves:
            total += _answer(grove, placed, len(values))
        return total / len(self.groves)

    def _placed(self, values: Array) -> Mapping[_Column, Array]:
        """The place of each value among the thresholds of its column: how many are below it."""
        placed: dict[_Column, Array] = {}
        for feature, thresholds in self.thresholds.items():
            column = values[:, feature].copy()
            is_missing = np.isnan(column)
            column[is_missing | (np.abs(column) <= _NOTHING)] = 0.0
            places = np.searchsorted(thresholds, column).astype(_kind(thresholds))
            for missing in _MISSING:
                if (feature, missing) in self.columns:
                    placed[feature, missing] = _with_missing(places, is_missing, missing, len(thresholds) + 1)
        return placed


def columnwise(head: Head) -> Head:
    """The same head, asked column by column; as it is where its trees have forms that are not known here."""
    told = [_sections(booster.model_to_string(num_iteration=-1)) for booster in head.boosters]
    thresholds = _thresholds(tree for _, trees in told for tree in trees)
    groves = [_grove(header, trees, thresholds) for header, trees in told]
    known = tuple(grove for grove in groves if grove is not None)
    columns = frozenset(column for grove in known for tree in grove.trees for column in _columns_of(tree.root))
    quick = Columnwise(head.boosters, known, thresholds, columns)
    if len(known) < len(groves):
        return head
    tried = _tried(thresholds, head.boosters[0].num_feature())
    return quick if np.array_equal(quick.ask(tried), head.ask(tried)) else head


def _tried(thresholds: Mapping[int, Array], features: int) -> Array:
    """Rows of what is hard: values at thresholds and just beyond, missing ones, zeros."""
    chance = np.random.default_rng(1)
    rows = np.zeros((_TRIED, features))
    for feature, each in thresholds.items():
        at = chance.choice(each, _TRIED)
        hard = [at, np.nextafter(at, np.inf), np.full(_TRIED, np.nan), np.zeros(_TRIED)]
        rows[:, feature] = np.choose(chance.integers(0, len(hard), _TRIED), hard)
    return rows


def _with_missing(places: Array, is_missing: Array, missing: Missing, beyond: int) -> Array:
    if missing == "zero":
        return places
    return np.where(is_missing, places.dtype.type(beyond if missing == "high" else 0), places)


def _sections(text: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """The header of a model as LightGBM writes it, and its trees, each as its lines."""
    head, *trees = text.split("end of trees", maxsplit=1)[0].split("\nTree=")
    return _lines(head), [_lines(tree) for tree in trees]


def _lines(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _numbers(tree: Mapping[str, str], name: str) -> list[int]:
    return [int(each) for each in tree.get(name, "").split()]


def _thresholds(trees: Iterable[Mapping[str, str]]) -> dict[int, Array]:
    """All thresholds of each column, in order."""
    found: defaultdict[int, set[float]] = defaultdict(set)
    for tree in trees:
        for feature, threshold in zip(_numbers(tree, "split_feature"), tree.get("threshold", "").split(), strict=True):
            found[feature].add(float(threshold))
    return {feature: np.array(sorted(each)) for feature, each in sorted(found.items())}


def _grove(header: Mapping[str, str], trees: list[dict[str, str]], thresholds: Mapping[int, Array]) -> _Grove | None:
    """The trees of a booster; None where one has what is not known here."""
    link = _LINKS.get(header.get("objective", ""))
    grown = [_grown(tree, thresholds) for tree in trees]
    if link is None or header.get("num_class") != "1" or any(tree is None for tree in grown):
        return None
    return _Grove(tuple(tree for tree in grown if tree is not None), link)


def _grown(tree: Mapping[str, str], told: Mapping[int, Array]) -> _Tree | None:
    values = [float(each) for each in tree["leaf_value"].split()]
    kinds = _numbers(tree, "decision_type")
    has_other_forks = any(kind & _CATEGORICAL or kind >> _MISSING_SHIFT == 1 for kind in kinds)
    if has_other_forks or len(values) > _MOST_LEAVES or tree.get("is_linear", "0") != "0":
        return None
    features, no, yes = (_numbers(tree, name) for name in ("split_feature", "left_child", "right_child"))
    at = [float(each) for each in tree.get("threshold", "").split()]
    leaves: list[float] = []

    def fork(number: int) -> _Fork | None:
        if number < 0:
            leaves.append(values[-number - 1])
            return None
        thresholds, before = told[features[number]], len(leaves)
        place = _kind(thresholds)(np.searchsorted(thresholds, at[number]))
        left = fork(no[number])
        on_the_left = np.uint8(len(leaves) - before)
        column = (features[number], _missing(kinds[number]))
        return _Fork(column, place, on_the_left, left, fork(yes[number]))

    root = fork(0 if features else -1)
    return _Tree(root, np.array(leaves))


def _kind(thresholds: Array) -> Any:
    """The narrowest number that holds each place, and one for what is missing."""
    return np.uint8 if len(thresholds) < 255 else np.uint16


def _missing(kind: int) -> Missing:
    if kind >> _MISSING_SHIFT == 0:
        return "zero"
    return "low" if kind & _DEFAULT_LEFT else "high"


def _columns_of(fork: _Fork | None) -> set[_Column]:
    return set() if fork is None else {fork.column, *_columns_of(fork.no), *_columns_of(fork.yes)}


def _answer(grove: _Grove, columns: Mapping[_Column, Array], rows: int) -> Array:
    total = np.zeros(rows)
    for tree in grove.trees:
        leaf = _leaf(tree.root, columns)
        total += tree.leaves[0] if leaf is None else tree.leaves[leaf]
    # The exponential of the C library, as LightGBM takes it: numpy's own differs in the last bit.
    if grove.link == "exp":
        return np.array([math.exp(each) for each in total.tolist()])
    return np.array([1.0 / (1.0 + math.exp(-each)) for each in total.tolist()])


def _leaf(fork: _Fork | None, columns: Mapping[_Column, Array]) -> Any:
    """The number of the leaf of each row, counted from the left; None of a single leaf, which is number 0."""
    if fork is None:
        return None
    found: Any = np.greater(columns[fork.column], fork.place).view(np.uint8)
    no, yes = _leaf(fork.no, columns), _leaf(fork.yes, columns)
    if yes is not None:
        yes += fork.leaves_of_no
        found *= yes
    elif no is not None:
        found *= fork.leaves_of_no
    # Every leaf on the side of yes has a higher number than any on the side of no.
    return found if no is None else np.maximum(found, no, out=found)
