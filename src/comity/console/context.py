"""What every page knows: the node, the officer's menu, the language and its direction."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext_lazy as _

from comity.common import Actor, utc_now
from comity.console.access import is_verified, officer_of
from comity.console.counters import counts_for
from comity.console.endings import own_endings
from comity.console.forks import alarms
from comity.console.health import HEALTH
from comity.console.privacy import PRIVACY
from comity.console.purpose import current_purpose
from comity.staff import Permission, may, permissions_of
from comity.staff.services import actor_of


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A line of the menu. permissions: any one of them shows it; none: everyone. count: the counter beside it."""

    name: str
    label: str | Promise
    permissions: tuple[Permission, ...] = ()
    count: str = ""

    @property
    def url(self) -> str:
        """Where it leads."""
        return reverse(f"console:{self.name}")


MENU = (
    MenuItem("dashboard", _("Today")),
    MenuItem("queue", _("Targeting"), (Permission.VIEW_CONSIGNMENTS,), "queue"),
    MenuItem("messages", _("Messages"), (Permission.VIEW_MESSAGES,), "messages"),
    MenuItem("cases", _("Requests"), (Permission.VIEW_MESSAGES, Permission.SHARE, Permission.APPROVE_SHARING)),
    MenuItem("recalls", _("Recalls"), (Permission.VIEW_MESSAGES,), "recalls"),
    MenuItem(
        "approvals",
        _("Approvals"),
        (Permission.APPROVE_SHARING, Permission.SHARE, Permission.MANAGE_AGREEMENTS),
        "approvals",
    ),
    MenuItem("screening", _("Screening"), (Permission.VIEW_CONSIGNMENTS,)),
    MenuItem("profiles", _("Profiles"), (Permission.VIEW_CONSIGNMENTS,)),
    MenuItem("agreements", _("Agreements")),
    MenuItem("partners", _("Partners")),
    MenuItem("health", _("Health"), HEALTH),
    MenuItem("proof", _("Proof")),
    MenuItem("audit", _("Audit"), (Permission.VIEW_AUDIT,)),
    MenuItem("privacy", _("Privacy"), PRIVACY),
    MenuItem("officers", _("Officers"), (Permission.MANAGE_OFFICERS, Permission.VIEW_AUDIT)),
)


def menu_of(actor: Actor) -> list[MenuItem]:
    """The lines that the actor's roles allow."""
    granted = permissions_of(actor)
    return [item for item in MENU if not item.permissions or granted.intersection(item.permissions)]


def node(request: HttpRequest) -> dict[str, object]:
    """The context of every template."""
    known: dict[str, object] = {
        "administration": settings.COMITY_ADMINISTRATION,
        "node_name": settings.COMITY_NAME,
        "direction": "rtl" if get_language_bidi() else "ltr",
        "languages": settings.LANGUAGES,
    }
    officer = officer_of(request) if hasattr(request, "user") else None
    if officer is None or (officer.needs_second_factor and not is_verified(officer)):
        return known
    actor = actor_of(officer)
    return known | {
        "officer": officer,
        "menu": menu_of(actor),
        "may": {permission.value: True for permission in permissions_of(actor)},
        "counts": counts_for(actor),
        "purpose": current_purpose(request),
        "alarms": alarms(),
        "endings": own_endings(utc_now()) if may(actor, Permission.MANAGE_PARTNERS) else (),
    }
