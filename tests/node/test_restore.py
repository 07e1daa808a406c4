"""A node is lost and made again from its backup on another machine: real processes, real lines, traffic meanwhile."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from comity.cli.demo.nodes import DemoNode, command, serving
from comity.cli.demo.settling import settle
from comity.node.archive import new_identity
from tests.exchange.ports import free_ports
from tests.migrated import databases

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def traffic(node: DemoNode, *words: str) -> Any:
    """What tests.node.traffic says on this node."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.node.traffic", *words],
        env={**node.environment, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def until(node: DemoNode, is_so: Callable[[Any], bool], seconds: float = 60.0) -> Any:
    """What the node tells, once it is so."""
    end = time.monotonic() + seconds
    while True:
        told = traffic(node, "tell")
        if is_so(told):
            return told
        log = node.log_path.read_text(errors="replace")[-3000:] if node.log_path.exists() else ""
        assert time.monotonic() < end, f"{node.code}: {told}\n{log}"


@dataclass(frozen=True)
class Node(DemoNode):
    """A node whose database may be one of a PostgreSQL server. url: of that database; empty: SQLite in its home."""

    url: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """As its base, with the database."""
        return {**super().environment, "COMITY_DATABASE_URL": self.url}


def node_at(home: Path, code: str, url: str = "") -> Node:
    """A node to be, on ports that nobody else picks from the demo's."""
    console, partners = free_ports(2)
    return Node(code, f"Customs of {code}", home, console, partners, url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_database(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """What makes an empty database at each call and returns its URL; of SQLite, which a home holds, an empty one."""
    with databases(request.param, is_migrated=False) as new_database:
        yield new_database


@pytest.fixture
def nodes(tmp_path: Path, empty_database: Callable[[], str]) -> list[Node]:
    made = [node_at(tmp_path / "xa", "XA", empty_database()), *(node_at(tmp_path / c.lower(), c) for c in ("XB", "XC"))]
    settle(made)
    return made


Restoring = Callable[..., Node]


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, str]:
    """The file of an age identity, and its recipient."""
    identity, recipient = new_identity()
    path = tmp_path / "backup.key"
    path.write_text(f"# made for a test\n{identity}\n")
    return path, recipient


@pytest.fixture
def restored(keys: tuple[Path, str], empty_database: Callable[[], str]) -> Restoring:
    """The node of a backup, in a new home and a new database on new ports; the old home is gone."""

    def restore(node: Node, file: Path, *words: str) -> Node:
        shutil.rmtree(node.home)
        new = node_at(node.home.parent / f"new-{node.code.lower()}", node.code, empty_database())
        ports = (
            *("--console-port", str(new.console_port), "--console-url", new.console_url),
            *("--partners-port", str(new.partners_port), "--partners-url", f"https://127.0.0.1:{new.partners_port}"),
        )
        new.home.mkdir()
        command(new, "restore", str(file), "--identity", str(keys[0]), *ports, *words)
        return new

    return restore


def serve(*nodes: DemoNode) -> AbstractContextManager[None]:
    return serving(nodes)


def reintroduce(node: DemoNode, partners: Sequence[DemoNode]) -> None:
    """The partners compare the fingerprint of the restored node anew."""
    file = node.home / "invitation.json"
    printed = command(node, "partner", "invite", str(file))
    fingerprint = printed.splitlines()[-1].removeprefix("fingerprint").strip()
    for partner in partners:
        command(partner, "partner", "introduce", str(file), "--fingerprint", fingerprint)


@pytest.mark.long
def test_a_lost_node_goes_on_with_a_new_log_and_nothing_is_lost_or_doubled(
    nodes: list[Node], keys: tuple[Path, str], restored: Restoring, tmp_path: Path
) -> None:
    xa, xb, _ = nodes
    file = tmp_path / "xa.age"
    known: list[str] = []
    with serve(xb):
        with serve(xa):
            before = [traffic(xa, "post", "XB", "20"), traffic(xb, "post", "XA", "20")]
            posting = threading.Thread(target=lambda: known.extend(traffic(xa, "post", "XB", "100")))
            posting.start()
            command(xa, "backup", str(file), "--recipient", keys[1])
            posting.join()
            after = [traffic(xa, "post", "XB", "15"), traffic(xb, "post", "XA", "15")]
            sent = [*before[0], *known, *after[0]]
            come = until(xb, lambda told: len(told["received"]) == len(sent) and not told["waiting"])
            until(xa, lambda told: len(told["received"]) == 35)
        later = traffic(xb, "post", "XA", "5")
        new = restored(xa, file, "--new-log")
        held = traffic(new, "tell")
        assert held["partners"] == {"XB": "suspended", "XC": "suspended"}
        assert len(held["received"]) < 35, "the backup is older"
        reintroduce(new, [xb])
        with serve(new):
            until(new, lambda told: told["partners"]["XB"] == "active")
            assert held["next"]["XB"] <= come["reached"]["XA"]
            more = traffic(new, "post", "XB", "10")
            mine = until(
                new, lambda told: len(told["received"]) == 40 and told["done"] == 40 and told["sent"]["waiting"] == 0
            )
            theirs = until(xb, lambda told: len(told["received"]) == len(sent) + 10 and not told["waiting"])
    assert sorted(mine["received"]) == sorted([*before[1], *after[1], *later]), "nothing lost, nothing doubled here"
    assert sorted(theirs["received"]) == sorted([*sent, *more]), "nothing lost, nothing doubled there"
    assert theirs["done"] == len(sent) + 10
    assert theirs["islands"]["XA"] == [], "no place in the sequence stays open"
    for told in (mine, theirs):
        assert told["problems"] == [], "every log verifies"
        assert told["forks"] == []
        assert told["refused"] == 0
    assert mine["partners"]["XC"] == "suspended", "who was away is asked when it is back"
    assert "XC" in json.loads((new.home / "recovering.json").read_text())["waiting"]


@pytest.mark.long
def test_a_move_goes_on_with_its_log_once_every_partner_has_answered(
    nodes: list[Node], keys: tuple[Path, str], restored: Restoring, tmp_path: Path
) -> None:
    xa, xb, xc = nodes
    file = tmp_path / "xa.age"
    with serve(xb, xc):
        with serve(xa):
            sent = traffic(xa, "post", "XB", "20")
            until(xb, lambda told: len(told["received"]) == 20)
            until(xa, lambda told: not told["waiting"])
        command(xa, "backup", str(file), "--recipient", keys[1])
        new = restored(xa, file)
        size = traffic(new, "tell")["log"]
        reintroduce(new, [xb, xc])
        with serve(new):
            until(new, lambda told: set(told["partners"].values()) == {"active"})
            until(new, lambda told: not (new.home / "recovering.json").exists())
            more = traffic(new, "post", "XB", "10")
            there = until(xb, lambda told: len(told["received"]) == 30)
            here = until(new, lambda told: not told["waiting"])
    assert sorted(there["received"]) == sorted([*sent, *more])
    assert here["log"] > size
    assert here["problems"] == there["problems"] == []
    assert here["forks"] == there["forks"] == []


@pytest.mark.long
def test_an_old_backup_does_not_go_on_under_the_old_log(
    nodes: list[Node], keys: tuple[Path, str], restored: Restoring, tmp_path: Path
) -> None:
    xa, xb, xc = nodes
    file = tmp_path / "xa.age"
    with serve(xb, xc):
        with serve(xa):
            command(xa, "backup", str(file), "--recipient", keys[1])
            traffic(xa, "post", "XB", "20")
            until(xb, lambda told: len(told["received"]) == 20)
        new = restored(xa, file)
        size = traffic(new, "tell")["log"]
        with serve(new):
            # XC may be behind, too: nodes ask each other how they are without being told to.
            until(new, lambda _told: "XB" in json.loads((new.home / "recovering.json").read_text())["behind"])
            told = traffic(new, "tell")
    assert told["log"] == size, "nothing was appended: no fork"
    assert told["partners"]["XB"] == "suspended"
