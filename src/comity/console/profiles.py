"""Rule profiles: the list with what they were worth, the editor, the back-test, approval."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from http import HTTPStatus

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from comity.common import Actor, ComityError, utc_now
from comity.console.access import page
from comity.console.charts import curve_of
from comity.console.forms import ConsoleForm, worded
from comity.console.purpose import look_of
from comity.console.words import in_english
from comity.journeys.look import Veil, see_signals
from comity.risk import Lane, Profile, ProfileError, ProfileState, RuleError, parse_rule
from comity.risk import selectors as risk
from comity.risk.profile_sharing import shares_of
from comity.risk.profiles import MOST_BASIS
from comity.risk.reporting import reports_on
from comity.risk.services import (
    Past,
    ProfileDraft,
    approve_profile,
    backtest_profile,
    draft_profile,
    retire_profile,
)
from comity.risk.today import local_day
from comity.staff import Permission, PermissionRefusedError
from comity.trade import RiskType
from comity.trade.facts import FACT_TYPES, FactType
from comity.trade.knowledge import Told

_TYPES = {
    FactType.TEXT: gettext_lazy("text"),
    FactType.NUMBER: gettext_lazy("number"),
    FactType.INTEGER: gettext_lazy("whole number"),
    FactType.BOOLEAN: gettext_lazy("yes or no"),
    FactType.MOMENT: gettext_lazy("date and time"),
}
_OPEN = frozenset({ProfileState.DRAFT, ProfileState.TESTED, ProfileState.RECEIVED})
# What another page may begin a profile with, such as a forecast.
_BEGUN = ("title", "expression", "risk_type")
_IN_FORCE = frozenset({ProfileState.APPROVED, ProfileState.ACTIVE, ProfileState.EXPIRING})


class ProfileForm(ConsoleForm):
    """A rule profile as an analyst writes it down."""

    ref = forms.CharField(label=gettext_lazy("Reference"), max_length=100)
    title = forms.CharField(label=gettext_lazy("Title"), max_length=200)
    owner = forms.CharField(label=gettext_lazy("Owner"), max_length=200)
    legal_basis = forms.CharField(label=gettext_lazy("Legal basis"), max_length=300)
    expression = forms.CharField(
        label=gettext_lazy("Rule"),
        help_text=gettext_lazy("For example: hs_chapter = '64' and unit_price_per_kg < 8 and origin in ('XA', 'XB')"),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "class": "code short"}),
    )
    weight = forms.IntegerField(label=gettext_lazy("Weight, 1 to 100"), min_value=1, max_value=100)
    risk_type = forms.ChoiceField(label=gettext_lazy("Irregularity"), choices=lambda: worded(RiskType))
    lane = forms.ChoiceField(label=gettext_lazy("Lane"), choices=lambda: worded(Lane))
    priority = forms.IntegerField(
        label=gettext_lazy("Priority, 1 first to 9 last"), min_value=1, max_value=9, required=False
    )
    expected_percent = forms.FloatField(
        label=gettext_lazy("Expected to fire on, in percent of consignments"),
        min_value=0,
        max_value=100,
        required=False,
    )
    valid_from = forms.DateField(
        label=gettext_lazy("Valid from"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    valid_until = forms.DateField(
        label=gettext_lazy("Valid until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def draft(self) -> ProfileDraft:
        """The draft of a valid form; days begin at midnight UTC."""
        given = self.cleaned_data
        until, percent = given["valid_until"], given["expected_percent"]
        return ProfileDraft(
            ref=given["ref"],
            title=given["title"],
            owner=given["owner"],
            legal_basis=given["legal_basis"],
            expression=given["expression"],
            weight=given["weight"],
            risk_type=RiskType(given["risk_type"]),
            lane=Lane(given["lane"]),
            valid_from=datetime.combine(given["valid_from"], time.min, UTC),
            valid_until=datetime.combine(until, time.min, UTC) if until else None,
            priority=given["priority"] or 5,
            expected_hit_rate=None if percent is None else percent / 100,
        )


class PastForm(ConsoleForm):
    """How far back a rule is tried."""

    days = forms.IntegerField(
        label=gettext_lazy("How many days back"), min_value=1, max_value=1095, initial=365, required=False
    )


class BasisForm(ConsoleForm):
    """By which law of ours a partner's profile runs here."""

    legal_basis = forms.CharField(
        label=gettext_lazy("Legal basis here"),
        help_text=gettext_lazy("The law of ours that allows this control; the partner's holds there"),
        max_length=MOST_BASIS,
        error_messages={"required": gettext_lazy("State the law of ours by which it runs here")},
    )


@page(Permission.VIEW_CONSIGNMENTS)
@require_GET
def profiles(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every rule profile, how often it fired and how often it was right; and partners' alerts that target goods."""
    at = utc_now()
    every = risk.signals(at)
    seen = see_signals(look_of(request, actor), [(each.issuer, each.ref) for each in every])
    signals = [(each, seen[each.issuer, each.ref]) for each in every if seen[each.issuer, each.ref] is not None]
    context = {
        "profiles": _seen(request, actor, risk.profiles(at)),
        "signals": signals,
        "compliance": risk.compliance(),
    }
    return render(request, "console/profiles.html", context)


@page(Permission.VIEW_CONSIGNMENTS)
@require_GET
def profile(request: HttpRequest, actor: Actor, ref: str) -> HttpResponse:
    """One profile with its back-test, whose it is, who has it, and what partners made of it."""
    return _show(request, actor, ref, PastForm())


@page(Permission.MANAGE_PROFILES)
@require_POST
def backtest(request: HttpRequest, actor: Actor, ref: str) -> HttpResponse:
    """Try a profile on the node's own past records, and keep the answer beside it."""
    form, at = PastForm(request.POST), utc_now()
    if form.is_valid():
        try:
            days = timedelta(days=form.cleaned_data["days"] or 365)
            backtest_profile(actor, ref=ref, past=Past.before(at, days), at=at)
        except (RuleError, ProfileError) as error:
            form.add_refusal(error)
        else:
            messages.success(request, _("The profile %(ref)s was tried on past records.") % {"ref": ref})
            return redirect("console:profile", ref)
    return _show(request, actor, ref, form)


@page(Permission.MANAGE_PROFILES)
@require_http_methods(["GET", "POST"])
def edit_profile(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Write a profile down, change a draft, or only check how its rule reads."""
    form = ProfileForm(request.POST or None, initial=_initial(request))
    context: dict[str, object] = {"form": form, "section": "profiles", "columns": _columns()}
    if request.method == "POST":
        context |= _checked(request.POST.get("expression", ""))
    if request.POST.get("wish") == "check":
        form.errors.clear()
        return render(request, "console/profile_form.html", context)
    if form.is_valid():
        try:
            made = draft_profile(actor, draft=form.draft(), at=utc_now())
        except RuleError as error:
            form.add_error("expression", in_english(str(error)))
        except PermissionRefusedError:
            raise
        except ComityError as error:
            form.add_refusal(error)
        else:
            text = _("The profile %(ref)s waits for its back-test and for approval by a second officer.")
            messages.success(request, text % {"ref": made.ref})
            return redirect("console:profile", made.ref)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "console/profile_form.html", context, status=status)


@page(Permission.APPROVE_PROFILES)
@require_POST
def put_in_force(request: HttpRequest, actor: Actor, ref: str) -> HttpResponse:
    """Approve a draft that another officer wrote, or a partner's profile with a legal basis of our own."""
    at = utc_now()
    basis = BasisForm(request.POST) if risk.profile(ref, at).issuer else None
    if basis is not None and not basis.is_valid():
        return _show(request, actor, ref, PastForm(), basis)
    approve_profile(actor, ref=ref, legal_basis=basis.cleaned_data["legal_basis"] if basis else "", at=at)
    messages.success(request, _("The profile %(ref)s is approved.") % {"ref": ref})
    return redirect("console:profiles")


@page(Permission.MANAGE_PROFILES)
@require_POST
def retire(request: HttpRequest, actor: Actor, ref: str) -> HttpResponse:
    """Take a profile out of force."""
    retire_profile(actor, ref=ref, reason=request.POST.get("reason", ""), at=utc_now())
    messages.success(request, _("The profile %(ref)s is retired.") % {"ref": ref})
    return redirect("console:profiles")


def _seen(request: HttpRequest, actor: Actor, every: Iterable[Profile]) -> list[tuple[Profile, Veil]]:
    """The profiles as far as the actor may see them: a partner's rule is shown for a purpose only."""
    known = list(every)
    pairs = [(each.issuer, each.ref) for each in known if each.issuer]
    veils = see_signals(look_of(request, actor), pairs)
    lifted = [(each, veils.get((each.issuer, each.ref), Veil.NONE)) for each in known]
    return [(_bare(each) if veil else each, veil) for each, veil in lifted if veil is not None]


def _bare(profile: Profile) -> Profile:
    return replace(profile, title="", expression="", legal_basis="", owner="")


def _show(request: HttpRequest, actor: Actor, ref: str, form: PastForm, basis: BasisForm | None = None) -> HttpResponse:
    every = _seen(request, actor, (each for each in risk.profiles(utc_now()) if each.ref == ref))
    if not every:
        raise ProfileError("There is no such profile", where=ref)
    ((shown, veil),) = every
    tested = risk.backtest(ref)
    points = [(point.records, point.fired, point.found, point.fired) for point in tested.curve] if tested else []
    context = {
        "profile": shown,
        "veil": veil,
        "is_open": shown.state in _OPEN,
        "may_give": shown.state in _IN_FORCE and not shown.issuer,
        "shares": shares_of(ref),
        "reports": () if shown.issuer else reports_on(Told.PROFILE, ref),
        "tested": tested,
        "picture": curve_of(points, points[-1][0]) if points else None,
        "form": form,
        "basis": basis or BasisForm(),
        "section": "profiles",
    }
    is_refused = form.errors or (basis and basis.errors)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_refused else HTTPStatus.OK
    return render(request, "console/profile.html", context, status=status)


def _columns() -> list[tuple[str, object]]:
    return [(name, _TYPES[type_]) for name, type_ in FACT_TYPES.items()]


def _checked(expression: str) -> dict[str, object]:
    """How a rule reads: the facts that it looks at, or what is wrong, drawn under its text."""
    try:
        return {"looks_at": sorted(parse_rule(expression, FACT_TYPES).columns), "is_read": True}
    except RuleError as error:
        return {"drawn": in_english(error.show())}


def _initial(request: HttpRequest) -> dict[str, object]:
    """The draft to change, or today for a new one."""
    at = utc_now()
    ref = request.GET.get("ref")
    if not ref:
        begun = {name: request.GET[name] for name in _BEGUN if name in request.GET}
        return {"valid_from": local_day(at), "weight": 40, "lane": Lane.YELLOW.value, "priority": 5} | begun
    known = risk.profile(ref, at)
    if known.issuer:
        raise ProfileError("A partner's profile runs as it came", where=ref, remedy="Write another one.")
    initial = {name: getattr(known, name, None) for name in ProfileForm.base_fields}
    rate = known.expected_hit_rate
    return initial | {"expected_percent": None if rate is None else round(100 * rate, 6)}
