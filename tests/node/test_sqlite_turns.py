"""Writers of one process get their turn in order, and nobody is kept out by one that never rests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

from comity.node.database import database_settings
from comity.node.sqlite.turns import Turns

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[ConnectionHandler]:
    settings = database_settings("", default=tmp_path / "node.sqlite3")
    settings["OPTIONS"] = {**settings["OPTIONS"], "timeout": 1}  # type: ignore[dict-item]  # a mapping of options
    handler = ConnectionHandler({"default": settings})
    yield handler
    handler.close_all()


def write(connection: BaseDatabaseWrapper, text: str) -> None:
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    connection.cursor().execute("INSERT INTO note (words) VALUES (%s)", [text])
    connection.commit()
    connection.set_autocommit(True)


def test_turns_are_handed_on_in_order() -> None:
    turns, served = Turns(), []
    assert turns.take(0)
    threads = []
    for number in range(5):
        is_queued = len(turns._waiting)

        def work(mine: int = number) -> None:
            assert turns.take(30)
            served.append(mine)
            turns.give_back()

        threads.append(threading.Thread(target=work))
        threads[-1].start()
        while len(turns._waiting) == is_queued:
            threading.Event().wait(0.001)
    turns.give_back()
    for thread in threads:
        thread.join()
    assert served == [0, 1, 2, 3, 4]
    assert turns.take(0), "the last one gave it back"


def test_who_gives_up_does_not_hold_up_the_others() -> None:
    turns = Turns()
    assert turns.take(0)
    assert not turns.take(0.01)
    turns.give_back()
    assert turns.take(0)


def test_a_writer_that_never_rests_keeps_nobody_out(connect: ConnectionHandler) -> None:
    connect["default"].cursor().execute("CREATE TABLE note (words TEXT)")
    stop, written = threading.Event(), {"busy": 0, "officer": 0}

    def busy() -> None:
        while not stop.is_set():
            write(connect["default"], "busy")
            written["busy"] += 1
        connect["default"].close()

    threads = [threading.Thread(target=busy) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        write(connect["default"], "officer")
        written["officer"] += 1
    stop.set()
    for thread in threads:
        thread.join()
    cursor = connect["default"].cursor()
    cursor.execute("SELECT words, count(*) FROM note GROUP BY words")
    assert dict(cursor.fetchall()) == written


def test_a_turn_comes_back_after_a_rollback_a_failure_and_a_closed_connection(connect: ConnectionHandler) -> None:
    connection = connect["default"]
    connection.cursor().execute("CREATE TABLE note (words TEXT)")
    for end in (connection.rollback, connection.close):
        connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        end()
        connection.close()
        write(connect["default"], "after")
    cursor = connect["default"].cursor()
    cursor.execute("SELECT count(*) FROM note")
    assert cursor.fetchone() == (2,)


def test_who_waits_too_long_is_told(connect: ConnectionHandler) -> None:
    first = connect["default"]
    first.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    troubles: list[str] = []

    def late() -> None:
        try:
            write(connect["default"], "late")
        except OperationalError as error:
            troubles.append(str(error))
        connect["default"].close()

    thread = threading.Thread(target=late)
    thread.start()
    thread.join()
    first.rollback()
    assert troubles == ["database is locked: no turn to write within 1 seconds"]


def test_the_node_uses_it() -> None:
    with transaction.atomic():
        connection = transaction.get_connection()
        assert connection.vendor != "sqlite" or connection._has_turn  # type: ignore[attr-defined]  # of our backend
