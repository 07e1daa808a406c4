"""Agreements as YAML that people go on editing: the next version of one, one with a reservation, one with a newcomer.

What is written reads back as the same agreement; where it would not, it stands as JSON, which is YAML too.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace

from comity.agreements import Agreement, AgreementFormError, Wording, parse_agreement
from comity.agreements.library.values import Plain
from comity.agreements.library.writing import Remarked, write_form
from comity.agreements.values import Reservation

_LISTS = ("reservations", "procedures", "obligations")
_LINE = re.compile(r"line (\d+)")
_AROUND = 2


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a text, and the lines around it: (number, text, whether it is that line)."""

    what: str
    remedy: str
    line: int
    lines: tuple[tuple[int, str, bool], ...]


def yaml_of(agreement: Agreement) -> str:
    """The agreement as YAML."""
    form: dict[str, object] = json.loads(agreement.to_bytes())
    articles = [Remarked((), _mapping(each)) for each in _listed(form.pop("articles"))]
    after = {name: [_plain(each) for each in _listed(form.pop(name, []))] for name in _LISTS}
    policy = str(form.pop("witnesses", ""))
    order = ("form", "title", "version", "parties", "languages", "in_force", "supersedes")
    head = {name: _plain(form[name]) for name in (*order, *sorted(set(form) - set(order))) if name in form}
    text = write_form((), head, articles, after)
    if policy:
        text += "witnesses: |\n" + "".join(f"  {line}\n" for line in policy.splitlines())
    return text if _reads_back(text, agreement) else json.dumps(json.loads(agreement.to_bytes()), indent=2)


def next_version(agreement: Agreement, *, is_amended: bool) -> Agreement:
    """The text from which the next version is written. is_amended: it comes in the place of this one."""
    supersedes = agreement.id if is_amended else agreement.supersedes
    return replace(agreement, version=_counted(agreement.version), supersedes=supersedes)


def with_reservation(agreement: Agreement, party: str, articles: tuple[str, ...], text: str) -> Agreement:
    """The agreement with one more reservation; its text stands in every language of the agreement."""
    wording = Wording(tuple(sorted((language, text) for language in agreement.languages)))
    kept = tuple(each for each in agreement.reservations if each.party != party)
    return replace(agreement, reservations=(*kept, Reservation(party, tuple(sorted(articles)), wording)))


def with_newcomer(agreement: Agreement, party: str) -> Agreement:
    """The version by which a newcomer joins: it stands wherever all parties stand, and nothing else differs."""
    parties = tuple(sorted({*agreement.parties, party}))

    def more(codes: tuple[str, ...]) -> tuple[str, ...]:
        return parties if set(codes) == set(agreement.parties) else codes

    return replace(
        agreement,
        parties=parties,
        supersedes=agreement.id,
        articles=tuple(
            replace(each, senders=more(each.senders), receivers=more(each.receivers)) for each in agreement.articles
        ),
        obligations=tuple(
            replace(each, owed_by=more(each.owed_by), owed_to=more(each.owed_to)) for each in agreement.obligations
        ),
    )


def trouble_in(text: str, error: AgreementFormError) -> Trouble:
    """What is wrong, with the lines around it."""
    found = _LINE.search(error.where)
    number, lines = int(found[1]) if found else 0, text.splitlines()
    first = max(1, number - _AROUND)
    shown = [
        (place, lines[place - 1], place == number) for place in range(first, min(len(lines), number + _AROUND) + 1)
    ]
    return Trouble(error.what, error.remedy, number, tuple(shown) if number else ())


def _reads_back(text: str, agreement: Agreement) -> bool:
    try:
        return parse_agreement(text.encode()).id == agreement.id
    except AgreementFormError:
        return False


def _counted(version: str) -> str:
    """1.0 -> 1.1; what does not end in a number gets one."""
    head, last = re.fullmatch(r"(.*?)(\d*)", version).groups()  # type: ignore[union-attr]  # matches every text
    return f"{head}{int(last) + 1}" if last else f"{version}.1"


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _mapping(value: object) -> dict[str, Plain]:
    return {name: _plain(each) for name, each in value.items()} if isinstance(value, dict) else {}


def _plain(value: object) -> Plain:
    if isinstance(value, dict):
        return _mapping(value)
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
