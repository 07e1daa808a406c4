"""Requests at XC: what the pages say, that forms come of the procedures, and that sending takes who it must."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

import pytest

from comity.agreements.life import MoveKind
from comity.agreements.moves import Wish
from comity.common import Actor, ActorKind
from comity.exchange.models import OutboxMessage
from comity.journeys.negotiate import propose_move
from comity.operations import selectors as operations
from comity.operations.models import Case, CaseStep
from comity.staff import selectors as staff
from comity.staff.models import AuditEntry, Officer
from tests.console import requests_world
from tests.console.requests_world import QUESTION, REQUEST, Requests
from tests.console.visiting import enter, text_of

pytestmark = pytest.mark.django_db
SAID = {f"say_{name}": value for name, value in REQUEST.items() if name not in ("persons", "domestic_law_refs")}
OPENING = {
    **SAID,
    "say_persons": "Jan Novak, Praha",
    "say_domestic_law_refs": "Customs Code Art. 12\r\nData Act s. 4",
    "say_own_verification_confirmed": "true",
    "who_asked": "XA",
    "purpose": "control",
    "handling": "official",
}


@pytest.fixture(scope="module")
def known(xc: datetime) -> Requests:
    return requests_world.alone(xc)


@pytest.fixture(autouse=True)
def put_back(known: Requests, taken_back: None) -> Iterator[None]:
    """XA's next envelope has the same number for every test."""
    number = known.number
    yield
    known.number = number


def opening(known: Requests, name: str = "tfa12", event: str = "submit") -> str:
    return f"/requests/new/{known.agreement_id}/{name}/{event}"


class TestList:
    def test_what_is_overdue_stands_first_with_the_days_and_who_owes_it(self, known: Requests):
        page = text_of(enter("ana").get("/requests"))
        first = page.index(known.asked[:13])
        assert all(first < page.index(each[:13]) for each in (known.ours, known.dispute, known.breach))
        assert "27 days late Answer" in page
        assert "3 working days left Notification" in page
        assert "Wait for us 5" in page
        assert known.closed[:13] not in page

    def test_tabs_and_facets_stand_in_the_address(self, known: Requests):
        client = enter("ana")
        assert known.closed[:13] in text_of(client.get("/requests?show=closed"))
        assert "No request waits for a partner." in text_of(client.get("/requests?show=partner"))
        ladders = text_of(client.get("/requests?show=disputes"))
        assert "With the contact points now" in ladders
        assert "Remedy accepted, agreement in full effect" in ladders
        late = text_of(client.get("/requests?show=all&late=late&partner=XA&procedure=tfa12"))
        assert known.asked[:13] in late
        assert known.dispute[:13] not in late
        assert "Nothing matches." in text_of(client.get("/requests?late=late&page=7"))
        assert client.get("/requests?show=no-tab&page=x&procedure=none").status_code == 200

    def test_what_it_is_about_is_read_with_a_purpose(self, known: Requests):
        assert "Shoes declared" not in text_of(enter("ana", purpose="").get("/requests"))
        assert enter("ana", purpose="").get(f"/requests/{known.ours}").url.startswith("/purpose")
        assert "Shoes declared at a third" in text_of(enter("ana").get("/requests"))

    def test_who_does_not_need_to_know_sees_that_it_exists(self, known: Requests):
        Case.objects.filter(case_id=known.secret).update(handling="confidential")
        client = enter("chipo")
        page = text_of(client.get("/requests?show=all"))
        assert "You may know that these exist; ask a liaison officer for more." in page
        assert page.count(known.secret[:13]) == 1
        answer = client.get(f"/requests/{known.secret}")
        assert answer.status_code in (403, 409)
        assert "Shoes" not in text_of(answer)

    def test_an_officer_of_the_line_has_no_part_in_it(self, known: Requests):
        Officer.objects.filter(username="ana").update(roles=["officer"])
        client = enter("ana")
        assert client.get("/requests").status_code == 403
        assert client.get("/obligations").status_code == 403
        assert "Requests that wait" not in text_of(client.get("/"))

    def test_today_tells_what_waits(self, known: Requests):
        page = text_of(enter("boris").get("/"))
        assert "Requests that wait for us" in page
        assert "5 reminders of what is owed" in page
        assert "Verification request: Ask what is meant" in page  # waits for the second officer


class TestCase:
    def test_it_says_what_happened_and_what_was_withheld(self, known: Requests):
        page = text_of(enter("ana").get(f"/requests/{known.ours}"))
        for words in (
            "It is our turn.",
            QUESTION,
            "XA · Ask what is meant",
            "Send the request · we (ana)",
            "Withheld from XA by article 1: Persons concerned.",
            "Sent to XA under article 1",
            "on its way",
            "It came under article 1.",
            "The clock “Answer” starts.",
            "the same as our count",
            "A day counts where XA works.",
            "On assistance among three",
        ):
            assert words in page, words
        assert AuditEntry.objects.filter(deed="view_case", subject=f"case:{known.ours}", actor_id="ana").exists()

    def test_time_and_the_node_act_too(self, known: Requests):
        page = text_of(enter("boris").get(f"/requests/{known.asked}"))
        assert "By itself: the time of the clock “Answer” ran out." in page
        assert "Acknowledge receipt · we (the node by itself)" in page
        assert "A liaison officer does these." in page

    def test_a_step_that_crossed_is_shown_as_overtaken(self, known: Requests):
        known.step_of_xa(known.closed, "receive", known.at, unseen="withdraw")
        known.step_of_xa(known.closed, "accept", known.at, unseen="withdraw")
        page = text_of(enter("ana").get(f"/requests/{known.closed}"))
        assert "overtaken" in page
        assert "It crossed another step, which came first" in page
        assert "This request is closed." in page

    def test_trouble_is_shown_honestly(self, known: Requests):
        CaseStep.objects.filter(case__case_id=known.asked, number=1).update(trouble="deadline_differs: Clock answer")
        page = text_of(enter("ana").get(f"/requests/{known.asked}"))
        assert "came, but something in it does not fit: deadline_differs: Clock answer" in page

    def test_it_speaks_french(self, known: Requests):
        client = enter("ana")
        client.post("/language", {"language": "fr", "next": "/"})
        page = text_of(client.get(f"/requests/{known.ours}"))
        for words in ("C’est à nous.", "Éclaircissement demandé", "jours ouvrables", "Ce qui n'est pas clair"):
            assert words in page, words
        assert "27 jours de retard" in text_of(client.get("/requests"))

    def test_a_request_that_is_not_there(self, known: Requests):
        assert enter("ana").get("/requests/00000000-0000-7000-8000-000000000000").status_code == 404


class TestStep:
    def test_what_is_missing_is_said_beside_the_field(self, known: Requests):
        answer = enter("ana").post(f"/requests/{known.ours}/do/clarify", {"step": "preview"})
        assert answer.status_code == 422
        page = answer.content.decode()
        assert 'href="#id_say_clarification_answer"' in page
        assert QUESTION in text_of(answer)

    def test_nothing_leaves_before_it_was_seen(self, known: Requests):
        client, address = enter("ana"), f"/requests/{known.ours}/do/clarify"
        said, before = {"say_clarification_answer": "The second.\r\nOf May."}, OutboxMessage.objects.count()
        preview = client.post(address, {**said, "step": "preview"})
        assert "To XA permitted" in text_of(preview)
        assert "Clarification" in text_of(preview)
        assert OutboxMessage.objects.count() == before
        assert "The second." in client.post(address, {**said, "step": "change"}).content.decode()
        sent = client.post(address, {**said, "step": "send"}, follow=True)
        assert "Done, and on its way to XA." in text_of(sent)
        assert "We wait for XA." in text_of(sent)
        assert OutboxMessage.objects.count() == before + 1
        again = client.post(address, {**said, "step": "send"}, follow=True)
        assert "This cannot be done in the case now." in text_of(again)

    def test_a_refusal_names_its_ground_and_the_law(self, known: Requests):
        client, address = enter("ana"), f"/requests/{known.asked}/do/refuse"
        form = text_of(client.get(address))
        assert "R2 · Our law prevents the release (Art. 12.7.1(b)) – name the law" in form
        assert "Choose the ground" in text_of(client.post(address, {"step": "preview"}))
        lawless = client.post(address, {"step": "preview", "say_grounds": ["R2", "R3"]})
        assert "Name the law and its article: this ground rests on them" in text_of(lawless)
        said = {"say_grounds": ["R2", "R3"], "say_law_reference": "Customs Code Art. 12", "say_reason": "It is secret."}
        client.post(address, {**said, "step": "send"})
        page = text_of(client.get(f"/requests/{known.asked}"))
        assert "R2 · Our law prevents the release; R3 ·" in page
        assert "It is secret." in page
        assert "Refused" in page

    def test_only_who_shares_takes_steps(self, known: Requests):
        assert enter("boris").get(f"/requests/{known.asked}/do/accept").status_code == 403

    def test_a_restricted_step_takes_two_officers(self, known: Requests):
        ana, boris = enter("ana"), enter("boris")
        waiting = text_of(ana.get(f"/requests/{known.secret}"))
        assert "Waiting for a second officer Ask what is meant" in waiting
        assert "This is your own proposal" in text_of(ana.get("/approvals"))
        page = text_of(boris.get("/approvals"))
        for words in ("Verification request: Ask what is meant", "Whose shoes?", "To XA permitted", "restricted"):
            assert words in page, words
        done = boris.post(f"/approvals/{known.proposal}", {"wish": "approve"}, follow=True)
        assert "Approved; on its way to 1 partner." in text_of(done)
        assert operations.case_file(known.secret, at=known.at).view.state.name == "clarifying"

    def test_a_case_that_has_moved_keeps_the_proposal(self, known: Requests):
        known.step_of_xa(known.secret, "withdraw", known.at)
        boris = enter("boris")
        assert "It cannot be sent as things stand:" in text_of(boris.get("/approvals"))
        done = boris.post(f"/approvals/{known.proposal}", {"wish": "approve"}, follow=True)
        assert "It was not sent, and still waits: This cannot be done now" in text_of(done)
        assert [str(each.proposal_id) for each in staff.open_proposals()] == [known.proposal]
        boris.post(f"/approvals/{known.proposal}", {"wish": "reject", "reason": "Too late"})
        assert "Verification request: Ask what is meant" in text_of(boris.get("/approvals"))


class TestOpening:
    def test_only_what_agreements_let_us_open_is_offered(self, known: Requests):
        page = text_of(enter("ana").get("/requests/new"))
        assert "Verification request" in page
        assert "Controlled delivery" in page
        assert "Intellectual property" not in page
        assert enter("ana").get(opening(known, "ipr", "apply")).status_code == 404

    def test_it_is_seen_then_sent(self, known: Requests):
        client, before = enter("ana"), Case.objects.count()
        preview = text_of(client.post(opening(known), {**OPENING, "step": "preview"}))
        assert "Withheld by agreement article 1 Persons concerned" in preview
        assert "Data Act s. 4" in preview
        assert Case.objects.count() == before
        sent = client.post(opening(known), {**OPENING, "step": "send"}, follow=True)
        assert "We wait for XA." in text_of(sent)
        assert Case.objects.count() == before + 1

    def test_a_condition_that_is_not_met_is_said_plainly(self, known: Requests):
        wrong = {**OPENING, "say_own_verification_confirmed": "false", "step": "preview"}
        page = text_of(enter("ana").post(opening(known), wrong))
        assert "Possible only if: “We have verified the declaration ourselves” is answered with yes." in page
        assert "This cannot be done now" in page
        assert "The importer was audited" in page

    def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(self, known: Requests):
        answer = enter("ana").post(opening(known), {**OPENING, "say_originating_office": "", "step": "preview"})
        assert answer.status_code == 422
        assert "Say this: Office that asks" in text_of(answer)
        assert "Jan Novak, Praha" in answer.content.decode()

    def test_a_restricted_opening_is_proposed_and_approved(self, known: Requests):
        before = Case.objects.count()
        enter("ana").post(opening(known), {**OPENING, "handling": "restricted", "step": "send"})
        assert Case.objects.count() == before
        boris, proposal = enter("boris"), staff.open_proposals()[-1]
        page = text_of(boris.get("/approvals"))
        assert "Verification request: Send the request" in page
        assert "Between XA, XC" in page
        boris.post(f"/approvals/{proposal.proposal_id}", {"wish": "approve"})
        assert Case.objects.count() == before + 1

    def test_several_partners_may_be_asked_at_once(self, known: Requests):
        said = {
            "say_operation": "North 1",
            "say_purpose": "To find the receivers.",
            "say_goods": "2402, 240220",
            "say_content_mode": "intact",
            "say_route": "XA\r\nXB",
        }
        wish = {"who_members": ["XA", "XB"], "purpose": "control", "handling": "official", "step": "preview"}
        page = text_of(enter("ana").post(opening(known, "controlled_delivery", "propose"), {**said, **wish}))
        assert "To XA permitted" in page
        assert "To XB permitted" in page
        assert "2402, 240220" in page


class TestApprovals:
    def test_leaving_an_agreement_takes_two_officers(self, known: Requests):
        chief = Actor(ActorKind.OFFICER, "chipo", "XC", frozenset({"administrator"}))
        wish = Wish(MoveKind.SUSPEND, known.agreement_id, articles=("1",), reason="Names were told.")
        proposal = propose_move(chief, wish=wish, at=known.at)
        assert "This is your own proposal" in text_of(enter("chipo").get("/approvals"))
        page = text_of(enter("boris").get("/approvals"))
        for words in ("Suspension of an agreement", "On assistance among three", "Names were told.", "Told to XA, XB"):
            assert words in page, words
        done = enter("boris").post(f"/approvals/{proposal.proposal_id}", {"wish": "approve"}, follow=True)
        assert "Approved; on its way to" in text_of(done)


class TestOwed:
    def test_ours_first_and_counted_by_partner(self, known: Requests):
        page = text_of(enter("ana").get("/obligations"))
        assert page.index("We owe What Partner") < page.index("Owed to us What Partner")
        assert "XA 3 2 2 1 See the ledger (XA)" in page
        assert "the period from 1 Jan" in page
        assert "a matter for the heads of administration" in page
        assert "XB" not in text_of(enter("ana").get("/obligations?partner=XA&state=all")).split("By partner")[1][:60]

    def test_a_reminder_is_taken_note_of(self, known: Requests):
        client = enter("ana")
        numbers = re.findall(r"/obligations/(\d+)/seen", client.get("/obligations").content.decode())
        done = client.post(f"/obligations/{numbers[0]}/seen", follow=True)
        page = text_of(done)
        assert "Noted." in page
        assert "Reminders that were noted" in page
        left = re.findall(r"/obligations/(\d+)/seen", client.get("/obligations").content.decode())
        assert left == numbers[1:]
        assert client.post("/obligations/999999/seen").status_code == 404

    def test_reciprocity_is_counted_and_saved(self, known: Requests):
        client = enter("ana")
        year = known.at.year
        page = text_of(client.get(f"/reciprocity?partner=XA&since={year}-01-01&until={year}-12-31"))
        assert f"Reciprocity between XC and XA 1 Jan {year} – 31 Dec {year}" in page
        assert "Requests made 2 2" in page
        assert "Sent: Step of a request" in page
        saved = client.get(f"/reciprocity?partner=XA&since={year}-01-01&until={year}-12-31&as=file")
        assert saved["Content-Disposition"].startswith('attachment; filename="reciprocity-XC-XA')
        assert saved.content.startswith(b"<!doctype html>")
        wrong = client.get(f"/reciprocity?partner=XA&since={year}-02-01&until={year}-01-01")
        assert wrong.status_code == 422
        assert "The last day comes before the first" in text_of(wrong)

    def test_procedures_are_drawn_and_told(self, known: Requests):
        client = enter("boris")
        assert "Dispute ladder" in text_of(client.get("/procedures"))
        page = client.get("/procedures/tfa12")
        assert "<svg" in page.content.decode()
        assert "Sent → Received: Acknowledge receipt" in text_of(page)
        assert client.get("/procedures/none").status_code == 404
