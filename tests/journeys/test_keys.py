"""News of keys: followed by the chain of signatures, refused and shown where it does not follow."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta

import pytest

from comity.agreements import PROTOCOL, Duty
from comity.agreements.services import permit_duty
from comity.exchange import InvitationError
from comity.exchange.delivery import deliver_due
from comity.exchange.directory import load_peer, statements_of
from comity.exchange.following import follow_keys, keys_from_body, keys_to_body
from comity.exchange.inbox import Receiver, process_due
from comity.exchange.invitation import MAX_INVITATION_BYTES, held_document, write_invitation
from comity.exchange.models import InboxEnvelope, InboxMessage, OutboxMessage, Partner, Refusal
from comity.exchange.receipt import RECEIPT_TYPE, read_sealed_receipt
from comity.exchange.resigning import sign_receipts_anew
from comity.exchange.services import post
from comity.journeys import keys as journey
from comity.journeys.actors import this_node
from comity.staff.models import AuditEntry
from comity.trust import (
    Keyring,
    Loss,
    Renewal,
    recover_keyring,
    renew_keyring,
    revoke_key,
    sign_key_document,
    verify_statement,
)
from tests.exchange.cast import AT, CHIPO, LOG, NODE_XC, Loop, introduce, keyring

pytestmark = pytest.mark.django_db
HOSTS = ["127.0.0.1"]


def news(ring: Keyring, note: str = "") -> bytes:
    return write_invitation(ring, note=note)


def take(data: bytes) -> bool:
    return follow_keys(this_node(), sender="XC", key_statement=data, message_id="m", at=AT)


def renewed(**changes: bool) -> Keyring:
    return renew_keyring(keyring("XC"), HOSTS, AT, renewal=Renewal(**changes))


def test_the_whole_road(monkeypatch: pytest.MonkeyPatch) -> None:
    """XC renews and posts; XA's receiver takes it; its journey follows; the old keys are kept as versions."""
    introduce("XA", "XC")
    after = renewed(signing=True, sealing=True, authority=True)
    body = keys_to_body(news(after), fingerprint=after.key_document.fingerprint)
    release = permit_duty(CHIPO, kind=Duty.KEYS.value, recipient="XA", body=body, at=AT, agreement_id=PROTOCOL)
    post(NODE_XC, release, signer=LOG, at=AT)
    monkeypatch.setattr("tests.exchange.cast.receiver", lambda code="XA": Receiver(keyring(code), journey.VALIDATORS))
    deliver_due(after, AT, transport=Loop())
    assert InboxMessage.objects.get().is_accepted, "its envelope verified by the old key that signs beside the new one"
    assert process_due(journey.JOURNEYS, AT) == 1
    assert load_peer("XC").keys == after.key_document
    assert len(statements_of("XC")) == 2
    deed = AuditEntry.objects.get(deed="follow_keys")
    assert (deed.subject, deed.facts["version"]) == ("partner:XC", "2")
    assert not Refusal.objects.exists()


def test_what_does_not_follow_is_shown_and_changes_nothing() -> None:
    introduce("XC")
    held = load_peer("XC").keys
    first, other = renewed(signing=True), renewed(signing=True)
    stranger = recover_keyring("XC", "Customs of XC", "https://127.0.0.1:1", HOSTS, AT, loss=Loss(version=2))
    assert not take(news(stranger))
    assert not take(b"garbage")
    assert not take(news(keyring("XB")))
    assert load_peer("XC").keys == held
    assert take(news(first))
    assert not take(news(other)), "two documents of one number: two truths"
    rows = list(Refusal.objects.order_by("pk"))
    assert {row.code for row in rows} == {"keys_not_followed"}
    assert len(rows) == 4
    assert "--fingerprint" in rows[0].remedy
    assert load_peer("XC").keys == first.key_document


def test_what_came_before_or_late_changes_nothing_and_alarms_nobody() -> None:
    introduce("XC")
    second = renewed()
    third = renew_keyring(second, HOSTS, AT)
    assert take(news(third)), "who missed the second follows the third"
    assert not take(news(second))
    assert not take(news(third))
    assert not Refusal.objects.exists()


def test_an_address_set_by_hand_stays_until_the_partner_moves() -> None:
    introduce("XC")
    Partner.objects.update(endpoint="https://10.0.0.1:1")
    assert take(news(renewed()))
    assert Partner.objects.get().endpoint == "https://10.0.0.1:1"
    moved = renewed(signing=True)
    document = replace(moved.key_document, version=3, endpoint_url="https://xc.example")
    from_there = replace(moved, key_document=document, key_statement=sign_key_document(document, *moved.signers))
    assert take(news(from_there))
    assert Partner.objects.get().endpoint == "https://xc.example"


def test_a_withdrawn_key_is_named_in_the_news() -> None:
    ring = keyring("XC")
    withdrawn = revoke_key(ring, ring.signing.verify_key.keyid, HOSTS, AT)
    assert journey._note(withdrawn, AT) == f"Withdrawn: {ring.signing.verify_key.keyid}"
    assert journey._note(ring, AT) == ""


def test_what_a_withdrawn_key_alone_signed_is_refused_and_goes_again_under_its_successor() -> None:
    introduce("XA", "XC")
    ring = keyring("XC")
    withdrawn = revoke_key(ring, ring.signing.verify_key.keyid, HOSTS, AT)
    body = keys_to_body(news(withdrawn), fingerprint="f")
    release = permit_duty(CHIPO, kind=Duty.KEYS.value, recipient="XA", body=body, at=AT)
    post(NODE_XC, release, signer=LOG, at=AT)
    deliver_due(ring, AT, transport=Loop(is_down=True))  # formed and signed by the key alone, then the line broke
    assert take(news(withdrawn))
    for minutes in (10, 30):
        later = AT + timedelta(minutes=minutes)
        deliver_due(withdrawn, later, transport=Loop(at=later))
    assert Refusal.objects.get().code == "wrong_signature"
    assert OutboxMessage.objects.get().state in ("delivered", "refused"), "answered under the successor"
    assert InboxMessage.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [{}, {"invitation": 5}, {"invitation": "***"}, {"invitation": ""}, {"invitation": "A" * 2 * MAX_INVITATION_BYTES}],
)
def test_a_body_without_an_invitation_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(InvitationError):
        keys_from_body(body)


def test_bodies_and_files_round_trip() -> None:
    data = news(keyring("XC"))
    assert keys_from_body(keys_to_body(data, fingerprint="f")) == data
    assert base64.b64decode(str(keys_to_body(data, fingerprint="f")["invitation"])) == data
    assert held_document(data) == held_document(keyring("XC").key_statement.to_bytes()) == keyring("XC").key_document
    with pytest.raises(InvitationError):
        held_document(b"{}")


def test_receipts_that_may_still_be_asked_for_are_signed_anew_after_a_loss() -> None:
    introduce("XA", "XC")
    body = keys_to_body(news(keyring("XC")), fingerprint="f")
    release = permit_duty(CHIPO, kind=Duty.KEYS.value, recipient="XA", body=body, at=AT)
    post(NODE_XC, release, signer=LOG, at=AT)
    deliver_due(keyring("XC"), AT, transport=Loop())
    recovered = recover_keyring("XA", "A", "https://127.0.0.1:1", HOSTS, AT, loss=Loss(log=LOG))
    before = read_sealed_receipt(bytes(InboxEnvelope.objects.get().receipt))
    assert sign_receipts_anew(recovered) == 1
    after = read_sealed_receipt(bytes(InboxEnvelope.objects.get().receipt))
    assert after.statement.payload == before.statement.payload
    assert verify_statement(after.statement, [recovered.signing.verify_key], payload_type=RECEIPT_TYPE)
