"""The forms on the wire: messages, statements, receipts. What is not in form is refused with the field's name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.exchange import canonical
from comity.exchange.canonical import read_canonical, write_canonical
from comity.exchange.envelope import read_contents, read_header
from comity.exchange.errors import EnvelopeRefusedError, MessageFormError, ReceiptRefusedError
from comity.exchange.message import read_message
from comity.exchange.receipt import (
    Answer,
    Receipt,
    answer_text,
    read_answer_text,
    read_receipt,
    read_refusal,
    read_sealed_receipt,
)
from comity.trust import CanonicalFormError, SignedStatement, canonical_json
from tests.exchange.cast import AT, message, wrap

texts = st.text(st.characters(exclude_categories=["Cs"]))
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner),
    max_leaves=12,
)
objects = st.dictionaries(texts, plain, max_size=4)


@given(value=objects)
def test_our_canonical_form_is_that_of_trust(value: dict[str, object]) -> None:
    data = canonical_json(value)
    assert write_canonical(value) == data
    assert read_canonical(data) == value


@given(data=st.binary(max_size=80) | st.text(max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_what_is_read_as_canonical_trust_calls_canonical(data: bytes) -> None:
    try:
        value = read_canonical(data)
    except MessageFormError:
        return
    assert canonical_json(value) == data


loose = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(value=st.dictionaries(st.text(), loose, max_size=4), is_sorted=st.booleans(), is_ascii=st.booleans())
def test_the_quick_reading_takes_nothing_that_the_book_refuses(value: object, is_sorted: bool, is_ascii: bool) -> None:
    text = json.dumps(value, sort_keys=is_sorted, ensure_ascii=is_ascii, separators=(",", ":"))
    data = text.encode("utf-8", "surrogatepass")
    quick = canonical._read_quickly(data)
    if quick is not None:
        assert quick == canonical._read_by_the_book(data)


@pytest.mark.parametrize(
    "text", ["1.5", "1e3", "NaN", "Infinity", "1" * 17, "9007199254740992", "-" + "9" * 30, "-0.0"]
)
def test_numbers_that_readers_would_round_are_refused(text: str) -> None:
    with pytest.raises(MessageFormError):
        read_canonical(b'{"a":' + text.encode() + b"}")
    with pytest.raises(CanonicalFormError):
        canonical_json(json.loads(f'{{"a":{text}}}'))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", "Alert"),
        ("kind", 7),
        ("id", "not-a-uuid"),
        ("id", "019CADE2-11C0-77AE-B36E-086FBDB4CB17"),
        ("sender", "xa"),
        ("origin", "XAX"),
        ("agreement", ""),
        ("article", "x" * 201),
        ("created", "yesterday"),
        ("valid_until", "tomorrow"),
        ("in_reply_to", "x"),
        ("in_reply_to", None),
        ("body", []),
    ],
)
def test_a_wrong_field_is_named(name: str, value: object) -> None:
    fields = json.loads(message().to_bytes()) | {name: value}
    with pytest.raises(MessageFormError) as caught:
        read_message(canonical_json(fields))
    assert caught.value.where == name


def test_unknown_fields_are_few() -> None:
    """No article judges them: they are for what a later version adds, not for a letter beside the notice."""
    mapping = json.loads(message().to_bytes())
    short, long = ({**mapping, "later": "x" * length} for length in (900, 1100))
    assert read_message(canonical_json(short)).id == message().id
    with pytest.raises(MessageFormError, match="no reader knows"):
        read_message(canonical_json(long))


def test_unknown_fields_survive() -> None:
    data = canonical_json(json.loads(message().to_bytes()) | {"x_priority": "high"})
    assert read_message(data).to_bytes() == data


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b'{"protocol":"comity/envelope/2"}',
        b'{"envelope":"x","key":"","protocol":"comity/envelope/1","recipient":"XA","sender":"XC"}',
        b'{"protocol":"comity/envelope/1","recipient":"XA","sender":"xc"}',
        b"x" * 2000,
    ],
)
def test_a_wrong_header_is_refused(line: bytes) -> None:
    with pytest.raises(EnvelopeRefusedError) as caught:
        read_header(line + b"\nbody")
    assert caught.value.code in {"bad_form", "wrong_protocol"}


@pytest.mark.parametrize(
    "change",
    [
        {"count": "1"},
        {"count": True},
        {"root": None},
        {"created": "x"},
        {"log_head": {"note": "x", "old_size": 1, "path": ["short"]}},
        {"log_head": {"note": "x", "old_size": 1, "path": ["a" * 64] * 65}},
        {"log_head": []},
        {"partner_head": {"size": 1}},
    ],
)
def test_a_wrong_statement_is_refused(change: dict[str, object]) -> None:
    good = {
        "sender": "XC",
        "recipient": "XA",
        "envelope": message().id,
        "first_sequence": 1,
        "count": 1,
        "root": "00",
        "created": "2026-03-02T09:30:00Z",
        "partner_head": {"size": 3, "note": ""},
        "log_head": {"note": "n", "old_size": 0, "path": ["a" * 64]},
    }
    assert read_contents(canonical_json(good)).partner_head is not None
    with pytest.raises(EnvelopeRefusedError, match="cannot be read"):
        read_contents(canonical_json(good | change))


def receipt(**changes: object) -> bytes:
    answers = (Answer("a", "b", accepted=True, article="1"), Answer("", "c", accepted=False, code="expired"))
    good = Receipt("e", "XC", "XA", "s", answers, AT, 3, ((4, 5), (9, 9)))
    assert read_receipt(good.to_payload()) == good
    return canonical_json(json.loads(good.to_payload()) | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"answers": [1]},
        {"answers": [{"id": "x", "sha256": "y", "accepted": "yes"}]},
        {"answers": [{"id": "x"}]},
        {"answers": 5},
        {"received": {}},
        {"received": {"contiguous": -1, "missing": []}},
        {"received": {"contiguous": 1, "missing": [[1]]}},
        {"at": "now"},
        {"statement": 3},
    ],
)
def test_a_wrong_receipt_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ReceiptRefusedError):
        read_receipt(receipt(**changes))


@pytest.mark.parametrize(
    "change",
    [
        {"cosignature": 5},
        {"salt": "xyz"},
        {"proof": None},
        {"receipt": {}},
        {"witnessed": -1},
        {"consistency": {"path": 1}},
    ],
)
def test_a_wrong_answer_is_refused(change: dict[str, object]) -> None:
    statement = {"payload": "", "payloadType": "x", "signatures": [{"keyid": "", "sig": ""}]}
    good = {"receipt": statement, "proof": "p", "salt": "00", "cosignature": None, "witnessed": 1, "consistency": None}
    assert read_sealed_receipt(canonical_json(good)).statement == SignedStatement.from_bytes(canonical_json(statement))
    with pytest.raises(ReceiptRefusedError):
        read_sealed_receipt(canonical_json(good | change))


@given(data=st.binary(max_size=60) | plain.map(lambda value: json.dumps(value).encode()))
def test_garbage_is_no_answer(data: bytes) -> None:
    assert read_refusal(data) is None
    with pytest.raises(ReceiptRefusedError):
        read_sealed_receipt(data)
    with pytest.raises(ReceiptRefusedError):
        read_receipt(data)


def test_an_answer_survives_its_text() -> None:
    answer = Answer("a", "b", accepted=False, code="x", text="é", clause="1", field="f", remedy="r")
    assert read_answer_text(answer_text(answer)) == answer


def test_the_header_of_an_envelope() -> None:
    header = read_header(wrap(message()))
    assert (header.sender, header.recipient) == ("XC", "XA")
