"""JSON Schemas of message bodies, made from the nouns and from the checks that their bodies must pass.

python -m comity.trade.schemas alert/1 > docs/schemas/alert-1.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from comity.trade.codec import codec_of
from comity.trade.knowledge import (
    LANES,
    MOST_TAGS,
    RULE_LANGUAGE,
    HitDecision,
    HitQuestion,
    SharedProfile,
    SignalReport,
)
from comity.trade.mirror import MIRROR_FIELDS, MOST_LOCKS, MOST_WORDS, MirrorOffer, MirrorRequest, MirrorValues
from comity.trade.notices import Alert, EvidenceNotice, Finding

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_COUNTRY: Mapping[str, object] = {"pattern": "^([A-Z]{2})?$"}
_HASH: Mapping[str, object] = {"pattern": "^[0-9a-f]{64}$"}
_NO_LESS: Mapping[str, object] = {"pattern": r"^\+?(\d+(\.\d*)?|\.\d+)$"}
_MESSAGE = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_COMMITMENTS = ("ucr", "currency", "value", "gross_mass_kg", "net_mass_kg", "packages", "hs_codes", "origins")
_ADMINISTRATION: Mapping[str, object] = {"pattern": "^[A-Z]{2}$"}
_LISTED: Mapping[str, Mapping[str, object]] = {
    "administration": _ADMINISTRATION,
    "list_code": {"pattern": r"\S", "maxLength": 40},
    "publisher": {"pattern": r"\S", "maxLength": 200},
    "entry": {"pattern": r"\S", "maxLength": 100},
    "key": _HASH,
    "tags.tag": _HASH,
}
_EXHIBITS: Mapping[str, Mapping[str, object]] = {
    "exhibits.sha256": {"pattern": "^[0-9a-f]{64}$"},
    "exhibits.size_bytes": {"minimum": 0},
}

# What encoding.py checks beyond types, by dotted field.
_NOTICES: Mapping[str, tuple[type, str, Mapping[str, Mapping[str, object]]]] = {
    "alert/1": (
        Alert,
        "Alert",
        {
            "ref": {"pattern": r"\S"},
            "issuer": {"pattern": r"\S"},
            "reliability": {"pattern": "^[A-F]$"},
            "credibility": {"pattern": "^[1-6]$"},
            "priority": {"minimum": 1, "maximum": 5},
            "hs_codes": {"pattern": "^[0-9]{2,10}$"},
            "subjects.country": _COUNTRY,
            "route.origin": _COUNTRY,
            "route.dispatch": _COUNTRY,
            "route.destination": _COUNTRY,
            **_EXHIBITS,
        },
    ),
    "finding/1": (
        Finding,
        "Finding",
        {
            "ref": {"pattern": r"\S"},
            "administration": {"pattern": r"\S"},
            "hs_code": {"pattern": "^([0-9]{2,10})?$"},
            "quantity.value": {"pattern": r"^\+?(\d+(\.\d*)?|\.\d+)$"},
            **_EXHIBITS,
        },
    ),
    "evidence/1": (
        EvidenceNotice,
        "Evidence",
        {
            "administration": {"pattern": r"\S"},
            "sha256": {"pattern": "^[0-9a-f]{64}$"},
            "name": {"pattern": r"^[^\x00-\x1f\x7f/\\]*[^\x00-\x1f\x7f/\\ .][^\x00-\x1f\x7f/\\]*$", "maxLength": 200},
            "media_type": {
                "pattern": r"^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$",
                "maxLength": 100,
            },
            "size_bytes": {"minimum": 1},
            "chunk_bytes": {"minimum": 4096, "maximum": 4194304},
            "chunks": {"minimum": 1, "maximum": 1048576},
            "root": {"pattern": "^[0-9a-f]{64}$"},
            "key": {"pattern": "^[A-Za-z0-9+/]{43}=$"},
            "about": {"pattern": "^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$"},
        },
    ),
    "mirror/1": (
        MirrorOffer,
        "Export as commitments",
        {
            "administration": {"pattern": "^[A-Z]{2}$"},
            "period": {"pattern": "^[0-9]{4}-Q[1-4]$"},
            "key": _HASH,
            "locks.tag": _HASH,
            "locks.wrapped": {"pattern": "^[0-9a-f]{96}$"},
            **{f"commitments.{name}": {"pattern": "^([0-9a-f]{64})?$"} for name in _COMMITMENTS},
            "replaces": {"pattern": f"^({_MESSAGE})?$"},
        },
    ),
    "mirror_request/1": (
        MirrorRequest,
        "Request for figures",
        {
            "administration": {"pattern": "^[A-Z]{2}$"},
            "offer": {"pattern": f"^{_MESSAGE}$"},
            "fields": {"enum": list(MIRROR_FIELDS)},
            "proof": _HASH,
        },
    ),
    "mirror_values/1": (
        MirrorValues,
        "Figures that were asked for",
        {
            "administration": {"pattern": "^[A-Z]{2}$"},
            "offer": {"pattern": f"^{_MESSAGE}$"},
            "figures.value.amount": _NO_LESS,
            "figures.value.currency": {"pattern": "^[A-Z]{3}$"},
            "figures.gross_mass_kg": _NO_LESS,
            "figures.net_mass_kg": _NO_LESS,
            "figures.packages": {"minimum": 0},
            "figures.hs_codes": {"pattern": "^[0-9]{2,10}$"},
            "figures.origins": {"pattern": "^[A-Z]{2}$"},
        },
    ),
    "profile/1": (
        SharedProfile,
        "Risk profile",
        {
            "issuer": _ADMINISTRATION,
            "ref": {"pattern": r"\S", "maxLength": 100},
            "title": {"pattern": r"\S", "maxLength": 200},
            "owner": {"maxLength": 200},
            "legal_basis": {"pattern": r"\S", "maxLength": 300},
            "language": {"enum": [RULE_LANGUAGE]},
            "expression": {"pattern": r"\S", "maxLength": 4000},
            "weight": {"minimum": 1, "maximum": 100},
            "lane": {"enum": list(LANES)},
            "digest": _HASH,
            "priority": {"minimum": 1, "maximum": 9},
            "expected_hit_rate": _NO_LESS,
        },
    ),
    "hit_question/1": (HitQuestion, "Question about a hit of the screening", _LISTED),
    "hit_decision/1": (
        HitDecision,
        "Decision on a hit of the screening",
        {**_LISTED, "list_of": {"pattern": r"^(\d{4}-\d{2}-\d{2})?$"}, "reason": {"maxLength": 500}},
    ),
    "signal_report/1": (
        SignalReport,
        "What came of an alert or a profile",
        {
            "administration": _ADMINISTRATION,
            "ref": {"pattern": r"\S", "maxLength": 100},
            "about": {"pattern": f"^{_MESSAGE}$"},
            "fired": {"minimum": 0},
            "examined": {"minimum": 0},
            "found": {"minimum": 0},
            "kinds.found": {"minimum": 1},
        },
    ),
}


# How many entries a list may have, by kind and dotted field.
_LENGTHS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "mirror/1": {"locks": {"minItems": 1, "maxItems": MOST_LOCKS}},
    "mirror_request/1": {"fields": {"minItems": 1}},
    "hit_question/1": {"tags": {"minItems": 1, "maxItems": MOST_TAGS}},
    "hit_decision/1": {"tags": {"minItems": 1, "maxItems": MOST_TAGS}},
    "mirror_values/1": {"figures.hs_codes": {"maxItems": MOST_WORDS}, "figures.origins": {"maxItems": MOST_WORDS}},
}


def notice_kinds() -> tuple[str, ...]:
    """The message kinds that have a schema."""
    return tuple(_NOTICES)


def notice_schema(kind: str) -> dict[str, object]:
    """The JSON Schema (2020-12) of the body of a message kind; keys that it does not name are tolerated.

    Raises: KeyError for a kind without a schema.
    """
    noun, title, limits = _NOTICES[kind]
    # Written and read again, so that no two fields share a table.
    schema: dict[str, Any] = json.loads(json.dumps(codec_of(noun).schema))
    for field, limit in limits.items():
        spot = schema
        for name in field.split("."):
            spot = spot["properties"][name]
            spot = spot["items"] if spot["type"] == "array" else spot
        spot.update(limit)
    for field, bounds in _LENGTHS.get(kind, {}).items():
        spot = schema
        for name in field.split("."):
            spot = spot["properties"][name]
        spot.update(bounds)
    return {"$schema": _DRAFT, "$id": f"urn:comity:{kind.replace('/', ':')}", "title": title, **schema}


def schema_text(kind: str) -> str:
    """The schema as it is published."""
    return json.dumps(notice_schema(kind), indent=2) + "\n"


def main(words: Sequence[str]) -> None:
    """Write the schemas of the named kinds to standard output."""
    for kind in words:
        sys.stdout.write(schema_text(kind))


if __name__ == "__main__":
    main(sys.argv[1:])
