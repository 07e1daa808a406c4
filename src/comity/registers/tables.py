"""Registers in CSV: the columns of each kind, and its rows as JSON.

traders: number, name, country, status (AEOC, AEOS, AEOF), issuer, arrangement, valid_from, valid_until, state (valid,
suspended, revoked). controls: ref, hs, direction (import, export, both), countries, measure (licence, prohibited),
documents, title, clause, risk_type, valid_from, valid_until. rights: ref, right, mark, holder, holder_id, hs, keywords,
licensees, clause, valid_from, valid_until. species: taxon, common_names, appendix (1, 2, 3), hs, documents. routes:
ref, origin, destination, hs, measure (embargo, watch), title, clause, valid_from, valid_until. Several values in one
cell stand apart by a semicolon.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from comity.registers.errors import ListFormError
from comity.registers.values import BrokenRow, RegisterKind

MAX_BYTES = 64_000_000
MAX_CELL = 2_000
_HS = re.compile(r"\d{2}|\d{4}|\d{6}|\d{8}|\d{10}")
_COUNTRY = re.compile(r"[A-Z]{2}|\*")

Body = dict[str, object]


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a register."""

    ref: str
    name: str
    body: Body


@dataclass(frozen=True, slots=True)
class Table:
    """What a file says."""

    rows: tuple[TableRow, ...]
    broken: tuple[BrokenRow, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: how its cell is read, and whether it must say something. read raises ValueError with the reason."""

    read: Callable[[str], object]
    is_needed: bool = False


def _text(cell: str) -> str:
    return cell


def _words(cell: str) -> list[str]:
    return [word.strip() for word in cell.split(";") if word.strip()]


def _codes(cell: str) -> list[str]:
    codes = [word.replace(" ", "").replace(".", "") for word in _words(cell)]
    for code in codes:
        if _HS.fullmatch(code) is None:
            raise ValueError(f"{code[:20]!r} is no HS code of 2, 4, 6, 8 or 10 digits")
    return codes


def _countries(cell: str) -> list[str]:
    codes = [word.upper() for word in _words(cell)]
    for code in codes:
        if _COUNTRY.fullmatch(code) is None:
            raise ValueError(f"{code[:20]!r} is no country code of two letters")
    return codes


def _day(cell: str) -> str:
    try:
        return date.fromisoformat(cell).isoformat() if cell else ""
    except ValueError:
        raise ValueError(f"{cell[:20]!r} is no date such as 2026-03-01") from None


def _choice(*words: str) -> Callable[[str], object]:
    def read(cell: str) -> object:
        plain = cell.lower()
        if plain not in words:
            raise ValueError(f"{cell[:20]!r} is none of {', '.join(words)}")
        return plain

    return read


_DATES = {"valid_from": Column(_day), "valid_until": Column(_day)}
COLUMNS: Mapping[RegisterKind, Mapping[str, Column]] = {
    RegisterKind.TRADERS: {
        "number": Column(_text, is_needed=True),
        "name": Column(_text, is_needed=True),
        "country": Column(_countries),
        "status": Column(_choice("aeoc", "aeos", "aeof"), is_needed=True),
        "issuer": Column(_text, is_needed=True),
        "arrangement": Column(_text),
        "state": Column(_choice("", "valid", "suspended", "revoked")),
        **_DATES,
    },
    RegisterKind.CONTROLS: {
        "ref": Column(_text, is_needed=True),
        "hs": Column(_codes, is_needed=True),
        "direction": Column(_choice("import", "export", "both"), is_needed=True),
        "countries": Column(_countries),
        "measure": Column(_choice("licence", "prohibited"), is_needed=True),
        "documents": Column(_words),
        "title": Column(_text, is_needed=True),
        "clause": Column(_text, is_needed=True),
        **_DATES,
    },
    RegisterKind.RIGHTS: {
        "ref": Column(_text, is_needed=True),
        "right": Column(_text, is_needed=True),
        "mark": Column(_text, is_needed=True),
        "holder": Column(_text, is_needed=True),
        "holder_id": Column(_text),
        "hs": Column(_codes),
        "keywords": Column(_words),
        "licensees": Column(_words),
        "clause": Column(_text),
        **_DATES,
    },
    RegisterKind.SPECIES: {
        "taxon": Column(_text, is_needed=True),
        "common_names": Column(_words),
        "appendix": Column(_choice("1", "2", "3"), is_needed=True),
        "hs": Column(_codes),
        "documents": Column(_words),
    },
    RegisterKind.ROUTES: {
        "ref": Column(_text, is_needed=True),
        "origin": Column(_countries, is_needed=True),
        "destination": Column(_countries, is_needed=True),
        "hs": Column(_codes),
        "measure": Column(_choice("embargo", "watch"), is_needed=True),
        "title": Column(_text, is_needed=True),
        "clause": Column(_text, is_needed=True),
        **_DATES,
    },
}
_REF_COLUMN = {RegisterKind.TRADERS: "number", RegisterKind.SPECIES: "taxon"}
_NAME_COLUMN = {
    RegisterKind.TRADERS: "name",
    RegisterKind.SPECIES: "taxon",
    RegisterKind.RIGHTS: "mark",
    RegisterKind.CONTROLS: "title",
    RegisterKind.ROUTES: "title",
}


def read_table(kind: RegisterKind, files: Sequence[tuple[str, bytes]]) -> Table:
    """The rows of a register in CSV with a header.

    Raises: ListFormError where the file is no such table: not UTF-8, too large, a column missing.
    """
    if len(files) != 1:
        raise ListFormError("A register is one file", where=f"{len(files)} files")
    ((name, data),) = files
    if len(data) > MAX_BYTES:
        raise ListFormError(f"The file has more than {MAX_BYTES} bytes", where=name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ListFormError("The file is not UTF-8", where=f"{name}, byte {error.start}") from error
    reader = csv.DictReader(io.StringIO(text.replace("\0", ""), newline=""), restkey="")
    columns = COLUMNS[kind]
    try:
        header = [cell.strip().lower() for cell in reader.fieldnames or []]
        missing = [column for column, how in columns.items() if how.is_needed and column not in header]
        if missing:
            raise ListFormError(
                f"The columns {', '.join(missing)} are missing",
                where=f"{name}, line 1",
                remedy=f"The header is {','.join(columns)}.",
            )
        reader.fieldnames = header
        return _gathered(kind, ((reader.line_num, row) for row in reader))
    except csv.Error as error:
        raise ListFormError(f"The file is no CSV: {error}", where=f"{name}, line {reader.line_num}") from error


def _gathered(kind: RegisterKind, found: Iterable[tuple[int, Mapping[str, str | None]]]) -> Table:
    rows: dict[str, TableRow] = {}
    broken: list[BrokenRow] = []
    for line, cells in found:
        try:
            row = _row(kind, cells)
            if row.ref in rows:
                raise ValueError("its reference was used before in this file")
        except ValueError as error:
            broken.append(BrokenRow(line, "", str(error)))
        else:
            rows[row.ref] = row
    return Table(tuple(rows.values()), tuple(broken))


def _row(kind: RegisterKind, cells: Mapping[str, str | None]) -> TableRow:
    if cells.get(""):
        raise ValueError("it has more cells than the header")
    body: Body = {}
    for name, column in COLUMNS[kind].items():
        cell = " ".join((cells.get(name) or "").split())
        if len(cell) > MAX_CELL:
            raise ValueError(f"{name} has more than {MAX_CELL} characters")
        if column.is_needed and not cell:
            raise ValueError(f"{name} is empty")
        body[name] = column.read(cell) if cell else [] if column.read in {_words, _codes, _countries} else ""
    ref = str(body[_REF_COLUMN.get(kind, "ref")])
    if kind is RegisterKind.SPECIES and body["appendix"]:
        ref = f"{ref[:70]} {body['appendix']}"
    if len(ref) > 100:
        ref = f"{ref[:80]} {hashlib.sha256(ref.encode()).hexdigest()[:12]}"
    return TableRow(ref, str(body[_NAME_COLUMN[kind]]), body)
