"""The two threads of the partner port: what is under way at once, and what becomes of a group that fails.

The database of these tests is in memory, where a reader may be locked out by the writer: then an envelope is tried
alone, and answered all the same.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from comity.exchange.inbox import Opened, Receiver, Reply
from comity.exchange.models import InboxMessage
from comity.exchange.transports.https.backlog import Job
from comity.exchange.transports.https.contexts import server_context
from comity.exchange.transports.https.doorman import Doorman
from comity.exchange.transports.https.routes import Page
from comity.exchange.transports.https.writer import Writer, WriterRules
from tests.exchange.cast import AT, VALIDATORS, Wrapping, adopt_demo, introduce, keyring, message, wrap

pytestmark = pytest.mark.django_db(transaction=True)

CERTIFICATE = ssl.PEM_cert_to_DER_cert(keyring("XC").tls_certificate_pem)


@pytest.fixture(autouse=True)
def partners() -> None:
    introduce("XA", "XC")
    adopt_demo()


@dataclass
class Watched(Receiver):
    """The real receiver, which tells how many envelopes a group has and waits before it takes one."""

    opened: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    told: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    may_take: threading.Event = field(default_factory=threading.Event)

    def open(self, envelopes: Sequence[bytes], at: datetime) -> Opened:
        """As its base."""
        found = super().open(envelopes, at)
        self.opened.append(len(envelopes))
        self.told.release()
        return found

    def take(self, opened: Opened) -> list[Reply]:
        """As its base, once it may."""
        assert self.may_take.wait(20)
        self.taken.append(len(opened.envelopes))
        return super().take(opened)


@contextmanager
def writing(receiver: Receiver) -> Iterator[Writer]:
    """A writer at work."""
    rules = WriterRules(group=64, group_bytes=2**20, waiting=100, refresh_seconds=3600.0)
    writer = Writer(receiver, lambda: AT, Doorman(server_context(keyring("XA"))), rules)
    writer.start()
    try:
        yield writer
    finally:
        writer.stop()


async def _asked(writer: Writer, jobs: Mapping[int, bytes], told: Future[list[asyncio.Future[Page]]]) -> list[Page]:
    loop = asyncio.get_running_loop()
    futures = []
    for data in jobs.values():
        futures.append(loop.create_future())
        assert writer.put(Job(CERTIFICATE, data, futures[-1]))
    told.set_result(futures)
    return await asyncio.wait_for(asyncio.gather(*futures), 30)


def ask(writer: Writer, *envelopes: bytes) -> tuple[threading.Thread, list[Page]]:
    """Put envelopes; the thread ends once all are answered, and the pages are there then."""
    put: Future[list[asyncio.Future[Page]]] = Future()
    pages: list[Page] = []
    thread = threading.Thread(target=lambda: pages.extend(asyncio.run(_asked(writer, dict(enumerate(envelopes)), put))))
    thread.start()
    put.result(20)
    return thread, pages


def envelope(number: int) -> bytes:
    return wrap(message(number), how=Wrapping(number=number, first_sequence=number))


def test_the_next_group_is_opened_while_one_is_written_and_no_third() -> None:
    receiver = Watched(keyring("XA"), VALIDATORS)
    with writing(receiver) as writer:
        first, one = ask(writer, envelope(1))
        assert receiver.told.acquire(timeout=20)
        second, two = ask(writer, envelope(2))
        # While nothing may be taken, a second group is opened; what comes then waits for it.
        assert receiver.told.acquire(timeout=20)
        third, rest = ask(writer, envelope(3), envelope(4), envelope(5))
        assert receiver.opened == [1, 1]
        assert receiver.taken == []
        receiver.may_take.set()
        for thread in (first, second, third):
            thread.join(30)
    assert [page.status for page in (*one, *two, *rest)] == [200] * 5
    assert sum(receiver.taken) == 5
    assert InboxMessage.objects.filter(is_accepted=True).count() == 5


def test_the_same_envelope_in_both_groups_has_one_effect_and_one_receipt() -> None:
    receiver = Watched(keyring("XA"), VALIDATORS)
    with writing(receiver) as writer:
        first, one = ask(writer, envelope(1))
        assert receiver.told.acquire(timeout=20)
        second, two = ask(writer, envelope(1))
        assert receiver.told.acquire(timeout=20)
        receiver.may_take.set()
        first.join(30)
        second.join(30)
    assert one == two
    assert one[0].status == 200
    assert InboxMessage.objects.count() == 1


@pytest.mark.parametrize("step", ["open", "take"])
def test_in_a_group_that_fails_the_others_pass(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    bad = envelope(2)
    real = getattr(Receiver, step)

    def failing(self: Receiver, given: Sequence[bytes] | Opened, *rest: datetime) -> object:
        if bad in (given.envelopes if isinstance(given, Opened) else given):
            raise ZeroDivisionError
        return real(self, given, *rest)

    monkeypatch.setattr(Receiver, step, failing)
    with writing(Receiver(keyring("XA"), VALIDATORS)) as writer:
        thread, pages = ask(writer, envelope(1), bad, envelope(3))
        thread.join(30)
    assert [page.status for page in pages] == [200, 500, 200]
    assert json.loads(pages[1].body)["code"] == "internal"
    assert InboxMessage.objects.count() == 2


def test_what_waits_is_answered_before_it_stops() -> None:
    receiver = Watched(keyring("XA"), VALIDATORS)
    with writing(receiver) as writer:
        thread, pages = ask(writer, *(envelope(number) for number in range(1, 8)))
        receiver.may_take.set()
    thread.join(30)
    assert [page.status for page in pages] == [200] * 7
