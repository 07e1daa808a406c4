"""Starting, driving and ending child nodes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from comity.agreements import parse_agreement
from comity.agreements.selectors import PAYLOAD_TYPE
from comity.exchange.invitation import write_invitation
from comity.trust import Keyring, keyring_files, make_keyring, sign_statement
from tests.exchange.cast import DEMO
from tests.exchange.child import encode
from tests.exchange.ports import free_ports
from tests.migrated import place_database
from tests.nest import Process, begin, node_environment


@dataclass
class Child:
    """A node in a process of its own."""

    code: str
    home: Path
    port: int
    keyring: Keyring
    database_url: str = ""
    process: Process | None = None

    def start(self) -> None:
        """Begin, or begin again after a kill."""
        environment = node_environment(self.home, self.database_url)
        with (self.home / "stderr.txt").open("ab") as trouble:
            self.process = begin("tests.exchange.child", environment=environment, errors=trouble)

    def say(self, do: str, **words: object) -> None:
        """Give a command and do not wait."""
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **words}) + "\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        """The answer to the oldest command."""
        assert self.process is not None
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError((self.home / "stderr.txt").read_text()[-4000:])
        return json.loads(line)

    def ask(self, do: str, **words: object) -> Any:
        """Give a command and wait for its answer."""
        self.say(do, **words)
        return self.hear()

    def kill(self) -> None:
        """kill -9 of its whole process group."""
        if self.process is not None:
            with suppress(ProcessLookupError):  # somebody killed it before
                os.killpg(self.process.pid, signal.SIGKILL)
            self._forget()

    def end(self) -> None:
        """Let it end by itself."""
        if self.process is not None:
            assert self.process.stdin is not None
            self.process.stdin.close()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
            self._forget()

    def _forget(self) -> None:
        assert self.process is not None
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None and not stream.closed:
                with suppress(BrokenPipeError):
                    stream.close()
        self.process = None


@dataclass(frozen=True)
class Cast:
    """What children need to know each other."""

    folder: Path
    ports: dict[str, int]
    keyrings: dict[str, Keyring] = field(default_factory=dict)

    def keyring(self, code: str) -> Keyring:
        """The keys of a child, made once."""
        if code not in self.keyrings:
            born = datetime.now(UTC) - timedelta(days=1)
            endpoint = f"https://127.0.0.1:{self.ports[code]}"
            self.keyrings[code] = make_keyring(code, f"Customs of {code}", endpoint, ["127.0.0.1"], born)
        return self.keyrings[code]

    def agreement(self) -> str:
        """The demo's agreement, signed by the whole cast."""
        canonical = parse_agreement(DEMO.read_bytes()).to_bytes()
        keys = (self.keyring(code).signing for code in ("XA", "XB", "XC"))
        return encode(sign_statement(PAYLOAD_TYPE, canonical, *keys).to_bytes())

    def invitation(self, code: str) -> str:
        """The invitation of a child."""
        return encode(write_invitation(self.keyring(code)))


@contextmanager
def children(
    folder: Path, codes: Sequence[str], *, database_urls: dict[str, str] | None = None
) -> Iterator[dict[str, Child]]:
    """Running nodes that were introduced to each other and share an agreement. None of them outlives this."""
    everyone = ("XA", "XB", "XC")
    cast = Cast(folder, dict(zip(everyone, free_ports(3), strict=True)))
    nodes: dict[str, Child] = {}
    try:
        for code in codes:
            home = folder / code
            (home / "keys").mkdir(parents=True)
            for name, content in keyring_files(cast.keyring(code)).items():
                (home / "keys" / name).write_bytes(content)
            url = (database_urls or {}).get(code, "")
            if not url:
                place_database(home)
            nodes[code] = Child(code, home, cast.ports[code], cast.keyring(code), url)
            nodes[code].start()
            nodes[code].say("migrate")
        for code in codes:
            others = [cast.invitation(other) for other in everyone if other != code]
            nodes[code].hear()
            nodes[code].ask("meet", invitations=others, agreement=cast.agreement())
        yield nodes
    finally:
        for node in nodes.values():
            node.kill()
