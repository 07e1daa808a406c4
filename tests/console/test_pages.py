"""The pages over a morning at XC: what they show, and that their forms do what they say."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from comity.agreements import selectors as agreements
from comity.enforcement import selectors as enforcement
from comity.exchange import selectors as exchange
from comity.journeys.record import log_decisions
from comity.ledger import selectors as ledger
from comity.risk import TargetState
from comity.risk import selectors as risk
from comity.staff.models import AuditEntry, Officer
from comity.training import photo
from tests.console import world as made
from tests.console.visiting import enter, text_of
from tests.console.world import World

# The database is made only where a test of the run is marked so.
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world", "taken_back")]


class TestDashboard:
    def test_it_says_what_is_due(self, world: World):
        page = text_of(enter("ana").get("/"))
        assert "Inspections of the day" in page
        assert "in inspection" in page
        assert "Customs of Alfa (XA)" in page
        assert "On their way 2" in page

    def test_a_supervisor_sees_what_waits_for_approval(self, world: World):
        assert "The same consignor, a second route" in text_of(enter("boris").get("/"))
        assert "Waiting for your approval" not in text_of(enter("ana").get("/"))

    def test_an_administrator_has_no_consignments(self, world: World):
        Officer.objects.filter(username="chipo").update(roles=["administrator"])
        page = text_of(enter("chipo").get("/"))
        assert "Your roles have no daily tasks here" in page
        assert "Inspections of the day" not in page


class TestQueue:
    def test_mandatory_ones_first_then_by_score_with_the_reason(self, world: World):
        page = enter("ana").get("/queue").content.decode()
        rows = page.split("<tbody")[1].split("<tr>")[1:]
        assert "Footwear priced far below its mass" in rows[0]
        assert "from XA" in rows[1]
        assert len(rows) == risk.queue(risk.QueueFilter(states=tuple(TargetState)[:4])).total

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("?lane=red", "1 consignment"),
            ("?state=inspecting", "1 consignment"),
            ("?state=released", "1 consignment"),
            ("?q=Larkfield", "1 consignment"),
            ("?cause=mandatory", "1 consignment"),
            ("?who=me", "Nothing matches"),
            ("?q=nothing-like-this", "Nothing matches"),
            ("?lane=purple&state=x&cause=y&page=minus&min_score=z", "consignments"),
        ],
    )
    def test_facets_stand_in_the_address(self, world: World, query: str, expected: str):
        answer = enter("ana").get("/queue" + query)
        assert answer.status_code == 200
        assert expected in text_of(answer)

    def test_several_are_assigned_at_once(self, world: World):
        client = enter("ana")
        ids = [str(row.record_id) for row in risk.queue(risk.QueueFilter(states=(TargetState.NEW,), page_size=3)).rows]
        answer = client.post(
            "/queue/assign", {"record": [*ids, "no-id"], "officer": "boris", "next": "/queue?lane=red"}
        )
        assert answer.url == "/queue?lane=red"
        assert risk.queue(risk.QueueFilter(assigned_to="boris")).total == 3
        assert "3 consignments were assigned." in text_of(client.get("/queue"))
        assert "Tick at least one" in text_of(client.post("/queue/assign", {"officer": "boris"}, follow=True))


class TestSelection:
    def test_the_planner_says_what_inspections_find_and_how_sure_that_is(self, world: World):
        client = enter("ana")
        page = text_of(client.get("/planner?inspections=2"))
        assert re.search(r"2 inspections of \d+ that wait are likely to find \d", page)
        assert "it is hardly more than a guess" in page
        assert "not compared: the policy names no currency" in page
        assert "No budget by office or kind of control is stated" in page
        assert "State a budget" not in page
        assert "<polyline" in client.get("/planner").content.decode()
        assert client.get("/planner?inspections=-1").status_code == 422
        assert "Nothing waits" in text_of(client.get("/planner?office=nowhere"))

    def test_a_supervisor_states_a_budget(self, world: World):
        client = enter("boris")
        given = {"amount": "12", "period": "week", "office": "", "control": "scan"}
        assert "The budget is stated." in text_of(client.post("/planner", given, follow=True))
        page = text_of(client.get("/planner"))
        assert "all offices scan 12 / week 0" in page
        assert client.post("/planner", given | {"amount": "x"}).status_code == 422

    def test_reasons_stand_in_a_table_with_their_weight_and_neighbours_are_linked(self, world: World):
        page = enter("ana").get(f"/consignments/{world.inspected}").content.decode()
        table = page.split('<table class="weights">')[1].split("</table>")[0]
        assert "Footwear priced far below its mass" in table
        assert '<rect class="bar" width="' in table
        before, after = risk.neighbours(world.inspected)
        for link in (before, after):
            assert link is None or f"/consignments/{link}" in page
        ids = [row.record_id for row in risk.queue(risk.QueueFilter(states=tuple(TargetState)[:4])).rows]
        assert [risk.neighbours(each) for each in ids] == list(zip([None, *ids[:-1]], [*ids[1:], None], strict=True))

    def test_an_officer_puts_goods_into_another_lane(self, world: World):
        client, address = enter("ana"), f"/consignments/{world.untouched}"
        assert client.post(f"{address}/lane", {"lane": "orange", "reason": " "}).status_code == 422
        answer = client.post(f"{address}/lane", {"lane": "orange", "reason": "Fresh welding"}, follow=True)
        page = text_of(answer)
        assert "The lane is changed." in page
        assert "Fresh welding" in page
        assert "orange" in page
        assert "red already" not in page
        assert "is in the lane orange already" in text_of(
            client.post(f"{address}/lane", {"lane": "orange", "reason": "Again"})
        )


class TestConsignment:
    def test_each_reason_has_its_source_evidence_and_node(self, world: World):
        page = text_of(enter("ana").get(f"/consignments/{world.inspected}"))
        for words in (
            "Footwear priced far below its mass",
            "rule profile P-001 · node XC · Customs Act s. 41",
            "Unit price",
            "Larkfield",
            "640411",
            "Goods seized",
            "carton-label.png",
            "XC-F-",
        ):
            assert words in page

    def test_a_partners_reason_is_read_only_with_a_purpose(self, world: World):
        address = f"/consignments/{world.ordered}"
        closed = text_of(enter("ana", purpose="").get(address))
        assert "alert from XA" in closed
        assert "State your purpose to read it" in closed
        assert "a partner's word, not verified here" not in closed
        opened = text_of(enter("ana").get(address))
        assert "a partner's word, not verified here" in opened
        assert "alert XA-A-2026-0042 · node XA" in opened.replace("partner's alert", "alert")

    def test_versions_and_raw_bytes_are_kept(self, world: World):
        record = risk.queue(risk.QueueFilter(text=world.day.imports[0].lrn)).rows[0].record_id
        client = enter("ana")
        assert "XC000302" in text_of(client.get(f"/consignments/{record}"))
        old = client.get(f"/consignments/{record}?version=1")
        assert "not the current one" in text_of(old)
        raw = client.get(re.search(r"/arrivals/[0-9a-f-]+/raw", old.content.decode())[0])
        assert raw.content.startswith(b"<?xml")
        assert raw["Content-Disposition"].startswith("attachment")
        assert "sandbox" in raw["Content-Security-Policy"]
        assert AuditEntry.objects.filter(deed="view_raw").count() == 1

    def test_a_manifest_has_a_page_too(self, world: World):
        row = next(row for row in risk.queue(risk.QueueFilter(page_size=100)).rows if row.kind == "manifest")
        page = text_of(enter("ana").get(f"/consignments/{row.record_id}"))
        assert "Conveyance" in page
        assert "Consignor → consignee" in page

    def test_an_inspection_is_ordered(self, world: World):
        client = enter("ana")
        address = f"/consignments/{world.untouched}"
        assert "Order the inspection" in text_of(client.get(f"{address}/inspect"))
        answer = client.post(f"{address}/inspect", {"place": "Shed 1", "remark": "Weight differs"}, follow=True)
        assert "is ordered." in text_of(answer)
        assert enforcement.open_inspection(world.untouched).place == "Shed 1"
        again = client.post(f"{address}/inspect", {"remark": "again"})
        assert again.status_code == 422
        assert "open already" in text_of(again)

    def test_goods_are_released_with_a_reason(self, world: World):
        client = enter("ana")
        address = f"/consignments/{world.untouched}/release"
        assert "Say why" in text_of(client.post(address, {"reason": " "}))
        assert "released" in text_of(client.post(address, {"reason": "In order"}, follow=True))
        assert risk.explanation(world.untouched).state is TargetState.RELEASED
        assert "released already" in text_of(client.post(address, {"reason": "again"}))

    def test_a_finding_with_photos_closes_the_loop(self, world: World):
        client = enter("ana")
        address = f"/inspections/{world.open_inspection}/finding"
        assert client.get(address).status_code == 200
        assert "Choose the result" in text_of(client.post(address, {"handling": "official"}))
        incomplete = client.post(address, {"result": "irregular", "handling": "official"})
        assert incomplete.status_code == 422
        assert "needs its kind" in text_of(incomplete)
        facts = {
            "result": "irregular",
            "risk_type": "safety",
            "description": "Lead in the paint",
            "quantity": "40",
            "unit": "nmb",
            "handling": "official",
            "exhibits": [SimpleUploadedFile("../label.png", photo(2)), SimpleUploadedFile("b.png", photo(3))],
            "is_seized": "on",
            "legal_basis": "s. 88",
            "goods": "40 toys",
            "value": "300",
            "currency": "usd",
        }
        done = text_of(client.post(address, facts, follow=True))
        assert "is recorded" in done
        assert "XA, whose alert asked for this control, is told the result." in done
        finding = enforcement.finding_of_inspection(world.open_inspection)
        assert [each.size_bytes > 0 for each in finding.exhibits] == [True, True]
        assert risk.reliability("XA").count == 1
        seized = enforcement.record_file(world.ordered).seizures[0]
        assert seized.facts.value.currency == "USD"

    def test_an_exhibit_is_shown_to_whoever_states_a_purpose(self, world: World):
        address = f"/findings/{world.finding_ref}/exhibits/{world.photo_sha256}"
        assert enter("ana", purpose="").get(address).status_code == 302
        answer = enter("ana").get(address)
        assert answer.content == photo()
        assert answer["Content-Type"] == "image/png"
        assert answer["Content-Disposition"].startswith("inline")
        assert answer["Content-Security-Policy"].startswith("sandbox")
        assert AuditEntry.objects.get(deed="view_exhibit").facts["purpose"] == "control"


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

    def test_profiles(self, world: World):
        page = text_of(enter("boris").get("/profiles"))
        assert "Footwear priced far below its mass" in page
        assert "XA-A-2026-0042" in page
        assert "Approve" in page

    def test_a_rule_is_checked_while_it_is_written(self, world: World):
        ana = enter("ana")
        drawn = ana.post("/profiles/write", {"wish": "check", "ref": "P-9", "expression": "orign = 'XA'"})
        assert drawn.status_code == 200
        assert "    orign = &#x27;XA&#x27;\n    ^^^^^\nDid you mean origin?" in drawn.content.decode()
        read = ana.post("/profiles/write", {"wish": "check", "ref": "P-9", "expression": "origin = 'XA'"})
        assert "It looks at: origin." in text_of(read)
        assert 'value="P-9"' in read.content.decode()
        assert "unit_price_per_kg" in text_of(ana.get("/profiles/write"))
        assert ana.get("/profiles/nothing").status_code == 404

    def test_what_a_profile_would_have_found_is_drawn(self, world: World):
        ana = enter("ana")
        page = ana.post("/profiles/P-001/backtest", {}, follow=True).content.decode()
        assert "<polyline" in page
        assert 'class="curve-band"' in page
        assert "The curve as a table" in page

    def test_a_profile_is_written_approved_and_retired(self, world: World):
        ana, boris = enter("ana"), enter("boris")
        draft = {
            "ref": "P-9",
            "title": "Bananas by air",
            "owner": "Risk unit",
            "legal_basis": "s. 41",
            "expression": "hs_code = '080390' and mode_border = '4'",
            "weight": "30",
            "risk_type": "smuggling",
            "lane": "yellow",
            "valid_from": "2026-01-01",
            "valid_until": "",
        }
        wrong = ana.post("/profiles/write", {**draft, "expression": "hs_cod = 'x'"})
        assert wrong.status_code == 422
        assert "hs_cod" in text_of(wrong)
        assert "before it begins" in text_of(ana.post("/profiles/write", {**draft, "valid_until": "2025-01-01"}))
        assert "P-9 waits for its back-test" in text_of(ana.post("/profiles/write", draft, follow=True))
        assert 'value="Bananas by air"' in ana.get("/profiles/write?ref=P-9").content.decode()
        assert boris.post("/profiles/P-9/approve").status_code == 409
        assert ana.post("/profiles/P-9/backtest", {"days": "x"}).status_code == 422
        assert "was tried on past records" in text_of(ana.post("/profiles/P-9/backtest", {"days": "30"}, follow=True))
        shown = ana.get("/profiles/P-9").content.decode()
        assert "It would have fired on 0 of" in shown
        assert "tested on the past" in shown
        assert "is approved" in text_of(boris.post("/profiles/P-9/approve", follow=True))
        assert "It has never fired." in text_of(boris.get("/profiles/P-9"))
        assert ana.post("/profiles/P-9/retire", {"reason": ""}).status_code == 409
        assert "is retired" in text_of(ana.post("/profiles/P-9/retire", {"reason": "no use"}, follow=True))


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


def test_every_page_reads_in_french(world: World):
    client = enter("ana")
    client.post("/language", {"language": "fr"})
    for address, words in {
        "/": "Contrôles du jour",
        "/queue": "File de ciblage",
        f"/consignments/{world.inspected}": "Pourquoi cet envoi est ici",
        f"/messages/{world.alert_message}": "Signature et preuve",
        f"/agreements/{world.agreement_id}": "XC peut adresser spontanément des alertes",
        "/proof?entry=1": "prouvée",
    }.items():
        assert words in text_of(client.get(address)), address


def test_sentences_of_other_rooms_are_french_too(world: World):
    client = enter("ana")
    client.post("/language", {"language": "fr"})
    price = "Prix unitaire : "
    for address in ("/queue?state=all", f"/consignments/{world.inspected}"):
        page = client.get(address).content.decode()
        assert price in page, address
        assert "Unit price" not in page, address
        assert '<span lang="en">' not in page, address
    alert = client.get(f"/consignments/{world.ordered}").content.decode()
    assert "Alerte XA-A-2026-0042 de XA : Toys with lead in the paint" in alert
    assert "Code SH 950300 : celui de l&#x27;alerte" in alert
    assert "Information d&#x27;un partenaire non vérifiée" in alert
    assert "Sélectionné" in alert
    assert '<span lang="en">' not in alert
    secret = client.post("/share", {**ALERT, "recipients": ["XA"], "handling": "confidential", "step": "preview"})
    assert "tout est interdit à partir de « confidentiel »" in text_of(secret)
    refused = client.get("/consignments/00000000-0000-7000-8000-000000000000")
    assert refused.status_code == 404
    assert '<p><span lang="en">' in refused.content.decode()


def test_every_page_of_the_world_is_free_of_inline_code(world: World):
    client = enter("ana")
    for address in ("/", "/queue", f"/consignments/{world.inspected}", "/partners", "/second-factor", "/proof"):
        page = client.get(address).content.decode()
        assert " style=" not in page
        assert not re.search(r"<script(?![^>]* src=)", page)
        assert not re.search(r" on[a-z]+=", page)
        assert UUID(int=0).hex not in page
