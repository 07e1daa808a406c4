"""Assessments: reasons, versions, alerts that come later."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from comity.risk import Lane, SourceKind, TargetState
from comity.risk.errors import SignalError
from comity.risk.models import Assessment, PartnerSignal, RuleProfile
from comity.risk.selectors import (
    assessment,
    assessments,
    explanation,
    profile,
    queue_row,
    signals,
    sources_of,
    unassessed,
)
from comity.risk.services import (
    assess,
    learn,
    reassess_for_signal,
    retire_profile,
    select_by_officer,
    set_target_state,
    take_signal,
    withdraw_signal,
)
from comity.staff import PermissionRefusedError
from comity.staff.models import AuditEntry
from comity.trade import GoodsItem, HSCode, Money, Outcome, Route, Subject, SubjectRole, SuggestedAction
from tests.risk.cast import ANALYST, AUDITOR, NODE, OFFICER, PARTNER, alert, declaration, manifest, store
from tests.risk.conftest import MakeProfile

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_a_record_that_nothing_concerns_is_green(at: datetime):
    record = store(declaration(), at)
    found = assess(NODE, record=record, at=at)
    assert (found.score, found.lane, found.is_mandatory, found.sources) == (0.0, Lane.GREEN, False, ())
    row = queue_row(record.record_id)
    assert row is not None
    assert (row.state, row.reference, row.exporter, row.hs_code) == (
        TargetState.NEW,
        "LRN-1",
        "Alfa Shoes Ltd.",
        "640411",
    )
    assert unassessed([record.record_id]) == []
    assert not AuditEntry.objects.exists()


def test_a_profile_gives_its_reason_with_what_was_compared(at: datetime, make_profile: MakeProfile):
    make_profile()
    record = store(declaration(), at)
    found = assess(NODE, record=record, at=at)
    assert (found.score, found.lane, found.sources) == (60.0, Lane.YELLOW, ("profile:P-1",))
    (reason,) = explanation(record.record_id).reasons
    assert reason.text == "HS code 640411 begins with 6404; Unit price 2.10 USD/kg is below 5.00"
    assert (reason.administration, reason.clause, reason.is_unverified) == ("XA", "Customs Act s. 12", False)
    assert reason.evidence[1].column == "unit_price_per_kg"
    assert dict(reason.facts)["Owner"] == "Risk analysis centre"
    assert profile("P-1", at).hits == 1


def test_only_profiles_in_force_count(at: datetime, make_profile: MakeProfile):
    make_profile(ref="P-later", valid_from=at + DAY)
    make_profile(ref="P-over", valid_until=at)
    make_profile(ref="P-gone")
    retire_profile(ANALYST, ref="P-gone", reason="Done", at=at)
    record = store(declaration(), at)
    assert assess(NODE, record=record, at=at).sources == ()
    assert assess(NODE, record=record, at=at + DAY).sources == ("profile:P-later",)


def test_a_red_profile_is_mandatory_whatever_its_weight(at: datetime, make_profile: MakeProfile):
    make_profile(lane=Lane.RED, weight=1)
    found = assess(NODE, record=store(declaration(), at), at=at)
    assert (found.is_mandatory, found.lane, found.score) == (True, Lane.RED, 1.0)


def test_several_items_are_counted_and_the_first_is_told(at: datetime, make_profile: MakeProfile):
    make_profile()
    items = tuple(
        GoodsItem(number, HSCode("640411"), net_mass_kg=Decimal(10), item_price=Money(Decimal(number), "USD"))
        for number in (1, 2, 3, 4)
    )
    record = store(declaration(items=items), at)
    assess(NODE, record=record, at=at)
    (reason,) = explanation(record.record_id).reasons
    assert reason.text.startswith("HS code 640411 begins with 6404; Unit price 0.10 USD/kg is below 5.00")
    assert reason.text.endswith("(and 3 more goods items)")
    assert [entry.item_no for entry in reason.evidence] == [1, 1, 2, 2, 3, 3]


def test_a_profile_that_can_no_longer_be_read_stops_nothing(
    at: datetime, make_profile: MakeProfile, caplog: pytest.LogCaptureFixture
):
    make_profile()
    make_profile(ref="P-2", expression="TRUE", weight=5)
    RuleProfile.objects.filter(ref="P-1").update(expression="gone_column = 1")
    with caplog.at_level(logging.WARNING):
        assert assess(NODE, record=store(declaration(), at), at=at).sources == ("profile:P-2",)
    assert "gone_column" in caplog.text


def test_the_same_again_writes_nothing_and_a_new_version_does(at: datetime, make_profile: MakeProfile):
    make_profile()
    record = store(declaration(), at)
    first = assess(NODE, record=record, at=at)
    assert assess(NODE, record=record, at=at + DAY) == first
    dearer = store(declaration(item_price=Money(Decimal(2100), "USD")), at + DAY, version=2)
    second = assess(NODE, record=dearer, at=at + DAY)
    assert (second.number, second.version, second.score) == (2, 2, 0.0)
    assert [found.version for found in assessments(record.record_id)] == [2, 1]
    assert profile("P-1", at).hits == 1
    assert str(Assessment.objects.get(number=2)).endswith("v2 0.0")


def test_a_source_hits_a_record_once(at: datetime, make_profile: MakeProfile):
    make_profile()
    record = store(declaration(), at)
    assess(NODE, record=record, at=at)
    assess(NODE, record=store(declaration(office="XA002"), at, version=2), at=at)
    assert profile("P-1", at).hits == 1


def test_manifests_are_assessed_by_their_consignments(at: datetime, make_profile: MakeProfile):
    make_profile(expression="starts_with(hs_code, '0902') AND record_kind = 'manifest'")
    record = store(manifest(), at)
    assess(NODE, record=record, at=at)
    (reason,) = explanation(record.record_id).reasons
    assert "HS code 090210 begins with 0902" in reason.text
    assert reason.evidence[0].item_no == 2


def test_officers_need_the_permission_and_leave_a_trace(at: datetime):
    record = store(declaration(), at)
    with pytest.raises(PermissionRefusedError):
        assess(AUDITOR, record=record, at=at)
    assess(ANALYST, record=record, at=at)
    assert AuditEntry.objects.get().deed == "assess"


class TestAlerts:
    def test_an_alert_is_marked_as_unverified_with_issuer_article_and_reliability(self, at: datetime):
        take_signal(alert(at), message_id="m-1", at=at, article="A-3")
        record = store(declaration(), at)
        found = assess(NODE, record=record, at=at)
        assert (found.score, found.lane, found.is_mandatory) == (67.5, Lane.RED, True)
        assert found.sources == ("alert:XC-A-2026-000001",) == sources_of(record.record_id)
        (reason,) = explanation(record.record_id).reasons
        assert reason.is_unverified
        assert (reason.administration, reason.clause) == ("XC", "TFA 12.5.1")
        assert "may not be the deciding factor" in reason.text
        facts = dict(reason.facts)
        assert facts["Article"] == "A-3"
        assert facts["Measured reliability"] == "0.50 from 0 outcomes"
        assert facts["Grade"].startswith("B2")
        assert facts["How"] == "Branded shoes declared without a brand"
        assert queue_row(record.record_id).administrations == ("XC",)  # type: ignore[union-attr]
        assert signals(at)[0].hits == 1

    def test_weight_follows_the_measured_reliability(self, at: datetime):
        take_signal(alert(at), message_id="m-1", at=at)
        for number in range(8):
            learn(Outcome(f"L-{number}", is_irregular=False, decided_at=at, sources=("alert:XC-A-2026-000001",)), at=at)
        found = assess(NODE, record=store(declaration(), at), at=at)
        assert (found.score, found.is_mandatory, found.lane) == (13.5, False, Lane.YELLOW)

    @pytest.mark.parametrize("when", [-DAY, 90 * DAY])
    def test_out_of_its_dates_it_does_nothing(self, at: datetime, when: timedelta):
        take_signal(alert(at), message_id="m-1", at=at)
        assert assess(NODE, record=store(declaration(), at), at=at + when).sources == ()

    def test_signal_states(self, at: datetime):
        take_signal(alert(at), message_id="m-1", at=at)
        assert signals(at - DAY)[0].state == "announced"
        assert signals(at)[0].state == "in force"
        assert signals(at + 90 * DAY)[0].state == "expired"
        withdraw_signal(PARTNER, signal_ref="XC-A-2026-000001", reason="Mistaken identity", at=at)
        assert signals(at)[0].state == "withdrawn"

    def test_inform_only_colours_and_does_not_select(self, at: datetime):
        take_signal(alert(at, suggested_action=SuggestedAction.INFORM_ONLY), message_id="m-1", at=at)
        found = assess(NODE, record=store(declaration(), at), at=at)
        assert (found.is_mandatory, found.lane, found.score) == (False, Lane.BLUE, 27.0)

    def test_alert_and_profile_add_up(self, at: datetime, make_profile: MakeProfile):
        make_profile()
        take_signal(alert(at), message_id="m-1", at=at)
        record = store(declaration(), at)
        assert assess(NODE, record=record, at=at).score == 87.0
        told = explanation(record.record_id)
        assert [reason.source_kind for reason in told.reasons] == [SourceKind.ALERT, SourceKind.PROFILE]
        assert "product" in told.formula


class TestReassessment:
    def test_an_alert_reaches_what_waits_already(self, at: datetime):
        waiting = store(declaration("L-1"), at)
        other = store(declaration("L-2", exporter=None), at)
        for record in (waiting, other):
            assess(NODE, record=record, at=at)
        take_signal(alert(at), message_id="m-1", at=at)
        assert reassess_for_signal(NODE, signal_ref="XC-A-2026-000001", at=at) == [waiting.record_id]
        assert assessment(waiting.record_id).sources == ("alert:XC-A-2026-000001",)  # type: ignore[union-attr]
        assert reassess_for_signal(NODE, signal_ref="XC-A-2026-000001", at=at) == []

    @pytest.mark.parametrize(
        "changes",
        [
            {"subjects": (Subject(SubjectRole.CONSIGNOR, "", "Alfa Shoes", "XA"),)},
            {"subjects": (Subject(SubjectRole.CONSIGNEE, "XC-9000"),)},
            {"subjects": (Subject(SubjectRole.CONTAINER, "MSKU0000002"),)},
            {"subjects": (Subject(SubjectRole.CONVEYANCE, "9321483"),)},
            {"subjects": (Subject(SubjectRole.CARRIER, "XA-C1"),)},
            {"subjects": ()},
            {"subjects": (), "hs_codes": (), "route": Route(origin="XA")},
        ],
    )
    def test_by_everything_that_an_alert_can_name(self, at: datetime, changes: dict[str, object]):
        record = store(declaration(), at)
        assess(NODE, record=record, at=at)
        take_signal(alert(at, **changes), message_id="m-1", at=at)
        assert reassess_for_signal(NODE, signal_ref="XC-A-2026-000001", at=at) == [record.record_id]

    def test_what_left_or_is_old_is_out_of_reach(self, at: datetime):
        left = store(declaration("L-1"), at)
        old = store(declaration("L-2"), at - 31 * DAY)
        for record in (left, old):
            assess(NODE, record=record, at=at)
        set_target_state(NODE, record_id=left.record_id, state=TargetState.RELEASED, at=at)
        take_signal(alert(at), message_id="m-1", at=at)
        assert reassess_for_signal(NODE, signal_ref="XC-A-2026-000001", at=at) == []

    def test_withdrawal_and_correction_take_the_reason_back(self, at: datetime):
        take_signal(alert(at), message_id="m-1", at=at)
        record = store(declaration(), at)
        assess(NODE, record=record, at=at)
        take_signal(alert(at, subjects=(Subject(SubjectRole.CONSIGNOR, "XA-8"),)), message_id="m-2", at=at)
        assert reassess_for_signal(NODE, signal_ref="XC-A-2026-000001", at=at) == [record.record_id]
        assert assessment(record.record_id).score == 0.0  # type: ignore[union-attr]
        take_signal(alert(at), message_id="m-3", at=at)
        assert reassess_for_signal(NODE, signal_ref="XC-A-2026-000001", at=at) == [record.record_id]
        withdraw_signal(PARTNER, signal_ref="XC-A-2026-000001", reason="Wrong", at=at)
        assert reassess_for_signal(NODE, signal_ref="XC-A-2026-000001", at=at) == [record.record_id]
        assert assessment(record.record_id).sources == ()  # type: ignore[union-attr]

    def test_how_it_was_selected_stays_a_reason(self, at: datetime):
        record = store(declaration(), at)
        assess(NODE, record=record, at=at)
        select_by_officer(OFFICER, record_id=record.record_id, reason="Nervous driver", at=at)
        take_signal(alert(at), message_id="m-1", at=at)
        assert reassess_for_signal(NODE, signal_ref="XC-A-2026-000001", at=at) == [record.record_id]
        assert sources_of(record.record_id) == ("alert:XC-A-2026-000001", "officer:boris")
        assert queue_row(record.record_id).state is TargetState.SELECTED  # type: ignore[union-attr]

    def test_an_unknown_signal_is_an_error(self, at: datetime):
        with pytest.raises(SignalError):
            reassess_for_signal(NODE, signal_ref="XC-A-0", at=at)


class TestTaking:
    def test_the_same_message_is_taken_once(self, at: datetime):
        take_signal(alert(at), message_id="m-1", at=at)
        take_signal(alert(at), message_id="m-1", at=at + DAY)
        assert PartnerSignal.objects.count() == 1
        assert str(PartnerSignal.objects.get()) == "XC XC-A-2026-000001"

    def test_only_its_issuer_or_an_analyst_withdraws_it(self, at: datetime):
        take_signal(alert(at, issuer="XB"), message_id="m-1", at=at)
        with pytest.raises(SignalError):
            withdraw_signal(PARTNER, signal_ref="XC-A-2026-000001", reason="Not mine", at=at)
        with pytest.raises(PermissionRefusedError):
            withdraw_signal(OFFICER, signal_ref="XC-A-2026-000001", reason="I say so", at=at)
        withdraw_signal(ANALYST, signal_ref="XC-A-2026-000001", reason="Wrong person", at=at)
        with pytest.raises(SignalError):
            withdraw_signal(ANALYST, signal_ref="XC-A-2026-000001", reason="Again", at=at)
