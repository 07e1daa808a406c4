"""From what a partner's controls found to a reason here: suppliers never seen here, of whom only the partner knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import comity.cli.risk_models  # noqa: F401  # its commands join the group
from comity.agreements import Agreement
from comity.intake import StoredRecord
from comity.risk import SourceKind
from comity.risk.modelling import retraining, views
from comity.risk.modelling.life import approve_model, promote_model
from comity.risk.modelling.rules import EXCHANGE
from comity.risk.modelling.shelves import this_shelf
from comity.risk.models import LearnedOutcome, ModelScore
from comity.risk.partner_findings import take_partner_finding
from comity.risk.selectors import explanation
from comity.risk.services import assess
from comity.risk.values import Source
from comity.trade import Finding, FindingResult, Party, Subject, SubjectRole
from comity.trade.values import Address
from tests.risk.cast import ANALYST, NODE, SUPERVISOR, declaration, store
from tests.risk.prediction.test_libraries import missing_library
from tests.risk.test_partners_told import adopt

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.long,
    pytest.mark.skipif(bool(missing_library()), reason=f"needs the extra `learning` ({missing_library()})"),
]
WEEKS, A_WEEK = 10, 28


def supplier(number: int) -> Party:
    return Party(f"CN-{number}", f"Supplier {number}", Address(country="CN"))


def arrive(number: int, at: datetime) -> StoredRecord:
    made = declaration(
        f"IM-{number}",
        declaration_type="IM",
        country_dispatch="CN",
        country_destination="XA",
        exporter=supplier(number),
        ucr=f"6CNCN123-2026-{number:06d}",
    )
    return store(replace(made, consignment=replace(made.consignment, transport_equipment=())), at)


def tell(agreement: Agreement, number: int, at: datetime, *, is_irregular: bool) -> None:
    """XC found something, or nothing, with a supplier."""
    party = supplier(number)
    named = Subject(SubjectRole.CONSIGNOR, party.id, party.name, party.address.country)
    result = FindingResult.IRREGULAR if is_irregular else FindingResult.IN_ORDER
    found = Finding(f"XC-F-{number}", "XC", at, result, hs_code="640411", consignor=named)
    take_partner_finding(found, source=Source("XC", f"m-{number}", agreement.id, "1"), at=at)


def is_bad(number: int) -> bool:
    return number % 4 == 0


@pytest.fixture
def agreement(home: Path, at: datetime) -> Agreement:
    """Ten weeks of imports, each from a new supplier of whom XC had told ten days before what its control found."""
    made = adopt(at - timedelta(weeks=WEEKS + 3))
    for number in range(WEEKS * A_WEEK):
        when = at - timedelta(weeks=WEEKS) + timedelta(hours=6 * number)
        tell(made, number, when - timedelta(days=10), is_irregular=is_bad(number))
        record = arrive(number, when)
        LearnedOutcome.objects.create(
            declaration_ref=record.reference,
            record_id=record.record_id,
            decided_at=when + timedelta(hours=12),
            is_irregular=is_bad(number) and number % 5 != 0,
            is_random=False,
            sources=[],
            risk_type="undervaluation",
            learned_at=when + timedelta(hours=12),
        )
    return made


def test_a_supplier_that_is_new_here_is_known_by_what_a_partner_found(agreement: Agreement, at: datetime) -> None:
    for number in (9000, 9001):
        tell(agreement, number, at - timedelta(days=10), is_irregular=is_bad(number))
    asked = retraining.ask_training(ANALYST, variant=EXCHANGE, at=at)
    assert retraining.models_turn(at) == 1
    made = views.model(views.training(asked).model_id)
    assert made.as_told["findings"] > 200
    approve_model(SUPERVISOR, model_id=made.model_id, shelf=this_shelf(), at=at)
    promote_model(SUPERVISOR, model_id=made.model_id, reason="It hears partners", shelf=this_shelf(), at=at)
    retraining.models_turn(at + timedelta(minutes=1))
    bad, good = (arrive(number, at + timedelta(hours=1)) for number in (9000, 9001))
    chances = []
    for record in (bad, good):
        assess(NODE, record=record, at=at + timedelta(hours=1))
        chances.append(ModelScore.objects.get(record_id=record.record_id, is_used=True).chance)
    assert chances[0] > 0.4 > 0.15 > chances[1]
    (reason,) = [each for each in explanation(bad.record_id).reasons if each.source_kind is SourceKind.MODEL]
    assert "partners found irregularities" in " ".join(each.text for each in reason.evidence)
