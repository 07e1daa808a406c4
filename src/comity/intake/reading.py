"""Files into readings: what a file is shows in its bytes, not in its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from comity.common import ComityError
from comity.intake import home
from comity.intake.archive import read_archive
from comity.intake.errors import ArchiveError
from comity.trade import Problem, Severity
from comity.trade.codes import HSList
from comity.trade.formats.delimited import MappingError, read_csv
from comity.trade.formats.reading import Reading
from comity.trade.formats.wco_xml import read_wco_xml

_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_OTHERS = {
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "a gzip file",
    b"7z\xbc\xaf": "a 7z file",
    b"UNA": "EDIFACT",
    b"UNB+": "EDIFACT",
    b"{": "JSON",
    b"[": "JSON",
}


class FileType(StrEnum):
    """What a node reads."""

    XML = "xml"
    CSV = "csv"
    ZIP = "zip"


@dataclass(frozen=True, slots=True)
class Asked:
    """How to read: which mapping for delimited text, the administration's HS list, and the limit of size."""

    mapping: str | None
    hs_list: HSList | None
    limit_bytes: int


@dataclass(frozen=True, slots=True)
class Item:
    """One reading, and the member of a zip file that it stands in."""

    member: str
    reading: Reading


def read_file(data: bytes, asked: Asked) -> Iterator[Item]:
    """Every record of a file, read or refused. Never raises for what the bytes hold."""
    if file_type(data) is not FileType.ZIP:
        yield from (Item("", reading) for reading in _read_plain(data, asked))
        return
    try:
        members = read_archive(data, limit_bytes=asked.limit_bytes * 4)
    except ArchiveError as error:
        yield Item("", _refused(error, data))
        return
    is_empty = True
    for member in members:
        is_empty = False
        if member.refusal is not None:
            yield Item(member.name, _refused(member.refusal, member.data))
        else:
            yield from (Item(member.name, reading) for reading in _read_plain(member.data, asked))
    if is_empty:
        yield Item("", _refused(ArchiveError("The zip file is empty"), data))


def file_type(data: bytes) -> FileType | str:
    """What the bytes are, or a description of what they are instead."""
    if data.startswith(_ZIP):
        return FileType.ZIP
    start = data[:1000].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        return "an empty file"
    if start.startswith(b"<") or data.startswith(_UTF16):
        return FileType.XML
    for mark, name in _OTHERS.items():
        if start.startswith(mark):
            return name
    first_line = start.splitlines()[0]
    if b"\x00" in start or not any(mark in first_line for mark in (b",", b";", b"\t", b"|")):
        return "a file of an unknown type"
    return FileType.CSV


def _read_plain(data: bytes, asked: Asked) -> Iterator[Reading]:
    found = file_type(data)
    if found is FileType.XML:
        yield read_wco_xml(data, limit_bytes=asked.limit_bytes, hs_list=asked.hs_list)
    elif found is FileType.CSV:
        try:
            mapping = home.mapping_for(asked.mapping, data)
        except MappingError as error:
            yield _refused(error, data)
            return
        yield from read_csv(data, mapping, limit_bytes=asked.limit_bytes, hs_list=asked.hs_list)
    else:
        message = f"This is {found}; WCO Data Model XML, CSV with a mapping, and zip files of them are read"
        yield Reading(None, (Problem(Severity.ERROR, "unknown_type", message, line=1),), data)


def _refused(error: ComityError, data: bytes) -> Reading:
    return Reading(None, (Problem(Severity.ERROR, error.code, str(error), line=1),), data)
