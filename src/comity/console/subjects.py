"""Questions of persons: asked, found, confirmed, decided, answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from comity.common import Actor, ComityError, utc_now
from comity.console.access import page
from comity.console.forms import ConsoleForm
from comity.console.privacy import language_of, printed
from comity.insight.naming import Asked
from comity.insight.privacy_papers import answer_page, item_words
from comity.insight.requests import (
    Report,
    answer_request,
    choose_candidates,
    decide_part,
    open_request,
    requests,
    view_request,
)
from comity.insight.subjects import Decision, Part
from comity.staff import Permission, PermissionRefusedError, may, sees_whole

EITHER = (Permission.REPORT_SUBJECTS, Permission.DECIDE_DISCLOSURE)
GROUNDS: Mapping[str, str | Promise] = {
    "investigation": gettext_lazy("It would harm the prevention, investigation or prosecution of an offence"),
    "control": gettext_lazy("It would harm a customs control that is still to come"),
    "others": gettext_lazy("The rights and freedoms of others would be harmed"),
    "partner": gettext_lazy("The administration that shared it has not permitted its disclosure"),
    "security": gettext_lazy("It would harm public or national security"),
}
DECISIONS: Mapping[Decision, str | Promise] = {
    Decision.DISCLOSE: gettext_lazy("Tell it"),
    Decision.WITHHOLD: gettext_lazy("Withhold it, and say on which ground"),
    Decision.OMIT: gettext_lazy("Neither confirm nor deny it"),
}
WHAT: Mapping[str, str | Promise] = {
    "declaration": gettext_lazy("Goods declaration"),
    "manifest": gettext_lazy("Manifest"),
    "alert": gettext_lazy("Alert"),
    "finding": gettext_lazy("Result of an inspection"),
    "seizure": gettext_lazy("Seizure"),
    "step": gettext_lazy("Step of a procedure"),
    "file": gettext_lazy("File"),
    "assessment": gettext_lazy("Risk assessment"),
    "inspection": gettext_lazy("Inspection"),
    "history": gettext_lazy("History by which models are asked"),
    "habits": gettext_lazy("Past trade, beside which declarations are compared"),
    "mirror": gettext_lazy("What a partner's declaration of the same consignment says"),
    "listed": gettext_lazy("Entry of a watch list"),
    "registered": gettext_lazy("Entry of a register"),
    "hit": gettext_lazy("Comparison with a watch list"),
    "hit_advice": gettext_lazy("What a partner decided of a comparison with a watch list"),
    "hit_question": gettext_lazy("Question of a partner about a comparison with a watch list"),
}


@dataclass(frozen=True, slots=True)
class ShownPart:
    """A part as the officer who looks may see it. particulars: empty where only that it exists may be known."""

    part: Part
    what: str | Promise
    particulars: list[tuple[str, str]]
    decision: str | Promise = ""
    ground: str | Promise = ""


class RequestForm(ConsoleForm):
    """Who asks, as far as it was told."""

    reference = forms.CharField(
        label=gettext_lazy("Reference of the letter or file"),
        max_length=100,
        error_messages={"required": gettext_lazy("Enter the reference")},
    )
    name = forms.CharField(label=gettext_lazy("Name of the person or company"), required=False, max_length=200)
    ids = forms.CharField(
        label=gettext_lazy("Numbers: EORI, TIN or national number"),
        help_text=gettext_lazy("Several are separated by commas"),
        required=False,
        max_length=300,
    )
    birth_date = forms.DateField(
        label=gettext_lazy("Date of birth"),
        help_text=gettext_lazy("No declaration or alert carries one; it helps whoever confirms who is meant"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def asked(self) -> Asked:
        """Who a valid form asks about."""
        given = self.cleaned_data
        ids = tuple(each.strip() for each in given["ids"].split(",") if each.strip())
        born: date | None = given["birth_date"]
        return Asked(given["name"], ids, born)


class DecideForm(ConsoleForm):
    """What is told of one part."""

    item = forms.CharField(widget=forms.HiddenInput, max_length=200)
    decision = forms.ChoiceField(
        label=gettext_lazy("Decision"), choices=lambda: [(each.value, str(label)) for each, label in DECISIONS.items()]
    )
    ground = forms.ChoiceField(
        label=gettext_lazy("Ground, where it is not told"),
        required=False,
        choices=lambda: [("", str(_("none"))), *[(each, str(label)) for each, label in GROUNDS.items()]],
    )


@page(any_of=EITHER)
@require_http_methods(["GET", "POST"])
def subject_requests(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Questions of persons, and a new one."""
    form = RequestForm(request.POST or None)
    if form.is_valid():
        try:
            made = open_request(actor, reference=form.cleaned_data["reference"], asked=form.asked(), at=utc_now())
            return redirect("console:subject_request", request_id=made.request_id)
        except PermissionRefusedError:
            raise
        except ComityError as error:
            form.add_refusal(error)
    context = {"form": form, "requests": requests(), "section": "privacy"}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "console/subject_requests.html", context, status=status)


@page(any_of=EITHER)
@require_http_methods(["GET", "POST"])
def subject_request(request: HttpRequest, actor: Actor, request_id: UUID) -> HttpResponse:
    """One question: who may be meant, what is held, what may be told."""
    form = ConsoleForm(request.POST or None)
    if request.method == "POST":
        try:
            return _change(request, actor, request_id)
        except PermissionRefusedError:
            raise
        except ComityError as error:
            form.is_valid()
            form.add_refusal(error)
    report = view_request(actor, request_id=request_id, at=utc_now())
    context = {
        "form": form,
        "report": report,
        "chosen": set(report.line.chosen),
        "parts": [_shown(actor, part) for part in report.parts],
        "decisions": DECISIONS.items(),
        "grounds": GROUNDS.items(),
        "may_decide": may(actor, Permission.DECIDE_DISCLOSURE) and report.line.opened_by != str(actor),
        "is_answerable": _is_answerable(actor, report),
        "section": "privacy",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "console/subject_request.html", context, status=status)


@page(Permission.REPORT_SUBJECTS)
@require_POST
def subject_answer(request: HttpRequest, actor: Actor, request_id: UUID) -> HttpResponse:
    """The answer for the person, to print."""
    at = utc_now()
    report, told = answer_request(actor, request_id=request_id, at=at)
    controller = (settings.COMITY_ADMINISTRATION, settings.COMITY_NAME)
    text = answer_page(
        told, controller=controller, reference=report.line.reference, at=at, language=language_of(request)
    )
    return printed(text)


def _change(request: HttpRequest, actor: Actor, request_id: UUID) -> HttpResponse:
    at = utc_now()
    if request.POST.get("step") == "decide":
        form = DecideForm(request.POST)
        if form.is_valid():
            given = form.cleaned_data
            decision = Decision(given["decision"])
            ground = "" if decision is Decision.DISCLOSE else given["ground"]
            decide_part(actor, request_id=request_id, item=given["item"], decision=decision, ground=ground, at=at)
            messages.success(request, _("Decided."))
    else:
        chosen = choose_candidates(actor, request_id=request_id, spellings=request.POST.getlist("spelling"), at=at)
        if chosen.chosen:
            messages.success(request, _("Confirmed. Below is what is held."))
        else:
            messages.warning(request, _("Nobody is confirmed: the answer will say that nothing is held."))
    return redirect("console:subject_request", request_id=request_id)


def _is_answerable(actor: Actor, report: Report) -> bool:
    return may(actor, Permission.REPORT_SUBJECTS) and not report.open_parts


def _shown(actor: Actor, part: Part) -> ShownPart:
    """Who prepares the answer sees what is told; who decides sees what he decides about."""
    is_shown = part.is_told or sees_whole(actor, int(part.item.handling))
    language = (get_language() or "en").split("-")[0]
    lines = item_words(part.item, str(settings.COMITY_ADMINISTRATION), language) if is_shown else []
    decided = part.decided
    return ShownPart(
        part,
        WHAT[part.item.what],
        [(name, value) for name, value in lines if value],
        DECISIONS[decided.decision] if decided else "",
        GROUNDS.get(decided.ground, "") if decided else "",
    )
