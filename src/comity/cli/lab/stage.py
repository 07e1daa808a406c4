"""The stage of a lab: N real nodes, each with a home, a clock and links of its own to every partner."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from comity.cli.demo.nodes import DemoNode, command, commands, lay_out, wait_until_ready
from comity.cli.lab.links import Links
from comity.cli.lab.scenario import codes_of

_END_SECONDS = 20.0
# A disk that is full: the process may write no further than this into any file (RLIMIT_FSIZE, by the kernel).
_FULL_BYTES = 4096
_AGREEMENT = """\
form: comity-agreement/1
title: {{en: Agreement of the lab}}
version: "1"
parties: [{parties}]
languages: [en]
in_force: {{from: 2020-01-01, until: 2099-12-31}}
articles:
  - id: "1"
    effect: permit
    title: {{en: Alerts between all}}
    text: {{en: Any party may send any other alerts for control.}}
    kinds: [alert/1]
    purposes: [control]
    handling_at_most: restricted
    fields: [ref, issuer, category, title, risk_type, issued_at, valid_from, valid_until, handling]
    onward: none
    retention_days: 18250
    use_limits: [customs_authority_only]
    source: drawn up for this exercise
    tag: S
    verified: true
"""


@dataclass(frozen=True, slots=True)
class LabNode(DemoNode):
    """A node with a clock of its own, which a file moves."""

    @property
    def environment(self) -> dict[str, str]:
        """As its base, and where the clock's file is."""
        return {**DemoNode.environment.__get__(self), "COMITY_CLOCK_FILE": str(self.clock_path)}

    @property
    def clock_path(self) -> Path:
        """Seconds that are added to its clock."""
        return self.home / "clock"


@dataclass(slots=True)
class Actor:
    """A node on the stage with its process. is_lying: the process is the liar's, not the node's."""

    node: LabNode
    process: subprocess.Popen[bytes] | None = None
    clock: timedelta = timedelta()
    groups: list[int] = field(default_factory=list)

    def start(self, *words: str) -> None:
        """Serve, or what the words say instead."""
        with self.node.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "comity", *(words or ("serve", "--with-parent"))],
                env=self.node.environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.groups.append(self.process.pid)
        if not words:
            wait_until_ready(self.node, self.process)

    def kill(self) -> None:
        """kill -9 of its whole process group."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self._reap()

    def end(self) -> None:
        """Let it end in order."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
            try:
                self.process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
            self._reap()

    def move_clock(self, by: timedelta) -> None:
        """Further ahead, or behind; the process sees it at its next look."""
        self.clock += by
        fresh = self.node.clock_path.with_suffix(".new")
        fresh.write_text(f"{self.clock.total_seconds():.3f}\n")
        fresh.replace(self.node.clock_path)

    def fill_disk(self, *, is_full: bool) -> None:
        """Let the kernel refuse what the process writes, or let it write again."""
        if self.process is not None:
            _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
            limit = _FULL_BYTES if is_full else hard
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (limit, hard))

    def inside(self, *words: str) -> Any:
        """What `comity lab-node WORDS` printed in its home."""
        return json.loads(command(self.node, "lab-node", *words))

    def _reap(self) -> None:
        if self.process is not None:
            self.process.wait()
            if self.process.stdin is not None and not self.process.stdin.closed:
                with contextlib.suppress(BrokenPipeError):
                    self.process.stdin.close()
        self.process = None


@dataclass(slots=True)
class Stage:
    """Everything that a scenario can move."""

    actors: dict[str, Actor]
    links: Links
    root: Path
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def codes(self) -> tuple[str, ...]:
        """The administrations."""
        return tuple(self.actors)

    def wait(self, seconds: float) -> None:
        """Let the nodes work for so long."""
        self.stopping.wait(seconds)

    def look(self) -> dict[str, dict[str, Any]]:
        """What each node's database says now."""
        with ThreadPoolExecutor(len(self.actors)) as pool:
            return dict(zip(self.actors, pool.map(lambda each: each.inside("look"), self.actors.values()), strict=True))

    def steal(self, code: str) -> Path:
        """A copy of a node's keys, as a thief would take it. Returns the folder; again the same."""
        loot = self.root / f"stolen-{code.lower()}"
        if not loot.exists():
            shutil.copytree(self.actors[code].node.home / "keys", loot)
        return loot


@contextlib.contextmanager
def staged(root: Path, count: int) -> Iterator[Stage]:
    """Nodes that were introduced to each other, adopted one agreement, and serve. No process outlives the block."""
    named = [(code, f"Customs of {code}") for code in codes_of(count)]
    nodes = [
        LabNode(each.code, each.name, each.home, console_port=each.console_port, partners_port=each.partners_port)
        for each in lay_out(root, named)
    ]
    links = Links({node.code: node.partners_port for node in nodes})
    actors = {node.code: Actor(node) for node in nodes}
    try:
        _settle(root, nodes, links)
        with ThreadPoolExecutor(len(nodes)) as pool:
            list(pool.map(lambda each: each.start(), actors.values()))
        yield Stage(actors, links, root)
    finally:
        for actor in actors.values():
            with contextlib.suppress(ProcessLookupError):
                actor.end()
        links.close()


def _settle(root: Path, nodes: Sequence[LabNode], links: Links) -> None:
    agreement = root / "agreement.yaml"
    agreement.write_text(_AGREEMENT.format(parties=", ".join(node.code for node in nodes)))
    with ThreadPoolExecutor(len(nodes)) as pool:
        list(pool.map(_init, nodes))
    _on_all(nodes, lambda node: [f"partner invite {_file(node, 'invitation')}"])
    _on_all(
        nodes,
        lambda node: [
            *(
                f"partner introduce {_file(each, 'invitation')} --yes --endpoint {links.endpoint(node.code, each.code)}"
                for each in nodes
                if each != node
            ),
            f"agreement sign {shlex.quote(str(agreement))} --out {_file(node, 'signed')}",
        ],
    )
    _on_all(nodes, lambda _node: ["agreement adopt " + " ".join(_file(each, "signed") for each in nodes)])


def _on_all(nodes: Sequence[LabNode], lines: Any) -> None:
    commands(cast(Sequence[tuple[DemoNode, Sequence[str]]], [(node, lines(node)) for node in nodes]))


def _init(node: LabNode) -> None:
    node.home.mkdir(parents=True)
    ports = ("--console-port", str(node.console_port), "--partners-port", str(node.partners_port))
    command(node, "init", "--administration", node.code, "--name", node.name, *ports)
    node.clock_path.write_text("0\n")


def _file(node: LabNode, name: str) -> str:
    return shlex.quote(str(node.home / f"{name}.json"))
