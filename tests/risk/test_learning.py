"""What outcomes teach, and what comes back to an issuer."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from comity.risk.models import AlertFeedback, IssuerReliability, LearnedOutcome
from comity.risk.selectors import compliance, feedback, profile, reliability, signals
from comity.risk.services import assess, learn, take_feedback, take_signal
from comity.trade import Finding, FindingResult, Outcome, Subject, SubjectRole
from tests.risk.cast import NODE, alert, declaration, store
from tests.risk.conftest import MakeProfile

pytestmark = pytest.mark.django_db
REF = "XC-A-2026-000001"


def outcome(number: int, at: datetime, *sources: str, is_irregular: bool = True) -> Outcome:
    return Outcome(f"LRN-{number}", is_irregular=is_irregular, decided_at=at, sources=sources)


def test_a_confirmed_alert_raises_its_issuer(at: datetime):
    take_signal(alert(at), message_id="m-1", at=at)
    learned = learn(outcome(1, at, f"alert:{REF}"), at=at)
    (change,) = learned.issuers
    assert (change.before.value, round(change.after.value, 3)) == (0.5, 0.667)
    assert reliability("XC") == change.after
    assert signals(at)[0].confirmed == 1
    learned = learn(outcome(2, at, f"alert:{REF}", is_irregular=False), at=at)
    assert learned.issuers[0].after.value == 0.5
    assert signals(at)[0].unconfirmed == 1
    assert reliability("XB").count == 0
    assert str(IssuerReliability.objects.get()) == "XC"


def test_an_issuer_gains_nothing_by_using_another_s_reference(at: datetime):
    take_signal(alert(at), message_id="m-1", at=at)
    take_signal(alert(at, issuer="XB", subjects=(Subject(SubjectRole.CONSIGNOR, "XA-8"),)), message_id="m-2", at=at)
    assess(NODE, record=store(declaration("LRN-1"), at), at=at)
    learned = learn(outcome(1, at, f"alert:{REF}"), at=at)
    assert [change.after.issuer for change in learned.issuers] == ["XC"]


def test_profiles_count_confirmed_and_unconfirmed(at: datetime, make_profile: MakeProfile):
    make_profile()
    make_profile(ref="P-2")
    assert profile("P-1", at).precision is None
    assert learn(outcome(1, at, "profile:P-1", "profile:P-2", "profile:gone"), at=at).profiles == ("P-1", "P-2", "gone")
    learn(outcome(2, at, "profile:P-1", is_irregular=False), at=at)
    assert (profile("P-1", at).confirmed, profile("P-1", at).unconfirmed, profile("P-1", at).precision) == (1, 1, 0.5)
    assert profile("P-2", at).precision == 1.0


def test_the_same_outcome_counts_once(at: datetime):
    take_signal(alert(at), message_id="m-1", at=at)
    assert learn(outcome(1, at, f"alert:{REF}"), at=at).is_new
    again = learn(outcome(1, at, f"alert:{REF}"), at=at + timedelta(days=1))
    assert (again.is_new, again.issuers) == (False, ())
    assert reliability("XC").confirmed == 1
    assert learn(outcome(1, at + timedelta(days=2), f"alert:{REF}"), at=at).is_new
    assert str(LearnedOutcome.objects.first()) == "LRN-1"


def test_only_random_controls_estimate_compliance(at: datetime):
    assert (compliance().controls, compliance().low, compliance().high) == (0, 0.0, 1.0)
    for number in range(100):
        learn(outcome(number, at, "random", is_irregular=number < 10), at=at)
    learn(outcome(900, at, "profile:P-1"), at=at)
    found = compliance()
    assert (found.controls, found.irregular) == (100, 10)
    # Wilson interval of 10 in 100, as published tables have it.
    assert found.low == pytest.approx(0.0552, abs=0.0001)
    assert found.high == pytest.approx(0.1744, abs=0.0001)


def finding(at: datetime, alert_ref: str = "XA-A-7") -> Finding:
    return Finding("XC-F-1", "XC", at, FindingResult.IRREGULAR, alert_ref=alert_ref)


def test_what_a_partner_found_for_our_alert_is_kept_once(at: datetime):
    assert take_feedback(finding(at), message_id="m-1", at=at)
    assert not take_feedback(finding(at), message_id="m-1", at=at)
    assert not take_feedback(finding(at, alert_ref=""), message_id="m-2", at=at)
    (told,) = feedback("XA-A-7")
    assert (told.administration, told.is_irregular, told.finding_ref) == ("XC", True, "XC-F-1")
    assert feedback("XA-A-8") == []
    assert str(AlertFeedback.objects.get()) == "XA-A-7 XC"
