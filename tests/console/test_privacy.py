"""Data protection over a morning at XC: need to know, purposes, the access log, a person's question, papers."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner
from django.test import Client

from comity.cli.privacy import privacy_group
from comity.common import Actor, ActorKind
from comity.custody.models import Holding
from comity.exchange.models import InboxMessage, OutboxMessage
from comity.insight.holdings import holdings_of
from comity.insight.mentions import left_to_read, read_anew, read_mentions, read_mentions_due
from comity.insight.models import Mention, PeriodKey
from comity.insight.naming import Asked
from comity.insight.processing import record_of
from comity.insight.statistics import figures, period_key, pseudonym, quarter_of
from comity.journeys.look import Look, Veil, see_reasons, see_rows
from comity.risk import QueueFilter
from comity.risk import selectors as risk
from comity.risk.models import AssessmentReason, PartnerSignal
from comity.staff.models import AuditEntry
from comity.staff.services import create_officer, issue_token
from tests.console import visiting
from tests.console import world as made
from tests.console.visiting import text_of
from tests.console.world import PASSWORD, TERMINAL, World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world", "taken_back")]
enter = partial(visiting.enter, purpose="")
SECRET = "Tests of three deliveries found lead above the limit."
CONSIGNOR = "Larkfield Trading House"


@pytest.fixture(scope="module")
def world(xc: datetime) -> World:
    """A small morning, with the people who look after data."""
    built = made.build(xc, size=12)
    for name, roles in (("dina", ["data_protection"]), ("omar", ["officer"]), ("adam", ["auditor"])):
        create_officer(TERMINAL, username=name, full_name=name.title(), roles=roles, password=PASSWORD, at=xc)
    read_mentions()
    return built


def rows_of(answer) -> str:
    """The rows of the table of a page, without its form."""
    return answer.content.decode().split("<tbody>")[1].split("</tbody>")[0]


def actor(*roles: str, name: str = "ana") -> Actor:
    return Actor(ActorKind.OFFICER, name, "XC", frozenset(roles))


def raise_level(world: World, level: str) -> None:
    """The partner's alert as if it had come at this level."""
    InboxMessage.objects.filter(message_id=world.received_alert).update(handling=level)
    signal = PartnerSignal.objects.get(message_id=world.received_alert)
    signal.body["handling"] = level
    signal.save()
    Holding.objects.filter(message_id=world.received_alert).update(handling=level)


def told_record() -> UUID:
    """A record of which the partner's alert speaks."""
    row = AssessmentReason.objects.filter(source_kind="alert", assessment__is_current=True).order_by("id").first()
    assert row is not None
    return row.assessment.record_id


class TestPurpose:
    def routes(self, world: World) -> dict[str, str]:
        alert, sent, record = world.received_alert, world.alert_message, told_record()
        return {
            "message": f"/messages/{alert}",
            "message sent": f"/messages/{sent}",
            "bundle": f"/messages/{sent}/bundle",
            "file": f"/messages/{sent}/files/{world.photo_sha256}",
            "take back": f"/messages/{sent}/take-back",
            "attach": f"/messages/{sent}/attach",
            "hand on": f"/messages/{alert}/hand-on",
            "ask": f"/messages/{alert}/ask-consent",
            "keep": f"/messages/{alert}/keep",
            "let go": f"/messages/{alert}/let-go",
            "consignment": f"/consignments/{record}",
            "inspect": f"/consignments/{record}/inspect",
            "exhibit": f"/findings/{world.finding_ref}/exhibits/{world.photo_sha256}",
            "approvals": "/approvals",
            "queue": "/queue?state=all",
            "today": "/",
            "messages": "/messages",
            "profiles": "/profiles",
            "recalls": "/recalls",
        }

    def test_no_page_shows_what_partners_told_without_a_purpose(self, world: World):
        client = enter("ana")
        for name, path in self.routes(world).items():
            page = client.get(path)
            assert page.status_code in {200, 302}, name
            if page.status_code == 302:
                assert page.url.startswith("/purpose"), name
            else:
                assert SECRET not in page.content.decode(), name
                assert "Toys with lead in the paint" not in page.content.decode(), name

    def test_with_the_purpose_it_is_shown_and_written_down(self, world: World):
        client = enter("ana", purpose="control")
        assert SECRET in text_of(client.get(f"/messages/{world.received_alert}"))
        assert "Toys with lead in the paint" in text_of(client.get(f"/consignments/{told_record()}"))
        assert "Toys with lead in the paint" in text_of(client.get("/queue?state=all"))
        entry = AuditEntry.objects.get(deed="view_message")
        assert entry.facts == {"purpose": "control", "partner": "XA", "kind": "alert/1", "handling": "official"}
        assert AuditEntry.objects.get(deed="view_record").facts["purpose"] == "control"

    def test_another_purpose_than_the_article_permits_keeps_it_closed_everywhere(self, world: World):
        client = enter("ana", purpose="training")
        assert "use=control" in client.get(f"/messages/{world.received_alert}").url
        page = text_of(client.get(f"/consignments/{told_record()}"))
        assert "Not to be opened for the purpose that you stated" in page
        assert "Toys with lead in the paint" not in page

    def test_our_own_message_is_opened_for_any_purpose(self, world: World):
        assert enter("ana", purpose="training").get(f"/messages/{world.alert_message}").status_code == 200

    def test_oversight_is_for_auditors_alone(self, world: World):
        assert enter("adam", purpose="oversight").get(f"/messages/{world.received_alert}").status_code == 200
        client = enter("ana")
        assert client.post("/purpose", {"purpose": "oversight"}).status_code == 422

    def test_the_api_gives_nothing_without_a_purpose(self, world: World):
        token = issue_token(TERMINAL, name="reader", roles=["liaison"], officer=None, at=world.at)
        headers = {"Authorization": f"Bearer {token}"}
        client, record = Client(), told_record()
        closed = [
            f"/messages/{world.received_alert}",
            f"/messages/{world.received_alert}/evidence",
            f"/messages/{world.received_alert}/evidence/{world.photo_sha256}",
            f"/messages/{world.alert_message}/bundle",
            "/alerts/XC-A-1/feedback",
        ]
        for path in closed:
            answer = client.get(f"/api/v1{path}", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "purpose_missing"), path
        veiled = ["/queue", "/signals", f"/records/{record}/assessment", "/inspections", "/consents", "/messages"]
        for path in veiled:
            answer = client.get(f"/api/v1{path}", headers=headers)
            assert answer.status_code == 200, path
            assert "lead in the paint" not in answer.content.decode(), path
        stated = client.get(f"/api/v1/messages/{world.received_alert}", {"purpose": "control"}, headers=headers)
        assert stated.json()["body"]["modus_operandi"] == SECRET
        wrong = client.get(f"/api/v1/messages/{world.received_alert}", {"purpose": "evidence"}, headers=headers)
        assert wrong.json()["code"] == "purpose_refused"
        assert "control" in wrong.json()["remedy"]
        shown = client.get(f"/api/v1/records/{record}/assessment", {"purpose": "control"}, headers=headers)
        assert "Toys with lead" in shown.content.decode()


class TestNeedToKnow:
    def test_a_restricted_alert_exists_for_an_officer_and_no_more(self, world: World):
        raise_level(world, "restricted")
        client, record = enter("omar", purpose="control"), told_record()
        for path in (f"/consignments/{record}", "/queue?state=all", f"/consignments/{record}/inspect", "/profiles"):
            page = text_of(client.get(path))
            assert "Exists; ask a liaison officer." in page, path
            assert "Toys with lead in the paint" not in page, path
        assert "Toys with lead in the paint" in text_of(enter("ana", purpose="control").get(f"/consignments/{record}"))

    def test_whoever_it_was_given_to_sees_it(self, world: World):
        raise_level(world, "restricted")
        record = told_record()
        reasons = risk.explanation(record).reasons
        seen = see_reasons(Look(actor("officer"), "control", frozenset({record})), record, reasons)
        assert all(each.veil is Veil.NONE for each in seen)

    def test_a_confidential_one_is_not_even_mentioned(self, world: World):
        raise_level(world, "confidential")
        record = told_record()
        rows = risk.queue(QueueFilter(page_size=50)).rows
        for row, _ in see_rows(Look(actor("officer"), "control"), rows):
            assert "XA" not in row.administrations
        reasons = risk.explanation(record).reasons
        seen = see_reasons(Look(actor("officer"), "control"), record, reasons)
        assert all(each.reason.administration != "XA" for each in seen)
        assert "Exists; ask" not in text_of(enter("omar", purpose="control").get("/profiles"))

    def test_an_auditor_learns_of_a_confidential_message_that_it_exists(self, world: World):
        raise_level(world, "confidential")
        client = enter("adam", purpose="oversight")
        lines = text_of(client.get("/messages"))
        assert "Exists; ask a liaison officer." in lines
        refused = client.get(f"/messages/{world.received_alert}")
        assert refused.status_code == 403
        assert "Ask a liaison officer." in text_of(refused)
        entry = AuditEntry.objects.get(deed="refuse_sight")
        assert entry.facts == {"handling": "confidential", "partner": "XA", "sight": "existence"}


class TestAccessLog:
    def test_looks_are_found_by_who_what_why(self, world: World):
        enter("ana", purpose="control").get(f"/messages/{world.received_alert}")
        enter("ana", purpose="evidence").get(f"/messages/{world.received_alert}")
        client = enter("dina")
        page = rows_of(client.get(f"/privacy/access?officer=ana&about={world.received_alert}"))
        assert "looked at a message" in page
        assert "was refused: purpose not permitted" in page
        assert "looked at a message" not in rows_of(client.get("/privacy/access?refused=on"))
        assert "No entry matches" in text_of(client.get("/privacy/access?purpose=training"))
        assert "looked at a message" in rows_of(client.get("/privacy/access?purpose=control&deed=view_message"))
        later = (world.at + timedelta(days=2)).date()
        assert "No entry matches" in text_of(client.get(f"/privacy/access?since={later}"))
        assert enter("omar").get("/privacy/access").status_code == 403

    def test_it_is_taken_out_as_a_table_and_that_is_written_down(self, world: World):
        enter("ana", purpose="control").get(f"/messages/{world.received_alert}")
        sheet = enter("dina").get("/privacy/access.csv?deed=view_message").content.decode()
        assert sheet.splitlines()[0].startswith("at,actor_kind,actor")
        assert f"message:{world.received_alert},control" in sheet
        assert AuditEntry.objects.filter(deed="export_access_log", actor_id="dina").count() == 1


class TestSubject:
    def ask(self, client: Client, **more: str) -> str:
        given = {"reference": "Letter 17", "name": "larkfield trading house ltd"} | more
        return client.post("/privacy/requests", given).url

    def test_everything_in_every_room_is_found(self, world: World):
        found = holdings_of(Asked("House Larkfield Trading"))
        assert {each.what for each in found.items} >= {"declaration", "finding", "seizure", "assessment", "alert"}
        alerts = [each for each in found.items if each.what == "alert"]
        assert {each.shared[0].to for each in alerts} == {"XA", "XB"}
        assert all("article" in each.legal for each in alerts)
        assert found.unread == 0
        assert holdings_of(Asked("Nobody At All")).items == ()

    def test_the_index_names_nobody_and_can_be_made_anew(self, world: World):
        before = set(Mention.objects.values_list("source", "row", "key"))
        assert before
        assert not any("lark" in key for _, _, key in before)
        assert read_anew().left == 0
        assert set(Mention.objects.values_list("source", "row", "key")) == before
        assert left_to_read() == 0

    def test_what_was_purged_is_forgotten_in_the_index_too(self, world: World):
        row = InboxMessage.objects.get(message_id=world.received_finding)
        Mention.objects.create(source="received", row=row.pk, key="0" * 64)
        InboxMessage.objects.filter(pk=row.pk).update(purged_at=world.at, data=b"")
        read_mentions_due(world.at + timedelta(hours=1))
        assert not Mention.objects.filter(source="received", row=row.pk).exists()

    def test_from_the_question_to_the_answer(self, world: World):
        dina, boris = enter("dina"), enter("boris")
        path = self.ask(dina)
        page = text_of(dina.get(path))
        assert f"{CONSIGNOR}" in page
        assert "Nothing, until a spelling is confirmed." in page
        spellings = re.findall(r'name="spelling"[^>]*value="([^"]+)"', dina.get(path).content.decode())
        assert dina.post(path, {"step": "choose", "spelling": spellings}).status_code == 302
        page = text_of(dina.get(path))
        assert "Goods declaration" in page
        assert "parts wait for a decision" in page or "part waits for a decision" in page
        assert dina.post(f"{path}/answer").status_code == 409
        items = re.findall(r'name="item" value="([^"]+)"', boris.get(path).content.decode())
        assert items
        assert dina.post(path, {"step": "decide", "item": items[0], "decision": "disclose"}).status_code == 403
        for item in items[1:]:
            wish = {"step": "decide", "item": item, "decision": "omit", "ground": "control"}
            assert boris.post(path, wish).status_code == 302
        held = {"step": "decide", "item": items[0], "decision": "withhold", "ground": ""}
        assert "needs its ground" in text_of(boris.post(path, held))
        boris.post(path, held | {"ground": "investigation"})
        answer = dina.post(f"{path}/answer", {"language": "en"})
        text = text_of(answer)
        assert "A part is withheld. Ground: it would harm the prevention" in text
        assert "Shared with XA" in text
        assert "This sentence stands in every answer" in text
        assert "sandbox" in answer["Content-Security-Policy"]
        assert "Ce que Customs of Charlie détient" in text_of(dina.post(f"{path}/answer", {"language": "fr"}))
        told = AuditEntry.objects.filter(deed="answer_subject_request").order_by("id").first()
        assert told is not None
        assert CONSIGNOR.lower() not in str(told.facts).lower() + told.subject
        assert "already" in text_of(boris.post(path, held | {"ground": "control"}))

    def test_who_may(self, world: World):
        path = self.ask(enter("dina"))
        assert enter("boris").get(path).status_code == 200
        assert enter("omar").get(path).status_code == 403
        assert enter("boris").post("/privacy/requests", {"reference": "x", "name": "y"}).status_code == 403
        assert "Nothing to look for" in text_of(enter("dina").post("/privacy/requests", {"reference": "x"}))
        assert enter("dina").get(f"/privacy/requests/{UUID(int=3)}").status_code == 404


class TestFigures:
    def test_a_quarter_tells_nothing_small(self, world: World):
        made_now = figures(actor("analyst"), quarter=quarter_of(world.at), at=world.at)
        assert made_now.is_provisional
        assert all(
            cell is None or cell == 0 or cell >= 5 for each in made_now.tables for row in each.cells for cell in row
        )
        assert "nothing is told" in text_of(enter("dina").get("/privacy/statistics"))
        assert "Write it as 2026-Q1" in text_of(enter("dina").get("/privacy/statistics?quarter=2026"))

    def test_pseudonyms_differ_from_quarter_to_quarter_and_old_keys_go(self, world: World):
        first, second = period_key("2020-Q1", world.at), period_key("2020-Q2", world.at)
        assert first == period_key("2020-Q1", world.at)
        assert pseudonym(first, "XA 1", "") == pseudonym(first, "xa-1", "other name") != pseudonym(second, "XA 1", "")
        assert pseudonym(first, "", "") == ""
        for year in range(2021, 2024):
            for number in range(1, 5):
                period_key(f"{year}-Q{number}", world.at)
        assert not PeriodKey.objects.filter(period="2020-Q1").exists()
        assert PeriodKey.objects.count() == 8


class TestProcessing:
    def test_the_record_is_read_off_the_agreement_and_what_happened(self, world: World):
        record = record_of(actor("data_protection"), agreement_id=world.agreement_id, at=world.at)
        assert record.controller == "XC"
        assert dict(record.partners).keys() == {"XA", "XB"}
        sent = sum(each.sent for each in record.articles)
        assert sent == OutboxMessage.objects.filter(agreement=world.agreement_id).exclude(article="duty").count() > 0
        assert "identity" in record.data
        assert "traders" in record.subjects
        assert "sealed" in {each.word for each in record.measures}

    def test_on_paper_in_both_languages_and_as_json(self, world: World):
        client, path = enter("dina"), f"/privacy/processing/{world.agreement_id}"
        assert "Record of processing" in text_of(client.get("/privacy/processing"))
        page = text_of(client.get(path))
        assert "GDPR Art. 30" in page
        assert "Each message is sealed to its recipient" in page
        assert "Registre des activités de traitement" in text_of(client.get(f"{path}?language=fr"))
        form = client.get(f"{path}?form=json").json()
        assert form["form"] == "comity-processing/1"
        assert form["agreement"]["id"] == world.agreement_id
        assert enter("omar").get(path).status_code == 403
        assert client.get("/privacy/processing/none").status_code == 404

    def test_the_page_leads_only_where_one_may_go(self, world: World):
        assert "Questions of persons" in text_of(enter("dina").get("/privacy"))
        assert "Questions of persons" not in text_of(enter("adam").get("/privacy"))
        assert enter("omar").get("/privacy").status_code == 403


class TestCommands:
    def run(self, *words: str) -> str:
        done = CliRunner().invoke(privacy_group, list(words))
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output

    def test_a_question_at_the_terminal(self, world: World, tmp_path: Path):
        said = self.run("subject", "--name", "Larkfield Trading House", "--reference", "Letter 9")
        question = said.split()[1]
        assert f"1. {CONSIGNOR}" in said
        assert "waits" in self.run("confirm", question, "1")
        assert "Letter 9" in self.run("questions")
        refused = CliRunner().invoke(privacy_group, ["answer", question])
        assert "wait for a decision" in str(refused.exception)
        self.run("confirm", question)
        paper = tmp_path / "answer.html"
        self.run("answer", question, "--out", str(paper))
        assert "Nothing is held about you" in paper.read_text()

    def test_papers_and_tables(self, world: World, tmp_path: Path):
        assert "view_subject_request" not in self.run("access", "--officer", "nobody")
        self.run("access", "--csv", str(tmp_path / "access.csv"))
        assert (tmp_path / "access.csv").read_text().startswith("at,actor_kind")
        assert "0 left" in self.run("index", "--anew")
        assert "provisional" in self.run("statistics")
        self.run("statistics", "--out", str(tmp_path / "figures.json"))
        assert '"comity-statistics/1"' in (tmp_path / "figures.json").read_text()
        assert '"comity-processing/1"' in self.run("record", world.agreement_id, "--json")
        assert "Registre" in self.run("record", world.agreement_id, "--language", "fr")
