"""Duties travel under no article, so nothing but the duty may be in one; and nobody hinders another's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from comity.agreements import PROTOCOL
from comity.custody import ConsentAsked, HoldingNotice, Mode, RecallOrder, Status
from comity.custody.notices import sign_holding, sign_recall
from comity.exchange.following import keys_to_body
from comity.exchange.inbox import Receiver
from comity.exchange.invitation import write_invitation
from comity.exchange.message import Message
from comity.exchange.receipt import read_sealed_receipt
from comity.node.wiring import VALIDATORS
from comity.trust import Checkpoint, ForkProof, canonical_json, sign_note
from tests.exchange.cast import AT, LOG, Wrapping, adopt_demo, agreement_id, introduce, keyring, message, wrap

pytestmark = pytest.mark.django_db
Body = Mapping[str, object]
IDS = [message(number).id for number in range(40, 43)]


@pytest.fixture(autouse=True)
def _bound() -> None:
    introduce("XB", "XC")
    adopt_demo()


def recall(origin: str, *names: str) -> Body:
    order = RecallOrder(IDS[0], origin, names, Mode.RECALL, "breach", AT, AT + timedelta(days=1))
    return sign_recall(order, keyring(origin).signing).to_body()


def holding() -> Body:
    notice = HoldingNotice(IDS[1], "XA", "XC", "XC", Status.HELD, "", AT)
    return sign_holding(notice, keyring("XC").signing).to_body()


def split_view(extra: str = "") -> Body:
    notes = [sign_note(Checkpoint(LOG.name, 3, bytes([byte]) * 32).text, LOG, at=AT) for byte in (1, 2)]
    return ForkProof(LOG.vkey, notes[0], notes[1] + extra).to_body()


PROBE: Body = {"nonce": "0123456789abcdef", "answer": False}
ANSWER: Body = {
    **PROBE,
    "answer": True,
    "version": "1.0",
    "kinds": ["alert/1"],
    "agreements": 1,
    "clock": "2026-03-02T09:30:00Z",
}


def duties() -> dict[str, tuple[str, Body]]:
    return {
        "recall": ("recall/1", recall("XC", IDS[2])),
        "holding": ("holding/1", holding()),
        "question": ("consent/1", ConsentAsked(IDS[0], IDS[1], "XA", ("XB",), "They load it").to_body()),
        "keys": ("keys/1", keys_to_body(write_invitation(keyring("XC")), fingerprint="")),
        "probe": ("probe/1", PROBE),
        "answer": ("probe/1", ANSWER),
        "split view": ("split_view/1", split_view()),
    }


def duty(name: str) -> Message:
    kind, body = duties()[name]
    is_founding = kind.partition("/")[0] in ("keys", "probe", "split_view")
    named = PROTOCOL if is_founding else agreement_id()
    return message(kind=kind, agreement=named, article="duty", purpose="duty", body=body)


def answer(made: Message | bytes, sender: str = "XC", number: int = 1) -> dict[str, Any]:
    how = Wrapping(sender=sender, signer=sender, number=number)
    (reply,) = Receiver(keyring("XA"), VALIDATORS).answer([wrap(made, how=how)], AT)
    assert reply.is_receipt, reply.body
    (said,) = json.loads(read_sealed_receipt(reply.body).statement.payload)["answers"]
    return dict(said)


@pytest.mark.parametrize("name", duties())
def test_a_duty_is_taken(name: str) -> None:
    assert answer(duty(name))["accepted"]


@pytest.mark.parametrize("name", duties())
def test_a_duty_with_something_beside_it_is_refused(name: str) -> None:
    made = duty(name)
    body = {**made.body, "note": "What no article would let pass"}
    assert answer(replace(made, body=body))["code"] == "bad_duty"
    beside = {**json.loads(made.to_bytes()), "id": message(2).id, "note": "x" * 1024}
    assert answer(canonical_json(beside), number=2)["code"] == "bad_message"


@pytest.mark.parametrize("where", ["statement", "signature", "more signatures", "keyid"])
@pytest.mark.parametrize(("name", "member"), [("recall", "origin_statement"), ("holding", "statement")])
def test_nothing_is_hidden_in_a_statement(name: str, member: str, where: str) -> None:
    made = duty(name)
    statement = json.loads(json.dumps(made.body[member]))
    (signature,) = statement["signatures"]
    if where == "statement":
        statement["note"] = "hidden"
    elif where == "signature":
        signature["note"] = "hidden"
    elif where == "keyid":
        signature["keyid"] = "h" * 1000
    else:
        statement["signatures"] += [signature] * 8
    assert answer(replace(made, body={**made.body, member: statement}))["code"] == "bad_duty"


def test_a_probe_names_kinds_and_tells_no_stories() -> None:
    made = duty("answer")
    tales: tuple[tuple[str, object], ...] = (("kinds", ["a tale of two cities"]), ("version", "a\u2028tale"))
    for number, (name, tale) in enumerate(tales):
        body = {**made.body, name: tale}
        assert not answer(replace(made, id=message(number + 5).id, body=body), number=number + 1)["accepted"]


def test_evidence_of_two_histories_is_two_heads_and_no_letter() -> None:
    made = duty("split view")
    letter = "".join(f"— witness{each} {'A' * 80}\n" for each in range(600))
    assert answer(replace(made, body=split_view(letter)))["code"] == "bad_duty"


def test_who_uses_anothers_message_id_does_not_hinder_its_recall() -> None:
    """XC heard of XB's message by a hand-on, and names its own the same; or is there before XB's has come."""
    same = IDS[2]
    mine = replace(message(recipient="XA", sender="XC", origin="XC"), id=same)
    answer(mine, number=1)
    order = message(9, kind="recall/1", sender="XB", origin="XB", article="duty", purpose="duty")
    assert answer(replace(order, body=recall("XB", same)), sender="XB", number=2)["accepted"]
