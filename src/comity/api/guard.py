"""Who calls, and what the caller may do; how long a body may be."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from ninja.security import HttpBearer

from comity.api.problems import LengthRequiredError, TooLargeError, UnknownParameterError, problem, problem_of
from comity.common import Actor, ComityError, utc_now
from comity.staff import Permission, may, require
from comity.staff.services import actor_of_token

SMALL_BODY_BYTES = 1024 * 1024
View = Callable[..., HttpResponseBase]


class Bearer(HttpBearer):
    """A token of a system; with permissions, the token's roles must allow one of them.

    Raises: TokenRefusedError, PermissionRefusedError.
    """

    def __init__(self, *permissions: Permission) -> None:
        super().__init__()
        self.permissions = permissions

    def authenticate(self, _request: HttpRequest, token: str) -> Actor:
        """The actor of the token."""
        actor = actor_of_token(token, utc_now())
        if not any(may(actor, each) for each in self.permissions[1:]):
            for permission in self.permissions[:1]:
                require(actor, permission)
        return actor


def needs(permission: Permission | None, described: dict[str, Any] | None = None) -> dict[str, Any]:
    """The arguments of a route that wants a token, and this permission where one is named.

    described: what its OpenAPI operation says beside what the framework finds.
    """
    permissions = (permission,) if permission else ()
    return _route(permissions, described or {})


def needs_one_of(*permissions: Permission) -> dict[str, Any]:
    """The same for a route that any of these permissions opens."""
    return _route(permissions, {})


def _route(permissions: tuple[Permission, ...], described: dict[str, Any]) -> dict[str, Any]:
    word = " or ".join(permissions) or "any valid token"
    return {"auth": Bearer(*permissions), "openapi_extra": {"x-comity-permission": word} | described}


def actor_of(request: HttpRequest) -> Actor:
    """The actor whom the token stands for."""
    actor: Actor = request.auth  # type: ignore[attr-defined]  # set by ninja from Bearer.authenticate
    return actor


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a path takes. query_names: for each method the parameters of the query that it knows."""

    is_upload: bool
    query_names: Mapping[str, frozenset[str]]

    def check(self, request: HttpRequest) -> None:
        """Refuse what goes beyond.

        Raises: LengthRequiredError, TooLargeError, UnknownParameterError.
        """
        if request.META.get("HTTP_TRANSFER_ENCODING") and not request.META.get("CONTENT_LENGTH"):
            raise LengthRequiredError(
                "The body comes in chunks, without its length",
                where="Content-Length",
                remedy="Send the length of the body; most programs do where the body is a file.",
            )
        limit = settings.COMITY_MAX_UPLOAD_BYTES if self.is_upload else SMALL_BODY_BYTES
        if _length_of(request) > limit:
            raise TooLargeError(
                f"The body is longer than the {limit} bytes that this path takes",
                where="Content-Length",
                remedy="Send less at a time.",
            )
        known = self.query_names.get((request.method or "").lower())
        unknown = sorted(set(request.GET) - known) if known is not None else []
        if unknown:
            raise UnknownParameterError(
                "The query names what this path does not know",
                where=", ".join(unknown)[:200],
                remedy=f"It knows: {', '.join(sorted(known or ())) or 'nothing'}.",
            )


def bounded(view: View, bounds: Bounds) -> View:
    """The view within bounds, and with problem+json where the method is not possible."""

    @functools.wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        try:
            bounds.check(request)
        except ComityError as error:
            return problem_of(error)
        response = view(request, *args, **kwargs)
        return _method_problem(request, response) if isinstance(response, HttpResponseNotAllowed) else response

    return answer


def _method_problem(request: HttpRequest, refused: HttpResponseNotAllowed) -> HttpResponse:
    allowed = refused["Allow"]
    response = problem(
        405, "method_not_allowed", f"{request.method} is not possible on this path", remedy=f"Use {allowed}."
    )
    response["Allow"] = allowed
    return response


def _length_of(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isdigit() else 0
