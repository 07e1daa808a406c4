"""The proof of an origin: each part of it changed, and each lie about it, is refused by name (steps O1 to O8)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from comity.agreements import Onward as Rule
from comity.exchange.envelope import ENVELOPE_TYPE, Contents, messages_root, sign_contents
from comity.exchange.errors import MessageRefusedError
from comity.exchange.following import follow_keys
from comity.exchange.inbox import Receiver
from comity.exchange.invitation import write_invitation
from comity.exchange.message import Message
from comity.exchange.onward import CONSENT_TYPE, Onward, check_onward, may_pass, read_onward
from comity.exchange.receipt import read_receipt, read_sealed_receipt
from comity.journeys.actors import this_node
from comity.trade import Handling
from comity.trade.encoding import alert_to_body
from comity.trust import (
    Keyring,
    SignedStatement,
    canonical_json,
    inclusion_path,
    leaf_hash,
    revoke_key,
    sign_statement,
)
from tests.exchange.cast import AT, Wrapping, adopt_demo, alert, introduce, keyring, message, receiver, wrap

pytestmark = pytest.mark.django_db
UNTIL = AT + timedelta(days=100)


def original(**changes: Any) -> Message:
    """XC's alert to XB, as it stands in XB's inbox."""
    return message(1, recipient="XB", valid_until=UNTIL, **changes)


def proof(first: Message, *, signer: str = "XC", **changes: Any) -> Onward:
    """What XB once got: three messages in an envelope, of which this is the second."""
    parts = [message(7, recipient="XB").to_bytes(), first.to_bytes(), message(8, recipient="XB").to_bytes()]
    contents = Contents("XC", "XB", message(99).id, 1, 3, messages_root(parts), AT)
    statement = sign_contents(replace(contents, **changes), keyring(signer).signing).to_bytes()
    return Onward(first.to_bytes(), statement, 1, tuple(inclusion_path([leaf_hash(each) for each in parts], 1)))


def consent(signer: str = "XC", **changes: Any) -> bytes:
    said = {
        "message": original().id,
        "owner": "XC",
        "asker": "XB",
        "recipients": ["XA"],
        "given": True,
        "until": "2026-04-01T00:00:00Z",
    }
    return sign_statement(CONSENT_TYPE, canonical_json(said | changes), keyring(signer).signing).to_bytes()


def handed(first: Message | None = None, with_proof: Onward | None = None, **changes: Any) -> Message:
    """What XB makes of it for XA."""
    first = first or original()
    onward = with_proof or replace(proof(first), consent=consent())
    made = message(2, origin="XC", sender="XB", recipient="XA", valid_until=UNTIL, onward=onward.to_mapping())
    return replace(made, body=first.body, **changes)


@pytest.fixture(autouse=True)
def _bound() -> None:
    introduce("XB", "XC")
    adopt_demo()


def test_a_whole_proof_holds() -> None:
    provenance = check_onward(handed(), AT)
    assert (provenance.original.id, provenance.consents) == (original().id, True)
    assert read_onward(proof(original()).to_mapping()).origin == "XC"


def bent(**changes: Any) -> Callable[[], Message]:
    return lambda: handed(**changes)


def with_proof(**changes: Any) -> Callable[[], Message]:
    return lambda: handed(with_proof=replace(proof(original()), **({"consent": consent()} | changes)))


def other_body() -> dict[str, object]:
    return alert_to_body(alert(title="Something else"))


LIES: dict[str, tuple[Callable[[], Message], str]] = {
    "another body": (lambda: replace(handed(), body=other_body()), "wrong_origin"),
    "less body": (
        lambda: replace(handed(), body={k: v for k, v in original().body.items() if k != "modus_operandi"}),
        "wrong_origin",
    ),
    "another origin": (bent(origin="XB"), "wrong_origin"),
    "an unknown origin": (lambda: handed(first=original(origin="XD", sender="XD"), origin="XD"), "unknown_origin"),
    "to the origin": (bent(recipient="XC"), "wrong_origin"),
    "another kind": (bent(kind="finding/1"), "wrong_origin"),
    "an original that was handed on": (lambda: handed(first=original(onward={})), "wrong_origin"),
    "signed by the forwarder": (
        lambda: handed(with_proof=replace(proof(original(), signer="XB"), consent=consent())),
        "wrong_origin",
    ),
    "an envelope of another": (
        lambda: handed(with_proof=replace(proof(original(), sender="XB"), consent=consent())),
        "wrong_origin",
    ),
    "an envelope to another": (
        lambda: handed(with_proof=replace(proof(original(), recipient="XD"), consent=consent())),
        "wrong_origin",
    ),
    "another place": (with_proof(position=0), "wrong_origin"),
    "beyond the envelope": (with_proof(position=3), "wrong_origin"),
    "no path": (with_proof(path=()), "wrong_origin"),
    "another root": (
        lambda: handed(with_proof=replace(proof(original(), root="0" * 64), consent=consent())),
        "wrong_origin",
    ),
    "a lower level": (lambda: handed(first=original(handling="restricted"), handling="official"), "wrong_origin"),
    "a level that nobody knows": (bent(handling="cosmic"), "wrong_origin"),
    "a later end": (bent(valid_until=UNTIL + timedelta(seconds=1)), "wrong_origin"),
    "no end": (bent(valid_until=None), "wrong_origin"),
    "no consent": (with_proof(consent=b""), "consent_missing"),
    "a consent of the forwarder": (
        lambda: handed(with_proof=replace(proof(original()), consent=consent("XB"))),
        "wrong_origin",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_each_lie_is_refused_by_name(lie: str) -> None:
    make, code = LIES[lie]
    with pytest.raises(MessageRefusedError) as caught:
        check_onward(make(), AT)
    assert caught.value.code == code
    assert caught.value.where


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"message": message(55).id}, "consent_missing"),
        ({"recipients": ["XD"]}, "consent_missing"),
        ({"given": False}, "consent_missing"),
        ({"until": "2026-03-02T09:29:59Z"}, "consent_missing"),
        ({"owner": "XB"}, "consent_missing"),
        ({"asker": "XD"}, "consent_missing"),
        ({"asker": None}, "consent_missing"),
        ({"until": 7}, "wrong_origin"),
        ({"recipients": 7}, "wrong_origin"),
    ],
)
def test_a_consent_that_names_something_else_is_none(changes: dict[str, Any], code: str) -> None:
    made = handed(with_proof=replace(proof(original()), consent=consent(**changes)))
    with pytest.raises(MessageRefusedError) as caught:
        check_onward(made, AT)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("rule", "recipient", "consents", "may"),
    [
        (Rule.NONE, "XA", True, False),
        (Rule.NONE, "XA", False, False),
        (Rule.PARTIES, "XA", False, True),
        (Rule.PARTIES, "XD", False, False),
        (Rule.PARTIES, "XD", True, True),
        (Rule.WITH_CONSENT, "XA", False, False),
        (Rule.WITH_CONSENT, "XA", True, True),
        (None, "XA", False, False),
        (None, "XA", True, True),
    ],
)
def test_what_the_article_of_the_origin_says_goes_before_any_consent(
    rule: Rule | None, recipient: str, *, consents: bool, may: bool
) -> None:
    assert may_pass(rule, ("XA", "XB", "XC"), recipient, consents=consents) is may


def withdraw_the_key_of_xc(at: datetime) -> Keyring:
    """XC's signing key was stolen; XA has heard of it. Returns XC's present keys."""
    present = revoke_key(keyring("XC"), keyring("XC").signing.verify_key.keyid, ["127.0.0.1"], at)
    assert follow_keys(this_node(), sender="XC", key_statement=write_invitation(present), message_id="m", at=at)
    return present


def test_what_a_stolen_key_dates_back_to_before_it_was_withdrawn_proves_no_origin() -> None:
    """The thief says the time; whoever hands it on is its accomplice, and nobody else has logged it."""
    later = AT + timedelta(days=1)
    check_onward(handed(), later)
    withdraw_the_key_of_xc(AT + timedelta(hours=1))
    with pytest.raises(MessageRefusedError) as caught:
        check_onward(handed(), later)
    assert (caught.value.code, caught.value.where) == ("wrong_origin", "onward.envelope_statement")


def test_nor_does_it_consent() -> None:
    later, present = AT + timedelta(days=1), withdraw_the_key_of_xc(AT + timedelta(hours=1))
    parts = proof(original())
    payload = SignedStatement.from_bytes(parts.statement).payload
    signed = replace(parts, statement=sign_statement(ENVELOPE_TYPE, payload, present.signing).to_bytes())
    with pytest.raises(MessageRefusedError) as caught:
        check_onward(handed(with_proof=replace(signed, consent=consent())), later)
    assert (caught.value.code, caught.value.where) == ("wrong_origin", "onward.consent")


@pytest.mark.parametrize("name", ["original", "envelope_statement", "position", "path", "consent"])
@pytest.mark.parametrize("wrong", [None, 7, "x", [], {}, [7], ["zz"], -1, True])
def test_garbage_in_a_proof_is_refused_with_its_place(name: str, wrong: object) -> None:
    onward = dict(handed().onward or {}) | {name: wrong}
    reply = answer(replace(handed(), onward=onward))
    assert not reply["accepted"]
    assert reply["code"] in {"bad_message", "wrong_origin", "consent_missing"}


def answer(made: Message, *, to: Receiver | None = None, sender: str = "XB") -> dict[str, Any]:
    """What the receiver at XA answers in its receipt."""
    how = Wrapping(sender=sender, signer=sender)
    (reply,) = (to or receiver("XA")).answer([wrap(made, how=how)], AT)
    assert reply.is_receipt, reply.body
    (said,) = json.loads(read_sealed_receipt(reply.body).statement.payload)["answers"]
    assert read_receipt(read_sealed_receipt(reply.body).statement.payload).answers
    return dict(said)


def test_the_receiver_asks_the_article_under_which_it_travels_too() -> None:
    """Its proof holds and its consent, but no article of the demo lets XB send such an alert to XA."""
    assert answer(handed())["code"] in {"not_permitted", "no_article"}


def test_a_sender_does_not_speak_as_another_without_a_proof_nor_prove_itself() -> None:
    assert answer(replace(handed(), onward=None))["code"] == "bad_message"
    own = replace(message(3), onward=proof(original()).to_mapping())
    assert answer(own, sender="XC")["code"] == "bad_message"


def test_the_form_keeps_every_byte() -> None:
    onward = replace(proof(original()), consent=consent())
    mapping = onward.to_mapping()
    assert base64.b64decode(str(mapping["original"])) == original().to_bytes()
    assert read_onward(mapping) == onward
    assert Handling.from_word(original().handling) is Handling.OFFICIAL
