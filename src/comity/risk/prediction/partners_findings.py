"""Partners' outcomes on shared actors, as a node knows them: what their controls found and whom their alerts name.

Each finding and each alert counts once for a key, from the week after it was known here. Keys are those that partners
named, so that a trader who declares here for the first time is met by what was told of him before.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from comity.risk.prediction.arrays import Codebook, Floats, Ints, stacked, weeks_of
from comity.risk.prediction.panels import Panel
from comity.risk.prediction.running import FadingSums, Memory
from comity.risk.prediction.told_findings import COLUMNS, ToldFindings, codes_in
from comity.risk.prediction.worlds import World

# name of a key -> the columns that make it.
KEYS: Mapping[str, tuple[str, ...]] = {
    "importer": ("importer",),
    "exporter": ("exporter",),
    "declarant": ("declarant",),
    "forwarder": ("forwarder",),
    "importer_hs4": ("importer", "hs4"),
    "exporter_hs4": ("exporter", "hs4"),
    "hs6": ("hs6",),
    "hs6_origin": ("hs6", "origin"),
}
MEMORY_WEEKS, LEANING, USUAL_IRREGULAR = 30.0, 3.0, 0.3
# What is summed: controls of which something was told, those that found something, alerts.
FOUND, IRREGULAR, ALERTS, SUMMED = 0, 1, 2, 3


class PartnersFindings:
    """What partners told of actors and goods, for one administration's declarations, week by week."""

    def __init__(self, told: ToldFindings, world: World, panel: Panel) -> None:
        self.books: Mapping[str, Codebook] = told.books or _books_of(told)
        named = _named(told, world, panel)
        codes = [self.books[name].numbers([named[column] for column in columns]) for name, columns in KEYS.items()]
        sizes = [self.books[name].size for name in KEYS]
        self._codes, total = stacked(codes, sizes)
        self._sums = FadingSums(total, SUMMED, half_life=MEMORY_WEEKS)
        self._told = _by_week(told, self.books)
        self.memories: Mapping[str, Memory] = {"sums": self._sums}
        self.names = tuple(f"told_{what}:{key}" for what in ("irregular", "found", "alerts") for key in KEYS)

    def look(self, rows: Ints, week: int) -> Floats:
        """The features of these rows: what was told before this week. A share is not known where nothing was found."""
        sums = self._sums.read(self._codes[rows], week)
        found = sums[..., FOUND]
        shares = (sums[..., IRREGULAR] + LEANING * USUAL_IRREGULAR) / (found + LEANING)
        parts = [np.where(found > 0, shares, np.nan), np.log1p(found), np.log1p(sums[..., ALERTS])]
        return np.concatenate(parts, axis=1)

    def weeks(self) -> list[int]:
        """Every week in which something was told."""
        return sorted(self._told)

    def pass_by(self, week: int) -> None:
        """From `week + 1` on it is known what was told in this week."""
        if week in self._told:
            codes, values = self._told[week]
            self._sums.add(codes, values, week)


def finding_features(told: ToldFindings, world: World, panel: Panel) -> tuple[tuple[str, ...], Floats]:
    """Names and values of what partners found, a row for each declaration of the panel."""
    findings = PartnersFindings(told, world, panel)
    values = np.empty((len(panel), len(findings.names)))
    declared = dict(weeks_of(panel.week))
    for week in sorted({*declared, *findings.weeks()}):
        rows = declared.get(week)
        if rows is not None:
            values[rows] = findings.look(rows, week)
        findings.pass_by(week)
    return findings.names, values


def _books_of(told: ToldFindings) -> dict[str, Codebook]:
    """The combinations that partners named wholly."""
    books = {}
    for name, columns in KEYS.items():
        sizes = [len(told.words[column]) for column in columns]
        whole = np.all([told.codes[column] < size for column, size in zip(columns, sizes, strict=True)], axis=0)
        books[name] = Codebook.of([told.codes[column][whole] for column in columns], sizes)
    return books


def _named(told: ToldFindings, world: World, panel: Panel) -> dict[str, Ints]:
    """The codes of the panel's rows among the words that partners named."""
    found = {}
    for column in COLUMNS:
        own = "hs6" if column == "hs4" else column
        present, place = np.unique(panel.codes[own], return_inverse=True)
        words = [world.words[own][code] for code in present]
        spelled = [word[:4] for word in words] if column == "hs4" else words
        found[column] = codes_in(told.words[column], spelled)[place.reshape(-1)]
    return found


def _by_week(told: ToldFindings, books: Mapping[str, Codebook]) -> dict[int, tuple[Ints, Floats]]:
    """For each week the keys of which something was told, and what: one finding counts once for a key, at first."""
    if not len(told.item):
        return {}
    values = np.stack([~told.is_alert, told.is_irregular, told.is_alert], axis=1).astype(np.float64)
    order = np.argsort(told.week, kind="stable")
    codes, rows, offset = [], [], 0
    for name, columns in KEYS.items():
        book = books[name]
        numbers = book.numbers([told.codes[column] for column in columns])[order]
        known = np.flatnonzero(numbers < len(book.values))
        pairs = np.stack([told.item[order][known], numbers[known]], axis=1)
        first = known[np.unique(pairs, axis=0, return_index=True)[1]]
        codes.append(numbers[first] + offset)
        rows.append(order[first])
        offset += book.size
    code, row = np.concatenate(codes), np.concatenate(rows)
    return {week: (code[some], values[row[some]]) for week, some in weeks_of(told.week[row])}
