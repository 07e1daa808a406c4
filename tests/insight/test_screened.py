"""Who asks is told how the screening compared them, what was decided and who knows; then it goes when unneeded."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from comity.insight.holdings import holdings_of
from comity.insight.mentions import read_mentions, read_mentions_due
from comity.insight.models import Mention
from comity.insight.naming import Asked, Named, named_in_hit
from comity.insight.privacy_papers import item_words
from comity.insight.subjects import Item
from comity.intake.models import Record
from comity.registers import ListFormat, ListSource
from comity.registers.models import VersionRow
from comity.registers.services import load_list
from comity.risk.hit_advice import Listed, mark_outdated, new_key, note_asked, note_told, outdated, tags_of
from comity.risk.hit_advice import take_advice as keep_advice
from comity.risk.hit_advice import take_question as keep_question
from comity.risk.hit_keeping import KEPT_UNUSED, forget_decisions
from comity.risk.hits import decide_hit, decided_hits, open_hits
from comity.risk.models import (
    Assessment,
    AssessmentReason,
    HitAsked,
    HitTold,
    LaneOverride,
    ScreeningDecision,
)
from comity.risk.screening import Verdict
from comity.risk.services import assess
from comity.risk.values import Source
from comity.staff.models import AuditEntry
from comity.trade import Handling, Party
from comity.trade.knowledge import HitGround
from comity.trade.values import Address
from tests.registers.lists import UN
from tests.risk.cast import ANALYST, NODE, OFFICER, declaration, store
from tests.trade.test_knowledge import DECISION, QUESTION

ALIKE = Party("XA-1", "Orban Tavrsh Kelimdar", Address(country="XA"))
ME = Asked("Kelimdar, Orban Tavrsh")
DAY = timedelta(days=1)


@pytest.fixture
def ref(at: datetime) -> str:
    """A hit that waits, on a firm that is declared twice."""
    load_list(ANALYST, source=ListSource("un", ListFormat.UN, "United Nations", (("un.xml", UN),)), at=at)
    for lrn in ("LRN-1", "LRN-2"):
        assess(NODE, record=store(declaration(lrn, exporter=ALIKE), at), at=at)
    return open_hits().rows[0].ref


def screened(asked: Asked = ME, what: str = "hit") -> list[Item]:
    read_mentions()
    return [each for each in holdings_of(asked).items if each.what == what]


def decide(ref: str, verdict: Verdict, at: datetime) -> None:
    decide_hit(OFFICER, ref=ref, verdict=verdict, reason="Born in 1990", ground=HitGround.BIRTH_DATE, at=at)


@pytest.mark.once
def test_parties_are_named_once_for_each_part_and_ships_never() -> None:
    ours = {"name": "Orban", "country": "XA", "numbers": "XA-1; 77", "part": "exporter and consignor"}
    assert named_in_hit(ours) == (
        Named("exporter", "XA-1", "Orban", "XA"),
        Named("exporter", "77", "Orban", "XA"),
        Named("consignor", "XA-1", "Orban", "XA"),
        Named("consignor", "77", "Orban", "XA"),
    )
    assert named_in_hit(ours | {"part": "means of transport"}) == ()


@pytest.mark.django_db
class TestAnswer:
    def test_what_waits_is_told_as_an_officer_decides_and_to_nobody_else(self, ref: str) -> None:
        (item,) = screened()
        figures = dict(item.figures)
        assert item.needs_decision, "to tell it could give a control away"
        assert (figures["hit"], figures["hit_records"], figures["differs"]) == ("open", "2", "ground_country")
        assert figures["near"] == "ground_name"
        assert [each.spelling for each in item.named] == ["Orban Tavrsh Kelimdar · XA-1 · XA"]
        assert item.title == "United Nations, TSi.001: ORBAN TAVROSH KELIMDAR"
        assert "kelimdar" not in item.ref.lower(), "the audit names nobody"
        assert screened(Asked("Charlie Imports")) == []

    def test_who_was_found_to_be_another_is_told_outright_with_who_knows(self, ref: str, at: datetime) -> None:
        note_asked(OFFICER, ref, [("XB", "m-8")], at=at)
        decide(ref, Verdict.NOT_SAME, at + DAY)
        told = str(ScreeningDecision.objects.get().decided_at.isoformat().replace("+00:00", "Z"))
        note_told(ref, [("XC", "m-9")], decided_at=told, at=at + 2 * DAY)
        (item,) = screened()
        assert not item.needs_decision
        assert [(each.to, each.at) for each in item.shared] == [("XB", at), ("XC", at + 2 * DAY)]
        words = dict(item_words(item, "XA", "fr"))
        assert words["Si vous êtes la personne inscrite"] == "un agent a décidé : pas la même"
        assert (words["Motif de la décision"], words["Informés de la décision"]) == ("date de naissance", "XC")
        assert "Born in 1990" not in str(words), "what an officer wrote is not told"
        assert "92 jours" in words["Conservé jusqu’au"]

    def test_the_same_and_a_list_that_is_not_published_wait_for_a_decision(self, ref: str, at: datetime) -> None:
        decide(ref, Verdict.NOT_SAME, at)
        VersionRow.objects.update(format=ListFormat.FTM.value)
        assert screened()[0].needs_decision, "a list that is not published"
        VersionRow.objects.update(format=ListFormat.UN.value)
        assert not screened()[0].needs_decision
        decide(ref, Verdict.SAME, at + DAY)
        (item,) = screened()
        assert item.needs_decision
        assert dict(item.figures)["hit_decisions"] == "2"

    def test_a_decision_is_found_without_its_declaration(self, ref: str, at: datetime) -> None:
        decide(ref, Verdict.NOT_SAME, at)
        Record.objects.all().delete()
        forget_decisions(NODE, at=at)
        assert not AssessmentReason.objects.exists(), "it names who is not declared here any more"
        assert open_hits().total == 0
        (item,) = screened(Asked(ids=("xa 1",)))
        assert dict(item.figures)["hit"] == "not_same"
        assert item.named[0].spelling == "Orban Tavrsh Kelimdar · XA-1 · XA"

    def test_that_an_officer_judged_otherwise_is_told_with_the_assessment(self, ref: str, at: datetime) -> None:
        row = Assessment.objects.order_by("id").first()
        assert row is not None
        change = {"from_lane": "yellow", "to_lane": "green", "is_raise": False, "was_mandatory": False}
        LaneOverride.objects.create(record_id=row.record_id, assessment_number=1, reason="x", by="x", at=at, **change)
        told = [dict(each.figures).get("lanes_changed") for each in screened(what="assessment")]
        assert sorted(told, key=str) == ["1", None]

    def test_what_partners_decided_and_asked_is_told_of_whom_it_means(self, ref: str, at: datetime) -> None:
        keys = [new_key(), new_key()]
        listed = Listed("un", "United Nations", "TSi.001")
        sides = [tags_of(key, listed, {"name": ALIKE.name, "country": "XA", "numbers": "XA-1"}) for key in keys]
        told = replace(DECISION, entry="TSi.001", key=keys[0], tags=sides[0])
        asked = replace(QUESTION, entry="TSi.001", key=keys[1], tags=sides[1])
        keep_advice(told, source=Source("XA", "m-1", "0" * 64, "1"), at=at)
        keep_question(asked, source=Source("XA", "m-2", "0" * 64, "1"), at=at)
        (advice,), (question,) = screened(what="hit_advice"), screened(what="hit_question")
        assert advice.origin == question.origin == "XA"
        assert dict(advice.figures)["hit"] == told.verdict.value
        assert advice.handling >= Handling.RESTRICTED, "our own hit of the same entry waits"
        assert question.needs_decision
        assert [each.spelling for each in question.named] == ["Orban Tavrsh Kelimdar · XA-1 · XA"]
        assert screened(Asked("Charlie Imports"), "hit_advice") == []


@pytest.mark.django_db
class TestKeeping:
    def test_as_long_as_a_declaration_has_it_and_92_days_more(self, ref: str, at: datetime) -> None:
        decide(ref, Verdict.NOT_SAME, at)
        note_asked(OFFICER, ref, [("XB", "m-8")], at=at)
        read_mentions()
        assert forget_decisions(NODE, at=at + 9_999 * DAY) == 0, "it is held, so nobody is asked again"
        Record.objects.filter(reference="LRN-1").delete()
        assert forget_decisions(NODE, at=at) == 0
        assert ScreeningDecision.objects.get().unused_since is None, "another declaration has it"
        Record.objects.all().delete()
        assert [forget_decisions(NODE, at=at + wait) for wait in (DAY, KEPT_UNUSED, KEPT_UNUSED + DAY)] == [0, 0, 1]
        assert not ScreeningDecision.objects.exists()
        assert not HitAsked.objects.exists()
        entry = AuditEntry.objects.get(deed="forget_hit")
        assert (entry.subject, entry.facts["verdict"]) == (f"screening:{ref}", "not_same")
        assert Mention.objects.filter(source="hit").exists()
        read_mentions_due(at)
        assert not Mention.objects.filter(source="hit").exists()
        assert screened() == []

    def test_what_is_needed_again_stays(self, ref: str, at: datetime) -> None:
        decide(ref, Verdict.NOT_SAME, at)
        Record.objects.all().delete()
        forget_decisions(NODE, at=at)
        assess(NODE, record=store(declaration("LRN-3", exporter=ALIKE), at), at=at)
        assert forget_decisions(NODE, at=at + KEPT_UNUSED) == 0
        assert ScreeningDecision.objects.get().unused_since is None
        assert open_hits().total == 0, "and the officer is not asked again"

    def test_what_was_replaced_goes_and_what_partners_know_is_taken_back_first(self, ref: str, at: datetime) -> None:
        decide(ref, Verdict.SAME, at)
        decide(ref, Verdict.NOT_SAME, at + DAY)
        forget_decisions(NODE, at=at + DAY)
        assert forget_decisions(NODE, at=at + DAY + KEPT_UNUSED) == 1
        ((_, _, _, left),) = decided_hits()
        assert left.verdict is Verdict.NOT_SAME
        row = ScreeningDecision.objects.get()
        HitTold.objects.create(decision=row, recipient="XC", message_id="m-9", told_at=at)
        Record.objects.all().delete()
        forget_decisions(NODE, at=at)
        assert (forget_decisions(NODE, at=at + KEPT_UNUSED), outdated()) == (0, ["m-9"])
        mark_outdated(["m-9"], at=at + KEPT_UNUSED)
        assert forget_decisions(NODE, at=at + KEPT_UNUSED + DAY) == 1
