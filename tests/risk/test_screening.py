"""Screening and registers in the assessment: what becomes a reason, what an officer decides, what a status relieves."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from comity.registers import ListFormat, ListSource, RegisterKind
from comity.registers.services import load_list
from comity.risk import Explanation, FoundReason, Lane, SourceKind
from comity.risk.errors import ScreeningError
from comity.risk.hits import decide_hit, decided_hits, hit, open_hits
from comity.risk.rules import combine_weights
from comity.risk.screening import Verdict, subject_key, subjects_of
from comity.risk.selectors import explanation
from comity.risk.services import assess
from comity.staff import PermissionRefusedError
from comity.staff.models import AuditEntry
from comity.trade import Consignment, HSCode, Party
from comity.trade.values import Address, DocumentReference
from tests.registers.lists import CONTROLS, RIGHTS, ROUTES, SDN, SPECIES, TRADERS, UN
from tests.risk.cast import ANALYST, AUDITOR, NODE, OFFICER, declaration, manifest, store

pytestmark = pytest.mark.django_db
LISTED = Party("XA-1", "Orban Tavrsh Kelimdar", Address(country="XA"))


def load(code: str, data: bytes, at: datetime, kind: RegisterKind = RegisterKind.WATCH_LIST) -> None:
    form = ListFormat.CSV if kind is not RegisterKind.WATCH_LIST else ListFormat.UN if code == "un" else ListFormat.OFAC
    load_list(ANALYST, source=ListSource(code, form, "Publisher", ((f"{code}.x", data),), kind=kind), at=at)


def explained(content: object, at: datetime) -> Explanation:
    record = store(content, at)  # type: ignore[arg-type]
    assess(NODE, record=record, at=at)
    return explanation(record.record_id)


def of_kind(told: Explanation, kind: SourceKind) -> list[FoundReason]:
    return [reason for reason in told.reasons if reason.source_kind is kind]


class TestScreening:
    def test_without_a_list_nothing_is_screened(self, at: datetime):
        assert explained(declaration(exporter=LISTED), at).reasons == ()

    def test_a_name_asks_for_papers_and_selects_nothing(self, at: datetime):
        load("un", UN, at)
        (reason,) = explained(declaration(exporter=LISTED), at).reasons
        assert reason.source_kind is SourceKind.SCREENING
        assert (reason.lane, reason.is_mandatory) == (Lane.YELLOW, False)
        assert 30 <= reason.weight <= 68
        assert "un of 2026-02-27" in reason.text
        assert {entry.column for entry in reason.evidence} >= {"name", "country"}

    def test_a_number_that_agrees_selects(self, at: datetime):
        load("ofac", SDN, at)
        told = explained(declaration(), at)
        (reason,) = told.reasons
        assert reason.title.startswith("GULDEN MARE"), "the ship of the cast has the number of a listed one"
        assert told.assessment.is_mandatory

    def test_a_shared_number_under_another_name_does_not_select_by_itself(self, at: datetime):
        load("ofac", SDN, at)
        told = explained(declaration(exporter=Party("MX5567812345", "Anders Lund"), consignment=Consignment()), at)
        (reason,) = told.reasons
        assert (reason.lane, reason.is_mandatory) == (Lane.YELLOW, False)

    def test_every_party_of_a_manifest_is_screened(self, at: datetime):
        roles = {role for played in subjects_of(manifest()).values() for role in played}
        assert roles == {"carrier", "means of transport", "consignor", "consignee", "container"}

    def test_the_key_of_a_subject_is_the_same_for_other_spacing_and_order(self):
        named = [Party("X1", "Orban  KELIMDAR"), Party("X1", "Kelimdar, Orban")]
        keys = {subject_key(subject) for party in named for subject in subjects_of(declaration(exporter=party))}
        others = {subject_key(subject) for subject in subjects_of(declaration(exporter=None))}
        assert len(keys - others) == 1


class TestDecisions:
    @pytest.fixture
    def ref(self, at: datetime) -> str:
        load("un", UN, at)
        explained(declaration(exporter=LISTED), at)
        (row,) = open_hits().rows
        return row.ref

    def test_both_sides_are_shown(self, ref: str):
        view = hit(ref)
        assert view.ours["name"] == "Orban Tavrsh Kelimdar"
        assert view.theirs["name"] == "ORBAN TAVROSH KELIMDAR"
        assert view.parts[0].feature == "name"
        assert [reference for _, reference in view.records] == ["LRN-1"]

    def test_not_the_same_is_remembered(self, ref: str, at: datetime):
        later = at + timedelta(hours=1)
        (record_id,) = decide_hit(OFFICER, ref=ref, verdict=Verdict.NOT_SAME, reason="Born in 1990", at=later)
        (reason,) = explanation(record_id).reasons
        assert (reason.weight, reason.lane) == (0.0, Lane.GREEN)
        assert reason.title.startswith("Cleared")
        assert "officer:boris" in reason.text
        assert open_hits().total == 0
        again = explained(declaration("LRN-2", exporter=LISTED), later)
        assert again.assessment.score == 0
        assert [(name, verdict.verdict) for _, name, _, verdict in decided_hits()] == [
            ("Orban Tavrsh Kelimdar", Verdict.NOT_SAME)
        ]
        assert AuditEntry.objects.filter(deed="decide_hit").count() == 1

    def test_the_same_selects_from_then_on(self, ref: str, at: datetime):
        (record_id,) = decide_hit(OFFICER, ref=ref, verdict=Verdict.SAME, reason="Passport seen", at=at)
        assert explanation(record_id).assessment.is_mandatory

    def test_another_decision_takes_its_place(self, ref: str, at: datetime):
        decide_hit(OFFICER, ref=ref, verdict=Verdict.SAME, reason="Passport seen", at=at)
        decide_hit(OFFICER, ref=ref, verdict=Verdict.NOT_SAME, reason="A slip", at=at + timedelta(minutes=1))
        view = hit(ref)
        assert view.decision is not None
        assert view.decision.verdict is Verdict.NOT_SAME
        assert [each.verdict for each in view.earlier] == [Verdict.SAME]

    def test_an_entry_that_changed_is_asked_again(self, ref: str, at: datetime):
        decide_hit(OFFICER, ref=ref, verdict=Verdict.NOT_SAME, reason="Born in 1990", at=at)
        load("un", UN.replace(b"1971-05-28", b"1990-05-28"), at + timedelta(days=1))
        told = explained(declaration("LRN-3", exporter=LISTED), at + timedelta(days=1))
        assert told.reasons[0].weight > 0
        (row,) = open_hits().rows
        assert [each.verdict for each in hit(row.ref).earlier] == [Verdict.NOT_SAME]

    def test_a_reason_and_a_permission_are_needed(self, ref: str, at: datetime):
        with pytest.raises(ScreeningError, match="reason"):
            decide_hit(OFFICER, ref=ref, verdict=Verdict.SAME, reason=" ", at=at)
        with pytest.raises(PermissionRefusedError):
            decide_hit(AUDITOR, ref=ref, verdict=Verdict.SAME, reason="Passport seen", at=at)
        with pytest.raises(ScreeningError, match="no such hit"):
            hit("un:nobody:0")


class TestRegisters:
    def test_a_recognised_trader_is_relieved(self, at: datetime):
        load("aeo", TRADERS.replace(b"suspended", b"valid"), at, RegisterKind.TRADERS)
        load("routes", ROUTES, at, RegisterKind.ROUTES)
        told = explained(declaration(), at)
        watch, relief = told.reasons
        assert (watch.weight, relief.weight) == (30.0, -40.0)
        assert told.assessment.score == pytest.approx(18.0)
        assert "40 % off the score" in relief.text

    def test_a_status_that_ended_is_told(self, at: datetime):
        load("aeo", TRADERS, at, RegisterKind.TRADERS)
        told = explained(declaration(exporter=None), at)
        assert ["suspended" in reason.title for reason in told.reasons] == [True]

    def test_a_status_declared_and_not_known_is_told(self, at: datetime):
        load("aeo", TRADERS, at, RegisterKind.TRADERS)
        named = DocumentReference("AEO 1", "AEOC")
        told = explained(declaration(exporter=None, importer=None, authorisations=(named,)), at)
        assert [reason.title for reason in told.reasons] == ["AEO status declared, not in the register"]

    def test_what_selects_by_itself_is_not_relieved(self, at: datetime):
        load("aeo", TRADERS, at, RegisterKind.TRADERS)
        load("routes", ROUTES, at, RegisterKind.ROUTES)
        told = explained(declaration(country_destination="XD", importer=None), at)
        assert told.assessment.is_mandatory
        assert told.assessment.score == 90.0
        assert told.reasons[0].clause == "Act 7 s. 1"

    def test_controlled_goods_need_their_licence(self, at: datetime):
        load("controls", CONTROLS, at, RegisterKind.CONTROLS)
        told = explained(declaration(), at)
        assert [reason.clause for reason in told.reasons] == ["Order 12 s. 3"]
        licence = DocumentReference("123", "X", "002")
        assert explained(declaration("LRN-2", authorisations=(licence,)), at).reasons == ()
        assert explained(declaration("LRN-3", hs_code=HSCode("930630")), at).assessment.is_mandatory

    def test_a_recorded_mark_without_its_holder(self, at: datetime):
        load("rights", RIGHTS, at, RegisterKind.RIGHTS)
        told = explained(declaration(description="SWIFTFOOT sports shoes"), at)
        assert [(reason.weight, reason.clause) for reason in told.reasons] == [(45.0, "Act 5 s. 9")]
        licensed = declaration("LRN-2", description="Swiftfoot shoes", exporter=Party("XA-77", "Licensee"))
        assert explained(licensed, at).reasons == ()

    def test_species_without_a_permit(self, at: datetime):
        load("cites", SPECIES, at, RegisterKind.SPECIES)
        told = explained(declaration(description="Coat of panthera pardus fur"), at)
        assert [(reason.weight, reason.clause) for reason in told.reasons] == [(70.0, "CITES Art. III")]
        assert explained(declaration("LRN-2", description="Caviar-coloured shoes"), at).reasons == ()


@pytest.mark.parametrize(("weights", "score"), [([50, -20], 40.0), ([50, -90, -90], 25.0), ([-20], 0.0)])
def test_reliefs_take_half_at_most(weights, score):
    assert combine_weights(weights) == score
