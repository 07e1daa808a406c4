"""The conditions of an article: one test each, and the words for people when it fails. Pure.

A permit needs every condition to hold, and what the request does not say does not hold. A prohibition applies unless
one of its conditions is known not to hold: what the request does not say counts against it. So silence never opens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from comity.agreements.values import Agreement, Article, Period, SharingRequest
from comity.agreements.vocabulary import Onward
from comity.trade import Handling

Test = Callable[[SharingRequest], bool]


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition. code: a stable word. holds: the test. says: what the article asks for and what the request has."""

    code: str
    holds: Test
    says: Callable[[SharingRequest], str]


def conditions_of(agreement: Agreement, article: Article) -> tuple[Condition, ...]:
    """The conditions beyond sender, receiver and kind, the cheapest first."""
    build = _permitting if article.is_permit else _prohibiting
    conditions = [*build(article), *_dated(agreement.in_force, article)]
    if article.is_permit:
        conditions.append(_onward(agreement, article))
    return tuple(conditions)


def route_of(article: Article) -> tuple[Condition, ...]:
    """Sender, receiver and kind as conditions: the index tests them, an explanation names them."""
    return (
        Condition(
            "sender",
            lambda q: q.sender in article.senders,
            lambda q: f"The sender is {q.sender}; the article is for {_either(article.senders)} as sender.",
        ),
        Condition(
            "receiver",
            lambda q: q.receiver in article.receivers,
            lambda q: f"The recipient is {q.receiver}; the article is for {_either(article.receivers)} as recipient.",
        ),
        Condition(
            "kind",
            lambda q: not article.kinds or q.kind in article.kinds,
            lambda q: f"The message is {q.kind}; the article is for {_either(article.kinds)}.",
        ),
    )


def _permitting(article: Article) -> Iterable[Condition]:
    purposes = frozenset(article.purposes)
    yield Condition(
        "purpose",
        lambda q: q.purpose in purposes,
        lambda q: f"The purpose is {q.purpose or 'not stated'}; the article asks for {_either(article.purposes)}.",
    )
    if article.handling_at_most is not None:
        yield _at_most(article.handling_at_most)
    if article.handling_at_least is not None:
        yield _at_least(article.handling_at_least)
    if article.goods:
        yield Condition(
            "goods",
            lambda q: bool(q.hs_codes) and all(code.startswith(article.goods) for code in q.hs_codes),
            lambda q: f"{_goods(q)}; the article is limited to goods of HS {_either(article.goods)}.",
        )
    yield from _words(article, _is_one_of)


def _prohibiting(article: Article) -> Iterable[Condition]:
    if article.purposes:
        purposes = frozenset(article.purposes)
        yield Condition(
            "purpose",
            lambda q: not q.purpose or q.purpose in purposes,
            lambda q: f"The purpose is {q.purpose or 'not stated'}; it is prohibited for {_either(article.purposes)}.",
        )
    if article.handling_at_most is not None:
        yield _at_most(article.handling_at_most)
    if article.handling_at_least is not None:
        yield _at_least(article.handling_at_least)
    if article.goods:
        yield Condition(
            "goods",
            lambda q: not q.hs_codes or any(_touches(code, article.goods) for code in q.hs_codes),
            lambda q: f"{_goods(q)}; it is prohibited for goods of HS {_either(article.goods)}.",
        )
    yield from _words(article, _may_be_one_of)


def _at_most(level: Handling) -> Condition:
    return Condition(
        "handling",
        lambda q: q.handling <= level,
        lambda q: f"The handling is {q.handling.word}; the article covers at most {level.word}.",
    )


def _at_least(level: Handling) -> Condition:
    return Condition(
        "handling",
        lambda q: q.handling >= level,
        lambda q: f"The handling is {q.handling.word}; the article covers {level.word} and above.",
    )


def _words(
    article: Article, make: Callable[[tuple[str, ...], Callable[[SharingRequest], str]], Test]
) -> Iterable[Condition]:
    for code, words, read in (
        ("origin", article.origins, lambda q: q.origin),
        ("category", article.categories, lambda q: q.attributes.get("category", "")),
        ("risk_type", article.risk_types, lambda q: q.attributes.get("risk_type", "")),
    ):
        if words:
            yield Condition(code, make(words, read), _word_says(code, words, read))


def _word_says(
    code: str, words: tuple[str, ...], read: Callable[[SharingRequest], str]
) -> Callable[[SharingRequest], str]:
    name = code.replace("_", " ")
    return lambda q: f"The {name} is {read(q) or 'not stated'}; the article names {_either(words)}."


def _is_one_of(words: tuple[str, ...], read: Callable[[SharingRequest], str]) -> Test:
    known = frozenset(words)
    return lambda q: read(q) in known


def _may_be_one_of(words: tuple[str, ...], read: Callable[[SharingRequest], str]) -> Test:
    known = frozenset(words)
    return lambda q: not read(q) or read(q) in known


def _dated(in_force: Period, article: Article) -> Iterable[Condition]:
    for code, name, period in (("in_force", "agreement", in_force), ("valid", "article", article.valid)):
        if period != Period():
            yield _within(code, name, period)


def _within(code: str, name: str, period: Period) -> Condition:
    opens, closes = period.opens_at, period.closes_at
    first = f"from {period.first}" if period.first else ""
    last = f"until {period.last}" if period.last else ""
    span = " ".join(part for part in (first, last) if part)
    return Condition(
        code,
        lambda q: opens <= q.at < closes,
        lambda q: f"The day is {q.at.date()}; the {name} is in force {span}.",
    )


def _onward(agreement: Agreement, article: Article) -> Condition:
    def holds(q: SharingRequest) -> bool:
        if q.onward_from is None or q.onward_from == q.sender:
            return True
        if article.onward is Onward.NONE:
            return False
        return q.origin_consents or (article.onward is Onward.PARTIES and q.onward_from in agreement.parties)

    def says(q: SharingRequest) -> str:
        whose = f"The information is {q.onward_from}'s"
        if article.onward is Onward.NONE:
            return f"{whose}; the article does not let anyone hand on what is not their own."
        return f"{whose}; the article asks for the consent of {q.onward_from}."

    return Condition("onward", holds, says)


def _touches(code: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a code lies in the prefixes or is so broad that it may."""
    return code.startswith(prefixes) or any(prefix.startswith(code) for prefix in prefixes)


def _goods(request: SharingRequest) -> str:
    return f"The goods are HS {', '.join(request.hs_codes)}" if request.hs_codes else "No HS code is stated"


def _either(words: Iterable[str]) -> str:
    listed = list(words)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} or {listed[-1]}"
