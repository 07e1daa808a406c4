"""What partners learned, beside our own: who is recognised, what ends, what is told and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from comity.risk import ProfileError, ProfileState, SignalError
from comity.risk.backtesting import Past
from comity.risk.errors import ScreeningError
from comity.risk.hit_advice import (
    Listed,
    answers_due,
    decision_to_tell,
    forget_hits,
    new_key,
    note_told,
    recognised,
    tags_of,
    take_advice,
    take_question,
)
from comity.risk.models import HitAdvice, HitQuestionTaken, ReportTaken, RuleProfile
from comity.risk.profile_sharing import (
    forget_profile,
    note_shared,
    profile_told,
    readable_profile,
    take_profile,
    tighten_profile,
)
from comity.risk.profiles import digest_of_profile
from comity.risk.reporting import (
    forget_report,
    mark_told,
    our_reliability_at,
    reports_about,
    reports_by,
    reports_due,
    take_report,
)
from comity.risk.selectors import profile
from comity.risk.services import (
    approve_profile,
    backtest_profile,
    draft_profile,
    learn,
    retire_profile,
    take_signal,
    withdraw_signal,
)
from comity.risk.values import Source
from comity.staff.models import AuditEntry
from comity.trade import Outcome
from comity.trade.knowledge import HitDecision, HitQuestion, SharedProfile, TagBy, knowledge_to_body
from tests.risk.cast import ANALYST, NODE, SUPERVISOR, alert
from tests.risk.conftest import MakeProfile, draft_of
from tests.trade.test_knowledge import DECISION, PROFILE, QUESTION, REPORT

LISTED = Listed("un", "United Nations", "QDi.001")
PARTY = {"name": "Orban Tavrsh Kelimdar", "country": "XA", "numbers": "XA-881; 12"}
OUR_LAW = "Customs Act of XA s. 8"
SOURCE = Source("XA", "m-1", "0" * 64, "1")
SHARED: SharedProfile = replace(
    PROFILE, digest=digest_of_profile(PROFILE.expression, PROFILE.weight, PROFILE.lane, PROFILE.risk_type.value)
)


class TestTags:
    pytestmark = pytest.mark.once

    def test_the_same_party_is_recognised_by_number_or_name_and_no_other(self) -> None:
        key = new_key()
        told = [(each.by.value, each.tag) for each in tags_of(key, LISTED, PARTY)]
        assert [by for by, _ in told] == ["number", "name"], "two digits are no number"
        assert recognised(key, told, LISTED, PARTY) is TagBy.NUMBER
        assert recognised(key, told, LISTED, PARTY | {"numbers": "xa 881", "name": "Else"}) is TagBy.NUMBER
        assert recognised(key, told, LISTED, {"name": "KELIMDAR, Orban Tavrsh", "country": "XA"}) is TagBy.NAME
        assert recognised(key, told, LISTED, {"name": PARTY["name"], "country": "XB"}) is None
        assert recognised(key, told, replace(LISTED, entry="QDi.002"), PARTY) is None
        assert recognised(new_key(), told, LISTED, PARTY) is None


@pytest.mark.django_db
class TestHits:
    def test_what_is_somebody_else_s_is_not_kept(self, at: datetime) -> None:
        other = replace(SOURCE, issuer="XB")
        for keep, notice in ((take_question, QUESTION), (take_advice, DECISION)):
            with pytest.raises(ScreeningError):
                keep(notice, source=other, at=at)
        assert not HitAdvice.objects.exists()

    def test_a_question_is_kept_once_and_forgotten(self, at: datetime) -> None:
        question: HitQuestion = QUESTION
        decision: HitDecision = DECISION
        for _ in range(2):
            take_question(question, source=SOURCE, at=at)
            take_advice(decision, source=SOURCE, at=at)
        assert (HitQuestionTaken.objects.count(), HitAdvice.objects.count()) == (1, 1)
        assert answers_due(at, limit=9) == []
        forget_hits(issuer="XA", message_id="m-1")
        assert not HitQuestionTaken.objects.exists()
        assert not HitAdvice.objects.exists()

    def test_nothing_is_told_of_what_was_not_decided(self, at: datetime) -> None:
        with pytest.raises(ScreeningError, match="Nothing was decided"):
            decision_to_tell("un:x:1", administration="XA", handling=QUESTION.handling)
        with pytest.raises(ScreeningError, match="Another decision"):
            note_told("un:x:1", [], decided_at="", at=at)


@pytest.mark.django_db
class TestProfiles:
    def test_a_reference_that_is_taken_gets_another(self, at: datetime, make_profile: MakeProfile) -> None:
        make_profile(ref="XA.P-1")
        draft_profile(ANALYST, draft=draft_of(at, ref="P-2"), at=at)
        with pytest.raises(ProfileError, match="has its legal basis already"):
            approve_profile(SUPERVISOR, ref="P-2", legal_basis=OUR_LAW, at=at)
        ref = take_profile(SHARED, source=SOURCE, until=None, at=at)
        assert ref == "XA.P-1.m-1"
        assert take_profile(SHARED, source=SOURCE, until=None, at=at) == ref
        with pytest.raises(ProfileError, match="its issuer"):
            take_profile(SHARED, source=replace(SOURCE, issuer="XB"), until=None, at=at)

    def test_it_ends_with_what_is_first_and_is_not_approved_after(self, at: datetime) -> None:
        take_profile(SHARED, source=SOURCE, until=at + timedelta(days=3), at=at)
        assert profile("XA.P-1", at).valid_until == at + timedelta(days=3)
        tighten_profile(issuer="XA", message_id="m-1", until=at + timedelta(days=2))
        assert profile("XA.P-1", at + timedelta(days=2)).state is ProfileState.EXPIRED
        with pytest.raises(ProfileError, match="has ended at its issuer"):
            approve_profile(SUPERVISOR, ref="XA.P-1", legal_basis=OUR_LAW, at=at + timedelta(days=2))

    def test_it_runs_as_it_came_and_once(self, at: datetime) -> None:
        for message in ("m-1", "m-2"):
            take_profile(SHARED, source=replace(SOURCE, message_id=message), until=None, at=at)
        for ref in ("XA.P-1", "XA.P-1.m-2"):
            backtest_profile(ANALYST, ref=ref, past=Past.before(at), at=at)
        for basis in ("", "  ", "x" * 301):
            with pytest.raises(ProfileError, match="needs a legal basis of our own") as refused:
                approve_profile(SUPERVISOR, ref="XA.P-1", legal_basis=basis, at=at)
            assert refused.value.where == "legal_basis"
        assert approve_profile(SUPERVISOR, ref="XA.P-1", legal_basis=OUR_LAW, at=at).legal_basis_here == OUR_LAW
        assert AuditEntry.objects.get(deed="approve_profile").facts["legal_basis"] == OUR_LAW
        with pytest.raises(ProfileError, match="approved already"):
            approve_profile(SUPERVISOR, ref="XA.P-1.m-2", legal_basis=OUR_LAW, at=at)
        retire_profile(ANALYST, ref="XA.P-1", reason="Found nothing", at=at)
        RuleProfile.objects.filter(ref="XA.P-1.m-2").update(weight=99)
        with pytest.raises(ProfileError, match="not as it came"):
            approve_profile(SUPERVISOR, ref="XA.P-1.m-2", legal_basis=OUR_LAW, at=at)

    def test_what_is_unknown_has_told_nothing(self, at: datetime, make_profile: MakeProfile) -> None:
        assert profile_told("XA", "m-1") == ("", ())
        assert profile_told("", "") == ("", ())
        assert forget_profile(NODE, issuer="XA", message_id="m-1", reason="recalled", at=at) == ()
        make_profile()
        retire_profile(ANALYST, ref="P-1", reason="Found nothing", at=at)
        with pytest.raises(ProfileError, match="is retired"):
            note_shared("P-1", [("XB", "m-3")], at=at)

    def test_another_language_is_refused(self) -> None:
        with pytest.raises(ProfileError, match="cannot read the rule"):
            readable_profile(knowledge_to_body(replace(SHARED, expression="colour = 'red'")))


@pytest.mark.django_db
class TestReports:
    def test_an_issuer_is_told_weekly_and_at_the_end(self, at: datetime) -> None:
        ref = take_signal(alert(at), message_id="m-1", at=at)
        assert reports_due(at + timedelta(days=9), limit=9) == []
        learn(Outcome("LRN-1", is_irregular=True, decided_at=at, sources=(f"alert:{ref}",)), at=at)
        assert reports_due(at + timedelta(days=6), limit=9) == []
        (came,) = reports_due(at + timedelta(days=7), limit=9)
        assert (came.issuer, came.counts, came.is_closed) == ("XC", (0, 1, 1), False)
        assert reports_due(at + timedelta(days=7), limit=0) == []
        mark_told(came, message_id="m-9", at=at + timedelta(days=7))
        assert reports_due(at + timedelta(days=30), limit=9) == []
        withdraw_signal(ANALYST, signal_ref=ref, reason="wrong", at=at + timedelta(days=30))
        (ended,) = reports_due(at + timedelta(days=30), limit=9)
        assert ended.is_closed
        mark_told(ended, message_id="m-10", at=at + timedelta(days=30))
        assert reports_due(at + timedelta(days=60), limit=9) == []
        # What is found after the end is told, too.
        late = at + timedelta(days=60)
        learn(Outcome("LRN-2", is_irregular=False, decided_at=late, sources=(f"alert:{ref}",)), at=late)
        assert [each.counts for each in reports_due(late, limit=9)] == [(0, 2, 1)]

    def test_what_was_counted_later_stands(self, at: datetime) -> None:
        later = replace(REPORT, examined=9, counted_until=REPORT.counted_until + timedelta(days=7))
        source = replace(SOURCE, issuer="XC")
        take_report(later, source=replace(source, message_id="m-2"), at=at)
        for _ in range(2):
            take_report(REPORT, source=source, at=at)
        with pytest.raises(SignalError):
            take_report(REPORT, source=SOURCE, at=at)
        (told,) = reports_by("XC", limit=9)
        assert (told.examined, told.found) == (9, 3)
        assert reports_about(REPORT.about) == (told,)
        standing = our_reliability_at("XC")
        assert (standing.confirmed, standing.unconfirmed) == (3, 6)
        forget_report(issuer="XC", message_id="m-2")
        forget_report(issuer="XC", message_id="m-2")
        assert [each.examined for each in reports_by("XC", limit=9)] == [4]
        assert ReportTaken.objects.count() == 1
        assert our_reliability_at("XB").count == 0
