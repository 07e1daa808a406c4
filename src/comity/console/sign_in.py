"""Signing in and out, the second factor, the language, the purpose."""

from __future__ import annotations

import io
from http import HTTPStatus

import segno
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import check_for_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_otp import login as otp_login

from comity.common import Actor, ActorKind, utc_now
from comity.console.access import is_verified, officer_of, page
from comity.console.forms import CodeForm, ConsoleForm, SignInForm, choose, safe_next
from comity.console.purpose import current_purpose, purposes_for, set_purpose
from comity.staff import OfficerRefusedError, SecondFactorRefusedError, second_factor
from comity.staff.models import Officer
from comity.staff.selectors import officer_row
from comity.staff.services import actor_of, record_deed, set_language, set_password

_BACKEND = "django.contrib.auth.backends.ModelBackend"
_WAITING = "waiting_officer"


class PurposeForm(ConsoleForm):
    """The purpose of the next hour."""

    purpose = forms.ChoiceField(
        label=gettext_lazy("Purpose"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose the purpose")},
    )

    def __init__(self, data: object, *, actor: Actor, uses: list[str], initial: object = None) -> None:
        super().__init__(data, initial=initial)
        choose(self, "purpose", [(word, str(label)) for word, label in purposes_for(actor, uses)])


class PasswordForm(ConsoleForm):
    """The present password and the new one."""

    present = forms.CharField(
        label=gettext_lazy("Present password"),
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": gettext_lazy("Enter your present password")},
    )
    new = forms.CharField(
        label=gettext_lazy("New password"),
        help_text=gettext_lazy("At least twelve characters; several words are easiest to keep in mind"),
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": gettext_lazy("Enter a new password")},
    )


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """User name and password; then the code, where the officer has set up an app."""
    form = SignInForm(request.POST or None)
    if form.is_valid():
        username = form.cleaned_data["username"].strip().lower()
        officer = authenticate(request, username=username, password=form.cleaned_data["password"])
        if isinstance(officer, Officer):
            return _after_password(request, officer)
        _record_failure(request, username, "password")
        form.add_error(None, _("The user name or the password is wrong."))
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    context = {"form": form, "next": safe_next(request)}
    return render(request, "console/sign_in.html", context, status=status)


def _after_password(request: HttpRequest, officer: Officer) -> HttpResponse:
    target = safe_next(request)
    if second_factor.has_second_factor(officer):
        request.session.cycle_key()
        request.session[_WAITING] = {"pk": officer.pk, "until": utc_now().timestamp() + 300, "next": target}
        return redirect("console:sign_in_code")
    _enter(request, officer)
    if officer.needs_second_factor:
        return _welcome(officer, "console:second_factor")
    return _welcome(officer, target or settings.LOGIN_REDIRECT_URL)


def _welcome(officer: Officer, target: str) -> HttpResponse:
    """Go on, in the language that the officer reads."""
    response = redirect(target)
    if officer.language in dict(settings.LANGUAGES):
        _remember_language(response, officer.language)
    return response


@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """The second step: the code from the app, within five minutes of the password."""
    waiting = request.session.get(_WAITING) or {}
    officer = Officer.objects.filter(pk=waiting.get("pk", 0), is_active=True).first()
    if officer is None or float(waiting["until"]) < utc_now().timestamp():
        return redirect("console:sign_in")
    form = CodeForm(request.POST or None)
    if form.is_valid():
        try:
            device = second_factor.verify_code(officer, code=form.cleaned_data["code"], at=utc_now())
        except SecondFactorRefusedError as error:
            _record_failure(request, officer.username, "code")
            form.add_refusal(error)
        else:
            _enter(request, officer)
            otp_login(request, device)
            return _welcome(officer, waiting["next"] or settings.LOGIN_REDIRECT_URL)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "console/sign_in_code.html", {"form": form}, status=status)


def _enter(request: HttpRequest, officer: Officer) -> None:
    request.session.pop(_WAITING, None)
    login(request, officer, backend=_BACKEND)
    record_deed(
        actor_of(officer), deed="sign_in", subject=f"officer:{officer.username}", facts=_address(request), at=utc_now()
    )


def _record_failure(request: HttpRequest, username: str, step: str) -> None:
    node = Actor(ActorKind.NODE, settings.COMITY_ADMINISTRATION, settings.COMITY_ADMINISTRATION)
    record_deed(
        node,
        deed="sign_in_failed",
        subject=f"officer:{username}",
        facts={"step": step, **_address(request)},
        at=utc_now(),
    )


def _address(request: HttpRequest) -> dict[str, str]:
    return {"address": str(request.META.get("REMOTE_ADDR", ""))}


def locked_out(request: HttpRequest, _response: object = None, _credentials: object = None) -> HttpResponse:
    """What someone sees after five wrong passwords; how long to wait, not whether the name exists."""
    minutes = int(settings.AXES_COOLOFF_TIME * 60)
    status = HTTPStatus.TOO_MANY_REQUESTS
    return render(request, "console/locked_out.html", {"minutes": minutes}, status=status)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    officer = officer_of(request)
    if officer is not None:
        record_deed(actor_of(officer), deed="sign_out", subject=f"officer:{officer.username}", at=utc_now())
    logout(request)
    return redirect("console:sign_in")


@never_cache
@require_http_methods(["GET", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """Set up an authenticator app: scan or type the secret, then prove it with a code."""
    officer = officer_of(request)
    if officer is None:
        return redirect("console:sign_in")
    if second_factor.has_second_factor(officer) and not is_verified(officer):
        logout(request)
        return redirect("console:sign_in")
    actor = actor_of(officer)
    form = CodeForm(request.POST or None)
    if form.is_valid():
        try:
            device = second_factor.confirm_enrolment(actor, code=form.cleaned_data["code"], at=utc_now())
        except SecondFactorRefusedError as error:
            form.add_refusal(error)
        else:
            otp_login(request, device)
            messages.success(request, _("Your authenticator app is set up. You will be asked for its code at sign-in."))
            return redirect(settings.LOGIN_REDIRECT_URL)
    context = {
        "form": form,
        "enrolment": second_factor.begin_enrolment(actor),
        "is_required": officer.needs_second_factor,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "console/second_factor.html", context, status=status)


@never_cache
@sensitive_post_parameters("present", "new")
@page()
@require_http_methods(["GET", "POST"])
def change_password(request: HttpRequest, actor: Actor) -> HttpResponse:
    """An officer gives himself a new password; his other sessions end."""
    form = PasswordForm(request.POST or None)
    if form.is_valid():
        officer = officer_row(actor.id)
        if not officer.check_password(form.cleaned_data["present"]):
            _record_failure(request, officer.username, "present_password")
            form.add_error("present", _("The present password is wrong"))
        else:
            try:
                set_password(actor, username=officer.username, password=form.cleaned_data["new"], at=utc_now())
            except OfficerRefusedError as error:
                form.add_error("new", error.remedy)
            else:
                update_session_auth_hash(request, officer_row(actor.id))
                messages.success(request, _("Your password is changed."))
                return redirect(settings.LOGIN_REDIRECT_URL)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "console/password.html", {"form": form}, status=status)


@never_cache
@require_GET
def enrol_qr(request: HttpRequest) -> HttpResponse:
    """The secret as a QR code, an image of its own since the security policy allows no inline style."""
    officer = officer_of(request)
    if officer is None or (second_factor.has_second_factor(officer) and not is_verified(officer)):
        return HttpResponse(status=HTTPStatus.FORBIDDEN)
    picture = io.BytesIO()
    segno.make(second_factor.begin_enrolment(actor_of(officer)).uri, error="m").save(
        picture, kind="svg", scale=5, border=2, light="#fff", svgclass=None, lineclass=None
    )
    return HttpResponse(picture.getvalue(), content_type="image/svg+xml")


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Read on in another language; remembered with the officer."""
    code = request.POST.get("language", "")
    response = redirect(safe_next(request) or settings.LOGIN_REDIRECT_URL)
    if code in dict(settings.LANGUAGES) and check_for_language(code):
        _remember_language(response, code)
        officer = officer_of(request)
        if officer is not None:
            set_language(actor_of(officer), language=code)
    return response


def _remember_language(response: HttpResponse, code: str) -> None:
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, code, max_age=31_536_000, samesite="Lax", httponly=True)


@page()
@require_http_methods(["GET", "POST"])
def purpose(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ask for the purpose of looking at what partners sent."""
    uses = request.GET.getlist("use") or request.POST.getlist("use")
    form = PurposeForm(request.POST or None, actor=actor, uses=uses, initial={"purpose": current_purpose(request)})
    if form.is_valid():
        set_purpose(request, actor, form.cleaned_data["purpose"], utc_now())
        return redirect(safe_next(request) or settings.LOGIN_REDIRECT_URL)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(
        request, "console/purpose.html", {"form": form, "next": safe_next(request), "uses": uses}, status=status
    )
