"""The pages of goods over a morning at XC: what they show, and that their forms do what they say."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from comity.enforcement import Inspection
from comity.enforcement import selectors as enforcement
from comity.enforcement.models import InspectionRow
from comity.risk import TargetState
from comity.risk import selectors as risk
from comity.risk.budgets import set_policy
from comity.risk.goals import Policy
from comity.risk.models import LearnedModel, ModelScore, Selection
from comity.risk.today import local_day
from comity.staff.models import AuditEntry, Officer
from comity.training import photo
from tests.console.visiting import enter, text_of
from tests.console.world import World
from tests.risk.cast import SUPERVISOR

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


class TestChecks:
    """Goods of the blue lane that an officer releases, and the check that follows."""

    @pytest.fixture
    def check(self, world: World) -> Inspection:
        """Made by the pages themselves: the lane is changed, the goods are released."""
        client, place = enter("ana"), f"/consignments/{world.untouched}"
        assert "Nothing is to be checked" in text_of(client.get("/checks"))
        assert client.post(f"{place}/lane", {"lane": "blue", "reason": "See the invoice"}).status_code == 302
        shown = text_of(client.post(f"{place}/release", {"reason": "Known trader"}, follow=True))
        assert "Their documents are checked afterwards, by" in shown
        assert "due in 30 days" in shown
        assert "its documents are checked afterwards" in shown
        assert "With nobody yet." in shown
        (made,) = enforcement.record_file(world.untouched).inspections
        return made

    def test_it_is_listed_given_and_given_up_with_a_reason(self, world: World, check: Inspection):
        client = enter("ana")
        assert "1 check after release" in text_of(client.get("/queue"))
        assert "due in 30 days" in text_of(client.get("/queue?state=released&lane=blue"))
        assert "1 is open" in text_of(client.get("/"))
        assert "Given today: 1" in text_of(client.get("/planner"))
        page = text_of(client.get("/checks"))
        assert check.reference in page
        assert "nobody yet" in page
        assert "Nothing matches" in text_of(client.get("/checks?state=overdue"))
        given = {"check": [str(check.inspection_id), "no-id"], "officer": "ana", "next": "/checks?who=me"}
        assert "1 check changed hands." in text_of(client.post("/checks/assign", given, follow=True))
        assert "Tick at least one check" in text_of(client.post("/checks/assign", {"officer": "ana"}, follow=True))
        place = f"/checks/{check.inspection_id}/drop"
        assert client.post(place, {"reason": " "}).status_code == 422
        assert "is given up" in text_of(client.post(place, {"reason": "The trader closed"}, follow=True))
        assert "The trader closed" in text_of(client.get("/checks?state=ended"))
        assert "Given up: The trader closed" in text_of(client.get(f"/consignments/{world.untouched}"))
        assert client.post(place, {"reason": "Again"}).status_code == 422
        assert AuditEntry.objects.filter(deed__in=("assign_check", "drop_check")).count() == 2
        assert enter("chipo").post(place, {"reason": "No"}).status_code == 403

    def test_its_outcome_is_recorded_and_the_goods_stay_released(self, world: World, check: Inspection):
        client, place = enter("ana"), f"/inspections/{check.inspection_id}/finding"
        form = text_of(client.get(place))
        assert "The goods have left" in form
        assert "Seizure" not in form
        given = {
            "result": "irregular",
            "risk_type": "undervaluation",
            "description": "Another price",
            "handling": "open",
        }
        assert client.post(place, given).status_code == 302
        assert risk.explanation(world.untouched).state is TargetState.RELEASED
        assert "Nothing is to be checked" in text_of(client.get("/checks"))

    def test_one_that_is_late_says_so(self, world: World, check: Inspection):
        InspectionRow.objects.filter(pk=check.inspection_id).update(due_on=world.at.date() - timedelta(days=4))
        client = enter("ana")
        assert re.search(r"[345] days overdue", text_of(client.get("/checks?state=overdue")))
        assert "1 overdue" in text_of(client.get("/queue"))


def a_champion(world: World, card: dict[str, object]) -> LearnedModel:
    """A row alone: what it told is written beside it, and nobody asks it anything."""
    return LearnedModel.objects.create(
        model_id="7" * 64,
        administration="XC",
        variant="local",
        first_day=world.at.date(),
        last_day=world.at.date(),
        card=card,
        state="champion",
        proposed_by="ana",
        proposed_at=world.at,
        changed_at=world.at,
    )


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

    def test_expected_revenue_stands_beside_the_finds_with_how_many_it_was_told_of(self, world: World):
        client = enter("ana")
        assert "not told: no model is the champion" in text_of(client.get("/planner?inspections=2"))
        champion = a_champion(world, {"tells_revenue": False})
        assert "the champion learned from too few amounts" in text_of(client.get("/planner?inspections=2"))
        champion.card = {"tells_revenue": True, "revenue": {"currency": "USD"}}
        champion.save()
        assert "told of none that wait" in text_of(client.get("/planner?inspections=2"))
        waiting = Selection.objects.filter(state__in=["new", "selected"]).order_by(
            "-assessment__is_mandatory", "-assessment__score", "record_id"
        )
        records = list(waiting.values_list("record_id", flat=True))
        ModelScore.objects.bulk_create(
            ModelScore(
                model=champion, record_id=record, version=1, chance=0.3, revenue=20_000.4, is_used=True, at=world.at
            )
            for record in records[1:]
        )
        page = text_of(client.get("/planner?inspections=2"))
        assert "20,000 USD told of 1 of the 2; the others are not in it" in page
        assert "Expected revenue in thousands of USD (up)" in page
        assert client.get("/planner").content.decode().count("<polyline") == 2
        assert "told of none of these 1, of" in text_of(client.get("/planner?inspections=1"))
        champion.card = {"tells_revenue": True, "revenue": {"currency": ""}}
        champion.save()
        assert "in a currency that the model does not name" in text_of(client.get("/planner?inspections=2"))

    def test_expected_revenue_in_another_currency_is_not_compared(self, world: World):
        champion = a_champion(world, {"tells_revenue": True, "revenue": {"currency": "USD"}})
        (record, *_) = Selection.objects.filter(state="new").values_list("record_id", flat=True)
        ModelScore.objects.create(
            model=champion, record_id=record, version=1, chance=0.3, revenue=7.0, is_used=True, at=world.at
        )
        client = enter("ana")
        assert "no rate of exchange" not in text_of(client.get("/planner"))
        set_policy(SUPERVISOR, day=local_day(world.at), policy=Policy(currency="XAF"), at=world.at)
        assert "Expected revenue is in USD, declared value in XAF" in text_of(client.get("/planner"))

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


class TestProfiles:
    def test_they_stand_beside_partners_alerts(self, world: World):
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
