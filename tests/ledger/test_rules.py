"""Commitments: they open only to what was committed, and say nothing without the salt."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.ledger.errors import CommitmentError
from comity.ledger.rules import commit, kind_of, opens
from comity.trust import canonical_json

DIGEST, SALT = b"d" * 32, b"s" * 32


def test_an_entry_names_its_kind_and_nothing_else() -> None:
    entry = commit("release", DIGEST, agreement="a1", message_id="m1", salt=SALT)
    assert set(json.loads(entry)) == {"kind", "commitment"}
    assert opens(entry, DIGEST, agreement="a1", message_id="m1", salt=SALT) == "release"
    assert kind_of(entry) == "release"
    assert len(entry) < 119  # two blocks of SHA-256 with its prefix


@pytest.mark.parametrize(
    "change",
    [{"digest": b"e" * 32}, {"agreement": "a2"}, {"message_id": "m2"}, {"salt": b"t" * 32}, {"salt": b"s" * 31}],
)
def test_an_entry_opens_to_nothing_else(change: dict[str, object]) -> None:
    shown: dict[str, object] = {"digest": DIGEST, "agreement": "a1", "message_id": "m1", "salt": SALT}
    entry = commit("release", DIGEST, agreement="a1", message_id="m1", salt=SALT)
    with pytest.raises(CommitmentError):
        opens(entry, **(shown | change))  # type: ignore[arg-type]  # a table of arguments
    other = entry.replace(b"release", b"receipt")
    with pytest.raises(CommitmentError):
        opens(other, DIGEST, agreement="a1", message_id="m1", salt=SALT)


@pytest.mark.parametrize(
    ("kind", "digest", "salt"),
    [
        ("release", b"short", SALT),
        ("release", DIGEST, b"s" * 15),
        ("release", DIGEST, b"s" * 65),
        ("", DIGEST, SALT),
        ("k" * 41, DIGEST, SALT),
    ],
)
def test_what_would_hide_nothing_is_refused(kind: str, digest: bytes, salt: bytes) -> None:
    with pytest.raises(CommitmentError):
        commit(kind, digest, agreement="", message_id="", salt=salt)


@pytest.mark.parametrize("entry", [b"", b"{", b"[]", b'{"kind":1}', b"\xff", canonical_json({"kind": "k" * 41})])
def test_what_is_no_commitment_has_no_kind(entry: bytes) -> None:
    assert kind_of(entry) == ""
    with pytest.raises(CommitmentError):
        opens(entry, DIGEST, agreement="", message_id="", salt=SALT)


@settings(deadline=None)
@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_no_two_openings_share_an_entry(a: str, b: str, c: str, d: str) -> None:
    one = commit("x", DIGEST, agreement=a, message_id=b, salt=SALT)
    two = commit("x", DIGEST, agreement=c, message_id=d, salt=SALT)
    assert (one == two) == ((a, b) == (c, d))
