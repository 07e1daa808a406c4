"""Forecasts: what controls are likely to find by heading and route, how such forecasts held, one of them drawn."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from comity.common import Actor
from comity.console.access import page
from comity.console.asked import page_number
from comity.console.charts import spans_of
from comity.console.forms import ConsoleForm, choose, worded
from comity.console.hs_words import goods_of
from comity.console.templatetags.comity import day
from comity.risk import outlook_views as views
from comity.risk.outlook_rules import KINDS, LEAST_CONTROLS, LEAST_FOUND, Silence
from comity.risk.outlook_views import ForecastView, OutlookDetail, OutlookFilter, OutlookView
from comity.risk.outlooks import LEAST_WEEKS
from comity.staff import Permission
from comity.trade import RiskType

_A_PAGE = 50
_SILENCES = {
    Silence.NO_RECORDS: gettext_lazy("No import declaration from before this week is held here."),
    Silence.FEW_WEEKS: gettext_lazy("A forecast needs %(least)s whole weeks of declarations; there are fewer yet."),
    Silence.FEW_CONTROLS: gettext_lazy(
        "A forecast needs %(least)s controls whose outcome is known; there are %(have)s."
    ),
    Silence.FEW_FOUND: gettext_lazy(
        "A forecast needs %(least)s controls that found this; among %(controls)s controls there are %(have)s."
    ),
}


class ForecastForm(ConsoleForm):
    """Which forecast, and which part of it, as they stand in the address."""

    kind = forms.ChoiceField(label=gettext_lazy("Likely"), required=False)
    week = forms.ChoiceField(label=gettext_lazy("Weeks"), required=False)
    heading = forms.CharField(label=gettext_lazy("HS heading begins with"), required=False, max_length=4)
    country = forms.CharField(label=gettext_lazy("Country of origin or dispatch"), required=False, max_length=2)

    def __init__(self, data: object = None) -> None:
        super().__init__(data)
        choose(self, "kind", worded(KINDS))

    def asked(self, name: str) -> str:
        """What the address says, without spaces around it."""
        return str(self.data.get(name, "")).strip()

    @property
    def risk_type(self) -> RiskType:
        """The kind that is asked for; what is misspelt asks for the first."""
        kind = self.asked("kind")
        return RiskType(kind) if kind in KINDS else KINDS[0]

    @property
    def filter(self) -> OutlookFilter:
        """The part that is asked for."""
        return OutlookFilter(self.asked("heading")[:4], self.asked("country").upper()[:2])

    def first_day(self) -> date | None:
        """The Monday that is asked for."""
        try:
            return date.fromisoformat(self.asked("week"))
        except ValueError:
            return None

    def offer(self, known: list[ForecastView]) -> None:
        """Offer the forecasts that there are."""
        spans = [(each.first_day.isoformat(), f"{day(each.first_day)} – {day(each.last_day)}") for each in known[1:]]
        choose(self, "week", [("", str(_("the coming weeks"))), *spans])


@page(Permission.VIEW_CONSIGNMENTS)
@require_GET
def forecasts(request: HttpRequest, actor: Actor) -> HttpResponse:  # noqa: ARG001  # by the decorator
    """What controls are likely to find in the coming weeks, and how often such forecasts held."""
    form = ForecastForm(request.GET)
    kind, number = form.risk_type, page_number(request.GET.get("page", ""))
    known = views.forecasts(kind)
    form.offer(known)
    shown = views.forecast(kind, form.first_day()) or views.forecast(kind)
    total, rows = 0, list[OutlookView]()
    if shown is not None and not shown.silence:
        total, rows = views.outlooks_of(shown, form.filter, limit=_A_PAGE, offset=_A_PAGE * (number - 1))
    context = {
        "form": form,
        "kind": kind,
        "shown": shown,
        "silence": _silence(shown),
        "rows": [(each, goods_of(each.heading)) for each in rows],
        "total": total,
        "page": number,
        "pages": max(1, -(-total // _A_PAGE)),
        "has_whole": any(each.all_expected is not None for each in rows),
        "in_time": views.held(kind, is_later=False),
        "afterwards": views.held(kind, is_later=True),
        "is_narrowed": bool(form.asked("heading") or form.asked("country")),
        "section": "queue",
    }
    return render(request, "console/forecasts.html", context)


@page(Permission.VIEW_CONSIGNMENTS)
@require_GET
def outlook(request: HttpRequest, actor: Actor, number: int) -> HttpResponse:  # noqa: ARG001  # by the decorator
    """One heading on one route: what was found, what earlier forecasts said, what is expected."""
    detail = views.outlook(number)
    one, shown = detail.outlook, detail.forecast
    coming = (day(shown.first_day), one.expected, one.low, one.high)
    past = [(day(each.first_day), each.found, each.low, each.high) for each in detail.spans]
    context = {
        "one": one,
        "shown": shown,
        "goods": goods_of(one.heading),
        "spans": [(each, each.first_day + timedelta(days=7 * shown.weeks - 1)) for each in detail.spans],
        "picture": spans_of(past, coming),
        "profile_url": _profile_url(detail),
        "section": "queue",
    }
    return render(request, "console/outlook.html", context)


def _silence(shown: ForecastView | None) -> str:
    """Why nothing is told, with what is missing."""
    if shown is None:
        return str(_("The node has not made a forecast yet. It does so by itself within ten minutes of its start."))
    if not shown.silence:
        return ""
    least = {Silence.FEW_WEEKS: LEAST_WEEKS, Silence.FEW_CONTROLS: LEAST_CONTROLS, Silence.FEW_FOUND: LEAST_FOUND}
    have = shown.controlled if shown.silence is Silence.FEW_CONTROLS else shown.found
    figures = {"least": least.get(shown.silence, 0), "have": have, "controls": shown.controlled}
    return str(_SILENCES[shown.silence]) % figures


def _profile_url(detail: OutlookDetail) -> str:
    """The editor with a rule about just these goods."""
    one = detail.outlook
    parts = [("hs_heading", one.heading), ("origin", one.origin), ("country_dispatch", one.departure)]
    rule = " and ".join(f"{name} = '{value}'" for name, value in parts if value.isalnum())
    title = _("%(heading)s from %(origin)s by %(departure)s") % {
        "heading": one.heading,
        "origin": one.origin or "–",
        "departure": one.departure or "–",
    }
    asked = {"title": title, "expression": rule, "risk_type": detail.forecast.kind.value}
    return f"{reverse('console:edit_profile')}?{urlencode(asked)}"
