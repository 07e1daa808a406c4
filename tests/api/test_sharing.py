"""Sharing by a program: permitted and cut, refused with the condition, or before a second officer."""

from __future__ import annotations

from uuid import UUID

import pytest

from comity.agreements.selectors import decision_receipts
from comity.common import utc_now
from comity.exchange.selectors import message, messages
from tests.api.cast import adopt_agreement, alert, introduce_partners, sharing
from tests.api.conftest import Caller, MakeCaller
from tests.api.test_frame import check_problem


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


def test_an_alert_is_posted_cut_to_its_article(partners: str, liaison: Caller) -> None:
    response = liaison.post("/alerts", sharing())
    assert response.status_code == 201, response.content
    posted = response.json()["posted"]
    assert [entry["recipient"] for entry in posted] == ["XB", "XC"]
    view = message(posted[0]["message_id"])
    assert view.message is not None
    body = view.message.body
    assert body["issuer"] == "XA"
    assert body["subjects"] == [{"role": "consignor", "id": "XA190000001"}]
    assert "concealment" not in body
    assert {"concealment", "subjects[consignor].name"} <= set(view.withheld)


def test_what_no_article_permits_is_refused_with_article_and_condition(partners: str, liaison: Caller) -> None:
    response = liaison.post("/alerts", sharing(purpose="investigation"))
    body = check_problem(response, 403, "sharing_refused")
    decision = body["decision"]
    assert isinstance(decision, dict)
    assert decision["near_misses"][0]["article_id"] == "1"
    assert decision["near_misses"][0]["failed"][0]["code"] == "purpose"
    assert messages() == ()
    assert [receipt.is_permitted for receipt in decision_receipts()] == [False]


def test_an_unknown_agreement_is_404(partners: str, liaison: Caller) -> None:
    check_problem(liaison.post("/alerts", sharing(agreement_id="0" * 64)), 404, "unknown_agreement")


@pytest.mark.parametrize("recipients", [["XA"], ["XB", "XA"]])
def test_sharing_with_oneself_is_a_wrong_field(partners: str, liaison: Caller, recipients: list[str]) -> None:
    check_problem(liaison.post("/alerts", sharing(recipients=recipients)), 422, "no_recipient")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hs_codes", ["64-04"]),
        ("reliability", "G"),
        ("priority", 9),
        ("valid_until", "tomorrow"),
        ("title", "  "),
        ("category", "gossip"),
        ("handling", "secret"),
        ("ref", "a b"),
    ],
)
def test_a_wrong_field_is_named(partners: str, liaison: Caller, field: str, value: object) -> None:
    response = liaison.post("/alerts", sharing(alert=alert(**{field: value})))
    body = check_problem(response, 422, "bad_field")
    errors = body["errors"]
    assert isinstance(errors, list)
    assert any(field in error["field"] for error in errors)


def test_a_misspelt_field_is_not_passed_over(partners: str, liaison: Caller) -> None:
    body = check_problem(liaison.post("/alerts", sharing(agreement="x")), 422, "bad_field")
    assert "agreement" in str(body["where"])


def test_dates_in_the_wrong_order_are_a_wrong_field(partners: str, liaison: Caller) -> None:
    response = liaison.post("/alerts", sharing(alert=alert(valid_until="2020-01-01T00:00:00Z")))
    assert check_problem(response, 422, "bad_notice")["where"] == "valid_until"


def test_a_restricted_alert_waits_for_another_officer(partners: str, liaison: Caller, supervisor: Caller) -> None:
    response = liaison.post("/alerts", sharing(alert=alert(handling="restricted")))
    assert response.status_code == 202
    proposal_id = response.json()["proposal_id"]
    assert messages() == ()
    waiting = supervisor.get("/approvals").json()["items"]
    assert [(item["proposal_id"], item["handling"], item["proposed_by"]) for item in waiting] == [
        (proposal_id, "restricted", "officer:ana")
    ]
    approved = supervisor.post(f"/approvals/{proposal_id}/approve")
    assert approved.status_code == 201, approved.content
    assert len(approved.json()["posted"]) == 2
    assert len(messages()) == 2
    check_problem(supervisor.post(f"/approvals/{proposal_id}/approve"), 409, "proposal_refused")
    assert supervisor.get("/approvals").json()["items"] == []


def test_a_rejected_proposal_shares_nothing(partners: str, liaison: Caller, supervisor: Caller) -> None:
    proposal_id = liaison.post("/alerts", sharing(alert=alert(handling="restricted"))).json()["proposal_id"]
    check_problem(supervisor.post(f"/approvals/{proposal_id}/reject", {"reason": " "}), 422, "bad_field")
    rejected = supervisor.post(f"/approvals/{proposal_id}/reject", {"reason": "Not ripe."}).json()
    assert (rejected["state"], rejected["reason"], rejected["decided_by"]) == ("rejected", "Not ripe.", "officer:boris")
    assert messages() == ()


def test_nobody_approves_his_own(partners: str, all_mighty: Caller) -> None:
    proposal_id = all_mighty.post("/alerts", sharing(alert=alert(handling="restricted"))).json()["proposal_id"]
    check_problem(all_mighty.post(f"/approvals/{proposal_id}/approve"), 409, "proposal_refused")


def test_an_unknown_proposal_is_404(partners: str, supervisor: Caller) -> None:
    for deed in ("approve", "reject"):
        path = f"/approvals/{UUID(int=7)}/{deed}"
        check_problem(supervisor.post(path, {"reason": "None."}), 404, "not_found")


def test_messages_and_partners_are_listed(partners: str, liaison: Caller) -> None:
    liaison.post("/alerts", sharing())
    partner_list = liaison.get("/partners").json()["items"]
    assert [(partner["administration"], partner["waiting"]) for partner in partner_list] == [("XB", 1), ("XC", 1)]
    listed = liaison.get("/messages", direction="sent", partner="XB").json()["items"]
    assert [(entry["partner"], entry["kind"], entry["state"]) for entry in listed] == [("XB", "alert/1", "waiting")]
    shown = liaison.get(f"/messages/{listed[0]['message_id']}", purpose="control").json()
    assert shown["body"]["ref"] == "XA-2026-0001"
    assert "concealment" in shown["withheld"]
    assert shown["answer"] is None
    check_problem(liaison.get(f"/messages/{listed[0]['message_id']}/bundle", purpose="control"), 404, "unknown_message")
    check_problem(liaison.get(f"/messages/{UUID(int=7)}", purpose="control"), 404, "unknown_message")


def test_messages_come_in_pages_that_lose_none(partners: str, liaison: Caller) -> None:
    for number in range(3):
        liaison.post("/alerts", sharing(alert=alert(ref=f"XA-{number}")))
    seen: list[str] = []
    before: dict[str, str] = {}
    for _ in range(10):
        page = liaison.get("/messages", limit=3, **before).json()
        seen += [entry["message_id"] for entry in page["items"]]
        if page["next_before"] is None:
            break
        before = {"before": page["next_before"]}
    assert len(seen) == len(set(seen)) == 6


def test_a_page_smaller_than_what_was_posted_at_once_is_longer_and_loses_none(partners: str, liaison: Caller) -> None:
    liaison.post("/alerts", sharing())
    page = liaison.get("/messages", limit=1).json()
    assert len(page["items"]) == 2
    assert page["next_before"] is None
    assert liaison.get("/messages", before=utc_now().isoformat()).json()["next_before"] is None
