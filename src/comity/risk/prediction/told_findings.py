"""What partners' findings and alerts say of actors and goods, beside a node's own table: read, and numbered.

A row says one thing of one combination; all rows of one finding or alert have one number, so that it counts once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from comity.risk.prediction.arrays import Bools, Codebook, Ints
from comity.risk.prediction.errors import TableError

FINDINGS_FILE = "partners_findings.parquet"
# What a row may name, and what is read off it: the heading of the goods.
NAMED = ("importer", "exporter", "declarant", "forwarder", "hs6", "origin")
COLUMNS = (*NAMED, "hs4")
SCHEMA = pa.schema(
    [
        ("item", pa.int64()),
        ("issuer", pa.string()),
        ("week", pa.float64()),
        ("is_alert", pa.float64()),
        ("is_irregular", pa.float64()),
        *((name, pa.string()) for name in NAMED),
    ]
)


@dataclass(frozen=True, slots=True)
class ToldFindings:
    """Rows of what was told. words: what each column names, with its code; codes: of each row, how many for nothing.

    item: of which finding or alert; week: in which it was known here. books: by which combinations were numbered, where
    a state knows them.
    """

    words: Mapping[str, Mapping[str, int]]
    codes: Mapping[str, Ints]
    item: Ints
    issuer: Ints
    week: Ints
    is_alert: Bools
    is_irregular: Bools
    books: Mapping[str, Codebook] = field(default_factory=dict)


def told_findings(table: pa.Table) -> ToldFindings:
    """The rows of a table of the form SCHEMA."""
    named = {name: [word or "" for word in table[name].to_pylist()] for name in NAMED}
    named["hs4"] = [code[:4] if len(code) >= 4 else "" for code in named["hs6"]]
    named["hs6"] = [code if len(code) == 6 else "" for code in named["hs6"]]
    words = {name: _coded(sorted(set(column) - {""})) for name, column in named.items()}
    issuers = table["issuer"].to_pylist()
    places = {issuer: place for place, issuer in enumerate(sorted(set(issuers)))}
    return ToldFindings(
        words=words,
        codes={name: codes_in(words[name], column) for name, column in named.items()},
        item=_whole(table, "item"),
        issuer=np.array([places[issuer] for issuer in issuers], dtype=np.int64),
        week=_whole(table, "week"),
        is_alert=_whole(table, "is_alert") > 0,
        is_irregular=_whole(table, "is_irregular") > 0,
    )


def codes_in(words: Mapping[str, int], column: list[str]) -> Ints:
    """The code of each word; their number for a word that is not among them."""
    return np.array([words.get(word, len(words)) for word in column], dtype=np.int64)


def nothing_told(words: Mapping[str, Sequence[str]], books: Mapping[str, Codebook]) -> ToldFindings:
    """No rows, of words and combinations that a state knows."""
    none, codes = np.zeros(0, dtype=np.int64), {name: _coded(each) for name, each in words.items()}
    return ToldFindings(codes, dict.fromkeys(COLUMNS, none), none, none, none, none > 0, none > 0, books)


def read_findings(folder: Path) -> ToldFindings | None:
    """What lies beside a node's own table; None beside a table of another kind.

    Raises: TableError where it cannot be read.
    """
    path = folder / FINDINGS_FILE
    if not path.is_file():
        return None
    try:
        return told_findings(pq.read_table(path, schema=SCHEMA))
    except (pa.ArrowException, OSError) as error:
        raise TableError("The file cannot be read as Parquet", where=str(path)) from error


def _coded(words: Sequence[str]) -> dict[str, int]:
    return {word: code for code, word in enumerate(words)}


def _whole(table: pa.Table, name: str) -> Ints:
    return np.asarray(table[name].to_numpy(), dtype=np.int64)
