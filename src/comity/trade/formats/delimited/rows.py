"""Rows of a delimited file with their lines; a malformed row is told and the next ones still come."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

MAX_MALFORMED = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row. line: its first line in the file, from 1. trouble: why there are none."""

    cells: tuple[str, ...]
    line: int
    raw: bytes
    trouble: str = ""


class _Lines:
    """Physical lines, handed out one by one, so that reading can begin again behind a malformed row."""

    def __init__(self, text: str) -> None:
        self._lines = list(io.StringIO(text, newline=""))
        self.index = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self.index >= len(self._lines):
            raise StopIteration
        line = self._lines[self.index]
        self.index += 1
        return line

    def between(self, start: int, end: int) -> str:
        """The text of some lines."""
        return "".join(self._lines[start:end])


def read_rows(data: bytes, *, encoding: str, delimiter: str) -> Iterator[Row]:
    """Every row that is not blank, the header first. Bytes that are not text make the row a trouble."""
    text = data.decode(encoding, "surrogateescape").removeprefix("\ufeff")
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    malformed = 0
    while True:
        start = lines.index
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # Only the first line is given up: an open quote must not swallow the rest of the file.
            lines.index = start + 1
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            raw = lines.between(start, start + 1).encode(encoding, "surrogateescape")
            malformed += 1
            yield Row((), start + 1, raw, f"Not a row of cells: {error}")
            if malformed >= MAX_MALFORMED:
                rest = lines.between(start + 1, len(text)).encode(encoding, "surrogateescape")
                yield Row((), start + 2, rest, f"More than {MAX_MALFORMED} malformed rows; the rest was not read")
                return
            continue
        if cells:
            taken = lines.between(start, lines.index)
            trouble = "" if taken.isascii() else _trouble_of(taken, encoding)
            raw = taken.encode(encoding, "surrogateescape")
            yield Row(tuple(cells) if not trouble else (), start + 1, raw, trouble)


def _trouble_of(text: str, encoding: str) -> str:
    bad = next((letter for letter in text if "\udc80" <= letter <= "\udcff"), None)
    if bad is None:
        return ""
    return f"Byte {ord(bad) - 0xDC00:#04x} is not {encoding.upper()} text"
