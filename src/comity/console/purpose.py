"""Why an officer looks at what partners sent. Asked once an hour; every look is in the access log with the purpose.

The purpose is bound to the view: what the agreement does not let be opened for it stays closed, and another is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from comity.common import Actor, parse_instant, show_instant, utc_now
from comity.exchange.selectors import MessageView
from comity.journeys.look import OVERSIGHT, Look, open_message
from comity.staff import Permission, may
from comity.staff.services import record_deed

PURPOSES: Mapping[str, str | Promise] = {
    "risk_assessment": _("Risk assessment"),
    "control": _("Control of a consignment"),
    "investigation": _("Investigation"),
    "evidence": _("Evidence for a procedure"),
    "statistics": _("Statistics"),
    "training": _("Training"),
    OVERSIGHT: _("Oversight: to check that it was lawful"),
}
_KEY = "purpose"
_LASTS = timedelta(hours=1)


def purposes_for(actor: Actor, uses: Iterable[str] = ()) -> list[tuple[str, str | Promise]]:
    """What the actor may state. uses: narrows to these; none of them known: no narrowing."""
    known = {word: label for word, label in PURPOSES.items() if word != OVERSIGHT or may(actor, Permission.VIEW_AUDIT)}
    wanted = set(uses) & set(known)
    return [(word, label) for word, label in known.items() if not wanted or word in wanted or word == OVERSIGHT]


def current_purpose(request: HttpRequest) -> str:
    """The purpose that the officer gave within the last hour, or nothing."""
    kept = request.session.get(_KEY) if hasattr(request, "session") else None
    if not isinstance(kept, dict) or kept.get("word") not in PURPOSES:
        return ""
    return str(kept["word"]) if utc_now() - parse_instant(str(kept["at"])) < _LASTS else ""


def set_purpose(request: HttpRequest, actor: Actor, word: str, at: datetime) -> None:
    """Keep the purpose in the session and in the audit."""
    request.session[_KEY] = {"word": word, "at": show_instant(at)}
    record_deed(actor, deed="state_purpose", subject=f"purpose:{word}", at=at)


def ask_purpose(request: HttpRequest, uses: Iterable[str] = ()) -> HttpResponse:
    """Send the officer to the question and back here. uses: only these will do."""
    asked = urlencode({"next": request.get_full_path(), "use": list(uses)}, doseq=True)
    return redirect(f"{reverse('console:purpose')}?{asked}")


def look_of(request: HttpRequest, actor: Actor, given: Iterable[UUID] = ()) -> Look:
    """Who looks, and for what."""
    return Look(actor, current_purpose(request), frozenset(given))


def opened(request: HttpRequest, actor: Actor, message_id: str) -> MessageView:
    """A message for the purpose that was stated; the look is in the access log. A page asks where there is none.

    Raises: as `journeys.look.open_message`.
    """
    return open_message(actor, message_id=message_id, purpose=current_purpose(request), at=utc_now())
