"""Handing on: with the origin's proof, as the article and the consent allow, and never looser than the origin said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from comity.common import new_id, show_instant
from tests.federation import World

pytestmark = pytest.mark.slow


def shared(nodes: World, origin: str, recipient: str, **words: Any) -> str:
    (message,) = nodes.ask(origin, "share", recipients=[recipient], ref=str(new_id(nodes.at)), **words)
    nodes.settle()
    return str(message)


def forward(nodes: World, code: str, message: str, *recipients: str, purpose: str = "control") -> Any:
    result = nodes.ask(code, "forward", message_id=message, recipients=list(recipients), purpose=purpose)
    nodes.settle()
    return result


def refusal(nodes: World, code: str) -> dict[str, Any]:
    return nodes.answers(code, "alert/1")[-1]


def test_without_the_consent_of_the_article_nothing_is_handed_on_and_with_it_it_is(nodes: World) -> None:
    message = shared(nodes, "XA", "XB")
    assert forward(nodes, "XB", message, "XC")["error"] == "consent_missing"
    asked = nodes.ask("XB", "ask_consent", message_id=message, recipients=["XC"])
    nodes.settle()
    assert asked["consent_id"] in {each["consent_id"] for each in nodes.ask("XA", "waiting_consents")}
    end = nodes.at + timedelta(days=3)
    nodes.ask("XA", "give_consent", consent_id=asked["consent_id"], until=show_instant(end))
    nodes.settle()
    assert nodes.ask("XA", "waiting_consents") == []
    again = nodes.ask("XA", "give_consent", consent_id=asked["consent_id"], until=show_instant(end))
    assert again["error"] == "bad_consent"
    (copy,) = forward(nodes, "XB", message, "XC")
    assert nodes.statuses("XA", message) == {"XB": "held", "XC": "held"}
    assert nodes.statuses("XC", copy) == {"XC": "held"}
    issuers = {issuer for issuer, _, _, _ in nodes.ask("XC", "signals")}
    assert issuers == {"XA"}, "it counts for whoever signed it first"
    # The consent names one message, one recipient, and has an end.
    assert forward(nodes, "XB", message, "XD")["error"] == "consent_missing"
    nodes.pass_time(days=4)
    assert forward(nodes, "XB", message, "XC")["error"] == "consent_missing"


def test_a_refused_consent_is_told(nodes: World) -> None:
    message = shared(nodes, "XA", "XB")
    asked = nodes.ask("XB", "ask_consent", message_id=message, recipients=["XC"])
    nodes.settle()
    assert nodes.ask("XA", "refuse_consent", consent_id=asked["consent_id"])["state"] == "refused"
    nodes.settle()
    assert forward(nodes, "XB", message, "XC")["error"] == "consent_missing"
    assert nodes.ask("XA", "refuse_consent", consent_id=str(new_id(nodes.at)))["error"] == "bad_consent"


def test_what_the_article_never_lets_on_stays(nodes: World) -> None:
    message = shared(nodes, "XA", "XB", purpose="investigation", concealment="")
    assert forward(nodes, "XB", message, "XC", purpose="investigation")["error"] == "consent_missing"
    asked = nodes.ask("XB", "ask_consent", message_id=message, recipients=["XC"])
    nodes.settle()
    until = show_instant(nodes.at + timedelta(days=3))
    nodes.ask("XA", "give_consent", consent_id=asked["consent_id"], until=until)
    nodes.settle()
    assert forward(nodes, "XB", message, "XC", purpose="investigation")["error"] == "consent_missing"


def test_an_article_that_would_cut_it_refuses_it(nodes: World) -> None:
    message = shared(nodes, "XA", "XB", purpose="risk_assessment", concealment="Behind cartons")
    assert forward(nodes, "XB", message, "XC", purpose="investigation")["error"] in ("sharing_refused", "cannot_be_cut")


def test_from_restricted_up_the_consent_is_always_needed(nodes: World) -> None:
    message = shared(nodes, "XA", "XB", purpose="risk_assessment")
    nodes.ask("XA", "recall", ids=[message], mode="tighten", handling="restricted", ground="level_raised")
    nodes.settle()
    assert forward(nodes, "XB", message, "XC", purpose="risk_assessment")["error"] == "consent_missing"
    asked = nodes.ask("XB", "ask_consent", message_id=message, recipients=["XC"])
    nodes.settle()
    until = show_instant(nodes.at + timedelta(days=3))
    nodes.ask("XA", "give_consent", consent_id=asked["consent_id"], until=until)
    nodes.settle()
    (copy,) = forward(nodes, "XB", message, "XC", purpose="risk_assessment")
    (row,) = [each for each in nodes.ask("XC", "inbox") if each["id"] == copy]
    assert (row["accepted"], row["handling"]) == (True, "restricted")


def test_a_third_party_that_does_not_know_the_origin_refuses_by_name(nodes: World) -> None:
    message = shared(nodes, "XA", "XB", purpose="risk_assessment")
    forward(nodes, "XB", message, "XD", purpose="risk_assessment")
    assert (refusal(nodes, "XB")["code"], refusal(nodes, "XB")["field"]) == ("unknown_origin", "origin")
    assert "introduce" in refusal(nodes, "XB")["remedy"]


@pytest.mark.parametrize("recipients", [["XB"], ["XA"], [], ["XC", "XA"]])
def test_it_is_handed_on_to_others(nodes: World, recipients: list[str]) -> None:
    message = shared(nodes, "XA", "XB", purpose="risk_assessment")
    assert forward(nodes, "XB", message, *recipients, purpose="risk_assessment")["error"] == "bad_forward"


def test_what_is_our_own_or_unknown_is_not_handed_on(nodes: World) -> None:
    message = shared(nodes, "XA", "XB", purpose="risk_assessment")
    assert forward(nodes, "XA", message, "XC")["error"] == "not_held"
    assert forward(nodes, "XB", str(new_id(nodes.at)), "XC")["error"] == "not_held"
    assert nodes.ask("XB", "ask_consent", message_id=str(new_id(nodes.at)), recipients=["XC"])["error"] == "not_held"


def test_it_is_handed_on_twice_over_and_the_recall_follows_all_the_way(nodes: World) -> None:
    """XB -> XA -> XC -> XD: the proof is the origin's at each, and each of the three answers for itself."""
    message = shared(nodes, "XB", "XA", purpose="risk_assessment")
    (first,) = forward(nodes, "XA", message, "XC", purpose="risk_assessment")
    (second,) = forward(nodes, "XC", first, "XD", purpose="risk_assessment")
    assert nodes.statuses("XB", message) == {"XA": "held", "XC": "held", "XD": "held"}
    holders = nodes.ask("XB", "holders", message_id=message)
    assert (holders["XD"]["via"], holders["XC"]["via"]) == ("XC", "XA")
    (row,) = [each for each in nodes.ask("XD", "inbox") if each["id"] == second]
    assert row["keep_until"] <= holders["XA"]["keep_until"]
    nodes.ask("XB", "recall", ids=[message])
    nodes.settle()
    assert nodes.statuses("XB", message) == {"XA": "purged", "XC": "purged", "XD": "purged"}
    proofs = nodes.ask("XB", "holders", message_id=message)
    assert [proofs[code]["told_by"] for code in ("XA", "XC", "XD")] == ["XA", "XC", "XD"]
    assert all(proofs[code]["is_proved"] for code in ("XA", "XC", "XD"))


def test_it_is_proved_although_its_neighbours_were_purged(nodes: World) -> None:
    """Two messages in one envelope; one is recalled, and the other is handed on with a whole path."""
    words = {"recipients": ["XB"], "purpose": "risk_assessment"}
    (gone,) = nodes.ask("XA", "share", ref=str(new_id(nodes.at)), **words)
    (kept,) = nodes.ask("XA", "share", ref=str(new_id(nodes.at)), **words)
    nodes.settle()
    nodes.ask("XA", "recall", ids=[gone])
    nodes.settle()
    (copy,) = forward(nodes, "XB", kept, "XC", purpose="risk_assessment")
    (row,) = [each for each in nodes.ask("XC", "inbox") if each["id"] == copy]
    assert row["accepted"], row["answer"]


def test_a_suspended_partner_is_not_told_and_the_purge_stays_done(nodes: World) -> None:
    """Last of the module: XC is suspended at XB from here on."""
    message = shared(nodes, "XA", "XB", purpose="risk_assessment")
    forward(nodes, "XB", message, "XC", purpose="risk_assessment")
    nodes.ask("XB", "suspend", partner="XC")
    nodes.ask("XA", "recall", ids=[message])
    nodes.settle()
    assert nodes.statuses("XA", message) == {"XB": "purged", "XC": "recalled"}
    nodes.pass_time(days=2)
    nodes.ask("XA", "custody_due")
    nodes.settle()
    assert nodes.statuses("XA", message) == {"XB": "purged", "XC": "purged"}, "XA asks XC itself"
