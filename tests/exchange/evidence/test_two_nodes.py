"""Two real nodes over real TLS: a large file through cuts and kill -9 of either side, both ways.

It has 60 MB, and 210 by `make test-long`.

Each node is a process with its own database, keys, port and evidence folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from comity.agreements import parse_agreement
from comity.agreements.selectors import PAYLOAD_TYPE
from comity.trust import sign_statement
from tests.exchange.child import encode
from tests.exchange.children import Child, children
from tests.exchange.evidence.cast import AGREEMENT
from tests.scale import scaled

pytestmark = [pytest.mark.slow, pytest.mark.once]
MakeURL = Callable[[], str]
LARGE = scaled(60, 210) * 1000 * 1000
# A node at rest holds about 110 MB; a file held whole would add its size.
MOST_MEMORY_MB = 260


@pytest.fixture(autouse=True)
def _bound() -> None:
    """These nodes are processes with databases of their own."""


@contextmanager
def two_nodes(folder: Path, make_url: MakeURL) -> Iterator[tuple[Child, Child]]:
    """XC, which has a file, and XA, which is to get it."""
    with children(folder, ["XA", "XC"], database_urls={"XA": make_url(), "XC": make_url()}) as nodes:
        agreement = parse_agreement(AGREEMENT.replace(b"[XA, XB, XC]", b"[XA, XC]"))
        signed = sign_statement(
            PAYLOAD_TYPE, agreement.to_bytes(), *(nodes[code].keyring.signing for code in ("XA", "XC"))
        )
        for node in nodes.values():
            node.ask("adopt_files", agreement=encode(signed.to_bytes()))
            node.ask("serve", port=node.port)
        yield nodes["XC"], nodes["XA"]


def large_file(path: Path, size: int) -> Path:
    """Bytes that nothing compresses, made a MiB at a time."""
    with path.open("wb") as file:
        for number in range(0, size, 1 << 20):
            step = min(1 << 20, size - number)
            file.write(hashlib.shake_128(number.to_bytes(8, "big")).digest(step))
    return path


def offer_to(sender: Child, receiver: Child, path: Path) -> int:
    """Share a file and let the receiver take the message; how many chunks it has."""
    chunks: int = sender.ask("share_file", path=str(path), recipient=receiver.code)["chunks"]
    sender.ask("deliver")
    receiver.ask("await_offer")
    return chunks


def back(node: Child) -> None:
    """A node that was killed is back, and works."""
    node.start()
    node.ask("serve", port=node.port)
    node.ask("deliver")
    node.ask("carry_files")


def test_a_large_file_survives_cuts_and_kills_of_both_sides(tmp_path: Path, database_url: MakeURL) -> None:
    path = large_file(tmp_path / "scan.dcm", LARGE)
    with two_nodes(tmp_path, database_url) as (sender, receiver):
        chunks = offer_to(sender, receiver, path)
        receiver.ask("carry_files")
        receiver.ask("await_file", have=chunks // 8)
        receiver.kill()
        back(receiver)
        had = receiver.ask("await_file", have=chunks // 3)["have"]
        assert had >= chunks // 3, "it went on where it was"
        sender.kill()
        sender.start()
        sender.ask("serve", port=sender.port)
        receiver.ask("await_file", have=chunks // 2)
        sender.ask("rest")  # the line is cut for a while
        sender.ask("serve", port=sender.port)
        receiver.ask("await_file", have=2 * chunks // 3)
        receiver.kill()
        back(receiver)
        done = receiver.ask("await_file", have=chunks)
        assert (done["state"], done["have"], done["proved_bytes"]) == ("complete", chunks, LARGE)
        assert done["peak_mb"] < MOST_MEMORY_MB
        assert sender.ask("file_state")["peak_mb"] < MOST_MEMORY_MB
    (came,) = (tmp_path / "XA" / "evidence" / "received").glob("??/*")
    with came.open("rb") as one, path.open("rb") as other:
        assert hashlib.file_digest(one, "sha256").digest() == hashlib.file_digest(other, "sha256").digest()
    assert not list((tmp_path / "XA" / "evidence" / "received" / "coming").iterdir())


def test_a_sender_behind_a_firewall_pushes(tmp_path: Path, database_url: MakeURL) -> None:
    path = large_file(tmp_path / "photo.jpg", 9_500_000)
    with two_nodes(tmp_path, database_url) as (sender, receiver):
        sender.ask("set_way", partner="XA", is_collected=True)
        receiver.ask("set_way", partner="XC", way="collect")
        chunks = offer_to(sender, receiver, path)
        sender.ask("await_answers", count=1)
        receiver.ask("carry_files")
        assert receiver.ask("file_state")["have"] == 0, "nobody fetches from whom nobody reaches"
        sender.ask("carry_files")
        done = receiver.ask("await_file", have=chunks)
        assert (done["state"], done["proved_bytes"]) == ("complete", 9_500_000)
