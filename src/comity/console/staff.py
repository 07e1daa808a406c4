"""Officers, systems and the audit."""

from __future__ import annotations

from datetime import UTC, datetime, time
from http import HTTPStatus

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from comity.common import Actor, ComityError, utc_now
from comity.console.access import page
from comity.console.forms import ConsoleForm
from comity.console.words import word
from comity.staff import Permission, PermissionRefusedError, Role, may, require, second_factor, selectors, services
from comity.staff.selectors import AuditFilter

AUDIT_PAGE = 100


def role_choices(*, with_system: bool) -> list[tuple[str, str]]:
    """Roles to choose from; `system` is for programs only."""
    return [(role.value, str(word(role.value))) for role in Role if with_system or role is not Role.SYSTEM]


class RolesForm(ConsoleForm):
    """The roles of an officer."""

    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Roles"),
        widget=forms.CheckboxSelectMultiple,
        choices=lambda: role_choices(with_system=False),
        error_messages={"required": gettext_lazy("Choose at least one role")},
    )


class OfficerForm(RolesForm):
    """A new officer."""

    username = forms.CharField(
        label=gettext_lazy("User name"),
        help_text=gettext_lazy("Letters a-z, digits, dots and hyphens"),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
        error_messages={"required": gettext_lazy("Enter a user name")},
    )
    full_name = forms.CharField(
        label=gettext_lazy("Name"), max_length=200, error_messages={"required": gettext_lazy("Enter the name")}
    )
    password = forms.CharField(
        label=gettext_lazy("First password"),
        help_text=gettext_lazy("At least twelve characters; tell it to the officer by another road than this node"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": gettext_lazy("Enter a first password")},
    )
    second_factor = forms.BooleanField(
        label=gettext_lazy("Sign-in also asks for a code from an authenticator app"), required=False
    )
    field_order = ["username", "full_name", "roles", "password", "second_factor"]


class TokenForm(ConsoleForm):
    """A new token of a program."""

    name = forms.CharField(
        label=gettext_lazy("Name of the program"),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
        error_messages={"required": gettext_lazy("Enter a name")},
    )
    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Roles"),
        widget=forms.CheckboxSelectMultiple,
        choices=lambda: role_choices(with_system=True),
        error_messages={"required": gettext_lazy("Choose at least one role")},
    )
    days = forms.IntegerField(
        label=gettext_lazy("Valid for this many days"), initial=services.TOKEN_DAYS, min_value=1, max_value=1095
    )
    days.is_narrow = True  # type: ignore[attr-defined]  # read by the template


class AuditForm(ConsoleForm):
    """What the audit is searched for."""

    actor = forms.CharField(label=gettext_lazy("Who"), required=False, max_length=100)
    deed = forms.ChoiceField(label=gettext_lazy("Deed"), required=False)
    subject = forms.CharField(label=gettext_lazy("About"), required=False, max_length=100)
    since = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    before = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def wanted(self) -> AuditFilter:
        """The filter of a valid form; a form that is not valid asks for everything."""
        if not self.is_valid():
            return AuditFilter()
        asked = self.cleaned_data
        since = asked["since"] and datetime.combine(asked["since"], time.min, UTC)
        return AuditFilter(
            actor=asked["actor"],
            deed=asked["deed"],
            subject=asked["subject"],
            since=since or None,
            before=asked["before"],
        )


@page(Permission.VIEW_AUDIT)
@require_GET
def audit(request: HttpRequest, _actor: Actor) -> HttpResponse:
    """Who did what to what, when; newest first."""
    form = AuditForm(request.GET)
    form.fields["deed"].choices = [("", _("any"))] + [  # type: ignore[attr-defined]  # it is a ChoiceField
        (deed, str(word(deed))) for deed in selectors.deeds()
    ]
    entries = selectors.audit_entries(form.wanted(), limit=AUDIT_PAGE + 1)
    context = {
        "form": form,
        "entries": entries[:AUDIT_PAGE],
        "older": entries[AUDIT_PAGE - 1].pk if len(entries) > AUDIT_PAGE else None,
    }
    return render(request, "console/audit.html", context)


@page()
@require_GET
def officers(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Who may sign in, and which programs have a token."""
    if not may(actor, Permission.VIEW_AUDIT):
        require(actor, Permission.MANAGE_OFFICERS)
    context = {"officers": selectors.officers(), "tokens": selectors.tokens(), "now": utc_now()}
    return render(request, "console/officers.html", context)


@page(Permission.MANAGE_OFFICERS)
@require_http_methods(["GET", "POST"])
def add_officer(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Let a person sign in."""
    form = OfficerForm(request.POST or None)
    if form.is_valid():
        try:
            made = _create(actor, form)
        except PermissionRefusedError:
            raise
        except ComityError as error:
            form.add_refusal(error)
        else:
            messages.success(request, _("%(name)s may sign in now.") % {"name": made})
            return redirect("console:officers")
    return _form_page(request, form, _("Add an officer"), _("Add"))


def _create(actor: Actor, form: OfficerForm) -> str:
    given, at = form.cleaned_data, utc_now()
    made = services.create_officer(
        actor,
        username=given["username"],
        full_name=given["full_name"],
        roles=given["roles"],
        password=given["password"],
        at=at,
    )
    if given["second_factor"]:
        services.require_second_factor(actor, username=made.username, is_required=True, at=at)
    return made.full_name


@page(Permission.MANAGE_OFFICERS)
@require_http_methods(["GET", "POST"])
def change_roles(request: HttpRequest, actor: Actor, username: str) -> HttpResponse:
    """Give an officer exactly these roles."""
    officer = selectors.officer(username)
    form = RolesForm(request.POST or None, initial={"roles": list(officer.roles)})
    if form.is_valid():
        services.set_roles(actor, username=username, roles=form.cleaned_data["roles"], at=utc_now())
        messages.success(request, _("The roles of %(name)s were changed.") % {"name": officer.full_name})
        return redirect("console:officers")
    return _form_page(request, form, _("Roles of %(name)s") % {"name": officer.full_name}, _("Save"))


@page(Permission.MANAGE_OFFICERS)
@require_POST
def disable_officer(request: HttpRequest, actor: Actor, username: str) -> HttpResponse:
    """Let an officer sign in no more."""
    services.disable_officer(actor, username=username, at=utc_now())
    messages.success(request, _("%(name)s may not sign in any more.") % {"name": username})
    return redirect("console:officers")


@page(Permission.MANAGE_OFFICERS)
@require_POST
def change_second_factor(request: HttpRequest, actor: Actor, username: str) -> HttpResponse:
    """Require a second factor, require it no more, or forget a lost app."""
    wish, at = request.POST.get("wish"), utc_now()
    if wish == "forget":
        second_factor.remove_second_factor(actor, username=username, at=at)
        messages.success(request, _("The authenticator app of %(name)s is forgotten.") % {"name": username})
    elif wish in {"require", "release"}:
        services.require_second_factor(actor, username=username, is_required=wish == "require", at=at)
        messages.success(request, _("The second factor of %(name)s was changed.") % {"name": username})
    return redirect("console:officers")


@never_cache
@page(Permission.MANAGE_SYSTEMS)
@require_http_methods(["GET", "POST"])
def issue_token(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Make a token for a program; its text is on the answer to this form and nowhere else."""
    form = TokenForm(request.POST or None)
    if form.is_valid():
        given = form.cleaned_data
        try:
            text = services.issue_token(
                actor, name=given["name"], roles=given["roles"], officer=None, at=utc_now(), days=given["days"]
            )
        except PermissionRefusedError:
            raise
        except ComityError as error:
            form.add_refusal(error)
        else:
            return render(request, "console/token.html", {"token": text, "name": given["name"], "section": "officers"})
    return _form_page(request, form, _("Issue a token to a program"), _("Issue"))


@page(Permission.MANAGE_SYSTEMS)
@require_POST
def revoke_token(request: HttpRequest, actor: Actor, name: str) -> HttpResponse:
    """Make a token useless."""
    services.revoke_token(actor, name=name, at=utc_now())
    messages.success(request, _("The token %(name)s is revoked.") % {"name": name})
    return redirect("console:officers")


def _form_page(request: HttpRequest, form: ConsoleForm, title: str, button: str) -> HttpResponse:
    context = {"form": form, "heading": title, "button": button, "section": "officers"}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "console/staff_form.html", context, status=status)
