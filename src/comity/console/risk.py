"""The targeting queue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from comity.common import Actor, utc_now
from comity.console.access import page
from comity.console.asked import page_number, uuids_of
from comity.console.deadlines import Due, due_of
from comity.console.forms import ConsoleForm, choose, safe_next, worded
from comity.console.purpose import look_of
from comity.console.words import is_english
from comity.enforcement.checks import check_counts, open_checks_of
from comity.journeys.look import Veil, see_rows
from comity.risk import Cause, FoundReason, Lane, QueueFilter, QueuePage, QueueRow, TargetState
from comity.risk import selectors as risk
from comity.risk.services import assign
from comity.risk.today import local_day
from comity.staff import Permission, Role
from comity.staff.selectors import OfficerSummary, officers

OPEN = (TargetState.NEW, TargetState.SELECTED, TargetState.INSPECTING, TargetState.HELD)
_ME, _NOBODY, _ALL = "me", "nobody", "all"


class QueueForm(ConsoleForm):
    """The facets of the queue, as they stand in its address."""

    q = forms.CharField(label=gettext_lazy("Search"), required=False, max_length=100)
    state = forms.ChoiceField(label=gettext_lazy("State"), required=False)
    lane = forms.ChoiceField(label=gettext_lazy("Lane"), required=False)
    cause = forms.ChoiceField(label=gettext_lazy("Selected by"), required=False)
    office = forms.ChoiceField(label=gettext_lazy("Office"), required=False)
    who = forms.ChoiceField(label=gettext_lazy("With"), required=False)

    def __init__(self, data: object = None) -> None:
        super().__init__(data)
        self._offer({})

    def wanted(self, actor: Actor) -> QueueFilter:
        """The filter that the address asks for; what it misspells does not narrow."""
        asked = {name: str(self.data.get(name, "")).strip() for name in self.fields}
        state = asked["state"]
        return QueueFilter(
            states=() if state == _ALL else (TargetState(state),) if state in set(TargetState) else OPEN,
            lanes=(Lane(asked["lane"]),) if asked["lane"] in set(Lane) else (),
            causes=(Cause(asked["cause"]),) if asked["cause"] and asked["cause"] in set(Cause) else (),
            office=asked["office"],
            assigned_to=actor.id if asked["who"] == _ME else "",
            is_unassigned=asked["who"] == _NOBODY,
            text=asked["q"],
            page=page_number(str(self.data.get("page", ""))),
        )

    def offer(self, found: QueuePage) -> None:
        """Offer what there is, each with how many it would leave."""
        self._offer(found.facets)

    def _offer(self, facets: object) -> None:
        counted = facets if isinstance(facets, dict) else {}
        anything = ("", str(_("any")))
        choose(self, "state", [("", str(_("open"))), (_ALL, str(_("all"))), *_counted(TargetState, counted, "state")])
        choose(self, "lane", [anything, *_counted(Lane, counted, "lane")])
        choose(self, "cause", [anything, *_counted([each for each in Cause if each], counted, "cause")])
        offices = [office for office in counted.get("office", {}) if office]
        choose(self, "office", [anything, *[(office, office) for office in offices]])
        choose(self, "who", [("", str(_("anyone"))), (_ME, str(_("me"))), (_NOBODY, str(_("nobody yet")))])


@page(Permission.VIEW_CONSIGNMENTS)
@require_GET
def queue(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What waits for a decision: mandatory ones first, then by score."""
    form, today = QueueForm(request.GET), local_day(utc_now())
    found = risk.queue(form.wanted(actor))
    form.offer(found)
    rows = see_rows(look_of(request, actor), found.rows)
    context = {
        "form": form,
        "result": replace(found, rows=tuple(row for row, _ in rows)),
        "veils": veils_of(rows),
        "is_narrowed": any(request.GET.get(name) for name in form.fields),
        "plan": risk.plan(today),
        "colleagues": deciders(),
        "first_reasons": first_reasons(found.rows),
        "checks": check_counts(today)[0],
        "dues": _dues(found.rows, today),
    }
    return render(request, "console/queue.html", context)


def veils_of(rows: Iterable[tuple[QueueRow, Veil]]) -> dict[UUID, Veil]:
    """Why the first reason of a row is not shown, where it is not."""
    return {row.record_id: veil for row, veil in rows if veil}


def first_reasons(rows: Iterable[QueueRow]) -> dict[UUID, FoundReason]:
    """The heaviest reason of each row in its parts; none on an English page, where the stored sentence serves."""
    if is_english():
        return {}
    explained = ((row.record_id, risk.explanation(row.record_id)) for row in rows)
    return {record_id: found.reasons[0] for record_id, found in explained if found.reasons}


@page(Permission.DECIDE_CONSIGNMENT)
@require_POST
def assign_records(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Give the ticked consignments to an officer."""
    ticked = uuids_of(request.POST.getlist("record"))
    if ticked:
        changed = assign(actor, record_ids=ticked, officer=request.POST.get("officer", ""), at=utc_now())
        text = ngettext("%(count)d consignment was assigned.", "%(count)d consignments were assigned.", changed)
        messages.success(request, text % {"count": changed})
    else:
        messages.warning(request, _("Tick at least one consignment first."))
    return redirect(safe_next(request) or "console:queue")


def _counted(words: object, facets: dict[str, dict[str, int]], facet: str) -> list[tuple[str, str]]:
    counts = facets.get(facet, {})
    choices = worded(words if isinstance(words, list) else list(words))  # type: ignore[call-overload]  # an enum
    return [(value, f"{label} ({counts[value]})" if value in counts else label) for value, label in choices]


def _dues(rows: Iterable[QueueRow], today: date) -> dict[UUID, Due]:
    """When the check after release of each of these rows is due, where one is open."""
    gone = [row.record_id for row in rows if row.state is TargetState.RELEASED]
    dues = {record_id: due_of(check, today) for record_id, check in open_checks_of(gone).items()} if gone else {}
    return {record_id: due for record_id, due in dues.items() if due}


def deciders() -> list[OfficerSummary]:
    """The officers to whom consignments and checks may be given."""
    return [each for each in officers() if each.is_active and _decides(each.roles)]


def _decides(roles: tuple[str, ...]) -> bool:
    return bool({Role.OFFICER.value, Role.SUPERVISOR.value} & set(roles))
