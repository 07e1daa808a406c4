"""The queue and its reasons, and profiles that two officers make."""

from __future__ import annotations

import pytest

from comity.trade.formats.wco_xml import write_wco_xml
from comity.training import day_of_trade
from tests.api.conftest import Caller, MakeCaller
from tests.api.test_frame import check_problem

DAY = day_of_trade(11, 3)
FIRST = next(declaration for declaration in DAY.imports if declaration.ucr == DAY.story.first_ucr)


@pytest.fixture
def analyst(caller: MakeCaller) -> Caller:
    return caller("analyst", name="ana", officer=True)


@pytest.fixture
def supervisor(caller: MakeCaller) -> Caller:
    return caller("supervisor", name="boris", officer=True)


def profile(**changes: object) -> dict[str, object]:
    body: dict[str, object] = {
        "ref": "CHEAP-SHOES",
        "title": "Shoes far below the usual price",
        "owner": "Targeting unit",
        "legal_basis": "Customs Act, section 12",
        "expression": "hs_heading = '6404' and unit_price_per_kg < 12",
        "weight": 80,
        "risk_type": "counterfeit",
        "lane": "red",
        "valid_from": "2020-01-01T00:00:00Z",
    }
    return body | changes


def approved(analyst: Caller, supervisor: Caller) -> None:
    assert analyst.post("/profiles", profile()).status_code == 201
    assert supervisor.post("/profiles/CHEAP-SHOES/approve").status_code == 200


def imported(analyst: Caller) -> str:
    receipt = analyst.send("/imports", write_wco_xml(FIRST), "application/xml").json()
    return str(receipt["imported"][0]["record_id"])


def test_a_profile_is_drafted_by_one_and_approved_by_another(analyst: Caller, supervisor: Caller) -> None:
    drafted = analyst.post("/profiles", profile())
    assert drafted.status_code == 201, drafted.content
    assert (drafted.json()["state"], drafted.json()["drafted_by"]) == ("draft", "officer:ana")
    in_force = supervisor.post("/profiles/CHEAP-SHOES/approve").json()
    assert (in_force["state"], in_force["approved_by"]) == ("active", "officer:boris")
    (listed,) = analyst.get("/profiles").json()["items"]
    assert (listed["ref"], listed["hits"], listed["precision"]) == ("CHEAP-SHOES", 0, None)
    check_problem(analyst.post("/profiles", profile(weight=5)), 409, "bad_profile")


def test_a_draft_is_tried_on_past_records_before_it_is_approved(analyst: Caller, supervisor: Caller) -> None:
    imported(analyst)
    analyst.post("/profiles", profile())
    check_problem(supervisor.post("/profiles/CHEAP-SHOES/approve"), 409, "bad_profile")
    found = analyst.post("/profiles/CHEAP-SHOES/backtest", {"days": 30}).json()
    assert (found["records"], found["is_cut"], found["precision"]) == (1, False, None)
    assert found["curve"][-1] == {"records": 1, "fired": found["fired"], "found": 0}
    (listed,) = analyst.get("/profiles").json()["items"]
    assert (listed["state"], listed["priority"], listed["shadowed_by"]) == ("tested", 5, "")
    assert supervisor.post("/profiles/CHEAP-SHOES/approve").status_code == 200
    check_problem(analyst.post("/profiles/NOWHERE/backtest", {}), 404, "not_found")


def test_nobody_approves_his_own_profile(all_mighty: Caller) -> None:
    all_mighty.post("/profiles", profile())
    check_problem(all_mighty.post("/profiles/CHEAP-SHOES/approve"), 409, "four_eyes")


def test_an_unknown_profile_is_404(supervisor: Caller) -> None:
    check_problem(supervisor.post("/profiles/NOWHERE/approve"), 404, "not_found")


def test_a_rule_that_does_not_parse_is_shown_where(analyst: Caller) -> None:
    body = check_problem(analyst.post("/profiles", profile(expression="hs_heading = ")), 422, "bad_rule")
    assert "column" in str(body["where"])


@pytest.mark.parametrize(
    ("field", "value"),
    [("weight", 101), ("ref", "a b"), ("lane", "purple"), ("legal_basis", " "), ("valid_from", "soon")],
)
def test_a_wrong_field_of_a_profile_is_named(analyst: Caller, field: str, value: object) -> None:
    body = check_problem(analyst.post("/profiles", profile(**{field: value})), 422, "bad_field")
    assert field in str(body["where"])


def test_a_record_is_assessed_with_reasons_and_evidence(analyst: Caller, supervisor: Caller) -> None:
    approved(analyst, supervisor)
    record_id = imported(analyst)
    assessment = analyst.get(f"/records/{record_id}/assessment").json()
    assert assessment["lane"] == "red"
    assert assessment["score"] == 80.0
    (reason,) = [each for each in assessment["reasons"] if each["source"] == "profile:CHEAP-SHOES"]
    assert reason["administration"] == "XA"
    assert {each["column"] for each in reason["evidence"]} >= {"unit_price_per_kg"}


def test_the_queue_is_narrowed_and_counted(analyst: Caller, supervisor: Caller) -> None:
    approved(analyst, supervisor)
    record_id = imported(analyst)
    queue = analyst.get("/queue").json()
    assert (queue["total"], queue["page"], queue["pages"]) == (1, 1, 1)
    (entry,) = queue["items"]
    assert (entry["record_id"], entry["lane"], entry["exporter"]) == (record_id, "red", DAY.story.consignor.name)
    assert queue["facets"]["lane"] == {"red": 1}
    assert analyst.get("/queue", lane=["green", "blue"]).json()["total"] == 0
    assert analyst.get("/queue", lane=["green", "red"], min_score=50, text="larkfield").json()["total"] == 1
    check_problem(analyst.get("/queue", min_score="nan"), 422, "bad_field")


def test_who_reads_only_may_not_write(caller: MakeCaller) -> None:
    system = caller("system")
    body = check_problem(system.post("/profiles", profile()), 403, "permission_refused")
    assert "analyst" in str(body["remedy"])
    assert system.get("/profiles").json() == {"items": []}
