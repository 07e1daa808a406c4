"""Requests between administrations: the list, one of them with everything that happened, and how its procedure goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET

from comity.agreements import UnknownAgreementError
from comity.agreements import selectors as agreements
from comity.agreements.clocks import ClockSpec, Unit, term_in_words
from comity.agreements.procedures import Event, Procedure, described, procedure, procedure_names, svg
from comity.agreements.selectors import StoredAgreement
from comity.common import Actor, utc_now
from comity.console.access import page
from comity.console.asked import page_number
from comity.console.case_lines import (
    DISPUTES,
    TABS,
    CaseRow,
    Rung,
    in_order,
    is_late,
    of_tab,
    passed_of,
    row_of,
    rungs_of,
)
from comity.console.case_story import clocks_of, conversation_of, facts_of, story_of
from comity.console.case_words import clock_words, condition_words, ground_words, label_of, language
from comity.console.forms import ConsoleForm, choose
from comity.console.holders import us
from comity.console.purpose import ask_purpose, current_purpose
from comity.operations import selectors as operations
from comity.operations.selectors import CaseFile, CaseLine
from comity.staff import Permission, Sight, may
from comity.staff import selectors as staff
from comity.staff.selectors import Proposal
from comity.staff.services import record_deed

# Whoever reads messages, sends them or approves them has to do with requests.
OF_CASES = (Permission.VIEW_MESSAGES, Permission.SHARE, Permission.APPROVE_SHARING)
CASES_PAGE, MOST_CASES = 25, 2000
TAB_WORDS: Mapping[str, str | Promise] = {
    "us": gettext_lazy("Wait for us"),
    "partner": gettext_lazy("Wait for the partner"),
    "closed": gettext_lazy("Closed"),
    "disputes": gettext_lazy("Disputes and breaches"),
    "all": gettext_lazy("All"),
}


class CasesForm(ConsoleForm):
    """The facets of the list of requests."""

    partner = forms.ChoiceField(label=gettext_lazy("Partner"), required=False)
    procedure = forms.ChoiceField(label=pgettext_lazy("request", "Procedure"), required=False)
    late = forms.ChoiceField(label=gettext_lazy("Deadline"), required=False)

    def __init__(self, data: object, lines: Sequence[CaseLine]) -> None:
        super().__init__(data)
        anything = ("", str(_("any")))
        codes = sorted({each.administration for line in lines for each in line.parties} - {us()})
        names = sorted({line.procedure for line in lines})
        choose(self, "partner", [anything, *[(code, code) for code in codes]])
        choose(self, "procedure", [anything, *[(name, procedure(name).title.in_(language())) for name in names]])
        choose(self, "late", [anything, ("late", str(_("overdue")))])


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab of the list: its word, how many are in it, whether it is open."""

    name: str
    label: str
    count: int
    is_open: bool


@dataclass(frozen=True, slots=True)
class Ladder:
    """A dispute or a breach with its stages."""

    row: CaseRow
    rungs: tuple[Rung, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """Something that a party may do in a case. condition: on what it depends; needs: what must be said."""

    name: str
    title: str
    note: str
    condition: str
    needs: tuple[str, ...]
    source: str


@page(any_of=OF_CASES)
@require_GET
def cases(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Requests by whom they wait for, what is overdue first."""
    at = utc_now()
    every = operations.cases_for(actor, limit=MOST_CASES)
    whole = [each for each in every if each.sight is Sight.WHOLE]
    form = CasesForm(request.GET, whole)
    asked = form.cleaned_data if form.is_valid() else {}
    narrowed = [each for each in whole if _is_asked_for(each, asked, at)]
    tab = request.GET.get("show", "us")
    tab = tab if tab in TABS else "us"
    found, number = in_order(of_tab(narrowed, tab, us()), at), page_number(request.GET.get("page", ""))
    shown = found[(number - 1) * CASES_PAGE : number * CASES_PAGE]
    files = [operations.case_file(each.case_id, at=at) for each in shown]
    rows = [row_of(each, us(), at) for each in files]
    ladders = [Ladder(row, rungs_of(each.view)) for row, each in zip(rows, files, strict=True)]
    context = {
        "tabs": [Tab(name, str(TAB_WORDS[name]), len(of_tab(narrowed, name, us())), name == tab) for name in TABS],
        "tab": tab,
        "form": form,
        "rows": rows,
        "ladders": ladders if tab == "disputes" else [],
        "hidden": [each for each in every if each.sight is not Sight.WHOLE] if tab == "all" else [],
        "has_purpose": bool(current_purpose(request)),
        "next_page": number + 1 if len(found) > number * CASES_PAGE else None,
        "is_cut": len(every) == MOST_CASES,
        "is_narrowed": any(request.GET.get(name) for name in form.fields),
        "section": "cases",
    }
    return render(request, "console/cases.html", context)


@page(any_of=OF_CASES)
@require_GET
def case(request: HttpRequest, actor: Actor, case_id: UUID) -> HttpResponse:
    """One request: what may be done now, what it says, what happened, its clocks; each look is in the audit."""
    at, purpose = utc_now(), current_purpose(request)
    if not purpose:
        return ask_purpose(request)
    found = operations.case_file_for(actor, str(case_id), at=at)
    facts = {"purpose": purpose, "procedure": found.line.procedure, "handling": found.line.handling}
    record_deed(actor, deed="view_case", subject=f"case:{found.line.case_id}", facts=facts, at=at)
    return render(request, "console/case.html", {**_whole(found, actor, at), "section": "cases"})


@page()
@require_GET
def procedures(request: HttpRequest, _actor: Actor) -> HttpResponse:
    """The procedures that this node knows."""
    known = [procedure(name) for name in procedure_names()]
    rows = sorted(known, key=lambda each: each.title.in_(language()))
    return render(request, "console/procedures.html", {"procedures": rows, "section": "cases"})


@page()
@require_GET
def procedure_page(request: HttpRequest, _actor: Actor, name: str) -> HttpResponse:
    """How a procedure goes: its picture, the same in sentences, its clocks and grounds."""
    kind = procedure(name)
    context = {
        "kind": kind,
        "picture": picture_of(kind),
        "sentences": list(described(kind, language())),
        "tasks": [task_of(kind, each) for each in kind.events],
        "clocks": [
            (clock_words(each.name), term_in_words(each.term, language()), _whose_days(each), each)
            for each in kind.clocks
        ],
        "grounds": [(ground_words(kind, each.name), each) for each in kind.grounds],
        "section": "cases",
    }
    return render(request, "console/procedure.html", context)


def task_of(kind: Procedure, event: Event) -> Task:
    """What somebody may do, in words."""
    return Task(
        name=event.name,
        title=event.title.in_(language()),
        note=event.note.in_(language()) if event.note else "",
        condition=condition_words(kind, event),
        needs=tuple(label_of(kind, each) for each in event.needs),
        source=event.source,
    )


def picture_of(kind: Procedure) -> SafeString:
    """The procedure as a picture; every text in it is escaped where it is drawn."""
    return mark_safe(svg(kind, language()))  # noqa: S308  # escaped by the drawing


def agreement_of(agreement_id: str, at: datetime) -> StoredAgreement | None:
    """The agreement of a case; None where it is not known here."""
    try:
        return agreements.agreement(agreement_id, at=at)
    except UnknownAgreementError:
        return None


def waiting_for(found: CaseFile) -> list[tuple[Proposal, str]]:
    """What was proposed for a case and waits for a second officer, with the title of the step."""
    own = [each for each in staff.open_proposals() if each.payload.get("case") == found.line.case_id]
    kind = found.view.procedure
    return [(each, kind.event(str(each.payload["event"])).title.in_(language())) for each in own]


def _whole(found: CaseFile, actor: Actor, at: datetime) -> dict[str, object]:
    seen, story = found.view, story_of(found, us())
    others = [(code, events) for code, events in seen.may.items() if code != us() and events]
    return {
        "line": found.line,
        "row": row_of(found, us(), at),
        "kind": seen.procedure,
        "story": story,
        "conversation": conversation_of(story),
        "facts": facts_of(seen),
        "clocks": clocks_of(seen, story, at),
        "rungs": rungs_of(seen) if found.line.procedure in DISPUTES else passed_of(seen),
        "is_dispute": found.line.procedure in DISPUTES,
        "tasks": [task_of(seen.procedure, each) for each in seen.may.get(us(), ())],
        "others": [(code, [task_of(seen.procedure, each) for each in events]) for code, events in others],
        "parties": [(each.administration, seen.procedure.role(each.role).title) for each in found.line.parties],
        "consents": [(code, seen.procedure.event(name).title) for name, code in seen.consents],
        "missing": len(seen.missing),
        "troubled": [each for each in story if each.trouble],
        "stored": agreement_of(found.line.agreement, at),
        "proposals": waiting_for(found),
        "may_act": may(actor, Permission.SHARE),
    }


def _is_asked_for(line: CaseLine, asked: Mapping[str, str], at: datetime) -> bool:
    partner, name = asked.get("partner", ""), asked.get("procedure", "")
    return (
        (not partner or any(each.administration == partner for each in line.parties))
        and name in ("", line.procedure)
        and (not asked.get("late") or is_late(line, at))
    )


def _whose_days(clock: ClockSpec) -> str:
    """Whose working days count, in words."""
    if clock.term.unit is not Unit.WORKING_DAYS:
        return ""
    sides = {
        "asked": _("the days of who is asked"),
        "asker": _("the days of who asks"),
        "both": _("days on which both work"),
    }
    return sides[clock.calendar.value]
