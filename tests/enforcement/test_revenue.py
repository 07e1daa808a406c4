"""What a finding came to in duties and taxes: with it or later, in the currency of account, learned once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from comity.common import Reason
from comity.enforcement import FindingError, FindingFacts
from comity.enforcement import selectors as reads
from comity.enforcement import services as enforcement
from comity.enforcement.rules import check_revenue
from comity.journeys.inspect import assess_revenue, complete_inspection
from comity.risk.budgets import set_policy
from comity.risk.goals import Policy
from comity.risk.models import LearnedOutcome
from comity.risk.services import assess
from comity.staff import PermissionRefusedError
from comity.staff.models import AuditEntry
from comity.trade import FindingResult, Money, RiskType
from tests.risk.cast import AUDITOR, NODE, OFFICER, SUPERVISOR, declaration, store

HOUR = timedelta(hours=1)
CHEAP = FindingFacts(FindingResult.IRREGULAR, RiskType.UNDERVALUATION, description="The invoice says half")


def xaf(amount: str) -> Money:
    return Money(Decimal(amount), "XAF")


@pytest.mark.once
@pytest.mark.parametrize(
    ("result", "money", "said"),
    [
        (FindingResult.IRREGULAR, Money(Decimal(-1), "XAF"), "0 or more"),
        (FindingResult.IRREGULAR, Money(Decimal("NaN"), "XAF"), "0 or more"),
        (FindingResult.IRREGULAR, Money(Decimal(10) ** 15, "XAF"), "0 or more"),
        (FindingResult.IRREGULAR, Money(Decimal(1), "XQQ"), "no ISO 4217 code"),
        (FindingResult.IN_ORDER, Money(Decimal(1), "XAF"), "owe nothing more"),
    ],
)
def test_what_cannot_be_owed_is_refused(result: FindingResult, money: Money, said: str):
    with pytest.raises(FindingError, match=said):
        check_revenue(result, money)


@pytest.mark.once
def test_nothing_owed_and_nothing_known_are_not_the_same():
    for result in FindingResult:
        check_revenue(result, None)
        check_revenue(result, xaf("0"))


@pytest.fixture
def inspection_id(at: datetime) -> UUID:
    record = store(declaration(), at)
    assess(NODE, record=record, at=at)
    ordered = enforcement.order_inspection(OFFICER, record_id=record.record_id, reasons=[Reason("officer", "x")], at=at)
    return enforcement.start_inspection(OFFICER, inspection_id=ordered.inspection_id, at=at).inspection_id


@pytest.fixture
def account(at: datetime) -> None:
    set_policy(SUPERVISOR, day=at.date(), policy=Policy(currency="XAF"), at=at)


def learned() -> tuple[float | None, str, datetime | None]:
    row = LearnedOutcome.objects.get()
    return row.revenue, row.currency, row.revenue_at


@pytest.mark.django_db
def test_stated_with_the_finding_and_anew_after_an_appeal(inspection_id: UUID, account: None, at: datetime):
    facts, then = replace(CHEAP, revenue=xaf("1200.50")), at + HOUR
    done = complete_inspection(OFFICER, inspection_id=inspection_id, facts=facts, at=then)
    assert learned() == (1200.5, "XAF", then)
    file = reads.record_file(reads.inspection(inspection_id).record_id)
    assert file.assessed[done.finding.ref].revenue == xaf("1200.50")
    assert "1200" not in str(done.finding), "the notice to partners has no amount"
    with pytest.raises(PermissionRefusedError):
        assess_revenue(AUDITOR, finding_ref=done.finding.ref, revenue=xaf("900"), at=then + HOUR)
    again = assess_revenue(OFFICER, finding_ref=done.finding.ref, revenue=xaf("900"), at=then + HOUR)
    assert reads.assessed(done.finding.ref) == again
    assert learned() == (900.0, "XAF", then + HOUR)
    told = AuditEntry.objects.get(deed="assess_revenue").facts
    assert (told["was"], told["revenue"]) == ("1200.50 XAF", "900 XAF")


@pytest.mark.django_db
def test_not_assessed_until_it_is(inspection_id: UUID, account: None, at: datetime):
    done = complete_inspection(OFFICER, inspection_id=inspection_id, facts=CHEAP, at=at)
    assert learned() == (None, "", None)
    assert reads.assessed(done.finding.ref) is None
    assess_revenue(OFFICER, finding_ref=done.finding.ref, revenue=xaf("0"), at=at + HOUR)
    assert learned() == (0.0, "XAF", at + HOUR)
    with pytest.raises(FindingError, match="no such finding"):
        assess_revenue(OFFICER, finding_ref="XA-F-1", revenue=xaf("0"), at=at + HOUR)


@pytest.mark.django_db
def test_another_currency_is_refused_and_the_inspection_stays_open(inspection_id: UUID, account: None, at: datetime):
    facts = replace(CHEAP, revenue=Money(Decimal(3), "EUR"))
    with pytest.raises(FindingError, match=r"recorded in XAF, the currency of account.*at the rate"):
        complete_inspection(OFFICER, inspection_id=inspection_id, facts=facts, at=at)
    assert reads.finding_of_inspection(inspection_id) is None
    # Before the day on which it is stated there is none.
    early = datetime(2020, 1, 1, tzinfo=UTC)
    with pytest.raises(FindingError, match="No currency of account is stated here"):
        complete_inspection(OFFICER, inspection_id=inspection_id, facts=facts, at=early)
    assert not LearnedOutcome.objects.exists()
