"""The list of specially designated nationals of the United States (OFAC): sdn.csv with add.csv and alt.csv."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from comity.registers.errors import ListFormError
from comity.registers.sources.making import Draft, gather
from comity.registers.sources.words import country_code, date_text
from comity.registers.values import BrokenRow, EntryKind, Identifier, Reading

_NOTHING = "-0-"
_KINDS = {"individual": EntryKind.PERSON, "vessel": EntryKind.VESSEL, "aircraft": EntryKind.OTHER}
_COLUMNS = {"sdn": 12, "alt": 5, "add": 6}
_WEAK = re.compile(r"a\.k\.a\. '([^']{2,200})'")
_BORN = re.compile(r"(?:^|; )(?:alt\. )?DOB ([^;.]{4,40})")
_NATIONAL = re.compile(r"(?:^|; )(?:alt\. )?(?:nationality|citizen) ([^;.]{2,60})")
_NUMBERS = (
    ("passport", re.compile(r"(?:^|; )(?:alt\. )?(?:Diplomatic )?Passport ([A-Z0-9/ -]{4,30}) \(([^)]+)\)")),
    (
        "national_id",
        re.compile(r"(?:National ID No\.|Cedula No\.|C\.U\.R\.P\.|D\.N\.I\.) ([A-Z0-9./-]{4,30}) \(([^)]+)\)"),
    ),
    ("registration", re.compile(r"(?:Registration (?:Number|ID)|Company Number) ([A-Z0-9./-]{4,30}) \(([^)]+)\)")),
    ("tax", re.compile(r"(?:Tax ID No\.|NIT #|R\.F\.C\.|RUC #|C\.R\. No\.) ([A-Z0-9./-]{4,30}) \(([^)]+)\)")),
    ("imo", re.compile(r"IMO (\d{7})()")),
    ("mmsi", re.compile(r"MMSI\) (\d{9})()")),
)

Rows = list[tuple[int, list[str]]]


def read_ofac(files: Mapping[str, bytes]) -> Reading:
    """Every entry of sdn.csv with its addresses and other names. files: bytes by the word sdn, add or alt.

    Raises: ListFormError where sdn is missing or a file is no text.
    """
    if "sdn" not in files:
        raise ListFormError("The entries are missing", remedy="Give sdn.csv, and add.csv and alt.csv beside it.")
    tables = {name: _rows(name, data) for name, data in files.items()}
    broken = [row for name, rows in tables.items() for row in _misshapen(name, rows)]
    aliases, addresses = _by_entry(tables.get("alt", []), "alt"), _by_entry(tables.get("add", []), "add")
    drafts = [
        _draft(line, row, aliases.get(row[0], ()), addresses.get(row[0], ()))
        for line, row in tables["sdn"]
        if _is_whole("sdn", row)
    ]
    entries, unread = gather(drafts)
    return Reading(entries, (*broken, *unread))


def table_of(name: str) -> str:
    """Which of the files this is by its name: sdn, add or alt; empty for another, such as sdn_comments.csv."""
    stem = name.lower().rsplit("/", 1)[-1].removesuffix(".csv").removeprefix("ofac_")
    return stem if stem in _COLUMNS else ""


def _rows(name: str, data: bytes) -> Rows:
    try:
        text = data.rstrip(b"\x1a\r\n \t").decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.rstrip(b"\x1a\r\n \t").decode("cp1252", errors="replace")
    if "\0" in text:
        raise ListFormError("The file is no text", where=f"{name}.csv")
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        return [(reader.line_num, [_value(cell) for cell in row]) for row in reader if row]
    except csv.Error as error:
        raise ListFormError(f"The file is no CSV: {error}", where=f"{name}.csv, line {reader.line_num}") from error


def _value(cell: str) -> str:
    plain = cell.strip()
    return "" if plain == _NOTHING else plain


def _is_whole(name: str, row: Sequence[str]) -> bool:
    return len(row) == _COLUMNS[name] and row[0].isdigit()


def _misshapen(name: str, rows: Rows) -> Iterator[BrokenRow]:
    for line, row in rows:
        if len(row) != _COLUMNS[name]:
            yield BrokenRow(line, f"{name}.csv", f"it has {len(row)} columns, not {_COLUMNS[name]}")
        elif not row[0].isdigit():
            yield BrokenRow(line, f"{name}.csv", f"its entry number is {row[0][:20]!r}")


def _by_entry(rows: Rows, name: str) -> Mapping[str, list[list[str]]]:
    found: defaultdict[str, list[list[str]]] = defaultdict(list)
    for _, row in rows:
        if _is_whole(name, row):
            found[row[0]].append(row)
    return found


def _draft(line: int, row: list[str], aliases: Sequence[list[str]], addresses: Sequence[list[str]]) -> Draft:
    number, name, kind, program, title, call_sign = row[:6]
    flag, remarks = row[9], row[11]
    draft = Draft(number, _KINDS.get(kind, EntryKind.COMPANY), line)
    draft.names = [(name, False), *((alias[3], False) for alias in aliases)]
    draft.names += [(weak, True) for weak in _WEAK.findall(remarks)]
    draft.birth_dates = [date_text(text.removeprefix("circa ")) for text in _BORN.findall(remarks)]
    countries = [*_NATIONAL.findall(remarks), *(address[4] for address in addresses), flag]
    draft.countries = [country_code(text) for text in countries if text]
    draft.identifiers = [
        Identifier(word, number, country_code(country) if country else "")
        for word, pattern in _NUMBERS
        for number, country in pattern.findall(remarks)
    ]
    if call_sign:
        draft.identifiers.append(Identifier("call_sign", call_sign))
    draft.program = f"US {program.replace('] [', ', ')}"
    draft.note = "; ".join(part for part in (title, remarks) if part)
    return draft
