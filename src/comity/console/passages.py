"""The parts of an agreement's text for a page: each article with what the node does by it, duties, procedures, days."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.dates import WEEKDAYS
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from comity.agreements import Agreement, Article, Tag
from comity.agreements.clocks import CalendarTerms, term_in_words
from comity.agreements.procedures import UnknownProcedureError, procedure
from comity.agreements.texts import obligation_sentence, sentences
from comity.agreements.values import Obligation, ProcedureTerms
from comity.console.bodies import readable_paths
from comity.console.case_words import clock_words
from comity.console.changes import spoken

# How well a source was checked, in words.
CONFIDENCE: Mapping[Tag, str | Promise] = {
    Tag.SEEN: _("the text of the source was seen"),
    Tag.PARAPHRASED: _("only a paraphrase of the source was seen"),
    Tag.UNCHECKED: _("from general knowledge; the source was not seen"),
}
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Backing:
    """What an article or an obligation rests on. confidence: how well that was checked."""

    source: str
    tag: str
    confidence: str
    is_verified: bool


@dataclass(frozen=True, slots=True)
class Passage:
    """An article: its own words, and beside them in sentences what the node does by it."""

    article: Article
    lead: str
    rules: tuple[str, ...]
    backing: Backing
    reserved_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Owed:
    """An obligation in a sentence."""

    obligation: Obligation
    sentence: str
    backing: Backing


@dataclass(frozen=True, slots=True)
class Opened:
    """A procedure that an agreement opens. clocks: name, term, whether the parties set it themselves."""

    name: str
    title: str
    article: str
    clocks: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days count as working days of a party."""

    party: str
    terms: CalendarTerms
    country: str
    weekend: tuple[str, ...]


def passages_of(agreement: Agreement) -> tuple[Passage, ...]:
    """The articles in the language of the page."""
    return tuple(_passage(agreement, each) for each in sorted(agreement.articles, key=lambda each: counted(each.id)))


def duties_of(agreement: Agreement) -> tuple[Owed, ...]:
    """What the parties owe each other."""
    language = spoken()
    return tuple(
        Owed(each, obligation_sentence(each, language), backing_of(each.source, each.tag, each.is_verified))
        for each in agreement.obligations
    )


def procedures_of(agreement: Agreement) -> tuple[Opened, ...]:
    """The procedures that may be opened under it."""
    return tuple(_opened(each) for each in agreement.procedures)


def working_days_of(agreement: Agreement) -> tuple[Calendar, ...]:
    """Whose public holidays and weekends count."""
    return tuple(
        Calendar(party, terms, terms.country or party, tuple(str(WEEKDAYS[each]) for each in sorted(terms.weekend)))
        for party, terms in agreement.calendars
    )


def counted(article_id: str) -> tuple[tuple[int, str], ...]:
    """To order articles as people count: 2 before 10."""
    return tuple((int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", article_id) if part)


def backing_of(source: str, tag: Tag, is_verified: bool) -> Backing:
    """What it rests on, in words."""
    return Backing(source, tag.value, str(CONFIDENCE[tag]), is_verified)


def _passage(agreement: Agreement, article: Article) -> Passage:
    lead, *rules = (_readable(each) for each in sentences(agreement, article, spoken()))
    reserved = tuple(each.party for each in agreement.reservations if article.id in each.articles)
    return Passage(article, lead, tuple(rules), backing_of(article.source, article.tag, article.is_verified), reserved)


def _readable(sentence: str) -> str:
    """The names of fields as people read them; a group of names that follow one another is one list."""
    return _CODE.sub(lambda found: readable_paths([found[1]])[0], sentence)


def _opened(terms: ProcedureTerms) -> Opened:
    language, own = spoken(), dict(terms.clocks)
    try:
        found = procedure(terms.procedure)
    except UnknownProcedureError:
        clocks = tuple((clock_words(name), term_in_words(term, language), True) for name, term in terms.clocks)
        return Opened(terms.procedure, terms.procedure, terms.article, clocks)
    clocks = tuple(
        (clock_words(each.name), term_in_words(own.get(each.name, each.term), language), each.name in own)
        for each in found.clocks
    )
    return Opened(terms.procedure, found.title.in_(language), terms.article, clocks)
