"""Screening in a run: every distinct name once against the lists, then each row by what its names came to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from comity.registers import EntryKind
from comity.registers.matching import FEATURES, THRESHOLD, Match, Screener, Subject
from comity.risk.bulk.columns import Array, kept_columns
from comity.risk.bulk.files import Found, opened, table_at
from comity.risk.bulk.lists import LISTS, kept_lists
from comity.risk.bulk.parts import Step, Task, TellRows
from comity.risk.bulk.subjects import (
    BUCKET_ROWS,
    NAME,
    NUMBER,
    SUBJECT,
    Known,
    Role,
    columns_of,
    named_in,
    roles_of,
    subject_of,
)

_AT_ONCE = 250
# A country that agrees adds so much at most to the score of a name, and a little for roundings.
_MOST_BESIDE = FEATURES["country"].agrees + 0.002
_TEXTS_OF_PART = ("feature", "verdict", "ours", "listed")
_PART = pa.struct([*((name, pa.string()) for name in _TEXTS_OF_PART), ("effect", pa.float64())])
# What a hit says: the list and the entry, the name there that is nearest, the score, and what agrees.
_HIT = pa.schema(
    [
        *((name, pa.string()) for name in ("list", "entry", "listed")),
        ("score", pa.float64()),
        ("parts", pa.list_(_PART)),
    ]
)
_SUBJECT_SCHEMA = pa.schema([(name, pa.string()) for name in SUBJECT])
Hit = dict[str, object]


@dataclass(frozen=True, slots=True)
class ScreeningWork:
    """How parts are screened. codes: of the lists; digest: of the lists and the names, to know kept answers by."""

    out: Path
    keys: tuple[str, ...]
    codes: tuple[str, ...]
    digest: str
    batch_rows: int


def screen_names(work: ScreeningWork, task: Task, tell: TellRows) -> Found:
    """Screen one bucket of the distinct names and put the table of its hits in place."""
    lists = kept_lists(work.out / LISTS, work.digest)
    schema = pa.schema([*_SUBJECT_SCHEMA, *_HIT])
    counts = dict.fromkeys(work.codes, 0)
    with opened(Path(task.part.path), []) as file:
        rows = file.read_row_groups(list(task.part.row_groups)).to_pylist()
    names = _Names(lists.screener)
    with table_at(work.out / task.name, schema) as table:
        found: list[dict[str, object]] = []
        for number, row in enumerate(rows, start=1):
            known: Known = (row["sort"], row["name"], row["country"], row["number"])
            for match in names.matches(subject_of(known)):
                code = lists.code_of(match.place)
                counts[code] += 1
                found.append(row | _told(code, match))
            if number % _AT_ONCE == 0:
                tell(number, len(found))
        table.add(pa.RecordBatch.from_pylist(found, schema=schema))
        return table.close(Found(len(rows), tuple(counts.values())))


class _Names:
    """A screener that is asked about a name once, however many countries and numbers stand beside it."""

    def __init__(self, screener: Screener) -> None:
        self._screener = screener
        self._may_hit = lru_cache(maxsize=BUCKET_ROWS)(self._asked)

    def matches(self, subject: Subject) -> list[Match]:
        """What the screener finds; it is asked only where it can find something."""
        nameless = replace(subject, name="")
        is_numbered = bool(subject.identifiers) and bool(self._screener.screen(nameless))
        if not is_numbered and not (subject.name and self._may_hit(subject.name, subject.kind)):
            return []
        return self._screener.screen(subject)

    def _asked(self, name: str, kind: EntryKind | None) -> bool:
        """Whether a name could be a hit if all beside it agreed; a number that agrees finds by itself."""
        return bool(self._screener.screen(Subject(name, kind), threshold=THRESHOLD - _MOST_BESIDE))


def _told(code: str, match: Match) -> Hit:
    parts = [
        dict(zip(_TEXTS_OF_PART, (part.feature, part.verdict, part.ours, part.theirs), strict=True))
        | {"effect": part.effect}
        for part in match.parts
    ]
    return {"list": code, "entry": match.entry.ref, "listed": match.listed, "score": match.score, "parts": parts}


def screen_rows(work: ScreeningWork, task: Task, tell: TellRows) -> Found:
    """Find the rows of a part that name somebody who is like an entry, and put their table in place."""
    known = _known_hits(work.out, work.digest)
    counts = dict.fromkeys(work.codes, 0)
    rows = 0
    with opened(Path(task.part.path), []) as file:
        schema = file.schema_arrow
        roles = roles_of(schema)
        columns = kept_columns([*work.keys, *columns_of(roles)], schema)
        output = output_of(schema, work.keys)
        with table_at(work.out / task.name, output) as table:
            for batch in file.iter_batches(work.batch_rows, row_groups=list(task.part.row_groups), columns=columns):
                for hits in _hits_in(batch, known, roles, (work.keys, output)):
                    table.add(hits)
                    for code in hits.column("list").to_pylist():
                        counts[code] += 1
                rows += batch.num_rows
                tell(rows, 0)
            return table.close(Found(rows, tuple(counts.values())))


def output_of(schema: Any, keys: tuple[str, ...]) -> Any:
    """The columns of the table of rows that are like an entry, for a table of facts."""
    named = [pa.field(key, _plain_type(schema.field(key).type)) for key in keys]
    return pa.schema([*named, pa.field("role", pa.string()), *list(_SUBJECT_SCHEMA)[1:], *_HIT])


@dataclass(frozen=True, slots=True)
class _KnownHits:
    """What the names came to. names, numbers: of those that have hits, numbers only of what has no name."""

    hits: dict[Known, list[Hit]]
    names: Any
    numbers: Any


@lru_cache(maxsize=1)
def _known_hits(out: Path, _digest: str) -> _KnownHits:
    hits: dict[Known, list[Hit]] = {}
    for path in sorted(out.glob(f"{Step.NAMES}-*.parquet")):
        for row in pq.read_table(path).to_pylist():
            known: Known = (row["sort"], row["name"], row["country"], row["number"])
            hits.setdefault(known, []).append({name: row[name] for name in _HIT.names})
    names = sorted({known[1] for known in hits if known[1]})
    numbers = sorted({known[3] for known in hits if not known[1]})
    return _KnownHits(hits, pa.array(names, pa.string()), pa.array(numbers, pa.string()))


def _hits_in(
    batch: Any, known: _KnownHits, roles: tuple[Role, ...], form: tuple[tuple[str, ...], Any]
) -> Iterator[Any]:
    """The hits of a batch, by row and then by part played."""
    keys, output = form
    found: list[tuple[int, Hit]] = []
    for role in roles:
        named = named_in(batch, role)
        places = _likely(named, known)
        if not len(places):
            continue
        for place, row in zip(places.tolist(), named.take(pa.array(places)).to_pylist(), strict=True):
            subject: Known = (row["sort"], row["name"], row["country"], row["number"])
            told = {"role": role.role, "name": subject[1], "country": subject[2], "number": subject[3]}
            found += [(place, told | hit) for hit in known.hits.get(subject, ())]
    if found:
        found.sort(key=lambda each: each[0])
        places = pa.array([place for place, _ in found], pa.int64())
        columns = [batch.column(key).take(places).cast(output.field(key).type) for key in keys]
        rest = pa.RecordBatch.from_pylist([hit for _, hit in found], schema=pa.schema(list(output)[len(keys) :]))
        yield pa.RecordBatch.from_arrays([*columns, *rest.columns], schema=output)


def _likely(named: Any, known: _KnownHits) -> Array:
    """The rows that name somebody who has hits, or whose number has; whether all else agrees is looked up then."""
    by_name = pc.is_in(named[NAME], value_set=known.names)
    nameless = pc.and_(pc.equal(named[NAME], ""), pc.is_in(named[NUMBER], value_set=known.numbers))
    return np.flatnonzero(pc.or_(by_name, nameless).to_numpy(zero_copy_only=False))


def _plain_type(type_: Any) -> Any:
    return type_.value_type if pa.types.is_dictionary(type_) else type_
