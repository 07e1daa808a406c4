"""The node's own history as a table of the benchmark's form: imports by week, each with what a control of it found.

Read week by week and written as it is read, so that memory does not grow with the history. A declaration stands as it
was first lodged: what a trader corrected after a control would give the outcome away. An outcome stands in the week in
which it became known. Only own declarations, own controls, what partners gave for the mirror check, and findings and
alerts of theirs that may be learned from are read, all of which is held for risk assessment; what was forgotten is not
there any more, and so is not in the next table.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from comity.intake import StoredRecord
from comity.intake import selectors as intake
from comity.risk.accounts import currency_of_account
from comity.risk.modelling.errors import HistoryError
from comity.risk.modelling.found_by_partners import Joining, told_until
from comity.risk.modelling.rows import EPOCH, NO_OUTCOME, Row, day_of, is_import, monday_of, outcome_of, row_of
from comity.risk.modelling.told_by_partners import columns_of, heard_of
from comity.risk.models import Assessment, LearnedOutcome, MirrorMatch
from comity.risk.prediction.told_findings import FINDINGS_FILE, SCHEMA
from comity.risk.prediction.worlds import (
    EXPORTS,
    IMPORT_NUMBERS,
    IMPORT_WORDS,
    IMPORTS,
    OFFERS,
    PRICED,
    TARIFF,
    TOLD,
    World,
    read_tariff,
    read_world,
)

Tell = Callable[[str], None]
_AT_ONCE = 500
_SHARED = "shared"
_NUMBERS = (*IMPORT_NUMBERS, TOLD, PRICED, *OFFERS, "illicit", "revenue", "critical")
_IMPORTS = pa.schema(
    [
        ("declaration_id", pa.string()),
        ("date", pa.date32()),
        *((name, pa.string()) for name in (*IMPORT_WORDS, "finding")),
        *((name, pa.float64()) for name in _NUMBERS),
    ]
)
_EXPORTS = pa.schema(
    [
        *((name, pa.string()) for name in ("ucr", "export_admin", "exporter", "destination", "hs6", "origin")),
        ("export_date", pa.date32()),
        ("net_mass", pa.float64()),
        ("fob_value", pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True)
class OwnTable:
    """What was written. first_day: the Monday of week 0, in days since 1970-01-01.

    amounts: of how many irregular ones it is known what they came to, in the currency of account.
    """

    declarations: int
    controlled: int
    irregular: int
    exports: int
    first_day: int
    last_week: int
    amounts: int = 0
    currency: str = ""

    def __str__(self) -> str:
        return (
            f"{self.declarations} import declarations in {self.last_week + 1} weeks; {self.controlled} were controlled,"
            f" {self.irregular} of them irregular, {self.amounts} of those with an amount;"
            f" {self.exports} partners' export records are held"
        )


def read_own_rates(path: Path) -> dict[str, float]:
    """The tariff of the home: percent by subheading; nothing where there is none.

    Raises: TableError where it cannot be read.
    """
    return read_tariff(path) if path.is_file() else {}


def write_own_table(
    folder: Path, *, administration: str, rates: Mapping[str, float], until: datetime, tell: Tell
) -> OwnTable:
    """Write imports.parquet, exports.parquet, tariff.csv and what partners found, of all that arrived before `until`.

    Raises: HistoryError where nothing has arrived.
    """
    first = _first_arrival(until)
    monday = monday_of(first)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    span = _Span(monday, until, currency_of_account(until), Joining(told_until(until)))
    counts = [0, 0, 0, 0, 0]
    with (
        pq.ParquetWriter(folder / IMPORTS, _IMPORTS, compression="zstd") as imports,
        pq.ParquetWriter(folder / EXPORTS, _EXPORTS, compression="zstd") as exports,
    ):
        for week, records in _by_week(monday, until):
            rows = _rows(records, administration, rates, week, span)
            if not rows:
                continue
            imports.write_table(pa.Table.from_pylist(rows, schema=_IMPORTS))
            held = _exports_of({str(row["declaration_id"]): row for row in rows}, administration)
            if held:
                exports.write_table(pa.Table.from_pylist(held, schema=_EXPORTS))
            counts[0] += len(rows)
            counts[1] += sum(row["illicit"] is not None for row in rows)
            counts[2] += sum(row["illicit"] == 1.0 for row in rows)
            counts[3] += len(held)
            counts[4] += sum(row["illicit"] == 1.0 and row["revenue"] is not None for row in rows)
            if week % 10 == 9:
                tell(f"week {week}: {counts[0]} declarations so far, {counts[1]} of them controlled")
    with (folder / TARIFF).open("w", encoding="utf-8", newline="") as target:
        csv.writer(target, lineterminator="\n").writerows([("hs6", "mfn_rate"), *sorted(rates.items())])
    found = span.found.rows(span.week_of)
    pq.write_table(pa.Table.from_pylist(found, schema=SCHEMA), folder / FINDINGS_FILE)
    if not counts[0]:
        raise HistoryError(
            "No import declaration is held here",
            where=f"before {until:%Y-%m-%d}",
            remedy="Import what was declared, or train on a table of the past with --table.",
        )
    return OwnTable(
        counts[0],
        counts[1],
        counts[2],
        counts[3],
        monday,
        (monday_of(until) - monday) // 7,
        amounts=counts[4],
        currency=span.currency,
    )


def read_own_world(folder: Path, *, with_exports: bool = False) -> World:
    """The table that was written, read as any other."""
    return read_world(folder, with_exports=with_exports)


def _first_arrival(until: datetime) -> datetime:
    oldest = intake.first_declared_at(until)
    if oldest is None:
        raise HistoryError(
            "No declaration is held here",
            where=f"before {until:%Y-%m-%d}",
            remedy="Import what was declared, or train on a table of the past with --table.",
        )
    return oldest


def _by_week(monday: int, until: datetime) -> Iterator[tuple[int, Iterator[StoredRecord]]]:
    start = datetime.combine(EPOCH + timedelta(days=monday), datetime.min.time(), UTC)
    week = 0
    while start < until:
        end = min(start + timedelta(days=7), until)
        yield week, intake.declarations_between(start, end)
        start, week = start + timedelta(days=7), week + 1


@dataclass(frozen=True, slots=True)
class _Span:
    """Of what time, in which currency, and what partners found. monday: of week 0, in days since 1970-01-01."""

    monday: int
    until: datetime
    currency: str
    found: Joining

    def week_of(self, at: datetime) -> float:
        return float((day_of(at) - self.monday) // 7)


def _rows(
    records: Iterator[StoredRecord], administration: str, rates: Mapping[str, float], week: int, span: _Span
) -> list[Row]:
    rows: list[Row] = []
    first_lodged: dict[UUID, StoredRecord] = {}
    for record in records:
        first = intake.as_lodged(record)
        if first.declaration is None or not is_import(first.declaration, administration):
            continue
        row = row_of(first.declaration, administration=administration, arrived_at=record.received_at, rates=rates)
        known = {"declaration_id": str(record.record_id), "week": float(week), TOLD: None, PRICED: None}
        rows.append(known | NO_OUTCOME | row)
        span.found.meet(first.declaration, row, float(week))
        first_lodged[record.record_id] = first
    rows.sort(key=lambda row: (str(row["date"]), str(row["declaration_id"])))
    _add_outcomes(rows, span)
    _add_words(rows, first_lodged, span)
    return rows


def _add_words(rows: Sequence[Row], first_lodged: Mapping[UUID, StoredRecord], span: _Span) -> None:
    """What partners told, beside each declaration as it was first lodged; and whether that had arrived by then.

    By then: when it was first assessed, with which offers that came before are compared; else when it came.
    """
    declared = {record_id: each.declaration for record_id, each in first_lodged.items() if each.declaration is not None}
    told, ids = heard_of(declared), list(declared)
    assessed: dict[UUID, datetime] = {}
    for start in range(0, len(ids), _AT_ONCE):
        found = Assessment.objects.filter(record_id__in=ids[start : start + _AT_ONCE], number=1)
        assessed |= dict(found.values_list("record_id", "at"))
    for row in rows:
        record_id = UUID(str(row["declaration_id"]))
        heard = [each for each in told.get(record_id, ()) if each.known_at < span.until]
        moment = assessed.get(record_id, first_lodged[record_id].received_at)
        at_once = [each for each in heard if each.known_at <= moment]
        # Where something came later too, the row itself sees what it saw then, and its actors the rest from later on.
        week = span.week_of(max(each.known_at for each in heard)) if heard else None
        row.update(columns_of(at_once or heard, week=week, had_arrived=bool(at_once)))


def _add_outcomes(rows: Sequence[Row], span: _Span) -> None:
    by_id = {UUID(str(row["declaration_id"])): row for row in rows}
    ids = list(by_id)
    for start in range(0, len(ids), _AT_ONCE):
        found = LearnedOutcome.objects.filter(record_id__in=ids[start : start + _AT_ONCE], decided_at__lt=span.until)
        # Of several the first: what was known of the goods as they came.
        for outcome in found.order_by("-decided_at", "-id"):
            if outcome.record_id is not None:
                by_id[outcome.record_id] |= _told(outcome, span)


def _told(outcome: LearnedOutcome, span: _Span) -> Row:
    """An outcome as far as it was known then. An amount of another currency of account, or of later, is not known."""
    stated = outcome.revenue_at
    is_known = stated is not None and stated < span.until and outcome.currency == span.currency
    revenue = outcome.revenue if is_known else None
    found = outcome_of(is_irregular=outcome.is_irregular, risk_type=outcome.risk_type, revenue=revenue)
    priced = span.week_of(stated) if stated is not None and revenue is not None else None
    return found | {TOLD: span.week_of(outcome.decided_at), PRICED: priced}


def _exports_of(rows: Mapping[str, Row], administration: str) -> list[dict[str, Any]]:
    """Partners' export records, where their value and mass are known: told, or committed to and equal to ours."""
    ids = [UUID(each) for each in rows]
    held = []
    for start in range(0, len(ids), _AT_ONCE):
        matches = MirrorMatch.objects.filter(record_id__in=ids[start : start + _AT_ONCE]).exclude(state=_SHARED)
        for match in matches.select_related("offer").order_by("pk"):
            row = rows[str(match.record_id)]
            told = match.values.get("figures", {})
            value, mass = (
                _figure(match, told, "value", row["cif_value"]),
                _figure(match, told, "net_mass_kg", row["net_mass"]),
            )
            if value is not None and mass is not None:
                held.append(_export(match, told, row, (value, mass, administration)))
    return held


def _figure(match: MirrorMatch, told: Mapping[str, Any], name: str, ours: object) -> float | None:
    if name in told:
        figure = told[name]
        amount = figure.get("amount") if isinstance(figure, dict) else figure
        return float(Decimal(str(amount)))
    return float(str(ours)) if name in match.agreed else None


def _export(match: MirrorMatch, told: Mapping[str, Any], row: Row, known: tuple[float, float, str]) -> dict[str, Any]:
    value, mass, administration = known
    codes, origins = told.get("hs_codes") or [row["hs6"]], told.get("origins") or [row["origin"]]
    sent: date = EPOCH + timedelta(days=day_of(match.offer.taken_at))
    declared = row["date"]
    return {
        "ucr": row["ucr"],
        "export_admin": match.offer.issuer,
        "exporter": row["exporter"],
        "destination": administration,
        "hs6": str(codes[0])[:6],
        "origin": str(origins[0]),
        "export_date": min(sent, declared) if isinstance(declared, date) else sent,
        "net_mass": mass,
        "fob_value": value,
    }
