"""A recall reaches every holder, however the lines are cut, and each answers under its own signature."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from comity.common import new_id, show_instant
from comity.custody import HoldingNotice, Mode, RecallOrder, Status
from comity.custody.notices import HOLDING_TYPE, sign_holding, sign_recall
from comity.trust import SignedStatement, sha256_hex, verify_statement
from tests.custody.cast import AGREEMENT
from tests.federation import World

pytestmark = pytest.mark.slow
AMONG = "risk_assessment"  # under this purpose the article lets the parties hand on without consent


def shared(nodes: World, *recipients: str, **words: Any) -> list[str]:
    ids: list[str] = nodes.ask("XA", "share", recipients=list(recipients), ref=str(new_id(nodes.at)), **words)
    return ids


def handed_on(nodes: World) -> tuple[str, str]:
    """XA -> XB -> XC; the ids of the message and of the copy."""
    (message,) = shared(nodes, "XB", purpose=AMONG)
    nodes.settle()
    (copy,) = nodes.ask("XB", "forward", message_id=message, recipients=["XC"], purpose=AMONG)
    nodes.settle()
    return message, copy


def with_consent(nodes: World) -> tuple[str, str]:
    """The same where the article asks for the consent of XA."""
    (message,) = shared(nodes, "XB")
    nodes.settle(among=("XA", "XB"))
    asked = nodes.ask("XB", "ask_consent", message_id=message, recipients=["XC"])
    nodes.settle(among=("XA", "XB"))
    nodes.ask("XA", "give_consent", consent_id=asked["consent_id"], until=show_instant(nodes.at + timedelta(days=3)))
    nodes.settle(among=("XA", "XB"))
    (copy,) = nodes.ask("XB", "forward", message_id=message, recipients=["XC"], purpose="control")
    nodes.settle()
    return message, copy


def received(nodes: World, code: str, message_id: str) -> dict[str, Any]:
    (row,) = [each for each in nodes.ask(code, "inbox") if each["id"] == message_id]
    return row  # type: ignore[no-any-return]  # JSON


def active(nodes: World, code: str) -> int:
    return sum(state == "in force" for _, _, state, _ in nodes.ask(code, "signals"))


def test_a_recall_travels_along_the_hand_ons_and_each_holder_signs_for_itself(nodes: World) -> None:
    before = active(nodes, "XC")
    message, copy = handed_on(nodes)
    assert active(nodes, "XC") == before + 1
    assert nodes.statuses("XA", message) == {"XB": "held", "XC": "held"}
    original = received(nodes, "XC", copy)
    assert original["size"] > 0
    (view,) = nodes.ask("XA", "recall", ids=[message])
    assert view["sent_to"] == ["XB"]
    nodes.settle()
    assert nodes.statuses("XA", message) == {"XB": "purged", "XC": "purged"}
    assert active(nodes, "XC") == before
    assert received(nodes, "XB", message)["size"] == received(nodes, "XC", copy)["size"] == 0
    assert received(nodes, "XC", copy)["purge_ground"] == "recalled"
    told = nodes.ask("XA", "holders", message_id=message)["XC"]
    statement = SignedStatement.from_bytes(base64.b64decode(told["statement"]))
    verify_statement(statement, [nodes.keyrings["XC"].signing.verify_key], payload_type=HOLDING_TYPE)
    assert (told["told_by"], told["via"], told["is_proved"]) == ("XC", "XB", True)
    own = nodes.ask("XC", "holders", message_id=copy)["XC"]
    assert nodes.ask("XC", "log_entry", index=own["log_index"])["kind"] == "purge"
    assert json.loads(statement.payload)["status"] == "purged"
    # The forwarder's outbox copy is another's information, and goes too.
    nodes.ask("XB", "custody_due")
    (sent,) = [each for each in nodes.ask("XB", "outbox") if each["id"] == copy]
    assert set(json.loads(base64.b64decode(sent["data"]))) == {"purged", "leaf"}
    assert json.loads(base64.b64decode(sent["data"]))["purged"] != sha256_hex(b"")


def test_a_recall_is_repeated_without_effect_and_answers_again(nodes: World) -> None:
    message, _ = handed_on(nodes)
    for _ in range(2):
        nodes.ask("XA", "recall", ids=[message])
        nodes.settle()
        assert nodes.statuses("XA", message) == {"XB": "purged", "XC": "purged"}


def test_a_partition_during_a_recall_ends_in_overdue_and_then_in_purged(nodes: World) -> None:
    message, _ = handed_on(nodes)
    nodes.cut.add(("XB", "XC"))
    nodes.ask("XA", "recall", ids=[message])
    nodes.settle()
    assert nodes.statuses("XA", message) == {"XB": "purged", "XC": "recalled"}
    nodes.pass_time(days=3)
    assert nodes.ask("XB", "custody_due") == 1
    nodes.settle()
    assert nodes.statuses("XA", message) == {"XB": "purged", "XC": "overdue"}
    nodes.cut.clear()
    nodes.settle()
    assert nodes.statuses("XA", message) == {"XB": "purged", "XC": "purged"}


def test_a_forwarder_that_does_not_pass_it_on_is_gone_round(nodes: World) -> None:
    """XB answers for itself and then falls silent towards XC: XA asks XC itself, which is a partner of its own."""
    message, _ = handed_on(nodes)
    nodes.cut.add(("XB", "XC"))
    nodes.ask("XA", "recall", ids=[message])
    nodes.settle()
    nodes.pass_time(days=2)
    assert nodes.ask("XA", "custody_due") == 1
    nodes.settle(among=("XA", "XC"))
    assert nodes.statuses("XA", message) == {"XB": "purged", "XC": "purged"}


def test_a_recall_and_a_hand_on_that_cross_still_reach_the_third(nodes: World) -> None:
    before = active(nodes, "XC")
    (message,) = shared(nodes, "XB", purpose=AMONG)
    nodes.settle()
    nodes.cut |= {("XA", "XB"), ("XB", "XC")}
    nodes.ask("XA", "recall", ids=[message])
    (copy,) = nodes.ask("XB", "forward", message_id=message, recipients=["XC"], purpose=AMONG)
    nodes.cut.discard(("XA", "XB"))
    nodes.settle()
    # The notice of the hand-on came after the recall was made: XC is asked all the same.
    assert nodes.statuses("XA", message) == {"XB": "purged", "XC": "recalled"}
    nodes.cut.clear()
    nodes.settle()
    assert nodes.statuses("XA", message) == {"XB": "purged", "XC": "purged"}
    assert received(nodes, "XC", copy)["size"] == 0
    assert active(nodes, "XC") == before
    again = nodes.ask("XB", "forward", message_id=message, recipients=["XC"], purpose=AMONG)
    assert again["error"] == "not_held"


@pytest.mark.parametrize("is_processed_between", [True, False])
def test_what_was_recalled_before_it_came_is_purged_as_it_comes_and_never_targets(
    nodes: World, *, is_processed_between: bool
) -> None:
    """Created and taken back before it left: it leaks to nobody's queue, in whichever order the envelopes come."""
    before = len(nodes.ask("XB", "signals"))
    (message,) = shared(nodes, "XB")
    late = nodes.ask("XA", "send", partner="XB")
    nodes.ask("XA", "recall", ids=[message])
    early = nodes.ask("XA", "send", partner="XB")
    assert early
    for envelopes in (early, late):
        nodes.ask("XA", "answered", partner="XB", replies=nodes.ask("XB", "accept", envelopes=envelopes))
        if is_processed_between:
            nodes.ask("XB", "process")
    nodes.settle()
    assert received(nodes, "XB", message)["size"] == 0
    assert received(nodes, "XB", message)["processed"]
    assert len(nodes.ask("XB", "signals")) == before, "it never became a signal at all"
    assert nodes.statuses("XA", message) == {"XB": "purged"}


def test_a_forwarder_that_lies_about_the_third_is_refused(nodes: World) -> None:
    message, _ = handed_on(nodes)
    nodes.cut.add(("XB", "XC"))
    nodes.ask("XA", "recall", ids=[message])
    nodes.settle()
    at, key = nodes.at, nodes.keyrings["XB"].signing
    for told_by, code in (("XC", "wrong_signature"), ("XB", "bad_duty")):
        lie = HoldingNotice(message, "XA", "XC", told_by, Status.PURGED, "recalled", at, via="XB")
        body = sign_holding(lie, key).to_body()
        nodes.ask("XB", "tell", partner="XA", kind="holding/1", body=body, agreement=AGREEMENT.id)
        nodes.settle()
        assert nodes.answers("XB", "holding/1")[-1]["code"] == code
        assert nodes.statuses("XA", message)["XC"] == "recalled"
    honest = sign_holding(HoldingNotice(message, "XA", "XC", "XC", Status.PURGED, "recalled", at), key).to_body()
    honest["status"] = "held"
    nodes.ask("XB", "tell", partner="XA", kind="holding/1", body=honest, agreement=AGREEMENT.id)
    nodes.settle()
    assert nodes.answers("XB", "holding/1")[-1]["code"] == "bad_duty", "the body says what was signed, or nothing"


def test_a_notice_on_a_message_that_was_never_shared_changes_nothing(nodes: World) -> None:
    strange = str(new_id(nodes.at))
    notice = HoldingNotice(strange, "XA", "XB", "XB", Status.PURGED, "recalled", nodes.at)
    body = sign_holding(notice, nodes.keyrings["XB"].signing).to_body()
    nodes.ask("XB", "tell", partner="XA", kind="holding/1", body=body, agreement=AGREEMENT.id)
    nodes.settle()
    assert nodes.statuses("XA", strange) in ({}, {"error": "unknown_message"})


def test_only_the_origin_recalls(nodes: World) -> None:
    message, copy = handed_on(nodes)
    assert nodes.ask("XB", "recall", ids=[copy])["error"] == "not_origin"
    assert nodes.ask("XB", "recall", ids=[message])["error"] == "not_origin"
    at, end = nodes.at, nodes.at + timedelta(hours=24)
    lies = (("XA", message, "wrong_signature"), ("XB", copy, "not_origin"), ("XD", message, "wrong_signature"))
    for origin, name, code in lies:
        order = RecallOrder(str(new_id(at)), origin, (name,), Mode.RECALL, "breach", at, end)
        body = sign_recall(order, nodes.keyrings["XB"].signing).to_body()
        nodes.ask("XB", "tell", partner="XC", kind="recall/1", body=body, agreement=AGREEMENT.id)
        nodes.settle()
        assert nodes.answers("XB", "recall/1")[-1]["code"] == code
    # One in its own name for a message of which nothing is here is remembered, and touches nobody else's message.
    order = RecallOrder(str(new_id(at)), "XB", (message,), Mode.RECALL, "breach", at, end)
    body = sign_recall(order, nodes.keyrings["XB"].signing).to_body()
    nodes.ask("XB", "tell", partner="XC", kind="recall/1", body=body, agreement=AGREEMENT.id)
    nodes.settle()
    assert received(nodes, "XC", copy)["size"] > 0
    assert nodes.statuses("XA", message) == {"XB": "held", "XC": "held"}


def test_a_tightening_reaches_everyone_and_is_never_loosened(nodes: World) -> None:
    message, copy = handed_on(nodes)
    soon, later = nodes.at + timedelta(days=5), nodes.at + timedelta(days=20)
    nodes.ask("XA", "recall", ids=[message], mode="tighten", keep_until=show_instant(soon), handling="restricted")
    nodes.settle()
    for code in ("XB", "XC"):
        holders = nodes.ask("XA", "holders", message_id=message)
        assert (holders[code]["status"], holders[code]["handling"]) == ("held", "restricted")
        assert holders[code]["keep_until"] == show_instant(soon)
    nodes.ask("XA", "recall", ids=[message], mode="tighten", keep_until=show_instant(later), handling="official")
    nodes.settle()
    row = received(nodes, "XC", copy)
    assert (row["keep_until"], row["handling"]) == (show_instant(soon), "restricted")
    until = {ref: moment for _, ref, _, moment in nodes.ask("XC", "signals")}
    assert show_instant(soon) in until.values()
    nodes.pass_time(days=6)
    assert nodes.ask("XC", "purge_due") == 1
    nodes.settle()
    assert nodes.statuses("XA", message)["XC"] == "purged"
    refused = nodes.ask("XA", "recall", ids=[message], mode="tighten")
    assert refused["error"] == "bad_recall"


def corrected(nodes: World, old: str, purpose: str = AMONG, **wish: Any) -> str:
    """XA shares the corrected alert with XB, and takes the old one back for it. Returns the new id."""
    (new,) = shared(nodes, "XB", purpose=purpose, title="Sandals")
    done = nodes.ask("XA", "recall", ids=[old], mode="correct", replacement={old: new}, **wish)
    assert isinstance(done, list), done
    nodes.settle()
    return str(new)


@pytest.mark.long
def test_the_new_one_goes_the_whole_way_that_the_old_one_went(nodes: World) -> None:
    """XB -> XA -> XC -> XD and XB lets both of the forwarders hand the new one on, with the order."""
    words = {"recipients": ["XA"], "purpose": AMONG}
    (old,) = nodes.ask("XB", "share", ref=str(new_id(nodes.at)), **words)
    nodes.settle()
    (first,) = nodes.ask("XA", "forward", message_id=old, recipients=["XC"], purpose=AMONG)
    nodes.settle()
    (second,) = nodes.ask("XC", "forward", message_id=first, recipients=["XD"], purpose=AMONG)
    nodes.settle()
    (new,) = nodes.ask("XB", "share", ref=str(new_id(nodes.at)), **words)
    nodes.ask("XB", "recall", ids=[old], mode="correct", replacement={old: new}, is_let_on=True)
    nodes.settle()
    assert nodes.ask("XA", "reminders") == [[new, "XC", "hand_on", new, AMONG]]
    assert nodes.ask("XC", "reminders") == [[new, "XD", "arrival", "", ""]]
    (third,) = nodes.ask("XA", "forward", message_id=new, recipients=["XC"], purpose=AMONG)
    nodes.settle()
    assert nodes.ask("XC", "reminders") == [[new, "XD", "hand_on", third, AMONG]]
    nodes.ask("XC", "forward", message_id=third, recipients=["XD"], purpose=AMONG)
    nodes.settle()
    assert nodes.ask("XC", "reminders") == nodes.ask("XA", "reminders") == []
    told = nodes.ask("XD", "expected", message_id=second)
    assert (told["via"], bool(told["copy_id"]), told["can_be_asked"]) == ("XC", True, True)
    assert nodes.statuses("XB", new) == {"XA": "held", "XC": "held", "XD": "held"}
    given = {each["asker"]: each["recipients"] for each in nodes.ask("XB", "consents", message_id=new)}
    assert given == {"XA": ["XC"], "XC": ["XD"]}


def test_the_forwarder_is_reminded_until_it_handed_the_new_one_on(nodes: World) -> None:
    """A consent names one message: the one for the old message does not count for the new one."""
    old, copy = with_consent(nodes)
    new = corrected(nodes, old, "control")
    assert nodes.ask("XB", "reminders") == [[new, "XC", "ask", new, "control"]]
    assert nodes.ask("XA", "reminders") == nodes.ask("XC", "reminders") == []
    told = nodes.ask("XC", "expected", message_id=copy)
    assert told == {"message_id": new, "copy_id": "", "via": "XB", "origin": "XA", "can_be_asked": True}
    refused = nodes.ask("XB", "forward", message_id=new, recipients=["XC"], purpose="control")
    assert refused["error"] == "consent_missing"
    asked = nodes.ask("XB", "ask_consent", message_id=new, recipients=["XC"])
    assert nodes.ask("XB", "reminders")[0][2] == "answer"
    nodes.settle(among=("XA", "XB"))
    until = show_instant(nodes.at + timedelta(days=3))
    nodes.ask("XA", "give_consent", consent_id=asked["consent_id"], until=until)
    nodes.settle(among=("XA", "XB"))
    assert nodes.ask("XB", "reminders")[0][2] == "hand_on"
    (again,) = nodes.ask("XB", "forward", message_id=new, recipients=["XC"], purpose="control")
    assert nodes.ask("XB", "reminders") == []
    nodes.settle(among=("XA", "XB", "XC"))
    assert nodes.ask("XC", "expected", message_id=copy)["copy_id"] == again
    assert nodes.statuses("XA", old) == {"XB": "purged", "XC": "purged"}
    assert nodes.statuses("XA", new) == {"XB": "held", "XC": "held"}


@pytest.mark.long
def test_it_waits_for_the_new_one_and_is_put_aside_with_a_reason_or_ends_when_that_is_taken_back(nodes: World) -> None:
    old, copy = handed_on(nodes)
    assert nodes.ask("XA", "recall", ids=[old], is_let_on=True)["error"] == "bad_recall", "only a correction is let on"
    absent = str(new_id(nodes.at))
    new = corrected(nodes, old)
    assert nodes.ask("XB", "put_aside", message_id=absent, recipient="XC", why="None")["error"] == "bad_forward"
    aside = nodes.ask("XB", "put_aside", message_id=new, recipient="XC", why="XA has told them itself")
    assert (aside["state"], aside["why"]) == ("put_aside", "XA has told them itself")
    assert nodes.ask("XB", "reminders") == []
    assert nodes.ask("XC", "expected", message_id=copy)["copy_id"] == ""
    third = corrected(nodes, new)
    assert nodes.ask("XB", "reminders")[0][:3] == [third, "XC", "hand_on"], "a new correction is a new question"
    nodes.ask("XA", "recall", ids=[third])
    nodes.settle()
    assert nodes.ask("XB", "reminders") == []


def test_a_correction_replaces(nodes: World) -> None:
    ref = str(new_id(nodes.at))
    (old,) = nodes.ask("XA", "share", recipients=["XB"], ref=ref)
    nodes.settle()
    (view,) = nodes.ask("XA", "correct", ids=[old], ref=ref, title="Counterfeit sandals")
    nodes.settle()
    new = view["replacement"][old]
    assert nodes.statuses("XA", old) == {"XB": "purged"}
    assert nodes.statuses("XA", new) == {"XB": "held"}
    assert [state for _, name, state, _ in nodes.ask("XB", "signals") if name == ref].count("in force") == 1
    assert received(nodes, "XB", old)["purge_ground"] == "corrected"


def test_an_officer_objects_and_lets_go(nodes: World) -> None:
    message, copy = handed_on(nodes)
    assert nodes.ask("XC", "retain", message_id=copy, ground="because")["error"] == "bad_retention"
    nodes.ask("XC", "retain", message_id=copy, ground="court_order")
    nodes.ask("XA", "recall", ids=[message])
    nodes.settle()
    told = nodes.ask("XA", "holders", message_id=message)["XC"]
    assert (told["status"], told["ground"]) == ("retained", "court_order")
    assert told["ground_text"]
    assert received(nodes, "XC", copy)["size"] > 0
    nodes.ask("XC", "let_go", message_id=copy)
    assert nodes.ask("XC", "purge_due") == 1
    nodes.settle()
    assert nodes.statuses("XA", message)["XC"] == "purged"
    assert nodes.ask("XC", "retain", message_id=copy)["error"] == "bad_retention"


def test_what_is_retained_until_a_day_goes_on_that_day(nodes: World) -> None:
    (message,) = shared(nodes, "XB")
    nodes.settle()
    end = nodes.at + timedelta(days=7)
    nodes.ask("XB", "retain", message_id=message, ground="legal_proceedings", until=show_instant(end))
    nodes.ask("XA", "recall", ids=[message])
    nodes.settle()
    assert nodes.statuses("XA", message) == {"XB": "retained"}
    nodes.ask("XB", "purge_due")
    assert received(nodes, "XB", message)["size"] > 0
    nodes.pass_time(days=8)
    assert nodes.ask("XB", "purge_due") >= 1
    nodes.settle()
    assert nodes.statuses("XA", message) == {"XB": "purged"}


def test_two_ways_to_one_holder_and_one_answer(nodes: World) -> None:
    """XC has it from XB and, as another message, from XA: each is recalled by itself."""
    message, copy = handed_on(nodes)
    (direct,) = shared(nodes, "XC", purpose=AMONG)
    nodes.settle()
    nodes.ask("XA", "recall", ids=[message])
    nodes.settle()
    assert received(nodes, "XC", copy)["size"] == 0
    assert received(nodes, "XC", direct)["size"] > 0
    assert nodes.statuses("XA", direct) == {"XC": "held"}


def test_the_end_of_retention_purges_by_itself_and_after_the_agreement_a_recall_still_works(nodes: World) -> None:
    """Last of the module: it goes beyond the end of the agreement."""
    (early,) = shared(nodes, "XB")
    nodes.settle()
    nodes.pass_time(days=91)
    assert nodes.ask("XB", "purge_due") >= 1
    nodes.settle()
    told = nodes.ask("XA", "holders", message_id=early)["XB"]
    assert (told["status"], told["ground"], told["told_by"]) == ("purged", "retention_ended", "XB")
    nodes.pass_time(days=180)
    (late,) = shared(nodes, "XB", valid_until=show_instant(nodes.at + timedelta(days=400)))
    nodes.settle()
    nodes.pass_time(days=60)
    assert nodes.ask("XA", "share", recipients=["XB"])["error"] == "sharing_refused"
    nodes.ask("XA", "recall", ids=[late])
    nodes.settle()
    assert nodes.statuses("XA", late) == {"XB": "purged"}
