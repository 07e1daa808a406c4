"""From an order to a finding, a seizure, a release, by programs that speak for officers."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from comity.common import utc_now
from comity.enforcement import selectors
from comity.risk.services import DayPlan, set_plan
from comity.trade.formats.wco_xml import write_wco_xml
from comity.training import day_of_trade, photo
from tests.api.cast import EVERYONE
from tests.api.conftest import Caller, MakeCaller
from tests.api.test_frame import check_problem

DAY = day_of_trade(11, 3)
SOME_ID = UUID(int=7)


@pytest.fixture
def officer(caller: MakeCaller) -> Caller:
    return caller("officer", "analyst", name="ana", officer=True)


@pytest.fixture
def record_id(officer: Caller) -> str:
    """A record that nothing speaks against; the day has no inspections to spend at random."""
    now = utc_now()
    set_plan(EVERYONE, day=now.date() - timedelta(days=2), plan=DayPlan(capacity=0), at=now)
    receipt = officer.send("/imports", write_wco_xml(DAY.imports[-1]), "application/xml").json()
    return str(receipt["imported"][0]["record_id"])


@pytest.fixture
def inspection_id(officer: Caller, record_id: str) -> str:
    response = officer.post(f"/records/{record_id}/inspections", {"remark": "The price is low.", "place": "Shed 4"})
    assert response.status_code == 201, response.content
    return str(response.json()["inspection_id"])


def irregular(**changes: object) -> dict[str, object]:
    fields: dict[str, object] = {
        "result": "irregular",
        "risk_type": "counterfeit",
        "description": DAY.story.finding_text,
        "hs_code": "640411",
        "quantity": "1250",
        "unit": "NPR",
    }
    return fields | changes


def seizure(**changes: object) -> dict[str, object]:
    body: dict[str, object] = {
        "legal_basis": "Customs Act, section 40",
        "goods": "1,250 pairs of sports shoes",
        "quantity": "1250",
        "unit": "NPR",
        "amount": "18750.50",
        "currency": "EUR",
    }
    return body | changes


def test_an_inspection_is_ordered_with_its_reasons(officer: Caller, record_id: str, inspection_id: str) -> None:
    shown = officer.get(f"/inspections/{inspection_id}").json()
    assert (shown["state"], shown["record_id"], shown["place"]) == ("ordered", record_id, "Shed 4")
    assert ("officer", "The price is low.") in {(each["code"], each["text"]) for each in shown["reasons"]}
    assert officer.get("/inspections", state="ordered").json()["items"] == [shown]
    assert officer.get("/inspections", state="completed").json()["items"] == []
    check_problem(officer.post(f"/records/{record_id}/inspections", {"remark": "Again."}), 409, "bad_inspection")


def test_an_inspection_needs_a_reason(officer: Caller, record_id: str) -> None:
    check_problem(officer.post(f"/records/{record_id}/inspections"), 409, "bad_inspection")


def test_a_finding_with_a_photo_then_a_seizure(officer: Caller, inspection_id: str) -> None:
    picture = photo()
    response = officer.upload(
        f"/inspections/{inspection_id}/findings",
        irregular(exhibits=[SimpleUploadedFile("label.png", picture), SimpleUploadedFile("note.txt", b"Row 3")]),
    )
    assert response.status_code == 201, response.content
    finding = response.json()["finding"]
    assert (finding["result"], finding["risk_type"]) == ("irregular", "counterfeit")
    assert finding["quantity"] == {"value": "1250", "unit": "NPR"}
    assert finding["consignor"]["id"] == DAY.story.consignor.id
    digest = hashlib.sha256(picture).hexdigest()
    assert (finding["exhibits"][0]["name"], finding["exhibits"][0]["sha256"]) == ("label.png", digest)
    assert finding["exhibits"][0]["media_type"] == "image/png"
    assert selectors.exhibit(finding["ref"], digest).data == picture
    assert response.json()["notices"] == []

    seized = officer.post(f"/inspections/{inspection_id}/seizures", seizure())
    assert seized.status_code == 201, seized.content
    assert (seized.json()["amount"], seized.json()["currency"]) == ("18750.50", "EUR")
    assert officer.get("/seizures").json()["items"] == [seized.json()]


def test_what_is_seized_cannot_be_released(officer: Caller, record_id: str, inspection_id: str) -> None:
    check_problem(officer.post(f"/inspections/{inspection_id}/seizures", seizure()), 409, "bad_seizure")
    officer.upload(f"/inspections/{inspection_id}/findings", irregular())
    officer.post(f"/inspections/{inspection_id}/seizures", seizure(amount=None, quantity=None))
    check_problem(officer.post(f"/records/{record_id}/release", {"reason": "Mistake."}), 409, "bad_release")


def test_goods_in_order_are_released_with_a_reason(officer: Caller, record_id: str, inspection_id: str) -> None:
    check_problem(officer.post(f"/records/{record_id}/release", {"reason": "Fine."}), 409, "bad_release")
    response = officer.upload(f"/inspections/{inspection_id}/findings", {"result": "in_order"})
    assert response.status_code == 201, response.content
    check_problem(officer.post(f"/records/{record_id}/release", {"reason": " "}), 422, "bad_field")
    released = officer.post(f"/records/{record_id}/release", {"reason": "As declared."}).json()
    assert (released["record_id"], released["decided_by"]) == (record_id, "officer:ana")
    check_problem(officer.post(f"/records/{record_id}/release", {"reason": "Twice."}), 409, "bad_release")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"result": "maybe"}, "bad_field", "result"),
        ({"quantity": "-3"}, "bad_field", "quantity"),
        ({"hs_code": "64x"}, "bad_field", "hs_code"),
        ({"risk_type": ""}, "bad_finding", "risk_type"),
        ({"exhibits": [SimpleUploadedFile("empty.png", b"")]}, "bad_exhibit", "empty.png"),
    ],
)
def test_a_wrong_finding_names_its_field(
    officer: Caller, inspection_id: str, changes: dict[str, object], code: str, field: str
) -> None:
    response = officer.upload(f"/inspections/{inspection_id}/findings", irregular(**changes))
    body = check_problem(response, 422, code)
    assert field in str(body["where"])
    assert officer.get(f"/inspections/{inspection_id}").json()["state"] == "ordered"


def test_what_is_not_there_is_404(officer: Caller) -> None:
    check_problem(officer.get(f"/inspections/{SOME_ID}"), 404, "not_found")
    check_problem(officer.upload(f"/inspections/{SOME_ID}/findings", irregular()), 404, "not_found")
    check_problem(officer.post(f"/inspections/{SOME_ID}/seizures", seizure()), 404, "not_found")
    for deed, body in (("inspections", {"remark": "None."}), ("release", {"reason": "None."})):
        check_problem(officer.post(f"/records/{SOME_ID}/{deed}", body), 404, "record_not_found")


def test_a_check_after_release_is_told_given_and_given_up(officer: Caller, record_id: str) -> None:
    assert officer.get("/checks").json()["counts"][0]["open"] == 0
    officer.post(f"/records/{record_id}/lane", {"lane": "blue", "reason": "See the invoice"})
    gone = officer.post(f"/records/{record_id}/release", {"reason": "Known trader"}).json()
    assert gone["after"] == "ordered"
    check = gone["check"]
    assert (check["is_after_release"], check["state"], check["assigned_to"]) == (True, "ordered", "")
    told = officer.get("/checks").json()
    assert told["items"] == [check]
    assert (told["counts"][0]["office"], told["counts"][0]["open"], told["counts"][0]["overdue"]) == (None, 1, 0)
    assert officer.get("/checks", overdue=True).json()["total"] == 0
    assert officer.get("/inspections", after_release=False).json()["items"] == []
    given = officer.post("/checks/assign", {"checks": [check["inspection_id"]], "officer": "ana"})
    assert given.json() == {"changed": 1}
    place = f"/checks/{check['inspection_id']}/drop"
    dropped = officer.post(place, {"reason": "The trader closed"}).json()
    assert (dropped["state"], dropped["dropped_because"]) == ("dropped", "The trader closed")
    check_problem(officer.post(place, {"reason": "Again"}), 409, "bad_inspection")
    check_problem(officer.post(f"/checks/{SOME_ID}/drop", {"reason": "None"}), 404, "not_found")
