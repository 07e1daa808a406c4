"""Questions of persons: opened, candidates confirmed, parts decided, answered, then deleted; each in the audit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Coalesce

from comity.common import Actor, ActorKind, new_id, show_instant
from comity.insight.errors import RequestUnknownError, SubjectRequestError
from comity.insight.holdings import Holdings, holdings_of
from comity.insight.mentions import read_mentions
from comity.insight.models import Disclosure, SubjectRequest
from comity.insight.naming import Asked
from comity.insight.subjects import (
    GROUNDS,
    Candidate,
    Decided,
    Decision,
    Part,
    answer_of,
    candidates_of,
    confirmed,
    parts_of,
)
from comity.staff import Permission, may, require
from comity.staff.services import record_deed

PURPOSE = "subject_request"
MOST_LISTED = 200
# As long as the answer may be questioned; after that what the person gave of itself is of no use.
KEPT = timedelta(days=3 * 366)
_FORGOTTEN_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A question as a list shows it."""

    request_id: UUID
    reference: str
    asked: Asked
    chosen: tuple[str, ...]
    opened_by: str
    opened_at: datetime
    answered_by: str
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything about one question, gathered now. candidates: every spelling that was found; parts: of those chosen.

    is_cut: there is more than was read. unread: messages and steps that are not in the index yet.
    """

    line: RequestLine
    candidates: tuple[Candidate, ...]
    parts: tuple[Part, ...]
    is_cut: bool
    unread: int

    @property
    def open_parts(self) -> int:
        """How many parts wait for a decision."""
        return sum(part.is_open for part in self.parts)


@transaction.atomic
def open_request(actor: Actor, *, reference: str, asked: Asked, at: datetime) -> RequestLine:
    """Write down that a person or company asks what is held. reference: of the letter or file.

    Raises: PermissionRefusedError, SubjectRequestError.
    """
    require(actor, Permission.REPORT_SUBJECTS)
    if not asked.name.strip() and not any(each.strip() for each in asked.ids):
        raise SubjectRequestError(
            "Nothing to look for", where="name", remedy="Give the name, or a number such as an EORI or TIN."
        )
    row = SubjectRequest.objects.create(
        request_id=new_id(at),
        reference=reference.strip()[:100],
        asked=_written(asked),
        opened_by=str(actor),
        opened_at=at,
    )
    record_deed(actor, deed="open_subject_request", subject=_subject(row), facts=_facts(row), at=at)
    return _line(row)


@transaction.atomic
def choose_candidates(actor: Actor, *, request_id: UUID, spellings: Iterable[str], at: datetime) -> RequestLine:
    """Say which spellings are the one who asks.

    Raises: PermissionRefusedError, RequestUnknownError, SubjectRequestError where one was not found.
    """
    require(actor, Permission.REPORT_SUBJECTS)
    row = _locked(request_id)
    found = {each.spelling for each in candidates_of(holdings_of(_asked(row)).items)}
    chosen = sorted(set(spellings))
    strange = [each for each in chosen if each not in found]
    if strange:
        raise SubjectRequestError("This spelling was not found", where=strange[0][:60], remedy="Choose from the list.")
    row.chosen = chosen
    row.save(update_fields=["chosen"])
    record_deed(
        actor, deed="choose_candidates", subject=_subject(row), facts=_facts(row) | {"chosen": str(len(chosen))}, at=at
    )
    return _line(row)


@transaction.atomic
def decide_part(
    actor: Actor, *, request_id: UUID, item: str, decision: Decision, ground: str = "", at: datetime
) -> Decided:
    """Say whether a part may be told. ground: of subjects.GROUNDS, where it is not. Who opened it does not decide it.

    Raises: PermissionRefusedError, RequestUnknownError, SubjectRequestError.
    """
    require(actor, Permission.DECIDE_DISCLOSURE)
    row = _locked(request_id)
    if row.opened_by == str(actor):
        raise SubjectRequestError(
            "Who prepares an answer does not decide what is told", where=row.reference, remedy="Ask another officer."
        )
    if row.answered_at is not None:
        raise SubjectRequestError("The answer was given already", where=row.reference, remedy="Open a new question.")
    if (ground not in GROUNDS) if decision is not Decision.DISCLOSE else bool(ground):
        raise SubjectRequestError(
            "What is not told needs its ground, and what is told has none",
            where="ground",
            remedy=f"Choose from: {', '.join(GROUNDS)}.",
        )
    if item not in {part.item.ref for part in _report(row).parts}:
        raise SubjectRequestError("There is no such part", where=item[:60])
    Disclosure.objects.update_or_create(
        request=row,
        item=item,
        defaults={"decision": decision.value, "ground": ground, "decided_by": str(actor), "decided_at": at},
    )
    facts = _facts(row) | {"item": item, "decision": decision.value, "ground": ground}
    record_deed(actor, deed="decide_disclosure", subject=_subject(row), facts=facts, at=at)
    return Decided(decision, ground, str(actor), at)


@transaction.atomic
def answer_request(actor: Actor, *, request_id: UUID, at: datetime) -> tuple[Report, tuple[Part, ...]]:
    """The answer for the person: what it mentions. The first time is written down as the day of the answer.

    Raises: PermissionRefusedError, RequestUnknownError, SubjectRequestError, ReportOpenError.
    """
    require(actor, Permission.REPORT_SUBJECTS)
    row = _locked(request_id)
    report = _report(row)
    told = answer_of(report.parts)
    if row.answered_at is None:
        row.answered_by, row.answered_at = str(actor), at
        row.save(update_fields=["answered_by", "answered_at"])
    record_deed(
        actor,
        deed="answer_subject_request",
        subject=_subject(row),
        facts=_facts(row) | {"parts": str(len(told))},
        at=at,
    )
    return report, told


def view_request(actor: Actor, *, request_id: UUID, at: datetime) -> Report:
    """A question with everything that is held now; looking at it is in the access log.

    Raises: PermissionRefusedError, RequestUnknownError.
    """
    if not may(actor, Permission.REPORT_SUBJECTS):
        require(actor, Permission.DECIDE_DISCLOSURE)
    row = _row(request_id)
    read_mentions()
    report = _report(row)
    facts = _facts(row) | {"parts": str(len(report.parts))}
    record_deed(actor, deed="view_subject_request", subject=_subject(row), facts=facts, at=at)
    return report


@transaction.atomic
def forget_requests_due(at: datetime) -> int:
    """Delete questions three years after their answer, with what was decided; unanswered ones after they were opened.

    Returns how many. That each was asked, answered and deleted stays in the audit, without a name.
    """
    node = Actor(ActorKind.NODE, str(settings.COMITY_ADMINISTRATION), str(settings.COMITY_ADMINISTRATION))
    rows = SubjectRequest.objects.annotate(ended_at=Coalesce("answered_at", "opened_at"))
    gone = list(rows.filter(ended_at__lte=at - KEPT).order_by("opened_at")[:_FORGOTTEN_AT_ONCE])
    for row in gone:
        facts = {"purpose": PURPOSE, "opened_at": show_instant(row.opened_at)}
        record_deed(node, deed="forget_subject_request", subject=_subject(row), facts=facts, at=at)
        Disclosure.objects.filter(request=row).delete()
        row.delete()
    return len(gone)


def requests(*, limit: int = MOST_LISTED) -> tuple[RequestLine, ...]:
    """Questions, the newest first."""
    return tuple(_line(row) for row in SubjectRequest.objects.order_by("-opened_at")[:limit])


def _report(row: SubjectRequest) -> Report:
    asked = _asked(row)
    found: Holdings = holdings_of(asked)
    decided = {each.item: _decided(each) for each in row.decisions.all()}
    parts = parts_of(confirmed(found.items, row.chosen), decided)
    return Report(_line(row), candidates_of(found.items), parts, found.is_cut, found.unread)


def _row(request_id: UUID) -> SubjectRequest:
    row = SubjectRequest.objects.filter(request_id=request_id).first()
    if row is None:
        raise RequestUnknownError("There is no such question", where=str(request_id))
    return row


def _locked(request_id: UUID) -> SubjectRequest:
    row = SubjectRequest.objects.select_for_update().filter(request_id=request_id).first()
    return row or _row(request_id)


def _decided(row: Disclosure) -> Decided:
    return Decided(Decision(row.decision), row.ground, row.decided_by, row.decided_at)


def _line(row: SubjectRequest) -> RequestLine:
    return RequestLine(
        request_id=row.request_id,
        reference=row.reference,
        asked=_asked(row),
        chosen=tuple(row.chosen),
        opened_by=row.opened_by,
        opened_at=row.opened_at,
        answered_by=row.answered_by,
        answered_at=row.answered_at,
    )


def _written(asked: Asked) -> dict[str, object]:
    born = asked.birth_date.isoformat() if asked.birth_date else ""
    return {"name": asked.name.strip(), "ids": [each.strip() for each in asked.ids if each.strip()], "birth_date": born}


def _asked(row: SubjectRequest) -> Asked:
    given: Mapping[str, object] = row.asked
    born, ids = str(given.get("birth_date") or ""), given.get("ids")
    listed = tuple(str(each) for each in ids) if isinstance(ids, list) else ()
    return Asked(str(given.get("name") or ""), listed, date.fromisoformat(born) if born else None)


def _subject(row: SubjectRequest) -> str:
    return f"request:{row.request_id}"


def _facts(row: SubjectRequest) -> dict[str, str]:
    """Never the name: the audit is read by others than the answer."""
    return {"purpose": PURPOSE, "reference": row.reference}
