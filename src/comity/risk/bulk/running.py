"""A bulk assessment from beginning to end: bound to its rules and its input, cut into parts, taken up after a stop."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

from comity.risk.bulk.firing import BulkRules
from comity.risk.bulk.libraries import load
from comity.risk.bulk.orders import Engine, Order, Progress, RuleLine, Summary, Tell
from comity.risk.bulk.parts import Found, Part, Work, assess_part, cut, drop_partial, finished_part, input_files
from comity.risk.errors import RunError
from comity.trade.facts import FACT_TYPES

MANIFEST = "manifest.json"
SUMMARY = "summary.json"
_VERSION = 1
_SPARK = "comity.risk.bulk.spark"


def run(order: Order, *, tell: Tell = lambda _progress: None) -> Summary:
    """Assess a table; what is written does not depend on the engine, the size of batches, or on stops.

    Raises: RunError, FactError, MissingLibraryError.
    """
    lines = order.rules
    rules = BulkRules([(line.ref, line.rule) for line in lines], FACT_TYPES, keys=order.keys)
    parts = cut(order, rules)
    if order.engine is Engine.SPARK:
        load(_SPARK).check_libraries(order)
    _open(order)
    done = {part.number: found for part in parts if (found := finished_part(order.out, part)) is not None}
    waiting = [part for part in parts if part.number not in done]
    told = _Told(tell, parts, done)
    told.say()
    work = Work(rules, order.out.resolve(), order.batch_rows)
    for number, found in _assessed(order, work, waiting, told):
        done[number] = found
        told.say()
    summary = _sum([done[part.number] for part in parts], lines)
    _write(order.out / SUMMARY, _summary_json(summary, lines))
    return summary


def _assessed(order: Order, work: Work, parts: list[Part], told: _Told) -> Iterator[tuple[int, Found]]:
    if order.engine is Engine.SPARK:
        yield from cast("Iterable[tuple[int, Found]]", load(_SPARK).assess_parts(order, work, parts))
        return
    for part in parts:
        yield part.number, assess_part(work, part, told.say)


class _Told:
    """Tells how far a run is."""

    def __init__(self, tell: Tell, parts: list[Part], done: dict[int, Found]) -> None:
        self._tell, self._done = tell, done
        self._of, self._parts = sum(part.rows for part in parts), len(parts)

    def say(self, rows: int = 0, hits: int = 0) -> None:
        """Tell of the finished parts, and of rows and hits in the one at work."""
        rows += sum(found.rows for found in self._done.values())
        hits += sum(sum(found.hits) for found in self._done.values())
        self._tell(Progress(rows, self._of, hits, len(self._done), self._parts))


def _open(order: Order) -> None:
    """Make the folder, or see that the run which it holds is the one that is asked for."""
    manifest = order.out / MANIFEST
    wanted = _manifest(order)
    if not manifest.exists():
        if order.out.exists() and any(order.out.iterdir()):
            raise RunError("The folder holds something else", where=str(order.out), remedy="Name an empty or new one.")
        order.out.mkdir(parents=True, exist_ok=True)
        _write(manifest, wanted)
        return
    if not order.is_resumed:
        raise RunError(
            "The folder holds a run already",
            where=str(order.out),
            remedy="Add --resume to go on with it, or name another folder.",
        )
    try:
        found = json.loads(manifest.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError("The manifest of the run is damaged", where=str(manifest)) from error
    differs = [name for name in wanted if found.get(name) != wanted[name]]
    if differs:
        raise RunError(
            f"The run began with other {' and '.join(_CALLED[name] for name in differs)}",
            where=str(order.out),
            remedy="Name another folder for a new run; parts of two would not fit together.",
        )
    drop_partial(order.out)


_CALLED = {
    "version": "software",
    "rules": "rules",
    "keys": "keys",
    "part_rows": "parts",
    "declarations": "declarations",
}


def _manifest(order: Order) -> dict[str, object]:
    rules = [[line.ref, line.rule.text, line.weight, line.lane.value] for line in order.rules]
    return {
        "version": _VERSION,
        "rules": hashlib.sha256(json.dumps(rules).encode()).hexdigest(),
        "keys": list(order.keys),
        "part_rows": order.part_rows,
        "declarations": [[path.name, _digest(path)] for path in input_files(order.declarations)],
    }


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sum(found: list[Found], lines: tuple[RuleLine, ...]) -> Summary:
    by_rule = [sum(counts) for counts in zip(*(each.hits for each in found), strict=True)] or [0] * len(lines)
    rows = sum(each.rows for each in found)
    return Summary(rows, sum(by_rule), len(found), dict(zip((line.ref for line in lines), by_rule, strict=True)))


def _summary_json(summary: Summary, lines: tuple[RuleLine, ...]) -> dict[str, object]:
    return {
        "rows": summary.rows,
        "hits": summary.hits,
        "parts": summary.parts,
        "rules": [
            {"ref": line.ref, "weight": line.weight, "lane": line.lane.value, "hits": summary.hits_by_rule[line.ref]}
            for line in lines
        ],
        "never_fired": list(summary.never_fired),
    }


def _write(path: Path, content: dict[str, object]) -> None:
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
