"""The sending end, over a transport within this process: everything but the wire is real."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction

from comity.exchange.bundles import bundle_of
from comity.exchange.checking import Parcel
from comity.exchange.delivery import Postman, deliver_due, drain
from comity.exchange.errors import EnvelopeRefusedError, MessagePurgedError, MessageUnknownError
from comity.exchange.inbox import process_due
from comity.exchange.limits import SendingRules
from comity.exchange.models import Delivery, InboxMessage, OutboxEnvelope, OutboxMessage, Reception
from comity.exchange.outcomes import Outcome
from comity.exchange.position import Position
from comity.exchange.purging import wipe_sent
from comity.exchange.receipt import read_receipt, read_sealed_receipt, sign_receipt, sign_refusal
from comity.exchange.selectors import Direction, message, messages, outbox_status, partner
from comity.exchange.services import Posting, introduce_partner, post, post_all, suspend_partner
from comity.ledger.bundle import verify_bundle
from comity.ledger.selectors import cosigned_checkpoint, partner_heads
from comity.trust import sha256_hex, sign_key_document
from tests.exchange.cast import (
    AT,
    CHIPO,
    LOG,
    NODE_XC,
    Loop,
    adopt_demo,
    introduce,
    keyring,
    release,
    states,
)

pytestmark = pytest.mark.django_db
XC = keyring("XC")
ONE_EACH = SendingRules(messages=1, envelopes=64)


@pytest.fixture(autouse=True)
def partners() -> None:
    introduce("XA", "XB", "XC")
    adopt_demo()


def post_alerts(count: int, recipient: str = "XA") -> tuple[str, ...]:
    permitted = release(recipient)
    return post_all(NODE_XC, [Posting(permitted) for _ in range(count)], signer=LOG, at=AT)


def deliver(loop: Loop, *, after: timedelta = timedelta(), rules: SendingRules | None = None) -> int:
    loop.at = AT + after
    return deliver_due(XC, AT + after, transport=loop, rules=rules or SendingRules())


def next_round(postman: Postman) -> int:
    events = drain(postman.events, None)
    postman.settle(events)
    return postman.round(events, AT)


def test_a_message_arrives_and_its_receipt_comes_back() -> None:
    message_id = post(CHIPO, release(), signer=LOG, at=AT)
    assert message(message_id).line.state == "waiting"
    loop = Loop()
    assert deliver(loop) == 1

    sent = message(message_id)
    assert sent.line.state == "delivered"
    assert sent.answer is not None
    assert sent.answer.accepted
    assert sent.receipt
    assert InboxMessage.objects.get().message_id == message_id
    taken: list[str] = []
    assert process_due({"alert/1": lambda received: taken.append(received.message.id)}, AT) == 1
    assert taken == [message_id]
    assert outbox_status().delivered == 1
    assert partner("XA").state == "active"
    assert deliver(loop) == 0


def test_messages_are_batched_in_sequence() -> None:
    post_alerts(5)
    loop = Loop()
    deliver(loop, rules=SendingRules(messages=2))
    spans = [(parcel.contents.first_sequence, parcel.contents.count) for parcel in loop.carried]
    assert spans == [(1, 2), (3, 2), (5, 1)]
    assert states() == ["delivered"] * 5
    assert Reception.objects.get(partner__administration="XC").contiguous == 5


def test_one_message_an_envelope_and_no_more_in_flight_than_allowed() -> None:
    post_alerts(7)
    loop = Loop()
    postman = Postman(XC, loop, SendingRules(messages=1, envelopes=3))
    assert postman.round([], AT) == 3
    assert next_round(postman) == 3
    assert next_round(postman) == 1


def test_each_partner_has_its_own_sequence() -> None:
    post_alerts(2)
    post_alerts(3, "XB")
    sequences = list(OutboxMessage.objects.order_by("id").values_list("partner__administration", "sequence"))
    assert sequences == [("XA", 1), ("XA", 2), ("XB", 1), ("XB", 2), ("XB", 3)]


def test_a_rollback_leaves_no_hole_in_the_sequence() -> None:
    post_alerts(1)
    with transaction.atomic():
        post_alerts(3)
        transaction.set_rollback(True)
    post_alerts(1)
    assert list(OutboxMessage.objects.order_by("sequence").values_list("sequence", flat=True)) == [1, 2]


def test_a_dead_line_is_tried_again_later_and_later_with_the_same_envelope() -> None:
    (message_id,) = post_alerts(1)
    loop = Loop(is_down=True)
    assert deliver(loop) == 1
    delivery = Delivery.objects.get(partner__administration="XA")
    assert (delivery.failures, delivery.last_error) == (1, "The line is dead")
    assert delivery.next_attempt_at is not None
    first_wait = delivery.next_attempt_at - AT
    assert deliver(loop) == 0, "not before it is due"

    assert deliver(loop, after=timedelta(seconds=10)) == 1
    delivery.refresh_from_db()
    assert delivery.failures == 2
    assert delivery.next_attempt_at is not None
    assert first_wait <= timedelta(seconds=1) <= delivery.next_attempt_at - AT - timedelta(seconds=10)
    assert len({parcel.contents.envelope for parcel in loop.carried}) == 1

    loop.is_down = False
    assert deliver(loop, after=timedelta(days=30)) == 1
    assert message(message_id).line.state == "delivered"
    delivery.refresh_from_db()
    assert (delivery.failures, delivery.last_error, delivery.next_attempt_at) == (0, "", None)
    assert loop.asked == ["XA"], "after a silence the position is asked for"


def test_after_a_failure_one_envelope_goes_ahead() -> None:
    post_alerts(10)
    loop = Loop(is_down=True)
    assert deliver(loop, rules=ONE_EACH) == 10
    assert Delivery.objects.get(partner__administration="XA").failures == 1, "they failed together"
    assert deliver(loop, after=timedelta(minutes=1), rules=ONE_EACH) == 1
    loop.is_down = False
    assert deliver(loop, after=timedelta(minutes=9), rules=ONE_EACH) == 10
    assert states() == ["delivered"] * 10


def test_what_a_dead_worker_took_is_sent_again_when_its_lease_ends() -> None:
    post_alerts(3)

    class Silent(Loop):
        def send(self, parcels, done) -> None:  # type: ignore[no-untyped-def]  # as its base
            self.carried.extend(parcels)

    dead = Silent()
    Postman(XC, dead).round([], AT)
    assert states() == ["sent"] * 3
    loop = Loop()
    assert deliver(loop) == 0, "the lease still runs"
    assert deliver(loop, after=timedelta(minutes=2)) == 1
    assert loop.carried[0].contents == dead.carried[0].contents
    assert states() == ["delivered"] * 3


def test_an_answer_lost_on_the_way_doubles_nothing() -> None:
    post_alerts(3)
    loop = Loop(bend=lambda _parcel, _outcome: Outcome(failure="The connection broke"))
    deliver(loop)
    assert states() == ["sent"] * 3
    assert InboxMessage.objects.count() == 3
    loop.bend = lambda _parcel, outcome: outcome
    deliver(loop, after=timedelta(minutes=1))
    assert states() == ["delivered"] * 3
    assert InboxMessage.objects.count() == 3


def test_a_partner_that_has_no_room_says_when() -> None:
    post_alerts(1)
    loop = Loop(bend=lambda _parcel, _outcome: Outcome(failure="503", retry_after_seconds=17.0))
    deliver(loop)
    assert Delivery.objects.get(partner__administration="XA").next_attempt_at == AT + timedelta(seconds=17)


def test_a_refused_message_keeps_its_reasons_and_the_others_pass() -> None:
    first, second = post_alerts(2)
    article = OutboxMessage.objects.get(message_id=second)
    forged = json.loads(bytes(article.data)) | {"article": "4"}
    data = json.dumps(forged, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    OutboxMessage.objects.filter(message_id=second).update(data=data, sha256=sha256_hex(data))
    deliver(Loop())
    assert states() == ["delivered", "refused"]
    refused = message(second)
    assert refused.answer is not None
    assert refused.answer.code == "not_permitted"
    assert refused.answer.remedy
    assert messages(direction=Direction.SENT, state="refused")[0].error == refused.answer.text
    assert bundle_of(first, keyring=XC, at=AT).index == 0


def bend_receipt(parcel: Parcel, outcome: Outcome, **changes: object) -> Outcome:
    """The partner signs something else than what it stored."""
    sealed = read_sealed_receipt(outcome.body)
    receipt = replace(read_receipt(sealed.statement.payload), **changes)  # type: ignore[arg-type]
    statement = sign_receipt(receipt, keyring(parcel.peer.administration).signing)
    return Outcome(replace(sealed, statement=statement).to_bytes(), is_receipt=True)


LIES = {
    "garbage": lambda _parcel, _outcome: Outcome(b"{}", is_receipt=True),
    "not JSON": lambda _parcel, _outcome: Outcome(b"\xff", is_receipt=True),
    "cut off": lambda _parcel, outcome: replace(outcome, body=outcome.body[:-9]),
    "another envelope": lambda parcel, outcome: bend_receipt(parcel, outcome, envelope="0" * 36),
    "another statement": lambda parcel, outcome: bend_receipt(parcel, outcome, statement="0" * 64),
    "no answers": lambda parcel, outcome: bend_receipt(parcel, outcome, answers=()),
    "not in its log": lambda parcel, outcome: bend_receipt(parcel, outcome, contiguous=99),
    "another salt": lambda _parcel, outcome: replace(outcome, body=outcome.body.replace(b'"salt":"', b'"salt":"00')),
    "unsigned refusal": lambda _parcel, _outcome: Outcome(b'{"title":"no"}'),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_does_not_hold_changes_nothing(lie: str) -> None:
    post_alerts(1)
    loop = Loop(bend=LIES[lie])
    deliver(loop)
    assert states() == ["sent"]
    delivery = Delivery.objects.get(partner__administration="XA")
    assert delivery.failures == 1
    assert delivery.last_error
    loop.bend = lambda _parcel, outcome: outcome
    deliver(loop, after=timedelta(minutes=5))
    assert states() == ["delivered"]


def test_a_receipt_signed_by_another_partner_is_not_believed() -> None:
    post_alerts(1)

    def signed_by_xb(_parcel: Parcel, outcome: Outcome) -> Outcome:
        sealed = read_sealed_receipt(outcome.body)
        statement = sign_receipt(read_receipt(sealed.statement.payload), keyring("XB").signing)
        return Outcome(replace(sealed, statement=statement).to_bytes(), is_receipt=True)

    deliver(Loop(bend=signed_by_xb))
    assert states() == ["sent"]


def refuse_with(code: str, signer: str = "XA"):  # type: ignore[no-untyped-def]  # a bend
    def bend(parcel: Parcel, _outcome: Outcome) -> Outcome:
        error = EnvelopeRefusedError(code, "Not like this", remedy="Do it again.")
        refusal = sign_refusal(error, parcel.data, recipient=signer, keys=[keyring(signer).signing], at=AT)
        return Outcome(refusal.to_bytes())

    return bend


def test_a_signed_refusal_dissolves_the_envelope_and_another_is_made() -> None:
    post_alerts(2)
    loop = Loop(bend=refuse_with("unknown_key"))
    deliver(loop)
    assert states() == ["waiting"] * 2
    assert OutboxEnvelope.objects.get().state == "dissolved"
    assert "Not like this" in partner("XA").last_error
    loop.bend = lambda _parcel, outcome: outcome
    deliver(loop, after=timedelta(minutes=1))
    assert states() == ["delivered"] * 2


def test_a_refusal_signed_by_someone_else_is_a_failure_only() -> None:
    post_alerts(1)
    deliver(Loop(bend=refuse_with("unknown_key", signer="XB")))
    assert states() == ["sent"]


def test_too_large_makes_smaller_envelopes_until_one_message_is_refused() -> None:
    post_alerts(4)
    loop = Loop(bend=refuse_with("too_large"))
    deliver(loop)
    counts = [parcel.contents.count for parcel in loop.carried]
    assert counts == [4, 2, 2, 1, 1, 1, 1], "at once, since the next one is smaller"
    assert set(states()) == {"refused"}
    assert OutboxMessage.objects.first().answer["code"] == "too_large"  # type: ignore[union-attr,index]


def test_an_unknown_sender_waits_until_it_is_introduced() -> None:
    post_alerts(1)
    loop = Loop(bend=refuse_with("unknown_sender"))
    deliver(loop)
    assert states() == ["sent"], "the envelope stays as it is"
    loop.bend = lambda _parcel, outcome: outcome
    deliver(loop, after=timedelta(minutes=1))
    assert states() == ["delivered"]


def test_what_a_partner_lost_is_sent_again_after_a_later_receipt() -> None:
    post_alerts(3)
    deliver(Loop())
    Reception.objects.filter(partner__administration="XC").update(contiguous=1, islands=[[3, 3]])
    InboxMessage.objects.filter(sequence=2).delete()
    post_alerts(1)
    loop = Loop()
    deliver(loop)
    assert [parcel.contents.first_sequence for parcel in loop.carried] == [4, 1]
    assert states() == ["delivered"] * 4
    assert sorted(InboxMessage.objects.values_list("sequence", flat=True)) == [1, 2, 3, 4]


def test_what_a_partner_lost_is_sent_again_after_a_reconnection() -> None:
    post_alerts(3)
    deliver(Loop(), rules=ONE_EACH)
    loop = Loop(position=lambda _peer: Position(1))
    postman = Postman(XC, loop)
    postman.ask_positions()
    assert sorted(loop.asked) == ["XA", "XB", "XC"]
    assert next_round(postman) == 1
    assert [parcel.contents.first_sequence for parcel in loop.carried] == [2]
    assert loop.carried[0].contents.count == 2


def test_a_partner_that_does_not_tell_its_position_changes_nothing() -> None:
    post_alerts(1)
    loop = Loop()
    deliver(loop)
    postman = Postman(XC, Loop(is_down=True))
    postman.ask_positions()
    next_round(postman)
    assert states() == ["delivered"]
    assert postman.is_idle


def test_both_ends_follow_the_others_log() -> None:
    post_alerts(1)
    deliver(Loop())
    view = partner("XA")
    assert view.cosigned_size > 0
    assert view.followed_size > 0
    assert keyring("XA").cosigner.name in cosigned_checkpoint()
    assert [head.origin for head in partner_heads()] == [LOG.name]
    post_alerts(1)
    deliver(Loop(), after=timedelta(seconds=10))
    assert partner("XA").cosigned_size > view.cosigned_size


def test_a_partner_that_lost_sight_of_our_log_catches_up() -> None:
    post_alerts(1)
    deliver(Loop())
    Delivery.objects.filter(partner__administration="XA").update(cosigned_size=1)
    for minutes in (1, 2):
        post_alerts(1)
        deliver(Loop(), after=timedelta(minutes=minutes))
    assert partner("XA").cosigned_size > 3
    assert states() == ["delivered"] * 3


def test_nothing_goes_to_a_suspended_partner() -> None:
    post_alerts(1)
    suspend_partner(CHIPO, administration="XA", reason="Key theft", at=AT)
    assert deliver(Loop()) == 0
    assert states() == ["waiting"]


def test_a_partner_without_a_key_is_a_failure_that_is_shown() -> None:
    post_alerts(1)
    document = keyring("XA", generation=2).key_document
    entries = tuple(replace(entry, revoked_at=entry.not_before) for entry in document.encryption_keys)
    statement = sign_key_document(replace(document, encryption_keys=entries), keyring("XA", generation=2).signing)
    introduce_partner(
        CHIPO,
        key_statement=statement.to_bytes(),
        fingerprint=replace(document, encryption_keys=entries).fingerprint,
        at=AT,
    )
    assert deliver(Loop()) == 0
    assert "no key to seal to" in partner("XA").last_error
    assert states() == ["sent"]


def test_a_bundle_of_a_delivered_message_verifies_offline() -> None:
    ids = post_alerts(3)
    with pytest.raises(MessageUnknownError):
        bundle_of(ids[1], keyring=XC, at=AT)
    deliver(Loop())
    bundle = bundle_of(ids[1], keyring=XC, at=AT)
    steps = verify_bundle(bundle.to_bytes())
    assert all(step.is_ok for step in steps), steps
    with pytest.raises(MessageUnknownError):
        bundle_of("unknown", keyring=XC, at=AT)


def test_what_was_purged_makes_no_bundle_and_the_others_of_its_envelope_still_do() -> None:
    ids = post_alerts(3)
    deliver(Loop())
    assert wipe_sent([ids[1]]) == (ids[1],)
    with pytest.raises(MessagePurgedError, match="Ask its origin"):
        bundle_of(ids[1], keyring=XC, at=AT)
    for name in (ids[0], ids[2]):
        steps = verify_bundle(bundle_of(name, keyring=XC, at=AT).to_bytes())
        assert all(step.is_ok for step in steps), steps
    assert wipe_sent([ids[1]]) == ()


def test_jitter_spreads_partners_that_failed_together() -> None:
    post_alerts(1)
    waits = set()
    for seed in range(5):
        postman = Postman(XC, Loop(is_down=True), jitter=random.Random(seed))
        Delivery.objects.update(failures=0, next_attempt_at=None)
        OutboxEnvelope.objects.update(leased_until=None)
        postman.round([], AT)
        next_round(postman)
        waits.add(Delivery.objects.get(partner__administration="XA").next_attempt_at)
    assert len(waits) == 5
