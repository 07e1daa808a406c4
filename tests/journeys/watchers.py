"""Starting and ending watching nodes that know each other; one of them may keep two histories."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from comity.agreements import parse_agreement
from comity.agreements.selectors import PAYLOAD_TYPE
from comity.trust import keyring_files, sign_statement
from tests.exchange.cast import DEMO
from tests.exchange.child import encode
from tests.exchange.children import Cast, Child
from tests.exchange.ports import free_ports
from tests.migrated import place_database
from tests.nest import begin, node_environment

CODES = ("XA", "XB", "XC")
# The node that lies: the keys of XA once more, with another database and another port.
TWIN = "XA again"


class Watcher(Child):
    """A watching node in a process of its own."""

    def start(self) -> None:
        """Begin, or begin again."""
        environment = node_environment(self.home, self.database_url)
        with (self.home / "stderr.txt").open("ab") as trouble:
            self.process = begin("tests.journeys.watcher", environment=environment, errors=trouble)

    @property
    def endpoint(self) -> str:
        """Where its port is."""
        return f"https://127.0.0.1:{self.port}"


@dataclass
class Watch:
    """The nodes by their names, and what they need to know each other."""

    cast: Cast
    witnesses: str = ""
    nodes: dict[str, Watcher] = field(default_factory=dict)

    def agreement(self) -> str:
        """The demo's agreement, with a quorum where one is wished, signed by all."""
        text = DEMO.read_text() + (f"\nwitnesses: |\n{self.witnesses}" if self.witnesses else "")
        keys = (self.cast.keyring(code).signing for code in CODES)
        return encode(sign_statement(PAYLOAD_TYPE, parse_agreement(text.encode()).to_bytes(), *keys).to_bytes())

    def add(self, name: str, port: int, database_url: str = "") -> Watcher:
        """Make and start a node; the first two letters of its name say whose keys it has."""
        code, home = name[:2], self.cast.folder / name.replace(" ", "-")
        (home / "keys").mkdir(parents=True)
        for each, content in keyring_files(self.cast.keyring(code)).items():
            (home / "keys" / each).write_bytes(content)
        (home / "keys" / "session.key").write_text("only for tests, and long enough for Django to like it, 64 of them")
        (home / "comity.toml").write_text(
            f'administration = "{code}"\nname = "Customs of {code}"\ntime_zone = "UTC"\n'
            '[console]\nhost = "127.0.0.1"\nport = 0\nurl = "http://127.0.0.1:1"\n'
            f'[partners]\nhost = "127.0.0.1"\nport = {port}\nurl = "https://127.0.0.1:{port}"\n'
        )
        if not database_url:
            place_database(home)
        node = self.nodes[name] = Watcher(code, home, port, self.cast.keyring(code), database_url)
        node.start()
        node.ask("migrate")
        others = [self.cast.invitation(other) for other in CODES if other != code]
        node.ask("meet", invitations=others, agreement=self.agreement())
        return node


@contextmanager
def watch(
    folder: Path, *names: str, witnesses: str = "", database_url: Callable[[], str] = lambda: ""
) -> Iterator[dict[str, Watcher]]:
    """Running nodes with open ports. XC reaches the twin where there is one. None of them outlives this."""
    ports = dict(zip((*CODES, TWIN), free_ports(4), strict=True))
    watched = Watch(Cast(folder, ports), witnesses)
    try:
        for name in names:
            watched.add(name, ports[name], database_url())
        if TWIN in watched.nodes:
            twin = watched.nodes[TWIN]
            watched.nodes["XC"].ask("move", partner="XA", endpoint=twin.endpoint)
        for node in watched.nodes.values():
            node.ask("serve", port=node.port)
        yield watched.nodes
    finally:
        for node in watched.nodes.values():
            node.kill()
