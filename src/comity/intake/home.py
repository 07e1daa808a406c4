"""What an administration puts into its home for intake: column mappings, and its own list of HS codes."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from comity.trade.codes import HSList, load_hs_list
from comity.trade.formats.delimited import ColumnMapping, MappingError, read_mapping

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)


def hs_list() -> HSList | None:
    """The list in codes/hs.csv, or nothing where there is none.

    Raises: HSListError where it cannot be read as a list.
    """
    path = Path(settings.COMITY_HOME) / "codes" / "hs.csv"
    if not path.is_file():
        return None
    return _loaded(path, path.stat().st_mtime_ns)


def mapping_for(wanted: str | None, data: bytes) -> ColumnMapping:
    """The mapping for a file: the YAML text itself, the one of that name in mappings/, or the one that fits.

    Raises: MappingError where none is meant, or none fits.
    """
    if wanted is not None and ("\n" in wanted or ":" in wanted):
        return read_mapping(wanted.encode())
    folder = Path(settings.COMITY_HOME) / "mappings"
    if wanted:
        path = folder / f"{wanted}.yaml"
        if _NAME.fullmatch(wanted) is None or not path.is_file():
            raise MappingError(
                "There is no such column mapping", where=wanted[:100], remedy=f"Put it into {folder} as NAME.yaml."
            )
        return read_mapping(path.read_bytes())
    return _fitting(folder, data)


def _fitting(folder: Path, data: bytes) -> ColumnMapping:
    first_line = data.splitlines()[0] if data.strip() else b""
    for path in sorted(folder.glob("*.yaml")):
        mapping = read_mapping(path.read_bytes())
        if mapping.fits(first_line.decode(mapping.encoding, "replace")):
            return mapping
    raise MappingError(
        "No column mapping fits the first row of this file",
        where=first_line.decode("utf-8", "replace")[:200],
        remedy=f"Name one, or put one into {folder} as NAME.yaml.",
    )


@lru_cache(maxsize=2)
def _loaded(path: Path, _changed: int) -> HSList:
    return load_hs_list(path.read_bytes())
