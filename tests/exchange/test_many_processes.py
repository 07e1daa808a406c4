"""One node as several processes over one database: workers that deliver, receivers behind a splitter.

They share the work without a double claim, and kill -9 of any of them loses and doubles nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from comity.exchange.limits import Priority
from comity.exchange.pace import burst_of
from tests.exchange.children import Child, children
from tests.exchange.ports import free_ports
from tests.exchange.splitter import splitter

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize(
        "database_url",
        [
            pytest.param("sqlite", marks=pytest.mark.long),
            pytest.param("postgresql", marks=pytest.mark.postgresql),
        ],
        indirect=True,
    ),
]
MakeURL = Callable[[], str]


def another(node: Child) -> Child:
    """One more process of the same node: the same home, keys and database."""
    child = Child(node.code, node.home, node.port, node.keyring, node.database_url)
    child.start()
    return child


def test_workers_and_receivers_share_the_work_without_a_double_claim(tmp_path: Path, database_url: MakeURL) -> None:
    urls = {"XA": database_url(), "XC": database_url()}
    with children(tmp_path, ["XA", "XC"], database_urls=urls) as nodes:
        office, hall = nodes["XC"], nodes["XA"]
        workers = [another(office) for _ in range(3)]
        receivers = [another(hall) for _ in range(2)]
        ports = free_ports(2)
        try:
            for receiver, port in zip(receivers, ports, strict=True):
                receiver.ask("serve", port=port)
            with splitter(hall.port, ports):
                ids = []
                for turn in range(6):
                    ids += office.ask("post", count=80, recipient="XA", group=40, priority=turn % 3)["ids"]
                for worker in workers:
                    worker.ask("deliver", messages=5, envelopes=8, lease_seconds=2)
                hall.ask("await_arrivals", count=len(ids) // 5)
                workers[0].kill()  # with leases in its hands
                hall.ask("await_arrivals", count=len(ids) // 3)
                receivers[1].kill()  # with envelopes that are not answered
                workers[0].start()
                workers[0].ask("deliver", messages=5, envelopes=8, lease_seconds=2)
                ids += office.ask("post", count=60, recipient="XA", group=20, priority=Priority.URGENT)["ids"]
                receivers[1].start()
                receivers[1].ask("serve", port=ports[1])
                office.ask("await_answers", count=len(ids), seconds=120.0)
                check_everything(office, hall, ids)
                for child in (*workers, *receivers):
                    child.ask("rest")
        finally:
            for child in (*workers, *receivers):
                child.kill()
        for home in (office.home, hall.home):
            trouble = (home / "stderr.txt").read_text().lower()
            assert "deadlock" not in trouble, trouble[-3000:]
            assert "locked" not in trouble, trouble[-3000:]


def check_everything(office: Child, hall: Child, ids: list[str]) -> None:
    counts, arrived, claims = office.ask("counts"), hall.ask("counts"), office.ask("claims")
    assert counts["delivered"] == len(ids)
    assert sorted(arrived["arrived"]) == sorted(ids), "nothing lost, nothing doubled"
    assert arrived["accepted"] == len(ids)
    assert {claim[2] for claim in claims} == {"answered"}, "nothing had to be claimed anew"
    claimed = [first + place for first, count, *_ in claims for place in range(count)]
    assert sorted(claimed) == list(range(1, len(ids) + 1)), "each message was in one envelope"
    assert hall.ask("process", limit=len(ids)) == len(ids)


def test_a_limited_pace_is_kept_by_all_workers_together(tmp_path: Path, database_url: MakeURL) -> None:
    urls = {"XA": database_url(), "XC": database_url()}
    with children(tmp_path, ["XA", "XC"], database_urls=urls) as nodes:
        office, hall = nodes["XC"], nodes["XA"]
        hall.ask("serve", port=hall.port, load={"messages_per_minute": 3000, "envelopes_in_flight": 2})
        workers = [another(office) for _ in range(2)]
        try:
            first = office.ask("post", count=1, recipient="XA")["ids"]
            workers[0].ask("deliver", messages=50)
            office.ask("await_answers", count=1)  # with the receipt came the limits
            ids = first + office.ask("post", count=700, recipient="XA")["ids"]
            workers[1].ask("deliver", messages=50)
            office.ask("await_answers", count=len(ids), seconds=120.0)
            assert sorted(hall.ask("counts")["arrived"]) == sorted(ids)
            check_load(office.ask("claims")[1:], per_minute=3000, in_flight=2)
            for worker in workers:
                worker.ask("rest")
        finally:
            for worker in workers:
                worker.kill()


def check_load(claims: list[tuple[int, int, str, float, float]], *, per_minute: int, in_flight: int) -> None:
    """By the stamps of the envelopes: never more of them at once, never more messages than bucket and pace allow."""
    for *_, formed, answered in claims:
        others = [each for each in claims if each[3] <= formed < each[4]]
        assert len(others) <= in_flight, (formed, answered)
        within = [each for each in claims if formed <= each[3]]
        for _, _, _, last, _ in within:
            sent = sum(each[1] for each in within if each[3] <= last)
            assert sent <= burst_of(per_minute) + (last - formed) * per_minute / 60 + 1
