"""Forms in GOV.UK markup: label, hint, error and control in that order; a summary of errors above."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from comity.common import ComityError
from comity.console.words import in_english, word


class ConsoleForm(forms.Form):
    """A form whose fields say what is wrong, beside the field and in the summary."""

    template_name = "console/form.html"
    required_css_class = "required"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self.use_required_attribute = False

    def as_hidden_fields(self) -> SafeString:
        """Every value as a hidden input, for a form of two steps."""
        return mark_safe("".join(field.as_hidden() for field in self))  # noqa: S308  # widgets escape their values

    def add_refusal(self, error: ComityError) -> None:
        """Show what a room refused: beside the field that it names, else above all fields."""
        field = error.where if error.where in self.fields else None
        advice = f" {error.remedy}" if error.remedy else ""
        place = f" ({error.where})" if error.where and field is None else ""
        self.add_error(field, in_english(f"{error.what}{place}.{advice}".replace("..", ".")))


class SignInForm(ConsoleForm):
    """User name and password."""

    username = forms.CharField(
        label=_("User name"),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
        error_messages={"required": _("Enter your user name")},
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("Enter your password")},
    )


class CodeForm(ConsoleForm):
    """The six digits of an authenticator app."""

    code = forms.CharField(
        label=_("Code from your authenticator app"),
        help_text=_("Six digits that change every half minute"),
        max_length=8,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}),
        error_messages={"required": _("Enter the six digits")},
    )


def worded(words: Iterable[str]) -> list[tuple[str, str]]:
    """Choices of a form: each word with what people read for it."""
    return [(str(each), _first_capital(str(word(str(each))))) for each in words]


def choose(form: forms.Form, name: str, choices: list[tuple[str, str]]) -> None:
    """Let a field of the form offer these choices."""
    field = form.fields[name]
    if isinstance(field, forms.ChoiceField):
        field.choices = choices


def safe_next(request: HttpRequest) -> str:
    """Where the request wants to go on, only within this node; else nothing."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    is_safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if is_safe else ""


def _first_capital(text: str) -> str:
    return text[:1].upper() + text[1:]
