"""What the OpenAPI document says beside what the routes say: problems, and bodies that are not JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from comity.api.problems import MEDIA_TYPE

_STRING = {"type": "string"}
_PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "type": "object",
    "description": "Why a request failed (RFC 9457): what is wrong, where, and what to do.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "description": "urn:comity:problem: and the code"},
        "title": _STRING,
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, in one sentence"},
        "code": {"type": "string", "description": "A stable word for programs"},
        "where": {"type": "string", "description": "The field, line, clause or thing"},
        "remedy": {"type": "string", "description": "What to do"},
        "incident": {"type": "string", "description": "Of a failure of the node: the number that its log has"},
        "decision": {
            "type": "object",
            "description": "Of a refused sharing: its reasons, and the articles that came near",
        },
        "errors": {
            "type": "array",
            "description": "Each field that is wrong",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": _STRING, "message": _STRING},
            },
        },
    },
}
_ALWAYS = {
    "400": "The request cannot be understood, or the deed is refused",
    "422": "A field is wrong; `errors` names it",
    "500": "The node failed; `incident` is the number to ask about",
}
_WITH_TOKEN = {"401": "No valid token", "403": "The token's roles, or the agreement, do not allow it"}
_WITH_THING = {"404": "There is no such thing"}
_WITH_BODY = {
    "404": "There is no such thing as the body names",
    "409": "Not possible as things stand",
    "411": "The body comes in chunks, without its length",
    "413": "The body is too long",
    "415": "This media type is not taken",
}


def complete(schema: dict[str, Any]) -> dict[str, Any]:
    """The document with the problem answers of each operation. Changes and returns `schema`."""
    schema["components"].setdefault("schemas", {})["Problem"] = _PROBLEM_SCHEMA
    for path, method, operation in _operations(schema):
        answers = dict(_ALWAYS)
        answers |= _WITH_TOKEN if operation.get("security") else {}
        answers |= _WITH_BODY if method != "get" else {}
        answers |= _WITH_THING if "{" in path else {}
        responses = {str(status): answer for status, answer in operation["responses"].items()}
        responses |= {status: _problem_answer(text) for status, text in answers.items()}
        operation["responses"] = dict(sorted(responses.items()))
    return schema


def query_names(schema: dict[str, Any]) -> dict[str, dict[str, frozenset[str]]]:
    """Of each path, without its first slash, for each method: the parameters that its query may name."""
    names: dict[str, dict[str, frozenset[str]]] = {}
    for path, method, operation in _operations(schema):
        found = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
        names.setdefault(path.lstrip("/"), {})[method] = frozenset(found)
    return names


def raw_body(media_types: tuple[str, ...], description: str) -> dict[str, Any]:
    """The description of a body that is taken as bytes."""
    content = {media: {"schema": {"type": "string", "format": "binary"}} for media in media_types}
    return {"requestBody": {"required": True, "description": description, "content": content}}


def raw_answer(media_type: str, description: str) -> dict[str, Any]:
    """The description of an answer that is bytes."""
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {"responses": {200: {"description": description, "content": content}}}


def _problem_answer(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation
