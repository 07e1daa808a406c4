"""The access log: who saw what of whom, when, for which purpose. It is the audit, read for looks and refused looks."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from comity.common import Actor, show_instant
from comity.staff import Permission, require
from comity.staff.models import AuditEntry
from comity.staff.services import record_deed

# Deeds that are looks at somebody's data, and looks that were refused.
LOOKS = (
    "view_message",
    "view_record",
    "view_assessment",
    "view_exhibit",
    "view_raw",
    "view_case",
    "view_consents",
    "view_feedback",
    "list_files",
    "download_bundle",
    "download_statement",
    "open_subject_request",
    "choose_candidates",
    "view_subject_request",
    "decide_disclosure",
    "answer_subject_request",
)
REFUSED = ("refuse_sight", "refuse_purpose")
STATED = ("state_purpose",)
DEEDS = (*LOOKS, *REFUSED, *STATED)
HEADINGS = ("at", "actor_kind", "actor", "administration", "deed", "subject", "purpose", "facts")
MOST_EXPORTED = 100_000


@dataclass(frozen=True, slots=True)
class AccessFilter:
    """What is searched for; empty asks for everything. about: a message, record or request, by its id or a part of it.

    refs: exactly these subjects, as `message:ID`. before: entries older than this number, for the next page.
    """

    officer: str = ""
    about: str = ""
    purpose: str = ""
    deed: str = ""
    refs: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    is_refused: bool = False
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """One look. facts: what else was written: partner, kind, handling."""

    number: int
    at: datetime
    actor_kind: str
    actor: str
    administration: str
    deed: str
    subject: str
    purpose: str
    facts: tuple[tuple[str, str], ...]

    @property
    def is_refused(self) -> bool:
        """Whether nothing was shown."""
        return self.deed in REFUSED


EVERY_LOOK = AccessFilter()


def accesses(actor: Actor, wanted: AccessFilter = EVERY_LOOK, *, limit: int = 100) -> tuple[Access, ...]:
    """Looks that match, the newest first.

    Raises: PermissionRefusedError.
    """
    require(actor, Permission.VIEW_ACCESS_LOG)
    rows = AuditEntry.objects.filter(deed__in=_deeds(wanted)).order_by("-id")
    rows = rows.filter(actor_id=wanted.officer) if wanted.officer else rows
    rows = rows.filter(subject__contains=wanted.about) if wanted.about else rows
    rows = rows.filter(subject__in=wanted.refs) if wanted.refs else rows
    rows = rows.filter(facts__purpose=wanted.purpose) if wanted.purpose else rows
    rows = rows.filter(at__gte=wanted.since) if wanted.since is not None else rows
    rows = rows.filter(at__lt=wanted.until) if wanted.until is not None else rows
    rows = rows.filter(id__lt=wanted.before) if wanted.before is not None else rows
    return tuple(_access(row) for row in rows[:limit])


def export_accesses(actor: Actor, wanted: AccessFilter = EVERY_LOOK, *, at: datetime) -> str:
    """The same as a CSV file, whole; that it was taken out is in the audit.

    Raises: PermissionRefusedError.
    """
    found = accesses(actor, wanted, limit=MOST_EXPORTED)
    record_deed(actor, deed="export_access_log", subject="access log", facts={"entries": str(len(found))}, at=at)
    return csv_of(found)


def csv_of(found: Iterable[Access]) -> str:
    """RFC 4180 with a line of headings; no cell begins as a formula of a spreadsheet would."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for each in found:
        facts = "; ".join(f"{name}={value}" for name, value in each.facts)
        row = (show_instant(each.at), each.actor_kind, each.actor, each.administration, each.deed)
        writer.writerow([_plain(cell) for cell in (*row, each.subject, each.purpose, facts)])
    return sheet.getvalue()


def _plain(cell: str) -> str:
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _deeds(wanted: AccessFilter) -> tuple[str, ...]:
    every = REFUSED if wanted.is_refused else DEEDS
    return (wanted.deed,) if wanted.deed in every else every


def _access(row: AuditEntry) -> Access:
    facts = {str(name): str(value) for name, value in row.facts.items()}
    stated = row.subject.removeprefix("purpose:") if row.deed in STATED else ""
    purpose = facts.pop("purpose", stated)
    return Access(
        number=row.pk,
        at=row.at,
        actor_kind=row.actor_kind,
        actor=row.actor_id,
        administration=row.administration,
        deed=row.deed,
        subject=row.subject,
        purpose=purpose,
        facts=tuple((name, value) for name, value in facts.items() if value),
    )
