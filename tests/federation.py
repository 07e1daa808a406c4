"""A federation of driven nodes: each a process with its own database, and a postman who carries envelopes or does not.

What a node can do is a class of deeds (tests/custody/node_deeds.py and its heirs); tests/driven.py does them.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

from comity.agreements import Agreement
from comity.agreements.selectors import PAYLOAD_TYPE
from comity.common import show_instant
from comity.exchange.invitation import write_invitation
from comity.trust import Keyring, keyring_files, make_keyring, sign_statement
from tests.migrated import place_database
from tests.nest import Process, begin, node_environment

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
Pair = tuple[str, str]


@dataclass(frozen=True)
class Federation:
    """Who they are and what they have signed. deeds: the class of what a node can do, as it is imported.

    strangers: pairs that were not introduced to each other; they know each other's keys by the agreement alone.
    """

    codes: tuple[str, ...]
    agreement: Agreement
    deeds: str
    strangers: frozenset[frozenset[str]] = frozenset()

    def partners(self, code: str) -> list[str]:
        """Who is introduced to one."""
        return [other for other in self.codes if other != code and frozenset({code, other}) not in self.strangers]


@dataclass
class Node:
    """A driven node."""

    code: str
    process: Process
    errors: Path

    def say(self, do: str, **words: object) -> None:
        """Give a command and do not wait."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **words}) + "\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        """The answer to the oldest command."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.errors.read_text()[-4000:])
        return json.loads(line)

    def end(self) -> None:
        """End it."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()


@dataclass
class World:
    """The nodes, their keys, the time, and the lines that are cut. last: what the postman carried, by (from, to)."""

    nodes: dict[str, Node]
    keyrings: dict[str, Keyring]
    at: datetime = AT
    cut: set[Pair] = field(default_factory=set)

    def ask(self, code: str, do: str, **words: object) -> Any:
        """Let a node do something now."""
        self.nodes[code].say(do, at=show_instant(self.at), **words)
        return self.nodes[code].hear()

    def pass_time(self, **span: float) -> None:
        """Later."""
        self.at += timedelta(**span)

    def carry(self, sender: str, recipient: str) -> int:
        """Bring what one has for the other, and the answers back. Returns how many envelopes."""
        if (sender, recipient) in self.cut or (recipient, sender) in self.cut:
            return 0
        envelopes = self.ask(sender, "send", partner=recipient)
        if isinstance(envelopes, dict) or not envelopes:
            return 0
        self.ask(sender, "answered", partner=recipient, replies=self.ask(recipient, "accept", envelopes=envelopes))
        return len(envelopes)

    def settle(self, *, among: Sequence[str] = ()) -> None:
        """Carry and process until nothing moves any more. among: these alone; empty for all."""
        among = among or tuple(self.nodes)
        for _ in range(30):
            self.pass_time(seconds=1)
            moved = sum(self.carry(*pair) for pair in permutations(among, 2))
            moved += sum(self.ask(code, "process") for code in among)
            if not moved:
                return
        raise AssertionError("the messages go round for ever")

    def statuses(self, code: str, message_id: str) -> dict[str, str]:
        """What a node knows of a message: status by holder."""
        return {holder: each["status"] for holder, each in self.ask(code, "holders", message_id=message_id).items()}

    def answers(self, code: str, kind: str) -> list[dict[str, Any]]:
        """The refusals that a node got for what it sent of a kind."""
        return [each["answer"] for each in self.ask(code, "outbox") if each["kind"] == kind and each["answer"]]


@contextmanager
def running(federation: Federation, folder: Path, new_database: Callable[[], str] = str) -> Iterator[World]:
    """The nodes, introduced and bound; none of them outlives this. new_database: see `migrated.databases`."""
    born = AT - timedelta(days=1)
    keyrings = {
        code: make_keyring(code, f"Customs of {code}", "https://127.0.0.1:1", ["127.0.0.1"], born)
        for code in federation.codes
    }
    nodes: dict[str, Node] = {}
    try:
        for code in federation.codes:
            _furnish(folder / code, code, keyrings)
            nodes[code] = _start(folder / code, code, federation.deeds, new_database())
        _meet(federation, nodes, keyrings)
        yield World(nodes, keyrings)
    finally:
        for node in nodes.values():
            node.end()


def _furnish(home: Path, code: str, keyrings: dict[str, Keyring]) -> None:
    (home / "keys").mkdir(parents=True)
    for name, content in keyring_files(keyrings[code]).items():
        (home / "keys" / name).write_bytes(content)
    for other, keyring in keyrings.items():
        (home / f"{other}.key").write_text(keyring.signing.verify_key.raw.hex())


def _start(home: Path, code: str, deeds: str, url: str) -> Node:
    if not url:
        place_database(home)
    errors = home / "stderr.txt"
    with errors.open("ab") as trouble:
        process = begin("tests.driven", deeds, environment=node_environment(home, url), errors=trouble)
    return Node(code, process, errors)


def _meet(federation: Federation, nodes: dict[str, Node], keyrings: dict[str, Keyring]) -> None:
    keys = (each.signing for each in keyrings.values())
    signed = sign_statement(PAYLOAD_TYPE, federation.agreement.to_bytes(), *keys)
    words = {"agreement": base64.b64encode(signed.to_bytes()).decode(), "at": show_instant(AT)}
    for code, node in nodes.items():
        partners = federation.partners(code)
        invitations = [base64.b64encode(write_invitation(keyrings[other])).decode() for other in partners]
        node.say("meet", invitations=invitations, **words)
    assert [node.hear() for node in nodes.values()] == [None] * len(nodes)
