"""What taking in a day of trade costs, from the bytes of a CSV to assessed and considered records in the queue.

    .venv/bin/python benchmarks/import_and_assess.py [--files 5] [--records 1000]

Each file is a made-up day of declarations (`comity.training`) and goes through `comity.journeys.arrive.arrive` into a
new SQLite file with the node's own settings (WAL, synchronous=FULL, IMMEDIATE): the bytes kept, every record stored
with its keys, assessed with three profiles and two partners' alerts in force, considered for a control within the
day's capacity. The limit is what no import can avoid: reading the same bytes to the same values and nothing else, in
the same run. CPU seconds of this process, medians over the files; the first file warms up and is not counted.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import replace
from datetime import date, timedelta

from own_node import cpu, set_up

set_up()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from in_force import ANA, AT, put_in_force  # noqa: E402

from comity.journeys.arrive import arrive  # noqa: E402
from comity.risk.selectors import plan, profiles, signals  # noqa: E402
from comity.trade import Declaration, Party, Subject, SubjectRole  # noqa: E402
from comity.trade.formats.delimited import read_csv, read_mapping  # noqa: E402
from comity.training import day_of_trade, mapping_yaml  # noqa: E402
from comity.training.tables import write_table  # noqa: E402

RULES = {
    "P-1": ("starts_with(hs_code, '6404') AND unit_price_per_kg < 25.00", 60),
    "P-2": ("country_dispatch = 'XA' AND gross_mass_kg > 12000", 30),
    "P-3": ("NOT has_aeo_authorisation AND item_price > 500000", 15),
}


def subject_of(exporter: Party) -> Subject:
    """As an alert names an exporter."""
    return Subject(SubjectRole.CONSIGNOR, exporter.id, exporter.name, exporter.address.country)


def take_in(name: str, data: bytes) -> None:
    """The whole road of one file; nothing in it may be refused."""
    mapping = mapping_yaml().decode()
    receipt = arrive(ANA, source="bench", name=name, data=data, mapping=mapping, at=AT + timedelta(hours=1))
    if receipt.refused:
        raise SystemExit(f"{name}: {receipt.refused[0]}")


def read_only(data: bytes) -> None:
    """The limit: bytes to values."""
    mapping = read_mapping(mapping_yaml())
    if any(reading.record is None for reading in read_csv(data, mapping)):
        raise SystemExit("the file holds what cannot be read")


def day_under_its_own_references(seed: int, records: int) -> list[Declaration]:
    """A day's declarations, none of which corrects one of another day."""
    return [replace(each, lrn=f"{each.lrn}-{seed}") for each in day_of_trade(seed, records).imports]


def measure(files: int, records: int) -> None:
    """Take in the files one after the other; print records a second, the limit and the ratio."""
    days = [day_under_its_own_references(seed, records) for seed in range(1, files + 2)]
    put_in_force(RULES, [subject_of(party) for each in days[0][5:60:45] if (party := each.exporter)])
    spent, waited, limit, sizes = [], [], [], []
    for number, day in enumerate(days):
        data = write_table(day)
        floor, _ = cpu(lambda data=data: read_only(data))
        used, wall = cpu(lambda data=data, number=number: take_in(f"day-{number}.csv", data))
        if number:
            spent.append(used / len(day))
            waited.append(wall / len(day))
            limit.append(floor / len(day))
            sizes.append(len(data) / len(day))
    cost, floor = statistics.median(spent), statistics.median(limit)
    best = min(spent)
    print(f"arrive:       {1 / cost:>8,.0f} records a second of CPU ({cost * 1e3:.2f} ms each, best {best * 1e3:.2f})")
    print(f"              {1 / statistics.median(waited):>8,.0f} records a second of wall time, durable")
    print(f"reading only: {1 / floor:>8,.0f} records a second of CPU ({floor * 1e3:.2f} ms each)")
    print(f"ratio:        {floor / cost:>8.0%} of the limit; {statistics.median(sizes):,.0f} bytes of CSV a record")


def show_what_fired() -> None:
    """That the profiles, the alerts and the day's plan had work to do."""
    at = AT + timedelta(hours=1)
    hits = [f"{each.ref} {each.hits}" for each in profiles(at)] + [f"{each.ref} {each.hits}" for each in signals(at)]
    day = plan(date(2026, 3, 2))
    print(f"hits:         {', '.join(hits)}")
    print(f"selected:     {day.used_mandatory} mandatory, {day.used_risk} by score, {day.used_random} at random")


def main() -> None:
    """Run all."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--files", type=int, default=5)
    options.add_argument("--records", type=int, default=1000)
    chosen = options.parse_args()
    try:
        call_command("migrate", verbosity=0, skip_checks=True)
        measure(chosen.files, chosen.records)
        show_what_fired()
    finally:
        connection.close()


if __name__ == "__main__":
    main()
