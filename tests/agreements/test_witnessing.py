"""The witnesses that an agreement asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from comity.agreements import AgreementFormError, Gravity, agreement_from_bytes, look_over, parse_agreement
from comity.agreements.witnessing import quorum_troubles, quorum_words, witness_policy
from comity.trust import LogSigner, NoteKind, SigningKey
from tests.exchange.cast import DEMO

LAB = LogSigner("lab.example/w", SigningKey.from_seed(b"w" * 32), NoteKind.COSIGNATURE)
PLAIN = DEMO.read_bytes().decode()


def text(*lines: str) -> bytes:
    """The demo's agreement with a policy of these lines."""
    return (PLAIN.rstrip() + "\nwitnesses: |\n" + "".join(f"  {line}\n" for line in lines)).encode()


def test_parties_are_known_by_their_codes_and_layout_leaves_no_trace() -> None:
    one = parse_agreement(text("# the other party", "", "group partners  any\tXA XB XC", "quorum partners"))
    two = parse_agreement(text("group partners any XA XB XC", "quorum partners"))
    assert one.witnesses == "group partners any XA XB XC\nquorum partners\n"
    assert one.id == two.id != parse_agreement(PLAIN.encode()).id
    assert agreement_from_bytes(one.to_bytes()) == one
    policy = witness_policy(one)
    assert policy is not None
    assert policy.counted == ("XA", "XB", "XC")
    assert quorum_words(policy) == "any of (XA, XB, XC)"


def test_others_are_named_with_their_key() -> None:
    found = parse_agreement(text(f"witness lab {LAB.vkey}", "group two 2 XA XB XC lab", "quorum two"))
    policy = witness_policy(found)
    assert policy is not None
    assert quorum_words(policy) == "2 of (XA, XB, XC, lab)"
    assert list(quorum_troubles(found)) == []


def test_nothing_asked_is_nothing() -> None:
    plain = parse_agreement(PLAIN.encode())
    assert (plain.witnesses, witness_policy(plain), list(quorum_troubles(plain))) == ("", None, [])
    assert witness_policy(parse_agreement(text("quorum none"))) is None


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("quorum XD",), "Nothing above is named 'XD'"),
        (("", "group g 4 XA XB XC", "quorum g"), "line 2 of witnesses"),
        (("witness XA vkey", "quorum XA"), "known already and needs no line"),
        ((f"log {LogSigner('a', LAB.key).vkey}", "quorum XA"), "Leave the log lines out"),
        (("group g any XA",), "no quorum line"),
        (("quorum XA \u202e",), "control character"),
    ],
)
def test_a_wrong_policy_is_refused_by_line(lines: tuple[str, ...], said: str) -> None:
    with pytest.raises(AgreementFormError) as refused:
        parse_agreement(text(*lines))
    assert said in str(refused.value)
    assert f"line {PLAIN.rstrip().count(chr(10)) + 2}" in refused.value.where


def test_no_list_is_a_policy() -> None:
    with pytest.raises(AgreementFormError, match="must be a text"):
        parse_agreement((PLAIN.rstrip() + "\nwitnesses: [XA, XB]\n").encode())


def test_lint_warns_of_a_quorum_that_cannot_be_reached() -> None:
    found = parse_agreement(text("group every all XA XB XC", "quorum every"))
    remarks = [each for each in look_over(found) if each.code == "quorum_unreachable"]
    assert [each.gravity for each in remarks] == [Gravity.WARNING] * 3
    assert "log of XA: even if XB and XC cosigned" in remarks[0].text
    only = replace(found, witnesses="quorum XA\n")
    assert [each.partition(":")[0] for each in quorum_troubles(only)] == [
        "The quorum cannot be reached for the log of XA"
    ]
    policy = witness_policy(only)
    assert policy is not None
    assert quorum_words(policy) == "XA"


def test_a_group_of_groups_in_words() -> None:
    found = parse_agreement(
        text(f"witness lab {LAB.vkey}", "group p any XA XB", "group both all p lab", "group one all both", "quorum one")
    )
    policy = witness_policy(found)
    assert policy is not None
    assert quorum_words(policy) == "all of (all of (any of (XA, XB), lab))"
