"""Reading a folder of declarations, partners' export records and a tariff: checked, coded, never changed.

The form is that of the benchmark: imports.parquet, exports.parquet, tariff.csv. An outcome that is null means that the
goods were not inspected.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from comity.risk.prediction.arrays import Bools, Floats, Ints
from comity.risk.prediction.errors import TableError
from comity.risk.prediction.told_findings import ToldFindings, read_findings

IMPORTS, EXPORTS, TARIFF = "imports.parquet", "exports.parquet", "tariff.csv"
# UV undervaluation, MC misclassification, OR false origin, QT quantity, IP counterfeit, PR prohibited, ERR an error.
FINDINGS = ("UV", "MC", "OR", "QT", "IP", "PR", "ERR")
IMPORT_WORDS = (
    "dest",
    "office",
    "importer",
    "declarant",
    "exporter",
    "forwarder",
    "hs6",
    "origin",
    "departure",
    "transport",
    "ucr",
)
IMPORT_NUMBERS = ("week", "preference", "aeo", "net_mass", "quantity", "cif_value", "duty_rate", "taxes_paid")
TOLD, PRICED = "outcome_week", "revenue_week"
# What partners' mirror offers are compared in, in the own history of a node: offer_value and so on, 1 where it differs.
COMPARED = ("value", "mass", "packages", "hs_codes", "origins")
OFFER_WEEK, OFFER_FIRST = "offer_week", "offer_first"
OFFERS = (*(f"offer_{what}" for what in COMPARED), OFFER_WEEK, OFFER_FIRST)
EXPORT_WORDS = ("ucr", "export_admin", "exporter", "destination", "hs6", "origin")
EXPORT_NUMBERS = ("net_mass", "fob_value")
# Columns of partners' records that are compared with columns of one's own share their codes.
SAME_CODES = {
    "ucr": ("ucr",),
    "exporter": ("exporter",),
    "hs6": ("hs6",),
    "country": ("origin", "departure", "export_admin"),
    "administration": ("dest", "destination"),
}


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What controls found, a row each; where `seen` is false nobody looked and the rest is 0. revenue in money.

    valued: of which it is known what they came to; None: of all that were seen. Where it is not, revenue is 0.
    """

    seen: Bools
    illicit: Floats
    revenue: Floats
    critical: Floats
    finding: Ints  # place in FINDINGS, -1 for none
    valued: Bools | None = None

    @property
    def has_amount(self) -> Bools:
        """Of which it is known what they came to."""
        return self.seen if self.valued is None else self.valued


@dataclass(frozen=True, slots=True)
class Exports:
    """Partners' export records. codes share their numbers with those of the imports; days since 1970-01-01."""

    codes: Mapping[str, Ints]
    numbers: Mapping[str, Floats]
    day: Ints
    week: Ints


@dataclass(frozen=True, slots=True)
class Words:
    """What partners told of each declaration: for each of COMPARED 1 where it differs, 0 where not, NaN where unknown.

    week: in which the last of it came, -1 for nothing; had_arrived: before the declaration was first assessed.
    """

    values: Floats
    week: Ints
    had_arrived: Bools


@dataclass(frozen=True, slots=True)
class World:
    """Declarations of several administrations, in the order of the file. words: the word of each code, by column.

    told: in which week each outcome became known; None: in its declaration's own. priced: in which week it became known
    what it came to, never before told; None: with it. known: how many words of a column
    there were before these declarations, where they came later than a state that they are looked up in. words_told,
    findings_told: what partners told a node, beside its own table.
    """

    ids: tuple[str, ...]
    week: Ints
    day: Ints
    codes: Mapping[str, Ints]
    words: Mapping[str, tuple[str, ...]]
    numbers: Mapping[str, Floats]
    outcomes: Outcomes
    mfn: Floats  # per code of hs6, percent; NaN where the tariff has no line
    exports: Exports | None = None
    told: Ints | None = None
    priced: Ints | None = None
    known: Mapping[str, int] = field(default_factory=dict)
    words_told: Words | None = None
    findings_told: ToldFindings | None = None

    def administrations(self) -> tuple[str, ...]:
        """The deciding administrations, in alphabetical order."""
        present = np.unique(self.codes["dest"])
        return tuple(sorted(self.words["dest"][code] for code in present))

    def rows_of(self, administration: str) -> Ints:
        """The places of the declarations that one administration decides on."""
        return np.flatnonzero(self.codes["dest"] == self.words["dest"].index(administration)).astype(np.int64)


def read_world(folder: Path, *, with_exports: bool) -> World:
    """Read a folder of the benchmark's form; partners' exports only where they are asked for.

    Raises: TableError: a file or a column is missing, a column has another type, or a number is missing.
    """
    if not folder.is_dir():
        raise TableError("There is no such folder", where=str(folder), remedy=f"Name one that holds {IMPORTS}.")
    imports = _read_table(folder / IMPORTS)
    exports = _read_table(folder / EXPORTS) if with_exports else None
    tariff = read_tariff(folder / TARIFF)
    codes, words = _code_words(imports, IMPORT_WORDS, IMPORTS)
    numbers = {name: _numbers(imports, name, IMPORTS) for name in IMPORT_NUMBERS}
    partner_codes: dict[str, Ints] = {}
    if exports is not None:
        partner_codes, partner_words = _code_words(exports, EXPORT_WORDS, EXPORTS)
        _share_codes(codes, words, partner_codes, partner_words)
    else:
        _share_codes(codes, words, {}, {})
    day, week = _days(imports, "date", IMPORTS), numbers.pop("week").astype(np.int64)
    told = _later(imports, TOLD, week)
    if not len(week):
        raise TableError("The table has no rows", where=str(folder / IMPORTS))
    return World(
        ids=tuple(_text(imports, "declaration_id", IMPORTS).to_pylist()),
        week=week,
        day=day,
        codes=codes,
        words=words,
        numbers=numbers,
        outcomes=_outcomes(imports),
        mfn=np.array([tariff.get(word, np.nan) for word in words["hs6"]], dtype=np.float64),
        exports=None if exports is None else _exports(exports, partner_codes, monday=int((day - 7 * week).min())),
        told=told,
        words_told=_words_told(imports),
        findings_told=read_findings(folder),
        priced=_later(imports, PRICED, week if told is None else told),
    )


def _words_told(imports: pa.Table) -> Words | None:
    if not set(OFFERS) <= set(imports.column_names):
        return None
    week = _numbers(imports, OFFER_WEEK, IMPORTS, may_be_null=True)
    values = [_numbers(imports, f"offer_{what}", IMPORTS, may_be_null=True) for what in COMPARED]
    had_arrived = _numbers(imports, OFFER_FIRST, IMPORTS, may_be_null=True)
    told = np.where(np.isfinite(week), week, -1.0).astype(np.int64)
    return Words(np.stack(values, axis=1), told, had_arrived > 0)


def _later(imports: pa.Table, name: str, first: Ints) -> Ints | None:
    """The weeks in which something became known, where the table tells them: never before `first`, and else then."""
    if name not in imports.column_names:
        return None
    told = _numbers(imports, name, IMPORTS, may_be_null=True)
    return np.maximum(np.where(np.isfinite(told), told, first), first).astype(np.int64)


def _exports(table: pa.Table, codes: Mapping[str, Ints], *, monday: int) -> Exports:
    day = _days(table, "export_date", EXPORTS)
    numbers = {name: _numbers(table, name, EXPORTS) for name in EXPORT_NUMBERS}
    return Exports(codes, numbers, day, (day - monday) // 7)


def _read_table(path: Path) -> pa.Table:
    if not path.is_file():
        raise TableError("A file is missing", where=str(path), remedy="The folder needs it under this name.")
    try:
        return pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"The file cannot be read as Parquet: {_first_line(error)}", where=str(path)) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]


def read_tariff(path: Path) -> dict[str, float]:
    """The rate of each code, percent.

    Raises: TableError.
    """
    if not path.is_file():
        raise TableError("A file is missing", where=str(path), remedy="The folder needs it under this name.")
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            missing = {"hs6", "mfn_rate"} - set(reader.fieldnames or ())
            if missing:
                raise TableError(f"The column {min(missing)} is missing", where=str(path))
            return {row["hs6"]: _rate(row["mfn_rate"], f"{path}, line {reader.line_num}") for row in reader}
    except UnicodeDecodeError as error:
        raise TableError("The file is no UTF-8 text", where=str(path)) from error


def _rate(text: str | None, where: str) -> float:
    try:
        rate = float(text or "")
    except ValueError:
        rate = float("nan")
    if not np.isfinite(rate):
        raise TableError(f"mfn_rate is no number: {text!r}", where=where)
    return rate


def _column(table: pa.Table, name: str, file: str) -> pa.ChunkedArray:
    if name not in table.column_names:
        raise TableError(f"The column {name} is missing", where=file, remedy="Columns are named as the benchmark says.")
    return table[name]


def _text(table: pa.Table, name: str, file: str) -> pa.ChunkedArray:
    column = _column(table, name, file)
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise TableError(f"The column {name} must be text, not {column.type}", where=file)
    return pc.fill_null(column.cast(pa.large_string()), "")


def _numbers(table: pa.Table, name: str, file: str, *, may_be_null: bool = False) -> Floats:
    column = _column(table, name, file)
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise TableError(f"The column {name} must be a number, not {kind}", where=file)
    values = np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
    bad = ~np.isfinite(values)
    if bad.any() and not may_be_null:
        place = int(np.flatnonzero(bad)[0])
        raise TableError(f"The column {name} has no number", where=f"{file}, row {place}")
    return values


def _days(table: pa.Table, name: str, file: str) -> Ints:
    column = _column(table, name, file)
    try:
        column = column.cast(pa.date32())
    except pa.ArrowException as error:
        raise TableError(f"The column {name} must hold dates: {_first_line(error)}", where=file) from error
    if column.null_count:
        raise TableError(f"The column {name} has {column.null_count} rows without a date", where=file)
    return np.asarray(column.cast(pa.int32()).to_numpy(), dtype=np.int64)


def _code_words(
    table: pa.Table, names: tuple[str, ...], file: str
) -> tuple[dict[str, Ints], dict[str, tuple[str, ...]]]:
    codes, words = {}, {}
    for name in names:
        coded = _text(table, name, file).combine_chunks().dictionary_encode()
        coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
        codes[name] = np.asarray(coded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
        words[name] = tuple(coded.dictionary.to_pylist())
    return codes, words


def _share_codes(
    codes: dict[str, Ints],
    words: dict[str, tuple[str, ...]],
    partner_codes: dict[str, Ints],
    partner_words: Mapping[str, tuple[str, ...]],
) -> None:
    """Give each family of columns one alphabet, sorted, so that codes do not depend on who came first."""
    for names in SAME_CODES.values():
        present = [w[name] for name in names for w in (words, partner_words) if name in w]
        alphabet = tuple(sorted(set().union(*present)))
        place = {word: code for code, word in enumerate(alphabet)}
        for name in names:
            for some, spelled in ((codes, words), (partner_codes, partner_words)):
                if name in spelled:
                    some[name] = np.array([place[word] for word in spelled[name]], dtype=np.int64)[some[name]]
            if name in words:
                words[name] = alphabet


def _outcomes(table: pa.Table) -> Outcomes:
    illicit = _numbers(table, "illicit", IMPORTS, may_be_null=True)
    revenue = _numbers(table, "revenue", IMPORTS, may_be_null=True)
    critical = _numbers(table, "critical", IMPORTS, may_be_null=True)
    column = _column(table, "finding", IMPORTS)
    words = ["" if word is None else str(word) for word in column.to_pylist()]
    place = {word: code for code, word in enumerate(FINDINGS)}
    seen = np.isfinite(illicit)
    found = np.array([place.get(word, -1) for word in words], dtype=np.int64)
    return Outcomes(
        seen=seen,
        illicit=np.where(seen, illicit, 0.0),
        revenue=np.where(seen & np.isfinite(revenue), revenue, 0.0),
        critical=np.where(seen & np.isfinite(critical), critical, 0.0),
        finding=np.where(seen, found, -1),
        valued=seen & np.isfinite(revenue),
    )
