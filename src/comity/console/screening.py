"""Hits of the screening: what waits for a decision, and both sides of one hit beside each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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
from comity.console.asked import page_number
from comity.console.forms import ConsoleForm
from comity.console.purpose import look_of
from comity.console.reason_shapes import say_day, say_roles, say_word
from comity.console.reason_words import KINDS, PARTS, RESULTS, VERDICTS
from comity.console.templatetags.comity import country
from comity.journeys.look import Veil, see_signals
from comity.registers import RegisterKind
from comity.registers.selectors import in_force
from comity.risk.hit_advice import Advice, advice_on, advice_on_hits, asked_of, told_of
from comity.risk.hits import HitPage, HitView, decide_hit, decided_hits, hit, open_hits
from comity.risk.screening import Verdict
from comity.staff import Permission
from comity.trade.knowledge import HitGround, TagBy

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


GROUNDS = {
    HitGround.BIRTH_DATE: gettext_lazy("The birth date"),
    HitGround.NUMBER: gettext_lazy("A number, such as of a passport or a register"),
    HitGround.COUNTRY: gettext_lazy("The country"),
    HitGround.NAME: gettext_lazy("The name itself"),
    HitGround.KIND: gettext_lazy("A person is no company, a company no ship"),
    HitGround.DOCUMENTS: gettext_lazy("Documents that were seen"),
    HitGround.OTHER: gettext_lazy("Something else"),
}
BY = {TagBy.NUMBER: gettext_lazy("by a number"), TagBy.NAME: gettext_lazy("by its name and country")}


class DecisionForm(ConsoleForm):
    """Whether both sides are the same, and why."""

    verdict = forms.ChoiceField(
        label=gettext_lazy("Decision"),
        choices=lambda: list(VERDICTS.items()),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose one")},
    )
    ground = forms.ChoiceField(
        label=gettext_lazy("What tells them apart, or makes them one"),
        help_text=gettext_lazy("As a word: where an article permits it, partners may be told this, and not the reason"),
        choices=lambda: list(GROUNDS.items()),
        initial=HitGround.OTHER,
        required=False,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        min_length=3,
        max_length=500,
        error_messages={"required": gettext_lazy("Say in a sentence what tells them apart, or one")},
    )


@dataclass(frozen=True, slots=True)
class Told:
    """That a partner decided of a hit, and what, where it may be seen."""

    partner: str
    veil: Veil
    verdict: object
    decided_at: datetime


@page(Permission.VIEW_CONSIGNMENTS)
@require_GET
def screening(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Hits that wait for a decision, the heaviest first, each with what partners decided; and the latest decisions."""
    lists = [version for version in in_force() if version.kind is RegisterKind.WATCH_LIST]
    decided = [(ref, ours, theirs, made, VERDICTS[made.verdict]) for ref, ours, theirs, made in decided_hits()]
    found = open_hits(page_number(request.GET.get("page", "")))
    context = {"result": found, "lists": lists, "decided": decided, "advice": _told_by(request, actor, found)}
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
        ground, reason = HitGround(form.cleaned_data["ground"] or HitGround.OTHER), form.cleaned_data["reason"]
        changed = decide_hit(actor, ref=ref, verdict=verdict, ground=ground, reason=reason, at=utc_now())
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
        "section": "screening",
    }
    context |= _partners_part(request, actor, view)
    context["earlier"] = [(VERDICTS[made.verdict], made) for made in view.earlier]
    context["verdict"] = VERDICTS[view.decision.verdict] if view.decision else ""
    context["ground"] = GROUNDS[view.decision.ground] if view.decision else ""
    return render(request, "console/screening_hit.html", context, status=status)


def _told_by(request: HttpRequest, actor: Actor, found: HitPage) -> dict[str, list[Told]]:
    """What partners decided of the hits on a page, as far as the actor may see it; the latest word of each partner."""
    advice = advice_on_hits([row.ref for row in found.rows])
    sources = [(each.issuer, each.message_id) for every in advice.values() for each in every]
    veils = see_signals(look_of(request, actor), sources) if sources else {}
    shown: dict[str, list[Told]] = {}
    for ref, every in advice.items():
        latest: dict[str, Advice] = {}
        for each in every:
            latest.setdefault(each.issuer, each)
        shown[ref] = [
            Told(each.issuer, veil, VERDICTS[Verdict(each.verdict.value)], each.decided_at)
            for each in latest.values()
            if (veil := veils.get((each.issuer, each.message_id))) is not None
        ]
    return shown


def _partners_part(request: HttpRequest, actor: Actor, view: HitView) -> dict[str, object]:
    """What partners decided of the same, as far as the actor may see it, whom we asked and whom we told."""
    advice = advice_on(view)
    veils = see_signals(look_of(request, actor), [(each.issuer, each.message_id) for each in advice])
    seen = [(each, veils.get((each.issuer, each.message_id))) for each in advice]
    return {
        "advice": [
            (each, veil, VERDICTS[Verdict(each.verdict.value)], GROUNDS[each.ground], BY[each.by])
            for each, veil in seen
            if veil is not None
        ],
        "asked": asked_of(view.row.ref),
        "told": told_of(view.row.ref),
    }


def _side(known: object) -> list[tuple[object, str]]:
    told = dict(known) if isinstance(known, dict) else {}
    if "part" in told:
        told["part"] = say_roles(told["part"])
    for name in ("country", "countries"):
        told[name] = ", ".join(country(code) for code in told.get(name, "").split(", ") if code)
    for name in ("list_of", "listed_on"):
        told[name] = say_day(told.get(name, ""))
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
