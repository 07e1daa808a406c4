"""The log as others see it: a published log made again byte for byte, and an independent client on the served paths."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey
from tlog_scales.tiles import leaf_hash as their_leaf_hash

from comity.ledger import selectors
from comity.ledger.services import Appended, append, open_log
from comity.trust import SigningKey
from comity.trust.notes import LogSigner
from comity.trust.tiles import parse_tile_path, unpack_entries

Append = Callable[..., Appended]


class DjangoBackend:
    """tlog-scales fetches through Django's test client what it would fetch over HTTP."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.asked: list[str] = []

    def get(self, *path: str) -> bytes | None:
        self.asked.append("/".join(path))
        response = self.client.get("/ledger/" + "/".join(path))
        return response.content if response.status_code == 200 else None


@pytest.mark.parametrize("sizes", [(3, 10, 600), (70_000,), (256,), (1,)])
def test_an_independent_client_reads_and_checks_the_log(
    log: Append, signer: LogSigner, client: Client, sizes: tuple[int, ...]
) -> None:
    total = 0
    for size in sizes:
        while total < size:
            count = min(4096, size - total)
            log([b"entry %d" % each for each in range(total, total + count)])
            total += count
    reader = TilesReader(DjangoBackend(client))
    checkpoint = reader.get_checkpoint()
    checkpoint.verify(Vkey.from_string(signer.vkey))
    assert checkpoint.size == total
    assert reader.calculate_root_hash() == checkpoint.root_hash
    for index in {0, total // 3, total // 2, total - 1}:
        assert reader.get_entry(index) == b"entry %d" % index
        theirs = reader.get_inclusion_proof(index, total)
        theirs.check(their_leaf_hash(b"entry %d" % index), checkpoint.root_hash)
        assert selectors.tlog_proof(index).split("\n\n")[0].count("\n") == 1 + len(theirs.node_hashes)
    for old in {1, total // 3 or 1, sizes[0]}:
        theirs = reader.get_consistency_proof(old, total)
        assert theirs.node_hashes == selectors.consistency_path(old, total)


def test_a_published_log_is_made_again_byte_for_byte(db: None, shared_data: Path, client: Client, at: datetime) -> None:
    """transparency-dev/tessera testdata/log: every checkpoint, tile and bundle, at each of its sizes."""
    folder = shared_data / "vectors" / "tessera_log"
    seed = base64.b64decode("AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg")[1:]
    signer = LogSigner("example.com/log/testdata", SigningKey.from_seed(seed))
    open_log(signer=signer, at=at)
    assert selectors.latest_checkpoint() == (folder / "checkpoint.0").read_text()
    entries = unpack_entries((folder / "tile" / "entries" / "000.p" / "15").read_bytes())
    compared = 1
    for number, entry in enumerate(entries, start=1):
        with transaction.atomic():
            append([entry], signer=signer, at=at)
        checkpoint = folder / f"checkpoint.{number}"
        if checkpoint.exists():
            assert client.get("/ledger/checkpoint").content == checkpoint.read_bytes()
            compared += 1
    assert client.get("/ledger/checkpoint").content == (folder / "checkpoint").read_bytes()
    for file in sorted((folder / "tile").rglob("*")):
        if file.is_file():
            path = str(file.relative_to(folder))
            parse_tile_path(path)
            assert client.get(f"/ledger/{path}").content == file.read_bytes(), path
            compared += 1
    assert compared >= 16 + 30
