"""Pages of agreements: what waits for us, the text beside what is done, who holds what, the life, what changes."""

from __future__ import annotations

import pytest

from comity.agreements import parse_agreement
from comity.agreements.life import accession_of
from comity.console.changes import compared
from comity.console.drafts import with_newcomer, with_reservation, yaml_of
from tests.console import accords
from tests.console.accords import Accords
from tests.console.visiting import enter, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("known", "taken_back")]


def page_of(path: str, username: str = "chipo") -> str:
    answer = enter(username).get(path)
    assert answer.status_code == 200, path
    return text_of(answer)


class TestList:
    def test_what_waits_for_us_comes_first(self, known: Accords):
        page = page_of("/agreements")
        assert page.index("Waits for us") < page.index("waits for our signature") < page.index("On the way")
        for word in ("in force", "suspended by XA", "proposed", "left by us", "No answer since March"):
            assert word in page, word
        assert "It waits for the signature of XB." in page

    def test_only_who_manages_agreements_is_offered_deeds(self, known: Accords):
        assert "Propose from a file" in page_of("/agreements")
        assert "Propose from a file" not in page_of("/agreements", "ana")


class TestOneAgreement:
    def test_each_article_stands_beside_what_the_node_does(self, known: Accords):
        page = page_of(f"/agreements/{known.suspended}", "ana")
        assert page.count("not verified against the official text") >= 13
        assert "from general knowledge; the source was not seen" in page
        assert "What the parties owe each other" in page
        assert "An answer to each request" in page
        assert "Verification" in page
        assert ": 90 calendar days (as the parties agreed)" in page
        assert "Suspended by XA since" in page
        assert "End our suspension" not in page

    def test_who_holds_what_and_where_it_differs(self, known: Accords):
        page = page_of(f"/agreements/{known.proposed}")
        assert "the same text and the same standing" in page
        assert "It has not seen the signature of XB." in page
        assert "1 move that we know has not reached it." in page
        assert "Ask them now what they hold" in page
        assert "not introduced here" not in page

    def test_the_life_is_a_dated_list(self, known: Accords):
        page = page_of(f"/agreements/{known.left}")
        life = page[page.index("Life") :]
        proposed, signed = (
            life.index("XB proposed this version and signed it"),
            life.index("XC accepted it and signed it"),
        )
        assert proposed < signed < life.index("XC left it")
        assert "Note of 3 May" in life

    def test_versions_with_what_changed(self, known: Accords):
        page = page_of(f"/agreements/{known.in_force}")
        assert "What changes from this one to it : It widens: something may be shared" in page
        page = page_of(f"/agreements/{known.proposed}/changes/{known.in_force}")
        assert "looser: retention" in page
        assert "1095" in page
        assert "1460" in page

    def test_conflicts_are_shown_with_an_example(self, known: Accords):
        page = page_of(f"/agreements/{known.in_force}")
        assert "The stricter: " in page
        assert "What no article covers" in page

    def test_the_text_and_the_yaml_can_be_saved(self, known: Accords):
        client = enter("ana")
        saved = client.get(f"/agreements/{known.suspended}/as/yaml")
        assert parse_agreement(saved.content).id == known.suspended
        assert "attachment" in saved["Content-Disposition"]
        assert b"Not compared with the official text" in client.get(f"/agreements/{known.suspended}/as/text").content

    def test_in_french_nothing_is_english(self, known: Accords):
        client = enter("ana")
        client.post("/language", {"language": "fr"})
        for path in ("/agreements", f"/agreements/{known.proposed}", f"/agreements/{known.suspended}"):
            answer = client.get(path)
            page = text_of(answer)
            for each in (*answer.context.get("passages", ()), *answer.context.get("duties", ())):
                page = page.replace(each.backing.source, "")  # a citation stands as the parties wrote it
            assert "Accords" in page
            for english in (" the ", "waits for", "Released", "Articles that"):
                assert english not in page, (path, english)


@pytest.mark.once
class TestDrafts:
    def test_yaml_reads_back_as_the_same_agreement(self, known: Accords):
        for found in (accords.demo(), accords.bilateral("XA")):
            assert parse_agreement(yaml_of(found).encode()).id == found.id
            assert yaml_of(found).startswith("form:")

    def test_a_newcomer_differs_in_itself_alone(self):
        text = accords.demo_yaml("1.0") + "accession: {depositary: XA}\n"
        former = parse_agreement(text.encode())
        later = with_newcomer(former, "XD")
        assert accession_of(former, later) == "XD"
        assert parse_agreement(yaml_of(later).encode()).id == later.id

    def test_a_reservation_narrows(self):
        former = accords.bilateral("XA")
        later = with_reservation(former, "XC", ("1",), "Nothing on our side.")
        change = compared(former, later)
        assert change.narrows
        assert not change.widens
        assert parse_agreement(yaml_of(later).encode()).id == later.id
