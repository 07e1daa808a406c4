"""The tools in words: every sentence in every language that they speak, the same each time."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings

from comity.agreements import CATEGORIES, HANDLINGS, KINDS, PURPOSES, RISK_TYPES, Agreement, Onward, Period, UseLimit
from comity.agreements.clocks.values import CalendarTerms, Term, Unit
from comity.agreements.texts import (
    SPOKEN,
    Property,
    Shadow,
    ShadowKind,
    conflicts,
    difference,
    english,
    french,
    gaps,
    obligation_sentence,
    prose,
    say_change,
    say_conflict,
    say_gap,
    say_request,
    say_shadow,
    sentences,
    standing,
)
from comity.agreements.values import Obligation, ProcedureTerms, Reservation, Wording
from comity.agreements.vocabulary import OBLIGATION_EVENTS, WEEKDAYS, Every, ObligationKind
from comity.trade import Handling
from tests.agreements.cast import agreement_of, demo, permit_article, prohibition, wording
from tests.agreements.strategies import agreements
from tests.scale import scaled


def parts(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_both_languages_have_the_same_sentences_and_words() -> None:
    assert english.SENTENCES.keys() == french.SENTENCES.keys()
    assert english.WORDS.keys() == french.WORDS.keys()
    for key, sentence in english.SENTENCES.items():
        assert parts(sentence) == parts(french.SENTENCES[key]), key


def test_every_word_of_the_vocabularies_has_words_for_people() -> None:
    known = {*KINDS, *(f"an {kind}" for kind in KINDS), *PURPOSES, *HANDLINGS, *CATEGORIES, *RISK_TYPES, *WEEKDAYS}
    known |= {*Onward, *UseLimit, *ObligationKind, *Every, *OBLIGATION_EVENTS, *Unit}
    assert {str(each) for each in known} <= english.WORDS.keys()


def full() -> Agreement:
    """An agreement with everything that may stand beside its articles."""
    owed = Obligation(
        "o1", ObligationKind.ANSWER, ("XA",), ("XB", "XC"), "request.received", Term.parse("90 calendar_days")
    )
    return replace(
        agreement_of(
            permit_article(kinds=("alert/1", "evidence/1"), goods=("30",), origins=("XA",), retention_days=30),
            permit_article("2", kinds=("evidence/1",), size_at_most=1000, senders=("XA", "XB"), is_verified=True),
            prohibition("8", fields=("ref",), categories=("persons",), valid=Period(None, date(2026, 6, 1))),
            prohibition(senders=("XA", "XB", "XC"), receivers=("XA", "XB", "XC"), goods=("93",)),
        ),
        supersedes="ab" * 32,
        depositary="XA",
        seal="mlkem768-x25519",
        second_signature="ml-dsa-44",
        witnesses="quorum none\n",
        definitions=(("alert", wording("What to look *for*")),),
        reservations=(Reservation("XB", ("2",), wording("Not from us")),),
        procedures=(ProcedureTerms("tfa12", "1", (("answer", Term.parse("60 calendar_days")),)),),
        obligations=(
            owed,
            replace(owed, id="o2", within=None, title=wording("Afterwards")),
            replace(owed, id="o3", within=None, after="", every=Every.QUARTER),
            replace(owed, id="o4", within=None, after="", source="Clause 9", is_verified=True),
        ),
        calendars=(
            ("XA", CalendarTerms("FR", weekend=(4, 5), closed=(date(2026, 12, 24),), open=(date(2026, 5, 1),))),
            ("XB", CalendarTerms(subdivision="DU")),
        ),
    )


@pytest.mark.parametrize("language", SPOKEN)
def test_the_text_tells_all(language: str) -> None:
    text = prose(full(), language)
    assert text == prose(full(), language)
    for told in (
        "`tfa12`",
        "### o4",
        "FR",
        "XB-DU",
        "2026-12-24",
        "ab" * 32,
        "mlkem768-x25519",
        "ml-dsa-44",
        "\\*for\\*",
    ):
        assert told in text
    assert text.endswith("\n")
    for article in full().articles:
        assert article.text.in_(language) in text
        assert sentences(full(), article, language)[0] in text


def test_english_and_french_sentences() -> None:
    agreement = full()
    one, two = agreement.articles[:2]
    assert sentences(agreement, one)[0] == "XC may send alerts and files to XA."
    assert sentences(agreement, one, "fr")[0] == "XC peut adresser des alertes et des fichiers à XA."
    assert sentences(agreement, two, "fr")[0] == "XA et XB peuvent adresser des fichiers à XA."
    assert "A file may have 67,108,864 bytes at most, since the article names no bound." in sentences(agreement, one)
    assert "A file may have 1,000 bytes at most." in sentences(agreement, two)
    assert sentences(agreement, agreement.articles[2])[0] == (
        "From XC to XA (messages of any kind) these fields are always withheld: `ref`."
    )
    assert sentences(agreement, agreement.articles[3])[0] == "The parties may not send each other messages of any kind."
    assert obligation_sentence(agreement.obligations[0]) == (
        "Owed by XA to XB and XC: an answer, within 90 calendar days of the receipt of a request."
    )
    assert "Reservation of XB" in prose(agreement)


def test_what_was_not_compared_says_so() -> None:
    assert "**Not compared with the official text.**" in standing(permit_article())
    assert standing(permit_article(is_verified=True)) == "Source: Clause 1 (tag M). Compared with the official text."
    assert "No source is named" in standing(permit_article(source=""))
    assert prose(demo()).count("Not compared with the official text") == sum(
        not each.is_verified for each in demo().articles
    )


def test_another_language_falls_back_and_says_so() -> None:
    assert "there are none in “es” yet" in prose(demo(), "es")
    assert "in English" not in prose(demo(), "fr")


def test_a_conflict_in_words() -> None:
    one = permit_article("3", goods=("30",), retention_days=400, origins=("XA",))
    (conflict,) = conflicts([agreement_of(one), agreement_of(replace(one, id="2", retention_days=30), version="2")])
    said = say_conflict(conflict)
    assert said.startswith("An alert of XC to XA for control, open, HS 30, from XA, on 2026-01-01: agreement ")
    assert "article 3, lets it be kept 400 days" in said
    assert said.endswith("article 2, 30 days. The stricter: 30 days.")
    assert say_conflict(conflict, "fr").endswith("La règle la plus stricte : 30 jours.")


def test_a_difference_in_words() -> None:
    old = agreement_of(permit_article(goods=("30",)))
    new = agreement_of(permit_article(goods=("3004",), valid=Period(date(2026, 3, 1), None)), version="2")
    lines = [line for found in [difference(old, new)] for each in found.changes for line in say_change(found, each)]
    assert all(line.startswith("closed: alerts of XC to XA; for control; handling open, official") for line in lines)
    assert any("some of HS 30 not told further or 30 in other parts" in line for line in lines), lines
    assert any("until 2026-02-28" in line for line in lines), lines


def test_requests_in_words() -> None:
    found = conflicts([agreement_of(permit_article()), agreement_of(prohibition(), version="2")])[0].example
    whole = replace(found, onward_from="XB", size_bytes=2000, attributes={"category": "persons", "risk_type": "safety"})
    assert say_request(whole).endswith(
        "on persons, for safety and security, 2,000 bytes, information of XB, on 2026-01-01"
    )
    assert "with its consent" in say_request(replace(whole, owner_consents=True))
    assert "without saying whose" in say_request(replace(whole, onward_from=""))
    assert "not stated" in say_request(replace(whole, purpose=""))


@pytest.mark.parametrize("kind", ShadowKind)
def test_shadows_in_words(kind: ShadowKind) -> None:
    assert "4" in say_shadow(Shadow("4", kind, ("5",)))
    assert "4" in say_shadow(Shadow("4", kind, ("5",)), "fr")


@settings(max_examples=scaled(8, 25), deadline=None)
@given(agreements(4), agreements(4))
def test_everything_can_be_said(one: Agreement, other: Agreement) -> None:
    other = replace(other, version="2")
    found = difference(one, other)
    for language in (*SPOKEN, "ar"):
        assert prose(one, language)
        assert all(line for change in found.changes for line in say_change(found, change, language))
        assert all(say_gap(gap, language) for gap in gaps(one))
        assert all(say_conflict(each, language) for each in conflicts([one, other]))


def test_properties_are_compared_whatever_they_are() -> None:
    one = full()
    other = replace(one, obligations=one.obligations[:1], depositary="XB", title=Wording((("en", "Other"),)))
    names = {each.name for each in difference(one, other).properties}
    assert names == {"obligations", "depositary", "title"}
    changed = replace(one, articles=(replace(one.articles[0], handling_at_most=Handling.OPEN), *one.articles[1:]))
    assert difference(one, changed).properties == (
        Property("1", "handling_at_most", Handling.RESTRICTED, Handling.OPEN),
    )
    assert difference(one, one).is_empty
