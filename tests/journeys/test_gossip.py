"""Logs are watched: whoever shows two histories is found by those who compare, and an old backup begins none.

Every node is a process of its own with its own database, over real TLS. The node that lies has the keys of XA twice,
with a database for each history: XB is shown the one, XC the other.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from comity.ledger import verify_bundle
from tests.exchange.child import decode
from tests.exchange.conftest import database_url as database_url  # noqa: PLC0414  # the fixture of the room below
from tests.journeys.watchers import TWIN, Watcher, watch
from tests.nest import run_comity

pytestmark = [pytest.mark.slow, pytest.mark.once]
MakeURL = Callable[[], str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def tell(nodes: dict[str, Watcher], teller: str, told: list[str]) -> None:
    """The teller's duties arrive at the others and are acted on."""
    nodes[teller].ask("deliver")
    for name in told:
        assert "error" not in nodes[name].ask("await_arrivals", count=1)
        assert nodes[name].ask("process") >= 1


def proven(node: Watcher) -> list[Any]:
    """What a node knows of logs that showed two histories."""
    found: list[Any] = node.ask("log")["splits"]
    return found


def two_histories(nodes: dict[str, Watcher], one: int, two: int) -> None:
    """Three hundred entries in common, then others."""
    for node, count, word in ((nodes["XA"], one, "one"), (nodes[TWIN], two, "two")):
        assert node.ask("append", count=300, word="common") == 300
        if count:
            node.ask("append", count=count, word=word)


@pytest.mark.parametrize(
    ("one", "two"), [pytest.param(5, 5, marks=pytest.mark.long), (5, 260), pytest.param(300, 7, marks=pytest.mark.long)]
)
def test_a_node_that_shows_two_histories_is_caught(folder: Path, database_url: MakeURL, one: int, two: int) -> None:
    with watch(folder, "XA", TWIN, "XB", "XC", database_url=database_url) as nodes:
        two_histories(nodes, one, two)
        first = nodes["XB"].ask("monitor")
        assert first["states"] == {"XA": "cosigned", "XC": "cosigned"}, first
        second = nodes["XC"].ask("monitor")
        third = nodes["XB"].ask("monitor")
        finder, other = ("XC", "XB") if proven(nodes["XC"]) else ("XB", "XC")
        caught = second if finder == "XC" else third
        assert caught["states"]["XA"] == "split", (second, third)
        assert caught["alarms"] == ["XA"]
        assert caught["told"] == 2
        accused = TWIN if finder == "XC" else "XA"  # whom the finder reaches
        tell(nodes, finder, [other, accused])
        (evidence,) = proven(nodes[other])
        assert evidence["by"] in (finder, "")  # or it found out by itself, before it was told
        assert nodes[other].ask("monitor")["states"]["XA"] == "split"
        assert "forked" in nodes[accused].ask("log")["warnings"]
        evidence_is_verified_offline(folder, decode(evidence["file"]))
        messages_pass_and_cosigning_has_stopped(nodes)


def evidence_is_verified_offline(folder: Path, file: bytes) -> None:
    """By the command, in a folder where no node lives."""
    (folder / "split.json").write_bytes(file)
    said = run_comity("ledger", "verify-split", "split.json", folder=folder)
    assert said.returncode == 0, said.stderr
    assert "PROVED" in said.stdout
    body = json.loads(file)
    (folder / "same.json").write_text(json.dumps(body | {"shown_note": body["seen_note"]}))
    for name, words in (("same.json", "one and the same"), ("split.json", "another log")):
        said = run_comity(
            "ledger", "verify-split", name, *(["--vkey", "x"] if name == "split.json" else []), folder=folder
        )
        assert (said.returncode, words in said.stderr) == (1, True), said


def messages_pass_and_cosigning_has_stopped(nodes: dict[str, Watcher]) -> None:
    """XC sends to the node that lies, and gets a receipt; but the head in it is not followed any more."""
    sender, before = nodes["XC"], nodes["XC"].ask("log")["heads"]
    nodes[TWIN].ask("append", count=3, word="more")
    sender.ask("rest")
    sender.ask("serve", port=sender.port)
    delivered = sender.ask("counts")["delivered"]
    assert sender.ask("post", count=1, recipient="XA")["ids"]
    sender.ask("deliver")
    sender.ask("await_answers", count=delivered + 1)
    assert sender.ask("counts")["delivered"] == delivered + 1
    origin = json.loads(decode(proven(sender)[0]["file"]))["origin"]
    assert sender.ask("log")["heads"][origin] == before[origin]


def test_honest_logs_are_followed_cosigned_and_compared_without_a_word(folder: Path, database_url: MakeURL) -> None:
    with watch(folder, "XA", "XB", "XC", database_url=database_url) as nodes:
        for size in (1, 255, 256, 700):
            for name, node in nodes.items():
                node.ask("append", count=size, word=name)
            for node in nodes.values():
                report = node.ask("monitor")
                assert set(report["states"].values()) == {"cosigned"}, report
                assert report["alarms"] == []
        assert {name: node.ask("log")["warnings"] for name, node in nodes.items()} == {"XA": {}, "XB": {}, "XC": {}}
        nodes["XB"].kill()
        report = nodes["XA"].ask("monitor")
        assert (report["states"]["XB"], report["alarms"]) == ("unreachable", [])


@pytest.mark.long
def test_a_log_that_breaks_off_is_caught_by_its_own_tiles(folder: Path) -> None:
    """No second partner is needed where the same one is shown both."""
    with watch(folder, "XA", TWIN, "XB", "XC") as nodes:
        two_histories(nodes, 5, 40)
        nodes["XB"].ask("monitor")
        nodes["XB"].ask("move", partner="XA", endpoint=nodes[TWIN].endpoint)
        report = nodes["XB"].ask("monitor")
        assert report["states"]["XA"] == "split", report
        assert len(proven(nodes["XB"])) == 1


@pytest.mark.long
def test_an_old_backup_appends_nothing_until_a_newer_one_is_there(folder: Path) -> None:
    with watch(folder, "XA", "XB") as nodes:
        node = nodes["XB"]
        node.ask("append", count=10, word="b")
        old = backup(node, "old")
        node.ask("append", count=5, word="b")
        nodes["XA"].ask("monitor")
        new = backup(node, "new")
        restore(node, old)
        node.ask("first_look")
        warnings = node.ask("log")["warnings"]
        assert "XA holds a checkpoint of 15 entries" in warnings["behind"]
        refused = node.ask("append", count=1, word="fork")
        assert refused["error"] == "LogBehindError"
        assert "monitor --once" in refused["text"]
        report = node.ask("monitor")
        assert (report["states"]["XB"], report["alarms"]) == ("behind", ["XB"])
        restore(node, new)
        node.ask("first_look")
        assert node.ask("log")["warnings"] == {}
        assert node.ask("append", count=1, word="b") == 16
        assert nodes["XA"].ask("monitor")["states"]["XB"] == "cosigned"


@pytest.mark.long
def test_a_node_that_went_on_from_an_old_backup_learns_that_it_forked(folder: Path) -> None:
    with watch(folder, "XA", "XB") as nodes:
        node = nodes["XB"]
        node.ask("append", count=10, word="b")
        old = backup(node, "old")
        node.ask("append", count=5, word="b")
        nodes["XA"].ask("monitor")
        restore(node, old)
        node.ask("append", count=9, word="other")  # nobody asked the partners
        report = node.ask("monitor")
        assert report["states"]["XB"] == "forked"
        assert "contradict each other" in report["texts"]["XB"]
        assert report["told"] == 1 or report["told"] == 2
        assert nodes["XA"].ask("monitor")["states"]["XB"] == "split"


def test_what_was_held_goes_on_when_every_partner_was_asked(folder: Path) -> None:
    with watch(folder, "XA", "XB", "XC") as nodes:
        node = nodes["XB"]
        node.ask("append", count=3, word="b")
        node.ask("hold")
        assert node.ask("append", count=1, word="b")["error"] == "LogBehindError"
        nodes["XC"].kill()
        assert node.ask("monitor")["states"]["XB"] == "held"
        nodes["XC"].start()
        nodes["XC"].ask("serve", port=nodes["XC"].port)
        assert "XB" not in node.ask("monitor")["states"]
        assert node.ask("append", count=1, word="b") == 4


def backup(node: Watcher, name: str) -> Path:
    """A copy of the database of a node that rests."""
    node.end()
    target = node.home / name
    target.mkdir()
    for file in node.home.glob("comity.sqlite3*"):
        shutil.copy2(file, target)
    begin(node)
    return target


def restore(node: Watcher, source: Path) -> None:
    """Put a copy back."""
    node.end()
    for file in node.home.glob("comity.sqlite3*"):
        file.unlink()
    for file in source.iterdir():
        shutil.copy2(file, node.home)
    begin(node)


def begin(node: Watcher) -> None:
    """Serve again."""
    node.start()
    node.ask("serve", port=node.port)


TWO_OF_THREE = "  group partners 2 XA XB XC\n  quorum partners\n"


@pytest.mark.long
def test_a_bundle_has_the_witnesses_that_the_agreement_demands(folder: Path) -> None:
    with watch(folder, "XA", "XB", "XC", witnesses=TWO_OF_THREE) as nodes:
        sender = nodes["XC"]
        (posted,) = sender.ask("post", count=1, recipient="XA")["ids"]
        sender.ask("deliver")
        sender.ask("await_answers", count=1)
        steps = verify_bundle(decode(sender.ask("bundle", message_id=posted)))
        assert [step.title for step in steps if not step.is_ok] == [
            "Both logs have the witnesses that the agreement demands"
        ], steps
        (standing,) = sender.ask("quorums")
        assert (standing["size"], standing["words"]) == (None, "2 of (XA, XB, XC)")
        assert "XB" in standing["missing"]
        for _ in range(2):  # the others cosign, then each learns of it
            for node in nodes.values():
                node.ask("monitor")
        (standing,) = sender.ask("quorums")
        assert (standing["beyond"], standing["missing"]) == (0, []), standing
        data = decode(sender.ask("bundle", message_id=posted))
        steps = verify_bundle(data)
        assert all(step.is_ok for step in steps), steps
        assert "the log of XC was seen by XA and XB" in steps[-1].detail
        assert "the log of XA was seen by XB and XC" in steps[-1].detail
        (folder / "bundle.json").write_bytes(data)
        said = run_comity("ledger", "verify-bundle", "bundle.json", folder=folder)
        assert (said.returncode, "witnesses that the agreement demands" in said.stdout) == (0, True)


BOTH = "  group partners 2 XA XB\n  quorum partners\n"


def test_under_steady_traffic_every_round_has_its_quorum(folder: Path, database_url: MakeURL) -> None:
    """Each envelope carries another head, so without being asked for the same one the two would seldom agree."""
    with watch(folder, "XA", "XB", "XC", witnesses=BOTH, database_url=database_url) as nodes:
        busy = nodes["XC"]
        busy.ask("deliver", messages=1)
        busy.ask("begin_traffic", recipients=["XA", "XB"])
        for number in range(1, 5):
            assert "error" not in busy.ask("await_answers", count=5 * number)
            before = busy.ask("log")["size"]
            assert set(busy.ask("monitor")["states"].values()) == {"cosigned"}
            (standing,) = busy.ask("quorums")
            assert standing["size"] is not None
            assert standing["size"] >= before, standing
        busy.ask("end_traffic")
        assert busy.ask("log")["warnings"] == {}
        assert busy.ask("counts")["refused"] == 0
