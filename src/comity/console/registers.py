"""Watch lists and registers in force: what they are, how old, what was left out of them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from comity.common import Actor
from comity.console.access import page
from comity.registers import RegisterKind
from comity.registers.selectors import history, in_force, search_entries, version
from comity.staff import Permission

KINDS = {
    RegisterKind.WATCH_LIST: _("Watch lists"),
    RegisterKind.TRADERS: _("Authorised economic operators"),
    RegisterKind.CONTROLS: _("Controlled goods and licences"),
    RegisterKind.RIGHTS: _("Recorded rights"),
    RegisterKind.SPECIES: _("Protected species (CITES)"),
    RegisterKind.ROUTES: _("Embargoes and watched routes"),
}


@page(Permission.VIEW_CONSIGNMENTS)
@require_GET
def registers(request: HttpRequest, _actor: Actor) -> HttpResponse:
    """What is in force, by kind."""
    every = in_force()
    kinds = [(kind, label, [each for each in every if each.kind is kind]) for kind, label in KINDS.items()]
    return render(request, "console/registers.html", {"kinds": kinds, "section": "screening"})


@page(Permission.VIEW_CONSIGNMENTS)
@require_GET
def register(request: HttpRequest, _actor: Actor, code: str) -> HttpResponse:
    """One list: its versions, the rows that were left out, and a search in its entries."""
    text = request.GET.get("q", "").strip()[:100]
    found = search_entries(code, text) if text else []
    context = {
        "version": version(code),
        "versions": history(code),
        "text": text,
        "found": found,
        "section": "screening",
    }
    return render(request, "console/register.html", context)
