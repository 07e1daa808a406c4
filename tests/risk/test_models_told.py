"""A model that sees what partners told, from the job to a reason: only the partner's word tells what is irregular."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

import comity.cli.risk_models  # noqa: F401  # its commands join the group
from comity.agreements import Agreement
from comity.agreements.models import AgreementRow
from comity.intake import StoredRecord
from comity.risk import SourceKind
from comity.risk.errors import FourEyesError
from comity.risk.mirror_locks import commit_to, export_references, figures_of, lock, new_key, quarter_of
from comity.risk.mirroring import note_imports, take_offer
from comity.risk.modelling import live, retraining, views
from comity.risk.modelling.errors import ModelError
from comity.risk.modelling.life import approve_model, promote_model
from comity.risk.modelling.rules import EXCHANGE, Silence
from comity.risk.modelling.shelves import this_shelf
from comity.risk.models import LearnedOutcome, ModelScore, ModelTraining
from comity.risk.selectors import explanation
from comity.risk.services import assess
from comity.risk.values import Source
from comity.staff.models import AuditEntry
from comity.trade import Declaration, Money
from comity.trade.mirror import MirrorOffer
from tests.risk.cast import ANALYST, NODE, SUPERVISOR, declaration, store
from tests.risk.prediction.test_libraries import missing_library
from tests.risk.test_partners_told import adopt

pytestmark = pytest.mark.django_db
needs_libraries = pytest.mark.skipif(
    bool(missing_library()), reason=f"needs the extra `learning` ({missing_library()})"
)
WEEKS, A_WEEK = 10, 28


def imported(number: int, price: int) -> Declaration:
    """What XA imports from XC, without a container: that would stand for all of them."""
    made = declaration(
        f"IM-{number}",
        declaration_type="IM",
        country_dispatch="XC",
        country_destination="XA",
        ucr=f"6XCXC123-2026-{number:06d}",
        item_price=Money(Decimal(price), "USD"),
    )
    return replace(made, consignment=replace(made.consignment, transport_equipment=()))


class Partner:
    """XC, which tells of its exports under one agreement, with one key a quarter."""

    def __init__(self, agreement: Agreement) -> None:
        self.agreement, self.told, self.keys = agreement, 0, dict[str, str]()

    def tell(self, export: Declaration, at: datetime) -> None:
        period, content = quarter_of(at), new_key()
        key = self.keys.setdefault(period, new_key())
        locks = tuple(lock(key, each, content) for each in export_references(export))
        self.told += 1
        source = Source("XC", f"00000000-0000-7000-8000-{self.told:012d}", self.agreement.id, "1")
        offer = MirrorOffer("XC", period, key, locks, commit_to(content, figures_of(export)))
        take_offer(offer, source=source, at=at)


def arrive(number: int, price: int, at: datetime) -> StoredRecord:
    record = store(imported(number, price), at)
    note_imports([record], at=at)
    return record


@pytest.fixture
def partner(home: Path, at: datetime) -> Partner:
    """Ten weeks of imports, all controlled: irregular four times in five where XC told another value."""
    chance, partner = Random(6), Partner(adopt(at - timedelta(weeks=WEEKS + 1)))
    for number in range(WEEKS * A_WEEK):
        when = at - timedelta(weeks=WEEKS) + timedelta(hours=6 * number)
        price, is_other = 200 + chance.randrange(60), number % 4 == 0
        partner.tell(imported(number, price * 3 if is_other else price), when - timedelta(hours=2))
        record = arrive(number, price, when)
        LearnedOutcome.objects.create(
            declaration_ref=record.reference,
            record_id=record.record_id,
            decided_at=when + timedelta(hours=12),
            is_irregular=is_other and chance.random() < 0.8,
            is_random=False,
            sources=[],
            risk_type="undervaluation",
            learned_at=when + timedelta(hours=12),
        )
    return partner


@needs_libraries
@pytest.mark.long
def test_the_job_makes_a_model_that_speaks_of_the_partners_word(partner: Partner, at: datetime):
    """Asked for by one officer, approved by another, champion: and what arrives with another value is told so."""
    number = retraining.ask_training(ANALYST, variant=EXCHANGE, at=at)
    assert AuditEntry.objects.get(deed="ask_training").facts == {"variant": EXCHANGE}
    assert retraining.models_turn(at) == 1
    done = views.training(number)
    assert (done.state, done.variant, done.note) == ("done", EXCHANGE, "")
    made = views.model(done.model_id)
    assert (made.variant, made.heard_nothing) == (EXCHANGE, False)
    seen = made.as_told
    assert seen["told_of"] == seen["had_arrived"] == seen["declarations"] > 4 * seen["differing"] - 8 > 100
    asker = replace(ANALYST, roles=ANALYST.roles | SUPERVISOR.roles)
    with pytest.raises(FourEyesError, match="asked for"):
        approve_model(asker, model_id=made.model_id, shelf=this_shelf(), at=at)
    approve_model(SUPERVISOR, model_id=made.model_id, shelf=this_shelf(), at=at)
    promote_model(SUPERVISOR, model_id=made.model_id, reason="It hears partners", shelf=this_shelf(), at=at)
    assert retraining.models_turn(at + timedelta(minutes=1)) == 0
    assert live.telling_now().silence is Silence.NONE
    _check_reasons(partner, made.model_id, at + timedelta(hours=1))
    _check_nothing_heard(at + timedelta(hours=2))


def _check_reasons(partner: Partner, model_id: str, at: datetime) -> None:
    """Three that are alike but for what XC told: another value, the same, nothing."""
    chances = []
    for number, told in ((9001, 690), (9002, 230), (9003, None)):
        if told is not None:
            partner.tell(imported(number, told), at - timedelta(minutes=5))
        record = arrive(number, 230, at)
        assess(NODE, record=record, at=at)
        chances.append(ModelScore.objects.get(record_id=record.record_id, is_used=True).chance)
        reasons = [each for each in explanation(record.record_id).reasons if each.source_kind is SourceKind.MODEL]
        if told == 690:
            (reason,) = reasons
            assert reason.source == f"model:{model_id[:16]}"
            said = " ".join(each.text for each in reason.evidence)
            assert "value differs from what the partner committed to at export" in said
    other, same, silent = chances
    assert other > 0.5 > 0.1 > same
    assert other > silent


def _check_nothing_heard(at: datetime) -> None:
    """Where no article permits it any more, the next one is made, and is told to know no more than a local one."""
    AgreementRow.objects.update(adopted_at=None)
    number = retraining.ask_training(ANALYST, variant=EXCHANGE, at=at)
    assert retraining.models_turn(at) == 1
    done = views.training(number)
    assert (done.state, done.note) == ("done", retraining.HEARD_NOTHING)
    assert views.model(done.model_id).heard_nothing


def test_each_variant_waits_for_itself(at: datetime):
    """One that waits is not doubled; one of the other variant is another one; the setting looks at its own."""
    first = retraining.ask_training(ANALYST, at=at)
    second = retraining.ask_training(ANALYST, variant=EXCHANGE, at=at)
    assert second != first
    assert [retraining.ask_training(ANALYST, variant=each, at=at) for each in (EXCHANGE, "local")] == [second, first]
    with pytest.raises(ModelError, match="local and exchange"):
        retraining.ask_training(ANALYST, variant="all", at=at)
    with pytest.raises(ModelError, match="local and exchange"):
        retraining.set_retraining(SUPERVISOR, every_days=9, variant="", at=at)
    ModelTraining.objects.filter(pk=first).update(state="done")
    ModelTraining.objects.filter(pk=second).update(state="failed", asked_at=at - timedelta(days=10))
    retraining.set_retraining(SUPERVISOR, every_days=9, variant=EXCHANGE, at=at)
    assert AuditEntry.objects.get(deed="set_retraining").facts == {"every_days": "9", "variant": EXCHANGE}
    retraining._make_due(at)
    retraining._make_due(at)
    made = views.trainings()[0]
    assert (made.state, made.variant, made.asked_by) == ("due", EXCHANGE, "node:XA")
    assert ModelTraining.objects.count() == 3
