"""JSON Schema of step/1, and of the fields of each event of a procedure, from the same vocabularies as their readers.

python -m comity.operations.schemas > docs/schemas/step-1.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

from comity.agreements.procedures import (
    GROUNDS,
    LAW_REFERENCE,
    REASON,
    Event,
    Field,
    FieldType,
    GroundRule,
    Procedure,
)
from comity.operations.checking import MOST_LAW_TEXT
from comity.operations.fields import MOST_LISTED, MOST_LONG_TEXT, MOST_TEXT
from comity.operations.steps import (
    MOST_AFTER,
    MOST_DEADLINES,
    MOST_FIELDS,
    MOST_NUMBER,
    MOST_PARTIES,
    MOST_SIGNATURES,
    STEP_KIND,
)

Schema = dict[str, object]
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_NAME: Schema = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,59}$"}
_CODE: Schema = {"type": "string", "pattern": "^[A-Z]{2}$"}
_HASH: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_ONE: Mapping[FieldType, Schema] = {
    FieldType.TEXT: {"type": "string", "minLength": 1, "maxLength": MOST_TEXT},
    FieldType.LONG_TEXT: {"type": "string", "minLength": 1, "maxLength": MOST_LONG_TEXT},
    FieldType.DATE: {"type": "string", "format": "date"},
    FieldType.INSTANT: _MOMENT,
    FieldType.NUMBER: {"type": "string", "pattern": r"^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,6})?$"},
    FieldType.MONEY: {
        "type": "object",
        "properties": {"amount": {"type": "string"}, "currency": {"type": "string", "pattern": "^[A-Z]{3}$"}},
        "required": ["amount", "currency"],
        "additionalProperties": False,
    },
    FieldType.PARTY: _CODE,
    FieldType.COUNTRY: _CODE,
    FieldType.HS: {"type": "string", "pattern": "^[0-9]{2,10}$"},
    FieldType.REF: {"type": "string", "minLength": 1, "maxLength": 200},
    FieldType.FLAG: {"type": "boolean"},
    FieldType.FILE: _HASH,
}
_LISTS: Mapping[FieldType, FieldType] = {
    FieldType.TEXTS: FieldType.TEXT,
    FieldType.HS_CODES: FieldType.HS,
    FieldType.REFS: FieldType.REF,
    FieldType.PARTIES: FieldType.PARTY,
}


def step_schema() -> Schema:
    """The JSON Schema (2020-12) of the body of a step/1."""
    shown = {
        "type": "object",
        "properties": {"salt": {"type": "string", "pattern": "^[0-9a-f]{32}$"}, "value": {}},
        "required": ["salt", "value"],
        "additionalProperties": False,
    }
    signature = {
        "type": "object",
        "properties": {"keyid": {"type": "string"}, "sig": {"type": "string", "contentEncoding": "base64"}},
        "required": ["keyid", "sig"],
        "additionalProperties": False,
    }
    deadline = {
        "type": "object",
        "properties": {"clock": _NAME, "due_at": _MOMENT, "digest": _HASH},
        "required": ["clock", "due_at", "digest"],
    }
    properties: Schema = {
        "case": {"type": "string", "format": "uuid"},
        "agreement": _HASH,
        "procedure": _NAME,
        "edition": {"type": "string"},
        "event": _NAME,
        "by": _CODE,
        "number": {"type": "integer", "minimum": 1, "maximum": MOST_NUMBER},
        "after": {"type": "array", "items": _HASH, "maxItems": MOST_AFTER, "uniqueItems": True},
        "at": _MOMENT,
        "parties": _table(_CODE, _NAME, MOST_PARTIES),
        "deadlines": {"type": "array", "items": deadline, "maxItems": MOST_DEADLINES},
        "commitments": _table(_NAME, _HASH, MOST_FIELDS),
        "signatures": {"type": "array", "items": signature, "minItems": 1, "maxItems": MOST_SIGNATURES},
    }
    return {
        "$schema": _DRAFT,
        "$id": f"urn:comity:{STEP_KIND.replace('/', ':')}",
        "title": "Step of a procedure",
        "type": "object",
        "properties": {**properties, "fields": _table(_NAME, shown, MOST_FIELDS)},
        "required": list(properties),
        "additionalProperties": False,
    }


def event_schema(procedure: Procedure, event: Event) -> Schema:
    """The JSON Schema of what one event says: forms and the API come of it."""
    names = (*event.needs, *event.may)
    properties: Schema = {name: _field(procedure.field(name)) for name in names}
    required = list(event.needs)
    if event.grounds is not GroundRule.NONE:
        known = [ground.name for ground in procedure.grounds_of(event)]
        most = 1 if event.grounds is GroundRule.ONE else len(known)
        properties[GROUNDS] = {"type": "array", "items": {"enum": known}, "minItems": 1, "maxItems": most}
        for name in (LAW_REFERENCE, REASON):
            properties[name] = {"type": "string", "minLength": 1, "maxLength": MOST_LAW_TEXT}
        required.append(GROUNDS)
    return {
        "title": event.title.in_("en"),
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def schema_text() -> str:
    """The schema of step/1 as it is published."""
    return json.dumps(step_schema(), indent=2) + "\n"


def _field(field: Field) -> Schema:
    words: Schema = {"type": "string", "enum": [word for word, _ in field.words]}
    title: Schema = {"title": field.label.in_("en")}
    if field.type is FieldType.WORD:
        return {**title, **words}
    inner = words if field.type is FieldType.WORDS else None
    if field.type in _LISTS:
        inner = dict(_ONE[_LISTS[field.type]])
    if inner is not None:
        return {**title, "type": "array", "items": inner, "minItems": 1, "maxItems": MOST_LISTED}
    return {**title, **_ONE[field.type]}


def _table(names: Schema, values: Schema, most: int) -> Schema:
    return {"type": "object", "propertyNames": names, "additionalProperties": values, "maxProperties": most}


if __name__ == "__main__":
    sys.stdout.write(schema_text())
