"""What a stream of e-commerce parcels takes from arrival to decision, one small declaration at a time.

    .venv/bin/python benchmarks/parcels.py [--count 2000] [--rate 10000] [--history 500] [--database URL]

Each parcel is a declaration of one goods item in WCO XML, and goes alone through `comity.journeys.arrive.arrive`: the
bytes kept, the record stored with its keys, matched with partners' exports, assessed by every source (three profiles,
two alerts, mirror check, anomalies and whatever else is wired), considered for a control. The time is from the bytes to
the decision, durable; the CPU seconds stand beside it. First at full speed, then paced: --rate parcels an hour, each at
its instant, and what waits counts. A new SQLite file with the node's own settings, or the empty database at --database
(postgres://...). --history parcels come before and are not counted, so that anomalies have a past. Wall seconds; the
gate is a p99 under 100 ms at 10,000 an hour.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from own_node import set_up

set_up(sys.argv[sys.argv.index("--database") + 1] if "--database" in sys.argv else "")

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from in_force import ANA, AT, put_in_force  # noqa: E402

from comity.journeys.arrive import arrive  # noqa: E402
from comity.risk.models import AssessmentReason, Selection  # noqa: E402
from comity.trade import (  # noqa: E402
    Declaration,
    GoodsItem,
    HSCode,
    Money,
    Party,
    Subject,
    SubjectRole,
)
from comity.trade.formats.wco_xml import write_wco_xml  # noqa: E402
from comity.trade.values import Address, Packaging  # noqa: E402

RULES = {
    "P-1": ("starts_with(hs_code, '6404') AND unit_price_per_kg < 8.00", 40),
    "P-2": ("country_dispatch = 'XC' AND item_price < 22", 20),
    "P-3": ("hs_chapter = '30' AND NOT has_aeo_authorisation", 30),
}
GOODS = ("640411", "610910", "851830", "950300", "330499", "711719", "300490", "420292")
SUBJECTS = [Subject(SubjectRole.CONSIGNOR, f"XC{number:07d}", "", "XC") for number in range(2)]
GATE_SECONDS = 0.1


def parcels(seed: int, count: int) -> Iterator[bytes]:
    """Small consignments of a few hundred shops to many thousand people."""
    chance = random.Random(seed)
    for number in range(count):
        shop, buyer = chance.randrange(300), chance.randrange(20_000)
        hs_code = chance.choice(GOODS)
        mass = Decimal(chance.randrange(10, 400)) / 100
        price = (mass * Decimal(chance.randrange(800, 4000)) / 100).quantize(Decimal("0.01"))
        yield write_wco_xml(
            Declaration(
                lrn=f"XA-{seed}-{number:07d}",
                declaration_type="IMD",
                office="XA000010",
                declarant=Party("XA900000001", "Parcel Post"),
                exporter=Party(f"XC{shop:07d}", f"Shop {shop}", Address(country="XC")),
                importer=Party(f"XA{buyer:07d}", f"Person {buyer}", Address(country="XA")),
                country_dispatch="XC",
                country_destination="XA",
                ucr=f"6XC{seed}P{number:09d}",
                items=(
                    GoodsItem(
                        1,
                        HSCode(hs_code),
                        "Small goods",
                        origin="XC",
                        gross_mass_kg=mass + Decimal("0.05"),
                        net_mass_kg=mass,
                        packages=(Packaging(1, "PA"),),
                        item_price=Money(max(price, Decimal("0.50")), "EUR"),
                    ),
                ),
            )
        )


def take_in(name: str, data: bytes, at: datetime) -> None:
    """One parcel, from its bytes to its decision."""
    receipt = arrive(ANA, source="parcels", name=name, data=data, mapping=None, at=at)
    if len(receipt.imported) != 1:
        raise SystemExit(f"{name}: {receipt.refused or 'nothing came in'}")


def run(label: str, seed: int, count: int, rate: float) -> list[float]:
    """The parcels one after the other. rate: an hour; 0: at full speed. Seconds from its instant to its decision."""
    waits, spent_cpu, begun = [], [], time.perf_counter()
    for number, data in enumerate(list(parcels(seed, count))):
        if number == 0:
            begun = time.perf_counter()
        due = begun + number * 3600 / rate if rate else time.perf_counter()
        time.sleep(max(0.0, due - time.perf_counter()))
        cpu = time.process_time()
        take_in(f"{label}-{number}.xml", data, AT + timedelta(seconds=number))
        spent_cpu.append(time.process_time() - cpu)
        waits.append(time.perf_counter() - due)
    spent = time.perf_counter() - begun
    quantiles, of_cpu = statistics.quantiles(waits, n=100), statistics.quantiles(spent_cpu, n=100)
    print(
        f"{label:12} {count:6,} parcels {count / spent * 3600:10,.0f}/hour   p50 {quantiles[49] * 1000:6.1f} ms"
        f"   p99 {quantiles[98] * 1000:6.1f} ms   longest {max(waits) * 1000:6.1f} ms"
        f"   (CPU p50 {of_cpu[49] * 1000:.1f}, p99 {of_cpu[98] * 1000:.1f} ms)"
    )
    return waits


def main() -> None:
    """Both runs, then the verdict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=10_000.0)
    parser.add_argument("--history", type=int, default=500)
    parser.add_argument("--database", default="")
    chosen = parser.parse_args()
    try:
        call_command("migrate", verbosity=0)
        put_in_force(RULES, SUBJECTS)
        print(f"{connection.vendor}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        run("history", 1, chosen.history, 0)
        run("full speed", 2, chosen.count, 0)
        waits = run("paced", 3, chosen.count, chosen.rate)
        p99 = statistics.quantiles(waits, n=100)[98]
        by_kind = dict.fromkeys(AssessmentReason.objects.values_list("source_kind", flat=True), 0)
        for kind in by_kind:
            by_kind[kind] = AssessmentReason.objects.filter(source_kind=kind).count()
        print(f"reasons: {by_kind}; selected: {Selection.objects.exclude(cause='').count()}")
        print(f"gate: p99 {p99 * 1000:.1f} ms {'<' if p99 < GATE_SECONDS else 'NOT <'} {GATE_SECONDS * 1000:.0f} ms")
    finally:
        connection.close()


if __name__ == "__main__":
    main()
