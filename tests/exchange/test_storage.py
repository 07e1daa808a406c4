"""What is stored once, and what is in an open envelope: the tables' side of "exactly once"."""

from __future__ import annotations

from datetime import timedelta

import pytest

from comity.exchange.arrivals import Opener
from comity.exchange.directory import load_peer, load_peers
from comity.exchange.envelope import read_header
from comity.exchange.judging import Verdict, read_incoming
from comity.exchange.limits import LIMITS, SendingRules
from comity.exchange.message import Message
from comity.exchange.models import InboxMessage, OutboxEnvelope, OutboxMessage
from comity.exchange.outbox import Former
from comity.exchange.receipt import Answer
from comity.exchange.selectors import Direction, messages, outbox_status
from comity.exchange.services import Posting, post_all
from comity.exchange.storage import insert_once
from comity.exchange.tallies import tally
from tests.exchange.cast import AT, LOG, NODE_XC, adopt_demo, introduce, keyring, message, release, states, wrap

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def partners() -> None:
    introduce("XA", "XC")
    adopt_demo()


def judged(*sent: Message) -> list[Verdict]:
    envelope = wrap(*sent)
    arrival = Opener(keyring("XA"), load_peers(), LIMITS, AT).open(0, envelope, read_header(envelope))
    return [Verdict(each, Answer(each.id, each.sha256, accepted=True)) for each in read_incoming(arrival, LIMITS)]


def test_what_somebody_stored_meanwhile_is_not_stored_again() -> None:
    first, second = message(1), message(2)
    assert insert_once(judged(first), at=AT) == {("XC", first.id)}
    assert insert_once(judged(first, second), at=AT) == {("XC", second.id)}
    assert insert_once(judged(first, second), at=AT) == set()
    rows = InboxMessage.objects.order_by("id")
    assert [(row.message_id, bytes(row.data), row.failures, row.last_error) for row in rows] == [
        (first.id, first.to_bytes(), 0, ""),
        (second.id, second.to_bytes(), 0, ""),
    ]
    assert (rows[0].created_at, rows[0].received_at, rows[0].is_accepted) == (AT, AT, True)


def test_what_is_in_an_open_envelope_is_not_formed_again() -> None:
    """More runs between the gaps than one statement may name."""
    post_all(NODE_XC, [Posting(release())] * 141, signer=LOG, at=AT)
    peer = load_peer("XA")
    OutboxEnvelope.objects.bulk_create(
        OutboxEnvelope(
            envelope_id=f"open-{sequence}",
            partner_id=peer.id,
            first_sequence=sequence,
            count=1,
            statement=b"",
            created_at=AT,
            leased_until=AT + timedelta(minutes=1),
        )
        for sequence in range(2, 141, 2)
    )
    assert states() == ["waiting", "sent"] * 70 + ["waiting"]
    formed = Former(keyring("XC"), SendingRules(messages=1, envelopes=200), AT, {}).form()
    assert [each.contents.first_sequence for each in formed] == list(range(1, 142, 2))
    assert states() == ["sent"] * 141
    assert Former(keyring("XC"), SendingRules(envelopes=200), AT, {}).form() == []


def test_lists_and_counts_tell_what_is_on_its_way() -> None:
    post_all(NODE_XC, [Posting(release())] * 3, signer=LOG, at=AT)
    Former(keyring("XC"), SendingRules(messages=2, envelopes=1, round_messages=2), AT, {}).form()
    assert set(OutboxMessage.objects.values_list("state", flat=True)) == {"waiting"}, "no message is written for it"
    assert sorted(states()) == ["sent", "sent", "waiting"]
    status = outbox_status("XA")
    assert (status.waiting, status.sent, status.oldest_at, status.oldest_waiting_at) == (1, 2, AT, AT)
    assert [len(messages(direction=Direction.SENT, state=state)) for state in ("waiting", "sent", "delivered")] == [
        1,
        2,
        0,
    ]
    assert {state: count for (_, state, _), count in tally().messages.items() if count} == {"waiting": 1, "sent": 2}
