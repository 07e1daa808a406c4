"""Who calls, and what the caller may do; how long a body may be."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from ninja.security import HttpBearer

from comity.api.problems import TooLargeError, problem, problem_of
from comity.common import Actor, utc_now
from comity.staff import Permission, require
from comity.staff.services import actor_of_token

SMALL_BODY_BYTES = 1024 * 1024
View = Callable[..., HttpResponseBase]


class Bearer(HttpBearer):
    """A token of a system; with a permission, the token's roles must allow it.

    Raises: TokenRefusedError, PermissionRefusedError.
    """

    def __init__(self, permission: Permission | None) -> None:
        super().__init__()
        self.permission = permission

    def authenticate(self, _request: HttpRequest, token: str) -> Actor:
        """The actor of the token."""
        actor = actor_of_token(token, utc_now())
        if self.permission is not None:
            require(actor, self.permission)
        return actor


def needs(permission: Permission | None) -> dict[str, Any]:
    """The arguments of a route that wants a token, and this permission where one is named."""
    word = permission.value if permission else "any valid token"
    return {"auth": Bearer(permission), "openapi_extra": {"x-comity-permission": word}}


def actor_of(request: HttpRequest) -> Actor:
    """The actor whom the token stands for."""
    actor: Actor = request.auth  # type: ignore[attr-defined]  # set by ninja from Bearer.authenticate
    return actor


def bounded(view: View, *, is_upload: bool) -> View:
    """The view with a bound on the body, and with problem+json where the method is not possible."""

    @functools.wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        limit = settings.COMITY_MAX_UPLOAD_BYTES if is_upload else SMALL_BODY_BYTES
        if _length_of(request) > limit:
            return problem_of(
                TooLargeError(
                    f"The body is longer than the {limit} bytes that this path takes",
                    where="Content-Length",
                    remedy="Send less at a time.",
                )
            )
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
