"""From the text of an agreement to its value. Pure. docs/agreements.md describes the form."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from comity.agreements.errors import AgreementFormError
from comity.agreements.markup import Node, read_json, read_yaml
from comity.agreements.reader import (
    Reader,
    fail,
    read_day,
    read_flag,
    read_list,
    read_matching,
    read_number,
    read_text,
    read_word,
    read_words,
    unique,
)
from comity.agreements.values import FORM, Agreement, Article, Period, Wording
from comity.agreements.vocabulary import (
    ARTICLE_ID,
    CATEGORIES,
    HANDLINGS,
    HS_PREFIX,
    KINDS,
    LANGUAGES,
    MOST_SIZE_AT_MOST,
    PARTY,
    PURPOSES,
    RISK_TYPES,
    SEALS,
    SECOND_SIGNATURES,
    TERM,
    VERSION,
    Effect,
    Onward,
    Tag,
    UseLimit,
    fields_of_kind,
)
from comity.agreements.witnessing import read_witnesses
from comity.trade import Handling

_ONLY_PERMITS = ("onward", "retention_days", "size_at_most", "use_limits")
_PERMITS_NEED = ("kinds", "purposes", "handling_at_most", "fields")
_CODE = "a code of two capital letters, such as XA"


def parse_agreement(data: bytes) -> Agreement:
    """The agreement in this YAML.

    Raises: AgreementFormError naming the line and, for a word, the one that was probably meant.
    """
    return _agreement(Reader(read_yaml(data), "The agreement"))


def agreement_from_bytes(data: bytes) -> Agreement:
    """The agreement of these canonical bytes, as signed.

    Raises: AgreementFormError where they are no agreement or not its canonical form.
    """
    agreement = _agreement(Reader(read_json(data), "The agreement"))
    if agreement.to_bytes() != data:
        raise AgreementFormError(
            "The bytes are not the canonical form of the agreement",
            where="line 1",
            remedy="Sign what `comity agreement sign` writes.",
        )
    return agreement


@dataclass(frozen=True, slots=True)
class _Frame:
    """What every article is read against."""

    parties: tuple[str, ...]
    languages: tuple[str, ...]


def _agreement(reader: Reader) -> Agreement:
    read_word(reader.need("form"), "form", (FORM,))
    frame = _Frame(
        parties=_matching(reader, "parties", PARTY, _CODE),
        languages=read_words(reader.need("languages"), "languages", LANGUAGES),
    )
    if len(frame.parties) < 2:
        fail("An agreement has at least two parties", reader.need("parties"), "Name the others.")
    agreement = Agreement(
        title=_wording(reader.need("title"), "title", frame),
        version=read_matching(reader.need("version"), "version", VERSION, "a version such as 1 or 1.2"),
        parties=frame.parties,
        languages=frame.languages,
        in_force=_period(reader.need("in_force"), "in_force"),
        definitions=tuple(_definitions(reader.take("definitions"), frame)),
        articles=_articles(reader.need("articles"), frame),
        witnesses=read_witnesses(policy, frame.parties) if (policy := reader.take("witnesses")) else "",
        seal=_word(reader, "seal", SEALS),
        second_signature=_word(reader, "second_signature", SECOND_SIGNATURES),
    )
    reader.finish()
    if agreement.in_force.first is None:
        fail("The agreement does not say when it begins", reader.need("in_force"), "Add `from: 2026-01-01`.")
    return agreement


def _definitions(node: Node | None, frame: _Frame) -> Iterable[tuple[str, Wording]]:
    if node is None:
        return
    reader = Reader(node, "definitions")
    for word in sorted(reader.keys()):
        if not TERM.fullmatch(word):
            fail(f"{word[:60]!r} is no word to define", node, "Write it in small letters, such as risk_information.")
        yield word, _wording(reader.need(word), f"definition of {word}", frame)


def _articles(node: Node, frame: _Frame) -> tuple[Article, ...]:
    items = read_list(node, "articles")
    articles = [_article(Reader(item, "The article"), item, frame) for item in items]
    unique([(article.id, item) for article, item in zip(articles, items, strict=True)], "articles")
    return tuple(sorted(articles, key=lambda article: article.id))


def _article(reader: Reader, node: Node, frame: _Frame) -> Article:
    effect = Effect(read_word(reader.need("effect"), "effect", tuple(Effect)))
    kinds = _words(reader, "kinds", KINDS)
    article = Article(
        id=read_matching(reader.need("id"), "id", ARTICLE_ID, "a short id such as 3 or 12.4"),
        effect=effect,
        title=_wording(reader.need("title"), "title", frame),
        text=_wording(reader.need("text"), "text", frame),
        senders=_words(reader, "senders", frame.parties) or frame.parties,
        receivers=_words(reader, "receivers", frame.parties) or frame.parties,
        kinds=kinds,
        purposes=_words(reader, "purposes", PURPOSES),
        handling_at_most=_handling(reader, "handling_at_most"),
        handling_at_least=_handling(reader, "handling_at_least"),
        goods=_matching(reader, "goods", HS_PREFIX, "2, 4 or 6 digits of an HS code"),
        origins=_matching(reader, "origins", PARTY, _CODE),
        categories=_words(reader, "categories", CATEGORIES),
        risk_types=_words(reader, "risk_types", RISK_TYPES),
        size_at_most=read_number(size, "size_at_most", most=MOST_SIZE_AT_MOST)
        if (size := reader.take("size_at_most"))
        else None,
        valid=_period(period, "valid") if (period := reader.take("valid")) else Period(),
        fields=_words(reader, "fields", frozenset().union(*map(fields_of_kind, kinds or KINDS))),
        onward=Onward(_word(reader, "onward", tuple(Onward)) or Onward.NONE),
        retention_days=read_number(days, "retention_days", most=36_525)
        if (days := reader.take("retention_days"))
        else None,
        use_limits=_words(reader, "use_limits", tuple(UseLimit)),
        source=read_text(source, "source") if (source := reader.take("source")) else "",
        tag=Tag(_word(reader, "tag", tuple(Tag)) or Tag.UNCHECKED),
        is_verified=read_flag(flag, "verified") if (flag := reader.take("verified")) else False,
    )
    reader.finish()
    _check_effect(article, reader, node)
    _check_selectors(article, reader)
    return article


def _check_effect(article: Article, reader: Reader, node: Node) -> None:
    if article.is_permit:
        for key in _PERMITS_NEED:
            if reader.take(key) is None:
                fail(f"Article {article.id} permits but has no {key!r}", node, "A permit says what exactly it permits.")
        return
    for key in _ONLY_PERMITS:
        if (given := reader.take(key)) is not None:
            fail(f"Article {article.id} prohibits, so {key!r} has no meaning", given, "Take it out.")


def _check_selectors(article: Article, reader: Reader) -> None:
    """A receiver can check a field chosen by role only where the role is released too."""
    if not article.is_permit:
        return
    for field in article.fields:
        name, chosen, _ = field.partition("[")
        if chosen and not {name, f"{name}.role"} & set(article.fields):
            fail(
                f"Article {article.id} releases {field} by role but not the role",
                reader.need("fields"),
                f"Add {name}.role.",
            )


def _handling(reader: Reader, key: str) -> Handling | None:
    word = _word(reader, key, HANDLINGS)
    return Handling.from_word(word) if word else None


def _word(reader: Reader, key: str, words: tuple[str, ...]) -> str:
    node = reader.take(key)
    return read_word(node, key, words) if node else ""


def _words(reader: Reader, key: str, words: tuple[str, ...] | frozenset[str]) -> tuple[str, ...]:
    node = reader.take(key)
    return read_words(node, key, words) if node else ()


def _matching(reader: Reader, key: str, pattern: re.Pattern[str], form: str) -> tuple[str, ...]:
    node = reader.take(key)
    if node is None:
        return ()
    return unique([(read_matching(item, key, pattern, form), item) for item in read_list(node, key)], key)


def _wording(node: Node, name: str, frame: _Frame) -> Wording:
    reader = Reader(node, name)
    texts = tuple((language, read_text(reader.need(language), f"{name} in {language}")) for language in frame.languages)
    reader.finish()
    return Wording(texts)


def _period(node: Node, name: str) -> Period:
    reader = Reader(node, name)
    first, last = reader.take("from"), reader.take("until")
    reader.finish()
    period = Period(
        read_day(first, f"{name} from") if first else None,
        read_day(last, f"{name} until") if last else None,
    )
    if period.first and period.last and period.last < period.first:
        fail(f"{name} ends before it begins", node, "Turn the days round.")
    return period
