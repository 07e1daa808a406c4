"""Forms that come of a procedure's file: what an event says, whom an opening is for. Values are those of the wire."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from comity.agreements.procedures import (
    GROUNDS,
    LAW_REFERENCE,
    REASON,
    Event,
    Field,
    FieldType,
    GroundRule,
    Procedure,
    Role,
)
from comity.common import ComityError
from comity.console.case_words import condition_words, ground_words, label_of, language, refusal_words
from comity.console.forms import ConsoleForm, choose, worded
from comity.console.offers import Offer
from comity.operations import Party, is_value, parties_of, value_of
from comity.operations.checking import MOST_LAW_TEXT
from comity.operations.fields import MOST_LONG_TEXT, MOST_TEXT

SAY, WHO = "say_", "who_"
# Fewer words than this stand as radio buttons, so that all are seen at once.
_MOST_RADIOS = 7
_LOCAL_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?")
_HINTS: Mapping[FieldType, str | Promise] = {
    FieldType.NUMBER: gettext_lazy("A number, such as 12.5"),
    FieldType.MONEY: gettext_lazy("An amount and a currency, such as 12.50 EUR"),
    FieldType.COUNTRY: gettext_lazy("The two letters of the country, such as FR"),
    FieldType.HS: gettext_lazy("2 to 10 digits"),
    FieldType.HS_CODES: gettext_lazy("2 to 10 digits each, with commas between them"),
    FieldType.REFS: gettext_lazy("With commas between them"),
    FieldType.TEXTS: gettext_lazy("One on each line"),
    FieldType.INSTANT: gettext_lazy("Day and time in UTC"),
    FieldType.FILE: gettext_lazy("The SHA-256 of the file: 64 letters and digits"),
}
_AREAS = {FieldType.LONG_TEXT: 3, FieldType.TEXTS: 3}
_MOST = {FieldType.TEXT: MOST_TEXT, FieldType.LONG_TEXT: MOST_LONG_TEXT, FieldType.REF: 200}


class WireField(forms.CharField):
    """A field of a procedure as a person writes it; its value is that of the wire, None where nothing was written."""

    def __init__(self, field: Field, **options: Any) -> None:
        super().__init__(strip=True, **options)
        self._field = field

    def clean(self, value: object) -> object:
        """Raises: ValidationError where this is no value of the field."""
        text = str(super().clean(value) or "").replace("\r\n", "\n")
        if not text:
            return None
        if self._field.type is FieldType.INSTANT and _LOCAL_INSTANT.fullmatch(text):
            text = f"{text}Z" if text.count(":") == 2 else f"{text}:00Z"
        if self._field.type in (FieldType.COUNTRY, FieldType.MONEY):
            text = text.upper()
        wire = value_of(self._field, text)
        if not is_value(self._field, wire):
            raise ValidationError(_not_in_its_form(self._field))
        return wire


class EventForm(ConsoleForm):
    """What an event of a procedure says. parties: administrations as choices, for fields that name one."""

    def __init__(
        self, data: object, *, procedure: Procedure, event: Event, parties: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(data)
        self.procedure, self.event = procedure, event
        for name in (*event.needs, *event.may):
            self.fields[SAY + name] = form_field(procedure.field(name), parties, is_needed=name in event.needs)
        if event.grounds is not GroundRule.NONE:
            self.fields |= _ground_fields(procedure, event)

    @property
    def condition(self) -> str:
        """On which condition the step depends; empty: on none."""
        return condition_words(self.procedure, self.event)

    @property
    def said_fields(self) -> list[BoundField]:
        """The fields of the event, in its order."""
        return [self[name] for name in self.fields if name.startswith(SAY)]

    def said(self) -> dict[str, object]:
        """What a valid form says; what was left empty is not said."""
        given = {name.removeprefix(SAY): value for name, value in self.cleaned_data.items() if name.startswith(SAY)}
        said = {name: value for name, value in given.items() if value not in (None, "", [])}
        if isinstance(said.get(GROUNDS), str):
            said[GROUNDS] = [said[GROUNDS]]
        return said

    def clean(self) -> dict[str, object]:
        """A ground that rests on a law needs the law beside it."""
        given = cast(dict[str, object], super().clean())
        chosen = given.get(SAY + GROUNDS) or []
        named = [chosen] if isinstance(chosen, str) else cast(list[str], chosen)
        if any(self.procedure.ground(each).needs_law for each in named) and not given.get(SAY + LAW_REFERENCE):
            self.add_error(SAY + LAW_REFERENCE, _("Name the law and its article: this ground rests on them"))
        return given

    def add_refusal(self, error: ComityError) -> None:
        """What a room refused: beside the field that it names, else above all."""
        name = SAY + error.where.removeprefix("fields.")
        is_named = error.where.startswith("fields.") and name in self.fields
        self.add_error(name if is_named else None, refusal_words(error))


class OpeningForm(EventForm):
    """The first step of a case: who takes part, for what, how sensitive, and what the event says."""

    purpose = forms.ChoiceField(label=gettext_lazy("Purpose at the partner"))
    handling = forms.ChoiceField(
        label=gettext_lazy("Handling level"),
        help_text=gettext_lazy("From restricted upwards a second officer approves"),
        widget=forms.RadioSelect,
    )

    def __init__(
        self, data: object, *, offer: Offer, partners: Mapping[str, str], parties: Sequence[tuple[str, str]]
    ) -> None:
        super().__init__(data, procedure=offer.procedure, event=offer.event, parties=parties)
        self.offer = offer
        names = [(code, f"{partners.get(code, code)} ({code})") for code in offer.partners]
        choose(self, "purpose", worded(offer.purposes))
        choose(self, "handling", worded(offer.handlings))
        self.fields["handling"].initial = "official" if "official" in offer.handlings else offer.handlings[0]
        for role in offer.open_roles:
            self.fields[WHO + role.name] = _who_field(role, names)
        self.order_fields([WHO + role.name for role in offer.open_roles])

    @property
    def who_fields(self) -> list[BoundField]:
        """Who plays the other roles."""
        return [self[name] for name in self.fields if name.startswith(WHO)]

    def parties(self, us: str) -> tuple[Party, ...]:
        """Who takes part by a valid form, ourselves among them."""
        roles: dict[str, tuple[str, ...]] = {self.offer.role: (us,)}
        for name, value in self.cleaned_data.items():
            if name.startswith(WHO):
                codes = (value,) if isinstance(value, str) else tuple(value)
                role = name.removeprefix(WHO)
                roles[role] = (*roles.get(role, ()), *(each for each in codes if each))
        return parties_of(roles)


def form_field(field: Field, parties: Iterable[tuple[str, str]], *, is_needed: bool) -> forms.Field:
    """The form field of a field of a procedure."""
    label = field.label.in_(language())
    common: dict[str, Any] = {
        "label": label if is_needed else _("%(label)s (optional)") % {"label": label},
        "help_text": _help(field),
        "required": is_needed,
        "error_messages": {"required": _("Say this: %(label)s") % {"label": label}},
    }
    words = [(word, each.in_(language())) for word, each in field.words]
    match field.type:
        case FieldType.FLAG:
            yes_or_no = [("true", _("Yes")), ("false", _("No"))]
            return forms.TypedChoiceField(
                choices=yes_or_no,
                widget=forms.RadioSelect,
                coerce=lambda text: text == "true",
                empty_value=None,
                **common,
            )
        case FieldType.WORD:
            return _choice(words, common)
        case FieldType.PARTY:
            return _choice(list(parties), common)
        case FieldType.WORDS:
            return forms.MultipleChoiceField(choices=words, widget=forms.CheckboxSelectMultiple, **common)
        case FieldType.PARTIES:
            return forms.MultipleChoiceField(choices=list(parties), widget=forms.CheckboxSelectMultiple, **common)
        case _:
            return WireField(field, widget=_widget(field), max_length=_MOST.get(field.type, MOST_LONG_TEXT), **common)


def _choice(choices: list[tuple[str, str]], common: dict[str, Any]) -> forms.ChoiceField:
    if len(choices) < _MOST_RADIOS and common["required"]:
        return forms.ChoiceField(choices=choices, widget=forms.RadioSelect, **common)
    return forms.ChoiceField(choices=[("", "–"), *choices], **common)


def _widget(field: Field) -> forms.Widget:
    if field.type in _AREAS:
        return forms.Textarea(attrs={"rows": _AREAS[field.type]})
    kinds = {FieldType.DATE: "date", FieldType.INSTANT: "datetime-local"}
    return forms.TextInput(attrs={"type": kinds.get(field.type, "text")})


def _help(field: Field) -> str:
    """The field's own help, the form of its value, whether it names persons, and the clause that asks for it."""
    own = field.help.in_(language()).removesuffix(".") if field.help else ""
    personal = _("Personal data") if field.is_personal else ""
    return " · ".join(part for part in (own, str(_HINTS.get(field.type, "")), personal, field.source) if part)


def _not_in_its_form(field: Field) -> str:
    label, hint = field.label.in_(language()), _HINTS.get(field.type)
    if hint:
        return _("%(label)s: %(hint)s") % {"label": label, "hint": hint}
    return _("%(label)s: this cannot be read; write plain text in one line") % {"label": label}


def _ground_fields(procedure: Procedure, event: Event) -> dict[str, forms.Field]:
    choices = [(each.name, _ground(procedure, each.name)) for each in procedure.grounds_of(event)]
    missing = {"required": _("Choose the ground"), "invalid_choice": _("Choose one of the grounds")}
    grounds: forms.Field
    if event.grounds is GroundRule.ONE:
        grounds = forms.ChoiceField(
            label=label_of(procedure, GROUNDS), choices=choices, widget=forms.RadioSelect, error_messages=missing
        )
    else:
        grounds = forms.MultipleChoiceField(
            label=label_of(procedure, GROUNDS),
            choices=choices,
            widget=forms.CheckboxSelectMultiple,
            error_messages=missing,
        )
    law = forms.CharField(
        label=label_of(procedure, LAW_REFERENCE),
        help_text=_("Needed where the ground rests on a law"),
        required=False,
        max_length=MOST_LAW_TEXT,
    )
    reason = forms.CharField(
        label=_("Reason in words (optional)"),
        help_text=_("The partner reads it"),
        required=False,
        max_length=MOST_LAW_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    return {SAY + GROUNDS: grounds, SAY + LAW_REFERENCE: law, SAY + REASON: reason}


def _ground(procedure: Procedure, name: str) -> str:
    ground = procedure.ground(name)
    law = f" – {_('name the law')}" if ground.needs_law else ""
    source = f" ({ground.source})" if ground.source else ""
    return f"{ground_words(procedure, name)}{source}{law}"


def _who_field(role: Role, names: list[tuple[str, str]]) -> forms.Field:
    missing = {"required": _("Choose who takes part")}
    label = role.title.in_(language())
    if role.is_many:
        return forms.MultipleChoiceField(
            label=label, choices=names, widget=forms.CheckboxSelectMultiple, error_messages=missing
        )
    initial = names[0][0] if len(names) == 1 else None
    return forms.ChoiceField(
        label=label, choices=names, widget=forms.RadioSelect, initial=initial, error_messages=missing
    )
