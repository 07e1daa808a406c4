"""Agreements as programs see them, and questions that share nothing."""

from __future__ import annotations

import pytest

from comity.agreements.selectors import decision_receipts
from tests.api.cast import adopt_agreement
from tests.api.conftest import Caller, MakeCaller
from tests.api.test_frame import check_problem


@pytest.fixture
def agreement_id(db: None) -> str:
    return adopt_agreement()


@pytest.fixture
def system(caller: MakeCaller) -> Caller:
    return caller("system")


def question(**changes: object) -> dict[str, object]:
    asked: dict[str, object] = {
        "recipient": "XC",
        "kind": "alert/1",
        "purpose": "control",
        "hs_codes": ["640411"],
        "fields": ["ref", "concealment"],
    }
    return asked | changes


def test_agreements_are_listed_and_shown(agreement_id: str, system: Caller) -> None:
    listed = system.get("/agreements").json()["items"]
    assert [(entry["id"], entry["state"], entry["signed_by"]) for entry in listed] == [
        (agreement_id, "in_force", ["XA", "XB", "XC"])
    ]
    shown = system.get(f"/agreements/{agreement_id[:12]}").json()
    assert shown["title"] == "Trial agreement"
    assert shown["document"]["articles"][0]["handling_at_most"] == "restricted"


def test_an_unknown_agreement_is_404(db: None, system: Caller) -> None:
    check_problem(system.get(f"/agreements/{'0' * 64}"), 404, "unknown_agreement")


def test_a_question_is_answered_and_leaves_no_receipt(agreement_id: str, system: Caller) -> None:
    answer = system.post("/agreements/explain", question(agreement_id=agreement_id[:16])).json()
    assert answer["is_permitted"] is True
    assert answer["article_id"] == "1"
    assert (answer["fields_released"], answer["fields_withheld"]) == (["ref"], ["concealment"])
    assert answer["retention_days"] == 90
    assert decision_receipts() == ()


def test_a_near_miss_says_what_would_be_needed(agreement_id: str, system: Caller) -> None:
    answer = system.post("/agreements/explain", question(hs_codes=["870830"], handling="confidential")).json()
    assert answer["is_permitted"] is False
    miss = answer["near_misses"][0]
    assert miss["article_id"] == "1"
    assert {reason["code"] for reason in miss["failed"]} == {"goods", "handling"}


def test_another_administrations_information_is_not_handed_on(agreement_id: str, system: Caller) -> None:
    answer = system.post("/agreements/explain", question(issuer="XB", category="commodities")).json()
    assert answer["is_permitted"] is False


def test_a_wrong_word_is_named(agreement_id: str, system: Caller) -> None:
    body = check_problem(system.post("/agreements/explain", question(purpose="curiosity")), 422, "bad_field")
    assert "purpose" in str(body["where"])


def test_a_body_that_is_no_json_is_400(agreement_id: str, system: Caller) -> None:
    check_problem(system.send("/agreements/explain", b"{", "application/json"), 400, "bad_request")
