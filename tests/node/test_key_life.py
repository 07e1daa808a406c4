"""Two real nodes, each `comity serve`: keys change while they serve, and nothing is lost and nobody restarts."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.exchange.ports import free_ports
from tests.nest import ROOT, Process, begin, outside, run_comity

pytestmark = pytest.mark.slow
LONGEST_SECONDS = 90.0


class Node:
    """A node in a folder, with its commands and, once it serves, its process."""

    def __init__(self, code: str, home: Path, ports: tuple[int, int]) -> None:
        self.code, self.home, self.ports = code, home, ports
        self.serving: Process | None = None

    def run(self, *words: str, code: int = 0) -> str:
        done = run_comity("--home", str(self.home), *words, folder=ROOT)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def serve(self) -> None:
        with (self.home.parent / f"{self.code}.err").open("ab") as errors:
            self.serving = begin("comity", "--home", str(self.home), "serve", environment=outside(), errors=errors)

    def stop(self) -> None:
        if self.serving is not None:
            os.kill(self.serving.pid, signal.SIGTERM)
            assert self.serving.stdin is not None
            assert self.serving.stdout is not None
            with self.serving.stdin, self.serving.stdout:
                self.serving.wait(60)
            self.serving = None

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(f"file:{self.home / 'comity.sqlite3'}?mode=ro", uri=True, timeout=30)) as database:
            return database.execute(query).fetchall()

    def version_of(self, partner: str) -> int:
        """The version of the key document that it holds of a partner."""
        query = (
            "SELECT k.version FROM exchange_partner p JOIN exchange_partnerkeys k"
            f" ON k.partner_id = p.id AND k.fingerprint = p.fingerprint WHERE p.administration = '{partner}'"
        )
        return int(str(self.rows(query)[0][0]))

    def states(self, kind: str) -> list[str]:
        """What became of the messages of a kind that it posted."""
        return [str(row[0]) for row in self.rows(f"SELECT state FROM exchange_outboxmessage WHERE kind = '{kind}'")]

    def fingerprint(self) -> str:
        shown = self.run("keys", "show")
        return next(line for line in shown.splitlines() if line.startswith("fingerprint")).partition(" ")[2].strip()

    def keyid(self, use: str) -> str:
        shown = [line.split() for line in self.run("keys", "show").splitlines()]
        return next(words[1] for words in shown if words[0] == use and "use" in words)


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + LONGEST_SECONDS
    while not is_so():
        assert time.monotonic() < end, "it did not come about in time"
        os.sched_yield()


def introduce(known: Node, to: Node, *words: str) -> None:
    file = known.home.parent / f"{known.code}.invitation"
    known.run("partner", "invite", str(file))
    to.run("partner", "introduce", str(file), *(words or ("--yes",)))


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Node, Node]]:
    ports = free_ports(4)
    nodes = (Node("XA", tmp_path / "a", (ports[0], ports[1])), Node("XB", tmp_path / "b", (ports[2], ports[3])))
    for node in nodes:
        console, partners = (str(number) for number in node.ports)
        node.run("init", "--administration", node.code, "--console-port", console, "--partners-port", partners)
    introduce(nodes[0], nodes[1])
    introduce(nodes[1], nodes[0])
    for node in nodes:
        node.serve()
    yield nodes
    for node in nodes:
        node.stop()


def test_keys_change_while_both_serve(pair: tuple[Node, Node]) -> None:
    ana, boris = pair
    ana.run("keys", "renew", "--signing", "--sealing")
    until(lambda: boris.version_of("XA") == 2)
    # What XB sends now is sealed to the new key and signed as before; XA opens it without a restart.
    boris.run("keys", "renew")
    until(lambda: ana.version_of("XB") == 2)
    ana.run("keys", "revoke", ana.keyid("signing"), "--reason", "a laptop was lost")
    until(lambda: boris.version_of("XA") == 3)
    boris.run("keys", "renew", "--signing")
    until(lambda: ana.version_of("XB") == 3)
    until(lambda: set(ana.states("keys/1") + boris.states("keys/1")) == {"delivered"})
    assert ana.states("keys/1") == ["delivered"] * 2
    assert "withdrawn" in ana.run("keys", "show")
    assert ana.rows("SELECT code FROM exchange_refusal") == []


@pytest.mark.long
def test_after_a_loss_partners_compare_again_and_what_waited_arrives(pair: tuple[Node, Node]) -> None:
    ana, boris = pair
    until(lambda: bool(boris.rows("SELECT 1")) and boris.version_of("XA") == 1)
    former = ana.home.parent / "XA.invitation"
    ana.stop()
    boris.run("keys", "renew")  # news for XA, which is away and loses its keys
    for file in (ana.home / "keys").iterdir():
        if file.name not in ("encryption.key", "hybrid.key"):
            file.unlink()
    said = ana.run("keys", "recover", "--former", str(former), "--reason", "the disk broke", code=1)
    assert "--new-log" in said
    ana.run("keys", "recover", "--former", str(former), "--new-log", "comity.xa/log-2", "--reason", "the disk broke")
    assert "version      2" in ana.run("keys", "show")
    ana.serve()
    file = ana.home.parent / "XA.new"
    ana.run("partner", "invite", str(file))
    refused = boris.run("partner", "introduce", str(file), "--yes", code=1)
    assert "trusted" in refused, "no chain of signatures leads to it"
    boris.run("partner", "introduce", str(file), "--fingerprint", ana.fingerprint())
    until(lambda: ana.version_of("XB") == 2)
    until(lambda: boris.states("keys/1") == ["delivered"])
    ana.run("keys", "renew")
    until(lambda: boris.version_of("XA") == 3)
    assert "sound" in ana.run("ledger", "verify")
