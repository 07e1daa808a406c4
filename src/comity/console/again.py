"""After a correction: whoever got the old message from us is to get the new one. What waits, and putting it aside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from comity.common import Actor, ComityError, utc_now
from comity.console.access import page
from comity.console.forms import ConsoleForm
from comity.console.holders import may_take_back, say_ground
from comity.custody import ConsentState, NotHeldError, Status, SuccessorState
from comity.custody import selectors as custody
from comity.custody import successors as succeeding
from comity.custody.successors import SuccessorView
from comity.journeys.succeed import NextStep, Reminder, reminder_of, reminders
from comity.staff import Permission, PermissionRefusedError, may, require


@dataclass(frozen=True, slots=True)
class AgainLine:
    """What waits to be handed on, as a page shows it. address: of the one button, or nothing; ground: of the order.

    message_id: of a page here about it: the new one's, or that of what went out. is_refused: its origin said no.
    """

    reminder: Reminder
    ground: str
    address: str
    message_id: str
    is_refused: bool
    can_put_aside: bool

    @property
    def view(self) -> SuccessorView:
        """What is known of it."""
        return self.reminder.view


class AsideForm(ConsoleForm):
    """Why somebody does not get the new message."""

    reason = forms.CharField(
        label=gettext_lazy("Why is it not handed on?"),
        help_text=gettext_lazy("The audit keeps it; no partner reads it"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Say why, in one sentence")},
    )


def waiting_lines(actor: Actor, at: datetime, *, partner: str = "") -> list[AgainLine]:
    """Everything that waits to be handed on again, the oldest first."""
    found = (each for each in reminders(at) if partner in {"", each.view.origin, each.view.recipient})
    return [_line(each, actor) for each in found]


def lines_about(message_id: str, actor: Actor, at: datetime) -> tuple[AgainLine, ...]:
    """What waits to be handed on in the place of a message, or with it, by any of its ids."""
    due = (each for each in succeeding.successors_named(message_id) if _waits(each))
    return tuple(_line(reminder_of(each, at), actor) for each in due)


@page(Permission.VIEW_MESSAGES)
@require_http_methods(["GET", "POST"])
def put_aside(request: HttpRequest, actor: Actor, message_id: str, recipient: str) -> HttpResponse:
    """Do not hand the new message on to one partner, and say why."""
    if not may_take_back(actor):
        require(actor, Permission.SHARE)
    waits = _waiting(message_id, recipient)
    form = AsideForm(_posted(request))
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            succeeding.put_aside(actor, message_id=waits.message_id, recipient=recipient, why=reason, at=utc_now())
        except PermissionRefusedError:
            raise
        except ComityError as error:
            form.add_refusal(error)
        else:
            messages.success(request, _("Put aside. Nobody is reminded of it again."))
            return redirect(f"{reverse('console:recalls')}#again")
    context = {"form": form, "waits": waits, "section": "recalls"}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "console/put_aside.html", context, status=status)


def _waits(view: SuccessorView) -> bool:
    return view.state is SuccessorState.DUE and (view.own is None or view.own.status is Status.HELD)


def _waiting(message_id: str, recipient: str) -> SuccessorView:
    for each in succeeding.successors_named(message_id):
        if each.recipient == recipient and each.state is SuccessorState.DUE:
            return each
    raise NotHeldError("Nothing waits to be handed on to this partner", where=f"{message_id}, {recipient}"[:60])


def _line(reminder: Reminder, actor: Actor) -> AgainLine:
    view = reminder.view
    order = custody.recall(view.recall_id)
    return AgainLine(
        reminder=reminder,
        ground=say_ground(order.ground) if order else "",
        address=_address(reminder) if may(actor, Permission.SHARE) else "",
        message_id=reminder.copy_id or view.handed.copy_id,
        is_refused=view.consent is not None and view.consent.state is ConsentState.REFUSED,
        can_put_aside=may_take_back(actor),
    )


def _address(reminder: Reminder) -> str:
    """The page where the officer does what comes next."""
    query = QueryDict(mutable=True)
    query["to"] = reminder.view.recipient
    if reminder.step is NextStep.ASK:
        return f"{reverse('console:ask_consent', args=[reminder.copy_id])}?{query.urlencode()}"
    if reminder.step is not NextStep.HAND_ON:
        return ""
    if reminder.purpose:
        query["purpose"] = reminder.purpose
    return f"{reverse('console:hand_on', args=[reminder.copy_id])}?{query.urlencode()}"


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None
