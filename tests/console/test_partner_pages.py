"""The pages of partners over a morning at XC: sharing, messages, agreements, proof; and those of the staff."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from comity.agreements import selectors as agreements
from comity.exchange import selectors as exchange
from comity.journeys.record import log_decisions
from comity.ledger import selectors as ledger
from comity.staff.models import AuditEntry, Officer
from tests.console import world as made
from tests.console.visiting import enter, text_of
from tests.console.world import World

# The database is made only where a test of the run is marked so.
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world", "taken_back")]


ALERT = {
    "title": "Counterfeit sports shoes",
    "recipients": ["XA", "XB"],
    "purpose": "risk_assessment",
    "handling": "official",
    "category": "commodities",
    "risk_type": "counterfeit",
    "consignor_name": "Larkfield Trading House",
    "consignee_name": "Quayside Sports Retail",
    "containers": "XALU0003100",
    "hs_codes": "640411, 640419",
    "origin": "XA",
    "reliability": "A",
    "credibility": "1",
    "suggested_action": "select_for_control",
    "days": "90",
    "case_ref": "CASE-1",
}


class TestSharing:
    def test_the_form_knows_the_consignment(self, world: World):
        page = enter("ana").get(f"/share?record={world.inspected}").content.decode()
        assert 'value="640411"' in page
        assert "carton-label.png" in page
        assert enter("ana").get("/share?record=nonsense").status_code == 200

    def test_nothing_leaves_before_the_preview_was_seen(self, world: World):
        before = exchange.outbox_status().waiting
        client = enter("ana")
        page = text_of(client.post("/share", {**ALERT, "step": "preview"}))
        assert "Withheld by agreement article 1" in page
        assert "Named (consignee): name" in page
        assert "Case reference" in page
        assert exchange.outbox_status().waiting == before
        assert client.post("/share", {**ALERT, "step": "change"}).status_code == 200
        assert "on its way to 2 partners" in text_of(client.post("/share", {**ALERT, "step": "send"}, follow=True))
        assert exchange.outbox_status().waiting == before + 2

    def test_of_several_agreements_one_may_be_chosen(self, world: World):
        client = enter("ana")
        assert 'name="agreement"' not in client.get("/share").content.decode()
        second = made.agreement_yaml().replace(b"version: 1.0", b"version: 1.1")
        second_id = made.adopt_signed(second, born=world.at, at=datetime.now(UTC))
        assert second_id != world.agreement_id
        page = client.get("/share").content.decode()
        assert page.count('<option value="') > 2
        assert f'<option value="{second_id}">' in page
        for chosen in (world.agreement_id, second_id):
            answer = client.post("/share", {**ALERT, "agreement": chosen, "step": "preview"}).content.decode()
            assert f"/agreements/{chosen}#article-1" in answer
            assert f'name="agreement" value="{chosen}"' in answer
        client.post("/share", {**ALERT, "agreement": second_id, "recipients": ["XA"], "step": "send"})
        assert exchange.messages(direction="sent", limit=1)[0].agreement == second_id
        assert client.post("/share", {**ALERT, "agreement": "no-such", "step": "preview"}).status_code == 422

    def test_what_no_article_permits_is_refused_with_the_condition(self, world: World):
        client = enter("ana")
        secret = {**ALERT, "recipients": ["XA"], "handling": "confidential"}
        page = text_of(client.post("/share", {**secret, "step": "preview"}))
        assert "refused" in page
        assert "article 7" in page
        assert "Send" not in page.split("Nothing confidential")[-1].split("Change the alert")[0].split("Sending")[0]
        assert client.post("/share", {**secret, "step": "send"}).status_code == 409

    def test_the_refusal_is_french_too(self, world: World):
        client = enter("ana")
        client.post("/language", {"language": "fr"})
        secret = {**ALERT, "recipients": ["XA"], "handling": "confidential", "step": "preview"}
        assert "tout est interdit à partir de « confidentiel »" in text_of(client.post("/share", secret))

    def test_a_restricted_alert_waits_for_a_second_officer(self, world: World):
        client = enter("ana")
        restricted = {**ALERT, "recipients": ["XA"], "handling": "restricted"}
        assert "a second officer approves" in text_of(client.post("/share", {**restricted, "step": "preview"}))
        page = text_of(client.post("/share", {**restricted, "step": "send"}, follow=True))
        assert "waits for a second officer" in page
        assert "This is your own proposal" in page

    def test_a_form_without_title_and_recipient_is_given_back(self, world: World):
        answer = enter("ana").post("/share", {**ALERT, "title": "", "recipients": [], "step": "preview"})
        assert answer.status_code == 422
        assert "Enter a title" in text_of(answer)
        assert "Choose at least one partner" in text_of(answer)

    @pytest.mark.parametrize("wish", ["approve", "reject", "withdraw"])
    def test_the_second_officer_decides(self, world: World, wish: str):
        before = exchange.outbox_status().waiting
        client = enter("ana" if wish == "withdraw" else "boris")
        assert "The same consignor, a second route" in text_of(client.get("/approvals"))
        answer = client.post(f"/approvals/{world.proposal_id}", {"wish": wish, "reason": "No grounds"}, follow=True)
        said = {"approve": "Approved; on its way to 1 partner.", "reject": "Rejected.", "withdraw": "Taken back."}
        assert said[wish] in text_of(answer)
        assert exchange.outbox_status().waiting == before + (wish == "approve")

    def test_nobody_approves_his_own(self, world: World):
        Officer.objects.filter(username="ana").update(roles=["liaison", "supervisor"])
        answer = enter("ana").post(f"/approvals/{world.proposal_id}", {"wish": "approve"})
        assert answer.status_code == 409
        assert "Nobody decides his own proposal" in text_of(answer)


class TestMessages:
    def test_the_list_and_its_facets(self, world: World):
        client = enter("ana")
        assert "Finding" in text_of(client.get("/messages"))
        rows = client.get("/messages?direction=received&partner=XA&kind=alert/1").content.decode()
        assert rows.count('class="row-link"') == 1
        assert "Nothing matches" in text_of(client.get("/messages?partner=XB&direction=received"))
        assert client.get("/messages?before=nonsense").status_code == 200
        assert "Nothing matches" not in text_of(client.get("/messages?before=2030-01-01T00:00:00Z"))

    def test_a_message_shows_content_proof_and_what_was_withheld(self, world: World):
        page = text_of(enter("ana").get(f"/messages/{world.alert_message}"))
        assert "Named: consignor Larkfield Trading House" in page
        assert "Withheld by article 1:" in page
        assert "Case reference" in page
        assert "of our log" in page
        assert "XA-F-2026-0003" in page

    def test_from_a_message_to_who_else_would_see_it(self, world: World):
        client, address = enter("ana"), f"/simulator?about=message:{world.alert_message}"
        assert f'href="{address}"' in client.get(f"/messages/{world.alert_message}").content.decode()
        assert f'value="message:{world.alert_message}" selected' in client.get(address).content.decode()
        assert "the message from which you come" in text_of(client.get(f"/simulator?about=message:{uuid4()}"))

    def test_a_received_one_too_and_each_look_is_recorded(self, world: World):
        page = text_of(enter("ana").get(f"/messages/{world.received_finding}"))
        assert "verified on arrival" in page
        assert "accepted, signed" in page
        entry = AuditEntry.objects.get(deed="view_message")
        assert entry.facts["purpose"] == "control"
        assert enter("ana", purpose="").get(f"/messages/{world.received_alert}").status_code == 302

    def test_what_came_for_control_is_not_opened_as_evidence(self, world: World):
        client = enter("ana", purpose="evidence")
        asked = client.get(f"/messages/{world.received_finding}")
        assert asked.status_code == 302
        assert "use=control" in asked.url
        page = text_of(client.get(asked.url))
        assert "for other purposes than the one that you stated" in page
        assert "Control of a consignment" in page
        assert "Evidence for a procedure" not in page
        assert AuditEntry.objects.get(deed="refuse_purpose").facts == {"purpose": "evidence"}
        assert not AuditEntry.objects.filter(deed="view_message").exists()

    def test_a_bundle_needs_the_receipt(self, world: World):
        answer = enter("ana").get(f"/messages/{world.alert_message}/bundle")
        assert answer.status_code in {404, 409}
        assert "receipt" in text_of(answer)


class TestAgreementsPartnersProof:
    def test_the_text_stands_beside_what_is_executed(self, world: World):
        page = text_of(enter("ana").get(f"/agreements/{world.agreement_id}"))
        assert "XC may send alerts of its own accord" in page
        assert "subjects[consignor].name" in page
        assert page.count("signed, verified") == 3
        assert "in force" in text_of(enter("ana").get("/agreements"))

    def test_decisions_say_where_they_stand_in_the_log(self, world: World):
        client = enter("ana")
        address = f"/agreements/{world.agreement_id}"
        receipts = agreements.decision_receipts(agreement_id=world.agreement_id, limit=10)
        assert {receipt.log_index for receipt in receipts} == {None}
        assert "not yet in the log" in text_of(client.get(address))
        log_decisions(datetime.now(UTC))
        index = agreements.decision_receipts(agreement_id=world.agreement_id, limit=1)[0].log_index
        page = client.get(address).content.decode()
        assert f'<a href="/proof?entry={index}">in the log at entry {index}</a>' in page
        assert "not yet in the log" not in page
        assert "Kind decision on sharing, by an agreement" in text_of(client.get(f"/proof?entry={index}"))

    def test_a_message_is_tried_out_by_its_own_fields_and_the_look_is_written_down(self, world: World):
        question = {"sender": "XC", "partners": ["XB"], "kind": "alert/1", "purpose": "control", "handling": "open"}
        client = enter("ana")
        answer = client.get("/simulator", {**question, "about": f"message:{world.alert_message}"})
        page = text_of(answer)
        assert "Permitted by article 1" in page
        assert "Named (container): number" in page
        assert AuditEntry.objects.filter(deed="view_message", subject=f"message:{world.alert_message}").exists()
        consignment = client.get("/simulator", {**question, "about": f"record:{world.inspected}"})
        assert "Permitted by article 1" in text_of(consignment)
        assert (
            enter("ana", purpose="").get(answer.request["PATH_INFO"], answer.wsgi_request.GET.dict()).status_code == 302
        )

    def test_partners_with_sequence_keys_and_reliability(self, world: World):
        page = text_of(enter("chipo").get("/partners"))
        assert "Customs of Bravo (XB)" in page
        assert "Sequence out, in 1, 2" in page
        assert "Measured reliability of its alerts 50 % (nothing is measured yet)" in page
        assert "Our alerts that it answered 1, confirmed: 1" in page
        assert page.count("Our alerts that it answered 0") == 1
        assert exchange.partner("XA").fingerprint in page

    def test_an_entry_is_proved_in_plain_words(self, world: World):
        client = enter("ana")
        page = text_of(client.get("/proof?entry=1"))
        assert f"This entry is number 1 of a log of {ledger.log_size()}" in page
        assert "Entry 1 proved" in page
        assert "Kind message released to a partner" in page
        assert "Kind receipt given to a partner" in text_of(client.get("/proof?entry=0"))
        assert "The log has no such entry" in text_of(client.get("/proof?entry=999999"))
        assert client.get("/proof/999999.tlog-proof").status_code == 404
        assert "Enter a number" in text_of(client.get("/proof?entry="))
        proof = client.get("/proof/1.tlog-proof")
        assert proof.content.decode() == ledger.tlog_proof(1)
        assert "The log is sound" in text_of(client.post("/proof/verify", follow=True))


class TestStaff:
    def test_the_audit_is_searched(self, world: World):
        client = enter("chipo")
        page = text_of(client.get("/audit"))
        assert "recorded a finding" in page
        assert "Alert to XA" in page
        assert "record of the decision" in page
        assert "risk_assessment" not in page
        found = client.get("/audit?actor=boris&deed=approve_profile&since=2026-01-01&subject=P-00").content.decode()
        assert found.count("<tr>") == 3
        assert "No entry matches" in text_of(client.get("/audit?actor=nobody"))
        assert client.get("/audit?since=nonsense&before=x").status_code == 200

    def test_officers_are_added_changed_and_disabled(self, world: World):
        client = enter("chipo")
        form = {"username": "dana", "full_name": "Dana Dube", "roles": ["officer"], "password": "short"}
        assert "password is refused" in text_of(client.post("/officers/add", form))
        form |= {"password": made.PASSWORD, "second_factor": "on"}
        assert "Dana Dube may sign in now" in text_of(client.post("/officers/add", form, follow=True))
        assert client.get("/officers/dana/roles").status_code == 200
        assert "were changed" in text_of(client.post("/officers/dana/roles", {"roles": ["auditor"]}, follow=True))
        for wish in ("release", "require", "forget", "nonsense"):
            assert client.post("/officers/dana/second-factor", {"wish": wish}).url == "/officers"
        assert Officer.objects.get(username="dana").needs_second_factor
        assert "may not sign in" in text_of(client.post("/officers/dana/disable", follow=True))
        assert client.post("/officers/chipo/disable").status_code == 409

    def test_a_token_is_shown_once(self, world: World):
        client = enter("chipo")
        form = {"name": "tracker", "roles": ["system"], "days": "30"}
        page = client.post("/systems/issue", form).content.decode()
        assert "comity_" in page
        assert "comity_" not in client.get("/officers").content.decode()
        assert "issued already" in text_of(client.post("/systems/issue", form))
        assert "is revoked" in text_of(client.post("/systems/tracker/revoke", follow=True))
