"""Knowledge shared with partners, for programs: profiles, hits, reports."""

from __future__ import annotations

from comity.common import utc_now
from comity.risk.backtesting import Past, backtest_profile
from comity.risk.profile_sharing import take_profile
from comity.risk.profiles import digest_of_profile
from comity.risk.reporting import take_report
from comity.risk.values import Source
from comity.trade import RiskType
from comity.trade.knowledge import RULE_LANGUAGE, FoundKind, SharedProfile, SignalReport, Told
from tests.api.conftest import MakeCaller
from tests.risk.cast import ANALYST as XA_ANALYST

MESSAGE = "00000000-0000-7000-8000-00000000000d"
RULE = "origin = 'XC'"
SOURCE = Source("XC", MESSAGE, "0" * 64, "1")


def test_a_partner_s_profile_is_listed_and_its_rule_shown_for_a_purpose(caller: MakeCaller) -> None:
    now = utc_now()
    digest = digest_of_profile(RULE, 30, "yellow", "other")
    shared = SharedProfile(
        "XC", "P/7", "Goods of XC", "Act s. 4", RULE_LANGUAGE, RULE, 30, "yellow", RiskType.OTHER, digest, now
    )
    take_profile(shared, source=SOURCE, until=None, at=now)
    analyst = caller("analyst", "liaison")
    (bare,) = analyst.get("/profiles").json()["items"]
    assert (bare["ref"], bare["state"], bare["issuer"], bare["issuer_ref"]) == ("XC.P-7", "received", "XC", "P/7")
    assert (bare["expression"], bare["withheld"], bare["digest"]) == ("", "purpose", digest)
    (whole,) = analyst.get("/profiles", purpose="risk_assessment").json()["items"]
    assert (whole["expression"], whole["withheld"]) == (RULE, "")
    assert analyst.post("/profiles/XC.P-7/approve").status_code == 403
    backtest_profile(XA_ANALYST, ref="XC.P-7", past=Past.before(now), at=now)
    supervisor = caller("supervisor", name="chipo")
    refused = supervisor.post("/profiles/XC.P-7/approve")
    assert (refused.status_code, refused.json()["code"], refused.json()["where"]) == (409, "bad_profile", "legal_basis")
    approved = supervisor.post("/profiles/XC.P-7/approve", {"legal_basis": "Act s. 8"}).json()
    assert (approved["legal_basis"], approved["legal_basis_here"]) == ("Act s. 4", "Act s. 8")
    refused = analyst.post("/profiles/XC.P-7/share", {"recipients": ["XB"], "purpose": "control"})
    assert (refused.status_code, refused.json()["code"]) == (409, "bad_profile")


def test_what_a_partner_told_of_ours_is_shown_for_a_purpose(caller: MakeCaller) -> None:
    kinds = (FoundKind(RiskType.COUNTERFEIT, 1),)
    report = SignalReport("XC", Told.ALERT, "XA-7", MESSAGE, 4, 1, utc_now(), kinds=kinds)
    take_report(report, source=SOURCE, at=utc_now())
    liaison = caller("liaison")
    assert liaison.get("/alerts/XA-7/reports").json()["code"] == "purpose_missing"
    (told,) = liaison.get("/alerts/XA-7/reports", purpose="control").json()["items"]
    assert (told["administration"], told["examined"], told["found"], told["fired"]) == ("XC", 4, 1, None)
    assert told["kinds"] == [{"risk_type": "counterfeit", "found": 1}]
    assert liaison.get("/profiles/XA-7/reports", purpose="control").json() == {"items": []}


def test_a_hit_that_is_not_there_is_asked_about_in_vain(caller: MakeCaller) -> None:
    liaison = caller("liaison")
    body = {"ref": "un:QDi.1:000000000000", "recipients": ["XB"], "purpose": "risk_assessment"}
    for path in ("/screening/questions", "/screening/tellings"):
        assert liaison.post(path, body).json()["code"] == "bad_screening"
    assert liaison.get("/screening/advice", ref=body["ref"]).json() == {"items": []}
