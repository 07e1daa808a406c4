"""A partner's word: method, evidence, grade and age are told, age takes weight off it, it never decides alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from comity.intake.services import receive
from comity.journeys.arrive import assess_records
from comity.risk import Explanation, QueueFilter, SourceKind
from comity.risk import selectors as risk
from comity.risk.rules import LEAST_SHARE, share_left
from comity.risk.services import take_signal
from comity.trade import Alert, AlertCategory, Exhibit, SuggestedAction
from comity.trade.formats.wco_xml import write_wco_xml
from tests.exchange.cast import ANA, alert
from tests.journeys.mirror_cast import IMPORT

pytestmark = pytest.mark.django_db


def _assessed(found: Alert, at: datetime) -> Explanation:
    """The import of shoes of the consignor whom the alert names."""
    exporter = replace(IMPORT.exporter, id="XA123") if IMPORT.exporter else None
    data = write_wco_xml(replace(IMPORT, exporter=exporter))
    receipt = receive(ANA, source="api", name="a.xml", data=data, mapping=None, at=at)
    take_signal(found, message_id="m-1", at=at)
    (record_id,) = (ref.record_id for ref in receipt.imported)
    assess_records([record_id], at=at)
    return risk.explanation(UUID(str(record_id)))


def _alert(at: datetime, days: int = 0, **changes: object) -> Alert:
    issued = at - timedelta(days=days)
    return alert(issued_at=issued, valid_from=issued, valid_until=at + timedelta(days=90), **changes)


@pytest.mark.parametrize(("days", "share"), [(0, 1.0), (30, 1.0), (37, 0.97), (212, 0.5), (4000, LEAST_SHARE)])
def test_age_takes_weight_off_by_weeks(days: int, share: float) -> None:
    assert share_left(days) == pytest.approx(share, abs=0.01)


def test_method_evidence_grade_and_age_are_told(at: datetime) -> None:
    exhibits = (Exhibit("label.png", "0" * 64, "image/png"),)
    found = _alert(at, days=212, category=AlertCategory.GOODS_SEIZED, exhibits=exhibits)
    (reason,) = _assessed(found, at).reasons
    facts = dict(reason.facts)
    assert facts["Method"] == "a seizure"
    assert facts["Evidence"] == "documented by files"
    assert facts["Age"] == "212 days"
    assert facts["Weight left by its age"] == "50%"
    assert facts["Issuer"] == "XC"
    assert facts["Grade"].startswith("C3")


def test_an_old_alert_weighs_less_than_the_same_when_it_was_new(at: datetime) -> None:
    new = _assessed(_alert(at), at).reasons[0].weight
    take_signal(_alert(at, days=400), message_id="m-2", at=at)  # corrects the first
    (record,) = [row.record_id for row in risk.queue(QueueFilter()).rows]
    assess_records([record], at=at)
    assert risk.explanation(record).reasons[0].weight < new / 2


def test_a_signal_alone_is_shown_to_be_alone(at: datetime) -> None:
    told = _assessed(_alert(at, suggested_action=SuggestedAction.STOP), at)
    assert told.rests_on_partners_alone
    assert all(reason.is_unverified for reason in told.reasons)
    assert "may not be the deciding factor" in told.reasons[0].text
    own = replace(told.reasons[0], source_kind=SourceKind.PROFILE)
    assert not replace(told, reasons=(*told.reasons, own)).rests_on_partners_alone
    assert not replace(told, reasons=()).rests_on_partners_alone
