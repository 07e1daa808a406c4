"""An agreement as policies in the Cedar language, for those who check it with a second engine. Pure.

Cedar answers allow or deny. So what an article lays on the receiver, which of several permits answers and the near
misses stay behind; whether a request may pass does not, and neither does whether one field of it may. Who asks does so
in the words of `cedar_question`: a list of goods has a place for each of the first eight codes, since Cedar has no "for
all"; beyond eight, a permit limited to goods no longer applies and a prohibition of goods does, as with silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from comity.agreements.cutting import split_path
from comity.agreements.values import Agreement, Article, Period, SharingRequest
from comity.agreements.vocabulary import ATTRIBUTE_FIELDS, DEFAULT_SIZE_AT_MOST, KINDS, Onward

MOST_CODES = 8

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-/[]")


def to_cedar(agreement: Agreement) -> str:
    """Every article as one policy, those that bind: a permit, or a forbid. Each carries its id."""
    head = f"// Agreement {agreement.id}\n"
    return head + "\n".join(_policy(agreement, article) for article in agreement.binding_articles)


def cedar_question(request: SharingRequest, field: str = "") -> dict[str, object]:
    """The request in Cedar's words. field: ask for this field alone, not whether anything may pass."""
    context: dict[str, object] = {
        "purpose": request.purpose,
        "handling": int(request.handling),
        "at": int(request.at.timestamp() // 1),
        "origin": request.origin,
        "owner_consents": request.owner_consents,
        **{name: request.attributes.get(name, "") for name in ("category", "risk_type", "procedure")},
    }
    for place, code in enumerate(request.hs_codes[:MOST_CODES]):
        context[f"goods{place}"] = {"code": code, "leads": list(_leads(code))}
    if len(request.hs_codes) > MOST_CODES:
        context["goods_beyond"] = True
    if request.size_bytes is not None:
        context["size"] = request.size_bytes
    if request.onward_from is not None:
        context["onward_from"] = {"__entity": {"type": "Party", "id": request.onward_from}}
    if field:
        context["field"] = sorted(_covering(field))
    return {
        "principal": f"Party::{_text(request.sender)}",
        "action": f"Action::{_text(request.kind)}",
        "resource": f"Party::{_text(request.receiver)}",
        "context": context,
    }


def _policy(agreement: Agreement, article: Article) -> str:
    conditions = [*_route(article), *(_permitting(agreement, article) if article.is_permit else _prohibiting(article))]
    conditions += [*_handling(article), *_dated(agreement.in_force), *_dated(article.valid)]
    effect = "permit" if article.is_permit else "forbid"
    body = " &&\n  ".join(conditions)
    return f"@id({_text(article.id)})\n{effect} (principal, action, resource) when {{\n  {body}\n}};\n"


def _route(article: Article) -> Iterator[str]:
    yield f"{_entities('Party', article.senders)}.contains(principal)"
    yield f"{_entities('Party', article.receivers)}.contains(resource)"
    yield f"{_entities('Action', article.kinds or KINDS)}.contains(action)"
    yield "principal != resource"


def _permitting(agreement: Agreement, article: Article) -> Iterator[str]:
    yield _among("purpose", article.purposes)
    if article.goods:
        fits = f"{_texts(article.goods)}.containsAny(context.goods%d.leads)"
        yield "context has goods0 && !(context has goods_beyond)"
        yield from (f"(!(context has goods{place}) || {fits % place})" for place in range(MOST_CODES))
    for name, words in _words(article):
        yield _among(name, words)
    yield from _size(article)
    yield _onward(agreement, article)
    yield f"(!(context has field) || {_texts(article.fields)}.containsAny(context.field))"


def _prohibiting(article: Article) -> Iterator[str]:
    if article.purposes:
        yield f'(context.purpose == "" || {_among("purpose", article.purposes)})'
    if article.goods:
        yield f"({' || '.join(_touching(article.goods))})"
    for name, words in _words(article):
        yield f'(context.{name} == "" || {_among(name, words)})'
    if article.fields:
        yield f"context has field && {_texts(article.fields)}.containsAny(context.field)"


def _touching(goods: tuple[str, ...]) -> Iterator[str]:
    """No code is stated, or one lies in the prefixes or is so broad that it may."""
    broader = _texts({"", *(lead for prefix in goods for lead in _leads(prefix))})
    yield "!(context has goods0) || context has goods_beyond"
    for place in range(MOST_CODES):
        goods_at = f"context.goods{place}"
        touches = f"({_texts(goods)}.containsAny({goods_at}.leads) || {broader}.contains({goods_at}.code))"
        yield f"(context has goods{place} && {touches})"


def _words(article: Article) -> Iterator[tuple[str, tuple[str, ...]]]:
    words = {
        "origin": article.origins,
        "category": article.categories,
        "risk_type": article.risk_types,
        "procedure": article.procedures,
    }
    return ((name, each) for name, each in words.items() if each)


def _handling(article: Article) -> Iterator[str]:
    if article.handling_at_most is not None:
        yield f"context.handling <= {int(article.handling_at_most)}"
    if article.handling_at_least is not None:
        yield f"context.handling >= {int(article.handling_at_least)}"


def _dated(period: Period) -> Iterator[str]:
    if period.first is not None:
        yield f"context.at >= {int(period.opens_at.timestamp())}"
    if period.last is not None:
        yield f"context.at < {int(period.closes_at.timestamp())}"


def _size(article: Article) -> Iterator[str]:
    sized = sorted(set(ATTRIBUTE_FIELDS["size"]).intersection(article.kinds))
    if sized:
        most = DEFAULT_SIZE_AT_MOST if article.size_at_most is None else article.size_at_most
        yield f"(!{_entities('Action', sized)}.contains(action) || (context has size && context.size <= {most}))"


def _onward(agreement: Agreement, article: Article) -> str:
    own = "!(context has onward_from) || context.onward_from == principal"
    if article.onward is Onward.NONE:
        return f"({own})"
    if article.onward is Onward.WITH_CONSENT:
        return f"({own} || context.owner_consents)"
    parties = _entities("Party", agreement.parties)
    return f"({own} || context.owner_consents || {parties}.contains(context.onward_from))"


def _covering(path: str) -> set[str]:
    """Every path that stands for this one or for something that holds it."""
    steps = split_path(path)
    found = set()
    for length in range(1, len(steps) + 1):
        ways = ([name, f"{name}[{role}]"] if role else [name] for name, role in steps[:length])
        found |= {".".join(way) for way in product(*ways)}
    return found


def _leads(code: str) -> Iterator[str]:
    """What a code begins with, itself included."""
    return (code[:length] for length in range(1, len(code) + 1))


def _among(name: str, words: Iterable[str]) -> str:
    return f"{_texts(words)}.contains(context.{name})"


def _texts(words: Iterable[str]) -> str:
    return f"[{', '.join(_text(word) for word in sorted(words))}]"


def _entities(kind: str, names: Iterable[str]) -> str:
    return f"[{', '.join(f'{kind}::{_text(name)}' for name in sorted(names))}]"


def _text(word: str) -> str:
    """A literal of Cedar. Whatever is not plain is written as its number, so that no word can end the literal."""
    return '"' + "".join(each if each in _PLAIN else f"\\u{{{ord(each):x}}}" for each in word) + '"'
