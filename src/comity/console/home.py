"""Today's work: what is due, what waits, how the partners and the log are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from comity.common import Actor, utc_now
from comity.console.access import may_any, page
from comity.console.approvals import is_known_to, title_of
from comity.console.case_lines import in_order, row_of
from comity.console.health import card
from comity.console.holders import us
from comity.console.operations import OF_CASES
from comity.console.partners import health_of
from comity.console.purpose import look_of
from comity.console.risk import first_reasons, veils_of
from comity.custody import successors
from comity.enforcement import selectors as enforcement
from comity.enforcement.checks import CheckFilter, check_counts, checks
from comity.enforcement.rules import InspectionState
from comity.exchange import selectors as exchange
from comity.insight import selectors as insight
from comity.intake import selectors as intake
from comity.journeys.look import Look, see_rows
from comity.ledger import NoCheckpointError
from comity.ledger import selectors as ledger
from comity.operations import selectors as operations
from comity.risk import QueueFilter, TargetState
from comity.risk import selectors as risk
from comity.risk.today import local_day
from comity.risk.values import Plan
from comity.staff import Permission, may
from comity.staff import selectors as staff
from comity.trust import Checkpoint, split_note

_BAR_WIDTH = 600
# So many requests stand on the page; so many are counted at most.
FIRST, MOST_COUNTED = 5, 100


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a bar: where it begins and how long it is, in units of the picture."""

    name: str
    label: str
    count: int
    start: float
    width: float


@page()
@require_GET
def dashboard(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What an officer sees first."""
    at = utc_now()
    context: dict[str, object] = {
        "today": local_day(at),
        "healths": [health_of(view, at) for view in exchange.partners()],
        "log_size": ledger.log_size(),
        "witnesses": _witness_count(),
        "checkup": card(actor, at),
        "outbox": exchange.outbox_status(),
        "inbox": exchange.inbox_status(),
    }
    if may(actor, Permission.VIEW_CONSIGNMENTS):
        context |= _consignments(look_of(request, actor))
    proposals = [each for each in staff.open_proposals() if each.proposed_by != str(actor)]
    context["proposals"] = [(each, title_of(each)) for each in proposals if is_known_to(actor, each)]
    if may(actor, Permission.VIEW_MESSAGES):
        context["again"] = successors.due_count()
    if may_any(actor, OF_CASES):
        context |= _requests(actor, at)
    return render(request, "console/dashboard.html", context)


def _requests(actor: Actor, at: datetime) -> dict[str, object]:
    """The requests in which it is our turn, what is due first on top, and what is owed and pressing."""
    waiting = operations.tasks_for(actor, limit=MOST_COUNTED)
    files = [operations.case_file(each.case_id, at=at) for each in in_order(waiting, at)[:FIRST]]
    return {
        "requests": [row_of(each, us(), at) for each in files],
        "requests_count": len(waiting),
        "requests_more": len(waiting) > FIRST,
        "reminders": insight.reminders(limit=MOST_COUNTED) if may(actor, Permission.VIEW_MESSAGES) else (),
    }


def _consignments(look: Look) -> dict[str, object]:
    today = local_day(utc_now())
    plan = risk.plan(today)
    is_open = (InspectionState.ORDERED, InspectionState.STARTED)
    open_inspections = enforcement.inspections(states=is_open, is_after_release=False, limit=10)
    records = intake.records_by_id([each.record_id for each in open_inspections])
    first = risk.queue(QueueFilter(states=(TargetState.SELECTED,), page_size=5))
    mine = risk.queue(
        QueueFilter(states=(TargetState.NEW, TargetState.SELECTED), assigned_to=look.actor.id, page_size=5)
    )
    seen = [see_rows(look, each.rows) for each in (first, mine)]
    return {
        "plan": plan,
        "bar": spent(plan),
        "states": [(state, count) for state, count in risk.state_counts().items() if count],
        "first": replace(first, rows=tuple(row for row, _ in seen[0])),
        "mine": replace(mine, rows=tuple(row for row, _ in seen[1])),
        "veils": veils_of((*seen[0], *seen[1])),
        "first_reasons": first_reasons((*first.rows, *mine.rows)),
        "inspections": [(each, records.get(each.record_id)) for each in open_inspections],
        "checks": check_counts(today)[0],
        "my_checks": checks(CheckFilter(assigned_to=look.actor.id, page_size=1)).total,
        "received": intake.counts(),
    }


def spent(plan: Plan) -> list[Slice]:
    """The day's inspections as parts of one bar: mandatory, by score, by chance, to learn, after release, left."""
    parts = [
        ("mandatory", _("mandatory"), plan.used_mandatory),
        ("risk", _("by score"), plan.used_risk),
        ("random", _("by chance"), plan.used_random),
        ("learning", _("to learn"), plan.used_learning),
        ("after", _("checks after release"), plan.used_after),
        ("left", _("left"), plan.left),
    ]
    total = max(1, sum(count for _name, _label, count in parts))
    slices, start = [], 0.0
    # What few days have is named only where there is some of it.
    for name, label, count in (each for each in parts if each[2] or each[0] not in ("learning", "after")):
        width = _BAR_WIDTH * count / total
        slices.append(Slice(name, label, count, round(start, 2), round(width, 2)))
        start += width
    return slices


def _witness_count() -> int:
    """How many of the partners signed a checkpoint that covers the whole log."""
    try:
        note = ledger.latest_checkpoint()
    except NoCheckpointError:
        return 0
    text, signatures = split_note(note)
    return len({each.name for each in signatures} - {Checkpoint.parse(text).origin, settings.COMITY_KEYRING.log.name})
