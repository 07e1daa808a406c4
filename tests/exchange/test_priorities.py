"""Overtaking and load limits between two ends within this process: everything but the wire is real."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity.agreements.services import permit_duty
from comity.exchange.checking import Parcel
from comity.exchange.delivery import Postman, deliver_due, drain
from comity.exchange.errors import EnvelopeRefusedError, PartnerUnknownError
from comity.exchange.inbox import Receiver
from comity.exchange.limits import LIMITS, NO_LIMITS, LoadLimits, Priority, SendingRules
from comity.exchange.models import Delivery, InboxMessage, OutboxEnvelope, OutboxMessage, Reception, Refusal
from comity.exchange.outcomes import Outcome
from comity.exchange.queues import partner_pace, queues
from comity.exchange.receipt import RECEIPT_TYPE, read_receipt, read_sealed_receipt, sign_refusal
from comity.exchange.selectors import outbox_status
from comity.exchange.services import Posting, post, post_all
from comity.ledger import commit
from comity.ledger.services import append
from comity.trust import sha256_hex, sign_statement
from tests.exchange.cast import (
    AT,
    CHIPO,
    LOG,
    NODE_XC,
    VALIDATORS,
    Loop,
    Wrapping,
    adopt_demo,
    introduce,
    keyring,
    message,
    release,
    wrap,
)

pytestmark = pytest.mark.django_db
XC = keyring("XC")
URGENT, ORDINARY, BULK = Priority


@pytest.fixture(autouse=True)
def partners() -> None:
    introduce("XA", "XB", "XC")
    adopt_demo()


def post_alerts(count: int, priority: Priority | None = None) -> tuple[str, ...]:
    permitted = release("XA")
    return post_all(NODE_XC, [Posting(permitted, priority=priority)] * count, signer=LOG, at=AT)


def spans(loop: Loop) -> list[tuple[int, int]]:
    return [(parcel.contents.first_sequence, parcel.contents.count) for parcel in loop.carried]


def deliver(loop: Loop, *, after: timedelta = timedelta(), rules: SendingRules | None = None) -> int:
    loop.at = AT + after
    return deliver_due(XC, AT + after, transport=loop, rules=rules or SendingRules())


def priority_of(message_id: str) -> int:
    return OutboxMessage.objects.get(message_id=message_id).priority


def test_the_kind_says_how_urgent_a_message_is_unless_somebody_does() -> None:
    assert priority_of(post(CHIPO, release(priority=1), signer=LOG, at=AT)) == URGENT
    assert priority_of(post(CHIPO, release(priority=2), signer=LOG, at=AT)) == ORDINARY
    probe = permit_duty(CHIPO, kind="probe/1", recipient="XA", body={"nonce": "x", "answer": False}, at=AT)
    assert priority_of(post(CHIPO, probe, signer=LOG, at=AT)) == URGENT
    assert [priority_of(each) for each in post_alerts(1, BULK)] == [BULK]


def test_what_is_urgent_overtakes_what_waits() -> None:
    post_alerts(4, BULK)
    post_alerts(2)
    post_alerts(1, URGENT)
    loop = Loop()
    deliver(loop, rules=SendingRules(messages=2))
    assert spans(loop) == [(7, 1), (5, 2), (1, 2), (3, 2)]
    assert Reception.objects.get(partner__administration="XC").contiguous == 7
    assert OutboxEnvelope.objects.exclude(state="answered").count() == 0, "a gap that only waits is not lost"


def test_what_is_urgent_goes_out_while_the_pipe_is_full_of_bulk() -> None:
    post_alerts(40, BULK)
    rules = SendingRules(messages=1, envelopes=8, urgent_envelopes=2)
    postman, held = Postman(XC, Silent(), rules), []
    assert postman.round([], AT) == 8
    (urgent,) = post_alerts(1, URGENT)
    assert postman.round([], AT) == 1, "nothing has come back, and it goes out all the same"
    held = [parcel.contents.first_sequence for parcel in postman.transport.carried]  # type: ignore[attr-defined]
    assert held[-1] == OutboxMessage.objects.get(message_id=urgent).sequence


class Silent(Loop):
    """A partner that takes and does not answer."""

    def send(self, parcels, done) -> None:  # type: ignore[no-untyped-def]
        self.carried += parcels


@pytest.mark.once
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(list(Priority)), st.integers(1, 4)), min_size=1, max_size=12),
    st.integers(1, 5),
    st.integers(0, 2**32),
)
def test_whatever_overtakes_everything_arrives_once(posted: list[tuple[Priority, int]], size: int, seed: int) -> None:
    """With lines that break at random: all arrive, none twice, and the position ends without a gap."""
    InboxMessage.objects.all().delete()
    Reception.objects.update(contiguous=Reception.objects.get(partner__administration="XC").contiguous)
    chance = random.Random(seed)
    ids: list[str] = []
    loop = Loop(bend=lambda _, outcome: Outcome(failure="The line is dead") if chance.random() < 0.3 else outcome)
    for step, (priority, count) in enumerate(posted):
        ids += post_alerts(count, priority)
        deliver(loop, after=timedelta(minutes=10 * step), rules=SendingRules(messages=size, round_messages=2 * size))
    loop.bend = lambda _, outcome: outcome
    for step in range(3):
        deliver(loop, after=timedelta(hours=10 + step), rules=SendingRules(messages=size))
    assert set(OutboxMessage.objects.values_list("state", flat=True)) == {"delivered"}
    assert sorted(InboxMessage.objects.values_list("message_id", flat=True)) == sorted(ids)
    reception = Reception.objects.get(partner__administration="XC")
    assert (reception.contiguous, reception.islands) == (OutboxMessage.objects.count(), [])


def test_nothing_overtakes_where_the_partner_has_many_gaps() -> None:
    post_alerts(2, BULK)
    post_alerts(1, URGENT)
    Delivery.objects.update(gaps=LIMITS.islands)
    loop = Loop()
    deliver(loop, rules=SendingRules(messages=1))
    assert spans(loop) == [(1, 1), (2, 1), (3, 1)]
    assert Delivery.objects.get(partner__administration="XA").gaps == 0, "the receipt said that there are none left"


def test_who_is_refused_for_gaps_fills_them_first() -> None:
    """Before, the refused envelope was the only one that was tried again, and what was missing never went."""
    post_alerts(2, BULK)
    post_alerts(1, URGENT)

    def bend(parcel: Parcel, outcome: Outcome) -> Outcome:
        if parcel.contents.first_sequence != 3 or Reception.objects.get(partner__administration="XC").contiguous >= 2:
            return outcome
        error = EnvelopeRefusedError("too_many_gaps", "Too many", remedy="Send those first.")
        refusal = sign_refusal(error, parcel.data, recipient="XA", keys=[keyring("XA").signing], at=AT)
        return Outcome(refusal.to_bytes())

    loop = Loop(bend=bend)
    rules = SendingRules(messages=1, round_messages=1)
    postman = Postman(XC, Silent(), rules)
    assert postman.round([], AT) == 1
    parcel = postman.transport.carried[0]  # type: ignore[attr-defined]
    assert parcel.contents.first_sequence == 3
    postman.tell(parcel, bend(parcel, Outcome()))
    events = drain(postman.events, None)
    postman.settle(events)
    assert postman.round(events, AT) == 0
    for minute in range(1, 10):
        deliver(loop, after=timedelta(minutes=minute), rules=rules)
    assert spans(loop)[0] == (1, 1)
    assert outbox_status().delivered == 3


def test_envelopes_grow_again_after_too_large() -> None:
    Delivery.objects.update(messages_at_most=2)
    rules = SendingRules(messages=4)
    sizes = []
    for turn in range(4):
        post_alerts(4)
        loop = Loop()
        deliver(loop, after=timedelta(minutes=turn), rules=rules)
        sizes.append(max(count for _, count in spans(loop)))
    assert sizes == [2, 3, 4, 4]
    assert Delivery.objects.get(partner__administration="XA").messages_at_most is None


def test_the_queue_says_how_long_and_how_old_it_is() -> None:
    post_alerts(3, BULK)
    post_all(NODE_XC, [Posting(release(), priority=URGENT)], signer=LOG, at=AT + timedelta(minutes=5))
    found = [(each.priority, each.waiting, each.oldest_at) for each in queues("XA")]
    assert found == [(URGENT, 1, AT + timedelta(minutes=5)), (ORDINARY, 0, None), (BULK, 3, AT)]
    assert outbox_status().oldest_waiting_at == AT
    deliver(Loop())
    assert (outbox_status().oldest_waiting_at, outbox_status().oldest_at) == (None, None)


# Load limits


def serving(load: LoadLimits) -> Loop:
    """XA with these load limits."""
    loop = Loop()

    def bend(parcel: Parcel, _outcome: Outcome) -> Outcome:
        reply = Receiver(keyring("XA"), VALIDATORS, load=load).answer([parcel.data], loop.at)[0]
        if reply.retry_after_seconds:
            return Outcome(failure="The partner's node answered 503", retry_after_seconds=reply.retry_after_seconds)
        return Outcome(reply.body, is_receipt=reply.is_receipt)

    class Limited(Loop):
        def send(self, parcels, done) -> None:  # type: ignore[no-untyped-def]
            for parcel in parcels:
                self.carried.append(parcel)
                loop.at = self.at
                done(parcel, bend(parcel, Outcome()))

    return Limited()


def test_a_receipt_carries_the_load_limits_and_the_sender_keeps_them() -> None:
    load = LoadLimits(messages_per_minute=60, messages_per_envelope=3, envelopes_in_flight=2)
    loop = serving(load)
    post_alerts(1)
    deliver(loop)
    assert Delivery.objects.get(partner__administration="XA").load_limits == load.to_mapping()
    post_alerts(40)
    deliver(loop)
    assert sum(count for _, count in spans(loop)) == 11, "a burst of ten"
    assert max(count for _, count in spans(loop)) <= 3
    deliver(loop, after=timedelta(seconds=5))
    assert sum(count for _, count in spans(loop)) == 16
    pace = partner_pace("XA", ours=NO_LIMITS, at=AT + timedelta(seconds=5))
    assert (pace.limits, pace.sent, pace.may_go, pace.in_flight) == (load, 16, 0, 0)
    post_alerts(1, URGENT)
    deliver(loop, after=timedelta(seconds=5))
    assert spans(loop)[-1][1] == 1, "what is urgent borrows"
    deliver(serving(NO_LIMITS), after=timedelta(hours=1))
    deliver(serving(NO_LIMITS), after=timedelta(hours=2))
    assert Delivery.objects.get(partner__administration="XA").load_limits == {}
    assert outbox_status().waiting == 0


def test_who_floods_all_the_same_is_asked_to_come_back_and_nothing_is_lost() -> None:
    load = LoadLimits(messages_per_minute=6)
    envelopes = [wrap(message(n), message(n + 1), how=Wrapping(number=n, first_sequence=n)) for n in range(1, 41, 2)]
    receiver = Receiver(keyring("XA"), VALIDATORS, load=load)
    replies = receiver.answer(envelopes, AT)
    taken = [reply for reply in replies if reply.is_receipt]
    turned_away = [reply for reply in replies if not reply.is_receipt]
    assert 0 < len(taken) < len(replies)
    assert {reply.code for reply in turned_away} == {"too_fast"}
    assert all(0 < reply.retry_after_seconds <= 120 for reply in turned_away)
    assert InboxMessage.objects.count() == 2 * len(taken)
    assert not Refusal.objects.exists(), "a flood fills no table"
    assert partner_pace("XC", ours=load, at=AT).wait_seconds > 0
    again = receiver.answer(envelopes, AT + timedelta(seconds=turned_away[0].retry_after_seconds))
    assert [reply.body for reply in again[: len(taken)]] == [reply.body for reply in taken], "the same receipts"
    assert sum(reply.is_receipt for reply in again) > len(taken)


def test_an_envelope_that_is_larger_than_we_take_is_refused() -> None:
    post_alerts(4)
    loop = serving(LoadLimits(messages_per_envelope=1))
    deliver(loop)
    assert outbox_status().delivered == 4
    assert Refusal.objects.filter(code="too_large").exists()


def test_whoever_is_no_partner_has_no_pace() -> None:
    with pytest.raises(PartnerUnknownError):
        partner_pace("XQ", ours=NO_LIMITS, at=AT)


@pytest.mark.parametrize(
    "published",
    [
        {"messages_per_minute": 0, "messages_per_envelope": 0, "envelopes_in_flight": 0},
        {"messages_per_minute": -(2**52), "messages_per_envelope": -1, "envelopes_in_flight": -1},
        {"messages_per_minute": 2**53 - 1, "messages_per_envelope": 2**53 - 1, "envelopes_in_flight": 2**53 - 1},
        {"messages_per_minute": "many", "messages_per_envelope": [], "envelopes_in_flight": {}},
        {"messages_per_minute": None, "messages_per_envelope": True},
        [1, 2, 3],
        "as you like",
        7,
    ],
)
def test_absurd_limits_neither_stop_nor_crash_us(published: object) -> None:
    """A partner signs a receipt with such a load: it counts as a receipt, and later messages still go."""

    def bend(parcel: Parcel, outcome: Outcome) -> Outcome:
        sealed = read_sealed_receipt(outcome.body)
        values = json.loads(sealed.statement.payload) | {"load": published}
        payload = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        statement = sign_statement(RECEIPT_TYPE, payload, keyring("XA").signing)
        entry = commit(
            "receipt",
            bytes.fromhex(sha256_hex(payload)),
            agreement="",
            message_id=read_receipt(payload).envelope,
            salt=sealed.salt,
        )
        appended = append([entry], signer=LOG, at=AT)
        proof = appended.tlog_proof(appended.first_index)
        return Outcome(replace(sealed, statement=statement, proof=proof, consistency=None).to_bytes(), is_receipt=True)

    loop = Loop(bend=bend)
    post_alerts(1)
    deliver(loop)
    assert outbox_status().delivered == 1, "the receipt is believed"
    post_alerts(5)
    for minute in range(1, 8):
        deliver(loop, after=timedelta(minutes=2 * minute))
    assert outbox_status().delivered == 6
