"""Negotiating in the console: nothing is lost, nothing goes unseen, and each deed is the journey's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from comity.agreements import parse_agreement
from comity.agreements import selectors as agreements
from comity.agreements.life import MoveKind, Stage
from comity.agreements.moving import lives
from comity.staff.models import ProposalRow
from tests.console import accords
from tests.console.accords import Accords
from tests.console.visiting import enter, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("known", "taken_back")]


def stage_of(agreement_id: str) -> Stage:
    return lives()[agreement_id].stage(datetime.now(UTC))


def kinds_of(agreement_id: str) -> list[MoveKind]:
    return [each.kind for each in lives()[agreement_id].history]


class TestProposing:
    def test_a_wrong_word_is_named_with_its_line_and_nothing_is_lost(self, known: Accords):
        text = accords.demo_yaml("4.0", ("kinds: [alert/1]", "kinds: [allert/1]"))
        line = next(number for number, each in enumerate(text.splitlines(), 1) if "allert" in each)
        answer = enter("chipo").post("/agreements/propose", {"text": text, "step": "preview"})
        page = answer.content.decode()
        assert answer.status_code == 422
        assert f"line {line}" in page
        assert "Did you mean" in page
        assert page.count("allert/1") >= 3, "in the text, in the complaint and in the lines around it"
        assert f'class="number"><span class="visually-hidden">Here: </span>{line}' in page

    def test_a_file_is_shown_and_sent_once_it_was_seen(self, known: Accords):
        client, text = enter("chipo"), accords.demo_yaml("4.0")
        file = SimpleUploadedFile("draft.yaml", text.encode())
        page = text_of(client.post("/agreements/propose", {"file": file, "step": "preview"}))
        found = parse_agreement(text.encode())
        assert "Our signature goes to XA, XB" in page
        assert "7 not verified against the official text" in page
        assert found.id not in lives()
        sent = text_of(client.post("/agreements/propose", {"text": text, "step": "send"}, follow=True))
        assert "Signed and proposed. It is on its way to XA, XB." in sent
        assert stage_of(found.id) is Stage.PROPOSED

    def test_what_cannot_work_is_not_sent(self, known: Accords):
        text = accords.demo_yaml("4.0", ("      - title\n", ""))
        page = enter("chipo").post("/agreements/propose", {"text": text, "step": "preview"}).content.decode()
        assert "It cannot work as it is written" in page
        assert 'value="send"' not in page
        answer = enter("chipo").post("/agreements/propose", {"text": text, "step": "send"})
        assert answer.status_code == 422
        assert parse_agreement(text.encode()).id not in lives()

    def test_nothing_given_is_said(self, known: Accords):
        answer = enter("chipo").post("/agreements/propose", {"text": "", "step": "preview"})
        assert "Choose a file, or write the text here" in text_of(answer)

    def test_an_answer_begins_with_the_text_and_shows_its_difference(self, known: Accords):
        client = enter("chipo")
        begun = client.get(f"/agreements/propose?counters={known.proposed}").context["form"]["text"].value()
        assert "version: 2.1" in begun
        text = begun.replace("retention_days: 1460", "retention_days: 700")
        data = {"text": text, "counters": known.proposed, "step": "preview"}
        page = text_of(client.post("/agreements/propose", data))
        assert "It narrows: nothing may be shared" in page
        assert "stricter: retention" in page
        client.post("/agreements/propose", {**data, "step": "send"})
        assert kinds_of(parse_agreement(text.encode()).id) == [MoveKind.COUNTER_PROPOSE]
        assert "It was answered with another version." in text_of(client.get(f"/agreements/{known.proposed}"))

    def test_an_amendment_names_what_it_replaces(self, known: Accords):
        client = enter("chipo")
        form = client.get(f"/agreements/propose?amends={known.in_force}").context["form"]
        text = form["text"].value().replace("retention_days: 365", "retention_days: 90", 1)
        data = {"text": text, "amends": known.in_force, "step": "send"}
        client.post("/agreements/propose", data)
        assert lives()[parse_agreement(text.encode()).id].agreement.supersedes == known.in_force

    def test_a_newcomer_is_put_into_the_version_that_was_given(self, known: Accords):
        text = accords.demo_yaml("1.0", ("parties: [XA, XB, XC]", "parties: [XA, XB, XD]")).replace("XC]", "XD]")
        text = text.replace("[XC", "[XD") + "accession: {depositary: XA}\n"
        client = enter("chipo")
        answer = client.post("/agreements/propose", {"text": text, "mode": "accede", "step": "preview"})
        joined = answer.context["form"]["text"].value()
        later = parse_agreement(joined.encode())
        assert later.parties == ("XA", "XB", "XC", "XD")
        sent = client.post("/agreements/propose", {"text": joined, "mode": "accede", "step": "send"}, follow=True)
        assert "Acceded and signed." in text_of(sent)
        assert kinds_of(later.id) == [MoveKind.ACCEDE]

    def test_a_reservation_becomes_a_version(self, known: Accords):
        client = enter("chipo")
        assert "Choose at least one article" in text_of(
            client.post(f"/agreements/{known.proposed}/reserve", {"text": "x"})
        )
        answer = client.post(f"/agreements/{known.proposed}/reserve", {"articles": ["3"], "text": "Not here."})
        found = parse_agreement(answer.context["form"]["text"].value().encode())
        assert [(each.party, each.articles) for each in found.reservations] == [("XC", ("3",))]
        assert answer.context["form"]["counters"].value() == known.proposed


class TestMoves:
    def test_signing_shows_what_it_brings_and_brings_into_force(self, known: Accords):
        client, address = enter("chipo"), f"/agreements/{known.proposed}/moves/accept"
        page = text_of(client.get(address))
        assert "What changes from version 1.0" in page
        assert "It widens" in page
        assert "Signed. It is on its way to XA, XB." in text_of(client.post(address, follow=True))
        assert agreements.agreement(known.proposed, at=datetime.now(UTC)).state.value == "in_force"
        again = client.get(address)
        assert "As things stand this cannot be done: in force" in text_of(again)

    def test_a_refusal_needs_a_reason(self, known: Accords):
        client, address = enter("chipo"), f"/agreements/{known.proposed}/moves/refuse"
        assert client.post(address, {"reason": ""}).status_code == 422
        client.post(address, {"reason": "Article 1 goes too far"})
        assert stage_of(known.proposed) is Stage.REFUSED
        assert "refused by us" in text_of(client.get("/agreements"))

    def test_our_proposal_is_taken_back_and_no_other(self, known: Accords):
        client = enter("chipo")
        client.post(f"/agreements/{known.ours}/moves/withdraw", {"reason": ""})
        assert stage_of(known.ours) is Stage.WITHDRAWN
        refused = client.post(f"/agreements/{known.proposed}/moves/withdraw", {"reason": ""})
        assert refused.status_code == 422
        assert "has not proposed it" in text_of(refused)

    @pytest.mark.parametrize("deed", ["suspend", "leave"])
    def test_what_stops_an_exchange_waits_for_a_second_officer(self, known: Accords, deed: str):
        client, address = enter("chipo"), f"/agreements/{known.in_force}/moves/{deed}"
        yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
        assert "That day has passed" in text_of(client.post(address, {"reason": "Why", "day": yesterday}))
        page = text_of(client.post(address, {"reason": "No answer since May"}, follow=True))
        assert "waits for a second officer" in page
        row = ProposalRow.objects.get(deed=f"{deed}_agreement")
        assert row.payload["agreement"] == known.in_force
        assert row.payload["reason"] == "No answer since May"
        assert known.in_force not in lives(), "nothing was signed yet"

    def test_nobody_else_makes_moves(self, known: Accords):
        for username in ("ana", "boris"):
            assert enter(username).post(f"/agreements/{known.proposed}/moves/accept").status_code == 403
        assert enter("chipo").get(f"/agreements/{known.proposed}/moves/nothing").status_code == 404
        assert stage_of(known.proposed) is Stage.PROPOSED

    def test_the_others_are_asked(self, known: Accords):
        page = text_of(enter("chipo").post(f"/agreements/{known.proposed}/ask", follow=True))
        assert "2 parties are asked." in page


@pytest.mark.once
class TestComposing:
    GIVEN = {
        "first": "XC",
        "second": "xa",
        "from": "2027-01-01",
        "languages": ["en", "fr"],
        "retention_days": "365",
        "handling_at_most": "restricted",
        "offence_goods": "30 2402",
        "answer_within": "90 calendar_days",
        "articles": ["1", "2", "8", "10"],
    }

    def test_a_template_becomes_a_draft(self, known: Accords):
        more = {"more": ["eu515-spontaneous"], "1.retention_days": "30"}
        answer = enter("chipo").post("/agreements/compose/bilateral-mou", {**self.GIVEN, **more})
        found = parse_agreement(answer.context["form"]["text"].value().encode())
        assert [each.id for each in found.articles] == ["1", "10", "19", "2", "8"]
        assert found.parties == ("XA", "XC")
        assert found.article("1").retention_days == 30
        assert found.article("2").goods == ("2402", "30")
        assert "nothing is signed yet" in text_of(answer)

    def test_what_the_library_refuses_stands_beside_its_field(self, known: Accords):
        client = enter("chipo")
        for wrong, complaint in (
            ({"answer_within": "soon"}, "answer_within"),
            ({"1.retention_days": "9999999"}, "1.retention_days"),
            ({"second": "Alfa"}, "second"),
            ({"from": ""}, "from"),
        ):
            answer = client.post("/agreements/compose/bilateral-mou", {**self.GIVEN, **wrong})
            assert answer.status_code == 422
            assert complaint in answer.context["form"].errors, wrong
        assert client.get("/agreements/compose/none").status_code == 404
