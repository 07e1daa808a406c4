"""The day's inspections, the planner, other lanes, release times and the proof, over HTTP."""

from __future__ import annotations

import pytest

from comity.risk.proving import FORMAT
from tests.api.conftest import Caller, MakeCaller
from tests.api.test_frame import check_problem
from tests.api.test_risk import approved, imported


@pytest.fixture
def analyst(caller: MakeCaller) -> Caller:
    return caller("analyst", name="ana", officer=True)


@pytest.fixture
def supervisor(caller: MakeCaller) -> Caller:
    return caller("supervisor", name="boris", officer=True)


def test_a_day_is_planned_looked_ahead_and_changed(analyst: Caller, supervisor: Caller) -> None:
    approved(analyst, supervisor)
    record_id = imported(analyst)
    day = analyst.get("/selection").json()
    assert (day["used"], day["used_mandatory"], day["capacity"], day["budgets"]) == (1, 1, 20, [])
    ahead = analyst.get("/selection/planner", inspections=5).json()
    assert (ahead["waiting"], ahead["is_guess"], ahead["expected"]["inspections"]) == (1, True, 1)
    assert ahead["parts"][0]["control"] == "physical"
    assert ahead["curve"][0]["hits"] == 0
    assert (ahead["revenue_silence"], ahead["revenue_currency"]) == ("no_champion", None)
    assert (ahead["expected"]["revenue"], ahead["parts"][0]["with_revenue"]) == (None, 0)
    check_problem(analyst.get("/selection/planner", inspections=-1), 422, "bad_field")
    check_problem(
        analyst.post(f"/records/{record_id}/lane", {"lane": "blue", "reason": "x"}), 403, "permission_refused"
    )
    lowered = supervisor.post(f"/records/{record_id}/lane", {"lane": "orange", "reason": "A scan will do"}).json()
    assert lowered["lane"] == "red"
    assert lowered["proposal_id"]
    check_problem(supervisor.post(f"/records/{record_id}/lane", {"lane": "red", "reason": "x"}), 409, "bad_selection")
    unknown = "00000000-0000-7000-8000-000000000000"
    check_problem(supervisor.post(f"/records/{unknown}/lane", {"lane": "red", "reason": "x"}), 404, "not_found")
    proof = analyst.get(f"/selection/{day['day']}/proof").json()
    assert (proof["format"], proof["otherwise"]) == (FORMAT, {"mandatory": 1})
    assert analyst.get("/release-times").json() == {"items": []}
    assert supervisor.post(f"/records/{record_id}/release", {"reason": "Known goods"}).status_code == 200
    lanes = {each["lane"] for each in analyst.get("/release-times", days=1).json()["items"]}
    assert lanes == {"red"}
