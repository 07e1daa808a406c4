"""Two real nodes, each a process with its own database, keys and port, over real TLS on loopback.

Nothing lost, nothing doubled: through races, kill -9 on either side, and a partner that was away.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from comity.exchange.transports.https.contexts import client_context
from tests.exchange.child import decode
from tests.exchange.children import Child, children

pytestmark = pytest.mark.slow
MakeURL = Callable[[], str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def everything_arrived_once(sender: Child, receiver: Child, ids: list[str]) -> None:
    counts, arrived = sender.ask("counts"), receiver.ask("counts")
    assert counts["delivered"] == len(ids)
    assert sorted(arrived["arrived"]) == sorted(ids), "nothing lost, nothing doubled"
    assert arrived["accepted"] == len(ids)
    assert receiver.ask("process") == len(ids)
    assert receiver.ask("process") == 0


def test_messages_cross_the_wire_both_ways(folder: Path, database_url: MakeURL) -> None:
    with children(folder, ["XA", "XC"], database_urls={"XA": database_url(), "XC": database_url()}) as nodes:
        for node in nodes.values():
            node.ask("serve", port=node.port)
            node.ask("deliver", messages=8)
        ids = nodes["XC"].ask("post", count=100, recipient="XA")["ids"]
        nodes["XC"].ask("await_answers", count=100)
        everything_arrived_once(nodes["XC"], nodes["XA"], ids)


def test_the_same_messages_eight_times_at_once_are_accepted_once(folder: Path, database_url: MakeURL) -> None:
    """The race of 150 messages: every receipt says yes, and each message is stored once."""
    url = database_url()
    with children(folder, ["XA", "XC"], database_urls={"XA": url, "XC": database_url()}) as nodes:
        made = nodes["XC"].ask("make", count=150, recipient="XA")
        home = nodes["XA"]
        racers = [Child("XA", home.home, home.port, home.keyring, home.database_url) for _ in range(8)]
        try:
            for number, racer in enumerate(racers):
                racer.start()
                racer.say("accept", envelopes=random.Random(number).sample(made["envelopes"], 150))
            said = [racer.hear() for racer in racers]
        finally:
            for racer in racers:
                racer.kill()
        assert said == [[[True]] * 150] * 8
        counts = home.ask("counts")
        assert sorted(counts["arrived"]) == sorted(made["ids"])
        assert home.ask("process", limit=1000) == 150


def test_a_receiver_killed_at_random_loses_and_doubles_nothing(folder: Path, database_url: MakeURL) -> None:
    chance = random.Random(7)
    with children(folder, ["XA", "XC"], database_urls={"XA": database_url(), "XC": database_url()}) as nodes:
        sender, receiver = nodes["XC"], nodes["XA"]
        receiver.ask("serve", port=receiver.port)
        ids = sender.ask("post", count=200, recipient="XA")["ids"]
        sender.ask("deliver", messages=3, envelopes=16, lease_seconds=1)
        for part in (0.1, 0.35, 0.6):
            receiver.ask("await_arrivals", count=int(len(ids) * part) + chance.randrange(20))
            receiver.kill()
            receiver.start()
            receiver.ask("serve", port=receiver.port)
        sender.ask("await_answers", count=len(ids))
        everything_arrived_once(sender, receiver, ids)


@pytest.mark.once
def test_a_sender_killed_at_random_loses_and_doubles_nothing(folder: Path, database_url: MakeURL) -> None:
    with children(folder, ["XA", "XC"], database_urls={"XA": database_url(), "XC": database_url()}) as nodes:
        sender, receiver = nodes["XC"], nodes["XA"]
        receiver.ask("serve", port=receiver.port)
        ids = sender.ask("post", count=200, recipient="XA")["ids"]
        for part in (0.1, 0.35, 0.6):
            sender.ask("deliver", messages=3, envelopes=16, lease_seconds=1)
            receiver.ask("await_arrivals", count=int(len(ids) * part))
            sender.kill()
            sender.start()
        sender.ask("deliver", messages=3, lease_seconds=1)
        sender.ask("await_answers", count=len(ids))
        everything_arrived_once(sender, receiver, ids)


def test_a_partner_that_was_away_gets_everything_when_it_is_back(folder: Path) -> None:
    with children(folder, ["XA", "XC"]) as nodes:
        sender, receiver = nodes["XC"], nodes["XA"]
        sender.ask("deliver", messages=10)
        ids = sender.ask("post", count=50, recipient="XA")["ids"]
        assert sender.ask("counts")["delivered"] == 0
        receiver.ask("serve", port=receiver.port)
        sender.ask("await_answers", count=50)
        everything_arrived_once(sender, receiver, ids)


@pytest.mark.long
def test_a_full_queue_asks_to_come_back_and_loses_nothing(folder: Path) -> None:
    with children(folder, ["XA", "XC"]) as nodes:
        sender, receiver = nodes["XC"], nodes["XA"]
        receiver.ask("serve", port=receiver.port, waiting=1, group=1)
        ids = sender.ask("post", count=60, recipient="XA")["ids"]
        sender.ask("deliver", messages=1, envelopes=20)
        sender.ask("await_answers", count=60)
        everything_arrived_once(sender, receiver, ids)


def connect(node: Child, client: Child) -> http.client.HTTPSConnection:
    context = client_context(client.keyring, node.keyring.tls_authority_pem)
    return http.client.HTTPSConnection("127.0.0.1", node.port, context=context, timeout=20)


def ask(connection: http.client.HTTPSConnection, method: str, path: str, body: bytes = b"") -> tuple[int, dict]:  # type: ignore[type-arg]
    connection.request(method, path, body)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def test_the_partner_port(folder: Path) -> None:
    """Who may connect, who may speak for whom, and what is answered to what."""
    with children(folder, ["XA", "XB", "XC"]) as nodes:
        node = nodes["XA"]
        node.ask("serve", port=node.port)
        made = nodes["XC"].ask("make", count=2, recipient="XA")
        envelope = decode(made["envelopes"][0])

        xc = connect(node, nodes["XC"])
        status, receipt = ask(xc, "POST", "/exchange/v1/envelopes", envelope)
        assert (status, "receipt" in receipt) == (200, True)
        again = ask(xc, "POST", "/exchange/v1/envelopes", envelope)
        assert again == (200, receipt), "a duplicate gets the same receipt on the same connection"
        assert ask(xc, "GET", "/exchange/v1/position?sender=XC") == (200, {"contiguous": 1, "islands": []})
        assert ask(xc, "GET", "/nowhere")[0] == 404
        assert ask(xc, "POST", "/exchange/v1/envelopes", b"garbage")[1]["code"] == "bad_form"
        status, problem = ask(xc, "POST", "/exchange/v1/envelopes", b"x" * (8 * 1024 * 1024 + 1))
        assert (status, problem["code"]) == (413, "too_large")
        xc.close()

        # XB is a partner, too, but not XC.
        xb = connect(node, nodes["XB"])
        status, refusal = ask(xb, "POST", "/exchange/v1/envelopes", decode(made["envelopes"][1]))
        assert (status, refusal["code"]) == (422, "not_your_certificate")
        assert "refusal" in refusal
        assert ask(xb, "GET", "/exchange/v1/position?sender=XC")[1]["code"] == "not_your_certificate"
        assert ask(xb, "GET", "/exchange/v1/position?sender=XQ")[1]["code"] == "unknown_sender"
        xb.close()
        assert node.ask("counts")["arrived"] == made["ids"][:1]


def handshake(context: ssl.SSLContext, port: int) -> bytes:
    """What the port sends to someone who shook hands and asks."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as wrapped,
    ):
        wrapped.sendall(b"GET /exchange/v1/position?sender=XC HTTP/1.1\r\nhost: x\r\n\r\n")
        answer = wrapped.recv(100)
        if not answer:
            raise ConnectionError("closed without a word")
        return answer


def test_nobody_connects_without_a_certificate_of_a_partner(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with children(folder, ["XA"]) as nodes:
        node = nodes["XA"]
        node.ask("serve", port=node.port)
        bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        bare.load_verify_locations(cadata=node.keyring.tls_authority_pem)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            handshake(bare, node.port)
        with children(tmp_path_factory.mktemp("strangers"), ["XC"]) as strangers:
            foreign = client_context(strangers["XC"].keyring, node.keyring.tls_authority_pem)
            with pytest.raises((ssl.SSLError, ConnectionError)):
                handshake(foreign, node.port)
            wrong = client_context(strangers["XC"].keyring, strangers["XC"].keyring.tls_authority_pem)
            with pytest.raises(ssl.SSLCertVerificationError):
                handshake(wrong, node.port)


def test_two_racing_threads_of_clients_get_one_answer(folder: Path) -> None:
    with children(folder, ["XA", "XC"]) as nodes:
        node = nodes["XA"]
        node.ask("serve", port=node.port)
        made = nodes["XC"].ask("make", count=20, recipient="XA")

        def post_all(_number: int) -> list[tuple[int, dict]]:  # type: ignore[type-arg]
            connection = connect(node, nodes["XC"])
            try:
                return [ask(connection, "POST", "/exchange/v1/envelopes", decode(each)) for each in made["envelopes"]]
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            first, *others = pool.map(post_all, range(4))
        assert all(other == first for other in others)
        assert node.ask("counts")["accepted"] == 20
