"""The planner: what so many inspections would find, what is left of the budgets, how long goods wait."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from comity.common import Actor, ComityError, utc_now
from comity.console.access import page
from comity.console.charts import Curve, curve_of
from comity.console.forms import ConsoleForm, choose, worded
from comity.enforcement.checks import check_counts
from comity.intake import selectors as intake
from comity.journeys.override import change_lane
from comity.risk import Lane
from comity.risk import selectors as risk
from comity.risk.after_release import checks_left
from comity.risk.budgets import policy_on, set_budget, standings_on, used_between
from comity.risk.controls import Budget, ControlKind, Period, monday_of
from comity.risk.forecasting import MOST_WAITING, forecast_for
from comity.risk.overriding import LaneChange, needs_second_officer, override_counts
from comity.risk.planning import Forecast
from comity.risk.release_times import release_times
from comity.risk.today import local_day
from comity.staff import Permission, PermissionRefusedError

_MOST = 100_000
_YEAR, _MONTH = timedelta(days=365), timedelta(days=30)


class PlannerForm(ConsoleForm):
    """How many inspections, and where."""

    inspections = forms.IntegerField(label=gettext_lazy("Inspections"), min_value=0, max_value=_MOST, required=False)
    office = forms.CharField(label=gettext_lazy("Office"), max_length=100, required=False)


class BudgetForm(ConsoleForm):
    """So many controls of a kind at an office."""

    amount = forms.IntegerField(label=gettext_lazy("Controls"), min_value=0, max_value=_MOST)
    period = forms.ChoiceField(label=gettext_lazy("In a"), choices=lambda: worded(Period))
    office = forms.CharField(
        label=gettext_lazy("Office"),
        help_text=gettext_lazy("Empty: all offices together"),
        max_length=100,
        required=False,
    )
    control = forms.ChoiceField(label=gettext_lazy("Kind of control"), required=False)

    def __init__(self, data: object = None) -> None:
        super().__init__(data)
        choose(self, "control", [("", str(_("all kinds together"))), *worded(ControlKind)])


class LaneForm(ConsoleForm):
    """Another lane, and why."""

    lane = forms.ChoiceField(label=gettext_lazy("Lane"), choices=lambda: worded(Lane))
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("It stands in the explanation and in the audit"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Say why")},
    )


@page(Permission.VIEW_CONSIGNMENTS)
@require_http_methods(["GET", "POST"])
def planner(request: HttpRequest, actor: Actor) -> HttpResponse:
    """With so many inspections you get so much; what the budgets leave; how long goods wait."""
    at = utc_now()
    today, form = local_day(at), PlannerForm(request.GET)
    stating = BudgetForm(request.POST or None)
    if request.method == "POST" and stating.is_valid():
        answer = _state_budget(request, actor, stating)
        if answer is not None:
            return answer
    held, policy = risk.plan(today), policy_on(today)
    given = form.cleaned_data if form.is_valid() else {}
    wanted, office = given.get("inspections"), given.get("office", "").strip()
    wanted = held.capacity if wanted is None else wanted
    found = forecast_for(wanted, policy=policy, at=at, office=office)
    form = PlannerForm({"inspections": wanted, "office": office}) if form.is_valid() else form
    monday = monday_of(today)
    context = {
        "form": form,
        "stating": stating,
        "found": found,
        "is_cut": found.waiting >= MOST_WAITING,
        "picture": curve_of([(each.inspections, each.hits, each.low, each.high) for each in found.curve], wanted),
        **_revenue_shown(found, wanted, policy.currency),
        "held": held,
        "policy": policy,
        "standings": standings_on(today),
        "checks": check_counts(today),
        "checks_left": checks_left(held, policy),
        "used": used_between(monday, monday + timedelta(days=6)),
        "times": release_times(at - _MONTH),
        "overrides": override_counts(at - _YEAR),
        "compliance": risk.compliance(),
        "section": "queue",
    }
    is_wrong = bool(form.errors or stating.errors)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_wrong else HTTPStatus.OK
    return render(request, "console/planner.html", context, status=status)


def _revenue_shown(found: Forecast, wanted: int, compared_in: str) -> dict[str, object]:
    picture, unit = _revenue_curve(found, wanted)
    currencies = {found.basis.currency, compared_in} - {""}
    return {
        "revenue_picture": picture,
        "revenue_unit": unit,
        "without_revenue": found.expected.inspections - found.expected.with_revenue,
        "has_two_currencies": bool(found.with_revenue) and len(currencies) == 2,
    }


def _revenue_curve(found: Forecast, wanted: int) -> tuple[Curve | None, str]:
    """The curve of expected revenue, and in what it counts: large amounts in thousands and more, as the grid is small.

    None where no revenue was told of anything that waits.
    """
    if not found.with_revenue:
        return None, ""
    currency = found.basis.currency or str(_("an unnamed currency"))
    units = (
        (10**9, _("billions of %(currency)s")),
        (10**6, _("millions of %(currency)s")),
        (10**3, _("thousands of %(currency)s")),
    )
    most = found.curve[-1].revenue or 0.0
    size, unit = next(((size, text) for size, text in units if most >= 10 * size), (1, "%(currency)s"))
    points = [(each.inspections, (each.revenue or 0.0) / size) for each in found.curve]
    return curve_of([(across, up, up, up) for across, up in points], wanted), unit % {"currency": currency}


def _state_budget(request: HttpRequest, actor: Actor, form: BudgetForm) -> HttpResponse | None:
    at, given = utc_now(), form.cleaned_data
    period, today = Period(given["period"]), local_day(utc_now())
    budget = Budget(
        amount=given["amount"],
        period=period,
        office=given["office"].strip(),
        control=ControlKind(given["control"]) if given["control"] else None,
        valid_from=monday_of(today) if period is Period.WEEK else today,
    )
    try:
        set_budget(actor, budget=budget, at=at)
    except PermissionRefusedError:
        raise
    except ComityError as error:
        form.add_refusal(error)
        return None
    messages.success(request, _("The budget is stated."))
    return redirect("console:planner")


@page(Permission.DECIDE_CONSIGNMENT)
@require_http_methods(["GET", "POST"])
def lane(request: HttpRequest, actor: Actor, record_id: UUID) -> HttpResponse:
    """Put a consignment into another lane, with a reason; a mandatory control falls away by two officers."""
    record, row = intake.record(record_id), risk.queue_row(record_id)
    form = LaneForm(request.POST or None, initial={"lane": row.lane.value if row else ""})
    if form.is_valid():
        change = LaneChange(Lane(form.cleaned_data["lane"]), form.cleaned_data["reason"])
        try:
            moved = change_lane(actor, record_id=record_id, change=change, at=utc_now())
        except PermissionRefusedError:
            raise
        except ComityError as error:
            form.add_refusal(error)
        else:
            if moved.overridden is None:
                messages.warning(request, _("The control is mandatory: it waits for a second officer to agree."))
            else:
                messages.success(request, _("The lane is changed."))
            return redirect("console:consignment", record_id=record_id)
    context = {
        "form": form,
        "record": record,
        "row": row,
        "takes_two": needs_second_officer(record_id, Lane.GREEN),
        "section": "queue",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "console/lane.html", context, status=status)
