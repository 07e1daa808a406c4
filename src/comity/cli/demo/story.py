"""The story: found at XC, told to XA and XB, found again at XA, told back to XC; and an alert that nobody may send."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from comity.cli.demo.federation import Federation
from comity.cli.demo.nodes import DemoError
from comity.trade import Alert, Handling
from comity.trade.encoding import alert_to_body
from comity.training import AlertText, Story, photo

_PURPOSE = "risk_assessment"
_PROFILES: tuple[dict[str, object], ...] = (
    {
        "ref": "XC-SHOES-PRICE",
        "title": "Sports shoes far below the usual price for their mass",
        "owner": "Targeting centre of Charlie",
        "legal_basis": "Customs Act of Charlie, section 12",
        "expression": "starts_with(hs_code, '6404') AND unit_price_per_kg < 10",
        "weight": 70,
        "risk_type": "counterfeit",
        "lane": "red",
    },
    {
        "ref": "XC-VALUE-LOW",
        "title": "Electrical goods below three dollars a kilogram",
        "owner": "Targeting centre of Charlie",
        "legal_basis": "Customs Act of Charlie, section 12",
        "expression": "hs_chapter = '85' AND unit_price_per_kg < 3",
        "weight": 45,
        "risk_type": "undervaluation",
        "lane": "yellow",
    },
    {
        "ref": "XC-NEW-HEAVY",
        "title": "Heavy consignments in one container without a seal",
        "owner": "Targeting centre of Charlie",
        "legal_basis": "Customs Act of Charlie, section 12",
        "expression": "containers = 1 AND seals = 0 AND gross_mass_kg > 8000",
        "weight": 25,
        "risk_type": "smuggling",
        "lane": "yellow",
    },
)


def put_profiles_in_force(federation: Federation) -> int:
    """An analyst of XC drafts the profiles, a supervisor approves them."""
    begins = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    for profile in _PROFILES:
        federation.officer("XC").post("/profiles", {**profile, "valid_from": begins})
        federation.supervisor("XC").post(f"/profiles/{profile['ref']}/approve")
    return len(_PROFILES)


def first_finding(federation: Federation, story: Story) -> tuple[str, dict[str, Any]]:
    """XC selected the first consignment by its own rules; the inspection finds counterfeit goods.

    Returns the sentence of the reason and the finding.
    """
    desk = federation.officer("XC")
    entry = _selected(federation, "XC", story.first_import_lrn)
    inspection = desk.post(f"/records/{entry['record_id']}/inspections", {"place": "Port of Charlie, shed 4"})
    found = _found(federation, "XC", inspection["inspection_id"], story, story.finding_text)
    desk.post(
        f"/inspections/{inspection['inspection_id']}/seizures",
        {
            "legal_basis": "Customs Act of Charlie, section 31",
            "goods": "Sports shoes bearing a mark without right",
            "hs_code": story.goods_hs,
            "quantity": "4200",
            "unit": "PR",
            "place": "Port of Charlie, shed 4",
        },
    )
    return entry["top_reason"], found["finding"]


def share(federation: Federation, story: Story, finding: dict[str, Any]) -> tuple[str, ...]:
    """XC's officer proposes the alert, the supervisor agrees, XA and XB answer with receipts.

    The alert names the photos of the finding by their hashes. Returns the ids of the messages to XA and XB.
    """
    form = _form(replace(_alert(story.alert), handling=Handling.RESTRICTED)) | {"exhibits": finding["exhibits"]}
    wish = {"alert": form, "recipients": ["XA", "XB"], "purpose": _PURPOSE}
    proposal = federation.officer("XC").post("/alerts", wish)["proposal_id"]
    posted = federation.supervisor("XC").post(f"/approvals/{proposal}/approve")["posted"]
    for message in posted:
        federation.officer("XC").wait_for_receipt(message)
        federation.officer(message["recipient"]).wait_for(
            "The journey of the alert", "/messages", "state", "done", direction="received", kind="alert/1"
        )
    return tuple(message["message_id"] for message in sorted(posted, key=lambda each: str(each["recipient"])))


def second_finding(federation: Federation, story: Story) -> tuple[dict[str, Any], str]:
    """XA selected the next consignment because of the alert; its finding returns to XC.

    Returns the reason that rests on the alert, and the state of the notice at XC.
    """
    desk = federation.officer("XA")
    entry = _selected(federation, "XA", story.second_export_lrn)
    reasons = desk.get(f"/records/{entry['record_id']}/assessment", purpose=_PURPOSE)["reasons"]
    by_alert = [reason for reason in reasons if reason["source"] == f"alert:{story.alert.ref}"]
    if not by_alert or entry["administrations"] != ["XC"]:
        raise DemoError("The alert is not the reason", where=f"XA: {reasons}")
    inspection = desk.post(f"/records/{entry['record_id']}/inspections", {"place": "Port of Alfa, gate 2"})
    found = _found(federation, "XA", inspection["inspection_id"], story, story.second_finding_text)
    (notice,) = found["notices"]
    desk.wait_for_receipt(notice)
    back = federation.officer("XC").wait_for(
        "The journey of the finding", "/messages", "state", "done", direction="received", kind="finding/1"
    )
    return by_alert[0], str(back["state"])


def refused_alert(federation: Federation, story: Story) -> str:
    """An alert that no article permits; returns what the node said."""
    wish = {"alert": _form(_alert(story.refused_alert)), "recipients": ["XA"], "purpose": _PURPOSE}
    decision = federation.officer("XC").refused("/alerts", wish)["decision"]
    return " ".join(reason["text"] for reason in decision["reasons"])


def reliability(federation: Federation) -> float:
    """How reliable XA has measured XC's alerts to be."""
    signals = federation.officer("XA").get("/signals")["items"]
    return float(signals[0]["reliability"]) if signals else 0.5


def confirmations(federation: Federation, story: Story) -> int:
    """How often partners confirmed XC's alert, as XC knows it."""
    feedback = federation.officer("XC").get(f"/alerts/{story.alert.ref}/feedback", purpose=_PURPOSE)["items"]
    return sum(1 for each in feedback if each["is_irregular"])


def _selected(federation: Federation, code: str, reference: str) -> dict[str, Any]:
    found = federation.officer(code).get("/queue", text=reference)["items"]
    matching = [entry for entry in found if entry["reference"] == reference]
    if not matching or matching[0]["state"] != "selected":
        raise DemoError(f"{reference} was not selected", where=f"{code}: {found}")
    entry: dict[str, Any] = matching[0]
    return entry


def _found(federation: Federation, code: str, inspection_id: str, story: Story, words: str) -> dict[str, Any]:
    fields = {
        "result": "irregular",
        "risk_type": "counterfeit",
        "description": words,
        "hs_code": story.goods_hs,
        "quantity": "4200",
        "unit": "PR",
        "detection_method": "physical examination",
    }
    files = {"exhibits": (story.photo_name, photo(), "image/png")}
    return federation.officer(code).send_form(f"/inspections/{inspection_id}/findings", fields, files)


def _alert(text: AlertText) -> Alert:
    return text.issue(issuer="XC", at=datetime.now(UTC))


def _form(alert: Alert) -> dict[str, object]:
    """The alert as the API takes it: the node itself says who issues it and when."""
    body = alert_to_body(alert)
    return {name: value for name, value in body.items() if name not in {"issuer", "issued_at"}}
