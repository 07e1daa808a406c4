"""Whom and what a table names: the distinct parties, means of transport and containers of all its rows.

What each column stands for is as in `comity.risk.screening`, which does the same for one record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from comity.registers import EntryKind, Identifier
from comity.registers.matching import Subject
from comity.risk.bulk.columns import check_columns
from comity.risk.bulk.files import make_durable, opened
from comity.risk.errors import FactError
from comity.risk.expression_tree import ValueType

NAMES = "names.parquet"
# Names that are screened together: what a run that was stopped has to do again.
BUCKET_ROWS = 10_000
# Distinct ones of some row groups are joined from this many on.
_MANY = 2_000_000
_IMO_DIGITS = 7
SORT, NAME, COUNTRY, NUMBER = "sort", "name", "country", "number"
SUBJECT = (SORT, NAME, COUNTRY, NUMBER)
PARTY, MEANS, CONTAINER = "party", "means", "container"

# sort, name, country, number: as they stand in the table; what is not stated is empty.
Known = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Role:
    """A part that somebody or something plays, and the columns that say who; an empty word is no column."""

    role: str
    sort: str
    name: str = ""
    country: str = ""
    number: str = ""

    @property
    def columns(self) -> dict[str, str]:
        """What of a subject -> the column that says it."""
        told = {NAME: self.name, COUNTRY: self.country, NUMBER: self.number}
        return {what: column for what, column in told.items() if column}

    def within(self, columns: Iterable[str]) -> Role:
        """The same with the columns that a table has."""
        there = set(columns)
        kept = {what: column for what, column in self.columns.items() if column in there}
        return Role(self.role, self.sort, kept.get(NAME, ""), kept.get(COUNTRY, ""), kept.get(NUMBER, ""))


ROLES = (
    Role("exporter", PARTY, "exporter_name", "exporter_country", "exporter_id"),
    Role("importer", PARTY, "importer_name", "", "importer_id"),
    Role("declarant", PARTY, "", "", "declarant_id"),
    Role("carrier", PARTY, "", "", "carrier_id"),
    Role("means of transport", MEANS, "means_id"),
    Role("container", CONTAINER, "", "", "container"),
)


def roles_of(schema: Any) -> tuple[Role, ...]:
    """The parts that a table's columns speak of.

    Raises: FactError where there is none, or one is no text.
    """
    found = tuple(role for each in ROLES if (role := each.within(schema.names)).name or role.number)
    if not found:
        names = sorted({column for role in ROLES for column in role.columns.values()})
        raise FactError("The table has nobody to screen", where="columns", remedy=f"Add one of {', '.join(names)}.")
    check_columns(schema, {column: ValueType.TEXT for role in found for column in role.columns.values()})
    return found


def columns_of(roles: Iterable[Role]) -> list[str]:
    """The columns of some parts, each once."""
    return list(dict.fromkeys(column for role in roles for column in role.columns.values()))


def named_in(batch: Any, role: Role) -> Any:
    """Who plays a part in each row of a batch or table: the columns of SUBJECT, empty where nothing is stated."""
    told = role.columns
    empty = pa.nulls(batch.num_rows, pa.string()).fill_null("")
    columns = [pa.repeat(role.sort, batch.num_rows)]
    columns += [_plain(batch.column(told[what])) if what in told else empty for what in SUBJECT[1:]]
    return pa.table(columns, names=list(SUBJECT))


def _plain(column: Any) -> Any:
    return pc.fill_null(column.cast(pa.string()), "")


def gather(files: list[tuple[Path, tuple[Role, ...]]], out: Path) -> None:
    """Write every distinct subject of some files, in one order whatever the order of the rows."""
    waiting: list[Any] = []
    count = 0
    for path, roles in files:
        for found in _distinct_in(path, roles):
            waiting.append(found)
            count += found.num_rows
            if count > _MANY:
                waiting = [_distinct(pa.concat_tables(waiting))]
                count = 0
    whole = _distinct(pa.concat_tables(waiting)) if waiting else _none()
    whole = whole.sort_by([(name, "ascending") for name in SUBJECT])
    partial = out / f"{NAMES}.partial"
    pq.write_table(whole, partial, row_group_size=BUCKET_ROWS, compression="zstd")
    make_durable(partial)
    partial.replace(out / NAMES)


def _distinct_in(path: Path, roles: tuple[Role, ...]) -> Iterator[Any]:
    with opened(path, []) as file:
        for group in range(file.metadata.num_row_groups):
            for role in roles:
                table = file.read_row_group(group, columns=list(role.columns.values()))
                found = _distinct(named_in(table, role))
                yield found.filter(pc.or_(pc.not_equal(found[NAME], ""), pc.not_equal(found[NUMBER], "")))


def _distinct(table: Any) -> Any:
    return table.group_by(list(SUBJECT), use_threads=False).aggregate([]).select(list(SUBJECT))


def _none() -> Any:
    return pa.table({name: pa.array([], pa.string()) for name in SUBJECT})


def subject_of(known: Known) -> Subject:
    """Whom to screen."""
    sort, name, country, number = known
    if sort == CONTAINER:
        return Subject("", EntryKind.CONTAINER, identifiers=(Identifier("container", number),))
    if sort == MEANS:
        digits = name.upper().removeprefix("IMO").strip()
        if len(digits) == _IMO_DIGITS and digits.isdigit():
            return Subject("", EntryKind.VESSEL, identifiers=(Identifier("imo", digits),))
        return Subject(name, EntryKind.VESSEL)
    return Subject(name, country=country, identifiers=(Identifier("trader", number),) if number else ())
