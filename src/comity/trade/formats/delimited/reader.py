"""CSV files into records by a declared column mapping. Rows that share a reference are one record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from comity.trade.codes import HSList, check_hs
from comity.trade.formats import assembly as parts
from comity.trade.formats.assembly import Flat
from comity.trade.formats.checks import check_declaration, check_reference
from comity.trade.formats.delimited.fields import LISTS, Field, Kind
from comity.trade.formats.delimited.mapping import ColumnMapping
from comity.trade.formats.delimited.rows import Row, read_rows
from comity.trade.formats.leaves import LeafError, count_of, mass_kg_of, moment_of, number_of, quantity_of, text_of
from comity.trade.formats.reading import DEFAULT_LIMIT_BYTES, Reading, error_of, refused, warning_of
from comity.trade.records import Declaration, Manifest
from comity.trade.values import Money, Problem, Quantity, Seal, Severity, Unread

MAX_ROWS_OF_RECORD = 10_000
_MONEY = frozenset(["invoice_amount", "item_price", "statistical_value"])
_BUILDERS: Mapping[str, Callable[[Flat], Any]] = {
    **dict.fromkeys(["declarant", "exporter", "importer", "carrier", "consignor", "consignee"], parts.build_party),
    **dict.fromkeys(["place_loading", "place_unloading", "goods_location"], parts.build_place),
    **dict.fromkeys(["documents", "previous_documents", "authorisations", "guarantees"], parts.build_document),
    "additional_information": parts.build_statement,
    "packages": parts.build_packaging,
    "transport_equipment": parts.build_equipment,
}


@dataclass(frozen=True, slots=True)
class _Scope:
    """Fields that are read together: each with the position of its cell, and those that are the same in each row."""

    cells: tuple[tuple[int, Field], ...]
    constants: tuple[tuple[Field, str], ...]


@dataclass(frozen=True, slots=True)
class _Layout:
    """The header of a file, seen through a mapping: fields of the record, of its lists, of each row."""

    mapping: ColumnMapping
    header: tuple[str, ...]
    reference_at: int
    whole: _Scope
    lists: _Scope
    row: _Scope
    unread: tuple[tuple[int, str], ...]


def read_csv(
    data: bytes, mapping: ColumnMapping, *, limit_bytes: int = DEFAULT_LIMIT_BYTES, hs_list: HSList | None = None
) -> Iterator[Reading]:
    """One reading for each record of a file, and one for each row that is none.

    Never raises for what the bytes hold: what is wrong comes as problems, and an error refuses that record alone.
    """
    if len(data) > limit_bytes:
        message = f"The file has {len(data)} bytes; at most {limit_bytes} are read"
        yield refused(error_of("too_large", message), data)
        return
    rows = read_rows(data, encoding=mapping.encoding, delimiter=mapping.delimiter)
    header = next(rows, None)
    layout = _layout_of(header, mapping)
    if isinstance(layout, Problem):
        yield refused(layout, data)
        return
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        trouble = _trouble_of(row, layout)
        if trouble is not None:
            yield refused(trouble, row.raw, row.line)
        else:
            grouped.setdefault(row.cells[layout.reference_at].strip(), []).append(row)
    for group in grouped.values():
        yield _Assembly(layout, hs_list).read(group)


def _layout_of(header: Row | None, mapping: ColumnMapping) -> _Layout | Problem:
    if header is None:
        return error_of("empty", "The file is empty; its first row must name the columns", line=1)
    if header.trouble:
        return error_of("bad_header", header.trouble, line=header.line)
    names = tuple(name.strip() for name in header.cells)
    missing = [column for column in mapping.columns if column not in names]
    if missing:
        message = f"The mapping {mapping.name!r} does not fit: no column {', '.join(missing[:5])}"
        return error_of("mapping_does_not_fit", message, line=header.line)
    twice = [column for column in mapping.columns if names.count(column) > 1]
    if twice:
        return error_of("column_twice", f"The column {twice[0]!r} comes twice", line=header.line)
    pairs = [(names.index(column), entry) for column, fields in mapping.columns.items() for entry in fields]
    return _Layout(
        mapping=mapping,
        header=names,
        reference_at=next(index for index, entry in pairs if entry.name == mapping.reference),
        whole=_scope_of(pairs, mapping, lambda entry: not entry.is_row and not entry.is_list),
        lists=_scope_of(pairs, mapping, lambda entry: entry.is_list),
        row=_scope_of(pairs, mapping, lambda entry: entry.is_row),
        unread=tuple((index, name) for index, name in enumerate(names) if name not in mapping.columns),
    )


def _scope_of(pairs: list[tuple[int, Field]], mapping: ColumnMapping, is_wanted: Callable[[Field], bool]) -> _Scope:
    filled = {entry.name for _, entry in pairs}
    constants = [(mapping.fields[name], value) for name, value in mapping.constants.items() if name not in filled]
    return _Scope(
        cells=tuple((index, entry) for index, entry in pairs if is_wanted(entry)),
        constants=tuple((entry, value) for entry, value in constants if is_wanted(entry)),
    )


def _trouble_of(row: Row, layout: _Layout) -> Problem | None:
    if row.trouble:
        code = "bad_encoding" if row.trouble.startswith("Byte") else "malformed_row"
        return error_of(code, row.trouble, line=row.line)
    if len(row.cells) != len(layout.header):
        message = f"{len(row.cells)} cells where the header has {len(layout.header)}"
        return error_of("malformed_row", message, line=row.line)
    return None


@dataclass(slots=True)
class _Assembly:
    """Makes one record of the rows that share a reference; grows while it reads."""

    layout: _Layout
    hs_list: HSList | None
    problems: list[Problem] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    def read(self, rows: list[Row]) -> Reading:
        """The record, or why there is none."""
        raw = b"".join(row.raw for row in rows)
        first = rows[0]
        problem = check_reference(first.cells[self.layout.reference_at].strip(), self.layout.mapping.reference)
        if problem is not None:
            return refused(replace(problem, line=first.line), raw, first.line)
        if len(rows) > MAX_ROWS_OF_RECORD:
            message = f"More than {MAX_ROWS_OF_RECORD} rows of one record"
            return refused(error_of("too_many", message, line=first.line), raw, first.line)
        record = self._record_of(rows)
        if any(problem.severity is Severity.ERROR for problem in self.problems):
            return Reading(None, tuple(self.problems), raw, first.line)
        if isinstance(record, Declaration):
            self.problems += check_declaration(record, [row.line for row in rows])
        return Reading(record, tuple(self.problems), raw, first.line)

    def _record_of(self, rows: list[Row]) -> Declaration | Manifest:
        is_manifest = self.layout.mapping.is_manifest
        named = "consignments" if is_manifest else "items"
        flat = self._header(rows)
        own_parts = []
        for number, row in enumerate(rows, start=1):
            prefix = f"{named}[{number}]."
            own = self._values(row, self.layout.row, prefix)
            if own:
                own_parts.append(self._part(own, number, row.line, prefix))
            for name, entries in self._nested(self._values(row, self.layout.lists), row.line).items():
                known = flat.setdefault(name, [])
                known += [entry for entry in entries if entry not in known]
            self._keep_unread(row)
        flat[named] = own_parts
        build = parts.build_manifest if is_manifest else parts.build_declaration
        return build(flat | {"unread": self.unread})

    def _header(self, rows: list[Row]) -> Flat:
        """The fields of the whole record: from the first row, and what later rows say otherwise is told and kept."""
        first = rows[0]
        for index, entry in self.layout.whole.cells:
            for row in rows[1:]:
                text = row.cells[index].strip()
                if text != first.cells[index].strip():
                    message = f"{text[:60]!r} differs from the first row of the record, which counts"
                    self.problems.append(warning_of("rows_differ", message, field=entry.name, line=row.line))
                    self._keep(self.layout.header[index], text, row.line)
        return self._nested(self._values(first, self.layout.whole), first.line)

    def _part(self, own: dict[tuple[str, str], Any], number: int, line: int, prefix: str) -> Any:
        flat = self._nested(own, line, prefix)
        if self.layout.mapping.is_manifest:
            return parts.build_consignment(flat)
        flat.setdefault("item_no", number)
        if flat["item_no"] == 0:
            self.problems.append(error_of("item_no", "Items are numbered from 1", field=f"{prefix}item_no", line=line))
        flat["procedure_current"] = flat.pop("procedure", "")
        return parts.build_item(flat)

    def _values(self, row: Row, scope: _Scope, prefix: str = "") -> dict[tuple[str, str], Any]:
        """The converted cells of a row, by group and key; constants only beside something that the row gives."""
        values: dict[tuple[str, str], Any] = {}
        for index, entry in scope.cells:
            text = row.cells[index].strip()
            if text:
                self._convert(values, entry, text, row.line, prefix)
        if values:
            for entry, text in scope.constants:
                if self._has_company(entry, values):
                    self._convert(values, entry, text, row.line, prefix)
        return values

    def _has_company(self, entry: Field, values: dict[tuple[str, str], Any]) -> bool:
        """A currency or a unit means nothing without its number."""
        return entry.key not in {"currency", "unit"} or (entry.group, "") in values

    def _convert(self, values: dict[tuple[str, str], Any], entry: Field, text: str, line: int, prefix: str) -> None:
        name = prefix + entry.name.partition(".")[2] if prefix else entry.name
        try:
            values[entry.group, entry.key] = self._value_of(entry, text)
        except LeafError as error:
            self.problems.append(error_of(error.code, error.what, field=name, line=line))
            return
        problem = check_hs(parts.plain_hs(text), self.hs_list) if entry.kind is Kind.HS else None
        if entry.check is not None:
            problem = entry.check(text)
        if problem is not None:
            self.problems.append(replace(problem, field=name, line=line))

    def _value_of(self, entry: Field, text: str) -> Any:
        mapping = self.layout.mapping
        if entry.kind is Kind.TEXT:
            return text_of(text)
        if entry.kind is Kind.HS:
            return parts.plain_hs(text_of(text))
        if entry.kind is Kind.WORDS:
            return tuple(text_of(text).split())
        if entry.kind is Kind.MOMENT:
            return _moment_of(text[:60], mapping.dates)
        plain = _plain_number(text, mapping)
        if entry.kind is Kind.COUNT:
            return count_of(plain)
        if entry.kind is Kind.QUANTITY:
            return quantity_of(plain, "").value
        return mass_kg_of(plain, "") if entry.kind is Kind.MASS else number_of(plain)

    def _nested(self, values: dict[tuple[str, str], Any], line: int, prefix: str = "") -> Flat:
        """Parties, places, money and lists out of their fields."""
        flat: Flat = {}
        groups: dict[str, Flat] = {}
        for (group, key), value in values.items():
            if key or group in _MONEY or group == "supplementary_quantity":
                groups.setdefault(group, {})[key] = value
            else:
                flat[group] = value
        for group, given in groups.items():
            if group == "agent":
                flat |= {f"agent.{key}": value for key, value in given.items()}
            elif group in _MONEY:
                flat[group] = self._money(given, f"{prefix}{group}", line)
            elif group == "supplementary_quantity":
                flat[group] = Quantity(given[""], given.get("unit", "")) if "" in given else None
            else:
                if "seals" in given:
                    given["seals"] = tuple(Seal(seal) for seal in given["seals"])
                value = _BUILDERS[group](given)
                flat[group] = [value] if group in LISTS else value
        return {name: value for name, value in flat.items() if value is not None}

    def _money(self, given: Flat, name: str, line: int) -> Money | None:
        if "" not in given:
            return None
        if "currency" not in given:
            self.problems.append(warning_of("no_currency", "The amount has no currency", field=name, line=line))
        return Money(given[""], given.get("currency", ""))

    def _keep_unread(self, row: Row) -> None:
        for index, name in self.layout.unread:
            text = row.cells[index].strip()
            if text:
                self._keep(name, text, row.line)

    def _keep(self, column: str, text: str, line: int) -> None:
        try:
            self.unread.append(Unread(column, text_of(text), line))
        except LeafError as error:
            self.problems.append(error_of(error.code, error.what, field=column[:100], line=line))


def _plain_number(text: str, mapping: ColumnMapping) -> str:
    """The number of a cell with a decimal point and nothing between its digits."""
    plain = text.replace(mapping.digit_group, "") if mapping.digit_group else text
    if mapping.decimal_mark == ".":
        return plain
    if "." in plain:
        raise LeafError("not_a_number", f"{text[:40]!r} is not a number: the mapping's decimal mark is a comma")
    return plain.replace(mapping.decimal_mark, ".")


@lru_cache(maxsize=8192)
def _moment_of(text: str, formats: tuple[str, ...]) -> datetime:
    for form in formats:
        try:
            moment = datetime.strptime(text, form)  # noqa: DTZ007  # the zone follows
            return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return moment_of(text)
