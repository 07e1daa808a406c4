"""A log of the cast, and what the tests append to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import pytest
from django.db import transaction

from comity.ledger.services import Appended, append
from comity.trust import SigningKey
from comity.trust.notes import LogSigner, NoteKind


@pytest.fixture(scope="session")
def signer() -> LogSigner:
    """The key of Alfa's log."""
    return LogSigner("alfa.example/log", SigningKey.from_seed(b"a" * 32))


@pytest.fixture(scope="session")
def cosigner() -> LogSigner:
    """The key with which Bravo cosigns."""
    return LogSigner("bravo.example/witness", SigningKey.from_seed(b"b" * 32), NoteKind.COSIGNATURE)


@pytest.fixture
def log(db: None, signer: LogSigner, at: datetime) -> Callable[..., Appended]:
    """Append entries, given whole or as how many to make."""

    def add(entries: Sequence[bytes] | int) -> Appended:
        given = [b"entry %d" % each for each in range(entries)] if isinstance(entries, int) else entries
        with transaction.atomic():
            return append(given, signer=signer, at=at)

    return add
