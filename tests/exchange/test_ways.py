"""Push, long poll and file between real nodes, each a process with its own database, keys and port, over real TLS.

Who is behind a firewall never opens a port. Nothing lost, nothing doubled, one receipt.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.exchange.children import Child, children
from tests.exchange.test_nodes import everything_arrived_once

pytestmark = [pytest.mark.slow, pytest.mark.once]
MakeURL = Callable[[], str]


def one_receipt_for_each(sender: Child, receiver: Child) -> None:
    """What was given is, byte for byte, what is kept."""
    given, kept = receiver.ask("receipts")["given"], sender.ask("receipts")["kept"]
    assert kept
    assert given == kept


def open_hub(hub: Child, *, messages: int = 128, lease_seconds: int = 60) -> None:
    hub.ask("hand_out", messages=messages, lease_seconds=lease_seconds)
    hub.ask("serve", port=hub.port)


def part_by_firewall(hub: Child, hidden: Child) -> None:
    """XC reaches XA, and XA does not reach XC."""
    hub.ask("set_way", partner=hidden.code, way="collect")
    hidden.ask("set_way", partner=hub.code, way="push", is_collected=True)


def test_a_node_that_nobody_can_reach_exchanges_both_ways(tmp_path: Path, database_url: MakeURL) -> None:
    """Alerts and findings, there and back; then what was lost behind the firewall comes again (S12)."""
    with children(tmp_path, ["XA", "XC"], database_urls={"XA": database_url(), "XC": database_url()}) as nodes:
        hub, hidden = nodes["XA"], nodes["XC"]
        part_by_firewall(hub, hidden)
        open_hub(hub, messages=10)
        hub.ask("deliver")
        hidden.ask("deliver", messages=10)
        hidden.ask("collect")
        alerts = hidden.ask("post", count=60, recipient="XA")["ids"]
        hidden.ask("await_answers", count=60)
        everything_arrived_once(hidden, hub, alerts)
        findings = hub.ask("post_findings", count=50, recipient="XC", answers=alerts)["ids"]
        hub.ask("await_answers", count=50)
        assert sorted(hidden.ask("counts")["arrived"]) == sorted(findings)
        one_receipt_for_each(hub, hidden)
        one_receipt_for_each(hidden, hub)

        hidden.ask("stop_collecting")
        hidden.ask("lose_arrivals", sender="XA", after=20)
        hidden.ask("collect")
        hidden.ask("await_arrivals", count=50)
        assert sorted(hidden.ask("counts")["arrived"]) == sorted(findings)
        hub.ask("await_answers", count=50)


@pytest.mark.long
def test_the_one_who_fetches_killed_at_random(tmp_path: Path, database_url: MakeURL) -> None:
    with children(tmp_path, ["XA", "XC"], database_urls={"XA": database_url(), "XC": database_url()}) as nodes:
        hub, hidden = nodes["XC"], nodes["XA"]
        part_by_firewall(hub, hidden)
        open_hub(hub, messages=3, lease_seconds=1)
        ids = hub.ask("post", count=300, recipient="XA")["ids"]
        for part in (20, 130, 240):
            hidden.ask("collect")
            hidden.ask("await_arrivals", count=part)
            hidden.kill()
            hidden.start()
        hidden.ask("collect")
        hub.ask("await_answers", count=300)
        everything_arrived_once(hub, hidden, ids)
        one_receipt_for_each(hub, hidden)


@pytest.mark.long
def test_the_one_who_hands_out_killed_at_random(tmp_path: Path, database_url: MakeURL) -> None:
    with children(tmp_path, ["XA", "XC"], database_urls={"XA": database_url(), "XC": database_url()}) as nodes:
        hub, hidden = nodes["XC"], nodes["XA"]
        part_by_firewall(hub, hidden)
        open_hub(hub, messages=3, lease_seconds=1)
        ids = hub.ask("post", count=300, recipient="XA")["ids"]
        hidden.ask("collect")
        for part in (20, 130, 240):
            hidden.ask("await_arrivals", count=part)
            hub.kill()
            hub.start()
            open_hub(hub, messages=3, lease_seconds=1)
        hub.ask("await_answers", count=300)
        everything_arrived_once(hub, hidden, ids)
        one_receipt_for_each(hub, hidden)


def test_three_ways_and_kill_nine(tmp_path: Path, database_url: MakeURL) -> None:
    """The same messages pushed, carried and fetched, both nodes killed in between: one effect and one receipt."""
    with children(tmp_path, ["XA", "XC"], database_urls={"XA": database_url(), "XC": database_url()}) as nodes:
        hub, other = nodes["XC"], nodes["XA"]
        other.ask("serve", port=other.port)
        ids = hub.ask("post", count=200, recipient="XA")["ids"]
        hub.ask("deliver", messages=3, envelopes=4, lease_seconds=1)
        other.ask("await_arrivals", count=30)
        other.kill()  # its port does not come back: the line is cut
        other.start()

        hub.ask("stop_delivering")
        assert hub.ask("export_file", partner="XA", file=str(tmp_path / "one"))["envelopes"] > 0
        hub.kill()
        hub.start()
        hub.ask("set_way", partner="XA", way="file")
        hub.ask("export_file", partner="XA", file=str(tmp_path / "two"))
        for name in ("two", "one", "two"):
            assert other.ask("import_file", file=str(tmp_path / name))["refused"] == []
        other.kill()
        other.start()
        other.ask("export_file", partner="XC", file=str(tmp_path / "back"))

        hub.ask("set_way", partner="XA", way="collect")
        more = hub.ask("post", count=100, recipient="XA")["ids"]
        open_hub(hub, messages=3, lease_seconds=1)
        other.ask("set_way", partner="XC", way="push", is_collected=True)
        other.ask("collect")
        other.ask("await_arrivals", count=220)
        hub.kill()
        hub.start()
        assert hub.ask("import_file", file=str(tmp_path / "back"))["refused"] == []
        open_hub(hub, messages=3, lease_seconds=1)
        hub.ask("await_answers", count=300)
        assert hub.ask("import_file", file=str(tmp_path / "back"))["recorded"] == 0
        everything_arrived_once(hub, other, ids + more)
        one_receipt_for_each(hub, other)


@pytest.mark.long
def test_a_file_while_the_push_is_under_way(tmp_path: Path) -> None:
    """Exported by another process while the worker pushes: nothing is claimed that does not also arrive."""
    with children(tmp_path, ["XA", "XC"]) as nodes:
        hub, other = nodes["XC"], nodes["XA"]
        other.ask("serve", port=other.port)
        ids = hub.ask("post", count=200, recipient="XA")["ids"]
        hub.ask("deliver", messages=2, envelopes=4, lease_seconds=1)
        written = [hub.ask("export_file", partner="XA", file=str(tmp_path / f"file {number}")) for number in range(3)]
        for number, _ in enumerate(written):
            assert other.ask("import_file", file=str(tmp_path / f"file {number}"))["refused"] == []
        hub.ask("await_answers", count=200)
        everything_arrived_once(hub, other, ids)
        one_receipt_for_each(hub, other)
