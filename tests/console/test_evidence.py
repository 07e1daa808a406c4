"""Files of messages: whether they are here, looking at one, sharing one, and why one is refused."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.conf import settings
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from comity.console import evidence
from comity.exchange import selectors as exchange
from comity.exchange.evidence import EvidenceState
from comity.exchange.models import EvidenceIn
from comity.journeys.evidence import evidence_of
from comity.journeys.files import evidence_folder
from comity.staff.models import AuditEntry, Officer
from comity.training import photo
from comity.trust import FileShape, sha256_hex
from tests.console import custody_world
from tests.console import world as made
from tests.console.custody_world import SCAN, Custody
from tests.console.visiting import enter, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("held", "taken_back")]


@pytest.fixture(scope="module")
def held(xc: datetime) -> Custody:
    return custody_world.extend(made.build(xc, size=4))


def attach(held: Custody, data: bytes, **words: object):
    file = SimpleUploadedFile("crate.png", data, content_type="image/png")
    given = {"recipients": ["XA"], "purpose": "evidence", "handling": "official", "file": file, **words}
    return enter("ana").post(f"/messages/{held.sent_xa}/attach", given, follow=True)


def arrive_whole(held: Custody) -> str:
    """As if the last chunk of XA's scan had come. Returns its digest."""
    sha256 = sha256_hex(SCAN)
    row = EvidenceIn.objects.get(message_id=held.offer)
    folder = evidence_folder()
    shape = FileShape(sha256, len(SCAN), row.chunk_bytes)
    for number in range(shape.chunks):
        start = number * shape.chunk_bytes
        folder.write_chunk("whole", shape, number, SCAN[start : start + shape.chunk_bytes])
    folder.settle("whole", shape)
    assert folder.has_received(sha256)
    EvidenceIn.objects.filter(pk=row.pk).update(state="complete", have_chunks=row.chunks)
    return sha256


class TestFilesOfAMessage:
    def test_coming_with_how_far_it_is(self, held: Custody):
        page = text_of(enter("ana").get(f"/messages/{held.received}"))
        assert "scan.dcm 10.0 kB · XA 0 of 3 parts are here; the rest is fetched by itself." in page
        assert "0 % coming" in page
        EvidenceIn.objects.update(have_chunks=2)
        answer = enter("ana").get(f"/messages/{held.received}")
        assert "66 % coming" in text_of(answer)
        assert '<progress max="100" value="66" aria-label="scan.dcm">' in answer.content.decode()

    def test_what_was_only_named_was_never_offered(self, held: Custody):
        page = text_of(enter("ana").get(f"/messages/{held.received}"))
        assert "test-report.pdf 8.0 MB" in page
        assert "never offered. Ask the sender to share it. never offered" in page

    def test_a_refused_file_says_why(self, held: Custody):
        EvidenceIn.objects.update(state="refused", last_error="The chunk is not under the root")
        page = text_of(enter("ana").get(f"/messages/{held.received}"))
        assert "The chunk is not under the root" in page

    def test_the_key_of_a_file_stands_on_no_page(self, held: Custody):
        client = enter("ana")
        page = text_of(client.get(f"/messages/{held.offer}"))
        body = exchange.message(held.offer).message.body
        assert body["key"] not in page
        assert body["root"] not in page
        assert "scan.dcm" in page


class TestLookingAtOne:
    def test_it_is_saved_in_a_sandbox_and_audited_with_the_purpose(self, held: Custody):
        sha256 = arrive_whole(held)
        answer = enter("ana").get(f"/messages/{held.received}/files/{sha256}")
        assert b"".join(answer.streaming_content) == SCAN
        assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert answer["Content-Disposition"] == 'attachment; filename="scan.dcm"'
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["Content-Length"] == str(len(SCAN))
        assert "no-store" in answer["Cache-Control"]
        deed = AuditEntry.objects.get(deed="view_exhibit")
        assert deed.facts["purpose"] == "control"

    def test_a_purpose_is_asked_for_first(self, held: Custody):
        answer = enter("ana", purpose="").get(f"/messages/{held.received}/files/{sha256_hex(SCAN)}")
        assert answer.url.startswith("/purpose?next=")

    def test_what_is_not_here_is_refused_with_what_to_do(self, held: Custody):
        answer = enter("ana").get(f"/messages/{held.received}/files/{'ab' * 32}")
        assert answer.status_code == 409
        assert "Ask the sender to share the file." in text_of(answer)
        assert enter("ana").get(f"/messages/{held.received}/files/{'cd' * 32}").status_code == 404

    def test_a_picture_is_shown_and_can_be_saved(self, held: Custody):
        attach(held, photo(4))
        client, sha256 = enter("ana"), sha256_hex(photo(4))
        shown = client.get(f"/messages/{held.sent_xa}/files/{sha256}")
        assert shown["Content-Type"] == "image/png"
        assert shown["Content-Disposition"].startswith("inline")
        assert b"".join(shown.streaming_content) == photo(4)
        saved = client.get(f"/messages/{held.sent_xa}/files/{sha256}?save=1")
        assert saved["Content-Disposition"].startswith("attachment")
        assert b"".join(saved.streaming_content) == photo(4)


class TestAttaching:
    def test_it_is_offered_to_who_got_the_message(self, held: Custody):
        page = text_of(attach(held, photo(5), recipients=["XA", "XB"]))
        assert "The file is offered to: XA, XB" in page
        assert "crate.png" in page
        assert "The partner has fetched 0 of 1 parts." in page
        states = {each.state for each in evidence_of(held.sent_xa) if each.name == "crate.png"}
        assert states == {EvidenceState.OFFERED}
        assert [each.about for each in evidence_of(held.sent_xb) if each.name == "crate.png"] == [held.sent_xb]

    def test_the_agreements_bound_is_said_with_both_sizes_and_the_file_is_not_asked_for_again(self, held: Custody):
        assert evidence.most_bytes() == 2_000_000
        page = attach(held, b"x" * 10, purpose="statistics")
        assert page.status_code == 422
        assert "The file cannot go to XA." in text_of(page)
        assert "crate.png is here already" in text_of(page)
        kept = page.context["form"]["kept"].value()
        given = {"recipients": ["XA"], "purpose": "evidence", "handling": "official", "kept": kept}
        again = enter("ana").post(f"/messages/{held.sent_xa}/attach", given, follow=True)
        assert "The file is offered to: XA" in text_of(again)

    def test_what_is_larger_than_any_agreement_covers_is_thrown_away_and_the_form_stays(self, held: Custody):
        before = sum(1 for path in settings.COMITY_EVIDENCE.rglob("*") if path.is_file())
        page = attach(held, b"y" * 2_000_001, description="From the left")
        assert page.status_code == 422
        assert "The file is larger than 2.0 MB" in text_of(page)
        assert "From the left" in text_of(page)
        assert "Choose a file" not in text_of(page).replace("choose", "")
        assert sum(1 for path in settings.COMITY_EVIDENCE.rglob("*") if path.is_file()) == before

    def test_an_empty_file_and_none(self, held: Custody):
        assert "Choose a file" in text_of(attach(held, b"", file=""))
        assert attach(held, b"").status_code == 422

    def test_no_form_names_a_file_that_this_node_did_not_give_it(self, held: Custody):
        sha256 = arrive_whole(held)
        forged = signing.dumps([sha256, "scan.dcm", "application/dicom"], salt="another")
        for kept in (sha256, forged):
            assert "Choose a file" in text_of(attach(held, b"", file="", kept=kept))

    def test_from_restricted_up_a_second_officer_approves_it(self, held: Custody):
        page = text_of(attach(held, photo(6), handling="restricted"))
        assert "The file waits for a second officer." in page
        second = enter("boris")
        waiting = second.get("/approvals")
        assert "Sharing of a file · crate.png" in text_of(waiting)
        proposal = next(each.proposal for each in waiting.context["waiting"] if each.proposal.deed == "share_evidence")
        done = second.post(f"/approvals/{proposal.proposal_id}", {"wish": "approve"}, follow=True)
        assert "Approved; on its way to 1 partner." in text_of(done)

    def test_an_exhibit_that_is_here_is_shared_without_sending_it_again(self, held: Custody):
        evidence_folder().root.mkdir(exist_ok=True)
        source = settings.COMITY_EVIDENCE.parent / "carton.png"
        source.write_bytes(photo(9))
        evidence_folder().keep(source)
        client = enter("ana")
        page = client.get(f"/messages/{held.sent_xa}")
        assert "It is here; nobody was offered it." in text_of(page)
        address = f"/messages/{held.sent_xa}/attach?file={sha256_hex(photo(9))}"
        assert address in page.content.decode()
        form = client.get(address)
        assert "carton.png is here already" in text_of(form)
        data = {**form.context["form"].initial, "recipients": ["XA"], "purpose": "evidence"}
        assert "offered to: XA" in text_of(client.post(f"/messages/{held.sent_xa}/attach", data, follow=True))

    def test_the_form_needs_its_token_although_it_streams(self, held: Custody):
        strict = Client(enforce_csrf_checks=True)
        officer = Officer.objects.get(username="ana")
        strict.force_login(officer, backend="django.contrib.auth.backends.ModelBackend")
        assert strict.post(f"/messages/{held.sent_xa}/attach", {"purpose": "evidence"}).status_code == 403
        assert strict.post("/share", {"title": "x"}).status_code == 403


class TestSharingAnAlertWithAFile:
    def form(self, held: Custody, **words: object) -> dict[str, object]:
        initial = enter("ana").get("/share").context["form"].initial
        given = {"title": "With a photo", "recipients": ["XA"], "days": 30, "agreement": held.agreement_id}
        return {**initial, **given, "purpose": "control", "step": "preview", **words}

    def test_it_goes_after_the_alert(self, held: Custody):
        client = enter("ana")
        file = SimpleUploadedFile("label.png", photo(7), content_type="image/png")
        preview = client.post("/share", self.form(held, file=file))
        assert "The file label.png goes after the alert" in text_of(preview)
        kept = preview.context["form"]["kept"].value()
        sent = client.post("/share", self.form(held, step="send", kept=kept), follow=True)
        assert "The file label.png goes after it." in text_of(sent)
        alert = exchange.messages(kind="alert/1", direction="sent")[0]
        assert [each.state for each in evidence_of(alert.id)] == [EvidenceState.OFFERED]

    def test_one_that_no_article_covers_holds_the_alert_back_and_says_why(self, held: Custody):
        file = SimpleUploadedFile("label.png", photo(7), content_type="image/png")
        safety = {"purpose": "risk_assessment", "risk_type": "safety", "agreement": ""}
        preview = enter("ana").post("/share", self.form(held, file=file, **safety))
        assert "The file cannot go to XA." in text_of(preview)
        assert 'value="send"' not in preview.content.decode()

    def test_with_a_second_officer_the_file_waits_for_the_alert(self, held: Custody):
        client = enter("ana")
        file = SimpleUploadedFile("label.png", photo(7), content_type="image/png")
        preview = client.post("/share", self.form(held, file=file, handling="restricted"))
        assert "does not wait with the alert" in text_of(preview)
        kept = preview.context["form"]["kept"].value()
        sent = client.post("/share", self.form(held, step="send", kept=kept, handling="restricted"), follow=True)
        assert "attach it to the alert once it was sent" in text_of(sent)
