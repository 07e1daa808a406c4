"""Hypothesis strategies for what trust signs, seals and reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from comity.trust import (
    KeyDocument,
    KeyEntry,
    LogSigner,
    NoteKind,
    RecipientKey,
    SignedStatement,
    SigningKey,
    make_authority,
    sign_statement,
)

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
KEYS = tuple(SigningKey.from_seed(bytes([number]) * 32) for number in range(1, 6))
RECIPIENTS = tuple(RecipientKey.from_raw(bytes([number]) * 32) for number in range(1, 4))
AUTHORITY_PEM = make_authority("XA", AT).certificate

# Text that UTF-8 can carry: no lone surrogates.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
integers = st.integers(-(2**53) + 1, 2**53 - 1)
json_values = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
)
payload_types = texts.filter(bool)
signing_keys = st.sampled_from(KEYS)
recipients = st.sampled_from(RECIPIENTS)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))


@st.composite
def statements(draw: st.DrawFn) -> SignedStatement:
    """A statement of any payload, signed by one to three keys."""
    keys = draw(st.lists(signing_keys, min_size=1, max_size=3, unique=True))
    return sign_statement(draw(payload_types), draw(st.binary(max_size=200)), *keys)


@st.composite
def key_entries(draw: st.DrawFn, public: bytes) -> KeyEntry:
    """A public key with any dates."""
    start = draw(instants)
    end = start + timedelta(seconds=draw(st.integers(1, 10**8)))
    return KeyEntry(public.hex(), start, end, draw(st.none() | instants))


@st.composite
def key_documents(draw: st.DrawFn) -> KeyDocument:
    """A key document of any content that may be issued."""
    issued = draw(instants)
    signers = draw(st.lists(signing_keys, min_size=1, max_size=3, unique=True))
    readers = draw(st.lists(recipients, min_size=1, max_size=2, unique=True))
    return KeyDocument(
        administration=draw(st.from_regex(r"\A[A-Z]{2}\Z")),
        name=draw(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20)),
        version=draw(st.integers(1, 2**31 - 1)),
        issued_at=issued,
        expires_at=issued + timedelta(days=draw(st.integers(1, 1000))),
        endpoint_url=draw(st.from_regex(r"\Ahttps://[a-z]{1,9}\.example(:[1-9][0-9]{0,3})?(/[a-z]{0,5})?\Z")),
        signing_keys=tuple(draw(key_entries(each.verify_key.raw)) for each in signers),
        encryption_keys=tuple(draw(key_entries(each.public.raw)) for each in readers),
        tls_authority_pem=AUTHORITY_PEM,
        log_origin="comity.xa/log",
        log_vkey=LogSigner("comity.xa/log", KEYS[3]).vkey,
        cosigner_vkey=LogSigner("comity.xa/log/cosigner", KEYS[4], NoteKind.COSIGNATURE).vkey,
        unread=draw(st.sampled_from([(), (("signing_keys_mldsa", '[{"public":"00"}]'),)])),
    )


def changed(data: bytes, position: int, difference: int) -> bytes:
    """The bytes with one of them, counted around, made another."""
    place = position % len(data)
    return data[:place] + bytes([data[place] ^ difference]) + data[place + 1 :]


positions = st.integers(0, 10**6)
differences = st.integers(1, 255)
