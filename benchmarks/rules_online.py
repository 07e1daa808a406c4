"""A thousand rules on one declaration, as it arrives: the predicate index beside plain evaluation of every rule.

    .venv/bin/python benchmarks/rules_online.py [--rules 1000] [--rows 5000] [--seed 1]

Beside CEL and zen-engine, where they are installed (they are left out, and said to be, where not):

    python -m venv /tmp/peers && /tmp/peers/bin/pip install cel-python zen-engine django pyyaml click
    PYTHONPATH=src /tmp/peers/bin/python benchmarks/rules_online.py

Synthetic rules in the mix that profiles have (HS prefixes, traders, origins, offices, prices by mass, texts) and
synthetic goods items. "plain" is the same compiled code without the index; "walked" walks the tree of every rule, on
fewer rows. All must fire the same rules; the peers are given each rule in their own language, compiled once. Times are
CPU microseconds of `RuleSet.fired` on one goods item,
reading of the facts included. "the best of five" is the least of five runs over each item: what a machine that is busy
with other work adds to single items is not in it.
"""

from __future__ import annotations

import argparse
import importlib
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

from rules_peers import written

from comity.risk.expression_reading import read_condition
from comity.risk.expressions import Rule, compile_rules, parse_rule
from comity.trade.facts import FACT_TYPES

Facts = Mapping[str, object]
COUNTRIES = [a + b for a in "ABCDEFGH" for b in "ABCDEFGH"]
WORDS = ["shoes", "phone", "tea", "parts", "textile", "used", "sample", "steel", "wood", "toy"]


def code(rng: random.Random, digits: int) -> str:
    """A made-up HS code of 40 chapters."""
    return f"{rng.randint(1, 40):02d}{rng.randint(1, 20):02d}{rng.randint(10, 30):02d}"[:digits]


def rule_text(rng: random.Random) -> str:
    """A rule as an analyst writes it."""
    country, other = rng.choice(COUNTRIES), rng.choice(COUNTRIES)
    price = f"unit_price_per_kg < {rng.uniform(0.5, 30):.2f}"
    shapes = [
        f"starts_with(hs_code, '{code(rng, 4)}') AND {price}",
        f"starts_with(hs_code, '{code(rng, 2)}') AND origin = '{country}' AND {price}",
        f"hs_code = '{code(rng, 6)}' AND origin <> country_dispatch",
        f"hs_code IN ('{code(rng, 6)}', '{code(rng, 6)}', '{code(rng, 6)}') AND NOT has_aeo_authorisation",
        f"exporter_id = 'T{rng.randint(1, 3000)}' AND gross_mass_kg > {rng.randint(100, 9000)}",
        f"importer_id IN ('T{rng.randint(1, 3000)}', 'T{rng.randint(1, 3000)}') OR origin = '{country}' AND {price}",
        f"origin IN ('{country}', '{other}') AND contains(lower(description), '{rng.choice(WORDS)}')",
        f"country_dispatch = '{country}' AND gross_mass_kg / packages > {rng.randint(50, 900)}",
        f"office = 'XA{rng.randint(1, 40):03d}' AND item_price BETWEEN 100 AND {rng.randint(200, 90000)}",
        f"abs(gross_mass_kg - net_mass_kg) / net_mass_kg > {rng.uniform(0.2, 3):.2f} AND seals = 0",
        f"ucr IS NULL AND mode_border = '{rng.randint(1, 9)}' AND origin = '{country}'",
    ]
    weights = [26, 14, 12, 10, 12, 3, 8, 6, 5, 1, 3]
    return rng.choices(shapes, weights)[0]


def goods(rng: random.Random) -> dict[str, object]:
    """One goods item; one fact in twelve is missing."""
    net = rng.uniform(1, 9000)
    price = net * rng.lognormvariate(2, 1)
    hs = code(rng, 6)
    row: dict[str, object] = dict.fromkeys(FACT_TYPES)
    row |= {
        "lrn": f"LRN{rng.randint(1, 10**9)}",
        "ucr": f"UCR{rng.randint(1, 10**9)}",
        "hs_code": hs,
        "hs_heading": hs[:4],
        "hs_chapter": hs[:2],
        "origin": rng.choice(COUNTRIES),
        "country_dispatch": rng.choice(COUNTRIES),
        "office": f"XA{rng.randint(1, 40):03d}",
        "exporter_id": f"T{rng.randint(1, 3000)}",
        "importer_id": f"T{rng.randint(1, 3000)}",
        "description": " ".join(rng.choices(WORDS, k=6)),
        "mode_border": str(rng.randint(1, 9)),
        "gross_mass_kg": net * rng.uniform(1, 1.4),
        "net_mass_kg": net,
        "item_price": price,
        "unit_price_per_kg": price / net,
        "packages": rng.randint(0, 40),
        "seals": rng.randint(0, 2),
        "has_aeo_authorisation": rng.random() < 0.2,
    }
    return {name: None if rng.random() < 1 / 12 else value for name, value in row.items()}


def timed(fired: Callable[[Facts], list[int]], rows: Sequence[Facts]) -> tuple[list[float], list[list[int]]]:
    """Microseconds for each row, and what fired."""
    times, hits = [], []
    for row in rows:
        start = time.thread_time_ns()
        found = fired(row)
        times.append((time.thread_time_ns() - start) / 1000)
        hits.append(found)
    return times, hits


def walker(rules: Sequence[Rule]) -> Callable[[Facts], list[int]]:
    """Every rule, walked node by node."""
    return lambda row: [place for place, rule in enumerate(rules) if read_condition(rule.condition, row) is True]


def cel(rules: Sequence[Rule]) -> Callable[[Facts], list[int]] | None:
    """Every rule as a compiled CEL program."""
    try:
        celpy = importlib.import_module("celpy")
    except ImportError:
        return None
    environment = celpy.Environment()
    own = {
        "lower": lambda text: celpy.celtypes.StringType(text.lower()),
        "abs": lambda x: celpy.celtypes.DoubleType(abs(x)),
    }
    programs = [
        environment.program(environment.compile(written(rule.condition, "cel")), functions=own) for rule in rules
    ]

    def fired(row: Facts) -> list[int]:
        known = {name: float(value) if type(value) is int else value for name, value in row.items()}
        facts = {"f": celpy.json_to_cel({name: value for name, value in known.items() if value is not None})}
        return [place for place, program in enumerate(programs) if program.evaluate(facts)]

    return fired


def zen(rules: Sequence[Rule]) -> Callable[[Facts], list[int]] | None:
    """Every rule as a compiled expression of zen-engine."""
    try:
        engine = importlib.import_module("zen")
    except ImportError:
        return None
    compiled = [engine.compile_expression(written(rule.condition, "zen")) for rule in rules]
    return lambda row: [place for place, expression in enumerate(compiled) if expression.evaluate(dict(row)) is True]


def beside(
    name: str, fired: Callable[[Facts], list[int]] | None, rows: Sequence[Facts], hits: list[list[int]]
) -> float:
    """Measure a peer on some rows; returns its median, 0 where it is not installed."""
    if fired is None:
        print(f"{name} is not installed: left out")
        return 0.0
    fired(rows[0])
    times, found = timed(fired, rows)
    if found != hits[: len(rows)]:
        print(f"{name} fires other rules than ours")
        raise SystemExit(1)
    return say(name, times)


def say(name: str, times: Sequence[float]) -> float:
    """Print one line; returns the median."""
    ordered = sorted(times)
    middle = statistics.median(ordered)
    p99 = ordered[int(len(ordered) * 0.99)]
    print(f"{name:<24}{middle:>12.1f}{p99:>12.1f}{statistics.fmean(ordered):>12.1f}")
    return middle


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rules", type=int, default=1000)
    options.add_argument("--rows", type=int, default=5000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    rng = random.Random(chosen.seed)
    texts = [rule_text(rng) for _ in range(chosen.rules)]
    rows = [goods(rng) for _ in range(chosen.rows)]

    start = time.perf_counter()
    rules = [parse_rule(text, FACT_TYPES) for text in texts]
    parsed = time.perf_counter()
    indexed = compile_rules(rules, FACT_TYPES)
    compiled = time.perf_counter()
    plain = compile_rules(rules, FACT_TYPES, is_indexed=False)
    walked_rows = rows[: max(1, len(rows) // 50)]

    timed(indexed.fired, rows[:500])
    timed(plain.fired, rows[:500])
    quick, hits = timed(indexed.fired, rows)
    slow, plain_hits = timed(plain.fired, rows)
    walked, walked_hits = timed(walker(rules), walked_rows)
    assert hits == plain_hits, "the index changed what fires"
    assert hits[: len(walked_rows)] == walked_hits, "the compiled form changed what fires"

    fired = statistics.fmean(len(found) for found in hits)
    print(f"{len(rules):,} rules, {len(rows):,} goods items, {fired:.2f} rules fire on one")
    print(
        f"parse {1e6 * (parsed - start) / len(rules):.0f} us a rule, compile {1e3 * (compiled - parsed):.0f} ms for all"
    )
    print(f"{'us on one goods item':<24}{'median':>12}{'p99':>12}{'mean':>12}")
    middle = say("with index", quick)
    again = [timed(indexed.fired, rows)[0] for _ in range(4)]
    say("  the best of five", [min(each) for each in zip(quick, *again, strict=True)])
    plain_middle = say("plain", slow)
    walked_middle = say("walked", walked)
    few = rows[: max(1, len(rows) // 200)]
    for name, fired_by in (("CEL", cel(rules)), ("zen-engine", zen(rules))):
        peer = beside(name, fired_by, few, hits)
        if peer:
            print(f"ratio of medians: {name} / index {peer / middle:.0f} (wanted: 50)")
    print(f"ratio of medians: plain / index {plain_middle / middle:.1f}, walked / index {walked_middle / middle:.0f}")


if __name__ == "__main__":
    main()
