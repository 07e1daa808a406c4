"""Who connects with a right certificate and then sends too much, too slowly, or not to the end."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from comity.exchange.models import Refusal
from comity.exchange.transports.https import peercert
from comity.exchange.transports.https.contexts import client_context
from tests.exchange.cast import adopt_demo, introduce, keyring
from tests.exchange.test_https import one_parcel, outcome_of, serving

pytestmark = pytest.mark.django_db(transaction=True)
POST = b"POST /exchange/v1/envelopes HTTP/1.1\r\nhost: xa\r\n"


@pytest.fixture(autouse=True)
def partners() -> None:
    introduce("XA", "XB", "XC")
    adopt_demo()


@contextmanager
def connected(number: int) -> Iterator[ssl.SSLSocket]:
    """XC's own connection to XA's port."""
    context = client_context(keyring("XC"), keyring("XA").key_document.tls_authority_pem)
    with (
        socket.create_connection(("127.0.0.1", number), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as line,
    ):
        yield line


def all_of(line: ssl.SSLSocket) -> bytes:
    """What comes until the other end closes."""
    parts = []
    try:
        while part := line.recv(65536):
            parts.append(part)
    except (ConnectionError, ssl.SSLError):
        pass  # broken off rather than closed
    return b"".join(parts)


def test_a_head_without_end_breaks_the_connection() -> None:
    with serving() as number, connected(number) as line:
        line.sendall(POST + b"x-a: ")
        try:
            for _ in range(64):
                line.sendall(b"a" * 4096)
        except OSError:
            pass  # broken off before all was sent
        assert all_of(line) == b""


def test_who_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peercert, "HEAD_SECONDS", 0.05)
    with serving() as number:
        for beginning in (b"", POST):
            with connected(number) as line:
                line.sendall(beginning)
                assert all_of(line) == b""


def test_an_envelope_that_does_not_come_in_is_given_up() -> None:
    with serving(body_seconds=0.05) as number, connected(number) as line:
        line.sendall(POST + b"content-length: 100\r\n\r\nhalf")
        assert b" 408 " in all_of(line).partition(b"\r\n")[0]
    assert not Refusal.objects.exists()


def test_an_envelope_that_breaks_off_is_no_refusal() -> None:
    with serving() as number:
        with connected(number) as line:
            line.sendall(POST + b"content-length: 100\r\n\r\nhalf")
        assert outcome_of(number, one_parcel()).is_receipt
    assert not Refusal.objects.exists()


def test_more_than_fits_into_memory_is_asked_for_again() -> None:
    parcel = one_parcel()
    with serving(held_bytes=len(parcel.data) - 1) as number:
        outcome = outcome_of(number, parcel)
    assert (outcome.retry_after_seconds, outcome.is_receipt) == (1.0, False)
    with serving(held_bytes=len(parcel.data)) as number:
        assert [outcome_of(number, parcel).is_receipt for _ in range(3)] == [True] * 3


def test_length_and_chunks_together_are_no_request() -> None:
    with serving() as number, connected(number) as line:
        line.sendall(POST + b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n")
        assert b" 400 " in all_of(line).partition(b"\r\n")[0]
