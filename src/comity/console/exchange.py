"""Messages in and out, and the partners."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from comity.agreements import UnknownAgreementError
from comity.agreements import selectors as agreements_reads
from comity.agreements.selectors import StoredAgreement
from comity.common import Actor, ComityError, parse_instant, show_instant, utc_now
from comity.console.access import page
from comity.console.bodies import body_lines
from comity.console.forms import ConsoleForm, choose, worded
from comity.console.intake import download
from comity.console.purpose import ask_purpose, current_purpose
from comity.exchange import selectors as exchange
from comity.exchange.bundles import bundle_of
from comity.exchange.selectors import Direction, MessageView, PartnerView
from comity.risk import Reliability
from comity.risk import selectors as risk
from comity.staff import Permission
from comity.staff.services import record_deed

MESSAGES_PAGE = 50
MOST_ANSWERS = 50


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


class MessagesForm(ConsoleForm):
    """The facets of the list of messages."""

    direction = forms.ChoiceField(label=gettext_lazy("Direction"), required=False)
    partner = forms.ChoiceField(label=gettext_lazy("Partner"), required=False)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)
    agreement = forms.ChoiceField(label=gettext_lazy("Agreement"), required=False)

    def __init__(self, data: object, at: datetime) -> None:
        super().__init__(data)
        anything = ("", str(_("any")))
        choose(self, "direction", [anything, ("received", str(_("received"))), ("sent", str(_("sent")))])
        choose(self, "partner", [anything, *[(each.administration, each.name) for each in exchange.partners()]])
        choose(self, "kind", [anything, *worded(["alert/1", "finding/1"])])
        known = agreements_reads.agreements(at=at)
        choose(self, "agreement", [anything, *[(each.id, each.agreement.title.in_("en")) for each in known]])


@page(Permission.VIEW_MESSAGES)
@require_GET
def messages(request: HttpRequest, _actor: Actor) -> HttpResponse:
    """Messages sent and received, the newest first."""
    at = utc_now()
    form = MessagesForm(request.GET, at)
    asked = form.cleaned_data if form.is_valid() else {}
    found = exchange.messages(
        direction=asked.get("direction") or None,
        partner=asked.get("partner", ""),
        kind=asked.get("kind", ""),
        agreement=asked.get("agreement", ""),
        before=_before(request),
        limit=MESSAGES_PAGE,
    )
    context = {
        "form": form,
        "lines": found,
        "older": show_instant(found[-1].at) if len(found) == MESSAGES_PAGE else "",
        "titles": {each.id: each.agreement for each in agreements_reads.agreements(at=at)},
        "outbox": exchange.outbox_status(),
        "inbox": exchange.inbox_status(),
        "refusals": exchange.refusals(limit=5),
        "is_narrowed": any(request.GET.get(name) for name in form.fields),
    }
    return render(request, "console/messages.html", context)


@page(Permission.VIEW_MESSAGES)
@require_GET
def message(request: HttpRequest, actor: Actor, message_id: str) -> HttpResponse:
    """One message: its content after the purpose was stated, and everything that proves it."""
    view = exchange.message(message_id)
    purpose = current_purpose(request)
    if not purpose:
        return ask_purpose(request)
    facts = {"purpose": purpose, "partner": view.line.partner, "kind": view.line.kind}
    record_deed(actor, deed="view_message", subject=f"message:{message_id}", facts=facts, at=utc_now())
    context = {
        "view": view,
        "line": view.line,
        "body": body_lines(view.message.body) if view.message else [],
        "stored": _agreement_of(view),
        "replies": exchange.messages(in_reply_to=message_id, limit=20),
        "feedback": risk.feedback(_ref_of(view)) if _ref_of(view) else [],
        "section": "messages",
    }
    return render(request, "console/message.html", context)


@page(Permission.VIEW_MESSAGES)
@require_GET
def bundle(_request: HttpRequest, actor: Actor, message_id: str) -> HttpResponse:
    """One exchange in a file that verifies offline."""
    at = utc_now()
    found = bundle_of(message_id, keyring=settings.COMITY_KEYRING, at=at)
    record_deed(actor, deed="download_bundle", subject=f"message:{message_id}", at=at)
    return download(found.to_bytes(), name=f"exchange-{message_id}.bundle.json", media_type="application/json")


@page()
@require_GET
def partners(request: HttpRequest, _actor: Actor) -> HttpResponse:
    """Every partner: whether it answers, how far its messages have arrived, how often its alerts were right."""
    at = utc_now()
    known = [(health_of(view, at), answers_of(view.administration)) for view in exchange.partners()]
    return render(request, "console/partners.html", {"partners": known, "own": settings.COMITY_KEYRING})


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


def _alert_answered(view: MessageView) -> str:
    return str(view.message.body.get("alert_ref", "")) if view.message else ""


def _is_confirmed(alert_ref: str, partner: str) -> bool:
    return any(each.is_irregular for each in risk.feedback(alert_ref) if each.administration == partner)


def _agreement_of(view: MessageView) -> StoredAgreement | None:
    try:
        return agreements_reads.agreement(view.line.agreement, at=utc_now())
    except UnknownAgreementError:
        return None


def _ref_of(view: MessageView) -> str:
    is_own_alert = view.line.direction is Direction.SENT and view.line.kind == "alert/1" and view.message
    return str(view.message.body.get("ref", "")) if is_own_alert and view.message else ""


def _before(request: HttpRequest) -> datetime | None:
    try:
        return parse_instant(request.GET["before"]) if request.GET.get("before") else None
    except ComityError:
        return None
