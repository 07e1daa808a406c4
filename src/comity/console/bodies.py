"""The body of a message, and the paths of its fields, as lines that officers read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from comity.console.words import word

# In the order in which an officer wants to read them.
FIELDS: Mapping[str, str | Promise] = {
    "title": _("Title"),
    "result": _("Result"),
    "category": _("About"),
    "risk_type": _("Irregularity"),
    "description": _("What was found"),
    "subjects": _("Named"),
    "consignor": _("Consignor"),
    "consignee": _("Consignee"),
    "hs_codes": _("HS codes"),
    "hs_code": _("HS code"),
    "quantity": _("Quantity"),
    "route": _("Route"),
    "origin": _("Origin"),
    "dispatch": _("Dispatched from"),
    "transit": _("Through"),
    "destination": _("Destination"),
    "place_loading": _("Place of loading"),
    "modus_operandi": _("How it was done"),
    "concealment": _("How it was hidden"),
    "detection_method": _("How it was detected"),
    "exhibits": _("Exhibits"),
    "reliability": _("Reliability of the source"),
    "credibility": _("Credibility of the information"),
    "priority": _("Priority"),
    "suggested_action": _("Suggested action"),
    "feedback_due": _("Answer wanted by"),
    "valid_from": _("Valid from"),
    "valid_until": _("Valid until"),
    "ref": _("Reference"),
    "issuer": _("Issued by"),
    "issued_at": _("Issued"),
    "administration": _("Administration"),
    "office": _("Office"),
    "found_at": _("Found"),
    "alert_ref": _("Alert answered"),
    "declaration_ref": _("Declaration"),
    "ucr": _("UCR"),
    "seizure_ref": _("Seizure"),
    "case_ref": _("Case reference"),
    "handling": _("Handling level"),
    "message": _("Message"),
    "messages": _("Messages"),
    "mode": _("Way"),
    "ground": _("Why"),
    "status": _("State"),
    "holder": _("Holder"),
    "told_by": _("Told by"),
    "via": _("Got it from"),
    "keep_until": _("May be kept until"),
    "until": _("Until"),
    "replacement": _("Replaced by"),
    "made_at": _("Made"),
    "due_at": _("Answer due"),
    "at": _("When"),
    "owner": _("Origin of the message"),
    "asker": _("Asked by"),
    "recipients": _("For whom"),
    "reason": _("Reason"),
    "given": _("Given"),
    "about": _("Belongs to the message"),
    "recall": _("Recall"),
    "consent": _("Consent"),
    "ask": _("Question"),
    "role": pgettext_lazy("subject", "part played"),
    "name": pgettext_lazy("subject", "name"),
    "id": pgettext_lazy("subject", "number"),
    "country": pgettext_lazy("subject", "country"),
    "sha256": _("digest"),
    "media_type": _("type of file"),
    "size_bytes": _("size"),
    "value": _("value"),
    "unit": _("unit"),
}
_UNREAD = frozenset({"statement", "origin_statement", "key", "root", "chunk_bytes", "chunks"})
_ORDER = {name: place for place, name in enumerate(FIELDS)}
_IN_ONE_LINE = ("value", "unit", "name", "id", "country")
_SELECTOR = re.compile(r"(?P<name>[^\[]*)\[(?P<role>[^\]]*)\]")


@dataclass(frozen=True, slots=True)
class BodyLine:
    """One field of a message's body. value: one word of the system, or text; depth: how deep it stands."""

    name: str
    value: str
    depth: int = 0


def body_lines(body: Mapping[str, object], *, depth: int = 0) -> list[BodyLine]:
    """A body as lines: in the order officers read, each subject on a line of its own. Unknown fields come last."""
    lines: list[BodyLine] = []
    for key in sorted(body, key=lambda name: (_ORDER.get(name, len(_ORDER)), name)):
        lines += _lines(str(key), body[key], depth)
    return lines


def readable_body(body: Mapping[str, object]) -> dict[str, object]:
    """A body without what says nothing to people and must not stand on a page: keys, signatures, trees."""
    return {name: value for name, value in body.items() if name not in _UNREAD}


def readable_paths(paths: Iterable[str]) -> list[str]:
    """Field paths for people, the shortest ones only: `subjects` says all that `subjects.name` would add."""
    known = set(paths)
    shortest = [path for path in known if not _parents(path) & known]
    return [_path_words(path) for path in sorted(shortest, key=lambda path: (_place(path), path))]


def _lines(name: str, value: object, depth: int) -> list[BodyLine]:
    label = str(FIELDS.get(name) or word(name))
    if isinstance(value, Mapping):
        if "role" in value or "unit" in value or "value" in value:
            return [BodyLine(label, _in_one_line(value), depth)]
        return [BodyLine(label, "", depth), *body_lines(value, depth=depth + 1)]
    if isinstance(value, list | tuple) and any(isinstance(each, Mapping) for each in value):
        return [_item_line(label, each, depth) for each in value]
    if isinstance(value, list | tuple):
        return [BodyLine(label, ", ".join(str(each) for each in value), depth)]
    return [BodyLine(label, str(value), depth)]


def _item_line(label: str, value: object, depth: int) -> BodyLine:
    """A subject under the part it plays; anything else under the name of its list."""
    if not isinstance(value, Mapping):
        return BodyLine(label, str(value), depth)
    role = value.get("role")
    name = _pair(label, str(word(str(role)))) if role else label
    return BodyLine(name, _in_one_line(value), depth)


def _in_one_line(value: Mapping[str, object]) -> str:
    return " · ".join(str(value[part]) for part in _IN_ONE_LINE if value.get(part)) or "–"


def _parents(path: str) -> set[str]:
    """Every path that holds this one: a and a.b of a.b.c, and a of a[x].b."""
    parts = path.split(".")
    above = {".".join(parts[:depth]) for depth in range(1, len(parts))}
    return above | {each.partition("[")[0] for each in (path, *above) if "[" in each}


def _place(path: str) -> int:
    return _ORDER.get(re.split(r"[.\[]", path)[0], len(_ORDER))


def _path_words(path: str) -> str:
    return reduce(_pair, (_part_words(part) for part in path.split(".")))


def _pair(name: str, value: str) -> str:
    return gettext("%(name)s: %(value)s") % {"name": name, "value": value}


def _part_words(part: str) -> str:
    found = _SELECTOR.fullmatch(part)
    if found:
        return f"{FIELDS.get(found['name']) or word(found['name'])} ({word(found['role'])})"
    return str(FIELDS.get(part) or word(part))
