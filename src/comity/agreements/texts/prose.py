"""An agreement as a text for people, as Markdown: each article's own words, and beneath them what the program does.

Pure and deterministic. The sentences are made from the articles alone, never from their words, so that a reader can
compare the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from comity.agreements.clocks.values import CalendarTerms, Term
from comity.agreements.texts.speech import Speech
from comity.agreements.values import Agreement, Article, Obligation
from comity.agreements.vocabulary import ATTRIBUTE_FIELDS, DEFAULT_SIZE_AT_MOST, KINDS, WEEKDAYS, Tag


def prose(agreement: Agreement, language: str = "en") -> str:
    """The whole agreement in this language; ends with one line end.

    In a language that has no sentences here yet, those of the program are English, and the text says so.
    """
    speech = Speech(language)
    parts = [
        _head(agreement, speech),
        *_definitions(agreement, speech),
        f"## {speech.say('articles')}",
        *(_article(agreement, each, speech) for each in agreement.articles),
        *_reservations(agreement, speech),
        *_procedures(agreement, speech),
        *_obligations(agreement, speech),
        *_calendars(agreement, speech),
    ]
    return "\n\n".join(parts) + "\n"


def sentences(agreement: Agreement, article: Article, language: str = "en") -> tuple[str, ...]:
    """What the program does by one article: the first sentence whole, then each condition and rule."""
    speech = Speech(language)
    rules = _rules(article, speech) if article.is_permit else ()
    return (_lead(agreement, article, speech), *_conditions(article, speech), *rules)


def standing(article: Article | Obligation, language: str = "en") -> str:
    """What it rests on, and whether that was compared with the official text."""
    speech = Speech(language)
    return _backing(article.source, article.tag, speech, is_verified=article.is_verified)


def _head(agreement: Agreement, speech: Speech) -> str:
    asked = [speech.say("fallback", language=speech.language)] if speech.is_fallback else []
    lines = [
        speech.say("version", version=agreement.version),
        speech.say("id", id=agreement.id),
        speech.say("parties", parties=speech.listed(agreement.parties)),
        speech.say("in force", period=speech.period(agreement.in_force)),
    ]
    if agreement.supersedes:
        lines.append(speech.say("supersedes", id=agreement.supersedes))
    if agreement.depositary:
        lines.append(speech.say("depositary", party=agreement.depositary))
    if agreement.witnesses:
        lines.append(speech.say("witnesses"))
    if agreement.seal:
        lines.append(speech.say("seal", seal=agreement.seal))
    if agreement.second_signature:
        lines.append(speech.say("second signature", signature=agreement.second_signature))
    title = f"# {_plain(agreement.title.in_(speech.language))}"
    return "\n\n".join([title, *(f"*{each}*" for each in asked), _items(lines)])


def _definitions(agreement: Agreement, speech: Speech) -> Iterator[str]:
    if agreement.definitions:
        yield f"## {speech.say('definitions')}"
        yield _items(
            speech.say("pair", one=f"**{word}**", other=_plain(wording.in_(speech.language)))
            for word, wording in agreement.definitions
        )


def _article(agreement: Agreement, article: Article, speech: Speech) -> str:
    title = speech.say("article", id=article.id, title=_plain(article.title.in_(speech.language)))
    told = sentences(agreement, article, speech.language)
    reserved = [each.party for each in agreement.reservations if article.id in each.articles]
    return "\n\n".join(
        [
            f"### {title}",
            f"*{speech.say('own text')}*",
            _quoted(article.text.in_(speech.language)),
            f"*{speech.say('as read')}*",
            told[0],
            _items([*told[1:], *(speech.say("reserved", party=party) for party in reserved)]),
            _backing(article.source, article.tag, speech, is_verified=article.is_verified),
        ]
    )


def _lead(agreement: Agreement, article: Article, speech: Speech) -> str:
    kinds = speech.say("anything") if set(article.kinds) in (set(), set(KINDS)) else speech.words(article.kinds)
    verb = "permits" if article.is_permit else "withholds" if article.fields else "prohibits"
    if set(article.senders) == set(article.receivers) == set(agreement.parties):
        return speech.say(f"{verb} each other", kinds=kinds, fields=_codes(article.fields, speech))
    return speech.say(
        verb,
        senders=speech.listed(article.senders),
        may=speech.say("may many" if len(article.senders) > 1 else "may"),
        receivers=speech.listed(article.receivers),
        kinds=kinds,
        fields=_codes(article.fields, speech),
    )


def _conditions(article: Article, speech: Speech) -> Iterator[str]:
    if article.purposes:
        yield speech.say("purposes", words=speech.words(article.purposes, "or"))
    for name in ("handling_at_least", "handling_at_most"):
        level = article.handling_at_least if name == "handling_at_least" else article.handling_at_most
        if level is not None:
            yield speech.say(name, word=speech.word(level.word))
    verb = "permit" if article.is_permit else "prohibit"
    plain, known = (("goods", article.goods), ("origins", article.origins)), _known(article)
    for name, words in (*plain, *known):
        if words:
            yield speech.say(f"{name} {verb}", words=speech.words(words, "or"))
    period = speech.period(article.valid)
    if period:
        yield speech.say("valid", period=period)


def _known(article: Article) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (
        ("categories", article.categories),
        ("risk_types", article.risk_types),
        ("procedures", article.procedures),
    )


def _rules(article: Article, speech: Speech) -> Iterator[str]:
    """What a permit releases and what it lays on the receiver."""
    yield speech.say("fields", fields=_codes(article.fields, speech))
    if any(kind in ATTRIBUTE_FIELDS["size"] for kind in article.kinds):
        most = article.size_at_most
        bound = speech.number(DEFAULT_SIZE_AT_MOST if most is None else most)
        yield speech.say("size default" if most is None else "size", bytes=bound)
    yield speech.say("onward", word=speech.word(article.onward.value))
    if article.retention_days is None:
        yield speech.say("no retention")
    else:
        yield speech.say("retention", days=speech.number(article.retention_days))
    if article.use_limits:
        yield speech.say("use_limits", words=speech.words(article.use_limits))


def _reservations(agreement: Agreement, speech: Speech) -> Iterator[str]:
    if agreement.reservations:
        yield f"## {speech.say('reservations')}"
    for each in agreement.reservations:
        yield f"### {speech.say('reservation', party=each.party, articles=speech.listed(each.articles))}"
        yield _quoted(each.text.in_(speech.language))


def _procedures(agreement: Agreement, speech: Speech) -> Iterator[str]:
    if not agreement.procedures:
        return
    yield f"## {speech.say('procedures')}"
    lines = []
    for each in agreement.procedures:
        clocks = [speech.say("clock", clock=clock, term=_term(term, speech)) for clock, term in each.clocks]
        told = speech.say("procedure", procedure=each.procedure, article=each.article)
        lines.append("; ".join([told, *clocks]))
    yield _items(lines)


def _obligations(agreement: Agreement, speech: Speech) -> Iterator[str]:
    if agreement.obligations:
        yield f"## {speech.say('obligations')}"
    for each in agreement.obligations:
        title = _plain(each.title.in_(speech.language))
        yield f"### {each.id}. {title}" if title else f"### {each.id}"
        yield obligation_sentence(each, speech.language)
        yield _backing(each.source, each.tag, speech, is_verified=each.is_verified)


def obligation_sentence(obligation: Obligation, language: str = "en") -> str:
    """What is owed by whom, to whom, by when."""
    speech = Speech(language)
    parts = {
        "owed_by": speech.listed(obligation.owed_by),
        "owed_to": speech.listed(obligation.owed_to),
        "what": speech.word(obligation.what.value),
        "after": speech.word(obligation.after),
    }
    if obligation.every is not None:
        return speech.say("owes every", every=speech.word(obligation.every.value), **parts)
    if obligation.within is not None:
        return speech.say("owes within", term=_term(obligation.within, speech), **parts)
    return speech.say("owes after" if obligation.after else "owes", **parts)


def _calendars(agreement: Agreement, speech: Speech) -> Iterator[str]:
    if agreement.calendars:
        yield f"## {speech.say('calendars')}"
        yield _items(_calendar(party, terms, speech) for party, terms in agreement.calendars)


def _calendar(party: str, terms: CalendarTerms, speech: Speech) -> str:
    country = "-".join(part for part in (terms.country or party, terms.subdivision) if part)
    told = [speech.say("calendar", party=party, country=country)]
    if terms.weekend:
        told.append(speech.say("weekend", words=speech.words(WEEKDAYS[day] for day in terms.weekend)))
    if terms.closed:
        told.append(speech.say("closed", words=speech.listed(speech.day(day) for day in terms.closed)))
    if terms.open:
        told.append(speech.say("opened", words=speech.listed(speech.day(day) for day in terms.open)))
    return "; ".join(told)


def _backing(source: str, tag: Tag, speech: Speech, *, is_verified: bool) -> str:
    rests = speech.say("source", source=_plain(source), tag=tag.value) if source else speech.say("no source", tag=tag)
    return f"{rests} {speech.say('verified' if is_verified else 'not verified')}"


def _term(term: Term, speech: Speech) -> str:
    return f"{term.count} {speech.word(term.unit.value)}"


def _codes(fields: Iterable[str], speech: Speech) -> str:
    return speech.listed(f"`{field}`" for field in fields)


def _items(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _quoted(text: str) -> str:
    return "\n".join(f"> {_plain(line)}" if line else ">" for line in text.split("\n"))


def _plain(text: str) -> str:
    """A text that stays itself in Markdown: nothing in it begins markup."""
    return text.translate(_MARKUP)


_MARKUP = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<>#|"})
