"""Checks after release: what is due when, who has it, what is given up with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from comity.common import Actor, ComityError, utc_now
from comity.console.access import page
from comity.console.asked import page_number, uuids_of
from comity.console.deadlines import Due, due_of
from comity.console.forms import ConsoleForm, choose, safe_next
from comity.console.purpose import look_of
from comity.console.risk import deciders, first_reasons, veils_of
from comity.enforcement import Inspection, InspectionState
from comity.enforcement import selectors as enforcement
from comity.enforcement.checks import CheckFilter, assign_checks, check_counts, checks, drop_check
from comity.intake import selectors as intake
from comity.journeys.look import see_rows
from comity.risk import QueueRow
from comity.risk import selectors as risk
from comity.risk.today import local_day
from comity.staff import Permission, PermissionRefusedError, may, sees_whole

_ME, _NOBODY = "me", "nobody"
_OVERDUE, _ENDED, _ALL = "overdue", "ended", "all"
_STATES = {
    _ENDED: (InspectionState.COMPLETED, InspectionState.DROPPED),
    _ALL: tuple(InspectionState),
}


@dataclass(frozen=True, slots=True)
class CheckLine:
    """A check as the list shows it: beside it the goods as the queue knows them. result: of its finding, where it may
    be seen.
    """

    check: Inspection
    due: Due | None
    row: QueueRow | None
    result: str = ""


class CheckForm(ConsoleForm):
    """The facets of the list, as they stand in its address."""

    state = forms.ChoiceField(label=gettext_lazy("State"), required=False)
    office = forms.ChoiceField(label=gettext_lazy("Office"), required=False)
    who = forms.ChoiceField(label=gettext_lazy("With"), required=False)

    def __init__(self, data: object = None, offices: Iterable[str] = ()) -> None:
        super().__init__(data)
        states = [("", _("open")), (_OVERDUE, _("overdue")), (_ENDED, _("ended")), (_ALL, _("all"))]
        choose(self, "state", [(value, str(label)) for value, label in states])
        choose(self, "office", [("", str(_("any"))), *[(office, office) for office in offices]])
        choose(self, "who", [("", str(_("anyone"))), (_ME, str(_("me"))), (_NOBODY, str(_("nobody yet")))])

    def wanted(self, actor: Actor, today: date) -> CheckFilter:
        """The filter that the address asks for; what it misspells does not narrow."""
        asked = {name: str(self.data.get(name, "")).strip() for name in self.fields}
        return CheckFilter(
            states=_STATES.get(asked["state"], CheckFilter().states),
            office=asked["office"],
            assigned_to=actor.id if asked["who"] == _ME else "",
            is_unassigned=asked["who"] == _NOBODY,
            due_before=today if asked["state"] == _OVERDUE else None,
            page=page_number(str(self.data.get("page", ""))),
        )


class DropForm(ConsoleForm):
    """Why a check is given up."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("It stands in the consignment's file and in the audit"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Say why, in one sentence")},
    )


@page(Permission.VIEW_CONSIGNMENTS)
@require_GET
def checks_after(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Documents of goods that have left, those that are due first on top."""
    today = local_day(utc_now())
    every, *by_office = check_counts(today)
    form = CheckForm(request.GET, [each.office for each in by_office])
    found = checks(form.wanted(actor, today))
    rows = risk.queue_rows([each.record_id for each in found.rows])
    seen = see_rows(look_of(request, actor), tuple(rows.values()))
    shown = {row.record_id: row for row, _veil in seen}
    context = {
        "form": form,
        "result": found,
        "lines": [
            CheckLine(each, due_of(each, today), shown.get(each.record_id), _result_of(actor, each))
            for each in found.rows
        ],
        "can_assign": may(actor, Permission.DECIDE_CONSIGNMENT) and any(each.is_open for each in found.rows),
        "veils": veils_of(seen),
        "first_reasons": first_reasons(rows.values()),
        "every": every,
        "by_office": by_office,
        "is_narrowed": any(request.GET.get(name) for name in form.fields),
        "colleagues": deciders(),
        "section": "queue",
    }
    return render(request, "console/checks.html", context)


@page(Permission.DECIDE_CONSIGNMENT)
@require_POST
def assign(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Give the ticked checks to an officer, or to nobody."""
    ticked = uuids_of(request.POST.getlist("check"))
    if ticked:
        officer = request.POST.get("officer", "")
        changed = assign_checks(actor, inspection_ids=ticked, officer=officer, at=utc_now())
        text = ngettext("%(count)d check changed hands.", "%(count)d checks changed hands.", changed)
        messages.success(request, text % {"count": changed})
    else:
        messages.warning(request, _("Tick at least one check first."))
    return redirect(safe_next(request) or "console:checks")


@page(Permission.DECIDE_CONSIGNMENT)
@require_http_methods(["GET", "POST"])
def drop(request: HttpRequest, actor: Actor, inspection_id: UUID) -> HttpResponse:
    """Give up a check, with the reason."""
    check = enforcement.inspection(inspection_id)
    record = intake.record(check.record_id)
    form = DropForm(request.POST or None)
    if form.is_valid():
        try:
            drop_check(actor, inspection_id=inspection_id, reason=form.cleaned_data["reason"], at=utc_now())
        except PermissionRefusedError:
            raise
        except ComityError as error:
            form.add_refusal(error)
        else:
            messages.success(request, _("The check %(reference)s is given up.") % {"reference": check.reference})
            return redirect("console:checks")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    context = {
        "form": form,
        "check": check,
        "record": record,
        "due": due_of(check, local_day(utc_now())),
        "section": "queue",
    }
    return render(request, "console/check_drop.html", context, status=status)


def _result_of(actor: Actor, check: Inspection) -> str:
    """What a completed check came to; empty where it is open, given up, or not for this officer."""
    finding = None if check.is_open else enforcement.finding_of_inspection(check.inspection_id)
    if finding is None:
        return ""
    is_own = actor.id == check.assigned_to or str(actor) == check.completed_by
    return finding.result.value if sees_whole(actor, int(finding.handling), is_given=is_own) else ""
