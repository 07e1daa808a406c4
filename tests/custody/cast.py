"""Four administrations, each a process with its own database, and a postman who carries envelopes or does not."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

from comity.agreements import parse_agreement
from comity.agreements.selectors import PAYLOAD_TYPE
from comity.common import show_instant
from comity.exchange.invitation import write_invitation
from comity.trust import Keyring, keyring_files, make_keyring, sign_statement
from tests.migrated import place_database
from tests.nest import Process, begin

ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
CODES = ("XA", "XB", "XC", "XD")
AGREEMENT = parse_agreement((Path(__file__).parent / "agreement.yaml").read_bytes())
Pair = tuple[str, str]


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

    def settle(self, *, among: Sequence[str] = CODES) -> None:
        """Carry and process until nothing moves any more."""
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


def strangers() -> frozenset[frozenset[str]]:
    """Who has not been introduced to whom: XA and XD know of each other by the agreement alone."""
    return frozenset({frozenset({"XA", "XD"})})


@contextmanager
def world(folder: Path, *, database_urls: dict[str, str] | None = None) -> Iterator[World]:
    """Running nodes that share the agreement; none of them outlives this."""
    born = AT - timedelta(days=1)
    keyrings = {
        code: make_keyring(code, f"Customs of {code}", "https://127.0.0.1:1", ["127.0.0.1"], born) for code in CODES
    }
    nodes: dict[str, Node] = {}
    try:
        for code in CODES:
            nodes[code] = _start(folder / code, code, keyrings, (database_urls or {}).get(code, ""))
        made = World(nodes, keyrings)
        signed = sign_statement(PAYLOAD_TYPE, AGREEMENT.to_bytes(), *(each.signing for each in keyrings.values()))
        words = {"agreement": base64.b64encode(signed.to_bytes()).decode(), "at": show_instant(AT)}
        for code in CODES:
            partners = [other for other in CODES if other != code and frozenset({code, other}) not in strangers()]
            invitations = [base64.b64encode(write_invitation(keyrings[other])).decode() for other in partners]
            nodes[code].say("meet", invitations=invitations, **words)
        assert [nodes[code].hear() for code in CODES] == [None] * 4
        yield made
    finally:
        for node in nodes.values():
            node.end()


def _start(home: Path, code: str, keyrings: dict[str, Keyring], url: str) -> Node:
    (home / "keys").mkdir(parents=True)
    for name, content in keyring_files(keyrings[code]).items():
        (home / "keys" / name).write_bytes(content)
    for other, keyring in keyrings.items():
        (home / f"{other}.key").write_text(keyring.signing.verify_key.raw.hex())
    if not url:
        place_database(home)
    environment = {**os.environ, "COMITY_HOME": str(home), "DJANGO_SETTINGS_MODULE": "comity.node.settings"}
    environment |= {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "COMITY_DATABASE_URL": url}
    errors = home / "stderr.txt"
    with errors.open("ab") as trouble:
        process = begin("tests.custody.node", environment=environment, errors=trouble)
    return Node(code, process, errors)
