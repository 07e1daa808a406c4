"""Why an officer looks at what partners sent. Asked once an hour; every look is in the audit with the purpose."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from comity.common import Actor, parse_instant, show_instant, utc_now
from comity.staff.services import record_deed

PURPOSES: Mapping[str, str | Promise] = {
    "risk_assessment": _("Risk assessment"),
    "control": _("Control of a consignment"),
    "investigation": _("Investigation"),
    "evidence": _("Evidence for a procedure"),
    "statistics": _("Statistics"),
    "training": _("Training"),
}
_KEY = "purpose"
_LASTS = timedelta(hours=1)


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


def ask_purpose(request: HttpRequest) -> HttpResponse:
    """Send the officer to the question and back here."""
    return redirect(f"{reverse('console:purpose')}?{urlencode({'next': request.get_full_path()})}")
