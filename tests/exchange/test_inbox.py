"""The receiving end: what is accepted, what is refused, what a duplicate gets, and what is due after it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity.agreements import cut
from comity.agreements.models import DecisionReceiptRow
from comity.exchange.errors import EnvelopeRefusedError
from comity.exchange.inbox import ReceivedMessage, process_due
from comity.exchange.limits import Limits
from comity.exchange.message import Message
from comity.exchange.models import InboxEnvelope, InboxMessage, Partner, Reception, Refusal
from comity.exchange.receipt import (
    RECEIPT_TYPE,
    REFUSAL_TYPE,
    Answer,
    Receipt,
    read_receipt,
    read_refusal,
    read_sealed_receipt,
)
from comity.exchange.services import suspend_partner
from comity.ledger import opens
from comity.ledger.selectors import entry, log_size
from comity.trade import AlertCategory, Handling
from comity.trade.encoding import alert_to_body
from comity.trust import sha256_hex, verify_statement, verify_tlog_proof
from tests.exchange.cast import (
    ANA,
    AT,
    LOG,
    Wrapping,
    adopt_demo,
    alert,
    finding_message,
    introduce,
    keyring,
    message,
    receiver,
    wrap,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def partner() -> None:
    introduce("XC")
    adopt_demo()


def accept(*envelopes: bytes) -> list[bytes]:
    return receiver().accept(envelopes, AT)


def receipt_of(body: bytes) -> Receipt:
    sealed = read_sealed_receipt(body)
    verify_statement(sealed.statement, [keyring("XA").signing.verify_key], payload_type=RECEIPT_TYPE)
    return read_receipt(sealed.statement.payload)


def answer_to(each: Message | bytes, **how: object) -> Answer:
    (answer,) = receipt_of(accept(wrap(each, how=Wrapping(**how)))[0]).answers  # type: ignore[arg-type]
    return answer


def refusal_code(envelope: bytes) -> str:
    (body,) = accept(envelope)
    refusal = read_refusal(body)
    assert refusal is not None
    verify_statement(refusal.statement, [keyring("XA").signing.verify_key], payload_type=REFUSAL_TYPE)
    assert refusal.sha256 == sha256_hex(envelope)
    assert not InboxEnvelope.objects.exists()
    assert not InboxMessage.objects.exists()
    assert Refusal.objects.get().code == refusal.code
    return refusal.code


def test_an_accepted_envelope_is_stored_logged_and_answered() -> None:
    envelope = wrap(message(1), finding_message(2))
    body = accept(envelope)[0]
    receipt = receipt_of(body)

    assert [answer.accepted for answer in receipt.answers] == [True, True]
    assert [answer.article for answer in receipt.answers] == ["1", "3"]
    assert [answer.id for answer in receipt.answers] == [message(1).id, message(2).id]
    assert (receipt.contiguous, receipt.missing) == (2, ())
    assert InboxMessage.objects.filter(is_accepted=True, processed_at=None).count() == 2
    assert bytes(InboxMessage.objects.get(sequence=1).data) == message(1).to_bytes()
    assert Partner.objects.get(administration="XC").state == Partner.State.ACTIVE
    assert not DecisionReceiptRow.objects.exists(), "the signed receipt says it"

    sealed = read_sealed_receipt(body)
    index = InboxEnvelope.objects.get().log_index
    digest = bytes.fromhex(sha256_hex(sealed.statement.payload))
    assert opens(entry(index), digest, agreement="", message_id=receipt.envelope, salt=sealed.salt) == "receipt"
    assert verify_tlog_proof(sealed.proof, entry(index), LOG.verifier).index == index


def test_a_duplicate_gets_the_very_same_receipt_without_any_time_window() -> None:
    envelope = wrap(message())
    (first,) = accept(envelope)
    size = log_size()
    (again,) = receiver().accept([envelope], AT + timedelta(days=400))
    assert again == first
    assert log_size() == size
    assert InboxMessage.objects.count() == 1


def test_the_same_envelope_sealed_anew_is_the_same_envelope() -> None:
    assert wrap(message()) != wrap(message())
    assert accept(wrap(message())) == accept(wrap(message()))


def test_an_envelope_twice_in_one_group_is_answered_once() -> None:
    first, second = accept(wrap(message()), wrap(message()))
    assert first == second
    assert InboxEnvelope.objects.count() == 1


def test_a_message_again_in_another_envelope_gets_the_same_answer() -> None:
    first = receipt_of(accept(wrap(message()))[0])
    second = receipt_of(accept(wrap(message(), how=Wrapping(number=2, first_sequence=2)))[0])
    assert first.answers == second.answers
    assert InboxMessage.objects.count() == 1


def test_a_message_twice_in_one_group_is_stored_once() -> None:
    first, second = accept(wrap(message()), wrap(message(), how=Wrapping(number=2, first_sequence=2)))
    assert receipt_of(first).answers == receipt_of(second).answers
    assert InboxMessage.objects.count() == 1


def test_an_id_with_other_bytes_is_refused_and_the_first_stays() -> None:
    accept(wrap(message()))
    other = message(purpose="risk_assessment")
    answer = answer_to(other, number=2, first_sequence=2)
    assert (answer.accepted, answer.code, answer.field) == (False, "message_reused", "id")
    assert bytes(InboxMessage.objects.get().data) == message().to_bytes()


def test_an_id_with_other_bytes_in_one_group_is_refused() -> None:
    other = message(purpose="risk_assessment")
    first, second = accept(wrap(message()), wrap(other, how=Wrapping(number=2, first_sequence=2)))
    assert receipt_of(first).answers[0].accepted
    assert receipt_of(second).answers[0].code == "message_reused"


def test_an_envelope_name_with_other_contents_is_refused() -> None:
    accept(wrap(message()))
    body = accept(wrap(message(2)))[0]
    refusal = read_refusal(body)
    assert refusal is not None
    assert refusal.code == "envelope_reused"
    assert InboxMessage.objects.count() == 1


def test_a_refused_message_does_not_hold_up_the_others() -> None:
    bad = message(2, kind="rumour/1")
    receipt = receipt_of(accept(wrap(message(1), bad, message(3)))[0])
    assert [answer.accepted for answer in receipt.answers] == [True, False, True]
    assert receipt.answers[1].code == "unknown_kind"
    assert "rumour/1" in receipt.answers[1].text
    assert "alert/1, finding/1" in receipt.answers[1].remedy
    row = InboxMessage.objects.get(is_accepted=False)
    assert bytes(row.data) == bad.to_bytes()


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"agreement": "0" * 64}, "unknown_agreement", "agreement"),
        ({"article": "99"}, "no_article", "article"),
        ({"article": "4"}, "not_permitted", "article"),
        ({"purpose": "statistics"}, "not_permitted", "article"),
        ({"handling": "secret"}, "unknown_handling", "handling"),
        ({"handling": "confidential"}, "prohibited", "article"),
        ({"kind": "alert/2"}, "unknown_kind", "kind"),
        ({"sender": "XB"}, "bad_message", "sender"),
        ({"recipient": "XB"}, "bad_message", "recipient"),
        ({"created": AT + timedelta(days=2)}, "created_in_future", "created"),
        ({"valid_until": AT - timedelta(seconds=1)}, "expired", "valid_until"),
        ({"body": {"ref": "1"}}, "bad_notice", ""),
        ({"body": alert_to_body(alert(case_ref="CASE-1"))}, "field_not_released", "case_ref"),
        ({"body": alert_to_body(alert(category=AlertCategory.PERSONS))}, "prohibited", "article"),
    ],
)
def test_a_refusal_names_code_field_and_remedy(changes: dict[str, object], code: str, named: str) -> None:
    answer = answer_to(message(**changes))
    assert (answer.accepted, answer.code) == (False, code), answer
    assert named in answer.field
    assert answer.text
    assert not InboxMessage.objects.get().is_accepted
    receipts = DecisionReceiptRow.objects.filter(direction="received")
    assert [row.is_permitted for row in receipts] == [False] * (named in {"agreement", "article", "case_ref"})
    assert process_due({}, AT) == 0


def test_an_article_that_has_expired_refuses() -> None:
    fields = ["ref", "issuer", "category", "title", "risk_type", "issued_at", "valid_from", "valid_until", "handling"]
    body = cut(alert_to_body(alert(handling=Handling.OPEN)), fields)
    exercise = [message(number, article="5", purpose="training", handling="open", body=body) for number in (1, 2)]
    assert answer_to(exercise[0]).accepted
    late = wrap(exercise[1], how=Wrapping(number=2, first_sequence=2))
    (answer,) = receipt_of(receiver().accept([late], AT + timedelta(days=60))[0]).answers
    assert (answer.accepted, answer.code) == (False, "not_in_force")
    assert "31 March 2026" in answer.text or "2026-03-31" in answer.text


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"\xff\xfe",
        b'{"a":1.5}',
        b"[1]",
        b'{"kind":"alert/1"}',
        message().to_bytes().replace(b'"kind":"alert/1"', b'"kind":"alert/1","kind":"alert/1"'),
        message().to_bytes() + b" ",
        b"[" * 5000,
    ],
)
def test_a_message_that_cannot_be_read_is_answered_recorded_and_harms_nothing(data: bytes) -> None:
    receipt = receipt_of(accept(wrap(data, message(2)))[0])
    assert [answer.accepted for answer in receipt.answers] == [False, True]
    assert (receipt.answers[0].code, receipt.answers[0].id) == ("bad_message", "")
    assert bytes(InboxMessage.objects.get(is_accepted=False).data) == data


def test_wrong_signature() -> None:
    assert refusal_code(wrap(message(), how=Wrapping(signer="XB"))) == "wrong_signature"


def test_wrong_recipient() -> None:
    assert refusal_code(wrap(message(), how=Wrapping(recipient="XB"))) == "wrong_recipient"


def test_sealed_to_another_key() -> None:
    assert refusal_code(wrap(message(), how=Wrapping(sealed_for="XB"))) == "unknown_key"


def test_unknown_sender() -> None:
    assert refusal_code(wrap(message(), how=Wrapping(sender="XB", signer="XB"))) == "unknown_sender"


def test_suspended_sender() -> None:
    suspend_partner(ANA, administration="XC", reason="A key is missing", at=AT)
    assert refusal_code(wrap(message())) == "suspended_sender"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sender": "XB"}, "mismatch"),
        ({"recipient": "XB"}, "mismatch"),
        ({"envelope": message().id}, "mismatch"),
        ({"count": 2}, "mismatch"),
        ({"first_sequence": 0}, "mismatch"),
        ({"root": "00" * 32}, "wrong_root"),
    ],
)
def test_what_is_signed_must_be_what_is_sent(changes: dict[str, object], code: str) -> None:
    assert refusal_code(wrap(message(), how=Wrapping(changes=changes))) == code


def test_oversized_envelope() -> None:
    small = replace(receiver(), limits=Limits(envelope_bytes=1000))
    (reply,) = small.answer([wrap(message())], AT)
    assert (reply.is_receipt, reply.code) == (False, "too_large")


def test_too_many_messages() -> None:
    small = replace(receiver(), limits=Limits(messages=2))
    (reply,) = small.answer([wrap(*(message(number) for number in range(3)))], AT)
    assert (reply.is_receipt, reply.code) == (False, "too_large")


def test_oversized_message() -> None:
    big = message(body={**alert_to_body(alert()), "modus_operandi": "x" * 300_000})
    answer = answer_to(big)
    assert (answer.code, answer.accepted) == ("bad_message", False)


def test_garbage_beside_a_good_envelope_harms_nothing() -> None:
    bodies = accept(b"", wrap(message()), b"\x00" * 500, b"{}\n")
    assert receipt_of(bodies[1]).answers[0].accepted
    assert [read_refusal(body) is not None for body in bodies] == [True, False, True, True]
    assert Refusal.objects.count() == 3


ENVELOPE = wrap(message(1), message(2))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, len(ENVELOPE) - 1), flip=st.integers(1, 255))
def test_a_changed_byte_anywhere_is_refused(place: int, flip: int) -> None:
    changed = bytearray(ENVELOPE)
    changed[place] ^= flip
    (reply,) = receiver().answer([bytes(changed)], AT)
    assert not reply.is_receipt
    assert not InboxMessage.objects.exists()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(length=st.integers(0, len(ENVELOPE) - 1))
def test_a_truncated_envelope_is_refused(length: int) -> None:
    (reply,) = receiver().answer([ENVELOPE[:length]], AT)
    assert not reply.is_receipt


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=400), is_headed=st.booleans())
def test_garbage_never_crashes(data: bytes, is_headed: bool) -> None:  # Hypothesis names it
    head = ENVELOPE.partition(b"\n")[0] + b"\n" if is_headed else b""
    (reply,) = receiver().answer([head + data], AT)
    assert not reply.is_receipt


def test_gaps_are_told_and_closed() -> None:
    late = receipt_of(accept(wrap(message(5), how=Wrapping(number=5, first_sequence=5)))[0])
    assert (late.contiguous, late.missing) == (0, ((1, 4),))
    mid = receipt_of(accept(wrap(message(1), message(2), how=Wrapping(number=1, first_sequence=1)))[0])
    assert (mid.contiguous, mid.missing) == (2, ((3, 4),))
    end = receipt_of(accept(wrap(message(3), message(4), how=Wrapping(number=3, first_sequence=3)))[0])
    assert (end.contiguous, end.missing) == (5, ())
    assert Reception.objects.get().islands == []


def test_a_refusal_by_the_transport_is_signed_and_stored() -> None:
    error = EnvelopeRefusedError("not_your_certificate", "Not yours", where="sender")
    reply = receiver().refuse(wrap(message()), error, AT)
    refusal = read_refusal(reply.body)
    assert refusal is not None
    assert (refusal.code, Refusal.objects.get().sender) == ("not_your_certificate", "XC")
    assert json.loads(reply.body)["type"] == "urn:comity:refusal:not_your_certificate"


def test_each_accepted_message_takes_its_journey_once() -> None:
    accept(wrap(message(1), finding_message(2)), wrap(message(1), how=Wrapping(number=2, first_sequence=3)))
    seen: list[ReceivedMessage] = []
    handlers = {"alert/1": seen.append, "finding/1": seen.append}
    assert process_due(handlers, AT) == 2
    assert process_due(handlers, AT) == 0
    assert [each.message.id for each in seen] == [message(1).id, message(2).id]
    assert seen[0].message.body["modus_operandi"] == "Déclarées comme espadrilles"


def test_an_urgent_message_is_acted_on_before_what_came_earlier() -> None:
    bodies = [alert_to_body(alert(priority=each)) for each in (3, 2, 1)]
    accept(wrap(*(message(number, body=body) for number, body in enumerate(bodies, 1))))
    seen: list[object] = []
    assert process_due({"alert/1": lambda each: seen.append(each.message.body["priority"])}, AT, limit=2) == 2
    assert seen == [1, 3]


def test_a_journey_that_fails_leaves_no_effect_and_is_tried_again_later() -> None:
    accept(wrap(message(1), finding_message(2)))
    attempts: list[int] = []

    def fail_once(received: ReceivedMessage) -> None:
        Refusal.objects.create(at=AT, code="effect", what="", sha256="", size_bytes=0)
        attempts.append(received.attempt)
        if received.attempt == 1:
            raise RuntimeError("The disk is full")

    handlers = {"alert/1": fail_once, "finding/1": lambda _received: None}
    assert process_due(handlers, AT) == 1
    assert not Refusal.objects.exists()
    row = InboxMessage.objects.get(kind="alert/1")
    assert (row.failures, row.last_error) == (1, "RuntimeError: The disk is full")
    assert process_due(handlers, AT) == 0
    assert process_due(handlers, AT + timedelta(minutes=1)) == 1
    assert attempts == [1, 2]
    assert Refusal.objects.count() == 1


def test_a_message_without_a_journey_stays_due_and_is_shown() -> None:
    accept(wrap(message()))
    assert process_due({}, AT) == 0
    row = InboxMessage.objects.get()
    assert (row.failures, row.processed_at) == (1, None)
