"""The log of a running node, read over the network by two who know nothing of its code.

One is tlog-scales, a tlog-tiles client written elsewhere; the other is the few lines below, RFC 6962 §2.1 by hand.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tlog_scales.backend import HttpBackend, TilesBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey
from tlog_scales.tiles import leaf_hash as their_leaf_hash

from comity.cli.demo.nodes import DemoNode, command, lay_out, serving
from comity.exchange.transports.https.contexts import client_context
from tests.journeys.watchers import Watcher, watch

pytestmark = pytest.mark.slow
Get = Callable[[str], bytes | None]
APPEND = """
import django; django.setup()
from django.conf import settings
from django.db import transaction
from comity.common import utc_now
from comity.ledger.services import append
with transaction.atomic():
    append([b"entry %d" % each for each in range({first}, {last})], signer=settings.COMITY_KEYRING.log, at=utc_now())
"""


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def split(count: int) -> int:
    """RFC 6962 §2.1: the largest power of two smaller than the count."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def mth(entries: Sequence[bytes]) -> bytes:
    """RFC 6962 §2.1: the Merkle tree hash of a list of entries."""
    if not entries:
        return sha256()
    if len(entries) == 1:
        return sha256(b"\0", entries[0])
    k = split(len(entries))
    return sha256(b"\1", mth(entries[:k]), mth(entries[k:]))


def path(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """RFC 6962 §2.1.1: the audit path."""
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


class Reader:
    """Reads a log by its served files alone. tlog-tiles: bundles of 256 entries, each behind two bytes of length."""

    def __init__(self, get: Get) -> None:
        self.get = get

    def head(self) -> tuple[str, int, bytes]:
        lines = (self.get("checkpoint") or b"").decode().split("\n")
        return lines[0], int(lines[1]), base64.b64decode(lines[2])

    def file(self, level: str, n: int, width: int) -> bytes:
        name = f"tile/{level}/{n:03d}" + (f".p/{width}" if width < 256 else "")
        found = self.get(name)
        assert found is not None, name
        return found

    def entries(self, size: int) -> list[bytes]:
        found: list[bytes] = []
        for n in range((size + 255) // 256):
            bundle = self.file("entries", n, min(256, size - n * 256))
            while bundle:
                length = int.from_bytes(bundle[:2], "big")
                found.append(bundle[2 : 2 + length])
                bundle = bundle[2 + length :]
        return found

    def hashes(self, level: int, size: int) -> list[bytes]:
        count, found = size >> 8 * level, b""
        for n in range((count + 255) // 256):
            found += self.file(str(level), n, min(256, count - n * 256))
        return [found[place : place + 32] for place in range(0, len(found), 32)]


def check(get: Get, vkey: str, expected: int) -> list[bytes]:
    """The whole log by hand: every entry, every tile of every level, the signed root."""
    reader = Reader(get)
    origin, size, root = reader.head()
    entries = reader.entries(size)
    assert (origin, size, len(entries)) == (vkey.partition("+")[0], expected, expected)
    assert mth(entries) == root
    assert reader.hashes(0, size) == [sha256(b"\0", entry) for entry in entries]
    assert reader.hashes(1, size) == [mth(entries[start : start + 256]) for start in range(0, size // 256 * 256, 256)]
    chance = random.Random(size)
    for width in chance.sample(range(1, 256), 5):
        assert reader.file("0", 0, width) == b"".join(reader.hashes(0, size)[:width])
    for name in (f"tile/0/{size // 256 + 1:03d}", "tile/3/000", f"tile/1/000.p/{size // 256 + 1}", "tile/0/0", "tile"):
        assert get(name) is None, name
    return entries


def check_with_theirs(backend: TilesBackend, vkey: str, entries: list[bytes], earlier: int) -> None:
    """tlog-scales finds the same, and its proofs are those of RFC 6962 by hand."""
    theirs = TilesReader(backend)
    checkpoint = theirs.get_checkpoint()
    checkpoint.verify(Vkey.from_string(vkey))
    assert checkpoint.root_hash == theirs.calculate_root_hash() == mth(entries)
    chance = random.Random(7)
    for index in chance.sample(range(len(entries)), 12):
        proof = theirs.get_inclusion_proof(index, len(entries))
        assert proof.node_hashes == path(index, entries)
        proof.check(their_leaf_hash(entries[index]), mth(entries))
        assert theirs.get_entry(index) == entries[index]
    between = theirs.get_consistency_proof(earlier, len(entries))
    between.check(mth(entries[:earlier]), mth(entries))


class Lines:
    """The partner port over mutual TLS, for both readers."""

    def __init__(self, node: Watcher, asker: Watcher) -> None:
        context = client_context(asker.keyring, node.keyring.tls_authority_pem)
        self.line = http.client.HTTPSConnection("127.0.0.1", node.port, context=context, timeout=20)

    def get(self, *parts: str) -> bytes | None:
        self.line.request("GET", f"/log/{'/'.join(parts)}?sender=XB")
        response = self.line.getresponse()
        body = response.read()
        return body if response.status == 200 else None


def test_partners_read_the_log_on_the_partner_port(tmp_path: Path) -> None:
    with watch(tmp_path, "XA", "XB") as nodes:
        lines, vkey = Lines(nodes["XA"], nodes["XB"]), nodes["XA"].keyring.log.vkey
        nodes["XA"].ask("append", count=300, word="a")
        before = check(lines.get, vkey, 300)
        nodes["XA"].ask("append", count=333, word="a")
        entries = check(lines.get, vkey, 633)
        assert entries[:300] == before
        check_with_theirs(lines, vkey, entries, 300)
        lines.line.close()


@contextmanager
def node_with_a_log(root: Path) -> Iterator[tuple[DemoNode, Callable[[int, int], None]]]:
    """A node as an administration would run it, and a way to append to its log from outside."""
    (node,) = lay_out(root, [("XA", "Customs of Alfa")])
    node.home.mkdir(parents=True)
    ports = ("--console-port", str(node.console_port), "--partners-port", str(node.partners_port))
    command(node, "init", "--administration", "XA", "--name", node.name, *ports)

    def grow(first: int, last: int) -> None:
        environment = {**node.environment, "DJANGO_SETTINGS_MODULE": "comity.node.settings"}
        subprocess.run([sys.executable, "-c", APPEND.format(first=first, last=last)], env=environment, check=True)

    with serving([node]):
        yield node, grow


def test_anybody_reads_the_log_of_a_served_node(tmp_path: Path) -> None:
    with node_with_a_log(tmp_path) as (node, grow):

        def get(name: str) -> bytes | None:
            # A line of its own each time: the node closes one that stood idle while the log grew.
            with closing(http.client.HTTPConnection("127.0.0.1", node.console_port, timeout=20)) as line:
                line.request("GET", f"/ledger/{name}")
                response = line.getresponse()
                body = response.read()
                return body if response.status == 200 else None

        (document,) = (node.home / "keys").glob("*.keydoc.json")
        vkey = log_key(document.read_bytes())
        _, size, _ = Reader(get).head()
        grow(size, 257)
        before = check(get, vkey, 257)
        grow(257, 700)
        entries = check(get, vkey, 700)
        assert entries[:257] == before
        check_with_theirs(HttpBackend(f"{node.console_url}/ledger"), vkey, entries, 257)


def log_key(statement: bytes) -> str:
    """The log's verifier key, as the node hands it out in its key document."""
    payload = base64.b64decode(json.loads(statement)["payload"])
    return str(json.loads(payload)["log_vkey"])
