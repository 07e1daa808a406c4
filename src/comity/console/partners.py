"""The partners: whether they answer, what waits for them, what they refused; suspend, resume."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from comity.common import Actor, utc_now
from comity.console.access import may_any, page
from comity.console.endings import Ending, all_own_endings, ending
from comity.console.forks import Fork, forks_of, proven_forks
from comity.console.forms import ConsoleForm
from comity.console.health import HEALTH, arrivals_mark, partner_health
from comity.console.purpose import current_purpose
from comity.exchange import LoadLimits, Priority
from comity.exchange import selectors as exchange
from comity.exchange.lines import LineView, lines
from comity.exchange.queues import partner_pace
from comity.exchange.selectors import Direction, MessageView, PartnerView
from comity.exchange.services import resume_partner, suspend_partner
from comity.ledger import selectors as ledger
from comity.ledger.selectors import Head, Look
from comity.risk import Reliability
from comity.risk import selectors as risk
from comity.risk.reporting import our_reliability_at, reports_by
from comity.staff import Permission, may
from comity.staff import selectors as staff
from comity.staff.selectors import AuditFilter

MOST_ANSWERS = 50
_REFUSALS = 10
_REPORTS = 50
_SKEW_NOTICED_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class PartnerHealth:
    """A partner and what we know of working with it. is_late: nothing was answered although something waits."""

    view: PartnerView
    reliability: Reliability
    is_expired: bool
    is_late: bool


@dataclass(frozen=True, slots=True)
class Answers:
    """What a partner found where it followed alerts of ours. is_cut: only the latest answers were counted."""

    answered: int
    confirmed: int
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """Messages of one priority without an answer."""

    priority: str
    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class LineFacts:
    """How the exchange with a partner stands today. certificate: None until it showed one."""

    waiting: tuple[Waiting, ...]
    keys: Ending
    certificate: Ending | None
    skew_seconds: float | None
    is_skewed: bool


class SuspendForm(ConsoleForm):
    """Why the exchange with a partner rests."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("It is kept in the audit and shown on this page"),
        max_length=300,
        error_messages={"required": gettext_lazy("Say why")},
    )


@page()
@require_GET
def partners(request: HttpRequest, _actor: Actor) -> HttpResponse:
    """Every partner: whether it answers, how far its messages have arrived, how often its alerts were right."""
    at = utc_now()
    by_code = {each.partner: each for each in lines()}
    known = [
        (health_of(view, at), answers_of(view.administration), facts_of(view, by_code[view.administration], at))
        for view in exchange.partners()
    ]
    own = settings.COMITY_KEYRING
    context = {
        "partners": known,
        "own": own,
        "own_endings": all_own_endings(at),
    }
    return render(request, "console/partners.html", context)


@page()
@require_GET
def partner(request: HttpRequest, actor: Actor, administration: str) -> HttpResponse:
    """One partner, with everything that is known of the exchange with it."""
    return _partner_page(request, actor, administration, SuspendForm())


@page(Permission.MANAGE_PARTNERS)
@require_POST
def suspend(request: HttpRequest, actor: Actor, administration: str) -> HttpResponse:
    """Send nothing to it and take nothing from it until it is resumed."""
    form = SuspendForm(request.POST)
    if not form.is_valid():
        return _partner_page(request, actor, administration, form)
    suspend_partner(actor, administration=administration, reason=form.cleaned_data["reason"], at=utc_now())
    text = _("The exchange with %(partner)s is suspended. What waits stays where it is.")
    messages.success(request, text % {"partner": administration})
    return redirect("console:partner", administration)


@page(Permission.MANAGE_PARTNERS)
@require_POST
def resume(request: HttpRequest, actor: Actor, administration: str) -> HttpResponse:
    """Take the exchange up again."""
    resume_partner(actor, administration=administration, at=utc_now())
    text = _("The exchange with %(partner)s goes on. What waited is sent now.")
    messages.success(request, text % {"partner": administration})
    return redirect("console:partner", administration)


def health_of(view: PartnerView, at: datetime) -> PartnerHealth:
    """How a partner is doing."""
    return PartnerHealth(
        view=view,
        reliability=risk.reliability(view.administration),
        is_expired=view.keys.is_expired(at),
        is_late=view.failures > 0,
    )


def answers_of(partner: str) -> Answers:
    """How many of our alerts a partner answered with a finding, and how many of them it confirmed."""
    lines = exchange.messages(direction=Direction.RECEIVED, partner=partner, kind="finding/1", limit=MOST_ANSWERS)
    refs = {_alert_answered(exchange.message(line.id)) for line in lines if line.state != "refused"} - {""}
    confirmed = [ref for ref in refs if _is_confirmed(ref, partner)]
    return Answers(len(refs), len(confirmed), is_cut=len(lines) == MOST_ANSWERS)


def facts_of(view: PartnerView, line: LineView, at: datetime) -> LineFacts:
    """What waits, what ends, and how its clock goes."""
    waiting = (
        Waiting(Priority(number).word, count, since) for number, (count, since) in line.waiting_by_priority.items()
    )
    return LineFacts(
        waiting=tuple(sorted(waiting, key=lambda each: Priority[each.priority.upper()])),
        keys=ending("keys", view.keys.expires_at, at),
        certificate=ending("certificate", line.certificate_until, at) if line.certificate_until else None,
        skew_seconds=line.skew_seconds,
        is_skewed=line.skew_seconds is not None and abs(line.skew_seconds) >= _SKEW_NOTICED_SECONDS,
    )


def _partner_page(request: HttpRequest, actor: Actor, administration: str, form: SuspendForm) -> HttpResponse:
    at, view = utc_now(), exchange.partner(administration)
    may_look_after = may_any(actor, HEALTH)
    line = next(each for each in lines() if each.partner == administration)
    asked, conditions = partner_health(administration, at) if may_look_after else (None, ())
    head, look = _seen_of(view)
    may_read = may(actor, Permission.VIEW_MESSAGES) and bool(current_purpose(request))
    context = {
        "health": health_of(view, at),
        "view": view,
        "answers": answers_of(administration),
        "facts": facts_of(view, line, at),
        "pace": partner_pace(administration, ours=LoadLimits(), at=at),
        "refusals": exchange.refusals_of_partner(administration, limit=_REFUSALS) if may_look_after else (),
        "asked": asked,
        "arrivals": arrivals_mark([asked]) if asked else "",
        "reason": _reason_of(administration) if view.state == "suspended" and may_look_after else "",
        # That it is suspended stands above them already.
        "conditions": [
            each for each in conditions if each.state != "ok" and (view.state, each.kind) != ("suspended", "partner")
        ],
        "may_look_after": may_look_after,
        "head": head,
        "look": look,
        "forks": _forks(view),
        "ours_there": our_reliability_at(administration),
        "reports": reports_by(administration, limit=_REPORTS) if may_read else (),
        "by_ref": True,
        "form": form,
        "section": "partners",
    }
    return render(request, "console/partner.html", context, status=422 if form.errors else 200)


def _reason_of(administration: str) -> str:
    """Why it was suspended last, as the officer said."""
    wanted = AuditFilter(deed="suspend_partner", subject=f"partner:{administration}")
    entries = staff.audit_entries(wanted, limit=1)
    return str(entries[0].facts.get("reason", "")) if entries else ""


def _seen_of(view: PartnerView) -> tuple[Head | None, Look | None]:
    """What was seen of the partner's log."""
    origin = view.keys.log_vkey.partition("+")[0]
    look = next((each for each in ledger.looks() if each.administration == view.administration), None)
    return ledger.partner_head(origin), look


def _forks(view: PartnerView) -> list[Fork]:
    proven = proven_forks(forks_of(ledger.split_views()))
    return [each for each in proven if each.owner == view.administration]


def _alert_answered(view: MessageView) -> str:
    return str(view.message.body.get("alert_ref", "")) if view.message else ""


def _is_confirmed(alert_ref: str, partner: str) -> bool:
    return any(each.is_irregular for each in risk.feedback(alert_ref) if each.administration == partner)
