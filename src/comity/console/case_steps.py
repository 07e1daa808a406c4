"""Saying something in a request, or opening one: the form of the procedure, what each partner would get, sending it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from comity.agreements import Decision, SharingRefusedError
from comity.agreements.procedures import Procedure, UnknownProcedureError
from comity.common import Actor, ComityError, utc_now
from comity.console.access import page
from comity.console.case_forms import EventForm, OpeningForm
from comity.console.case_lines import row_of
from comity.console.case_story import StoryLine, conversation_of, said_lines, story_of
from comity.console.case_words import label_of, language
from comity.console.holders import us
from comity.console.offers import Offer, offers
from comity.console.operations import agreement_of, task_of
from comity.console.purpose import ask_purpose, current_purpose
from comity.console.verdicts import say_verdict
from comity.exchange import selectors as exchange
from comity.journeys import assist
from comity.operations import selectors as operations
from comity.operations import services as cases
from comity.operations.selectors import CaseFile
from comity.staff import Permission, PermissionRefusedError


@dataclass(frozen=True, slots=True)
class Shown:
    """What one partner would get of a step: the agreement's answer, and which fields are shown and withheld."""

    recipient: str
    decision: Decision
    shown: tuple[str, ...]
    withheld: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A procedure that an agreement lets us open: one offer for each way to begin."""

    procedure: Procedure
    partners: tuple[str, ...]
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """What an agreement lets us open."""

    title: str
    agreement_id: str
    choices: tuple[Choice, ...]


@page(Permission.SHARE)
@require_GET
def new_case(request: HttpRequest, _actor: Actor) -> HttpResponse:
    """What may be opened, agreement by agreement."""
    groups: dict[str, dict[str, list[Offer]]] = {}
    for offer in _offers(utc_now()):
        groups.setdefault(offer.stored.id, {}).setdefault(offer.procedure.name, []).append(offer)
    found = [_group(agreement_id, each) for agreement_id, each in groups.items()]
    return render(request, "console/case_new.html", {"groups": found, "section": "cases"})


@page(Permission.SHARE)
@require_http_methods(["GET", "POST"])
def open_case(request: HttpRequest, actor: Actor, agreement_id: str, procedure_name: str, event: str) -> HttpResponse:
    """Open a request: write its first step, see what each partner would get, send it or propose it."""
    if not current_purpose(request):
        return ask_purpose(request)
    at = utc_now()
    offer = _offer(agreement_id, procedure_name, event, at)
    names = {each.administration: each.name for each in exchange.partners()}
    parties = [(code, f"{names.get(code, code)} ({code})") for code in offer.stored.agreement.parties]
    data = request.POST if request.method == "POST" else None
    form = OpeningForm(data, offer=offer, partners=names, parties=parties)
    context: dict[str, object] = {"offer": offer, "kind": offer.procedure, "stored": offer.stored}
    context["task"] = task_of(offer.procedure, offer.event)
    if form.is_valid() and request.POST.get("step") in {"preview", "send"}:
        opening = _opening(form, offer)
        try:
            if request.POST["step"] == "send":
                return _open(request, actor, opening, at)
            shown = shown_of(offer.procedure, assist.preview_opening(actor, opening=opening, at=at), opening.fields)
        except PermissionRefusedError:
            raise
        except ComityError as error:
            _refuse(form, error)
        else:
            context["needs_second"] = assist.needs_second_officer(opening.handling)
            context["opening"] = opening
            return _preview(request, form, shown, context)
    return _form_page(request, "console/case_open.html", form, context)


@page(Permission.SHARE)
@require_http_methods(["GET", "POST"])
def take(request: HttpRequest, actor: Actor, case_id: UUID, event: str) -> HttpResponse:
    """Take a step in a request: write it, see what each partner would get, send it or propose it."""
    if not current_purpose(request):
        return ask_purpose(request)
    at = utc_now()
    found = operations.case_file_for(actor, str(case_id), at=at)
    kind = found.view.procedure
    chosen = next((each for each in found.view.may.get(us(), ()) if each.name == event), None)
    if chosen is None:
        text = _("This cannot be done in the case now. Below stands what can be done.")
        messages.warning(request, text)
        return redirect("console:case", case_id=case_id)
    parties = [(each.administration, each.administration) for each in found.line.parties]
    data = request.POST if request.method == "POST" else None
    form = EventForm(data, procedure=kind, event=chosen, parties=parties)
    context: dict[str, object] = {"row": row_of(found, us(), at), "line": found.line, "kind": kind}
    context |= {"task": task_of(kind, chosen), "stored": agreement_of(found.line.agreement, at)}
    context["needs_second"] = assist.needs_second_officer(found.line.handling)
    context["asked"] = _asked_last(found)
    if form.is_valid() and request.POST.get("step") in {"preview", "send"}:
        said = form.said()
        try:
            if request.POST["step"] == "send":
                return _take(request, actor, found, event, said)
            showings = assist.preview_step(actor, case_id=found.line.case_id, event=event, fields=said, at=at)
        except PermissionRefusedError:
            raise
        except ComityError as error:
            _refuse(form, error)
        else:
            return _preview(request, form, shown_of(kind, showings, said), context)
    return _form_page(request, "console/case_step.html", form, context)


def _group(agreement_id: str, by_procedure: Mapping[str, list[Offer]]) -> Group:
    found = [Choice(each[0].procedure, each[0].partners, tuple(each)) for each in by_procedure.values()]
    title = found[0].offers[0].stored.agreement.title.in_(language())
    return Group(title, agreement_id, tuple(sorted(found, key=lambda each: each.procedure.title.in_(language()))))


def _open(request: HttpRequest, actor: Actor, opening: cases.Opening, at: datetime) -> HttpResponse:
    if assist.needs_second_officer(opening.handling):
        assist.propose_opening(actor, opening=opening, at=at)
        messages.success(request, _("The request waits for a second officer. Nothing was sent yet."))
        return redirect("console:approvals")
    done = assist.open_case(actor, opening=opening, at=at)
    messages.success(request, _told(done))
    return redirect("console:case", case_id=done.step.case)


def _take(request: HttpRequest, actor: Actor, found: CaseFile, event: str, said: Mapping[str, object]) -> HttpResponse:
    at, case_id = utc_now(), found.line.case_id
    if assist.needs_second_officer(found.line.handling):
        assist.propose_step(actor, case_id=case_id, event=event, fields=said, at=at)
        messages.success(request, _("The step waits for a second officer. Nothing was sent yet."))
    else:
        messages.success(request, _told(assist.take_step(actor, case_id=case_id, event=event, fields=said, at=at)))
    return redirect("console:case", case_id=case_id)


def _asked_last(found: CaseFile) -> StoryLine | None:
    """What the other side said last in words, where that is the newest that was said."""
    spoken = conversation_of(story_of(found, us()))
    return spoken[-1] if spoken and not spoken[-1].is_ours else None


def _told(done: assist.Assisted) -> str:
    recipients = ", ".join(recipient for recipient, _message in done.posted)
    return _("Done, and on its way to %(partners)s.") % {"partners": recipients}


def _opening(form: OpeningForm, offer: Offer) -> cases.Opening:
    return cases.Opening(
        procedure=offer.procedure.name,
        agreement=offer.stored.id,
        parties=form.parties(us()),
        fields=form.said(),
        purpose=form.cleaned_data["purpose"],
        handling=form.cleaned_data["handling"],
        event=offer.event.name,
    )


def _offers(at: datetime) -> tuple[Offer, ...]:
    return offers(us(), partners=[each.administration for each in exchange.partners()], at=at)


def _offer(agreement_id: str, procedure_name: str, event: str, at: datetime) -> Offer:
    for each in _offers(at):
        if (each.stored.id, each.procedure.name, each.event.name) == (agreement_id, procedure_name, event):
            return each
    raise UnknownProcedureError(
        "There is no agreement in force that lets this administration open such a request",
        where=procedure_name[:60],
        remedy="See which requests may be opened: New request.",
    )


def shown_of(kind: Procedure, showings: Sequence[assist.Showing], said: Mapping[str, object]) -> list[Shown]:
    """What each partner would get, with the fields by the names that people know."""
    return [
        Shown(
            each.recipient,
            each.decision,
            tuple(label_of(kind, name) for name in said if name not in each.withheld),
            tuple(label_of(kind, name) for name in each.withheld),
        )
        for each in showings
    ]


def _refuse(form: EventForm, error: ComityError) -> None:
    """Say beside the form why it was refused; an agreement says it in its own sentences."""
    if isinstance(error, SharingRefusedError):
        for reason in error.decision.reasons:
            form.add_error(None, say_verdict(reason).text)
    else:
        form.add_refusal(error)


def _preview(request: HttpRequest, form: EventForm, shown: list[Shown], context: Mapping[str, object]) -> HttpResponse:
    every = {
        **context,
        "form": form,
        "shown": shown,
        "said": said_lines(form.procedure, form.said()),
        "is_permitted": all(each.decision.is_permitted for each in shown),
        "section": "cases",
    }
    return render(request, "console/case_preview.html", every)


def _form_page(request: HttpRequest, template: str, form: EventForm, context: Mapping[str, object]) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, template, {**context, "form": form, "section": "cases"}, status=status)
