"""Errors as RFC 9457 problem details. The rooms know no HTTP; this table does."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterable, Mapping

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from ninja.errors import AuthenticationError, HttpError, ValidationError

from comity.agreements import SharingRefusedError
from comity.common import ComityError, Reason
from comity.operations import StepRefusedError

MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger("comity.api")

# What routes call the value that a program sends; it stands in the framework's locations, but not in the JSON.
_ARGUMENTS = frozenset({"body", "query", "facts"})
_TITLES = {
    400: "The request cannot be understood",
    401: "No valid token",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible on this path",
    409: "Not possible as things stand",
    410: "No longer here",
    411: "The length is missing",
    413: "Too large",
    415: "This media type is not taken",
    422: "A field is wrong",
    500: "The node failed",
    503: "Not ready",
}

# ComityError.code -> status. A code that is missing here is answered with 400; a test names those that are.
STATUS_OF_CODE: Mapping[str, int] = {
    "adoption_refused": 409,
    "agreement_form": 422,
    "arrival_not_found": 404,
    "bad_chunk": 422,
    "bad_consent": 409,
    "bad_exhibit": 422,
    "bad_field": 422,
    "bad_finding": 422,
    "bad_forward": 409,
    "bad_inspection": 409,
    "bad_instant": 422,
    "bad_list": 422,
    "bad_model_deed": 409,
    "bad_model_store": 409,
    "model_not_found": 404,
    "bad_notice": 422,
    "bad_profile": 409,
    "bad_recall": 422,
    "bad_release": 409,
    "bad_retention": 409,
    "bad_rule": 422,
    "bad_seizure": 409,
    "bad_period": 422,
    "bad_screening": 409,
    "bad_selection": 409,
    "bad_signal": 409,
    "bad_subject_request": 422,
    "cannot_be_cut": 409,
    "case_unknown": 404,
    "consent_missing": 409,
    "evidence": 409,
    "four_eyes": 409,
    "length_required": 411,
    "log_damaged": 500,
    "message_purged": 410,
    "move_refused": 409,
    "need_to_know": 403,
    "no_recipient": 422,
    "no_room": 409,
    "not_found": 404,
    "not_held": 409,
    "not_origin": 409,
    "outlook_not_found": 404,
    "partner_state": 409,
    "permission_refused": 403,
    "proposal_refused": 409,
    "purpose_missing": 403,
    "purpose_refused": 403,
    "record_not_found": 404,
    "register": 409,
    "reminder_unknown": 404,
    "second_officer_needed": 409,
    "report_open": 409,
    "sharing_refused": 403,
    "shrunk_list": 409,
    "token_refused": 401,
    "too_intricate": 409,
    "too_large": 413,
    "too_many_broken_rows": 422,
    "unknown_agreement": 404,
    "unknown_clause": 404,
    "unknown_country": 404,
    "unknown_evidence": 404,
    "unknown_message": 404,
    "unknown_parameter": 422,
    "unknown_partner": 404,
    "unknown_request": 404,
    "unknown_procedure": 404,
    "unsupported_media_type": 415,
}


# Of the codes of steps (docs/protocol.md §15), those by which a case as it stands is in the way; the others are 422.
STEP_CONFLICTS = frozenset({"not_now", "case_moved", "case_exists", "case_differs"})


class TooLargeError(ComityError):
    """The body of a request is longer than this path takes."""

    code = "too_large"


class LengthRequiredError(ComityError):
    """The body comes in chunks: its length is not told, and without it nothing is read."""

    code = "length_required"


class UnknownParameterError(ComityError):
    """The query of a request names a parameter that its path does not know."""

    code = "unknown_parameter"


class MediaTypeError(ComityError):
    """The body of a request has a media type that this path does not take."""

    code = "unsupported_media_type"


class BadFieldError(ComityError):
    """A field of a request is wrong in a way that its form alone does not tell."""

    code = "bad_field"


class NotFoundError(ComityError):
    """There is no such thing, or no such path."""

    code = "not_found"


def problem(status: int, code: str, detail: str, **more: object) -> HttpResponse:
    """A problem+json answer; `more` are extension members, left out where empty."""
    body: dict[str, object] = {
        "type": f"urn:comity:problem:{code}",
        "title": _TITLES.get(status, "The request failed"),
        "status": status,
        "detail": detail,
        "code": code,
    }
    body |= {name: value for name, value in more.items() if value}
    response = HttpResponse(json.dumps(body, ensure_ascii=False), status=status, content_type=MEDIA_TYPE)
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="comity"'
    return response


def problem_of(error: ComityError) -> HttpResponse:
    """The answer for an error that a room raised on purpose."""
    more = {"decision": _shown_decision(error)} if isinstance(error, SharingRefusedError) else {}
    status = _status_of_step(error) if isinstance(error, StepRefusedError) else STATUS_OF_CODE.get(error.code, 400)
    return problem(status, error.code, error.what, where=error.where, remedy=error.remedy, **more)


def _status_of_step(error: StepRefusedError) -> int:
    """A step that the case does not allow now, against one whose words could never be right."""
    return 409 if error.code in STEP_CONFLICTS else 422


def answer(request: HttpRequest, error: Exception) -> HttpResponse:
    """The answer for any error at all."""
    if isinstance(error, ComityError):
        return problem_of(error)
    if isinstance(error, ValidationError):
        return _of_validation(error)
    if isinstance(error, AuthenticationError):
        return _of_missing_token()
    if isinstance(error, HttpError):
        return problem(error.status_code, "bad_request", str(error), where=request.path)
    if isinstance(error, Http404):
        return nothing_here(request)
    if isinstance(error, SuspiciousOperation):
        return _of_suspicious(request, error)
    return _of_unknown(request, error)


def nothing_here(request: HttpRequest) -> HttpResponse:
    """The answer for a thing or path that is not there."""
    return problem(404, "not_found", "There is nothing at this path", where=request.path)


def _of_validation(error: ValidationError) -> HttpResponse:
    errors = [
        {"field": _field_of(entry.get("loc", ())), "message": str(entry.get("msg", ""))} for entry in error.errors
    ]
    names = ", ".join(sorted({entry["field"] for entry in errors}))
    return problem(
        422,
        "bad_field",
        f"These fields are wrong: {names}",
        where=names,
        remedy="Correct the fields named in `errors` and send the request again.",
        errors=errors,
    )


def _of_missing_token() -> HttpResponse:
    return problem(
        401,
        "token_missing",
        "This path needs a token",
        where="Authorization",
        remedy="Send the header `Authorization: Bearer comity_…`; an administrator issues tokens.",
    )


def _of_suspicious(request: HttpRequest, error: SuspiciousOperation) -> HttpResponse:
    if isinstance(error, RequestDataTooBig):
        return problem(413, "too_large", "The body is longer than this node takes", where=request.path)
    return problem(400, "bad_request", "The request cannot be read", where=request.path)


def _of_unknown(request: HttpRequest, error: Exception) -> HttpResponse:
    """The log gets the error, the caller only a number to ask about."""
    incident = str(uuid.uuid4())
    _log.error("incident %s at %s %s", incident, request.method, request.path, exc_info=error)
    return problem(
        500,
        "internal_error",
        "The node failed while it handled the request",
        incident=incident,
        remedy="Tell the administrator the incident number; the log has it.",
    )


def _shown_decision(error: SharingRefusedError) -> dict[str, object]:
    """Why no article permits it, and which would if a condition were met."""
    decision = error.decision
    return {
        "article_id": decision.article_id,
        "reasons": [_shown_reason(reason) for reason in decision.reasons],
        "near_misses": [
            {
                "agreement_id": miss.agreement_id,
                "article_id": miss.article_id,
                "failed": [_shown_reason(reason) for reason in miss.failed],
            }
            for miss in decision.near_misses
        ],
    }


def _shown_reason(reason: Reason) -> dict[str, str]:
    return {"code": reason.code, "text": reason.text, "clause": reason.clause}


def _field_of(location: Iterable[object]) -> str:
    """The field of a location such as ("body", "body", "alert", "title"): where, the argument's name, the path."""
    parts = [str(part) for part in location]
    inner = parts[2:] if len(parts) > 2 and parts[1] in _ARGUMENTS else parts[1:]
    return ".".join(inner) or ".".join(parts)
