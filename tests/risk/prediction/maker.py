"""Makes a small world of the benchmark's form: two administrations, some honest traders, three planted schemes."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

WEEKS, ROWS_A_WEEK = 14, 40
GOODS = {"610910": 12.0, "610990": 0.0, "640411": 8.0, "851712": 0.0, "330300": 6.5, "220421": 20.0}
PRICES = {"610910": 14.0, "610990": 9.0, "640411": 11.0, "851712": 180.0, "330300": 40.0, "220421": 4.0}
COUNTRIES = ("CN", "VN", "IT", "HK")

Columns = dict[str, list[object]]


def make_columns(seed: int = 1, weeks: int = WEEKS) -> tuple[Columns, Columns]:
    """The columns of imports.parquet and exports.parquet."""
    rng = np.random.default_rng(seed)
    imports: Columns = {}
    exports: Columns = {}
    number = 0
    for week in range(weeks):
        for dest in ("AA", "BB"):
            for _ in range(ROWS_A_WEEK):
                number += 1
                own, theirs = _declaration(rng, number, week, dest)
                for name, value in own.items():
                    imports.setdefault(name, []).append(value)
                if rng.random() < 0.6:
                    for name, value in theirs.items():
                        exports.setdefault(name, []).append(value)
    return imports, exports


def _declaration(
    rng: np.random.Generator, number: int, week: int, dest: str
) -> tuple[dict[str, object], dict[str, object]]:
    importer, exporter = int(rng.integers(0, 18)), int(rng.integers(0, 12))
    true_hs = str(rng.choice(list(GOODS)))
    origin = departure = COUNTRIES[exporter % 3]
    mass = round(float(np.exp(rng.normal(6, 1))), 2)
    value = round(mass * PRICES[true_hs] * float(np.exp(rng.normal(0, 0.08))), 2)
    day = date(2024, 1, 1) + timedelta(days=7 * week + int(rng.integers(0, 7)))
    declared_hs, declared_value, finding, critical = true_hs, value, "", 0
    if importer < 3 and rng.random() < 0.6:
        declared_value, finding = round(value * 0.45, 2), "UV"
    elif exporter == 11 and true_hs == "610910" and rng.random() < 0.8:
        declared_hs, finding = "610990", "MC"
    elif importer == 5 and week > 5 and rng.random() < 0.5:
        departure, finding, critical = "HK", "IP", 1
    rate = GOODS[declared_hs]
    lost = (value * GOODS[true_hs] - declared_value * rate) / 100 + 0.1 * (value - declared_value)
    own: dict[str, object] = {
        "declaration_id": f"{dest}{number:06d}",
        "date": day.isoformat(),
        "week": week,
        "dest": dest,
        "office": f"{dest}{number % 3:02d}",
        "importer": f"I{dest}{importer:02d}",
        "declarant": f"D{dest}{importer % 5}",
        "exporter": f"E{exporter:02d}",
        "forwarder": f"F{exporter % 4}",
        "hs6": declared_hs,
        "origin": origin,
        "departure": departure,
        "transport": "40" if number % 9 == 0 else "10",
        "preference": int(number % 7 == 0),
        "aeo": int(importer > 14),
        "net_mass": mass,
        "quantity": max(1, int(mass * 3)),
        "cif_value": declared_value,
        "duty_rate": rate,
        "taxes_paid": round(declared_value * (rate + 10) / 100, 2),
        "ucr": f"U{number:06d}",
        "illicit": int(bool(finding)),
        "revenue": round(max(lost, 0.0), 2) if finding and not critical else 0.0,
        "critical": critical,
        "finding": finding,
    }
    theirs: dict[str, object] = {
        "ucr": own["ucr"],
        "export_date": (day - timedelta(days=int(rng.integers(5, 30)))).isoformat(),
        "export_admin": departure,
        "exporter": own["exporter"],
        "destination": dest,
        "hs6": true_hs,
        "origin": origin,
        "net_mass": mass,
        "fob_value": round(value * 0.95, 2),
    }
    return own, theirs


def write_world(folder: Path, imports: Columns, exports: Columns) -> Path:
    """Write the three files into the folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(imports), folder / "imports.parquet")
    pq.write_table(pa.table(exports), folder / "exports.parquet")
    lines = ["hs6,mfn_rate", *(f"{hs6},{rate}" for hs6, rate in GOODS.items())]
    (folder / "tariff.csv").write_text("\n".join(lines) + "\n")
    return folder
