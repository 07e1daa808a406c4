"""Who would see what: the simulator answers as the engine decides; and the library from which drafts are made."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from comity.agreements import KINDS, Asking
from comity.agreements.bodies import request_for
from comity.agreements.library import shipped_library
from comity.agreements.moving import lives
from comity.agreements.selectors import agreements, engine
from comity.agreements.vocabulary import fields_of_kind
from comity.console.samples import Sampled, sample
from comity.console.simulator import answer_for, trial_of
from comity.console.templatetags.comity import day
from comity.trade import Handling
from tests.console import accords
from tests.console.accords import Accords
from tests.console.visiting import enter, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("known", "taken_back")]
QUESTION = {
    "agreement": "",
    "sender": "XC",
    "partners": ["XA", "XB"],
    "about": "",
    "kind": "alert/1",
    "purpose": "control",
    "handling": "official",
    "category": "commodities",
    "risk_type": "counterfeit",
}


def asked(at: datetime, kind: str = "alert/1", receiver: str = "XA") -> tuple[Asking, dict[str, object]]:
    asking = Asking("XC", receiver, kind, "control", Handling.OFFICIAL, at)
    return asking, sample(kind, Sampled("XC", at, Handling.OFFICIAL, category="commodities", risk_type="counterfeit"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_holds_every_field_of_its_kind(kind: str):
    at = datetime.now(UTC)
    stated = Sampled("XC", at, Handling.OFFICIAL, ("300490",), "XA", "commodities", "counterfeit", "tfa12", 1000)
    held = request_for(Asking("XC", "XA", kind, "control", Handling.OFFICIAL, at), sample(kind, stated)).fields
    leaves = {each for each in fields_of_kind(kind) if "[" not in each and each != "fields"}
    wanted = {each for each in leaves if not any(other.startswith(f"{each}.") for other in leaves)}
    by_role = {each.partition("[")[0] for each in held if "[" in each}
    missing = {each for each in wanted - held if each.partition(".")[0] not in by_role}
    assert {each for each in missing if not any(path.startswith(f"{each}.") for path in held)} <= {
        "deadlines",
        "signatures",
        "commitments",
    }


def test_it_answers_as_the_engine_decides(known: Accords):
    at = datetime.now(UTC)
    live = engine(at)
    asking, body = asked(at)
    answer = answer_for(trial_of(list(agreements(at=at)), "", ""), asking, body, ["XA", "XB"])
    for place, verdict in enumerate(answer.verdicts):
        decision = live.decide(request_for(asked(at, receiver=verdict.partner)[0], body))
        assert verdict.explanation.decision == decision
        shown = {path for _label, path, cells in answer.rows if cells[place].sight == "released"}
        assert shown == set(decision.fields_released)


class TestPage:
    def test_who_sees_which_field_and_why_not(self, known: Accords):
        page = text_of(enter("ana").get("/simulator", QUESTION))
        assert "To XA permitted" in page
        assert "Permitted by article 1" in page
        assert page.count("withheld by article 8") >= 2
        assert "not named by article 1" in page
        table = page.partition("Field by field")[2]
        assert table.index("withheld by article 8") < table.index("Title sees it sees it")

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"handling": "confidential"}, "Article 7, Nothing confidential, prohibits it."),
            ({"category": "persons"}, "A prohibition goes before every article that permits"),
            ({"handling": "confidential", "purpose": "training"}, "Nobody would see any field of it."),
            ({"purpose": "investigation", "hs_codes": "300490"}, "Permitted by article 2"),
            ({"purpose": "statistics"}, "What would be needed:"),
            ({"hs_codes": "6x"}, "Write two, four or six digits"),
            ({"partners": []}, "Choose at least one party"),
        ],
    )
    def test_what_would_be_released(self, known: Accords, changes: dict[str, object], expected: str):
        assert expected in text_of(enter("ana").get("/simulator", QUESTION | changes))

    def test_a_suspension_is_minded(self, known: Accords):
        page = text_of(enter("ana").get("/simulator", QUESTION | {"agreement": known.suspended, "partners": ["XA"]}))
        since = lives()[known.suspended].course.suspensions[0].first
        assert f"XA has suspended the agreement since {day(since.date())}: No answer since March" in page

    def test_a_proposal_is_tried_out_before_it_is_signed(self, known: Accords):
        page = text_of(enter("ana").get("/simulator", QUESTION | {"agreement": known.proposed}))
        assert "kept for 1460 days" in page
        assert "kept for 1095 days" in text_of(enter("ana").get("/simulator", QUESTION))

    def test_a_draft_that_is_stored_nowhere_is_tried_out(self, known: Accords):
        text = accords.demo_yaml("9.0", ("retention_days: 1095", "retention_days: 77"))
        client = enter("chipo")
        assert "version 9.0" in text_of(client.post("/simulator", {"draft": text}))
        page = client.post("/simulator", {**QUESTION, "draft": text})
        assert "kept for 77 days" in text_of(page)
        assert "of the draft" in text_of(page)
        assert "retention_days: 77" in page.content.decode(), "the draft goes with the next question"


@pytest.mark.once
class TestLibrary:
    def test_clauses_by_instrument_with_their_standing(self, known: Accords):
        client = enter("ana")
        page = text_of(client.get("/clauses"))
        assert f"{len(shipped_library().clauses)} clauses" in page
        assert "not verified" in page
        found = text_of(client.get("/clauses", {"q": "documents declaration", "instrument": "tfa12"}))
        assert "Copies of the documents behind a declaration" in found
        assert "Naples" not in found.partition("Instrument")[2].partition("Search")[2].partition("clause")[2]
        assert "No clause holds these words." in text_of(client.get("/clauses", {"q": "unicorns"}))

    def test_one_clause(self, known: Accords):
        page = text_of(enter("chipo").get("/clauses/tfa12-verification"))
        assert "within 90 calendar days of the request" in page
        assert "only a paraphrase of the source was seen" in page
        assert "not verified against the official text" in page
        assert "At least 30. At most 3650. Usually: 1825" in page
        assert "Put it into a draft" in page
        assert "Put it into a draft" not in text_of(enter("ana").get("/clauses/tfa12-verification"))
        assert enter("ana").get("/clauses/none").status_code == 404
