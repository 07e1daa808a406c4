"""From the text of an agreement to its value. Pure. docs/agreements.md describes the form."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from comity.agreements.beside import read_beside
from comity.agreements.errors import AgreementFormError
from comity.agreements.framing import (
    CODE,
    Frame,
    read_period,
    read_wording,
    take_backing,
    take_matching,
    take_word,
    take_words,
)
from comity.agreements.markup import Node, read_json, read_yaml
from comity.agreements.reader import (
    Reader,
    fail,
    read_list,
    read_matching,
    read_number,
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
    PROCEDURE,
    PURPOSES,
    RISK_TYPES,
    SEALS,
    SECOND_SIGNATURES,
    TERM,
    VERSION,
    Effect,
    Onward,
    UseLimit,
    fields_of_kinds,
)
from comity.agreements.witnessing import read_witnesses
from comity.trade import Handling

_ONLY_PERMITS = ("onward", "retention_days", "size_at_most", "use_limits")
_PERMITS_NEED = ("kinds", "purposes", "handling_at_most", "fields")


def parse_agreement(data: bytes) -> Agreement:
    """The agreement in this YAML.

    Raises: AgreementFormError naming the line and, for a word, the one that was probably meant.
    """
    return _agreement(Reader(read_yaml(data), "The agreement"))


@lru_cache(maxsize=256)
def agreement_from_bytes(data: bytes) -> Agreement:
    """The agreement of these canonical bytes, as signed. Remembered: the same bytes are the same value.

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


def _agreement(reader: Reader) -> Agreement:
    read_word(reader.need("form"), "form", (FORM,))
    frame = Frame(
        parties=take_matching(reader, "parties", PARTY, CODE),
        languages=read_words(reader.need("languages"), "languages", LANGUAGES),
    )
    if len(frame.parties) < 2:
        fail("An agreement has at least two parties", reader.need("parties"), "Name the others.")
    title = read_wording(reader.need("title"), "title", frame)
    articles = _articles(reader.need("articles"), frame)
    beside = read_beside(reader, frame, articles)
    agreement = Agreement(
        title=title,
        version=read_matching(reader.need("version"), "version", VERSION, "a version such as 1 or 1.2"),
        parties=frame.parties,
        languages=frame.languages,
        in_force=read_period(reader.need("in_force"), "in_force"),
        definitions=tuple(_definitions(reader.take("definitions"), frame)),
        articles=articles,
        witnesses=read_witnesses(policy, frame.parties) if (policy := reader.take("witnesses")) else "",
        seal=take_word(reader, "seal", SEALS),
        second_signature=take_word(reader, "second_signature", SECOND_SIGNATURES),
        supersedes=beside.supersedes,
        depositary=beside.depositary,
        reservations=beside.reservations,
        procedures=beside.procedures,
        obligations=beside.obligations,
        calendars=beside.calendars,
    )
    reader.finish()
    if agreement.in_force.first is None:
        fail("The agreement does not say when it begins", reader.need("in_force"), "Add `from: 2026-01-01`.")
    return agreement


def _definitions(node: Node | None, frame: Frame) -> Iterable[tuple[str, Wording]]:
    if node is None:
        return
    reader = Reader(node, "definitions")
    for word in sorted(reader.keys()):
        if not TERM.fullmatch(word):
            fail(f"{word[:60]!r} is no word to define", node, "Write it in small letters, such as risk_information.")
        yield word, read_wording(reader.need(word), f"definition of {word}", frame)


def _articles(node: Node, frame: Frame) -> tuple[Article, ...]:
    items = read_list(node, "articles")
    articles = [_article(Reader(item, "The article"), item, frame) for item in items]
    unique([(article.id, item) for article, item in zip(articles, items, strict=True)], "articles")
    return tuple(sorted(articles, key=lambda article: article.id))


def _article(reader: Reader, node: Node, frame: Frame) -> Article:
    effect = Effect(read_word(reader.need("effect"), "effect", tuple(Effect)))
    kinds, backing = take_words(reader, "kinds", KINDS), take_backing(reader)
    article = Article(
        id=read_matching(reader.need("id"), "id", ARTICLE_ID, "a short id such as 3 or 12.4"),
        effect=effect,
        title=read_wording(reader.need("title"), "title", frame),
        text=read_wording(reader.need("text"), "text", frame),
        senders=take_words(reader, "senders", frame.parties) or frame.parties,
        receivers=take_words(reader, "receivers", frame.parties) or frame.parties,
        kinds=kinds,
        purposes=take_words(reader, "purposes", PURPOSES),
        handling_at_most=_handling(reader, "handling_at_most"),
        handling_at_least=_handling(reader, "handling_at_least"),
        goods=take_matching(reader, "goods", HS_PREFIX, "2, 4 or 6 digits of an HS code"),
        origins=take_matching(reader, "origins", PARTY, CODE),
        categories=take_words(reader, "categories", CATEGORIES),
        risk_types=take_words(reader, "risk_types", RISK_TYPES),
        procedures=take_matching(reader, "procedures", PROCEDURE, "the name of a procedure such as tfa12"),
        size_at_most=read_number(size, "size_at_most", most=MOST_SIZE_AT_MOST)
        if (size := reader.take("size_at_most"))
        else None,
        valid=read_period(period, "valid") if (period := reader.take("valid")) else Period(),
        fields=take_words(reader, "fields", fields_of_kinds(kinds or KINDS)),
        onward=Onward(take_word(reader, "onward", tuple(Onward)) or Onward.NONE),
        retention_days=read_number(days, "retention_days", most=36_525)
        if (days := reader.take("retention_days"))
        else None,
        use_limits=take_words(reader, "use_limits", tuple(UseLimit)),
        source=backing.source,
        tag=backing.tag,
        is_verified=backing.is_verified,
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
    word = take_word(reader, key, HANDLINGS)
    return Handling.from_word(word) if word else None
