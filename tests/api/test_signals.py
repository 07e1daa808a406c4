"""What partners' alerts became here, and what became of our own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from comity.common import new_id, utc_now
from comity.risk.services import take_feedback, take_signal
from comity.trade import Finding, FindingResult
from comity.training import day_of_trade
from tests.api.conftest import MakeCaller

STORY = day_of_trade(11, 3).story


def test_a_taken_alert_is_listed_with_its_reliability(caller: MakeCaller) -> None:
    now = utc_now()
    alert = STORY.alert.issue(issuer="XC", at=now)
    take_signal(alert, message_id=str(new_id(now)), article="1", at=now)
    take_signal(
        replace(alert, ref="OLD", valid_from=now - timedelta(days=9), valid_until=now - timedelta(days=1)),
        message_id=str(new_id(now)),
        article="1",
        at=now - timedelta(days=5),
    )
    system = caller("system")
    signals = {signal["ref"]: signal for signal in system.get("/signals").json()["items"]}
    assert (signals[alert.ref]["issuer"], signals[alert.ref]["state"]) == ("XC", "in force")
    assert (signals[alert.ref]["reliability"], signals[alert.ref]["outcomes"]) == (0.5, 0)
    assert signals["OLD"]["state"] == "expired"


def test_what_a_partner_found_is_told(caller: MakeCaller) -> None:
    now = utc_now()
    finding = Finding("XB-F-1", "XB", now, FindingResult.IRREGULAR, alert_ref="XA-2026-0001")
    take_feedback(finding, message_id=str(new_id(now)), at=now)
    liaison = caller("liaison")
    (told,) = liaison.get("/alerts/XA-2026-0001/feedback", purpose="control").json()["items"]
    assert (told["administration"], told["finding_ref"], told["is_irregular"]) == ("XB", "XB-F-1", True)
    assert liaison.get("/alerts/XA-2026-0002/feedback", purpose="control").json() == {"items": []}
