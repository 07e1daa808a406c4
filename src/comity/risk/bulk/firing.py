"""Many rules over Arrow batches. The seam: batches of facts in, batches of (declaration, rule) out.

What fires is what `expression_index.RuleSet` fires row by row; a contract test holds the two together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from comity.risk.bulk.columns import Array, check_columns, kept_columns
from comity.risk.bulk.orders import BATCH_ROWS, RULE
from comity.risk.bulk.probes import Probes, SortedSheet, Start
from comity.risk.bulk.sheet import Sheet
from comity.risk.errors import FactError
from comity.risk.expression_index import cost_of, demand_of, parts_of
from comity.risk.expression_tree import Column, Condition, IsNull, Node, Rule, ValueType, values_of
from comity.risk.expression_types import column_types


@dataclass(frozen=True, slots=True)
class _Plan:
    """A rule taken apart. parts: the number of each, by which what it leaves is remembered; exact: by that number."""

    place: int
    starts: list[Start]
    parts: list[tuple[int, Condition]]
    exact: Mapping[int, Start]


class BulkRules:
    """Rules made ready for batches. refs: what the table of hits calls them; keys: columns that name a row there."""

    def __init__(
        self, rules: Sequence[tuple[str, Rule]], schema: Mapping[str, str], *, keys: Sequence[str] = ()
    ) -> None:
        self._made_of = (list(rules), {name: str(word) for name, word in schema.items()}, keys)
        used = frozenset[str]().union(*(rule.columns for _, rule in rules))
        self.keys = tuple(keys)
        self.types = {name: type_ for name, type_ in column_types(schema).items() if name in used}
        self._refs = pa.array([ref for ref, _ in rules], pa.string())
        self._numbers: dict[int, int] = {}
        self._nodes: list[Node] = []  # keeps them alive: they are known by their identity
        counted: Counter[int] = Counter()
        known: dict[Node, int] = {}
        for _, rule in rules:
            counted.update(self._number(rule.condition, known))
        self._shared = frozenset(number for number, count in counted.items() if count > 1)
        probes = Probes()
        self._plans = [self._plan(place, rule, probes) for place, (_, rule) in enumerate(rules)]
        self._probes = probes.probes
        self._left: dict[int, list[int]] = {}

    def __reduce__(self) -> tuple[object, ...]:
        """Made again where it is sent to: its parts are known by their identity, which does not travel."""
        rules, schema, keys = self._made_of
        return _make_again, (rules, schema, keys)

    def __len__(self) -> int:
        return len(self._plans)

    def columns(self, schema: Any) -> list[str]:
        """The columns of a table that must be read."""
        return kept_columns([*self.types, *self.keys], schema)

    @property
    def texts(self) -> list[str]:
        """The columns of text whose distinct values matter: all but those that are only asked whether they are NULL."""
        compared = {
            child.name
            for node in self._nodes
            if not isinstance(node, IsNull)
            for child in values_of(node)
            if isinstance(child, Column) and child.type is ValueType.TEXT
        }
        return sorted(compared)

    def check(self, schema: Any) -> None:
        """Refuse a table that lacks a column or has one of another type.

        Raises: FactError.
        """
        check_columns(schema, self.types)
        absent = [key for key in self.keys if key not in schema.names]
        if absent:
            raise FactError(
                "The table lacks the column that names its rows",
                where=", ".join(absent),
                remedy="Say which column does: --key NAME.",
            )

    def output(self, schema: Any) -> Any:
        """The columns of the table of hits, for a table of facts."""
        keys = [pa.field(key, _plain(schema.field(key).type)) for key in self.keys]
        return pa.schema([*keys, pa.field(RULE, pa.dictionary(pa.int32(), pa.string()))])

    def fired(self, batch: Any, *, first_row: int = 0) -> tuple[Array, Array]:
        """Rows of a batch and places of the rules that are true there, by row and then by rule.

        Raises: FactError for NaN and infinity.
        """
        sheet = Sheet(batch, self.types, first_row=first_row).share(self._numbers, self._shared)
        for name, type_ in self.types.items():
            if type_ is ValueType.NUMBER:
                sheet.column(name)  # NaN and infinity are refused, whether or not a rule comes to look at them
        sorted_sheet = SortedSheet(self._probes, sheet)
        hits = []
        width = max(1, len(self._plans))
        for plan in self._plans:
            rows = self._rows(plan, sheet, sorted_sheet)
            if len(rows):
                hits.append(rows.astype(np.int64) * width + plan.place)
        keys = np.sort(np.concatenate(hits)) if hits else np.empty(0, np.int64)
        rows, places = np.divmod(keys, width)
        return rows, places.astype(np.int32)

    def hits(self, batch: Any, *, first_row: int = 0) -> Any:
        """The hits of a batch as a batch: the keys of the row, and the rule.

        Raises: FactError for NaN, infinity, and a row without a key.
        """
        rows, places = self.fired(batch, first_row=first_row)
        columns = []
        for key in self.keys:
            column = batch.column(key)
            if column.null_count:
                absent = int(np.argmax(np.asarray(column.is_null().to_numpy(zero_copy_only=False))))
                raise FactError("A row has no key", where=f"row {first_row + absent + 1:,}, {key}")
            columns.append(column.take(pa.array(rows)).cast(_plain(column.type)))
        rules = pa.DictionaryArray.from_arrays(pa.array(places), self._refs)
        return pa.RecordBatch.from_arrays([*columns, rules], schema=self.output(batch.schema))

    def _rows(self, plan: _Plan, sheet: Sheet, sorted_sheet: SortedSheet) -> Array:
        best = sorted_sheet.candidates(plan.starts)
        rest = plan.parts
        rows: Array | None = None
        if best is not None:
            if best.count == 0:
                return np.empty(0, np.int32)
            rows = sorted_sheet.rows(best)
            if best.start.is_exact:
                rest = [part for part in rest if part[1] is not best.start.part]
        for number, part in sorted(rest, key=self._urgency) if len(rest) > 1 else rest:
            start = plan.exact.get(number)
            if rows is not None and start is not None:
                mask = sorted_sheet.hold(start, rows)
            else:
                mask = sheet.mask(part, rows)
            before = sheet.size if rows is None else len(rows)
            rows = np.flatnonzero(mask).astype(np.int32) if rows is None else rows[mask]
            left = self._left.setdefault(number, [0, 0])
            left[0] += before
            left[1] += len(rows)
            if not len(rows):
                break
        return np.arange(sheet.size, dtype=np.int32) if rows is None else rows

    def _urgency(self, part: tuple[int, Condition]) -> float:
        """Cheap parts that leave little go first. No part can fail, so the order changes no answer."""
        number, condition = part
        seen, left = self._left.get(number, (0, 0))
        likely = 0.05 if demand_of(condition) else 0.5
        share = (left + likely * 100) / (seen + 100)
        return cost_of(condition) / max(1e-6, 1 - share)

    def _plan(self, place: int, rule: Rule, probes: Probes) -> _Plan:
        parts = [(self._numbers[id(part)], part) for part in parts_of(rule)]
        starts = probes.starts_of(rule)
        exact = {self._numbers[id(start.part)]: start for start in starts if start.is_exact}
        return _Plan(place, starts, parts, exact)

    def _number(self, node: Node, known: dict[Node, int]) -> list[int]:
        """Number a tree, equal nodes alike; returns the numbers that it holds."""
        number = known.setdefault(node, len(known))
        self._numbers[id(node)] = number
        self._nodes.append(node)
        return [number, *(inner for child in values_of(node) for inner in self._number(child, known))]


def fire(
    rules: BulkRules, batches: Iterable[Any], *, batch_rows: int = BATCH_ROWS, first_row: int = 0
) -> Iterator[Any]:
    """Batches of facts in, batches of hits out; one for each batch that was read, empty where nothing fired.

    Batches are cut and joined to a good size first. first_row: the number of the first row, for messages.
    Raises: FactError where a column is missing or of another type, for NaN, infinity, and a row without a key.
    """
    for batch in rebatched(batches, batch_rows):
        rules.check(batch.schema)
        yield rules.hits(batch, first_row=first_row)
        first_row += batch.num_rows


def rebatched(batches: Iterable[Any], batch_rows: int) -> Iterator[Any]:
    """The same rows in batches of a stated size, the last one smaller."""
    waiting: list[Any] = []
    count = 0
    for batch in batches:
        start = 0
        while batch.num_rows - start >= batch_rows - count:
            taken = batch_rows - count
            yield _joined([*waiting, batch.slice(start, taken)])
            waiting, count, start = [], 0, start + taken
        if start < batch.num_rows:
            waiting.append(batch.slice(start))
            count += batch.num_rows - start
    if waiting:
        yield _joined(waiting)


def _make_again(rules: Sequence[tuple[str, Rule]], schema: Mapping[str, str], keys: Sequence[str]) -> BulkRules:
    return BulkRules(rules, schema, keys=keys)


def _joined(batches: list[Any]) -> Any:
    if len(batches) == 1:
        return batches[0]
    table = pa.Table.from_batches(batches).combine_chunks()
    return pa.RecordBatch.from_arrays([_whole(column) for column in table.columns], schema=table.schema)


def _whole(column: Any) -> Any:
    chunks = column.unify_dictionaries().chunks
    return chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)


def _plain(type_: Any) -> Any:
    return type_.value_type if pa.types.is_dictionary(type_) else type_
