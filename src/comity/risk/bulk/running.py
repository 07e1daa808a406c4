"""A bulk assessment from beginning to end: bound to what it was asked, cut into parts, taken up after a stop."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from comity.risk.bulk.files import Found, drop_partial, found_in, opened, write_json
from comity.risk.bulk.firing import BulkRules
from comity.risk.bulk.libraries import load
from comity.risk.bulk.lists import digest_of, keep_lists, kept_lists
from comity.risk.bulk.orders import Engine, Order, Progress, RuleLine, Summary, Tell
from comity.risk.bulk.parts import Part, RulesWork, Step, Task, TellRows, cut, input_files, run_rules
from comity.risk.bulk.screened import ScreeningWork, screen_names, screen_rows
from comity.risk.bulk.subjects import NAMES, gather, roles_of
from comity.risk.errors import RunError
from comity.trade.facts import FACT_TYPES

MANIFEST = "manifest.json"
SUMMARY = "summary.json"
_VERSION = 2
_SPARK = "comity.risk.bulk.spark"
_MODEL = "comity.risk.bulk.scored"
# How much of the work on a row each step is, for the progress that is told.
_EFFORT = {Step.RULES: 1, Step.SCREENING: 1, Step.MODEL: 20}

# Does tasks wherever they are done; what each found, in the order of their ends.
Each = Callable[[Callable[[Task, TellRows], Found], Sequence[Task]], Iterator[tuple[Task, Found]]]


def run(order: Order, *, tell: Tell = lambda _progress: None) -> Summary:
    """Assess a table; what is written does not depend on the engine, the size of batches, or on stops.

    Raises: RunError, FactError, MissingLibraryError, ModelFileError.
    """
    rules = BulkRules([(line.ref, line.rule) for line in order.rules], FACT_TYPES, keys=order.keys)
    steps = _Steps(order, rules)
    parts = cut(order, steps.check)
    if order.engine is Engine.SPARK:
        load(_SPARK).check_libraries(order)
    told = _Told(tell, parts, steps.of_parts)
    told.counts = {Step.RULES: len(order.rules), Step.NAMES: len(order.lists), Step.SCREENING: len(order.lists)}
    try:
        with _engine(order, told) as each:
            _open(order, steps.bound)
            if order.lists:
                steps.screening = _names_screened(order, each, told)
            tasks = [Task(step, part) for part in parts for step in steps.of_parts]
            _do(order.out, each, steps.do(), tasks, told)
        summary = _sum(order, told)
        write_json(order.out / SUMMARY, _summary_json(summary, order))
    except (OSError, pa.ArrowException) as error:
        raise RunError(
            "The table cannot be read to its end, or the result cannot be written; finished parts are kept",
            where=str(order.out),
            remedy=str(error)[:300],
        ) from error
    return summary


class _Steps:
    """What is asked of each part, checked before anything is written."""

    def __init__(self, order: Order, rules: BulkRules) -> None:
        self._order, self._rules = order, rules
        self.screening: ScreeningWork | None = None
        self._model: Any = None
        self._prepared: Any = None
        if order.model:
            self._model = load(_MODEL)
            self._prepared = self._model.Prepared(order, order.model)
        self.of_parts = [Step.RULES]
        self.of_parts += [Step.SCREENING] if order.lists else []
        self.of_parts += [Step.MODEL] if order.model else []

    def check(self, schema: Any) -> Any:
        """Refuse a table that lacks what a step needs; says what the answer to the rules looks like."""
        self._rules.check(schema)
        if self._order.lists:
            roles_of(schema)
        if self._model:
            self._model.check(schema)
        return self._rules.output(schema)

    @property
    def bound(self) -> Mapping[str, object]:
        """What the folder of the result is bound to besides the rules and the rows."""
        return {
            "lists": digest_of(self._order.lists) if self._order.lists else "",
            "model": self._prepared.digest if self._prepared else "",
        }

    def do(self) -> Callable[[Task, TellRows], Found]:
        """What does a task."""
        order, out = self._order, self._order.out.resolve()
        works: dict[Step, Callable[[Task, TellRows], Found]] = {
            Step.RULES: partial(run_rules, RulesWork(self._rules, out, order.batch_rows))
        }
        if self.screening:
            works[Step.SCREENING] = partial(screen_rows, self.screening)
        if self._model:
            works[Step.MODEL] = partial(self._model.score_rows, self._prepared.work(order))
        return partial(_done, works)


def _done(works: Mapping[Step, Callable[[Task, TellRows], Found]], task: Task, tell: TellRows) -> Found:
    return works[task.step](task, tell)


def _names_screened(order: Order, each: Each, told: _Told) -> ScreeningWork:
    """Gather the distinct names of the whole table, and screen those that were not before."""
    out = order.out.resolve()
    names = out / NAMES
    if not names.exists():
        keep_lists(out, order.lists)
        files = []
        for path in input_files(order.declarations):
            with opened(path, []) as file:
                files.append((path, roles_of(file.schema_arrow)))
        gather(files, out)
    digest = f"{digest_of(order.lists)} {_digest(names)}"
    work = ScreeningWork(out, order.keys, tuple(used.code for used in order.lists), digest, order.batch_rows)
    with opened(names, []) as file:
        metadata = file.metadata
        sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    buckets = [Part(number, str(names), (number,), size, 0) for number, size in enumerate(sizes) if size]
    told.expect_names(sum(sizes))
    _do(out, each, partial(screen_names, work), [Task(Step.NAMES, bucket) for bucket in buckets], told)
    kept_lists.cache_clear()  # the index is large, and no name is asked any more
    return work


def _do(out: Path, each: Each, do: Callable[[Task, TellRows], Found], tasks: list[Task], told: _Told) -> None:
    """Do the tasks that are not done yet."""
    waiting = []
    for task in tasks:
        found = found_in(out / task.name, task.part.rows, told.counts.get(task.step, 1))
        if found is None:
            waiting.append(task)
        else:
            told.keep(task, found)
    told.say()
    for task, found in each(do, waiting):
        told.keep(task, found)
        told.say()


@contextmanager
def _engine(order: Order, told: _Told) -> Iterator[Each]:
    if order.engine is Engine.SPARK:
        with cast("AbstractContextManager[Each]", load(_SPARK).engine(order)) as each:
            yield each
        return

    def one_by_one(do: Callable[[Task, TellRows], Found], tasks: Sequence[Task]) -> Iterator[tuple[Task, Found]]:
        for task in tasks:
            yield task, do(task, partial(told.say_within, task))

    yield one_by_one


class _Told:
    """Keeps what was found, and tells how far a run is."""

    def __init__(self, tell: Tell, parts: list[Part], steps: list[Step]) -> None:
        self._tell, self._parts, self._steps = tell, parts, steps
        self._of = sum(part.rows for part in parts)
        self._effort = sum(_EFFORT[step] for step in steps)
        self.found: dict[Step, dict[int, Found]] = {step: {} for step in Step}
        self.counts: dict[Step, int] = {}
        self.names = 0

    def expect_names(self, names: int) -> None:
        """Say how many names there are to screen."""
        self.names = names

    def keep(self, task: Task, found: Found) -> None:
        """A task is done."""
        self.found[task.step][task.part.number] = found

    def say(self) -> None:
        """Tell of the finished tasks."""
        self._say(0.0, 0, 0)

    def say_within(self, task: Task, rows: int, hits: int) -> None:
        """Tell of the finished tasks, and of rows and hits in the one at work."""
        if task.step is Step.NAMES:
            self._say(0.0, 0, rows)
        else:
            self._say(rows * _EFFORT[task.step], hits, 0)

    def _say(self, effort: float, hits: int, names: int) -> None:
        for step in self._steps:
            effort += sum(found.rows for found in self.found[step].values()) * _EFFORT[step]
        names += sum(found.rows for found in self.found[Step.NAMES].values())
        hits += sum(sum(found.counts) for found in self.found[Step.RULES].values())
        whole = [part for part in self._parts if all(part.number in self.found[step] for step in self._steps)]
        rows = int(effort / self._effort) if self._effort else 0
        self._tell(Progress(rows, self._of, hits, len(whole), len(self._parts), names, self.names))


def _open(order: Order, bound: Mapping[str, object]) -> None:
    """Make the folder, or see that the run which it holds is the one that is asked for."""
    manifest = order.out / MANIFEST
    wanted = {**_manifest(order), **bound}
    if not manifest.exists():
        if order.out.exists() and any(order.out.iterdir()):
            raise RunError("The folder holds something else", where=str(order.out), remedy="Name an empty or new one.")
        order.out.mkdir(parents=True, exist_ok=True)
        write_json(manifest, wanted)
        return
    if not order.is_resumed:
        raise RunError(
            "The folder holds a run already",
            where=str(order.out),
            remedy="Add --resume to go on with it, or name another folder.",
        )
    try:
        found = json.loads(manifest.read_text(encoding="utf-8"))
        differs = [name for name in wanted if found.get(name) != wanted[name]]
    except (ValueError, AttributeError) as error:
        raise RunError("The manifest of the run is damaged", where=str(manifest)) from error
    if differs:
        raise RunError(
            f"The run began with other {' and '.join(_CALLED.get(name, name) for name in differs)}",
            where=str(order.out),
            remedy="Name another folder for a new run; parts of two would not fit together.",
        )
    drop_partial(order.out)


_CALLED = {"version": "software", "part_rows": "parts"}


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


def _sum(order: Order, told: _Told) -> Summary:
    found = told.found
    by_rule = _columns(found[Step.RULES].values(), len(order.rules))
    by_list = _columns(found[Step.SCREENING].values(), len(order.lists))
    return Summary(
        rows=sum(each.rows for each in found[Step.RULES].values()),
        hits=sum(by_rule),
        parts=len(found[Step.RULES]),
        hits_by_rule=dict(zip((line.ref for line in order.rules), by_rule, strict=True)),
        names=told.names,
        hits_by_list=dict(zip((used.code for used in order.lists), by_list, strict=True)),
        scored=sum(each.counts[0] for each in found[Step.MODEL].values()),
    )


def _columns(found: Iterable[Found], size: int) -> list[int]:
    return [sum(counts) for counts in zip(*(each.counts for each in found), strict=True)] or [0] * size


def _summary_json(summary: Summary, order: Order) -> dict[str, object]:
    told: dict[str, object] = {
        "rows": summary.rows,
        "hits": summary.hits,
        "parts": summary.parts,
        "rules": [_rule_json(line, summary) for line in order.rules],
        "never_fired": list(summary.never_fired),
    }
    if order.lists:
        told["names"] = summary.names
        told["lists"] = [
            {"code": used.code, "sha256": used.sha256, "entries": len(used.entries), "left_out": list(used.left_out)}
            | {"hits": summary.hits_by_list[used.code]}
            for used in order.lists
        ]
    if order.model:
        told["scored"] = summary.scored
    return told


def _rule_json(line: RuleLine, summary: Summary) -> dict[str, object]:
    return {
        "ref": line.ref,
        "weight": line.weight,
        "lane": line.lane.value,
        "hits": summary.hits_by_rule[line.ref],
    }
