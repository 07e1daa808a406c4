"""A partner that lies: what it may say in another's name, and what it can break. Nothing, is the answer wanted."""

from __future__ import annotations

import pytest

from comity.exchange.envelope import Contents, read_contents, sign_contents
from comity.exchange.errors import EnvelopeRefusedError
from comity.exchange.models import InboxMessage
from comity.exchange.receipt import Answer, read_receipt, read_sealed_receipt
from tests.exchange.cast import AT, Wrapping, adopt_demo, introduce, keyring, message, receiver, wrap

CONTENTS = Contents("XC", "XA", "0195", 1, 1, "0" * 64, AT)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def partners() -> None:
    introduce("XA", "XB", "XC")
    adopt_demo()


def answers_to(*envelopes: bytes) -> list[Answer]:
    bodies = receiver().accept(envelopes, AT)
    return [each for body in bodies for each in read_receipt(read_sealed_receipt(body).statement.payload).answers]


def test_nobody_speaks_as_the_origin_of_anothers_information() -> None:
    (answer,) = answers_to(wrap(message(origin="XB")))
    assert (answer.accepted, answer.code, answer.field) == (False, "bad_message", "origin")
    assert not InboxMessage.objects.get().is_accepted


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": "p" * 200},
        {"handling": "h" * 200},
        {"article": "a" * 201},
        {"agreement": "nul\x00"},
        {"article": "nul\x00"},
        {"purpose": "line\nbreak"},
        {"handling": "\u202e"},
    ],
)
def test_words_that_no_table_takes_are_refused_and_the_next_message_passes(changes: dict[str, object]) -> None:
    bad, good = answers_to(wrap(message(1, **changes), message(2)))
    assert (bad.accepted, bad.code) == (False, "bad_message")
    assert bad.field in {*changes, "message"}
    assert good.accepted


def test_no_text_of_a_body_holds_nul() -> None:
    bad, good = answers_to(
        wrap(
            message(1, body={**message().body, "title": "nul\x00"}),
            message(2, body={**message().body, "title": r"\u0000"}),
        )
    )
    assert (bad.accepted, bad.code) == (False, "bad_message")
    assert good.accepted


def test_a_time_out_of_the_calendar_is_refused() -> None:
    bad = message().to_bytes().replace(b"2026-03-02T09:30:00Z", b"0001-01-01T00:00:00+01:00")
    first, second = answers_to(wrap(bad, message(2)))
    assert (first.accepted, first.code, first.field) == (False, "bad_message", "created")
    assert second.accepted


def test_a_statement_with_nul_or_a_time_out_of_the_calendar_is_a_refusal_that_is_stored() -> None:
    (body,) = receiver().accept([wrap(message(), how=Wrapping(changes={"root": "nul\x00"}))], AT)
    assert b"wrong_root" in body
    payload = sign_contents(CONTENTS, keyring("XC").signing).payload.replace(
        b"2026-03-02T09:30:00Z", b"0001-01-01T00:00:00+01:00"
    )
    with pytest.raises(EnvelopeRefusedError):
        read_contents(payload)
