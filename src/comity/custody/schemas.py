"""JSON Schemas of recall/1, holding/1 and consent/1, from the same vocabularies as their readers.

python -m comity.custody.schemas recall/1 > docs/schemas/recall-1.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

from comity.custody.notices import (
    CONSENT_KIND,
    CONSENT_TYPE,
    HOLDING_KIND,
    HOLDING_TYPE,
    MOST_MESSAGES,
    MOST_RECIPIENTS,
    RECALL_KIND,
    RECALL_TYPE,
)
from comity.custody.rules import RECALL_GROUNDS, Mode, Status
from comity.trade import Handling

Schema = dict[str, object]
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_ID: Schema = {"type": "string", "format": "uuid"}
_CODE: Schema = {"type": "string", "pattern": "^[A-Z]{2}$"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_WORD: Schema = {"type": "string", "pattern": "^([a-z][a-z0-9_]{0,39})?$"}
_HANDLING: Schema = {"type": "string", "enum": [level.word for level in Handling]}


def _list(items: Schema, most: int) -> Schema:
    return {"type": "array", "items": items, "minItems": 1, "maxItems": most, "uniqueItems": True}


def _statement(payload_type: str) -> Schema:
    """A DSSE envelope; its payload is the rest of the body in canonical JSON."""
    return {
        "type": "object",
        "description": "DSSE v1. Its payload is the canonical JSON of all other members of the body.",
        "properties": {
            "payloadType": {"const": payload_type},
            "payload": {"type": "string", "contentEncoding": "base64"},
            "signatures": {"type": "array", "minItems": 1},
        },
        "required": ["payloadType", "payload", "signatures"],
    }


def _object(title: str, description: str, required: Mapping[str, Schema], optional: Mapping[str, Schema]) -> Schema:
    return {
        "title": title,
        "type": "object",
        "description": description,
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


_ANSWER = _object(
    "Consent",
    "The owner's signed answer to who wants to hand its message on.",
    {
        "consent": _ID,
        "message": _ID,
        "owner": _CODE,
        "asker": _CODE,
        "recipients": _list(_CODE, MOST_RECIPIENTS),
        "at": _MOMENT,
        "given": {"type": "boolean"},
        "statement": _statement(CONSENT_TYPE),
    },
    {"until": _MOMENT},
)
_QUESTION = _object(
    "Question",
    "The wish to hand a message on; the envelope says who wishes it.",
    {
        "ask": {"const": True},
        "consent": _ID,
        "message": _ID,
        "owner": _CODE,
        "recipients": _list(_CODE, MOST_RECIPIENTS),
        "reason": {"type": "string", "maxLength": 500},
    },
    {},
)
_SCHEMAS: Mapping[str, Schema] = {
    RECALL_KIND: _object(
        "Recall",
        "The origin takes messages back, corrects them, or tightens their limits.",
        {
            "recall": _ID,
            "origin": _CODE,
            "messages": _list(_ID, MOST_MESSAGES),
            "mode": {"type": "string", "enum": [each.value for each in Mode]},
            "ground": {"type": "string", "enum": list(RECALL_GROUNDS)},
            "made_at": _MOMENT,
            "due_at": _MOMENT,
            "origin_statement": _statement(RECALL_TYPE),
        },
        {
            "replacement": {"type": "object", "additionalProperties": _ID, "maxProperties": MOST_MESSAGES},
            "keep_until": _MOMENT,
            "handling": _HANDLING,
        },
    ),
    HOLDING_KIND: _object(
        "Holding",
        "What is told of one copy of a message. Of another's copy only that it was handed on or is overdue.",
        {
            "message": _ID,
            "origin": _CODE,
            "holder": _CODE,
            "told_by": _CODE,
            "status": {"type": "string", "enum": [each.value for each in Status if each is not Status.RECALLED]},
            "ground": _WORD,
            "at": _MOMENT,
            "statement": _statement(HOLDING_TYPE),
        },
        {
            "via": _CODE,
            "recall": _ID,
            "keep_until": _MOMENT,
            "handling": _HANDLING,
            "until": _MOMENT,
            "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        },
    ),
    CONSENT_KIND: {"title": "Consent or question", "oneOf": [_ANSWER, _QUESTION]},
}


def schema_text(kind: str) -> str:
    """The schema of a kind as it is published.

    Raises: KeyError for a kind of another room.
    """
    schema = {"$schema": _DRAFT, "$id": f"urn:comity:{kind.replace('/', ':')}", **_SCHEMAS[kind]}
    return json.dumps(schema, indent=2) + "\n"


def main(words: Sequence[str]) -> None:
    """Write the schemas of the named kinds to standard output."""
    for kind in words:
        sys.stdout.write(schema_text(kind))


if __name__ == "__main__":
    main(sys.argv[1:])
