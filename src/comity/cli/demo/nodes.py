"""Three nodes as three processes, each with its own home, database, keys and ports; none outlives the demo."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from comity.common import ComityError

_READY_SECONDS = 40.0
_END_SECONDS = 15.0
_COMMAND_SECONDS = 120.0


class DemoError(ComityError):
    """The demo did not come out as it should."""

    code = "demo_failed"


@dataclass(frozen=True, slots=True)
class DemoNode:
    """One administration of the demo."""

    code: str
    name: str
    home: Path
    console_port: int
    partners_port: int

    @property
    def console_url(self) -> str:
        """Where its officers sign in."""
        return f"http://127.0.0.1:{self.console_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What its processes see: its own home, and no database but its own."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("COMITY_", "DJANGO_"))}
        return {**kept, "COMITY_HOME": str(self.home), "PYTHONUNBUFFERED": "1"}

    @property
    def log_path(self) -> Path:
        """What its process says."""
        return self.home / "node.log"


def lay_out(root: Path, administrations: Sequence[tuple[str, str]]) -> list[DemoNode]:
    """A node for each (code, name) below the root, on ports that are free."""
    ports = _free_ports(2 * len(administrations))
    return [
        DemoNode(code, name, root / code.lower(), console_port=next(ports), partners_port=next(ports))
        for code, name in administrations
    ]


def _free_ports(count: int) -> Iterator[int]:
    """Ports that nobody listens on: from 8101 on, so that addresses are the same from run to run where they can be."""
    port = 8100
    for _ in range(count):
        port += 1
        while not _is_free(port):
            port += 1
        yield port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def command(node: DemoNode, *words: str, stdin: str = "", check: bool = True) -> str:
    """Run `comity WORDS` as the node's administrator would; returns what it printed.

    Raises: DemoError with what it said where it fails and check is true.
    """
    result = subprocess.run(
        [sys.executable, "-m", "comity", *words],
        env=node.environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=_COMMAND_SECONDS,
    )
    if check and result.returncode:
        raise DemoError(
            f"`comity {' '.join(words)}` failed", where=f"node {node.code}: {result.stderr.strip() or result.stdout}"
        )
    return result.stdout


def commands(scripts: Sequence[tuple[DemoNode, Sequence[str]]]) -> list[str]:
    """Run a batch of commands on several nodes at once; returns what each batch printed.

    Raises: DemoError with what the first failing batch said.
    """
    running = [
        (
            node,
            subprocess.Popen(
                [sys.executable, "-m", "comity", "batch", "-"],
                env=node.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ),
            "\n".join(lines),
        )
        for node, lines in scripts
    ]
    printed = []
    for node, process, script in running:
        out, err = process.communicate(script, timeout=_COMMAND_SECONDS)
        if process.returncode:
            raise DemoError("Setting up the demo failed", where=f"node {node.code}: {err.strip() or out}")
        printed.append(out)
    return printed


@contextlib.contextmanager
def serving(nodes: Sequence[DemoNode]) -> Iterator[None]:
    """Serve every node in a process of its own until the block ends.

    Each process also ends when its standard input closes, so that none survives a demo that was killed.
    """
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(_served(node)) for node in nodes]
        for node, process in zip(nodes, processes, strict=True):
            wait_until_ready(node, process)
        yield


@contextlib.contextmanager
def _served(node: DemoNode) -> Iterator[subprocess.Popen[bytes]]:
    with node.log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "comity", "serve", "--with-parent"],
            env=node.environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C reaches the demo alone, which then ends its nodes in order
        )
        try:
            yield process
        finally:
            if process.stdin:
                process.stdin.close()
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_ready(node: DemoNode, process: subprocess.Popen[bytes]) -> None:
    """Until the node answers on its console port. Raises: DemoError where it ended or does not in time."""
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if _answers(node):
            return
        time.sleep(0.1)
    raise DemoError(f"The node {node.code} did not start", where=_last_lines(node.log_path))


def _answers(node: DemoNode) -> bool:
    """Whether this very node answers on its port, and not somebody else's."""
    with contextlib.suppress(httpx.TransportError):
        answer = httpx.get(f"{node.console_url}/api/v1/health", timeout=2, trust_env=False)
        return answer.status_code == httpx.codes.OK and answer.json().get("administration") == node.code
    return False


def _last_lines(path: Path) -> str:
    return " | ".join(path.read_text(errors="replace").strip().splitlines()[-5:])
