"""Entries of watch lists and registers in force that may be the one who asks.

There is no index of all the names of lists: every entry is read as text, and those with a wanted word are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from comity.insight.mentions import mark_of
from comity.insight.naming import LEGAL_FORMS, Named, is_named
from comity.insight.subjects import Item
from comity.registers import RegisterKind, RegisterVersion
from comity.registers.selectors import held_entries
from comity.trade import Handling

PURPOSE, LEGAL = "risk_assessment", "national"


def listed_of(names: frozenset[str], ids: frozenset[str], us: str) -> Iterator[Item]:
    """The entries of those who may be meant, by normal forms. What a watch list says is told as an officer decides."""
    for version, ref, body in held_entries(_telling(names) | ids):
        named = tuple(dict.fromkeys(each for each in _named(version.kind, body) if is_named(each, names, ids)))
        if named:
            is_watch = version.kind is RegisterKind.WATCH_LIST
            yield Item(
                ref=f"entry:{mark_of(f'{version.code} {ref}')}",
                what="listed" if is_watch else "registered",
                title=f"{version.publisher}, {ref}",
                named=named,
                origin=us,
                since=version.loaded_at,
                purpose=PURPOSE,
                legal=LEGAL,
                handling=Handling.RESTRICTED if is_watch else Handling.OFFICIAL,
                figures=tuple((name, figure) for name, figure in _figures(version, body) if figure),
                ends="lists",
            )


def _telling(names: frozenset[str]) -> frozenset[str]:
    """Of each name its longest word that is no legal form: an entry of that name has it."""
    parts = ([word for word in name.split() if word not in LEGAL_FORMS] or name.split() for name in names)
    return frozenset(max(words, key=len) for words in parts if words)


def _named(kind: RegisterKind, body: Mapping[str, Any]) -> Iterator[Named]:
    countries = body.get("countries") or body.get("country") or ("",)
    if kind is RegisterKind.TRADERS:
        yield Named("registered", body["number"], body["name"], countries[0])
    elif kind is RegisterKind.RIGHTS:
        yield Named("holder", body.get("holder_id", ""), body["holder"])
        yield from (Named("licensee", id=each) for each in body.get("licensees", ()))
    else:
        yield from (Named("listed", "", name[0], countries[0]) for name in body["names"])
        yield from (Named("listed", each[1], country=countries[0]) for each in body.get("identifiers", ()))


def _figures(version: RegisterVersion, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "list_of", str(version.published_on)
    yield "program", str(body.get("program", ""))
    yield "listed_on", str(body.get("listed_on", ""))
    yield "born", ", ".join(body.get("birth_dates", ()))
    yield "numbers", ", ".join(f"{each[0]} {each[1]}" for each in body.get("identifiers", ()))
    yield "status", f"{body.get('status', '')} {body.get('state', '')}".strip().upper()
    yield "mark", str(body.get("mark", ""))
