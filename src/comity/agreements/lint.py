"""Looking an agreement over before anyone signs it. Pure.

An error means that the agreement cannot work as written: an article that never fires, or messages that the receiver
would refuse. A warning deserves a second look. A note says what nobody has compared with its source yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from comity.agreements.cutting import FieldSet
from comity.agreements.overlap import Reach
from comity.agreements.rules import routes_of
from comity.agreements.values import Agreement, Article
from comity.agreements.vocabulary import ATTRIBUTE_FIELDS, DEFAULT_SIZE_AT_MOST, required_fields
from comity.agreements.witnessing import quorum_troubles
from comity.trade import Handling
from comity.trade.codes import check_country, check_hs


class Gravity(StrEnum):
    """How much a remark matters."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark on an article, or on the parties, where article_id is empty. code: a stable word."""

    gravity: Gravity
    article_id: str
    code: str
    text: str


def look_over(agreement: Agreement) -> tuple[Remark, ...]:
    """Every remark, errors first, then by article."""
    remarks = [Remark(Gravity.WARNING, "", "unknown_code", text) for text in _unknown(agreement.parties, ())]
    remarks += [Remark(Gravity.WARNING, "", "quorum_unreachable", text) for text in quorum_troubles(agreement)]
    bars = [Reach.of(article) for article in agreement.articles if not article.is_permit]
    remarks += [remark for article in agreement.articles for remark in _remarks(agreement, Reach.of(article), bars)]
    gravities = tuple(Gravity)
    return tuple(sorted(remarks, key=lambda each: (gravities.index(each.gravity), each.article_id, each.code)))


def _remarks(agreement: Agreement, reach: Reach, bars: list[Reach]) -> Iterator[Remark]:
    article = reach.article
    for text in _unknown(article.origins, article.goods):
        yield Remark(Gravity.WARNING, article.id, "unknown_code", text)
    for text in _never_fires(agreement, article):
        yield Remark(Gravity.ERROR, article.id, "never_fires", text)
    if article.is_permit:
        for kind in article.kinds:
            yield from _receiver_troubles(reach, bars, kind)
        yield from _unsized(article)
        yield from _shadows(agreement, reach, bars)
    if not article.is_verified:
        source = article.source or "no source is named"
        text = f"Not yet compared with its source ({source}; tag {article.tag.value})."
        yield Remark(Gravity.NOTE, article.id, "not_verified", text)


def _unknown(countries: tuple[str, ...], goods: tuple[str, ...]) -> Iterator[str]:
    for problem in (*map(check_country, countries), *map(check_hs, goods)):
        if problem is not None:
            yield f"{problem.message}."


def _never_fires(agreement: Agreement, article: Article) -> Iterator[str]:
    if not any(routes_of(article)):
        yield f"Its only sender, {article.senders[0]}, is its only receiver."
    low, high = article.handling_at_least, article.handling_at_most
    if low is not None and high is not None and low > high:
        yield f"No handling is at least {low.word} and at most {high.word}."
    opens = max(agreement.in_force.opens_at, article.valid.opens_at)
    if opens >= min(agreement.in_force.closes_at, article.valid.closes_at):
        yield "Its days lie outside of the days of the agreement."
    if article.is_permit:
        for name in _asked(article):
            if not any(kind in ATTRIBUTE_FIELDS[name] for kind in article.kinds):
                yield f"It asks for the {name}, which a message of {', '.join(article.kinds)} does not carry."


def _receiver_troubles(reach: Reach, bars: list[Reach], kind: str) -> Iterator[Remark]:
    """What the receiver could not read or check, so that it would refuse messages which the sender permits."""
    article = reach.article
    overlapping = [each.article for each in bars if reach.meets(each, kind)]
    released = FieldSet(article.fields, {field for each in overlapping for field in each.fields})
    for field in _unreadable(article, released, kind):
        text = f"It does not release {field}, without which no receiver can read a message of {kind}."
        yield Remark(Gravity.ERROR, article.id, "unreadable", text)
    fields = {name: places.get(kind, "") for name, places in ATTRIBUTE_FIELDS.items()}
    hidden = {name for name, field in fields.items() if field and not released.covers(field)}
    for each in (article, *overlapping) if hidden else ():
        for name in (*_asked(each), "issuer") if each is article else _asked(each):
            if name in hidden:
                text = f"It does not release {fields[name]}, by which article {each.id} judges: "
                text += "the receiver cannot check it."
                yield Remark(Gravity.ERROR, article.id, "uncheckable", text)


def _unreadable(article: Article, released: FieldSet, kind: str) -> Iterator[str]:
    for part, needed in required_fields(kind).items():
        is_touched = not part or any(field.startswith((f"{part}.", f"{part}[")) for field in article.fields)
        if is_touched or released.covers(part):
            yield from (field for field in needed if not released.covers(field))


def _unsized(article: Article) -> Iterator[Remark]:
    """Whoever signs an article on files ought to have thought about how large they may be."""
    if article.size_at_most is None and any(kind in ATTRIBUTE_FIELDS["size"] for kind in article.kinds):
        text = f"It does not say how large a file may be; so {DEFAULT_SIZE_AT_MOST:,} bytes are the most."
        yield Remark(Gravity.WARNING, article.id, "default_size", text)


def _shadows(agreement: Agreement, reach: Reach, bars: list[Reach]) -> Iterator[Remark]:
    article, count = reach.article, len(reach.routes)
    for bar in bars:
        lost = [] if bar.article.fields else list(reach.common(bar))
        if not lost or not all(_implies(agreement, article, bar.article, kind) for kind in {each[2] for each in lost}):
            continue
        if len(lost) == count:
            text = f"Article {bar.article.id} prohibits everything that it permits."
            yield Remark(Gravity.ERROR, article.id, "shadowed", text)
        else:
            sender, receiver, kind = lost[0]
            text = f"Article {bar.article.id} prohibits part of it, such as {kind} from {sender} to {receiver}."
            yield Remark(Gravity.WARNING, article.id, "partly_shadowed", text)


def _implies(agreement: Agreement, permit: Article, bar: Article, kind: str) -> bool:
    """Whether the bar applies to all that the permit covers. What a kind does not carry counts against the request."""
    low, high = permit.handling_at_least or Handling.OPEN, permit.handling_at_most or Handling.CONFIDENTIAL
    opens = max(agreement.in_force.opens_at, permit.valid.opens_at)
    closes = min(agreement.in_force.closes_at, permit.valid.closes_at)
    return (
        _within(permit.purposes, bar.purposes)
        and (bar.handling_at_least or Handling.OPEN) <= low
        and high <= (Handling.CONFIDENTIAL if bar.handling_at_most is None else bar.handling_at_most)
        and bar.valid.opens_at <= opens
        and closes <= bar.valid.closes_at
        and (not bar.goods or (bool(permit.goods) and all(code.startswith(bar.goods) for code in permit.goods)))
        and all(_within_attribute(permit, bar, name, kind) for name in ("origin", "category", "risk_type", "procedure"))
    )


def _within_attribute(permit: Article, bar: Article, name: str, kind: str) -> bool:
    words = _words(bar, name)
    return kind not in ATTRIBUTE_FIELDS[name] or _within(_words(permit, name), words)


def _within(asked: tuple[str, ...], barred: tuple[str, ...]) -> bool:
    return not barred or (bool(asked) and set(asked) <= set(barred))


def _words(article: Article, name: str) -> tuple[str, ...]:
    known = {
        "origin": article.origins,
        "category": article.categories,
        "risk_type": article.risk_types,
        "procedure": article.procedures,
    }
    return known[name]


def _asked(article: Article) -> Iterable[str]:
    """The attributes of goods and notices that the article has conditions on."""
    names = [name for name in ("origin", "category", "risk_type", "procedure") if _words(article, name)]
    names += ["size"] if article.size_at_most is not None else []
    return ["goods", *names] if article.goods else names
