"""Custody by a program: who holds what, recall, retain, forward, consents."""

from __future__ import annotations

from datetime import timedelta

import pytest

from comity.common import new_id, show_instant, utc_now
from comity.custody import ConsentAsked, HoldingNotice, Limits, RetainError, Status
from comity.custody.consents import take_question
from comity.custody.notices import sign_holding
from comity.custody.selectors import overdue
from comity.custody.services import Arrived, note_arrival, take_notice
from comity.exchange.selectors import messages
from comity.journeys.remind import custody_due
from tests.api.cast import EVERYONE, adopt_agreement, introduce_partners, keyring_of, sharing
from tests.api.conftest import Caller, MakeCaller
from tests.api.test_frame import check_problem
from tests.custody.owing import owe


@pytest.fixture
def partners(db: None) -> str:
    introduce_partners()
    return adopt_agreement()


@pytest.fixture
def liaison(caller: MakeCaller) -> Caller:
    return caller("liaison", name="ana", officer=True)


@pytest.fixture
def supervisor(caller: MakeCaller) -> Caller:
    return caller("supervisor", name="boris", officer=True)


@pytest.fixture
def shared(partners: str, liaison: Caller) -> dict[str, str]:
    posted = liaison.post("/alerts", sharing()).json()["posted"]
    return {each["recipient"]: each["message_id"] for each in posted}


def holder(caller: Caller, message_id: str) -> dict[str, object]:
    (found,) = caller.get(f"/messages/{message_id}/holders").json()["items"]
    return dict(found)


def test_whoever_was_sent_a_message_holds_it(shared: dict[str, str], liaison: Caller) -> None:
    found = holder(liaison, shared["XB"])
    assert (found["holder"], found["status"], found["via"]) == ("XB", "held", "XA")
    assert found["keep_until"]
    assert liaison.get(f"/messages/{new_id(utc_now())}/holders").json() == {"items": []}


@pytest.mark.parametrize("who", ["liaison", "supervisor"])
def test_a_recall_goes_to_each_partner(shared: dict[str, str], who: str, request: pytest.FixtureRequest) -> None:
    one: Caller = request.getfixturevalue(who)
    body = {"ground": "information_wrong", "message_ids": [shared["XC"]]}
    response = one.post(f"/messages/{shared['XB']}/recall", body)
    assert response.status_code == 201, response.content
    recalls = response.json()["items"]
    assert [each["sent_to"] for each in recalls] == [["XB"], ["XC"]]
    assert [each["open"] for each in recalls] == [1, 1]
    assert {each["recall_id"] for each in one.get("/recalls").json()["items"]} == {
        each["recall_id"] for each in recalls
    }
    assert one.get("/recalls", direction="received").json() == {"items": []}
    assert [line.kind for line in messages(direction="sent", kind="recall/1")] == ["recall/1"] * 2


def test_a_recall_out_of_form_is_refused(shared: dict[str, str], liaison: Caller) -> None:
    path = f"/messages/{shared['XB']}/recall"
    check_problem(liaison.post(path, {"ground": "whim"}), 422, "bad_recall")
    check_problem(liaison.post(path, {"ground": "breach", "mode": "tighten"}), 422, "bad_recall")
    past = show_instant(utc_now() - timedelta(days=1))
    body = {"ground": "breach", "mode": "tighten", "keep_until": past}
    check_problem(liaison.post(path, body), 422, "bad_recall")
    mixed = {"ground": "superseded", "mode": "correct", "replacement": {shared["XB"]: shared["XC"]}}
    check_problem(liaison.post(path, mixed), 422, "bad_recall")
    check_problem(liaison.post(f"/messages/{new_id(utc_now())}/recall", {"ground": "breach"}), 404, "unknown_message")


def test_a_duty_is_not_recalled(shared: dict[str, str], liaison: Caller) -> None:
    liaison.post(f"/messages/{shared['XB']}/recall", {"ground": "breach"})
    (line,) = messages(direction="sent", kind="recall/1")
    check_problem(liaison.post(f"/messages/{line.id}/recall", {"ground": "breach"}), 422, "bad_recall")


def test_who_may_not_share_does_not_recall(shared: dict[str, str], caller: MakeCaller) -> None:
    auditor = caller("auditor", name="adam", officer=True)
    assert auditor.get(f"/messages/{shared['XB']}/holders").status_code == 200
    body = {"ground": "breach"}
    check_problem(auditor.post(f"/messages/{shared['XB']}/recall", body), 403, "permission_refused")


def test_who_does_not_answer_is_overdue(shared: dict[str, str], liaison: Caller) -> None:
    liaison.post(f"/messages/{shared['XB']}/recall", {"ground": "breach"})
    assert custody_due(utc_now()) == 0
    assert liaison.get("/holders/overdue").json() == {"items": []}
    late = utc_now() + timedelta(days=2)
    assert custody_due(late) == 1
    assert custody_due(late) == 0
    (found,) = liaison.get("/holders/overdue").json()["items"]
    assert (found["holder"], found["message_id"]) == ("XB", shared["XB"])
    (view,) = overdue()
    assert view.is_answer_missing
    answer = HoldingNotice(shared["XB"], "XA", "XB", "XB", Status.PURGED, "recalled", late, recall=view.recall_id)
    signed = sign_holding(answer, keyring_of("XB").signing)
    # What is not proved moves nothing; what is proved does, once.
    assert take_notice(signed, sender="XB", agreement=view.agreement, is_proved=False, at=late)
    assert holder(liaison, shared["XB"])["status"] == "overdue"
    other = sign_holding(
        HoldingNotice(shared["XB"], "XA", "XB", "XB", Status.PURGED, "recalled", late), keyring_of("XB").signing
    )
    assert take_notice(other, sender="XB", agreement=view.agreement, is_proved=True, at=late)
    assert not take_notice(other, sender="XB", agreement=view.agreement, is_proved=True, at=late)
    assert holder(liaison, shared["XB"])["status"] == "purged"


@pytest.fixture
def held(partners: str) -> str:
    """A message of XB that is held here."""
    message_id, at = str(new_id(utc_now())), utc_now()
    limits = Limits(at + timedelta(days=9), "official")
    note_arrival("XA", Arrived("XB", message_id, "XB", message_id, "alert/1", partners, "1", limits), at=at)
    return message_id


def test_a_copy_is_retained_and_let_go(held: str, liaison: Caller) -> None:
    until = show_instant(utc_now() + timedelta(days=30))
    response = liaison.post(f"/messages/{held}/retain", {"ground": "court_order", "until": until})
    assert (response.status_code, response.json()["retain_ground"]) == (200, "court_order")
    assert liaison.post(f"/messages/{held}/let-go").json()["retain_ground"] == ""
    check_problem(liaison.post(f"/messages/{held}/let-go"), 409, RetainError.code)
    check_problem(liaison.post(f"/messages/{held}/retain", {"ground": "whim"}), 409, RetainError.code)
    past = {"ground": "court_order", "until": "2020-01-01T00:00:00Z"}
    check_problem(liaison.post(f"/messages/{held}/retain", past), 409, RetainError.code)
    strange = f"/messages/{new_id(utc_now())}/retain"
    check_problem(liaison.post(strange, {"ground": "court_order"}), 409, RetainError.code)


def test_what_is_not_here_is_not_handed_on(shared: dict[str, str], liaison: Caller) -> None:
    body = {"recipients": ["XC"], "purpose": "control"}
    check_problem(liaison.post(f"/messages/{shared['XB']}/forward", body), 409, "not_held")
    ask = {"recipients": ["XC"], "reason": "They load it"}
    check_problem(liaison.post(f"/messages/{shared['XB']}/consents", ask), 409, "not_held")


def test_a_consent_is_asked_of_the_owner(held: str, liaison: Caller) -> None:
    response = liaison.post(f"/messages/{held}/consents", {"recipients": ["XC"], "reason": "They load it"})
    assert response.status_code == 201, response.content
    (listed,) = liaison.get("/consents").json()["items"]
    assert (listed["state"], listed["owner"], listed["asker"]) == ("asked", "XB", "XA")
    assert [line.kind for line in messages(direction="sent")] == ["consent/1"]


@pytest.mark.parametrize("handling", ["official", "restricted"])
def test_a_consent_that_is_asked_of_us_is_answered_by_who_may(
    shared: dict[str, str], partners: str, liaison: Caller, supervisor: Caller, handling: str
) -> None:
    asked = ConsentAsked(str(new_id(utc_now())), shared["XB"], "XA", ("XC",), "They load it")
    take_question(asked, asker="XB", agreement=partners, handling=handling, asked_in=asked.id, at=utc_now())
    until = {"until": show_instant(utc_now() + timedelta(days=3))}
    path = f"/consents/{asked.id}"
    check_problem(liaison.post(f"{path}/give", {"until": "2020-01-01T00:00:00Z"}), 409, "bad_consent")
    check_problem(supervisor.post(f"{path}/give", until | {"recipients": ["XD"]}), 409, "bad_consent")
    if handling == "restricted":
        check_problem(liaison.post(f"{path}/give", until), 403, "permission_refused")
        assert supervisor.post(f"{path}/give", until).json()["state"] == "given"
    else:
        assert liaison.post(f"{path}/refuse").json()["state"] == "refused"
    check_problem(supervisor.post(f"{path}/refuse"), 409, "bad_consent")
    assert [line.kind for line in messages(direction="sent", kind="consent/1")] == ["consent/1"]


def test_what_is_to_be_handed_on_again_is_told_and_put_aside(
    partners: str, liaison: Caller, caller: MakeCaller
) -> None:
    owed = owe(EVERYONE, "XB", "XC", agreement=partners, at=utc_now())
    (found,) = liaison.get("/successors").json()["items"]
    assert (found["message_id"], found["replaced"], found["recipient"]) == (owed.new, owed.old, "XC")
    assert (found["state"], found["next"], found["replaced_copy"]) == ("due", "never", owed.copy)
    path, body = f"/messages/{owed.new}/put-aside", {"recipient": "XC", "reason": "They have it from XB"}
    check_problem(caller("auditor", name="adam", officer=True).post(path, body), 403, "permission_refused")
    done = liaison.post(path, body).json()
    assert (done["state"], done["next"], done["why"]) == ("put_aside", "", "They have it from XB")
    assert liaison.get("/successors").json() == {"items": []}
    assert liaison.get("/successors", show="all").json()["items"] == [done]
    check_problem(liaison.post(path, body), 409, "bad_forward")


def test_only_a_correction_is_let_on(shared: dict[str, str], liaison: Caller) -> None:
    body = {"ground": "breach", "let_on": True}
    check_problem(liaison.post(f"/messages/{shared['XB']}/recall", body), 422, "bad_recall")
