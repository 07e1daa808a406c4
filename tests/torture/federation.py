"""N nodes that know each other: keys, homes, databases, links, one agreement, and one clock for all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock

import psycopg

from comity.agreements import parse_agreement
from comity.agreements.selectors import PAYLOAD_TYPE
from comity.cli.lab.links import Links
from comity.exchange.invitation import write_invitation
from comity.trust import Keyring, keyring_files, make_keyring, sign_statement
from tests.exchange.child import encode
from tests.exchange.children import Child
from tests.exchange.ports import free_ports
from tests.nest import answer_of, begin, node_environment

CODES = ("XA", "XB", "XC", "XD", "XE")
_AGREEMENT = """\
form: comity-agreement/1
title: {{en: Agreement under torture between {names}}}
version: "1"
parties: [{parties}]
languages: [en]
in_force: {{from: 2020-01-01, until: 2099-12-31}}
articles:
  - id: "1"
    effect: permit
    title: {{en: Alerts between all}}
    text: {{en: Any party may send any other alerts for control. They are kept for fifty years.}}
    kinds: [alert/1]
    purposes: [control]
    handling_at_most: restricted
    fields: [ref, issuer, category, title, risk_type, issued_at, valid_from, valid_until, handling, subjects, hs_codes,
      modus_operandi, priority]
    onward: none
    retention_days: 18250
    use_limits: [customs_authority_only]
    source: drawn up for this exercise
    tag: S
    verified: true
"""


@dataclass
class TortureChild(Child):
    """A node under torture; `environment` goes to its process beside the usual."""

    environment: dict[str, str] = field(default_factory=dict)
    program: str = "tests.torture.child"

    def start(self) -> None:
        """Begin, or begin again after a kill."""
        with (self.home / "stderr.txt").open("ab") as trouble:
            environment = node_environment(self.home, self.database_url, **self.environment)
            self.process = begin(self.program, environment=environment, errors=trouble)


@dataclass
class NodesClock:
    """The clock of all nodes: a file with seconds to add. It only goes forward."""

    path: Path
    offset_seconds: float = 0.0
    lock: Lock = field(default_factory=Lock)

    def advance(self, by: timedelta) -> None:
        """Move it; the nodes see it at their next look. Renamed, so that nobody reads half a number."""
        with self.lock:
            self.offset_seconds += by.total_seconds()
            fresh = self.path.with_suffix(".new")
            fresh.write_text(f"{self.offset_seconds:.3f}\n")
            fresh.replace(self.path)


@dataclass
class Federation:
    """The nodes of a run, their links and their clock."""

    root: Path
    nodes: dict[str, TortureChild]
    links: Links
    clock: NodesClock
    ports: dict[str, int]

    @property
    def codes(self) -> tuple[str, ...]:
        """The administrations."""
        return tuple(self.nodes)


@contextmanager
def federation(root: Path, codes: Sequence[str], *, server_url: str = "") -> Iterator[Federation]:
    """Nodes that know each other and run. server_url: a PostgreSQL server; else SQLite in each home.

    No process outlives this, whatever happens inside.
    """
    ports = dict(zip(codes, free_ports(len(codes)), strict=True))
    born = datetime.now(UTC) - timedelta(days=1)
    keyrings = {
        code: make_keyring(code, f"Customs of {code}", f"https://127.0.0.1:{port}", ["127.0.0.1"], born)
        for code, port in ports.items()
    }
    clock = NodesClock(root / "clock")
    clock.advance(timedelta())
    urls = _databases(root, codes, server_url)
    nodes = {}
    for code in codes:
        home = root / code
        (home / "keys").mkdir(parents=True, exist_ok=True)
        for name, content in keyring_files(keyrings[code]).items():
            (home / "keys" / name).write_bytes(content)
        nodes[code] = TortureChild(code, home, ports[code], keyrings[code], urls[code])
        nodes[code].environment = {"COMITY_CLOCK_FILE": str(clock.path)}
    links = Links(ports)
    try:
        _introduce(nodes, keyrings, links)
        yield Federation(root, nodes, links, clock, ports)
    finally:
        for node in nodes.values():
            node.kill()
        links.close()


def _introduce(nodes: dict[str, TortureChild], keyrings: dict[str, Keyring], links: Links) -> None:
    agreement = _agreement(keyrings)

    def begin(node: TortureChild) -> None:
        node.start()
        partners = [
            [encode(write_invitation(keyrings[other])), links.endpoint(node.code, other)]
            for other in nodes
            if other != node.code
        ]
        node.ask("meet", partners=partners, agreement=agreement)
        node.ask("run", port=node.port)

    with ThreadPoolExecutor(len(nodes)) as pool:
        list(pool.map(begin, nodes.values()))


def _agreement(keyrings: dict[str, Keyring]) -> str:
    text = _AGREEMENT.format(names=" and ".join(keyrings), parties=", ".join(keyrings))
    canonical = parse_agreement(text.encode()).to_bytes()
    return encode(sign_statement(PAYLOAD_TYPE, canonical, *(each.signing for each in keyrings.values())).to_bytes())


def _databases(root: Path, codes: Sequence[str], server_url: str) -> dict[str, str]:
    """A migrated database for each node: made once and copied, since a copy is quicker than a migration."""
    template = root / "template"
    template.mkdir(parents=True)
    if not server_url:
        _run_template(template, "")
        for code in codes:
            (root / code).mkdir()
            shutil.copy(template / "comity.sqlite3", root / code / "comity.sqlite3")
        return dict.fromkeys(codes, "")
    base, _, _ = server_url.rpartition("/")
    names = {code: f"torture_{os.getpid()}_{code.lower()}" for code in ("template", *codes)}
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{names["template"]}"')
        _run_template(template, f"{base}/{names['template']}")
        for code in codes:
            server.execute(f'CREATE DATABASE "{names[code]}" TEMPLATE "{names["template"]}"')
    return {code: f"{base}/{names[code]}" for code in codes}


def _run_template(home: Path, url: str) -> None:
    environment = node_environment(home, url)
    answer_of("tests.torture.child", "template", environment=environment, trouble=home / "stderr.txt")
