"""Messages in and out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from comity.agreements import KINDS, UnknownAgreementError
from comity.agreements import selectors as agreements_reads
from comity.agreements.selectors import StoredAgreement
from comity.common import Actor, ComityError, parse_instant, show_instant, utc_now
from comity.console.access import page
from comity.console.again import lines_about
from comity.console.bodies import body_lines, readable_body
from comity.console.custody import page_of
from comity.console.evidence import file_lines
from comity.console.forms import ConsoleForm, choose, worded
from comity.console.holders import custody_of
from comity.console.intake import download
from comity.console.purpose import current_purpose, opened
from comity.exchange import selectors as exchange
from comity.exchange.bundles import bundle_of
from comity.exchange.errors import MessageUnknownError
from comity.exchange.selectors import Direction, MessageView
from comity.journeys.look import note_look, openable, see_lines
from comity.risk import selectors as risk
from comity.risk.reporting import reports_about
from comity.staff import Permission, may
from comity.trade.knowledge import KNOWLEDGE_KINDS
from comity.trade.mirror import MIRROR_KIND, MIRROR_REQUEST_KIND, MIRROR_VALUES_KIND

MESSAGES_PAGE = 50
# What nodes tell each other by themselves, day and night; it would drown what people wrote.
QUIET = ("probe/1", "keys/1", MIRROR_KIND)
_KINDS = (
    "alert/1",
    "finding/1",
    "evidence/1",
    MIRROR_REQUEST_KIND,
    MIRROR_VALUES_KIND,
    *KNOWLEDGE_KINDS,
    "recall/1",
    "holding/1",
    "consent/1",
    "split_view/1",
    *QUIET,
)


class MessagesForm(ConsoleForm):
    """The facets of the list of messages."""

    direction = forms.ChoiceField(label=gettext_lazy("Direction"), required=False)
    partner = forms.ChoiceField(label=gettext_lazy("Partner"), required=False)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)
    agreement = forms.ChoiceField(label=gettext_lazy("Agreement"), required=False)
    notices = forms.ChoiceField(label=gettext_lazy("Notices between nodes"), required=False)

    def __init__(self, data: object, at: datetime) -> None:
        super().__init__(data)
        anything = ("", str(_("any")))
        choose(self, "direction", [anything, ("received", str(_("received"))), ("sent", str(_("sent")))])
        choose(self, "partner", [anything, *[(each.administration, each.name) for each in exchange.partners()]])
        choose(self, "kind", [anything, *worded(_KINDS)])
        choose(self, "notices", [("", str(_("without probes and keys"))), ("all", str(_("all traffic")))])
        known = agreements_reads.agreements(at=at)
        choose(self, "agreement", [anything, *[(each.id, each.agreement.title.in_("en")) for each in known]])


@page(Permission.VIEW_MESSAGES)
@require_GET
def messages(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Messages sent and received, the newest first."""
    at = utc_now()
    form = MessagesForm(request.GET, at)
    asked = form.cleaned_data if form.is_valid() else {}
    found = exchange.messages(
        direction=asked.get("direction") or None,
        partner=asked.get("partner", ""),
        kind=asked.get("kind", ""),
        agreement=asked.get("agreement", ""),
        without=() if asked.get("notices") or asked.get("kind") in QUIET else QUIET,
        before=_before(request),
        limit=MESSAGES_PAGE,
    )
    context = {
        "form": form,
        "lines": see_lines(actor, found),
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
    view = opened(request, actor, message_id)
    context = {
        "view": view,
        "line": view.line,
        "body": body_lines(readable_body(view.message.body)) if view.message else [],
        "concerned": _concerned(view.message.body) if view.message else [],
        "custody": custody_of(view, actor),
        "again": lines_about(message_id, actor, utc_now()),
        "files": file_lines(view),
        "may_attach": _may_attach(view, actor),
        "stored": _agreement_of(view),
        "may_try": view.line.kind in KINDS and view.message is not None,
        "replies": [each.line for each in see_lines(actor, exchange.messages(in_reply_to=message_id, limit=20))],
        "feedback": risk.feedback(_ref_of(view)) if _ref_of(view) else [],
        "reports": reports_about(view.line.id) if view.line.direction is Direction.SENT else (),
        "section": "messages",
    }
    return render(request, "console/message.html", context)


@page(Permission.VIEW_MESSAGES)
@require_GET
def bundle(request: HttpRequest, actor: Actor, message_id: str) -> HttpResponse:
    """One exchange in a file that verifies offline; it holds the content, so the purpose is asked for."""
    at, purpose = utc_now(), current_purpose(request)
    view = openable(actor, message_id=message_id, purpose=purpose, at=at)
    found = bundle_of(message_id, keyring=settings.COMITY_KEYRING, at=at)
    note_look(actor, view, purpose=purpose, at=at, deed="download_bundle")
    return download(found.to_bytes(), name=f"exchange-{message_id}.bundle.json", media_type="application/json")


def _concerned(body: Mapping[str, object]) -> list[str]:
    """The pages of the messages that a duty or a file is about."""
    origin = str(body.get("origin") or body.get("owner") or "")
    if origin:
        named = body.get("messages") or [body.get("message")]
        names = [str(each) for each in named] if isinstance(named, list) else []
        pages = [page_of(origin, each) for each in names]
    else:
        pages = [str(body.get("about") or "")]
    return [each for each in pages if each and _is_here(each)]


def _is_here(message_id: str) -> bool:
    try:
        exchange.message(message_id)
    except MessageUnknownError:
        return False
    return True


def _may_attach(view: MessageView, actor: Actor) -> bool:
    is_notice = view.line.kind in {"alert/1", "finding/1"} and view.message is not None
    return is_notice and view.line.state != "refused" and may(actor, Permission.SHARE)


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
