"""Who may open a page: signed in, with the second factor where it is required, with the permission."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_cache_control

from comity.common import Actor, ComityError
from comity.console.purpose import ask_purpose
from comity.journeys.look import PurposeMissingError, PurposeRefusedError
from comity.staff import Permission, PermissionRefusedError, SightRefusedError, may, require
from comity.staff.models import Officer
from comity.staff.services import actor_of

P = ParamSpec("P")
ActorView = Callable[Concatenate[HttpRequest, Actor, P], HttpResponse]

# Codes by which rooms say that a thing does not exist end so.
_ABSENT = ("not_found", "unknown", "absent", "no_such", "no_entry")


def page(
    *permissions: Permission, any_of: tuple[Permission, ...] = ()
) -> Callable[[ActorView[P]], Callable[Concatenate[HttpRequest, P], HttpResponse]]:
    """A page for signed-in officers with every one of these permissions, and with any of `any_of` where it is given.

    The view is given the actor.
    """

    def wrap(view: ActorView[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            officer = officer_of(request)
            if officer is None:
                return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")
            if officer.needs_second_factor and not is_verified(officer):
                return redirect("console:second_factor")
            actor = actor_of(officer)
            try:
                for permission in permissions:
                    require(actor, permission)
                if any_of and not may_any(actor, any_of):
                    require(actor, any_of[0])
                response = view(request, actor, *args, **kwargs)
                # What an officer saw must not come back out of the browser's store after he signed out.
                patch_cache_control(response, private=True, no_store=True)
                return response
            except PurposeMissingError:
                return ask_purpose(request)
            except PurposeRefusedError as error:
                return ask_purpose(request, error.uses)
            except (PermissionRefusedError, SightRefusedError) as error:
                return refuse(request, error, HTTPStatus.FORBIDDEN)
            except ComityError as error:
                is_absent = any(word in error.code for word in _ABSENT) or error.what.startswith("There is no")
                return refuse(request, error, HTTPStatus.NOT_FOUND if is_absent else HTTPStatus.CONFLICT)

        return guarded

    return wrap


def may_any(actor: Actor, permissions: tuple[Permission, ...]) -> bool:
    """Whether the actor has any of these permissions."""
    return any(may(actor, each) for each in permissions)


def officer_of(request: HttpRequest) -> Officer | None:
    """The officer who is signed in, or None."""
    officer = request.user
    return officer if isinstance(officer, Officer) and officer.is_authenticated else None


def is_verified(officer: Officer) -> bool:
    """Whether the second factor was given in this session; django-otp's middleware says so."""
    return getattr(officer, "otp_device", None) is not None


def refuse(request: HttpRequest, error: ComityError, status: HTTPStatus) -> HttpResponse:
    """A page that says what was refused, where, and what to do."""
    return render(request, "console/refused.html", {"error": error, "status": status.value}, status=status.value)
