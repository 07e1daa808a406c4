"""A node that really serves: who sends heads without end is cut off, others are answered, SIGTERM ends it in order."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exchange.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]


def comity(*words: str, home: Path) -> subprocess.Popen[bytes]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("COMITY_", "DJANGO_"))}
    with (home.parent / "stderr").open("ab") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "comity", "--home", str(home), *words],
            env={**kept, "PYTHONPATH": str(ROOT / "src")},
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )


def answer_of(port: int) -> int:
    """The status of a page; 0 where nobody listens yet."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", "/ledger/checkpoint")
        return connection.getresponse().status
    except ConnectionRefusedError:
        return 0
    finally:
        connection.close()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    home = tmp_path / "home"
    console, partners = free_ports(2)
    ports = ("--console-port", str(console), "--partners-port", str(partners))
    assert comity("init", "--administration", "XA", *ports, home=home).wait(60) == 0
    serving = comity("serve", home=home)
    end = time.monotonic() + 60
    while answer_of(console) == 0 and serving.poll() is None and time.monotonic() < end:
        pass
    yield serving, console
    serving.kill()
    serving.wait()


def test_heads_without_end_are_cut_off_and_the_node_ends_in_order(
    node: tuple[subprocess.Popen[bytes], int], tmp_path: Path
) -> None:
    serving, console = node
    assert answer_of(console) == 200
    with socket.create_connection(("127.0.0.1", console), timeout=30) as line:
        line.sendall(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-a: ")
        try:
            for _ in range(64):
                line.sendall(b"a" * 4096)
            assert line.recv(1) == b""
        except ConnectionError:
            pass  # cut off while it was still sending
    assert answer_of(console) == 200
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(60) == 0, (tmp_path / "stderr").read_text()
    assert b"Traceback" not in (tmp_path / "stderr").read_bytes()
