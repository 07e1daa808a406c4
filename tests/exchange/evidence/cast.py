"""Chipo of XC offers files to Ana of XA: an agreement for files, offers, and a line that a test may bend.

The receiver's side uses the database; the sender's side of these tests lives in memory behind the interface that the
real line has. What needs both ends real starts two processes (test_two_nodes.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from comity.agreements import parse_agreement
from comity.agreements.selectors import PAYLOAD_TYPE
from comity.agreements.services import adopt
from comity.exchange import Message, ReceivedMessage
from comity.exchange.directory import Peer
from comity.exchange.errors import TransportError
from comity.exchange.evidence import Fetcher, FetchRules, Folder, Prepared, expect, prepare
from comity.exchange.evidence.line import ChunkLine
from comity.exchange.evidence.parts import CarriedChunk
from comity.exchange.models import EvidenceIn
from comity.trade import EvidenceNotice, Handling
from comity.trade.encoding import evidence_to_body
from comity.trust import Keyring, seal_chunk, sign_statement
from tests.exchange.cast import ANA, AT, CODES, keyring

SMALL = 4096
MOST = 314_572_800
AGREEMENT = f"""
form: comity-agreement/1
title: {{en: On files}}
version: 1
parties: [XA, XB, XC]
languages: [en]
in_force: {{from: 2026-01-01}}
articles:
  - id: 1
    effect: permit
    title: {{en: Alerts}}
    text: {{en: Alerts may be shared.}}
    kinds: [alert/1]
    purposes: [control]
    handling_at_most: restricted
    fields: [ref, issuer, category, title, risk_type, issued_at, valid_from, valid_until, handling, exhibits]
  - id: 2
    effect: permit
    title: {{en: Files}}
    text: {{en: Photos and scans may be shared.}}
    kinds: [evidence/1]
    purposes: [control, evidence]
    handling_at_most: restricted
    size_at_most: {MOST}
    fields: [administration, sha256, name, media_type, size_bytes, chunk_bytes, chunks, root, key, about, handling,
      description]
""".encode()
RULES = FetchRules(in_flight=2, slice_chunks=1000, save_chunks=2, spare_bytes=0)


def adopt_files() -> str:
    """Bring the agreement for files into force; returns its id."""
    agreement = parse_agreement(AGREEMENT)
    signed = sign_statement(PAYLOAD_TYPE, agreement.to_bytes(), *(keyring(code).signing for code in CODES))
    keys = {code: [keyring(code).signing.verify_key] for code in CODES}
    return adopt(ANA, signed=signed.to_bytes(), verify_keys=keys, at=AT).id


def content(chunks: float, *, seed: int = 0) -> bytes:
    """So many small chunks of bytes that look random and are not."""
    return hashlib.shake_128(seed.to_bytes(4, "big")).digest(int(chunks * SMALL))


def message_id(number: int) -> str:
    """The id of a message of these tests."""
    return str(UUID(int=0x0195_2222_0000_7000_8000_000000000000 + number))


def notice_of(data: bytes, **changes: object) -> EvidenceNotice:
    """What XC says of a file."""
    facts: dict[str, object] = {
        "administration": "XC",
        "sha256": hashlib.sha256(data).hexdigest(),
        "name": "scan.dcm",
        "media_type": "application/dicom",
        "size_bytes": len(data),
        "chunk_bytes": SMALL,
        "chunks": -(-len(data) // SMALL),
        "root": "",
        "key": "",
        "handling": Handling.OFFICIAL,
    }
    return EvidenceNotice(**(facts | changes))  # type: ignore[arg-type]  # the tests name fields of EvidenceNotice


def keep(folder: Folder, data: bytes, place: Path) -> None:
    """Put bytes into an evidence folder as a file of its own."""
    source = place / "given"
    source.write_bytes(data)
    folder.keep(source)


def prepared(folder: Folder, data: bytes, place: Path, recipient: str = "XA", **changes: object) -> Prepared:
    """XC's file, sealed for XA."""
    keep(folder, data, place)
    return prepare(folder, notice_of(data, **changes), recipient=recipient)


def received(made: Prepared, number: int = 1, sender: str = "XC") -> ReceivedMessage:
    """The message by which XC offers it, as it comes into its journey."""
    message = Message(
        kind="evidence/1",
        id=message_id(number),
        origin=sender,
        sender=sender,
        recipient="XA",
        agreement="0" * 64,
        article="2",
        purpose="control",
        handling="official",
        created=AT,
        body=evidence_to_body(made.notice),
    )
    return ReceivedMessage(message, AT, number, 1)


def awaited(made: Prepared, number: int = 1, sender: str = "XC") -> EvidenceIn:
    """The row of a file that XA awaits."""
    expect(received(made, number, sender))
    return row(number)


def row(number: int = 1) -> EvidenceIn:
    """The row as it stands."""
    return EvidenceIn.objects.get(message_id=message_id(number))


Bend = Callable[[int, CarriedChunk], CarriedChunk]


@dataclass
class Memory:
    """XC's end of the line in memory: gives out the chunks of what was prepared. bend: what a liar makes of them.

    dies_at: the number of the chunk at which the line breaks.
    """

    folder: Folder
    made: dict[str, Prepared]
    bend: Bend = lambda _number, chunk: chunk
    dies_at: int | None = None
    asked: list[int] = field(default_factory=list)
    trouble: Exception | None = None

    def fetch(self, root: str, number: int) -> CarriedChunk:
        """A chunk, or what is left of it."""
        self.asked.append(number)
        if self.trouble is not None:
            raise self.trouble
        if self.dies_at is not None and number >= self.dies_at:
            raise TransportError("The line is dead")
        return self.bend(number, self.chunk(root, number))

    def chunk(self, root: str, number: int) -> CarriedChunk:
        """A chunk as an honest sender has it."""
        made = self.made[root]
        data = self.folder.read_chunk(made.sealed.shape, number)
        return CarriedChunk(tuple(made.sealed.path(number)), seal_chunk(data, number, sealed=made.sealed, key=made.key))

    def push(self, root: str, number: int, chunk: CarriedChunk) -> int:
        """Nobody pushes on this line."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing to close."""


@dataclass
class Clockwork:
    """A clock that stands still until a test moves it."""

    at: datetime = AT

    def __call__(self) -> datetime:
        return self.at

    def move(self, **span: float) -> datetime:
        """Go on by so much."""
        self.at += timedelta(**span)
        return self.at


def fetcher(folder: Folder, line: ChunkLine, clock: Callable[[], datetime], rules: FetchRules = RULES) -> Fetcher:
    """XA's fetcher with this line to every partner."""

    def connect(_keyring: Keyring, _peer: Peer) -> ChunkLine:
        return line

    return Fetcher(keyring("XA"), folder, clock, rules, connect=connect)
