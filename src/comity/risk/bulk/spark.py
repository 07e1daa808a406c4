"""The parts of a run on Spark, or on Sail, by Spark Connect: each part is a task of `mapInArrow`.

A task does what the local engine does with a part, so its rows and its file are the same. The declarations and the
folder of the result must be reachable under the same path wherever tasks run, and so must this package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from comity.risk.bulk.files import Found
from comity.risk.bulk.libraries import load
from comity.risk.bulk.orders import Order
from comity.risk.bulk.parts import Task, TellRows
from comity.risk.errors import RunError

_EXTRA = "spark"
_ANSWER = "task int, rows long, counts array<long>"


def check_libraries(order: Order) -> None:
    """See that all that the engine needs is here.

    Raises: MissingLibraryError.
    """
    load("pyspark.sql", extra=_EXTRA)
    if not order.remote:
        load("pysail.spark", extra=_EXTRA)


@contextmanager
def engine(order: Order) -> Iterator[Any]:
    """What does tasks wherever Spark puts them; what each found, in the order of their ends.

    Raises: RunError with the words of whatever a task failed of.
    """
    with _session(order.remote) as session:

        def each(do: Callable[[Task, TellRows], Found], tasks: Sequence[Task]) -> Iterator[tuple[Task, Found]]:
            if not tasks:
                return
            numbers = session.createDataFrame([(number,) for number in range(len(tasks))], "task int")
            answers = numbers.repartition(len(tasks), "task").mapInArrow(_doing(do, tasks), _ANSWER)
            try:
                for row in answers.toLocalIterator():
                    yield tasks[row["task"]], Found(row["rows"], tuple(row["counts"]))
            except load("pyspark.errors", extra=_EXTRA).PySparkException as error:
                raise RunError("A task failed; finished parts are kept", remedy=str(error)[-400:]) from error

        yield each


def _doing(do: Callable[[Task, TellRows], Found], tasks: Sequence[Task]) -> Callable[[Iterable[Any]], Iterator[Any]]:
    def doing(batches: Iterable[Any]) -> Iterator[Any]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                found = do(tasks[number], _tell_nobody)
                columns = [pa.array([number], pa.int32()), pa.array([found.rows], pa.int64())]
                columns.append(pa.array([list(found.counts)], pa.list_(pa.int64())))
                yield pa.RecordBatch.from_arrays(columns, names=["task", "rows", "counts"])

    return doing


def _tell_nobody(_rows: int, _hits: int) -> None:
    """Where a task runs nobody listens; the end of each is told."""


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
