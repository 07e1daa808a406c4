"""A hybrid seal and a second signature where an agreement asks for them: never silently less."""

from __future__ import annotations

from dataclasses import replace

import pytest

from comity.agreements import PROTOCOL, parse_agreement
from comity.agreements.selectors import PAYLOAD_TYPE, Strength, adopted_ids, strength_asked
from comity.agreements.services import adopt, permit, permit_duty
from comity.exchange.delivery import deliver_due
from comity.exchange.directory import load_peer
from comity.exchange.envelope import read_header, sign_contents
from comity.exchange.errors import ReceiptRefusedError, StrengthMissingError
from comity.exchange.invitation import write_invitation
from comity.exchange.models import InboxMessage, OutboxEnvelope, OutboxMessage
from comity.exchange.outcomes import Outcome
from comity.exchange.receipt import RECEIPT_TYPE, read_receipt, read_sealed_receipt
from comity.exchange.selectors import message
from comity.exchange.services import introduce_partner, post
from comity.trade import Handling
from comity.trade.encoding import alert_to_body
from comity.trust import (
    SECOND_SIGNATURE,
    Keyring,
    Renewal,
    renew_keyring,
    sign_key_document,
    sign_statement,
    verify_statement,
)
from tests.exchange.cast import ANA, AT, CHIPO, CODES, DEMO, LOG, NODE_XC, Loop, alert, introduce, keyring, receiver

pytestmark = pytest.mark.django_db

STRONG = DEMO.read_bytes() + b"\nseal: mlkem768-x25519\nsecond_signature: ml-dsa-44\n"


def adopt_strong(text: bytes = STRONG) -> str:
    agreement = parse_agreement(text)
    signed = sign_statement(PAYLOAD_TYPE, agreement.to_bytes(), *(keyring(code).signing for code in CODES))
    keys = {code: [keyring(code).signing.verify_key] for code in CODES}
    return adopt(ANA, signed=signed.to_bytes(), verify_keys=keys, at=AT).id


def without_new_keys(code: str) -> Keyring:
    """A keyring as it was before there were hybrid and second keys."""
    made = keyring(code)
    document = replace(made.key_document, hybrid_keys=(), second_signing_keys=())
    statement = sign_key_document(document, made.signing)
    return replace(made, hybrid=None, second=None, key_document=document, key_statement=statement)


def share(recipient: str = "XA") -> str:
    released = permit(
        CHIPO,
        kind="alert/1",
        recipient=recipient,
        purpose="control",
        handling=Handling.OFFICIAL,
        body=alert_to_body(alert()),
        at=AT,
    )
    return post(NODE_XC, released, signer=LOG, at=AT)


def test_what_is_asked_is_done_and_the_receipt_has_it_too() -> None:
    introduce("XA", "XC")
    adopt_strong()
    name, loop = share(), Loop()
    deliver_due(keyring("XC"), AT, transport=loop)
    assert OutboxMessage.objects.get(message_id=name).state == "delivered"
    assert InboxMessage.objects.get().is_accepted
    hybrid = keyring("XA").hybrid
    assert hybrid is not None
    assert read_header(loop.carried[0].data).key == hybrid.public.keyid
    row = OutboxEnvelope.objects.get()
    assert loop.carried[0].contents.second_signature == SECOND_SIGNATURE
    receipt = read_sealed_receipt(bytes(row.answer)).statement  # type: ignore[arg-type]  # it was answered
    assert verify_statement(receipt, load_peer("XA").second_keys(AT), payload_type=RECEIPT_TYPE)


def test_without_such_an_agreement_nothing_changes() -> None:
    introduce("XA", "XC")
    adopt_strong(DEMO.read_bytes())
    share()
    loop = Loop()
    deliver_due(keyring("XC"), AT, transport=loop)
    assert read_header(loop.carried[0].data).key == keyring("XA").encryption.public.keyid
    assert not loop.carried[0].contents.second_signature


def test_nothing_is_posted_that_could_not_travel_as_asked() -> None:
    introduce_partner(ANA, key_statement=write_invitation(without_new_keys("XC")), at=AT)
    introduce_partner(CHIPO, key_statement=write_invitation(without_new_keys("XA")), at=AT)
    adopt_strong()
    with pytest.raises(StrengthMissingError, match="no hybrid key") as refusal:
        share()
    assert refusal.value.code == "weaker_seal"
    assert "keys renew" in refusal.value.remedy
    assert not OutboxMessage.objects.exists()


def test_a_second_key_that_the_partner_lacks_is_said_at_posting() -> None:
    introduce_partner(CHIPO, key_statement=write_invitation(without_new_keys("XA")), at=AT)
    adopt_strong(DEMO.read_bytes() + b"\nsecond_signature: ml-dsa-44\n")
    with pytest.raises(StrengthMissingError, match="ml-dsa-44") as refusal:
        share()
    assert refusal.value.code == "second_signature_missing"


def test_the_news_of_keys_still_travels_and_then_everything_does() -> None:
    introduce("XC")
    introduce_partner(CHIPO, key_statement=write_invitation(without_new_keys("XA")), at=AT)
    adopt_strong()
    body = {"invitation": "x"}
    news = permit_duty(CHIPO, kind="keys/1", recipient="XA", body=body, at=AT, agreement_id=PROTOCOL)
    post(NODE_XC, news, signer=LOG, at=AT)
    loop = Loop()
    deliver_due(keyring("XC"), AT, transport=loop)
    assert read_header(loop.carried[0].data).key == keyring("XA").encryption.public.keyid


def test_a_sender_that_does_less_is_refused_by_name() -> None:
    """An old keyring has no second key: the receiver says so, message by message, and signs it."""
    introduce("XA", "XC")
    adopt_strong()
    share()
    loop = Loop()
    deliver_due(replace(keyring("XC"), second=None), AT, transport=loop)
    answer = OutboxMessage.objects.get().answer
    assert answer is not None
    assert (answer["accepted"], answer["code"]) == (False, "second_signature_missing")
    assert "keys renew" in answer["remedy"]


def test_a_weaker_seal_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    introduce("XA", "XC")
    adopt_strong()
    share()
    monkeypatch.setattr("comity.exchange.outbox.sealing_key_for", lambda peer, _messages, at: peer.sealing_key(at))
    deliver_due(keyring("XC"), AT, transport=Loop())
    answer = OutboxMessage.objects.get().answer
    assert answer is not None
    assert (answer["accepted"], answer["code"]) == (False, "weaker_seal")


def test_a_receipt_without_its_second_signature_is_not_taken() -> None:
    introduce("XA", "XC")
    adopt_strong()
    name = share()

    def strip(_parcel: object, outcome: Outcome) -> Outcome:
        sealed = read_sealed_receipt(outcome.body)
        statement = replace(sealed.statement, signatures=sealed.statement.signatures[:1])
        return replace(outcome, body=replace(sealed, statement=statement).to_bytes())

    deliver_due(keyring("XC"), AT, transport=Loop(bend=strip))
    assert message(name).line.state == "sent", "it stays until a receipt holds"
    assert ReceiptRefusedError.code == "bad_receipt"


def test_a_second_signature_of_another_key_is_none() -> None:
    introduce("XA", "XC")
    adopt_strong()
    share()
    other = keyring("XC", generation=2).second
    loop = Loop()
    deliver_due(replace_second(keyring("XC"), other), AT, transport=loop)
    answer = OutboxMessage.objects.get().answer
    assert answer is not None
    assert answer["code"] == "second_signature_missing"


def replace_second(ring: Keyring, second: object) -> Keyring:
    """The keyring with a second key that its document does not name, as a thief of the first key would have."""
    forged = object.__new__(Keyring)
    for name in Keyring.__slots__:
        object.__setattr__(forged, name, second if name == "second" else getattr(ring, name))
    return forged


def renewed_keyring(code: str) -> Keyring:
    """The next generation of a keyring of the cast, with new signing and sealing keys."""
    return renew_keyring(keyring(code), ["127.0.0.1"], AT, renewal=Renewal(signing=True, sealing=True))


def test_strength_is_of_the_agreements_in_force() -> None:
    adopt_strong()
    ids = adopted_ids()
    assert strength_asked(ids, "XA", at=AT) == Strength("mlkem768-x25519", "ml-dsa-44")
    assert strength_asked(ids, "XZ", at=AT) == Strength()
    assert strength_asked((), "XA", at=AT) == Strength()
    assert strength_asked(ids, "XA", at=AT.replace(year=1999)) == Strength()


def test_what_was_sealed_to_a_key_that_gave_way_still_opens() -> None:
    introduce("XA", "XC")
    adopt_strong(DEMO.read_bytes())
    share()
    loop = Loop(is_down=True)
    deliver_due(keyring("XC"), AT, transport=loop)
    renewed = renewed_keyring("XA")
    (body,) = replace(receiver("XA"), keyring=renewed).accept([loop.carried[0].data], AT)
    sealed = read_sealed_receipt(body)
    assert read_receipt(sealed.statement.payload).answers[0].accepted
    # Who knows only the first document verifies the receipt: the former key signs beside the next one.
    assert verify_statement(sealed.statement, load_peer("XA").signing_keys(AT), payload_type=RECEIPT_TYPE)
    assert len(sealed.statement.signatures) == 2
    assert len(sign_contents(loop.carried[0].contents, *renewed.signers).signatures) == 2
