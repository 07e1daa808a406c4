"""Bundles under an agreement that asks for witnesses: who saw each log, and what is said where a quorum is missing."""

from __future__ import annotations

import base64
import json

import pytest

from comity.ledger.bundle import Bundle, Step, verify_bundle
from comity.trust import Checkpoint, LogSigner, make_tlog_proof, sign_note
from comity.trust.tlogproof import parse_tlog_proof
from tests.ledger.exchange_of_two import AT, Exchange, keyring

TITLE = "Both logs have the witnesses that the agreement demands"


def agreement(witnesses: object, parties: object = ("XA", "XB", "XC")) -> bytes:
    return json.dumps({"articles": [], "parties": parties, "witnesses": witnesses}).encode()


def seen_by(bundle: Bundle, log: str, *witnesses: LogSigner) -> str:
    """The proof of a leaf with other cosignatures."""
    leaf = bundle.release if log == "XA" else bundle.receipted
    proof = parse_tlog_proof(leaf.proof)
    text = proof.note.partition("\n\n")[0] + "\n"
    note = sign_note(Checkpoint.parse(text).text, keyring(log).log, *witnesses, at=AT)
    return make_tlog_proof(proof.index, proof.path, note)


def check(
    witnesses: object, *, xa: tuple[str, ...] = (), xb: tuple[str, ...] = (), documents: tuple[str, ...] = ()
) -> Step | None:
    """The step on witnesses of a bundle whose logs were cosigned so; None where there is none."""
    made = Exchange(agreement=agreement(witnesses)).bundle()
    fields = json.loads(made.to_bytes())
    for name, log, cosigners in (("release", "XA", xa), ("receipt", "XB", xb)):
        fields[name]["proof"] = seen_by(made, log, *(keyring(each).cosigner for each in cosigners))
    again = Bundle.from_bytes(json.dumps(fields).encode())
    extra = tuple(keyring(each).key_statement.to_bytes() for each in documents)
    whole = json.loads(again.to_bytes())
    whole["key_documents"] += [_base64(each) for each in extra]
    steps = verify_bundle(json.dumps(whole).encode())
    assert [step.title for step in steps if not step.is_ok and step.title != TITLE] == []
    return next((step for step in steps if step.title == TITLE), None)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_no_step_where_nothing_is_asked() -> None:
    assert check("") is None
    assert check("quorum none\n") is None


def test_the_other_end_is_witness_enough_where_any_counts() -> None:
    step = check("group g any XA XB\nquorum g\n", xa=("XB",), xb=("XA",))
    assert step is not None
    assert step.is_ok, step
    assert "the log of XA was seen by XB at size 4" in step.detail
    assert "the log of XB was seen by XA at size 4" in step.detail


@pytest.mark.parametrize(
    ("xa", "xb", "said"),
    [
        ((), ("XA",), "missing XB"),
        (("XB",), (), "missing XA"),
        (("XA",), ("XA",), "missing XB"),
    ],
)
def test_a_missing_witness_is_named(xa: tuple[str, ...], xb: tuple[str, ...], said: str) -> None:
    step = check("group g any XA XB\nquorum g\n", xa=xa, xb=xb)
    assert step is not None
    assert not step.is_ok
    assert said in step.detail


def test_a_third_administration_counts_by_its_key_document() -> None:
    policy = "group g 2 XA XB XC\nquorum g\n"
    without = check(policy, xa=("XB", "XC"), xb=("XA", "XC"))
    assert without is not None
    assert not without.is_ok
    step = check(policy, xa=("XB", "XC"), xb=("XA", "XC"), documents=("XC",))
    assert step is not None
    assert step.is_ok, step
    assert "seen by XB and XC" in step.detail


@pytest.mark.parametrize(("witnesses", "parties"), [(7, ["XA"]), ("quorum XA", "XA"), ("quorum XD\n", ["XA", "XB"])])
def test_a_policy_that_cannot_be_read_fails_the_step(witnesses: object, parties: object) -> None:
    made = Exchange(agreement=agreement(witnesses, parties)).bundle()
    (step,) = [step for step in verify_bundle(made.to_bytes()) if step.title == TITLE]
    assert not step.is_ok
