"""Answers written as CSV: whole or not at all."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from comity.risk.prediction.errors import TableError


def check_place(out: Path) -> None:
    """Say before hours of work that the answer has no place to go.

    Raises: TableError: the folder does not exist, or the file is a folder.
    """
    if not out.parent.is_dir():
        raise TableError("There is no such folder for the answer", where=str(out.parent))
    if out.is_dir():
        raise TableError("The answer is to be a file, and this is a folder", where=str(out))


def write_rows(out: Path, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write a CSV file through a temporary one beside it, so that nobody reads half. Returns how many rows.

    Raises: TableError: the file cannot be written.
    """
    waiting = out.with_name(f".{out.name}.{os.getpid()}.part")
    count = 0
    try:
        with waiting.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(headings)
            for row in rows:
                writer.writerow(row)
                count += 1
            file.flush()
            os.fsync(file.fileno())
        waiting.replace(out)
    except OSError as error:
        raise TableError(f"The answer cannot be written: {error.strerror}", where=str(out)) from error
    finally:
        waiting.unlink(missing_ok=True)
    return count
