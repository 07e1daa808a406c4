"""Mirror checks: what was told and matched with each partner, and one match with both sides' figures."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from comity.common import Actor
from comity.console.access import page
from comity.console.purpose import look_of
from comity.console.reason_shapes import say_figures
from comity.console.reason_words import FIELDS, JOINTS
from comity.console.words import is_english
from comity.journeys.look import Veil, see_signals
from comity.risk.mirror_reasons import COMMITMENTS
from comity.risk.mirror_views import MirrorLine, mirror_counts, mirror_match, mirror_matches
from comity.staff import Permission

_MOST = 100
STATES = {
    **dict.fromkeys(("ask", "asked", "answered", "refused"), _("differs")),
    "agreed": _("agrees"),
    "shared": _("several share the reference; nothing is compared"),
}
# What became of the figures of what differs.
NOTES = {
    "ask": _("the figures are being asked for"),
    "asked": _("the figures have been asked for"),
    "refused": _("no article lets the figures be asked for"),
}
VERDICTS = {"agreed": _("agrees"), "differing": _("differs"), "unknown": _("not compared")}


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A field with both sides, as far as the officer may see the partner's."""

    line: MirrorLine
    label: object
    verdict: object
    ours: str
    theirs: str


@page(Permission.VIEW_CONSIGNMENTS)
@require_GET
def mirror(request: HttpRequest, _actor: Actor) -> HttpResponse:
    """Each partner's counts, and the latest matches; ?differing=1 narrows to what differs."""
    only_differing = bool(request.GET.get("differing"))
    matches = mirror_matches(only_differing=only_differing, limit=_MOST)
    context = {
        "by_partner": mirror_counts(),
        "matches": [
            (
                each,
                JOINTS[each.joint],
                STATES[each.state],
                NOTES.get(each.state, ""),
                [FIELDS[name] for name in each.differing],
            )
            for each in matches
        ],
        "only_differing": only_differing,
        "section": "partners",
    }
    return render(request, "console/mirror.html", context)


@page(Permission.VIEW_CONSIGNMENTS)
@require_GET
def match(request: HttpRequest, actor: Actor, match_id: int) -> HttpResponse:
    """One match: the table of fields, both sides, the article."""
    found = mirror_match(match_id)
    pairs = [(found.partner, f"{found.offer_id}:{name}") for name in (*FIELDS, COMMITMENTS)]
    veils = see_signals(look_of(request, actor, (found.record_id,)), pairs)
    veil = next((each for each in veils.values() if each is None or each), Veil.NONE)
    context = {
        "match": found,
        "joint": JOINTS[found.joint],
        "state": STATES[found.state],
        "note": NOTES.get(found.state, ""),
        "section": "partners",
        "lines": [_shown(each) for each in found.lines],
        "veil": Veil.NEED_TO_KNOW if veil is None else veil,
    }
    return render(request, "console/mirror_match.html", context)


def _shown(line: MirrorLine) -> ShownLine:
    """The figures as the officer's language writes them; codes as they are."""
    ours, theirs = line.ours, line.theirs
    if not is_english() and line.field not in {"hs_codes", "origins"}:
        ours, theirs = say_figures(ours), say_figures(theirs)
    return ShownLine(line, FIELDS[line.field], VERDICTS[line.verdict], ours, theirs)
