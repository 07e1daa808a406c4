"""What a body says about itself: the attributes that the conditions of articles read. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from comity.agreements.cutting import paths_of
from comity.agreements.values import SharingRequest
from comity.agreements.vocabulary import ATTRIBUTE_FIELDS
from comity.trade import Handling

_Steps = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Places:
    """Where a body of a kind says each attribute: the path, cut into its steps. No steps: it does not say it."""

    goods: _Steps = ()
    origin: _Steps = ()
    category: _Steps = ()
    risk_type: _Steps = ()
    procedure: _Steps = ()
    issuer: _Steps = ()
    handling: _Steps = ()
    size: _Steps = ()


def _places_of(kind: str) -> _Places:
    said = {name: paths[kind] for name, paths in ATTRIBUTE_FIELDS.items() if paths.get(kind)}
    return _Places(**{name: tuple(path.split(".")) for name, path in said.items()})


_PLACES = {kind: _places_of(kind) for paths in ATTRIBUTE_FIELDS.values() for kind in paths}
_NOWHERE = _Places()
# A plain dict first: asking the abstract type takes five times as long.
_MAPPINGS = (dict, Mapping)


@dataclass(frozen=True, slots=True)
class Asking:
    """Who wants to give what kind to whom, for which purpose, at which level, when.

    owner_consents: whose information it is has consented by a signed statement, and that was checked. posted_at: when
    what arrives at `at` says that it was posted.
    """

    sender: str
    receiver: str
    kind: str
    purpose: str
    handling: Handling
    at: datetime
    owner_consents: bool = False
    posted_at: datetime | None = None


def request_for(asking: Asking, body: Mapping[str, object]) -> SharingRequest:
    """The request for this body. Its handling is the higher of what was asked and what the body says of itself."""
    places = _PLACES.get(asking.kind, _NOWHERE)
    issuer = _word(body, places.issuer)
    attributes = {
        "category": _word(body, places.category),
        "risk_type": _word(body, places.risk_type),
        "procedure": _word(body, places.procedure),
    }
    return SharingRequest(
        sender=asking.sender,
        receiver=asking.receiver,
        kind=asking.kind,
        purpose=asking.purpose,
        handling=max(asking.handling, _handling(_at(body, places.handling))),
        at=asking.at,
        hs_codes=_codes(_at(body, places.goods)),
        origin=_word(body, places.origin),
        fields=paths_of(body),
        onward_from=None if issuer == asking.sender else issuer,
        owner_consents=asking.owner_consents,
        size_bytes=_size(_at(body, places.size)),
        posted_at=asking.posted_at,
        attributes={name: word for name, word in attributes.items() if word},
    )


def _at(body: Mapping[str, object], steps: _Steps) -> object:
    if not steps:
        return None
    value: object = body
    for name in steps:
        value = value.get(name) if isinstance(value, _MAPPINGS) else None
    return value


def _word(body: Mapping[str, object], steps: _Steps) -> str:
    value = _at(body, steps)
    return value if isinstance(value, str) else ""


def _size(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _codes(value: object) -> tuple[str, ...]:
    """HS codes of one field. Where one is no text nothing is known of the goods."""
    listed = value if isinstance(value, list | tuple) else [value]
    codes = [code for code in listed if isinstance(code, str) and code]
    return tuple(codes) if len(codes) == len(listed) else ()


def _handling(value: object) -> Handling:
    """The level that a body claims; a word that nobody knows counts as the highest."""
    if value is None:
        return Handling.OPEN
    try:
        return Handling.from_word(value if isinstance(value, str) else "")
    except KeyError:
        return Handling.CONFIDENTIAL
