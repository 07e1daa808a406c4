"""The reciprocity ledger: counted from cases and messages, printed as text and as a page."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from comity.insight import Between, Side, page_of, reciprocity, text_of
from comity.insight import selectors as insight
from comity.insight.facts import CaseFacts
from tests.exchange.cast import ANA, introduce
from tests.insight.cast import BORIS, agreement, answer, ask, bind, day, refuse, share_finding, step


@pytest.fixture
def bound(db: None) -> None:
    """Partners are introduced and the agreement is in force."""
    introduce("XB", "XC")
    bind()


@pytest.mark.usefixtures("bound")
def test_what_was_asked_and_given() -> None:
    """Four requests of ours, one of theirs; the days are counted, the grounds named; a report is no request."""
    answer(ask("2026-03-02"), "2026-03-06")
    answer(ask("2026-03-02"), "2026-03-12")
    refuse(ask("2026-03-02"), "2026-03-03")
    step(ask("2026-03-02"), "2026-03-08", "withdraw", by=ANA)
    ask("2026-03-03", by=BORIS)
    fields = {"obligation": "o3", "what": "statistics", "period_from": "2026-01-01", "period_until": "2026-03-31"}
    ask("2026-03-04", procedure="report", fields=fields)
    ledger = insight.ledger_with("XB", since=day("2026-03-01"), until=day("2026-04-01"))
    assert ledger.total.ours == Side(
        "XA",
        asked=4,
        answered=3,
        refused=1,
        withdrawn=1,
        waiting=0,
        median_days=4.0,
        longest_days=10.0,
        grounds=(("R1", 1), ("R3", 1)),
    )
    assert ledger.total.theirs == Side("XB", asked=1, waiting=1)
    assert [(each.agreement, each.ours) for each in ledger.by_agreement] == [(agreement().id, ledger.total.ours)]


@pytest.mark.usefixtures("bound")
def test_messages_that_were_sent_count() -> None:
    """A finding to XC stands in the ledger with XC, not with XB, and only in its time."""
    share_finding("2026-03-03")
    with_xc, with_xb, later = (
        insight.ledger_with(partner, since=day(since), until=day("2026-05-01"))
        for partner, since in (("XC", "2026-03-01"), ("XB", "2026-03-01"), ("XC", "2026-04-01"))
    )
    assert with_xc.total.ours.given == (("finding/1", 1),)
    assert with_xb.total.ours.given == later.total.ours.given == ()


FACTS = CaseFacts("c", "tfa12", "a" * 64, "XA", "XB", day("2026-03-02"))
BETWEEN = Between("XA", "XB", day("2026-01-01"), day("2027-01-01"))


class _Page(HTMLParser):
    """What a page holds and where it would reach out to."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.reaches: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag, and what it would fetch."""
        self.tags.append(tag)
        self.reaches += [value or "" for name, value in attrs if name in ("src", "href")]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_page_needs_nothing_else(language: str) -> None:
    """No script, nothing fetched, one table for all and one for each agreement; strange words are harmless."""
    refused = replace(FACTS, answered_at=day("2026-03-05"), is_refused=True, grounds=("<script>alert(1)</script>",))
    page = _Page()
    text = page_of(reciprocity(BETWEEN, [refused], []), language)
    page.feed(text)
    assert page.tags.count("table") == 2
    assert "script" not in page.tags
    assert page.reaches == []
    assert f'<html lang="{language}">' in text
    assert text == page_of(reciprocity(BETWEEN, [refused], []), language)


def test_the_text_table() -> None:
    """Three columns, ours and theirs; a dash where nothing was answered."""
    text = text_of(reciprocity(BETWEEN, [FACTS], []))
    assert text.startswith("Reciprocity between XA and XB\nFrom 2026-01-01 until 2027-01-01\n\nAll agreements")
    assert "Requests made                1   0\n" in text
    assert "Median days to the answer    –   –\n" in text
    assert f"Agreement {'a' * 12}" in text
    assert text_of(reciprocity(BETWEEN, [], []), "fr").startswith("Réciprocité entre XA et XB")


def test_others_and_other_times_are_left_out() -> None:
    """Only the two, only the time; the end is excluded."""
    others = [
        replace(FACTS, asked="XC"),
        replace(FACTS, opened_at=BETWEEN.until),
        replace(FACTS, opened_at=day("2025-12-31")),
        replace(FACTS, procedure="spontaneous"),
    ]
    assert reciprocity(BETWEEN, others, []).by_agreement == ()
    assert reciprocity(BETWEEN, [replace(FACTS, opened_at=BETWEEN.since)], []).total.ours.waiting == 1
