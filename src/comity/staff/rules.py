"""Roles, permissions and who may do what. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from comity.common import Actor, ActorKind
from comity.staff.errors import OfficerRefusedError, PermissionRefusedError


class Role(StrEnum):
    """What an officer, or a system with a token, is trusted with."""

    ANALYST = "analyst"
    OFFICER = "officer"
    SUPERVISOR = "supervisor"
    LIAISON = "liaison"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    DATA_PROTECTION = "data_protection"
    SYSTEM = "system"


class Permission(StrEnum):
    """One thing that a role may allow."""

    VIEW_CONSIGNMENTS = "view_consignments"
    ASSESS = "assess"
    DECIDE_CONSIGNMENT = "decide_consignment"
    RECORD_FINDING = "record_finding"
    SHARE = "share"
    APPROVE_SHARING = "approve_sharing"
    VIEW_MESSAGES = "view_messages"
    MANAGE_PROFILES = "manage_profiles"
    APPROVE_PROFILES = "approve_profiles"
    MANAGE_AGREEMENTS = "manage_agreements"
    MANAGE_PARTNERS = "manage_partners"
    MANAGE_OFFICERS = "manage_officers"
    MANAGE_SYSTEMS = "manage_systems"
    VIEW_AUDIT = "view_audit"
    VERIFY_LEDGER = "verify_ledger"
    IMPORT = "import"
    VIEW_ACCESS_LOG = "view_access_log"
    VIEW_PROCESSING = "view_processing"
    VIEW_STATISTICS = "view_statistics"
    REPORT_SUBJECTS = "report_subjects"
    DECIDE_DISCLOSURE = "decide_disclosure"


class ProposalState(StrEnum):
    """The life of a proposal under four eyes: open, then one of the others, for good."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


_ROLE_WORDS = frozenset(role.value for role in Role)
_OFFICER = frozenset({Permission.VIEW_CONSIGNMENTS, Permission.DECIDE_CONSIGNMENT, Permission.RECORD_FINDING})

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.ANALYST: frozenset(
        {
            Permission.VIEW_CONSIGNMENTS,
            Permission.ASSESS,
            Permission.MANAGE_PROFILES,
            Permission.IMPORT,
            Permission.VIEW_STATISTICS,
        }
    ),
    Role.OFFICER: _OFFICER,
    Role.SUPERVISOR: _OFFICER
    | {
        Permission.ASSESS,
        Permission.APPROVE_SHARING,
        Permission.APPROVE_PROFILES,
        Permission.VIEW_MESSAGES,
        Permission.VIEW_STATISTICS,
        Permission.DECIDE_DISCLOSURE,
    },
    Role.LIAISON: frozenset(
        {
            Permission.VIEW_CONSIGNMENTS,
            Permission.SHARE,
            Permission.VIEW_MESSAGES,
            Permission.VERIFY_LEDGER,
            Permission.VIEW_STATISTICS,
        }
    ),
    Role.ADMINISTRATOR: frozenset(
        {
            Permission.MANAGE_OFFICERS,
            Permission.MANAGE_SYSTEMS,
            Permission.MANAGE_PARTNERS,
            Permission.MANAGE_AGREEMENTS,
            Permission.VERIFY_LEDGER,
            Permission.IMPORT,
        }
    ),
    Role.AUDITOR: frozenset(
        {
            Permission.VIEW_AUDIT,
            Permission.VERIFY_LEDGER,
            Permission.VIEW_CONSIGNMENTS,
            Permission.VIEW_MESSAGES,
            Permission.VIEW_ACCESS_LOG,
            Permission.VIEW_PROCESSING,
            Permission.VIEW_STATISTICS,
        }
    ),
    # Sees who looked at what and what is held about whom, and no risk content: see need_to_know.
    Role.DATA_PROTECTION: frozenset(
        {
            Permission.VIEW_ACCESS_LOG,
            Permission.VIEW_PROCESSING,
            Permission.VIEW_STATISTICS,
            Permission.REPORT_SUBJECTS,
        }
    ),
    Role.SYSTEM: frozenset({Permission.IMPORT, Permission.VIEW_CONSIGNMENTS}),
}

# What the node does by itself: take in what arrives, assess it, check its own log. Deeds that bind the
# administration (deciding, sharing, agreeing) need the roles of a person or of a system that a person trusted.
NODE_PERMISSIONS = frozenset(
    {Permission.IMPORT, Permission.ASSESS, Permission.VIEW_CONSIGNMENTS, Permission.VERIFY_LEDGER}
)


def permissions_of(actor: Actor) -> frozenset[Permission]:
    """Everything that the actor's roles allow; an unknown role allows nothing, a partner's node has no roles here."""
    if actor.kind is ActorKind.PARTNER:
        return frozenset()
    granted = set(NODE_PERMISSIONS) if actor.kind is ActorKind.NODE else set()
    for word in actor.roles:
        if word in _ROLE_WORDS:
            granted |= ROLE_PERMISSIONS[Role(word)]
    return frozenset(granted)


def may(actor: Actor, permission: Permission) -> bool:
    """Whether the actor's roles allow it."""
    return permission in permissions_of(actor)


def require(actor: Actor, permission: Permission) -> None:
    """Let the deed pass only where the actor's roles allow it.

    Raises: PermissionRefusedError, naming the roles that would.
    """
    if may(actor, permission):
        return
    roles = ", ".join(role.value for role, granted in ROLE_PERMISSIONS.items() if permission in granted)
    raise PermissionRefusedError(
        f"{actor} may not do this: it needs the permission {permission.value}",
        where=permission.value,
        remedy=f"Ask someone with one of these roles: {roles}.",
    )


def check_roles(words: Iterable[str]) -> tuple[str, ...]:
    """The role words, each once and in the order of the list of roles.

    Raises: OfficerRefusedError where a word is no role.
    """
    wanted = {str(word) for word in words}
    unknown = sorted(word for word in wanted if word not in _ROLE_WORDS)
    if unknown:
        raise OfficerRefusedError(
            f"There is no role {', '.join(unknown)}", where="roles", remedy=f"Choose from: {', '.join(Role)}."
        )
    return tuple(role.value for role in Role if role.value in wanted)
