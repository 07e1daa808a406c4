"""A draft from a template of the library: parties, parameters, which articles, and further clauses."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from http import HTTPStatus

from django import forms
from django.conf import settings
from django.contrib import messages
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from comity.agreements import HANDLINGS, AgreementFormError, Onward, parse_agreement
from comity.agreements.library import (
    Clause,
    Composition,
    CompositionError,
    Library,
    Parameter,
    Template,
    UnknownClauseError,
    clause_of,
    compose,
    shipped_library,
    template_of,
)
from comity.agreements.library.values import ParameterType, Placed
from comity.agreements.vocabulary import CATEGORIES, KINDS, PURPOSES, RISK_TYPES
from comity.common import Actor, ComityError
from comity.console.access import page
from comity.console.changes import spoken
from comity.console.forms import ConsoleForm, choose, worded
from comity.console.negotiation import TextForm, text_page
from comity.console.words import word
from comity.exchange.selectors import partners
from comity.staff import Permission

_LANGUAGES = {"en": "English", "fr": "Français"}
_CHOSEN = {
    ParameterType.KINDS: KINDS,
    ParameterType.PURPOSES: PURPOSES,
    ParameterType.CATEGORIES: CATEGORIES,
    ParameterType.RISK_TYPES: RISK_TYPES,
}
_NAMED = re.compile(r"parameter '(\w+)'|needs '(\w+)'")


@dataclass(frozen=True, slots=True)
class ArticleFields:
    """One article of a template and the fields by which it is set otherwise. own: a clause that was added."""

    article_id: str
    clause: Clause
    fields: tuple[BoundField, ...]


class ComposeForm(ConsoleForm):
    """Who the parties are, what the parameters of the template are, and which of its articles stand."""

    articles = forms.MultipleChoiceField(
        label=gettext_lazy("Articles"),
        help_text=gettext_lazy("Those that are not ticked are left out"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one article")},
    )
    more = forms.MultipleChoiceField(
        label=gettext_lazy("Further clauses of the library"),
        help_text=gettext_lazy("They come after the articles of the template, between all parties"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def __init__(self, template: Template, library: Library, data: object = None, more: tuple[str, ...] = ()) -> None:
        self.template, self.library = template, library
        placed = [each.article_id for each in template.articles]
        super().__init__(data, initial={"articles": placed, "more": list(more)})
        language = spoken()
        choose(self, "articles", [(each.article_id, self._title(each, language)) for each in template.articles])
        taken = {each.clause for each in template.articles}
        others = [each for each in library.clauses if each.id not in taken]
        choose(self, "more", [(each.id, each.title.in_(language)) for each in others])
        known = [each.administration for each in partners()]
        for place, role in enumerate(template.roles):
            self.fields[role.name] = _party_field(role, known, language, is_first=place == 0)
        for parameter in template.parameters:
            self.fields[parameter.name] = _field_of(parameter, language)
        for each in template.articles:
            for parameter in clause_of(library, each.clause).parameters:
                if parameter.type is not ParameterType.PARTIES:
                    self.fields[f"{each.article_id}.{parameter.name}"] = _field_of(parameter, language, is_own=True)

    @property
    def parties(self) -> list[BoundField]:
        """The fields of the roles."""
        return [self[each.name] for each in self.template.roles]

    @property
    def parameters(self) -> list[BoundField]:
        """The fields of the template's parameters."""
        return [self[each.name] for each in self.template.parameters]

    @property
    def own(self) -> list[ArticleFields]:
        """The articles with what can be set otherwise in each alone."""
        return [
            ArticleFields(
                each.article_id,
                clause_of(self.library, each.clause),
                tuple(self[name] for name in self.fields if name.startswith(f"{each.article_id}.")),
            )
            for each in self.template.articles
        ]

    def text(self) -> str:
        """The draft of a valid form. Raises: CompositionError, UnknownClauseError."""
        given = self.cleaned_data
        template = self._with_more(tuple(given["more"]))
        own = {f"{each.id}": template if each.id == template.id else each for each in self.library.templates}
        library = replace(self.library, templates=tuple(own.values()))
        names = [each for each in self.fields if each not in ("articles", "more", *self._roles)]
        chosen = {name: _joined(given[name]) for name in names if given[name]}
        kept = set(given["articles"])
        placed = [each.article_id for each in self.template.articles]
        without = tuple(each for each in placed if each not in kept)
        return compose(
            library,
            Composition(
                template=template.id,
                parties={name: _codes(given[name]) for name in self._roles},
                settings={name: text for name, text in chosen.items() if name.partition(".")[0] not in without},
                without=without,
            ),
        )

    def add_refused(self, error: ComityError) -> None:
        """Show what the library refused beside the field that it names."""
        found = _NAMED.search(error.what)
        name = next((each for each in found.groups() if each), "") if found else ""
        article = error.where.removeprefix("article ")
        own = f"{article}.{name}"
        where = own if own in self.fields else name if name in self.fields else ""
        self.add_refusal(type(error)(error.what, where=where or error.where, remedy=error.remedy))

    @property
    def _roles(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.template.roles)

    def _with_more(self, more: tuple[str, ...]) -> Template:
        numbers = [int(each.article_id) for each in self.template.articles if each.article_id.isdigit()]
        first = 1 + max(numbers, default=0)
        added = tuple(Placed(str(first + place), clause_id, {}) for place, clause_id in enumerate(more))
        return replace(self.template, articles=(*self.template.articles, *added))

    def _title(self, placed: Placed, language: str) -> str:
        return f"{placed.article_id}. {clause_of(self.library, placed.clause).title.in_(language)}"


@page(Permission.MANAGE_AGREEMENTS)
@require_GET
def templates(request: HttpRequest, _actor: Actor) -> HttpResponse:
    """The templates from which a draft can be made."""
    context = {
        "templates": shipped_library().templates,
        "clause": request.GET.get("clause", ""),
        "section": "agreements",
        "part": "compose",
    }
    return render(request, "console/templates.html", context)


@page(Permission.MANAGE_AGREEMENTS)
@require_http_methods(["GET", "POST"])
def composing(request: HttpRequest, _actor: Actor, template_id: str) -> HttpResponse:
    """The blanks of a template; what comes of them is a text that is gone on from."""
    library = shipped_library()
    template = template_of(library, template_id)
    wanted = request.GET.get("clause", "")
    data = request.POST if request.method == "POST" else None
    form = ComposeForm(template, library, data, more=(wanted,) if wanted else ())
    if form.is_valid():
        try:
            text = form.text()
            parse_agreement(text.encode())
        except (AgreementFormError, CompositionError, UnknownClauseError) as error:
            form.add_refused(error)
        else:
            messages.success(request, _("The draft is written. Go on from it here; nothing is signed yet."))
            return text_page(request, TextForm(initial={"text": text}))
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    context = {"template": template, "form": form, "section": "agreements", "part": "compose"}
    return render(request, "console/compose.html", context, status=status)


def _party_field(role: Parameter, known: list[str], language: str, *, is_first: bool) -> forms.CharField:
    codes = ", ".join([settings.COMITY_ADMINISTRATION, *known])
    return forms.CharField(
        label=_label(role, language),
        help_text=_("Codes with spaces between. Known here: %(codes)s") % {"codes": codes},
        initial=settings.COMITY_ADMINISTRATION if is_first else "",
        max_length=200,
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "spellcheck": "false"}),
        error_messages={"required": _("Name the parties")},
    )


def _field_of(parameter: Parameter, language: str, *, is_own: bool = False) -> forms.Field:
    """The field for a parameter. is_own: of one article alone, where empty means: as the template has it."""
    kind, label = parameter.type, _label(parameter, language)
    is_required = not is_own and parameter.default is None
    default = parameter.default if isinstance(parameter.default, str) else list(parameter.default or ())
    if kind in (ParameterType.HANDLING, ParameterType.ONWARD):
        return forms.ChoiceField(
            label=label,
            required=is_required,
            choices=[("", _("as the template has it") if is_own else _("as usual")), *worded(_words(parameter))],
            initial="" if is_own else default,
        )
    if kind in _CHOSEN or kind is ParameterType.LANGUAGES:
        words = parameter.among or _CHOSEN.get(kind, tuple(_LANGUAGES))
        choices = list(_LANGUAGES.items()) if kind is ParameterType.LANGUAGES else worded(words)
        return forms.MultipleChoiceField(
            label=label,
            required=is_required,
            choices=[each for each in choices if not parameter.among or each[0] in parameter.among],
            initial=[] if is_own else default,
            help_text=_usual(parameter) if is_own else "",
            widget=forms.CheckboxSelectMultiple,
        )
    field = forms.CharField(
        label=label,
        required=is_required,
        max_length=500,
        initial="" if is_own else _joined(default),
        help_text=_hint(parameter, is_own=is_own),
        widget=forms.DateInput(attrs={"type": "date"}) if kind is ParameterType.DAY else forms.TextInput(),
        error_messages={"required": _("This must be given")},
    )
    field.is_narrow = kind is not ParameterType.TEXT  # type: ignore[attr-defined]  # read by the template
    return field


def _words(parameter: Parameter) -> tuple[str, ...]:
    """The words that may stand, up to the bound."""
    words = parameter.among or (HANDLINGS if parameter.type is ParameterType.HANDLING else tuple(Onward))
    every = tuple(str(each) for each in words)
    return every[: every.index(parameter.most) + 1] if parameter.most in every else every


def _hint(parameter: Parameter, *, is_own: bool) -> str:
    forms_of = {
        ParameterType.TERM: _("A number and hours, calendar_days, working_days, months or years"),
        ParameterType.SIZE: _("Bytes, such as 1048576, or 4MiB"),
        ParameterType.GOODS: _("Two, four or six digits of HS codes, with spaces between"),
        ParameterType.PARTIES: _("Codes with spaces between"),
    }
    told = [forms_of.get(parameter.type, "")]
    if parameter.least and not parameter.type.is_list:
        told.append(_("At least %(bound)s") % {"bound": parameter.least})
    if parameter.most and not parameter.type.is_list:
        told.append(_("At most %(bound)s") % {"bound": parameter.most})
    told.append(_usual(parameter) if is_own else "")
    return ". ".join(each for each in told if each)


def bounds_of(parameter: Parameter) -> str:
    """What may stand there: its form, its bounds and what is usual."""
    return _hint(parameter, is_own=True)


def _usual(parameter: Parameter) -> str:
    if not parameter.default:
        return ""
    words = (parameter.default,) if isinstance(parameter.default, str) else parameter.default
    return _("Usually: %(value)s") % {"value": ", ".join(str(word(each)) for each in words)}


def _label(parameter: Parameter, language: str) -> str:
    return parameter.help.in_(language).removesuffix(".")


def _codes(text: str) -> tuple[str, ...]:
    return tuple(text.upper().replace(",", " ").split())


def _joined(value: object) -> str:
    return value if isinstance(value, str) else ",".join(str(each) for each in value)  # type: ignore[attr-defined]
