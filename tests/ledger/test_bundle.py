"""Bundles: one exchange checked offline, every step named, every lie found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.ledger.bundle import MAX_BUNDLE_BYTES, Bundle, Leaf, Step, verify_bundle
from comity.ledger.errors import BundleError
from comity.trust import SignedStatement, sign_statement
from tests.ledger.exchange_of_two import AT, Exchange, keyring

SENDER = "The sender signed the envelope"
DOCUMENT = "A key document is signed by its owner"
MESSAGE = "The message is in the envelope"
AGREEMENT = "The agreement named in the message is signed by both"
RECEIPT = "The receiver signed a receipt that names the message"
RECEIPTED = "The receipt is in the receiver's log"
RELEASED = "The message is in the sender's log"


def failed(steps: list[Step]) -> set[str]:
    """Titles of the steps that do not hold."""
    return {step.title for step in steps if not step.is_ok}


def test_an_honest_exchange_is_proved_step_by_step() -> None:
    steps = verify_bundle(Exchange().bundle().to_bytes())
    assert [step.title for step in steps] == [
        SENDER,
        DOCUMENT,
        DOCUMENT,
        MESSAGE,
        AGREEMENT,
        RECEIPT,
        RECEIPTED,
        RELEASED,
    ]
    assert failed(steps) == set()
    by_title = {step.title: step.detail for step in steps}
    assert by_title[SENDER].startswith("XA, key ")
    assert by_title[MESSAGE] == "message m-1, number 2 of 3"
    assert "signed by XA and XB" in by_title[AGREEMENT]
    assert by_title[RECEIPT] == "XB on 2026-03-02T09:30:01Z: accepted"
    assert by_title[RECEIPTED] == "comity.xb/log: entry 2 of 4, witnessed by XA"
    assert by_title[RELEASED] == "comity.xa/log: entry 2 of 4"


def test_the_file_reads_back() -> None:
    bundle = Exchange().bundle()
    assert Bundle.from_bytes(bundle.to_bytes()) == bundle
    more = json.loads(bundle.to_bytes()) | {"note": "unknown members are ignored"}
    assert Bundle.from_bytes(json.dumps(more).encode()) == bundle


def test_a_refused_message_is_proved_too() -> None:
    refused = Exchange(answer={"accepted": False, "code": "expired", "text": "The article has expired"})
    steps = verify_bundle(refused.bundle().to_bytes())
    assert failed(steps) == set()
    assert "refused: expired, The article has expired" in steps[5].detail


def test_given_fingerprints_must_be_those_of_the_documents() -> None:
    data = Exchange().bundle().to_bytes()
    prints = [keyring(each).key_document.fingerprint for each in ("XA", "XB")]
    assert failed(verify_bundle(data, fingerprints=[each.upper() for each in prints])) == set()
    steps = verify_bundle(data, fingerprints=prints[:1])
    assert failed(steps) == {DOCUMENT}
    assert "XB" in next(step.detail for step in steps if not step.is_ok)


OTHER_AGREEMENT = b'{"articles":["all"]}'


def resign(statement: bytes, **changes: object) -> bytes:
    """The statement with another payload under a stranger's signature."""
    old = SignedStatement.from_bytes(statement)
    payload = json.dumps(json.loads(old.payload) | changes).encode()
    return sign_statement(old.payload_type, payload, keyring("XC").signing).to_bytes()


@pytest.mark.parametrize(
    ("lie", "found"),
    [
        (lambda b: replace(b, message=b.message.replace(b'"3"', b'"4"')), {MESSAGE, AGREEMENT, RECEIPT, RELEASED}),
        (lambda b: replace(b, index=0), {MESSAGE, AGREEMENT, RECEIPT, RELEASED}),
        (lambda b: replace(b, path=b.path[::-1]), {MESSAGE, AGREEMENT, RECEIPT, RELEASED}),
        (lambda b: replace(b, envelope=resign(b.envelope)), {SENDER, RECEIPT}),
        (lambda b: replace(b, envelope=resign(b.envelope, count="3")), {SENDER, MESSAGE, AGREEMENT, RECEIPT, RELEASED}),
        (lambda b: replace(b, envelope=resign(b.envelope, root="x")), {SENDER, MESSAGE, AGREEMENT, RECEIPT, RELEASED}),
        (lambda b: replace(b, receipt=resign(b.receipt)), {RECEIPT, RECEIPTED}),
        (lambda b: replace(b, agreement=resign(b.agreement)), {AGREEMENT}),
        (lambda b: replace(b, receipted=b.release), {RECEIPTED}),
        (lambda b: replace(b, release=b.receipted), {RELEASED}),
        (lambda b: replace(b, release=replace(b.release, salt=b"t" * 32)), {RELEASED}),
        (lambda b: replace(b, release=replace(b.release, proof=b.receipted.proof)), {RELEASED}),
        (lambda b: replace(b, release=Leaf(b"{}", b"s" * 32, b.release.proof)), {RELEASED}),
        (lambda b: replace(b, key_documents=b.key_documents[:1]), {AGREEMENT, RECEIPT, RECEIPTED}),
        (
            lambda b: replace(b, key_documents=(keyring("XC").key_statement.to_bytes(),)),
            {SENDER, AGREEMENT, RECEIPT, RECEIPTED, RELEASED},
        ),
        (
            lambda b: replace(b, key_documents=()),
            {SENDER, AGREEMENT, RECEIPT, RECEIPTED, RELEASED},
        ),
        (
            lambda b: replace(b, key_documents=(resign(b.key_documents[0]), *b.key_documents[1:])),
            {SENDER, DOCUMENT, AGREEMENT, RECEIPT, RECEIPTED, RELEASED},
        ),
        (
            lambda b: replace(b, envelope=sign_statement("x", b"[]", keyring("XA").signing).to_bytes()),
            {SENDER, DOCUMENT, MESSAGE, AGREEMENT, RECEIPT, RECEIPTED, RELEASED},
        ),
        (
            lambda b: replace(b, envelope=sign_statement("x", b"{", keyring("XA").signing).to_bytes()),
            {SENDER, DOCUMENT, MESSAGE, AGREEMENT, RECEIPT, RECEIPTED, RELEASED},
        ),
    ],
)
def test_a_changed_part_is_found(lie: Callable[[Bundle], Bundle], found: set[str]) -> None:
    steps = verify_bundle(lie(Exchange().bundle()).to_bytes())
    assert failed(steps) == found
    assert all(step.detail for step in steps)


@pytest.mark.parametrize(
    ("exchange", "found"),
    [
        (Exchange(message={"sender": "XC"}), {MESSAGE, AGREEMENT, RECEIPT, RELEASED}),
        (Exchange(message={"id": 5}), {MESSAGE, AGREEMENT, RECEIPT, RELEASED}),
        (Exchange(message={"agreement": "0" * 64}), {AGREEMENT, RELEASED}),
        (Exchange(agreement_signers=("XA",)), {AGREEMENT}),
        (Exchange(agreement_signers=("XA", "XC")), {AGREEMENT}),
        (Exchange(agreement_type="application/other"), {AGREEMENT}),
        (Exchange(receipt={"statement": "0" * 64}), {RECEIPT}),
        (Exchange(receipt={"sender": "XC"}), {RECEIPT}),
        (Exchange(receipt={"answers": []}), {RECEIPT}),
        (Exchange(receipt={"answers": "m-1"}), {RECEIPT}),
        (Exchange(receipt={"at": "yesterday"}), {RECEIPT}),
        (Exchange(answer={"sha256": "0" * 64}), {RECEIPT}),
        (Exchange(contents={"envelope": "e-2"}), {RECEIPT, RECEIPTED}),
        (Exchange(contents={"sender": "XC"}), {SENDER, MESSAGE, AGREEMENT, RECEIPT, RELEASED}),
        (Exchange(sender=keyring("XC")), {SENDER, AGREEMENT, RELEASED}),
    ],
)
def test_signed_lies_are_found(exchange: Exchange, found: set[str]) -> None:
    steps = verify_bundle(exchange.bundle().to_bytes())
    assert failed(steps) == found


GOOD = json.loads(Exchange().bundle().to_bytes())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"format":"comity/bundle/2"}',
        b'{"format":"comity/bundle/1"}',
        b"[" * 100_000,
        b" " * (MAX_BUNDLE_BYTES + 1),
        *(
            json.dumps(GOOD | change).encode()
            for change in (
                {"made_at": "never"},
                {"message": 5},
                {"message": "*"},
                {"envelope": []},
                {"envelope": GOOD["envelope"] | {"index": True}},
                {"envelope": GOOD["envelope"] | {"path": ["zz"]}},
                {"release": None},
                {"receipt": {}},
                {"key_documents": [""] * 65},
                {"key_documents": None},
            )
        ),
    ],
    ids=range(18),
)
def test_what_is_no_bundle_is_said_so_and_nothing_else(data: bytes) -> None:
    with pytest.raises(BundleError):
        Bundle.from_bytes(data)
    (step,) = verify_bundle(data)
    assert not step.is_ok
    assert step.title == "The file is a bundle of one exchange"


@settings(deadline=None)
@given(st.binary(max_size=60), st.integers(0, 4000))
def test_no_bytes_break_the_verifier(garbage: bytes, place: int) -> None:
    data = Exchange().bundle().to_bytes()
    for broken in (garbage, data[:place] + garbage + data[place + len(garbage) :]):
        assert verify_bundle(broken)
    assert Bundle.from_bytes(data).made_at > AT


LIES = (None, 0, -1, 2**70, True, "", [], {}, "x", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-05:00", [[]])
SIGNERS = {"envelope": ["XA"], "receipt": ["XB"], "agreement": ["XA", "XB"]}


def places_of(value: object, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where every member of a JSON value stands."""
    if place:
        yield place
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in members:
        yield from places_of(inner, (*place, name))


def changed(value: object, place: tuple[str | int, ...], lie: object) -> bytes:
    """The JSON with something else at this place; without it where the lie is the place itself."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for name in place[:-1]:
        inner = inner[name]
    if lie is place:
        del inner[place[-1]]
    else:
        inner[place[-1]] = lie
    return json.dumps(copy).encode()


def test_no_member_of_the_file_can_be_left_out_or_changed() -> None:
    top = json.loads(Exchange().bundle().to_bytes())
    for place in places_of(top):
        for lie in (*LIES, place):
            assert failed(verify_bundle(changed(top, place, lie))), (place, lie)


@pytest.mark.parametrize("part", SIGNERS)
def test_no_member_that_is_signed_can_be_left_out_or_changed_even_by_who_signs(part: str) -> None:
    bundle = Exchange().bundle()
    statement = SignedStatement.from_bytes(getattr(bundle, part))
    payload = json.loads(statement.payload)
    keys = [keyring(each).signing for each in SIGNERS[part]]
    for place in places_of(payload):
        for lie in (*LIES, place):
            signed = sign_statement(statement.payload_type, changed(payload, place, lie), *keys).to_bytes()
            assert failed(verify_bundle(replace(bundle, **{part: signed}).to_bytes())), (place, lie)
