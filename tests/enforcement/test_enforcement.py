"""Inspections, findings, exhibits, seizures, release."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError

from comity.common import Actor, Reason
from comity.enforcement import (
    DecisionKind,
    ExhibitError,
    FindingError,
    FindingFacts,
    InspectionError,
    InspectionState,
    ReleaseError,
    SeizureError,
    SeizureFacts,
    Upload,
)
from comity.enforcement import selectors as reads
from comity.enforcement import services as enforcement
from comity.enforcement.models import DecisionRow, ExhibitFile, FindingRow, InspectionRow, SeizureRow, Series
from comity.intake import RecordNotFoundError
from comity.staff import PermissionRefusedError
from comity.staff.models import AuditEntry
from comity.trade import FindingResult, Money, Quantity, RiskType, Subject, SubjectRole
from tests.risk.cast import AUDITOR, NODE, OFFICER, declaration, manifest, store

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
WHY = (
    Reason("profile:P-1", "Cheap shoes", "Customs Act s. 12"),
    Reason("alert:XC-A-2026-000001", "Consignor is named"),
)
PHOTO = b"\xff\xd8\xff\xe0 a photo"
FAKE = FindingFacts(
    FindingResult.IRREGULAR,
    RiskType.COUNTERFEIT,
    description="12 pairs with a forged mark",
    hs_code="640411",
    quantity=Quantity(Decimal(12), "NPR"),
    detection_method="examination",
)
FINE = FindingFacts(FindingResult.IN_ORDER)
TAKEN = SeizureFacts(
    "Customs Act s. 80",
    "12 pairs of shoes",
    "640411",
    Quantity(Decimal(12), "NPR"),
    Money(Decimal("900.50"), "USD"),
    "A1",
)


@pytest.fixture(autouse=True)
def evidence_root(settings: object, tmp_path: Path) -> Path:
    settings.COMITY_EVIDENCE = tmp_path / "evidence"  # type: ignore[attr-defined]
    return tmp_path / "evidence"


@pytest.fixture
def record_id(at: datetime) -> UUID:
    return store(declaration(), at).record_id


def started(record_id: UUID, at: datetime) -> UUID:
    ordered = enforcement.order_inspection(OFFICER, record_id=record_id, reasons=WHY, at=at)
    return enforcement.start_inspection(OFFICER, inspection_id=ordered.inspection_id, at=at + HOUR).inspection_id


def found(record_id: UUID, at: datetime, facts: FindingFacts = FAKE) -> UUID:
    inspection_id = started(record_id, at)
    enforcement.record_finding(OFFICER, inspection_id=inspection_id, facts=facts, at=at + 2 * HOUR)
    return inspection_id


class TestInspection:
    def test_from_order_to_completion(self, record_id: UUID, at: datetime):
        ordered = enforcement.order_inspection(OFFICER, record_id=record_id, reasons=WHY, at=at, place="Shed 4")
        assert (ordered.reference, ordered.state, ordered.place) == (
            "XA-I-2026-000001",
            InspectionState.ORDERED,
            "Shed 4",
        )
        assert ordered.sources == ("profile:P-1", "alert:XC-A-2026-000001")
        assert reads.open_inspection(record_id) == ordered
        begun = enforcement.start_inspection(OFFICER, inspection_id=ordered.inspection_id, at=at + HOUR)
        assert (begun.state, begun.started_by, begun.place) == (InspectionState.STARTED, "officer:boris", "Shed 4")
        enforcement.record_finding(OFFICER, inspection_id=ordered.inspection_id, facts=FINE, at=at + 2 * HOUR)
        done = reads.inspection(ordered.inspection_id)
        assert (done.state, done.completed_at, done.case_ref) == (InspectionState.COMPLETED, at + 2 * HOUR, "")
        assert reads.open_inspection(record_id) is None
        assert reads.inspections(states=[InspectionState.COMPLETED]) == [done]
        assert reads.inspections(states=[InspectionState.ORDERED]) == []
        assert reads.state_counts()[InspectionState.COMPLETED] == 1
        assert list(AuditEntry.objects.order_by("id").values_list("deed", "subject")) == [
            ("order_inspection", "XA-I-2026-000001"),
            ("start_inspection", "XA-I-2026-000001"),
            ("record_finding", "XA-F-2026-000001"),
        ]

    def test_only_one_is_open_and_another_may_follow(self, record_id: UUID, at: datetime):
        found(record_id, at, FINE)
        enforcement.order_inspection(OFFICER, record_id=record_id, reasons=WHY, at=at)
        with pytest.raises(InspectionError, match="open already"):
            enforcement.order_inspection(OFFICER, record_id=record_id, reasons=WHY, at=at)
        with pytest.raises(IntegrityError):
            InspectionRow.objects.filter(state="completed").update(state="ordered")

    def test_states_are_guarded(self, record_id: UUID, at: datetime):
        ordered = enforcement.order_inspection(OFFICER, record_id=record_id, reasons=WHY, at=at)
        with pytest.raises(InspectionError, match=r"ordered cannot be completed.*Start the inspection first"):
            enforcement.record_finding(OFFICER, inspection_id=ordered.inspection_id, facts=FINE, at=at)
        enforcement.start_inspection(OFFICER, inspection_id=ordered.inspection_id, at=at)
        with pytest.raises(InspectionError, match=r"started cannot be started.*started before"):
            enforcement.start_inspection(OFFICER, inspection_id=ordered.inspection_id, at=at)
        enforcement.record_finding(OFFICER, inspection_id=ordered.inspection_id, facts=FINE, at=at)
        with pytest.raises(InspectionError, match=r"completed cannot be completed.*order another"):
            enforcement.record_finding(OFFICER, inspection_id=ordered.inspection_id, facts=FINE, at=at)

    def test_it_needs_a_record_a_reason_and_an_officer(self, record_id: UUID, at: datetime):
        with pytest.raises(RecordNotFoundError):
            enforcement.order_inspection(OFFICER, record_id=uuid4(), reasons=WHY, at=at)
        with pytest.raises(InspectionError, match="needs a reason"):
            enforcement.order_inspection(OFFICER, record_id=record_id, reasons=(), at=at)
        with pytest.raises(PermissionRefusedError):
            enforcement.order_inspection(NODE, record_id=record_id, reasons=WHY, at=at)
        with pytest.raises(InspectionError, match="no such inspection"):
            enforcement.start_inspection(OFFICER, inspection_id=uuid4(), at=at)
        with pytest.raises(InspectionError, match="no such inspection"):
            reads.inspection(uuid4())

    def test_numbers_follow_one_another_in_each_year(self, at: datetime):
        for number in (1, 2):
            other = store(declaration(f"L-{number}"), at).record_id
            ordered = enforcement.order_inspection(OFFICER, record_id=other, reasons=WHY, at=at)
            assert ordered.reference == f"XA-I-2026-00000{number}"
        next_year = store(declaration("L-3"), at).record_id
        ordered = enforcement.order_inspection(OFFICER, record_id=next_year, reasons=WHY, at=at.replace(year=2027))
        assert ordered.reference == "XA-I-2027-000001"
        assert {str(row) for row in Series.objects.all()} == {"I-2026-2", "I-2027-1"}


class TestFinding:
    def test_the_notice_says_what_and_of_whom(self, record_id: UUID, at: datetime):
        inspection_id = started(record_id, at)
        facts = replace(FAKE, exhibits=(Upload("shoe.jpg", PHOTO),))
        notice = enforcement.record_finding(OFFICER, inspection_id=inspection_id, facts=facts, at=at + HOUR)
        assert (notice.ref, notice.administration, notice.office) == ("XA-F-2026-000001", "XA", "XA001")
        assert (notice.declaration_ref, notice.ucr) == ("LRN-1", "UCR-LRN-1")
        assert notice.alert_ref == "XC-A-2026-000001"
        assert notice.consignor == Subject(SubjectRole.CONSIGNOR, "XA-4711", "Alfa Shoes Ltd.", "XA")
        assert notice.quantity == Quantity(Decimal(12), "NPR")
        (exhibit,) = notice.exhibits
        assert (exhibit.name, exhibit.media_type, exhibit.size_bytes) == ("shoe.jpg", "image/jpeg", len(PHOTO))
        assert reads.finding(notice.ref) == notice == reads.finding_of_inspection(inspection_id)
        assert reads.findings(alert_ref="XC-A-2026-000001") == [notice] == reads.findings()
        assert reads.findings(alert_ref="other") == []
        assert reads.finding("XA-F-0") is None
        assert reads.inspection(inspection_id).case_ref == "XA-C-2026-000001"

    def test_own_case_and_alert_may_be_named(self, record_id: UUID, at: datetime):
        inspection_id = started(record_id, at)
        facts = replace(FAKE, case_ref=" CASE 9 ", alert_ref="XB-A-5")
        notice = enforcement.record_finding(OFFICER, inspection_id=inspection_id, facts=facts, at=at)
        assert notice.alert_ref == "XB-A-5"
        assert reads.inspection(inspection_id).case_ref == "CASE 9"

    def test_manifests_have_findings_too(self, at: datetime):
        record_id = store(manifest(), at).record_id
        ordered = enforcement.order_inspection(
            OFFICER, record_id=record_id, reasons=(Reason("random", "drawn"),), at=at
        )
        enforcement.start_inspection(OFFICER, inspection_id=ordered.inspection_id, at=at)
        notice = enforcement.record_finding(OFFICER, inspection_id=ordered.inspection_id, facts=FINE, at=at)
        assert (notice.declaration_ref, notice.consignor, notice.alert_ref, notice.risk_type) == (
            "MAN-1",
            None,
            "",
            None,
        )

    @pytest.mark.parametrize(
        ("facts", "what"),
        [
            (replace(FAKE, risk_type=None), "needs its kind"),
            (replace(FAKE, description=" "), "description"),
            (replace(FAKE, hs_code="64x"), "2 to 10 digits"),
            (replace(FAKE, hs_code="6"), "2 to 10 digits"),
            (replace(FAKE, quantity=Quantity(Decimal(-1))), "negative"),
        ],
    )
    def test_what_is_badly_filled_in(self, record_id: UUID, at: datetime, facts: FindingFacts, what: str):
        inspection_id = started(record_id, at)
        with pytest.raises(FindingError, match=what):
            enforcement.record_finding(OFFICER, inspection_id=inspection_id, facts=facts, at=at)
        assert reads.inspection(inspection_id).state is InspectionState.STARTED

    @pytest.mark.parametrize("actor", [AUDITOR, NODE])
    def test_it_needs_the_permission(self, record_id: UUID, at: datetime, actor: Actor):
        inspection_id = started(record_id, at)
        with pytest.raises(PermissionRefusedError):
            enforcement.record_finding(actor, inspection_id=inspection_id, facts=FINE, at=at)


class TestExhibits:
    @pytest.mark.parametrize(
        ("data", "media_type"),
        [
            (PHOTO, "image/jpeg"),
            (b"\x89PNG\r\n\x1a\n rest", "image/png"),
            (b"%PDF-1.7 rest", "application/pdf"),
            (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
            (b"RIFF\x00\x00\x00\x00WAVEfmt ", "application/octet-stream"),
            (b"<script>alert(1)</script>", "application/octet-stream"),
        ],
    )
    def test_bytes_say_what_a_file_is_and_lie_under_their_digest(
        self, record_id: UUID, at: datetime, evidence_root: Path, data: bytes, media_type: str
    ):
        notice = self.record(record_id, at, Upload("../../etc/shoe\x00.jpg", data))
        sha256 = hashlib.sha256(data).hexdigest()
        assert (evidence_root / sha256[:2] / sha256).read_bytes() == data
        content = reads.exhibit(notice.ref, sha256)
        assert (content.data, content.record_id, content.exhibit) == (data, record_id, notice.exhibits[0])
        assert (content.exhibit.name, content.exhibit.media_type) == ("shoe.jpg", media_type)

    def test_the_same_bytes_are_kept_once(self, record_id: UUID, at: datetime, evidence_root: Path):
        notice = self.record(record_id, at, Upload("a.jpg", PHOTO), Upload("b.jpg", PHOTO))
        assert [exhibit.name for exhibit in notice.exhibits] == ["a.jpg", "b.jpg"]
        assert len([path for path in evidence_root.rglob("*") if path.is_file()]) == 1
        assert {str(row) for row in ExhibitFile.objects.all()} == {"a.jpg", "b.jpg"}

    def test_empty_and_oversized_files_are_refused_and_nothing_is_written(
        self, record_id: UUID, at: datetime, settings: object, evidence_root: Path
    ):
        settings.COMITY_MAX_UPLOAD_BYTES = 10  # type: ignore[attr-defined]
        inspection_id = started(record_id, at)
        for upload, what in ((Upload("a.jpg", b""), "empty"), (Upload("C:\\x\\b.jpg", b"x" * 11), "11 bytes; 10")):
            with pytest.raises(ExhibitError, match=what):
                enforcement.record_finding(
                    OFFICER, inspection_id=inspection_id, facts=replace(FAKE, exhibits=(upload,)), at=at
                )
        assert not evidence_root.exists()
        assert not FindingRow.objects.exists()

    def test_a_changed_or_missing_file_is_noticed(self, record_id: UUID, at: datetime, evidence_root: Path):
        notice = self.record(record_id, at, Upload("a.jpg", PHOTO))
        sha256 = notice.exhibits[0].sha256
        path = evidence_root / sha256[:2] / sha256
        path.write_bytes(b"something else")
        with pytest.raises(ExhibitError, match="was changed"):
            reads.exhibit(notice.ref, sha256)
        path.unlink()
        with pytest.raises(ExhibitError, match="is missing"):
            reads.exhibit(notice.ref, sha256)
        with pytest.raises(ExhibitError, match="no such exhibit"):
            reads.exhibit(notice.ref, "0" * 64)

    def test_a_failed_write_leaves_nothing_behind(self, record_id: UUID, at: datetime, evidence_root: Path):
        sha256 = hashlib.sha256(PHOTO).hexdigest()
        (evidence_root / sha256[:2] / sha256).mkdir(parents=True)
        with pytest.raises(OSError, match=sha256):
            self.record(record_id, at, Upload("a.jpg", PHOTO))
        assert not [path for path in evidence_root.rglob("*") if path.is_file()]
        assert not FindingRow.objects.exists()

    def test_a_name_of_nothing_gets_one(self, record_id: UUID, at: datetime):
        assert self.record(record_id, at, Upload("\x00/", PHOTO)).exhibits[0].name == "exhibit"

    def record(self, record_id: UUID, at: datetime, *uploads: Upload):
        facts = replace(FAKE, exhibits=uploads)
        return enforcement.record_finding(OFFICER, inspection_id=started(record_id, at), facts=facts, at=at)


class TestSeizure:
    def test_irregular_goods_are_taken_under_an_own_number(self, record_id: UUID, at: datetime):
        inspection_id = found(record_id, at)
        seizure = enforcement.seize(OFFICER, inspection_id=inspection_id, facts=TAKEN, at=at)
        assert (seizure.reference, seizure.case_ref, seizure.facts) == ("XA-S-2026-000001", "XA-C-2026-000001", TAKEN)
        assert reads.seizures() == [seizure]
        assert reads.finding_of_inspection(inspection_id).seizure_ref == "XA-S-2026-000001"  # type: ignore[union-attr]
        assert AuditEntry.objects.filter(deed="seize", subject="XA-S-2026-000001").exists()
        assert str(SeizureRow.objects.get()) == "XA-S-2026-000001"

    def test_without_figures(self, record_id: UUID, at: datetime):
        bare = SeizureFacts("Customs Act s. 80", "shoes", is_total=False)
        assert enforcement.seize(OFFICER, inspection_id=found(record_id, at), facts=bare, at=at).facts == bare

    def test_only_irregular_goods(self, record_id: UUID, at: datetime):
        inspection_id = started(record_id, at)
        with pytest.raises(SeizureError, match="found irregular"):
            enforcement.seize(OFFICER, inspection_id=inspection_id, facts=TAKEN, at=at)
        enforcement.record_finding(OFFICER, inspection_id=inspection_id, facts=FINE, at=at)
        with pytest.raises(SeizureError, match="found irregular"):
            enforcement.seize(OFFICER, inspection_id=inspection_id, facts=TAKEN, at=at)

    def test_law_goods_and_permission(self, record_id: UUID, at: datetime):
        inspection_id = found(record_id, at)
        for facts in (replace(TAKEN, legal_basis=" "), replace(TAKEN, goods="")):
            with pytest.raises(SeizureError, match="legal basis"):
                enforcement.seize(OFFICER, inspection_id=inspection_id, facts=facts, at=at)
        with pytest.raises(PermissionRefusedError):
            enforcement.seize(AUDITOR, inspection_id=inspection_id, facts=TAKEN, at=at)


class TestRelease:
    def test_with_a_reason_once(self, record_id: UUID, at: datetime):
        held = enforcement.hold_goods(OFFICER, record_id=record_id, reason="Papers missing", at=at)
        assert held.kind is DecisionKind.HELD
        released = enforcement.release_goods(OFFICER, record_id=record_id, reason=" In order ", at=at + HOUR)
        assert (released.kind, released.reason, released.decided_by) == (
            DecisionKind.RELEASED,
            "In order",
            "officer:boris",
        )
        told = reads.record_file(record_id)
        assert told.decisions == (held, released)
        assert told.is_released
        for deed in (enforcement.release_goods, enforcement.hold_goods):
            with pytest.raises(ReleaseError, match="released already"):
                deed(OFFICER, record_id=record_id, reason="Again", at=at)
        with pytest.raises(ReleaseError, match="released already"):
            enforcement.order_inspection(OFFICER, record_id=record_id, reasons=WHY, at=at)
        with pytest.raises(IntegrityError):
            DecisionRow.objects.update(kind="released")

    def test_not_while_an_inspection_is_open(self, record_id: UUID, at: datetime):
        started(record_id, at)
        with pytest.raises(ReleaseError, match="inspection of these goods is open"):
            enforcement.release_goods(OFFICER, record_id=record_id, reason="Hurry", at=at)

    def test_nothing_is_left_of_a_total_seizure_and_the_rest_of_a_partial_one(self, at: datetime):
        for lrn, is_total in (("L-1", True), ("L-2", False)):
            record_id = store(declaration(lrn), at).record_id
            inspection_id = found(record_id, at)
            enforcement.seize(OFFICER, inspection_id=inspection_id, facts=replace(TAKEN, is_total=is_total), at=at)
            if is_total:
                with pytest.raises(ReleaseError, match="nothing is left"):
                    enforcement.release_goods(OFFICER, record_id=record_id, reason="The rest", at=at)
                continue
            enforcement.release_goods(OFFICER, record_id=record_id, reason="The rest", at=at)
            with pytest.raises(ReleaseError, match="released already"):
                enforcement.seize(OFFICER, inspection_id=inspection_id, facts=TAKEN, at=at)
            told = reads.record_file(record_id)
            assert (len(told.inspections), len(told.findings), len(told.seizures)) == (1, 1, 1)

    def test_record_reason_and_permission(self, record_id: UUID, at: datetime):
        with pytest.raises(RecordNotFoundError):
            enforcement.release_goods(OFFICER, record_id=uuid4(), reason="x", at=at)
        with pytest.raises(ReleaseError, match="needs a reason"):
            enforcement.release_goods(OFFICER, record_id=record_id, reason="", at=at)
        for deed in (enforcement.release_goods, enforcement.hold_goods):
            with pytest.raises(PermissionRefusedError):
                deed(AUDITOR, record_id=record_id, reason="x", at=at)
        assert not reads.record_file(record_id).is_released
