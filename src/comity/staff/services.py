"""Writes of this room: officers, tokens, four eyes, the audit."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import transaction

from comity.common import Actor, ActorKind, new_id
from comity.staff.errors import OfficerRefusedError, ProposalRefusedError, TokenRefusedError
from comity.staff.four_eyes import eyes_of
from comity.staff.models import AuditEntry, Officer, ProposalRow, SystemToken
from comity.staff.rules import Permission, ProposalState, check_roles, require
from comity.staff.selectors import Proposal, officer_row, proposal_of

TOKEN_PREFIX = "comity"  # noqa: S105  # the public beginning of each token
TOKEN_DAYS = 365
_TOUCH_EVERY = timedelta(hours=24)
_username = RegexValidator(r"^[a-z0-9][a-z0-9._-]{1,62}$")


def actor_of(officer: Officer) -> Actor:
    """The actor that a signed-in officer is."""
    return Actor(ActorKind.OFFICER, officer.username, settings.COMITY_ADMINISTRATION, frozenset(officer.roles))


def record_deed(
    actor: Actor, *, deed: str, subject: str, facts: Mapping[str, str] | None = None, at: datetime
) -> AuditEntry:
    """Write one audit entry, inside the transaction of the deed. facts: short texts, never the data itself."""
    return AuditEntry.objects.create(
        at=at,
        actor_kind=actor.kind.value,
        actor_id=actor.id[:100],
        administration=actor.administration,
        deed=deed,
        subject=subject[:200],
        facts=dict(facts or {}),
    )


@transaction.atomic
def create_officer(
    actor: Actor, *, username: str, full_name: str, roles: Iterable[str], password: str, at: datetime
) -> Officer:
    """Let a person sign in.

    Raises: PermissionRefusedError, OfficerRefusedError.
    """
    require(actor, Permission.MANAGE_OFFICERS)
    officer = Officer(username=_checked_username(username), full_name=full_name.strip(), created_at=at)
    officer.roles = list(check_roles(roles))
    if Officer.objects.filter(username=officer.username).exists():
        raise OfficerRefusedError("This user name is taken", where=officer.username, remedy="Choose another one.")
    _set_password(officer, password)
    officer.save(force_insert=True)
    record_deed(
        actor,
        deed="create_officer",
        subject=f"officer:{officer.username}",
        facts={"roles": ", ".join(officer.roles)},
        at=at,
    )
    return officer


@transaction.atomic
def set_roles(actor: Actor, *, username: str, roles: Iterable[str], at: datetime) -> Officer:
    """Give an officer exactly these roles. Nobody changes his own.

    Raises: PermissionRefusedError, OfficerRefusedError.
    """
    require(actor, Permission.MANAGE_OFFICERS)
    officer = officer_row(username)
    _refuse_self(actor, officer)
    before = ", ".join(officer.roles)
    officer.roles = list(check_roles(roles))
    officer.save(update_fields=["roles"])
    record_deed(
        actor,
        deed="set_roles",
        subject=f"officer:{officer.username}",
        facts={"before": before, "after": ", ".join(officer.roles)},
        at=at,
    )
    return officer


@transaction.atomic
def set_password(actor: Actor, *, username: str, password: str, at: datetime) -> None:
    """Give an officer a new password: his own, or another's for those who manage officers.

    Raises: PermissionRefusedError, OfficerRefusedError.
    """
    officer = officer_row(username)
    if not _is_self(actor, officer):
        require(actor, Permission.MANAGE_OFFICERS)
    _set_password(officer, password)
    officer.save(update_fields=["password"])
    record_deed(actor, deed="set_password", subject=f"officer:{officer.username}", at=at)


@transaction.atomic
def require_second_factor(actor: Actor, *, username: str, is_required: bool, at: datetime) -> None:
    """Say whether an officer must sign in with a second factor.

    Raises: PermissionRefusedError, OfficerRefusedError.
    """
    require(actor, Permission.MANAGE_OFFICERS)
    officer = officer_row(username)
    officer.needs_second_factor = is_required
    officer.save(update_fields=["needs_second_factor"])
    record_deed(
        actor,
        deed="require_second_factor",
        subject=f"officer:{officer.username}",
        facts={"required": "yes" if is_required else "no"},
        at=at,
    )


@transaction.atomic
def set_language(actor: Actor, *, language: str) -> None:
    """Remember the language in which an officer reads; a preference, not a deed, so the audit is silent."""
    Officer.objects.filter(username=actor.id).update(language=language)


@transaction.atomic
def disable_officer(actor: Actor, *, username: str, at: datetime) -> None:
    """Let an officer sign in no more, and revoke the tokens that speak for him.

    Raises: PermissionRefusedError, OfficerRefusedError.
    """
    require(actor, Permission.MANAGE_OFFICERS)
    officer = officer_row(username)
    _refuse_self(actor, officer)
    officer.is_active = False
    officer.save(update_fields=["is_active"])
    revoked = SystemToken.objects.filter(officer=officer, revoked_at=None).update(revoked_at=at)
    record_deed(
        actor,
        deed="disable_officer",
        subject=f"officer:{officer.username}",
        facts={"tokens_revoked": str(revoked)},
        at=at,
    )


@transaction.atomic
def issue_token(
    actor: Actor, *, name: str, roles: Iterable[str], officer: str | None, at: datetime, days: int = TOKEN_DAYS
) -> str:
    """Make a token for a system, or for a program that speaks for an officer. The text is shown once, here.

    Raises: PermissionRefusedError, OfficerRefusedError, TokenRefusedError.
    """
    require(actor, Permission.MANAGE_SYSTEMS)
    name = _checked_username(name)
    if SystemToken.objects.filter(name=name).exists():
        raise TokenRefusedError(
            "A token of this name was issued already", where=name, remedy="Choose another name; names are kept."
        )
    if not 0 < days <= 3 * TOKEN_DAYS:
        raise TokenRefusedError("A token lives from one day to three years", where=f"{days} days")
    key, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    row = SystemToken.objects.create(
        name=name,
        key=key,
        digest=_digest(secret),
        roles=list(check_roles(roles)),
        officer=officer_row(officer) if officer else None,
        issued_by=str(actor),
        issued_at=at,
        expires_at=at + timedelta(days=days),
    )
    record_deed(
        actor,
        deed="issue_token",
        subject=f"token:{row.name}",
        facts={"roles": ", ".join(row.roles), "officer": officer or ""},
        at=at,
    )
    return f"{TOKEN_PREFIX}_{key}_{secret}"


@transaction.atomic
def revoke_token(actor: Actor, *, name: str, at: datetime) -> None:
    """Make a token useless from now on.

    Raises: PermissionRefusedError, TokenRefusedError.
    """
    require(actor, Permission.MANAGE_SYSTEMS)
    name = name.strip().lower()
    if not SystemToken.objects.filter(name=name, revoked_at=None).update(revoked_at=at):
        raise TokenRefusedError("There is no such token in use", where=name, remedy="Look at `comity token list`.")
    record_deed(actor, deed="revoke_token", subject=f"token:{name}", at=at)


def actor_of_token(text: str, at: datetime) -> Actor:
    """The actor that a token stands for.

    Raises: TokenRefusedError where it is unknown, revoked or expired, or its officer is disabled.
    """
    prefix, _, rest = text.strip().partition("_")
    key, _, secret = rest.partition("_")
    row = SystemToken.objects.select_related("officer").filter(key=key).first() if prefix == TOKEN_PREFIX else None
    # Compared even where there is no such key, so that time does not tell which keys exist.
    is_right = hmac.compare_digest(row.digest if row else "0" * 64, _digest(secret))
    if row is None or not is_right:
        raise TokenRefusedError("The token is not known", remedy="Ask the administrator for a new one.")
    if row.revoked_at is not None or row.expires_at <= at or (row.officer and not row.officer.is_active):
        raise TokenRefusedError(
            "The token is no longer valid", where=row.name, remedy="Ask the administrator for a new one."
        )
    if row.last_used_at is None or at - row.last_used_at >= _TOUCH_EVERY:
        SystemToken.objects.filter(pk=row.pk).update(last_used_at=at)
    if row.officer is None:
        return Actor(ActorKind.SYSTEM, row.name, settings.COMITY_ADMINISTRATION, frozenset(row.roles))
    granted = frozenset(row.roles) & frozenset(row.officer.roles)
    return Actor(ActorKind.OFFICER, row.officer.username, settings.COMITY_ADMINISTRATION, granted)


@transaction.atomic
def propose(actor: Actor, *, deed: str, payload: dict[str, object], handling: int, at: datetime) -> Proposal:
    """Put a deed before a second pair of eyes. The same deed of the same officer that still waits is not put twice.

    Raises: PermissionRefusedError; ProposalRefusedError where the deed is none of `four_eyes`.
    """
    require(actor, eyes_of(deed).proposes)
    digest, own = _payload_digest(payload), str(actor)
    waiting = ProposalRow.objects.filter(state=ProposalState.OPEN.value, deed=deed, digest=digest, proposed_by=own)
    if (known := waiting.first()) is not None:
        return proposal_of(known)
    row = ProposalRow.objects.create(
        id=new_id(at),
        deed=deed,
        payload=payload,
        digest=digest,
        handling=handling,
        proposed_by=own,
        proposed_at=at,
    )
    record_deed(actor, deed=f"propose_{deed}", subject=f"proposal:{row.id}", facts={"digest": row.digest}, at=at)
    return proposal_of(row)


@transaction.atomic
def approve(actor: Actor, *, proposal_id: UUID, at: datetime) -> Proposal:
    """Approve what another officer proposed. The caller then does the deed with the payload, in this transaction.

    Raises: PermissionRefusedError, ProposalRefusedError.
    """
    return _decide(actor, proposal_id, state=ProposalState.APPROVED, reason="", at=at)


@transaction.atomic
def reject(actor: Actor, *, proposal_id: UUID, reason: str, at: datetime) -> Proposal:
    """Refuse what another officer proposed, and say why.

    Raises: PermissionRefusedError, ProposalRefusedError.
    """
    if not reason.strip():
        raise ProposalRefusedError("A refusal needs its reason", where="reason", remedy="Say why, in one sentence.")
    return _decide(actor, proposal_id, state=ProposalState.REJECTED, reason=reason.strip(), at=at)


@transaction.atomic
def withdraw(actor: Actor, *, proposal_id: UUID, at: datetime) -> Proposal:
    """Take back one's own proposal.

    Raises: ProposalRefusedError.
    """
    return _decide(actor, proposal_id, state=ProposalState.WITHDRAWN, reason="", at=at)


def _decide(actor: Actor, proposal_id: UUID, *, state: ProposalState, reason: str, at: datetime) -> Proposal:
    row = ProposalRow.objects.select_for_update().filter(id=proposal_id).first()
    if row is None:
        raise ProposalRefusedError("There is no such proposal", where=str(proposal_id))
    approves = eyes_of(row.deed).approves
    if state is not ProposalState.WITHDRAWN:
        require(actor, approves)
    if row.state != ProposalState.OPEN.value:
        raise ProposalRefusedError(f"This proposal is {row.state} already", where=str(proposal_id))
    is_own = row.proposed_by == str(actor)
    if state is ProposalState.WITHDRAWN and not is_own:
        raise ProposalRefusedError("Only who proposed it may take it back", where=str(proposal_id))
    if state is not ProposalState.WITHDRAWN and (is_own or actor.kind is not ActorKind.OFFICER):
        raise ProposalRefusedError(
            "Nobody decides his own proposal, and only a person decides",
            where=str(proposal_id),
            remedy=f"Ask another officer with the permission {approves.value}.",
        )
    if row.digest != _payload_digest(row.payload):
        raise ProposalRefusedError("The proposal is not what was proposed: its digest differs", where=str(proposal_id))
    row.state, row.decided_by, row.decided_at, row.reason = state.value, str(actor), at, reason
    row.save(update_fields=["state", "decided_by", "decided_at", "reason"])
    facts = {"proposed_by": row.proposed_by} | ({"reason": reason} if reason else {})
    record_deed(actor, deed=f"{state.value}_{row.deed}", subject=f"proposal:{row.id}", facts=facts, at=at)
    return proposal_of(row)


def _checked_username(username: str) -> str:
    word = username.strip().lower()
    try:
        _username(word)
    except ValidationError as error:
        raise OfficerRefusedError(
            "This name cannot be used",
            where=username[:80],
            remedy="Use 2 to 63 letters a-z, digits, dots, hyphens or underlines, beginning with a letter or digit.",
        ) from error
    return word


def _set_password(officer: Officer, password: str) -> None:
    try:
        validate_password(password, officer)
    except ValidationError as error:
        raise OfficerRefusedError(
            "This password is refused", where="password", remedy=" ".join(error.messages)
        ) from error
    officer.set_password(password)


def _is_self(actor: Actor, officer: Officer) -> bool:
    return actor.kind is ActorKind.OFFICER and actor.id == officer.username


def _refuse_self(actor: Actor, officer: Officer) -> None:
    if _is_self(actor, officer):
        raise OfficerRefusedError(
            "Nobody changes his own rights", where=officer.username, remedy="Ask another administrator."
        )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _payload_digest(payload: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
