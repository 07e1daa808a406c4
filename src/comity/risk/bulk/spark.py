"""The parts of a run on Spark, or on Sail, by Spark Connect: each part is a task of `mapInArrow`.

A task does what the local engine does with a part, so its rows and its file are the same. The declarations and the
folder of the result must be reachable under the same path wherever tasks run, and so must this package.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from comity.risk.bulk.libraries import load
from comity.risk.bulk.orders import Order
from comity.risk.bulk.parts import Found, Part, Work, assess_part
from comity.risk.errors import RunError

_EXTRA = "spark"
_ANSWER = "part int, rows long, hits array<long>"


def check_libraries(order: Order) -> None:
    """See that all that the engine needs is here.

    Raises: MissingLibraryError.
    """
    load("pyspark.sql", extra=_EXTRA)
    if not order.remote:
        load("pysail.spark", extra=_EXTRA)


def assess_parts(order: Order, work: Work, parts: list[Part]) -> Iterator[tuple[int, Found]]:
    """Assess parts wherever Spark puts them; what each found, in the order of their ends.

    Raises: RunError with the words of whatever a task failed of.
    """
    if not parts:
        return
    by_number = {part.number: part for part in parts}

    def assess(batches: Iterable[Any]) -> Iterator[Any]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                found = assess_part(work, by_number[number])
                columns = [pa.array([number], pa.int32()), pa.array([found.rows], pa.int64())]
                columns.append(pa.array([list(found.hits)], pa.list_(pa.int64())))
                yield pa.RecordBatch.from_arrays(columns, names=["part", "rows", "hits"])

    with _session(order.remote) as session:
        numbers = session.createDataFrame([(number,) for number in by_number], "part int")
        answers = numbers.repartition(len(by_number), "part").mapInArrow(assess, _ANSWER)
        try:
            for row in answers.toLocalIterator():
                yield row["part"], Found(row["rows"], tuple(row["hits"]))
        except load("pyspark.errors", extra=_EXTRA).PySparkException as error:
            raise RunError("A task failed; finished parts are kept", remedy=str(error)[-400:]) from error


@contextmanager
def _session(remote: str) -> Iterator[Any]:
    """A session on the server that is named, else on a Sail of our own."""
    if remote:
        session = load("pyspark.sql", extra=_EXTRA).SparkSession.builder.remote(remote).getOrCreate()
        try:
            yield session
        finally:
            session.stop()
        return
    server = load("pysail.spark", extra=_EXTRA).SparkConnectServer("127.0.0.1", 0)
    server.start()
    try:
        _, port = server.listening_address
        with _session(f"sc://127.0.0.1:{port}") as session:
            yield session
    finally:
        server.stop()
