"""The files in which a day of trade is lodged: WCO XML, zip files, CSV; and a few that are not as they should be."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum

from comity.trade import Declaration, HSCode, Manifest
from comity.trade.formats.wco_xml import write_wco_xml
from comity.training.cast import EXPORTER, IMPORTER, TRANSIT, Administration
from comity.training.tables import MAPPING_NAME, write_table
from comity.training.world import Day

# Every third import comes as a row of a table, as small traders' software gives it; the rest as XML.
_TABLE_EVERY = 3


class Part(StrEnum):
    """The part of the day in which a file is lodged."""

    MORNING = "morning"
    AFTERNOON = "afternoon"


@dataclass(frozen=True, slots=True)
class Expected:
    """What an import of the file must come to."""

    imported: int
    warned: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class TradeFile:
    """A file as it is lodged at an administration. mapping: of a CSV file, the name of its column mapping."""

    administration: str
    part: Part
    name: str
    media_type: str
    data: bytes
    lodged_at: datetime
    expected: Expected
    mapping: str | None = None


def files_of(day: Day) -> tuple[TradeFile, ...]:
    """Every file of the day, in the order in which they are lodged."""
    return (*_morning(day), *defective_files(day), *_afternoon(day))


def defective_files(day: Day) -> tuple[TradeFile, ...]:
    """Files lodged at XC that are not as they should be: what is wrong is told, and what is right comes in."""
    return (
        _defect(day, "negative-mass.xml", write_wco_xml(_with_negative_mass(day.imports[0])), Expected(0, refused=1)),
        _defect(day, "no-such-hs-code.xml", write_wco_xml(_with_unknown_hs(day.imports[0])), Expected(1, warned=1)),
        _defect(day, "cut-off.xml", _cut_off(write_wco_xml(_renamed(day.imports[0], "CUT"))), Expected(0, refused=1)),
        _unknown_column(day),
    )


def _morning(day: Day) -> tuple[TradeFile, ...]:
    rows = [declaration for n, declaration in enumerate(day.imports) if n % _TABLE_EVERY == 1]
    documents = [declaration for n, declaration in enumerate(day.imports) if n % _TABLE_EVERY != 1]
    return (
        _zip_file(day, EXPORTER, Part.MORNING, "exports", day.exports),
        _zip_file(day, TRANSIT, Part.MORNING, "manifests", day.transit),
        _zip_file(day, IMPORTER, Part.MORNING, "manifests", day.arrivals),
        _zip_file(day, IMPORTER, Part.MORNING, "imports", documents),
        *((_table(day, "imports.csv", write_table(rows), Expected(len(rows))),) if rows else ()),
    )


def _afternoon(day: Day) -> tuple[TradeFile, ...]:
    return (_zip_file(day, EXPORTER, Part.AFTERNOON, "exports", day.afternoon_exports),)


def _zip_file(
    day: Day, office: Administration, part: Part, name: str, records: Iterable[Declaration | Manifest]
) -> TradeFile:
    documents = [(_name_of(record), write_wco_xml(record)) for record in records]
    return TradeFile(
        administration=office.code,
        part=part,
        name=f"{name}-{part.value}.zip",
        media_type="application/zip",
        data=_zip(documents, day.day),
        lodged_at=_at(day, part),
        expected=Expected(len(documents)),
    )


def _zip(documents: Iterable[tuple[str, bytes]], day: date) -> bytes:
    """A zip file that comes out the same each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in documents:
            entry = zipfile.ZipInfo(name, (day.year, day.month, day.day, 6, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return buffer.getvalue()


def _table(day: Day, name: str, data: bytes, expected: Expected) -> TradeFile:
    at = _at(day, Part.MORNING)
    return TradeFile(IMPORTER.code, Part.MORNING, name, "text/csv", data, at, expected, MAPPING_NAME)


def _defect(day: Day, name: str, data: bytes, expected: Expected) -> TradeFile:
    at = _at(day, Part.MORNING)
    return TradeFile(IMPORTER.code, Part.MORNING, name, "application/xml", data, at, expected)


def _unknown_column(day: Day) -> TradeFile:
    """A column that no mapping names is kept unread; the record comes in."""
    lines = write_table([_renamed(day.imports[0], "COL")]).decode().splitlines()
    wider = [f"{line},{'Colour' if n == 0 else 'blue'}" for n, line in enumerate(lines)]
    return _table(day, "unknown-column.csv", ("\r\n".join(wider) + "\r\n").encode(), Expected(1))


def _with_negative_mass(declaration: Declaration) -> Declaration:
    first = replace(declaration.items[0], net_mass_kg=Decimal("-12.5"))
    return replace(_renamed(declaration, "NEG"), items=(first, *declaration.items[1:]))


def _with_unknown_hs(declaration: Declaration) -> Declaration:
    """Chapter 77 is reserved: no code of it exists."""
    first = replace(declaration.items[0], hs_code=HSCode("770110"))
    return replace(_renamed(declaration, "HS"), items=(first, *declaration.items[1:]))


def _renamed(declaration: Declaration, word: str) -> Declaration:
    return replace(declaration, lrn=f"{declaration.lrn}-{word}", mrn="")


def _cut_off(data: bytes) -> bytes:
    """A document whose second half was lost on the way."""
    return data[: data.index(b"\n", len(data) // 2)]


def _name_of(record: Declaration | Manifest) -> str:
    return f"{record.lrn if isinstance(record, Declaration) else record.report_ref}.xml"


def _at(day: Day, part: Part) -> datetime:
    return datetime.combine(day.day, time(9 if part is Part.MORNING else 14), UTC)
