"""The log over HTTP, at the paths and with the headers of C2SP tlog-tiles."""

from __future__ import annotations

import gzip
from datetime import datetime

import pytest
from django.db import transaction
from django.test import Client

from comity.ledger.services import append, record_cosignature
from comity.trust import LogSigner, NoteKind, SigningKey, cosign
from comity.trust.notes import add_signatures

SIGNER = LogSigner("alfa.example/log", SigningKey.from_seed(b"a" * 32))
WITNESS = LogSigner("bravo.example/witness", SigningKey.from_seed(b"b" * 32), NoteKind.COSIGNATURE)


@pytest.fixture
def note(db: None, at: datetime) -> str:
    """The checkpoint of a log of 300 entries."""
    with transaction.atomic():
        return append([b"entry %d" % each for each in range(300)], signer=SIGNER, at=at).checkpoint


def test_the_checkpoint_is_text_that_is_not_cached(client: Client, note: str) -> None:
    response = client.get("/ledger/checkpoint")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Cache-Control"] == "no-cache"
    assert response.content.decode() == note


@pytest.mark.parametrize(
    ("path", "length"),
    [
        ("tile/0/000", 256 * 32),
        ("tile/0/001.p/44", 44 * 32),
        ("tile/0/001.p/7", 7 * 32),
        ("tile/0/000.p/255", 255 * 32),
        ("tile/1/000.p/1", 32),
        ("tile/entries/001.p/1", 2 + len(b"entry 256")),
    ],
)
def test_tiles_are_octets_that_never_change(client: Client, note: str, path: str, length: int) -> None:
    response = client.get(f"/ledger/{path}")
    assert (response.status_code, len(response.content)) == (200, length)
    assert response["Content-Type"] == "application/octet-stream"
    assert "immutable" in response["Cache-Control"]
    head = client.head(f"/ledger/{path}")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/001",
        "tile/0/001.p/45",
        "tile/0/002",
        "tile/1/000",
        "tile/2/000.p/1",
        "tile/0/0",
        "tile/64/000",
        "tile/entries/002.p/1",
        "tile/data/000",
        "tile/0/000/../001.p/1",
        "tile/",
        "checkpoint/",
        "checkpoint/cosigned",
    ],
)
def test_what_the_log_has_not_is_not_found(client: Client, note: str, path: str) -> None:
    assert client.get(f"/ledger/{path}").status_code == 404


def test_bundles_travel_compressed_where_the_reader_can(client: Client, note: str) -> None:
    plain = client.get("/ledger/tile/entries/000")
    packed = client.get("/ledger/tile/entries/000", headers={"accept-encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content


def test_the_log_is_only_read(client: Client, note: str) -> None:
    for path in ("checkpoint", "tile/0/000"):
        assert client.post(f"/ledger/{path}").status_code == 405


def test_a_log_that_has_not_begun_has_nothing_to_serve(client: Client, db: None) -> None:
    for path in ("checkpoint", "checkpoint/cosigned", "tile/0/000", "tile/0/000.p/1"):
        assert client.get(f"/ledger/{path}").status_code == 404


def test_the_cosigned_checkpoint_is_served(client: Client, note: str, at: datetime) -> None:
    line = cosign(note, log=SIGNER.verifier, cosigner=WITNESS, at=at)
    record_cosignature(add_signatures(note, [line]), log=SIGNER.verifier, cosigner=WITNESS.verifier, at=at)
    with transaction.atomic():
        append([b"later"], signer=SIGNER, at=at)
    assert client.get("/ledger/checkpoint/cosigned").content.decode() == add_signatures(note, [line])
    assert client.get("/ledger/checkpoint").content.decode().startswith("alfa.example/log\n301\n")
