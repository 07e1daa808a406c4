"""The conditions of an article: one test each, and the words for people when it fails. Pure.

A permit needs every condition to hold, and what the request does not say does not hold. A prohibition applies unless
one of its conditions is known not to hold: what the request does not say counts against it. So silence never opens.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import UTC, date
from operator import attrgetter

from comity.agreements.values import Agreement, Article, Period, SharingRequest
from comity.agreements.vocabulary import ATTRIBUTE_FIELDS, DEFAULT_SIZE_AT_MOST, Onward

Test = Callable[[SharingRequest], bool]
Read = Callable[[SharingRequest], str]


def _day(request: SharingRequest) -> date:
    """The day of a request. Days are days in UTC."""
    return request.at.astimezone(UTC).date()


# The conditions on time: a refusal on these alone says that the article is not in force.
DATED = ("in_force", "valid", "superseded", "left", "suspended")

# What of a request a condition reads, by its code: requests that are alike in it and go the same way are alike to it.
# What is not here reads the instant: it changes only where `compiling.bounds_of` says that it may.
READS: dict[str, Callable[[SharingRequest], Hashable]] = {
    "sender": attrgetter("sender"),
    "receiver": attrgetter("receiver"),
    "kind": attrgetter("kind"),
    "purpose": attrgetter("purpose"),
    "handling": attrgetter("handling"),
    "goods": attrgetter("hs_codes"),
    "origin": attrgetter("origin"),
    "category": lambda q: q.attributes.get("category", ""),
    "risk_type": lambda q: q.attributes.get("risk_type", ""),
    "procedure": lambda q: q.attributes.get("procedure", ""),
    "size": attrgetter("size_bytes"),
    "in_force": _day,
    "valid": _day,
    "onward": attrgetter("onward_from", "owner_consents"),
}


_SIZED = frozenset(ATTRIBUTE_FIELDS["size"])


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """One condition; it equals itself alone.

    code: a stable word. holds: the test. says: what the article asks for and what the request has.
    """

    code: str
    holds: Test
    says: Read


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
    yield from _handling(article, "the article covers")
    if article.goods:
        yield Condition(
            "goods",
            lambda q: bool(q.hs_codes) and all(code.startswith(article.goods) for code in q.hs_codes),
            lambda q: f"{_goods(q)}; the article is limited to goods of HS {_either(article.goods)}.",
        )
    for name, words, read in _words(article):
        yield Condition(name, _is_one_of(words, read), _asks_for(name, words, read))
    yield from _size(article)


def _prohibiting(article: Article) -> Iterable[Condition]:
    if article.purposes:
        purposes = frozenset(article.purposes)
        yield Condition(
            "purpose",
            lambda q: not q.purpose or q.purpose in purposes,
            lambda q: f"The purpose is {q.purpose or 'not stated'}; prohibited is {_either(article.purposes)}.",
        )
    yield from _handling(article, "prohibited is")
    if article.goods:
        yield Condition(
            "goods",
            lambda q: not q.hs_codes or any(_touches(code, article.goods) for code in q.hs_codes),
            lambda q: f"{_goods(q)}; prohibited is HS {_either(article.goods)}.",
        )
    for name, words, read in _words(article):
        yield Condition(name, _may_be_one_of(words, read), _prohibits(name, words, read))


def _handling(article: Article, verb: str) -> Iterable[Condition]:
    most, least = article.handling_at_most, article.handling_at_least
    if most is not None:
        yield _handling_condition(lambda q: q.handling <= most, f"{verb} at most {most.word}")
    if least is not None:
        yield _handling_condition(lambda q: q.handling >= least, f"{verb} {least.word} and above")


def _handling_condition(fits: Test, wanted: str) -> Condition:
    return Condition("handling", fits, lambda q: f"The handling is {q.handling.word}; {wanted}.")


def largest_size(article: Article) -> int | None:
    """The bytes that a file may have. A file is always bounded. None: none of its kinds of message offers one."""
    if not article.is_permit or _SIZED.isdisjoint(article.kinds):
        return None
    return DEFAULT_SIZE_AT_MOST if article.size_at_most is None else article.size_at_most


def _size(article: Article) -> Iterable[Condition]:
    """A kind of message that offers no file has no size, and is not asked for it."""
    most, sized = largest_size(article), _SIZED.intersection(article.kinds)
    if most is None:
        return
    yield Condition(
        "size",
        lambda q: q.kind not in sized or (q.size_bytes is not None and q.size_bytes <= most),
        lambda q: (
            f"The file has {'a size that is not stated' if q.size_bytes is None else f'{q.size_bytes:,} bytes'};"
            f" the article covers at most {most:,} bytes."
        ),
    )


def _words(article: Article) -> Iterable[tuple[str, tuple[str, ...], Read]]:
    every: tuple[tuple[str, tuple[str, ...], Read], ...] = (
        ("origin", article.origins, lambda q: q.origin),
        ("category", article.categories, lambda q: q.attributes.get("category", "")),
        ("risk_type", article.risk_types, lambda q: q.attributes.get("risk_type", "")),
        ("procedure", article.procedures, lambda q: q.attributes.get("procedure", "")),
    )
    return (each for each in every if each[1])


def _asks_for(name: str, words: tuple[str, ...], read: Read) -> Read:
    label = name.replace("_", " ")
    return lambda q: f"The {label} is {read(q) or 'not stated'}; the article asks for {_either(words)}."


def _prohibits(name: str, words: tuple[str, ...], read: Read) -> Read:
    label, words_shown = name.replace("_", " "), _either(words)
    return lambda q: (
        f"The {label} is {read(q)}; prohibited is {words_shown}."
        if read(q)
        else f"The {label} is not stated; it must be, since {words_shown} is prohibited."
    )


def _is_one_of(words: tuple[str, ...], read: Read) -> Test:
    known = frozenset(words)
    return lambda q: read(q) in known


def _may_be_one_of(words: tuple[str, ...], read: Read) -> Test:
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
        lambda q: f"The day is {_day(q)}; the {name} is in force {span}.",
    )


def _onward(agreement: Agreement, article: Article) -> Condition:
    def holds(q: SharingRequest) -> bool:
        if q.onward_from is None or q.onward_from == q.sender:
            return True
        if article.onward is Onward.NONE:
            return False
        return q.owner_consents or (article.onward is Onward.PARTIES and q.onward_from in agreement.parties)

    def says(q: SharingRequest) -> str:
        if not q.onward_from:
            return "It is not stated whose information it is; the article must know."
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
