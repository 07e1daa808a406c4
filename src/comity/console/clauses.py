"""The clause library: ready articles by instrument, with their sources and how well those were checked."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from comity.agreements.library import Clause, Instrument, clause_of, shipped_library, text_of, values_by_default
from comity.common import Actor
from comity.console.access import page
from comity.console.changes import spoken
from comity.console.composing import bounds_of
from comity.console.forms import ConsoleForm, choose
from comity.console.passages import backing_of
from comity.exchange.selectors import partners

# A second party for the text of a clause where none is introduced yet.
_ANYBODY = "XX"


class ClausesForm(ConsoleForm):
    """What is looked for in the library."""

    q = forms.CharField(label=gettext_lazy("Words"), required=False, max_length=100)
    instrument = forms.ChoiceField(label=gettext_lazy("Instrument"), required=False)
    effect = forms.ChoiceField(label=gettext_lazy("Permits or prohibits"), required=False)

    def __init__(self, data: object) -> None:
        super().__init__(data)
        self.fields["q"].widget.attrs["type"] = "search"
        every = [(each.id, each.title.in_(spoken())) for each in shipped_library().instruments]
        choose(self, "instrument", [("", _("any")), *every])
        choose(self, "effect", [("", _("any")), ("permit", _("permits")), ("prohibit", _("prohibits"))])


@page()
@require_GET
def clauses(request: HttpRequest, _actor: Actor) -> HttpResponse:
    """The ready articles, by the treaty or custom from which they come."""
    form = ClausesForm(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    shown = [
        (instrument, found)
        for instrument in shipped_library().instruments
        if asked.get("instrument") in ("", None, instrument.id)
        if (found := [each for each in instrument.clauses if _is_meant(each, instrument, asked)])
    ]
    context = {
        "form": form,
        "instruments": shown,
        "count": sum(len(found) for _instrument, found in shown),
        "is_narrowed": any(asked.values()),
        "section": "agreements",
        "part": "clauses",
    }
    return render(request, "console/clauses.html", context)


@page()
@require_GET
def clause(request: HttpRequest, _actor: Actor, clause_id: str) -> HttpResponse:
    """One ready article: its text with the usual values, its source, and what can be chosen in it."""
    library = shipped_library()
    found = clause_of(library, clause_id)
    other = next((each.administration for each in partners()), _ANYBODY)
    values = values_by_default(found, (settings.COMITY_ADMINISTRATION, other))
    language = spoken()
    context = {
        "clause": found,
        "instrument": next(each for each in library.instruments if each.id == found.instrument),
        "text": text_of(found, values, language),
        "note": found.note.in_(language) if found.note.texts else "",
        "effect": str(found.form["effect"]),
        "backing": backing_of(found.source, found.tag, found.is_verified),
        "parameters": [(each, bounds_of(each)) for each in found.parameters],
        "used_in": [each for each in library.templates if found.id in {placed.clause for placed in each.articles}],
        "section": "agreements",
        "part": "clauses",
    }
    return render(request, "console/clause.html", context)


def _is_meant(each: Clause, instrument: Instrument, asked: dict[str, str]) -> bool:
    if asked.get("effect") and each.form["effect"] != asked["effect"]:
        return False
    language = spoken()
    told = [each.id, each.source, instrument.title.in_(language), each.title.in_(language), each.text.in_(language)]
    whole = " ".join(told).casefold()
    return all(part in whole for part in asked.get("q", "").casefold().split())
