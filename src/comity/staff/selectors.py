"""Reads of this room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from comity.staff.errors import OfficerRefusedError, ProposalRefusedError
from comity.staff.models import AuditEntry, Officer, ProposalRow, SystemToken
from comity.staff.rules import ProposalState


@dataclass(frozen=True, slots=True)
class OfficerSummary:
    """An officer as lists show one."""

    username: str
    full_name: str
    roles: tuple[str, ...]
    is_active: bool
    needs_second_factor: bool
    last_sign_in_at: datetime | None


@dataclass(frozen=True, slots=True)
class TokenSummary:
    """A token as lists show one; its secret is nowhere."""

    name: str
    key: str
    roles: tuple[str, ...]
    officer: str
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A deed under four eyes. payload: what the deed needs, kept as it was proposed; digest: its SHA-256."""

    proposal_id: UUID
    deed: str
    payload: Mapping[str, object]
    digest: str
    handling: int
    state: ProposalState
    proposed_by: str
    proposed_at: datetime
    decided_by: str = ""
    decided_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What the audit is searched for; empty fields ask for everything. before: entries older than this number."""

    actor: str = ""
    deed: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


EVERYTHING = AuditFilter()


def officers() -> list[OfficerSummary]:
    """Every officer, by user name."""
    return [summary_of(row) for row in Officer.objects.order_by("username")]


def officer(username: str) -> OfficerSummary:
    """One officer.

    Raises: OfficerRefusedError where there is none.
    """
    return summary_of(officer_row(username))


def officer_row(username: str) -> Officer:
    """The row of one officer.

    Raises: OfficerRefusedError where there is none.
    """
    row = Officer.objects.filter(username=username.strip().lower()).first()
    if row is None:
        raise OfficerRefusedError("There is no such officer", where=username, remedy="Look at `comity officer list`.")
    return row


def tokens() -> list[TokenSummary]:
    """Every token that was issued, by name."""
    return [
        TokenSummary(
            name=row.name,
            key=row.key,
            roles=tuple(row.roles),
            officer=row.officer.username if row.officer else "",
            issued_by=row.issued_by,
            issued_at=row.issued_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            last_used_at=row.last_used_at,
        )
        for row in SystemToken.objects.select_related("officer").order_by("name")
    ]


def open_proposals() -> list[Proposal]:
    """What waits for a second pair of eyes, oldest first."""
    rows = ProposalRow.objects.filter(state=ProposalState.OPEN.value).order_by("proposed_at", "id")
    return [proposal_of(row) for row in rows]


def decided_proposals(*, limit: int = 50) -> list[Proposal]:
    """What was decided, newest first."""
    rows = ProposalRow.objects.exclude(state=ProposalState.OPEN.value).order_by("-decided_at", "id")[:limit]
    return [proposal_of(row) for row in rows]


def proposal(proposal_id: UUID) -> Proposal:
    """One proposal.

    Raises: ProposalRefusedError where there is none.
    """
    row = ProposalRow.objects.filter(id=proposal_id).first()
    if row is None:
        raise ProposalRefusedError("There is no such proposal", where=str(proposal_id))
    return proposal_of(row)


def audit_entries(wanted: AuditFilter = EVERYTHING, *, limit: int = 100) -> list[AuditEntry]:
    """The newest entries that match, newest first."""
    rows = AuditEntry.objects.order_by("-id")
    if wanted.actor:
        rows = rows.filter(actor_id=wanted.actor)
    if wanted.deed:
        rows = rows.filter(deed=wanted.deed)
    if wanted.subject:
        rows = rows.filter(subject__contains=wanted.subject)
    if wanted.since is not None:
        rows = rows.filter(at__gte=wanted.since)
    if wanted.until is not None:
        rows = rows.filter(at__lt=wanted.until)
    if wanted.before is not None:
        rows = rows.filter(id__lt=wanted.before)
    return list(rows[:limit])


def deeds() -> list[str]:
    """Every deed that the audit knows, for a list to choose from."""
    return list(AuditEntry.objects.order_by("deed").values_list("deed", flat=True).distinct())


def summary_of(row: Officer) -> OfficerSummary:
    """The value of a row."""
    return OfficerSummary(
        username=row.username,
        full_name=row.full_name,
        roles=tuple(row.roles),
        is_active=row.is_active,
        needs_second_factor=row.needs_second_factor,
        last_sign_in_at=row.last_login,
    )


def proposal_of(row: ProposalRow) -> Proposal:
    """The value of a row."""
    return Proposal(
        proposal_id=row.id,
        deed=row.deed,
        payload=row.payload,
        digest=row.digest,
        handling=row.handling,
        state=ProposalState(row.state),
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        reason=row.reason,
    )
