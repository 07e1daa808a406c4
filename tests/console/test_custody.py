"""Who holds what, taking back, handing on, keeping, consents: what the pages say and what their forms do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import translation

from comity.common import new_id
from comity.custody import Mode, Status
from comity.custody import selectors as custody
from comity.custody import services as keeping
from comity.custody.models import Consent
from comity.exchange import selectors as exchange
from comity.exchange.models import InboxMessage, OutboxMessage
from comity.journeys.remind import custody_due
from comity.staff.models import AuditEntry, Officer
from tests.console import custody_world
from tests.console import world as made
from tests.console.custody_world import Custody
from tests.console.visiting import enter, text_of

pytestmark = pytest.mark.django_db
RECALL = {"ground": "information_wrong"}


@pytest.fixture(scope="module")
def held(xc: datetime) -> Custody:
    return custody_world.extend(made.build(xc, size=4))


@pytest.fixture(autouse=True)
def put_back(held: Custody, taken_back: None) -> Iterator[None]:
    """XA's next envelope has the same number for every test."""
    number = held.number
    yield
    held.number = number


def take_back(held: Custody, step: str = "send", **words: object):
    data = {"messages": [held.sent_xa, held.sent_xb], "step": step, "mode": "recall", **RECALL, **words}
    return enter("ana").post(f"/messages/{held.sent_xa}/take-back", data, follow=True)


class TestWhoHoldsIt:
    def test_each_holder_stands_there_with_whose_word_it_is(self, held: Custody):
        page = text_of(enter("ana").get(f"/messages/{held.sent_xa}"))
        assert "Who holds it" in page
        assert "XA holds it" in page
        assert "our own record" in page
        assert "XB holds it" in page
        assert "from XA" in page
        assert "XA told that XB has it; the signature was checked here." in page
        assert "XB got it from XA" in page

    def test_the_statement_is_downloaded_as_it_was_signed(self, held: Custody):
        client = enter("ana")
        answer = client.get(f"/messages/{held.sent_xa}/statements/XB")
        assert answer.content == custody.holding_of("XC", held.sent_xa, "XB").statement
        assert answer["Content-Disposition"].startswith("attachment")
        assert AuditEntry.objects.filter(deed="download_statement").count() == 1
        assert client.get(f"/messages/{held.sent_xa}/statements/XA").status_code == 404

    @pytest.mark.parametrize(
        ("status", "ground", "words"),
        [
            (Status.PURGED, "recalled", "purged Its origin took it back"),
            (Status.RETAINED, "court_order", "keeps it A court ordered that it be kept"),
        ],
    )
    def test_an_answer_is_said_in_plain_words(self, held: Custody, status: Status, ground: str, words: str):
        take_back(held)
        order = custody.recalls(origin="XC")[0]
        held.answer(held.sent_xa, "XA", status, ground, recall=custody.holding_of("XC", held.sent_xa, "XA").recall_id)
        page = text_of(enter("ana").get(f"/messages/{held.sent_xa}"))
        assert f"XA {words}" in page
        assert "signed by XA" in page
        assert order.recall_id

    def test_a_partner_that_refused_it_holds_nothing(self, held: Custody):
        OutboxMessage.objects.filter(message_id=held.sent_xb).update(state="refused")
        assert "XB refused it" in text_of(enter("ana").get(f"/messages/{held.sent_xb}"))

    def test_an_auditor_looks_and_can_do_nothing(self, held: Custody):
        Officer.objects.filter(username="chipo").update(roles=["auditor"])
        page = text_of(enter("chipo").get(f"/messages/{held.sent_xa}"))
        assert "Who holds it" in page
        assert "Take back" not in page
        assert "Attach a file" not in page

    def test_a_duty_is_held_by_nobody(self, held: Custody):
        line = exchange.messages(kind="holding/1")[0]
        page = text_of(enter("ana").get(f"/messages/{line.id}"))
        assert "News of a copy from XA" in page
        assert "Who holds it" not in page
        assert "The message that it is about" in page
        assert "payload" not in page


class TestTakingBack:
    def test_what_will_happen_to_whom_is_said_before_it_does(self, held: Custody):
        page = text_of(take_back(held, step="preview"))
        assert "XA Is told at once. Its node purges the copy" in page
        assert "XB Is told at once." in page
        assert "What it says is wrong" in page
        assert "This cannot be undone" in page
        assert custody.recalls(origin="XC") == ()

    def test_who_got_it_from_a_partner_is_reached_through_it(self, held: Custody):
        page = text_of(take_back(held, step="preview", messages=[held.sent_xa]))
        assert "XB Got it from XA, who must pass this on." in page

    def test_it_goes_out_and_the_answers_are_awaited(self, held: Custody):
        page = text_of(take_back(held))
        assert "Taken back: XA, XB are told at once." in page
        assert "has not answered The answer is due" in page
        assert {each.origin for each in custody.recalls(origin="XC")} == {"XC"}
        assert AuditEntry.objects.filter(deed="recall_messages").count() == 2
        assert "2 answers" in text_of(enter("ana").get(f"/messages/{held.sent_xa}"))
        assert 'data-count="recalls">4<' in enter("ana").get("/recalls").content.decode().replace(" hidden", "")

    def test_change_something_keeps_what_was_chosen(self, held: Custody):
        answer = take_back(held, step="change", messages=[held.sent_xa], ground="breach")
        page = answer.content.decode()
        assert '<option value="breach" selected>' in page
        assert page.count("checked") == 1

    def test_nobody_ticked(self, held: Custody):
        answer = take_back(held, messages=[])
        assert answer.status_code == 422
        assert "Tick at least one partner" in text_of(answer)

    def test_a_tightening_needs_a_limit_and_says_it(self, held: Custody):
        empty = take_back(held, mode="tighten")
        assert empty.status_code == 422
        assert "Give an earlier day, a higher level, or both" in text_of(empty)
        last = (held.at + timedelta(days=5)).date().isoformat()
        limits = {"mode": "tighten", "handling": "restricted", "keep_until": last, "ground": "level_raised"}
        page = text_of(take_back(held, step="preview", **limits))
        assert "It is handled as “restricted” from now on." in page
        assert "This cannot be undone" not in page
        take_back(held, **limits)
        order = custody.recalls(origin="XC")[0]
        assert order.mode is Mode.TIGHTEN
        assert order.handling == "restricted"
        assert order.keep_until is not None

    def test_a_day_that_has_passed_is_refused_beside_its_field(self, held: Custody):
        answer = take_back(held, mode="tighten", keep_until="2020-01-01")
        assert answer.status_code == 422
        assert "This day has passed" in text_of(answer)

    def test_a_correction_shares_first_and_then_takes_back(self, held: Custody):
        client = enter("ana")
        first = client.get(f"/messages/{held.sent_xa}/take-back?mode=correct")
        assert "Nothing was shared with this partner since" in text_of(first)
        form = client.get(f"/share?corrects={held.sent_xa}").context["form"]
        assert form.initial["title"] == "Counterfeit sports shoes, a third route"
        assert form.initial["containers"] == "XALU1234568"
        data = {
            **form.initial,
            "days": 30,
            "agreement": held.agreement_id,
            "title": "Counterfeit boots",
            "step": "send",
        }
        sent = client.post("/share", data)
        assert sent.url.startswith(f"/messages/{held.sent_xa}/take-back?mode=correct&replacement=")
        replacement = sent.url.rpartition("=")[2]
        assert f'<option value="{replacement}" selected>' in client.get(sent.url).content.decode()
        page = text_of(take_back(held, step="preview", mode="correct", replacement=replacement))
        assert "The corrected one takes its place." in page
        take_back(held, mode="correct", replacement=replacement)
        orders = custody.recalls(origin="XC")
        assert {each.mode for each in orders} == {Mode.CORRECT}
        assert {old for each in orders for old in each.replacement} == {held.sent_xa, held.sent_xb}

    def test_a_correction_that_one_partner_did_not_get_is_refused(self, held: Custody):
        client = enter("ana")
        form = client.get(f"/share?corrects={held.sent_xa}").context["form"]
        data = {**form.initial, "recipients": ["XA"], "days": 30, "agreement": held.agreement_id, "step": "send"}
        replacement = client.post("/share", data).url.rpartition("=")[2]
        answer = take_back(held, mode="correct", replacement=replacement)
        assert answer.status_code == 422
        assert "The corrected one was not shared with: XB" in text_of(answer)

    def test_a_partners_message_is_not_ours_to_take_back(self, held: Custody):
        answer = enter("ana").post(
            f"/messages/{held.received}/take-back",
            {"messages": [held.received], "ground": "breach", "mode": "recall", "step": "send"},
        )
        assert answer.status_code == 422
        assert "Only its origin takes a message back" in text_of(answer)

    def test_only_an_alert_of_ours_is_corrected(self, held: Custody):
        assert enter("ana").get(f"/share?corrects={held.received}").status_code == 409


class TestOurCopy:
    def test_how_long_it_may_be_kept_and_who_has_it(self, held: Custody):
        page = text_of(enter("ana").get(f"/messages/{held.received}"))
        assert "Our copy State held" in page
        assert "We may keep it until" in page
        assert "We have not handed it on, and know of nobody else." in page

    def test_without_consent_it_is_not_handed_on_but_asked_for(self, held: Custody):
        client = enter("ana")
        data = {"recipients": ["XB"], "purpose": "control", "step": "preview"}
        page = text_of(client.post(f"/messages/{held.received}/hand-on", data))
        assert "consent is needed" in page
        assert "asks for the consent of XA before it goes to XB" in page
        assert "Ask XA for consent" in page
        answer = client.post(f"/messages/{held.received}/hand-on", {**data, "step": "send"})
        assert answer.status_code == 422
        assert "asks for the consent of XA" in text_of(answer)
        asked = client.post(
            f"/messages/{held.received}/ask-consent", {"recipients": ["XB"], "reason": "They load it"}, follow=True
        )
        assert "XA is asked for its consent." in text_of(asked)
        assert "waits for an answer" in text_of(asked)
        assert exchange.messages(kind="consent/1", direction="sent")

    def test_a_question_needs_a_reason(self, held: Custody):
        answer = enter("ana").post(f"/messages/{held.received}/ask-consent", {"recipients": ["XB"]})
        assert answer.status_code == 422
        assert "Say why, in one sentence" in text_of(answer)

    def test_it_is_kept_on_a_ground_although_it_is_recalled(self, held: Custody):
        client = enter("boris")
        assert "Choose the legal ground" in text_of(client.post(f"/messages/{held.received}/keep", {}))
        kept = client.post(f"/messages/{held.received}/keep", {"ground": "court_order"}, follow=True)
        assert "Kept because A court ordered that it be kept" in text_of(kept)
        held.recall(held.received)
        page = text_of(client.get(f"/messages/{held.received}"))
        assert "kept on a legal ground" in page
        assert "Toys with lead" in page
        sure = text_of(client.get(f"/messages/{held.received}/let-go"))
        assert "the node purges it within a minute and tells XA" in sure
        gone = client.post(f"/messages/{held.received}/let-go", follow=True)
        assert "It is purged as soon as it is due." in text_of(gone)

    def test_a_day_in_the_past_keeps_nothing(self, held: Custody):
        answer = enter("ana").post(f"/messages/{held.received}/keep", {"ground": "court_order", "until": "2020-01-01"})
        assert answer.status_code == 422
        assert "The day has passed" in text_of(answer)

    def test_what_was_purged_says_so_and_that_the_proof_remains(self, held: Custody):
        held.recall(held.received)
        client = enter("ana")
        page = text_of(client.get(f"/messages/{held.received}"))
        assert "Its content was purged here" in page
        assert "Its origin took it back" in page
        assert "stays provable" in page
        assert "of our log" in page
        assert "Toys with lead" not in page
        assert "Hand on" not in page
        assert client.get(f"/messages/{held.received}/hand-on").status_code == 200
        data = {"recipients": ["XB"], "purpose": "control", "step": "preview"}
        refused = client.post(f"/messages/{held.received}/hand-on", data)
        assert refused.status_code == 422

    def test_pages_of_what_is_not_here(self, held: Custody):
        client = enter("ana")
        for name in ("hand-on", "ask-consent", "keep", "let-go"):
            assert client.get(f"/messages/{held.sent_xa}/{name}").status_code == 404, name
        assert client.get(f"/consents/{new_id(held.at)}").status_code == 404


class TestConsents:
    def test_a_question_is_answered_until_a_day(self, held: Custody):
        client = enter("ana")
        assert "XA wants to hand a message of ours on to XB" in text_of(client.get("/recalls?show=consents"))
        page = text_of(client.get(f"/consents/{held.consent}"))
        assert "May XA hand it on?" in page
        assert "The goods are loaded there" in page
        last = (held.at + timedelta(days=9)).date().isoformat()
        data = {"recipients": ["XB"], "until": last, "wish": "give"}
        given = client.post(f"/consents/{held.consent}", data, follow=True)
        assert "Consent given. XA is told." in text_of(given)
        assert custody.consent_covering("XC", held.sent_xa, "XB", held.at) is not None
        assert "consent given" in text_of(client.get(f"/consents/{held.consent}"))
        again = client.post(f"/consents/{held.consent}", data)
        assert again.status_code == 422
        assert "Nobody waits for this consent" in text_of(again)

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            ({"until": "2030-01-01"}, "Consent to at least one of them, or refuse"),
            ({"recipients": ["XB"]}, "Name the last day"),
            ({"recipients": ["XB"], "until": "2020-01-01"}, "The day has passed"),
        ],
    )
    def test_half_an_answer_is_no_consent(self, held: Custody, data: dict[str, object], words: str):
        answer = enter("ana").post(f"/consents/{held.consent}", {**data, "wish": "give"})
        assert answer.status_code == 422
        assert words in text_of(answer)

    def test_it_is_refused_without_a_day(self, held: Custody):
        refused = enter("boris").post(f"/consents/{held.consent}", {"wish": "refuse"}, follow=True)
        assert "Refused. XA is told." in text_of(refused)
        assert "consent refused" in text_of(refused)

    def test_from_restricted_up_it_takes_who_approves_sharing(self, held: Custody):
        Consent.objects.update(handling="restricted")
        assert "an officer answers who may approve sharing" in text_of(enter("ana").get(f"/consents/{held.consent}"))
        assert enter("ana").post(f"/consents/{held.consent}", {"wish": "refuse"}).status_code == 403
        assert "Give consent" in text_of(enter("boris").get(f"/consents/{held.consent}"))


class TestRecalls:
    def test_empty_lists_say_so(self, held: Custody):
        page = text_of(enter("ana").get("/recalls"))
        assert "Nobody is overdue." in page
        assert "Nothing was taken back yet." in page
        assert "No partner has taken anything back." in page

    def test_progress_and_who_is_overdue(self, held: Custody):
        take_back(held)
        late = held.at + timedelta(days=2)
        custody_due(late)
        page = text_of(enter("ana").get("/recalls"))
        assert "XA overdue" in page
        assert "telephone them" in page
        assert "0 of 2" in page
        only = text_of(enter("ana").get("/recalls?show=overdue&partner=XA"))
        assert "XA overdue" in only
        assert "Recalls made here" not in only

    def test_a_recall_received_says_how_we_answered(self, held: Custody):
        held.recall(held.received)
        page = text_of(enter("ana").get("/recalls?show=received"))
        assert "Taken back by XA" in page
        assert "we: purged" in page
        assert "What it says is wrong" in page
        unknown = str(new_id(held.at))
        held.recall(unknown)
        assert "the message never came here" in text_of(enter("ana").get("/recalls?show=received"))

    def test_what_was_answered_no_longer_waits(self, held: Custody):
        take_back(held, messages=[held.sent_xb])
        assert "Taken back" in text_of(enter("ana").get("/recalls?show=open"))
        held_by_xb = custody.holding_of("XC", held.sent_xb, "XB")
        keeping.Holding.objects.filter(message_id=held_by_xb.message_id).update(status="purged")
        assert "None matches." in text_of(enter("ana").get("/recalls?show=open&partner=XB"))


class TestMessages:
    def test_probes_and_keys_are_hidden_until_asked_for(self, held: Custody):
        InboxMessage.objects.filter(message_id=held.offer).update(kind="probe/1")
        client, link = enter("ana"), f'href="/messages/{held.offer}"'
        assert link not in client.get("/messages").content.decode()
        assert "Show all traffic" in text_of(client.get("/messages"))
        shown = client.get("/messages?notices=all")
        assert link in shown.content.decode()
        assert "Hide probes and keys" in text_of(shown)
        assert link in client.get("/messages?kind=probe/1").content.decode()

    def test_duties_are_named_in_plain_words(self, held: Custody):
        take_back(held)
        page = text_of(enter("ana").get("/messages"))
        for words in ("Recall", "News of a copy", "Question for consent", "File"):
            assert words in page
        assert "article duty" not in page

    def test_in_french(self, held: Custody):
        take_back(held)
        client = enter("ana")
        client.post("/language", {"language": "fr", "next": "/"})
        page = text_of(client.get(f"/messages/{held.sent_xa}"))
        assert "Qui le détient" in page
        assert "n'a pas répondu" in page
        assert "Rappelé par XC" in page
        assert "Ce qu'il dit est faux" in page
        with translation.override("fr"):
            assert "Personne n'est en retard." in text_of(client.get("/recalls"))
