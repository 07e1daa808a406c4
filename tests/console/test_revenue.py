"""An officer states what a finding came to, with it or later, and reads it on the consignment's page."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.test import Client

from comity.common import Reason
from comity.enforcement import selectors as enforcement
from comity.enforcement.services import order_inspection, start_inspection
from comity.risk.budgets import policy_on, set_policy
from comity.risk.services import assess
from comity.trade import Money
from tests.console.visiting import text_of
from tests.risk.cast import NODE, OFFICER, SUPERVISOR, declaration, store

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_an_amount_is_stated_with_the_finding_and_changed_later(as_role, settings: object, tmp_path: Path):
    boris: Client = as_role("officer")
    settings.COMITY_EVIDENCE = tmp_path  # type: ignore[attr-defined]
    record = store(declaration(), AT)
    assess(NODE, record=record, at=AT)
    ordered = order_inspection(OFFICER, record_id=record.record_id, reasons=[Reason("officer", "x")], at=AT)
    begun = start_inspection(OFFICER, inspection_id=ordered.inspection_id, at=AT)
    address = f"/inspections/{begun.inspection_id}/finding"
    assert "No currency of account is stated" in text_of(boris.get(address))
    policy = replace(policy_on(AT.date()), currency="XAF")
    set_policy(SUPERVISOR, day=AT.date(), policy=policy, at=AT)

    assert "assessed in addition (XAF)" in text_of(boris.get(address))
    found = {"result": "in_order", "handling": "official", "revenue": "5"}
    refused = boris.post(address, found)
    assert (refused.status_code, "owe nothing more" in text_of(refused)) == (422, True)
    found |= {"result": "irregular", "risk_type": "undervaluation", "description": "Half price", "revenue": "1200.5"}
    assert boris.post(address, found).status_code == 302
    finding = enforcement.finding_of_inspection(begun.inspection_id)
    assert finding is not None
    page = boris.get(f"/consignments/{record.record_id}")
    assert "1,200.5 XAF" in text_of(page)

    later = re.search(r"/findings/[^\"]+/revenue", page.content.decode())[0]  # type: ignore[index]  # it is there
    assert "1,200.5 XAF, by " in text_of(boris.get(later))
    assert boris.post(later, {"revenue": ""}).status_code == 422
    assert boris.post(later, {"revenue": "900"}).status_code == 302
    assessed = enforcement.assessed(finding.ref)
    assert assessed is not None
    assert assessed.revenue == Money(Decimal(900), "XAF")
    assert boris.get("/findings/XA-F-1/revenue").status_code == 404
