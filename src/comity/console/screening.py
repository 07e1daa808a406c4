"""Hits of the screening: what waits for a decision, and both sides of one hit beside each other."""

from __future__ import annotations

from http import HTTPStatus

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from comity.common import Actor, utc_now
from comity.console.access import page
from comity.console.forms import ConsoleForm
from comity.console.reason_shapes import say_roles, say_word
from comity.console.reason_words import KINDS, PARTS, RESULTS, VERDICTS
from comity.registers import RegisterKind
from comity.registers.selectors import in_force
from comity.risk.hits import HitView, decide_hit, decided_hits, hit, open_hits
from comity.risk.screening import Verdict
from comity.staff import Permission

# What is known of a side, in the order in which it is shown.
SIDES = {
    "name": gettext_lazy("Name"),
    "other_names": gettext_lazy("Other names"),
    "part": gettext_lazy("Part in the consignment"),
    "kind": gettext_lazy("Kind"),
    "born": gettext_lazy("Born"),
    "country": gettext_lazy("Country"),
    "countries": gettext_lazy("Countries"),
    "numbers": gettext_lazy("Numbers"),
    "list": gettext_lazy("List"),
    "list_of": gettext_lazy("List of"),
    "publisher": gettext_lazy("Publisher"),
    "entry": gettext_lazy("Entry"),
    "program": gettext_lazy("Program"),
    "listed_on": gettext_lazy("Listed on"),
    "note": gettext_lazy("Note"),
}


class DecisionForm(ConsoleForm):
    """Whether both sides are the same, and why."""

    verdict = forms.ChoiceField(
        label=gettext_lazy("Decision"),
        choices=lambda: list(VERDICTS.items()),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose one")},
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        min_length=3,
        max_length=500,
        error_messages={"required": gettext_lazy("Say in a sentence what tells them apart, or one")},
    )


@page(Permission.VIEW_CONSIGNMENTS)
@require_GET
def screening(request: HttpRequest, _actor: Actor) -> HttpResponse:
    """Hits that wait for a decision, the heaviest first, and the latest decisions."""
    page_no = request.GET.get("page", "")
    lists = [version for version in in_force() if version.kind is RegisterKind.WATCH_LIST]
    decided = [(ref, ours, theirs, made, VERDICTS[made.verdict]) for ref, ours, theirs, made in decided_hits()]
    found = open_hits(int(page_no) if page_no.isascii() and page_no.isdigit() else 1)
    context = {"result": found, "lists": lists, "decided": decided}
    return render(request, "console/screening.html", context)


@page(Permission.VIEW_CONSIGNMENTS)
@require_http_methods(["GET", "POST"])
def screening_hit(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Both sides of one hit, which parts agree, and the decision."""
    ref = request.GET.get("hit", "")
    view = hit(ref)
    form = DecisionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        verdict = Verdict(form.cleaned_data["verdict"])
        changed = decide_hit(actor, ref=ref, verdict=verdict, reason=form.cleaned_data["reason"], at=utc_now())
        messages.success(
            request,
            _("Decided: %(verdict)s. Consignments assessed again: %(count)d.")
            % {"verdict": VERDICTS[verdict], "count": len(changed)},
        )
        return redirect("console:screening")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    context = {
        "view": view,
        "form": form,
        "ours": _side(view.ours),
        "theirs": _side(view.theirs),
        "parts": _parts(view),
    }
    context["earlier"] = [(VERDICTS[made.verdict], made) for made in view.earlier]
    context["verdict"] = VERDICTS[view.decision.verdict] if view.decision else ""
    return render(request, "console/screening_hit.html", context, status=status)


def _side(known: object) -> list[tuple[object, str]]:
    told = dict(known) if isinstance(known, dict) else {}
    if "part" in told:
        told["part"] = say_roles(told["part"])
    if "kind" in told:
        told["kind"] = say_word(told["kind"], KINDS)
    return [(label, told[name]) for name, label in SIDES.items() if told.get(name)]


def _parts(view: HitView) -> list[tuple[object, str, str, object, str]]:
    rows: list[tuple[object, str, str, object, str]] = []
    for part in view.parts:
        result, _space, effect = part.effect.partition(" ")
        rows.append(
            (PARTS.get(part.feature, part.feature), part.ours, part.theirs, RESULTS.get(result, result), effect)
        )
    return rows
