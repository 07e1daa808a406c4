"""A partner's message here: handing it on, asking its origin, keeping it on a legal ground; and consents to our own."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from http import HTTPStatus

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from comity.agreements import PURPOSES, SharingRefusedError
from comity.common import Actor, ComityError, utc_now
from comity.console.access import page
from comity.console.custody import page_of, subject_of
from comity.console.forms import ConsoleForm, choose, worded
from comity.console.holders import GROUNDS, may_take_back, us
from comity.console.purpose import opened
from comity.custody import RETAIN_GROUNDS, ConsentError, ConsentState, NotHeldError
from comity.custody import selectors as custody
from comity.custody.selectors import ConsentView, HolderView
from comity.exchange import selectors as exchange
from comity.exchange.selectors import MessageView
from comity.journeys.foresee import Foreseen, foresee_forwarding
from comity.journeys.forget import let_go, retain
from comity.journeys.forward import HandingOn, ask_consent, forward, give_consent, refuse_consent
from comity.staff import Permission, PermissionRefusedError, may, require
from comity.trade import Handling

_CONSENT_DAYS = 30


class HandOnForm(ConsoleForm):
    """To whom a partner's message is handed on, and for what."""

    recipients = forms.MultipleChoiceField(
        label=gettext_lazy("Recipients"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one partner")},
    )
    purpose = forms.ChoiceField(label=gettext_lazy("Purpose at the partner"), choices=lambda: worded(PURPOSES))

    def __init__(self, data: object, *, held: HolderView, initial: object = None) -> None:
        super().__init__(data, initial=initial)
        choose(self, "recipients", others_than(held))


class AskForm(ConsoleForm):
    """For whom the origin is asked, and why."""

    recipients = forms.MultipleChoiceField(
        label=gettext_lazy("For whom"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one partner")},
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Its origin reads it"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Say why, in one sentence")},
    )

    def __init__(self, data: object, *, held: HolderView, initial: object = None) -> None:
        super().__init__(data, initial=initial)
        choose(self, "recipients", others_than(held))


class KeepForm(ConsoleForm):
    """On which ground our copy stays, and until when."""

    ground = forms.ChoiceField(
        label=gettext_lazy("Legal ground"),
        widget=forms.RadioSelect,
        choices=lambda: [(each, str(GROUNDS[each])) for each in RETAIN_GROUNDS],
        error_messages={"required": gettext_lazy("Choose the legal ground")},
    )
    until = forms.DateField(
        label=gettext_lazy("Until"),
        help_text=gettext_lazy("Left empty: until an officer lets it go"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class AnswerForm(ConsoleForm):
    """To whom a partner may hand our message on, and until when."""

    recipients = forms.MultipleChoiceField(
        label=gettext_lazy("To whom it may be handed on"), required=False, widget=forms.CheckboxSelectMultiple
    )
    until = forms.DateField(
        label=gettext_lazy("Until the end of"),
        help_text=gettext_lazy("After this day (UTC) it can no longer be handed on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, data: object, *, asked: ConsentView, at: datetime) -> None:
        first = {"recipients": list(asked.recipients), "until": (at + timedelta(days=_CONSENT_DAYS)).date()}
        super().__init__(data, initial=first)
        choose(self, "recipients", [(each, each) for each in asked.recipients])


@page(Permission.SHARE)
@require_http_methods(["GET", "POST"])
def hand_on(request: HttpRequest, actor: Actor, message_id: str) -> HttpResponse:
    """Hand a partner's message on: choose, see what the agreements say, do it."""
    view, held, at = opened(request, actor, message_id), _held(message_id), utc_now()
    form = HandOnForm(_posted(request), held=held, initial=_first(request))
    step = request.POST.get("step", "")
    foreseen: tuple[Foreseen, ...] = ()
    if step in {"preview", "send"} and form.is_valid():
        to = HandingOn(tuple(form.cleaned_data["recipients"]), form.cleaned_data["purpose"])
        try:
            if step == "send":
                return _hand_on(request, actor, message_id, to)
            foreseen = foresee_forwarding(actor, message_id=message_id, to=to, at=at)
        except (PermissionRefusedError, SharingRefusedError):
            raise
        except ComityError as error:
            form.add_refusal(error)
    context = {"held": held, "foreseen": foreseen, "wanting": _wanting(foreseen)}
    context["is_permitted"] = bool(foreseen) and all(each.is_permitted for each in foreseen)
    template = "console/hand_on_sure.html" if foreseen else "console/hand_on.html"
    return _answer_page(request, template, form, view, context)


@page(Permission.SHARE)
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, actor: Actor, message_id: str) -> HttpResponse:
    """Ask the origin of a partner's message whether it may be handed on."""
    view, held = opened(request, actor, message_id), _held(message_id)
    form = AskForm(_posted(request), held=held, initial={"recipients": request.GET.getlist("to")})
    if form.is_valid():
        given = form.cleaned_data
        try:
            ask_consent(
                actor, message_id=message_id, recipients=given["recipients"], reason=given["reason"], at=utc_now()
            )
        except PermissionRefusedError:
            raise
        except ComityError as error:
            form.add_refusal(error)
        else:
            messages.success(request, _("%(owner)s is asked for its consent.") % {"owner": held.origin})
            return redirect("console:message", message_id=message_id)
    return _answer_page(request, "console/ask_consent.html", form, view, {"held": held})


@page(Permission.VIEW_MESSAGES)
@require_http_methods(["GET", "POST"])
def keep(request: HttpRequest, actor: Actor, message_id: str) -> HttpResponse:
    """Keep our copy of a partner's message on a legal ground, whatever is recalled or runs out."""
    _require_custodian(actor)
    view, held, form = opened(request, actor, message_id), _held(message_id), KeepForm(_posted(request))
    if form.is_valid():
        until = form.cleaned_data["until"]
        last = datetime.combine(until, time(23, 59, 59), UTC) if until else None
        try:
            retain(actor, message_id=message_id, ground=form.cleaned_data["ground"], until=last, at=utc_now())
        except PermissionRefusedError:
            raise
        except ComityError as error:
            form.add_refusal(error)
        else:
            messages.success(request, _("Our copy is kept. Its origin is told the ground if it asks for it back."))
            return redirect("console:message", message_id=message_id)
    return _answer_page(request, "console/keep.html", form, view, {"held": held})


@page(Permission.VIEW_MESSAGES)
@require_http_methods(["GET", "POST"])
def release_copy(request: HttpRequest, actor: Actor, message_id: str) -> HttpResponse:
    """Take the objection back: what should have gone goes."""
    _require_custodian(actor)
    view, held = opened(request, actor, message_id), _held(message_id)
    if request.method == "POST":
        let_go(actor, message_id=message_id, at=utc_now())
        messages.success(request, _("Our copy is let go. It is purged as soon as it is due."))
        return redirect("console:message", message_id=message_id)
    return _answer_page(request, "console/let_go.html", ConsoleForm(), view, {"held": held})


@page(Permission.VIEW_MESSAGES)
@require_http_methods(["GET", "POST"])
def answer(request: HttpRequest, actor: Actor, consent_id: str) -> HttpResponse:
    """Let a partner hand our message on until a day, or do not."""
    _require_custodian(actor)
    asked = custody.consent(consent_id)
    if asked is None or asked.owner != us():
        raise ConsentError("There is no such question", where=consent_id)
    view = opened(request, actor, asked.message_id)
    form = AnswerForm(_posted(request), asked=asked, at=utc_now())
    if request.method == "POST" and form.is_valid():
        try:
            return _answer_consent(request, actor, asked, form)
        except PermissionRefusedError:
            raise
        except ComityError as error:
            form.add_refusal(error)
    context = {
        "form": form,
        "asked": asked,
        "message_id": page_of(asked.owner, asked.message_id),
        "title": subject_of(view),
        "is_open": asked.state is ConsentState.ASKED,
        "may_answer": may_answer(actor, asked),
        "section": "recalls",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "console/consent.html", context, status=status)


def may_answer(actor: Actor, asked: ConsentView) -> bool:
    """From the level restricted up a consent takes who may approve sharing."""
    known = {level.word: level for level in Handling}
    is_sensitive = known.get(asked.handling, Handling.CONFIDENTIAL) >= Handling.RESTRICTED
    return may(actor, Permission.APPROVE_SHARING) if is_sensitive else may_take_back(actor)


def others_than(held: HolderView) -> list[tuple[str, str]]:
    """Partners that have no part in a message yet."""
    involved = {us(), held.origin, held.via}
    return [(each.administration, each.name) for each in exchange.partners() if each.administration not in involved]


def _hand_on(request: HttpRequest, actor: Actor, message_id: str, to: HandingOn) -> HttpResponse:
    handed = forward(actor, message_id=message_id, to=to, at=utc_now())
    text = ngettext("Handed on to %(n)d partner.", "Handed on to %(n)d partners.", len(handed))
    messages.success(request, text % {"n": len(handed)})
    return redirect("console:message", message_id=message_id)


def _answer_consent(request: HttpRequest, actor: Actor, asked: ConsentView, form: AnswerForm) -> HttpResponse:
    given, at = form.cleaned_data, utc_now()
    if request.POST.get("wish") == "refuse":
        refuse_consent(actor, consent_id=asked.consent_id, at=at)
        messages.success(request, _("Refused. %(asker)s is told.") % {"asker": asked.asker})
        return redirect("console:recalls")
    if not given["recipients"]:
        raise ConsentError("Consent to at least one of them, or refuse", where="recipients")
    if given["until"] is None:
        raise ConsentError("Name the last day", where="until")
    until = datetime.combine(given["until"], time(23, 59, 59), UTC)
    give_consent(actor, consent_id=asked.consent_id, until=until, recipients=given["recipients"], at=at)
    messages.success(request, _("Consent given. %(asker)s is told.") % {"asker": asked.asker})
    return redirect("console:recalls")


def _first(request: HttpRequest) -> dict[str, object]:
    """What a link to the form has chosen already."""
    purpose = request.GET.get("purpose", "")
    return {"recipients": request.GET.getlist("to"), "purpose": purpose if purpose in PURPOSES else "control"}


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _held(message_id: str) -> HolderView:
    held = custody.held_as(message_id, holder=us())
    if held is None or held.origin == us():
        raise NotHeldError("There is no partner's message of this id here", where=message_id)
    return held


def _require_custodian(actor: Actor) -> None:
    if not may_take_back(actor):
        require(actor, Permission.SHARE)


def _wanting(foreseen: tuple[Foreseen, ...]) -> list[str]:
    return [each.recipient for each in foreseen if each.obstacle == "consent"]


def _answer_page(
    request: HttpRequest, template: str, form: ConsoleForm, view: MessageView, context: dict[str, object]
) -> HttpResponse:
    every = {"form": form, "line": view.line, "title": subject_of(view), "section": "messages", **context}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, template, every, status=status)
