"""The health of the node: the doctor's checks in plain words, and the question to every partner."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from comity.common import Actor, utc_now
from comity.console.access import may_any, page
from comity.console.conditions import Check, Condition, Summary, conditions_of, summarise, tag_of
from comity.console.counters import last_arrival
from comity.exchange import selectors as exchange
from comity.exchange.lines import lines
from comity.exchange.selectors import PartnerView
from comity.journeys.probe import ProbeResult, probe_partners, probe_results
from comity.staff import Permission
from comity.staff.services import record_deed

# Who looks after partners and the node, who exchanges, who supervises, who audits.
HEALTH = (Permission.MANAGE_PARTNERS, Permission.VIEW_MESSAGES)
# An answer that is this young is not missed yet.
PATIENCE = timedelta(seconds=45)
_CARD_SECONDS = 60
_CARD_LINES = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """A partner and its newest question. is_open: it was asked a moment ago and has not answered; trouble: what is
    wrong, where something is; skew_seconds: the best that is known of its clock."""

    view: PartnerView
    result: ProbeResult
    is_open: bool
    trouble: Condition | None
    skew_seconds: float | None

    @property
    def state(self) -> str:
        """A word: suspended, unasked, on_its_way, ok, soon or attention."""
        if self.view.state == "suspended":
            return "suspended"
        if self.result.asked_at is None:
            return "check:unasked"
        if self.is_open:
            return "check:on_its_way"
        return tag_of(self.trouble.state) if self.trouble else "check:ok"


@page(any_of=HEALTH)
@require_GET
def health(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What works, what will soon not, and what to do; and how each partner answered the last question."""
    at = utc_now()
    found = conditions_of(_examine(at))
    asked = _asked(found, at)
    context = {
        "summary": summarise(found),
        "asked": asked,
        "open": sum(each.is_open for each in asked),
        "arrivals": arrivals_mark(asked),
        "at": at,
        "may_ask": may_any(actor, (Permission.MANAGE_PARTNERS,)),
    }
    return render(request, "console/health.html", context)


@page(Permission.MANAGE_PARTNERS)
@require_POST
def ask_partners(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Send the signed question to every partner, or to the one that is named. The answers come by themselves."""
    wanted = request.POST.get("partner", "")
    at = utc_now()
    posted = probe_partners(actor, at=at, partners=[wanted] if wanted else ())
    for code, message_id in posted.items():
        record_deed(actor, deed="probe_partner", subject=f"partner:{code}", facts={"message": message_id}, at=at)
    if posted:
        text = ngettext("%(count)d partner was asked.", "%(count)d partners were asked.", len(posted))
        messages.success(request, text % {"count": len(posted)})
    else:
        messages.warning(request, _("Nobody was asked: there is no partner with whom the exchange is open."))
    return redirect(reverse("console:partner", args=[wanted]) if wanted else f"{reverse('console:health')}#asked")


def card(actor: Actor, at: datetime) -> tuple[Summary, tuple[Condition, ...]] | None:
    """For the page of the day: how the node is, and what is to be done first. At most a minute old; None where the
    officer does not look after it."""
    if not may_any(actor, HEALTH):
        return None
    key = f"comity-checkup-{settings.COMITY_ADMINISTRATION}"
    checks = cache.get(key)
    if checks is None:
        checks = tuple(_examine(at))
        cache.set(key, checks, _CARD_SECONDS)
    summary = summarise(conditions_of(checks))
    return summary, (summary.urgent or summary.coming)[:_CARD_LINES]


def partner_health(partner: str, at: datetime) -> tuple[Asked, tuple[Condition, ...]]:
    """The newest question to one partner, and what the doctor says of it beside that."""
    found = conditions_of(_examine(at))
    asked = next(each for each in _asked(found, at) if each.view.administration == partner)
    return asked, tuple(each for each in found if each.partner == partner and each.kind != "probe")


def arrivals_mark(asked: Iterable[Asked]) -> str:
    """What the page knew of the last arrival, where it waits for one; empty where it waits for nothing."""
    return str(last_arrival()) if any(each.is_open for each in asked) else ""


def _examine(at: datetime) -> Iterable[Check]:
    checkup: Callable[[datetime], Iterable[Check]] = import_string(settings.COMITY_CHECKUP)
    return checkup(at)


def _asked(found: Iterable[Condition], at: datetime) -> list[Asked]:
    by_partner = {each.partner: each for each in found if each.kind == "probe"}
    skews = {each.partner: each.skew_seconds for each in lines()}
    results = {each.partner: each for each in probe_results()}
    return [
        _question(view, results[view.administration], by_partner.get(view.administration), skews, at)
        for view in sorted(exchange.partners(), key=attrgetter("administration"))
    ]


def _question(
    view: PartnerView, result: ProbeResult, judged: Condition | None, skews: dict[str, float | None], at: datetime
) -> Asked:
    is_young = result.asked_at is not None and at - result.asked_at < PATIENCE
    is_open = is_young and not result.is_answered and result.state != "refused"
    trouble = judged if judged is not None and judged.state != "ok" and not is_open else None
    skew = result.skew_seconds if result.skew_seconds is not None else skews.get(view.administration)
    return Asked(view, result, is_open, trouble, skew)
