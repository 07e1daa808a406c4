"""Checks after release: what stands open and when it is due, who has it, what is given up.

What a check found is recorded like any inspection's: POST /inspections/{inspection_id}/findings.
"""
# ruff: noqa: ARG001 - the framework hands the request over by name

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from comity.api.enforcement import InspectionOut, inspection_out
from comity.api.fields import Day, Given, Sentence, Word
from comity.api.guard import actor_of, needs
from comity.api.problems import NotFoundError
from comity.common import utc_now
from comity.enforcement import InspectionError, InspectionState, selectors
from comity.enforcement.checks import CheckFilter, assign_checks, check_counts, checks, drop_check
from comity.risk.today import local_day
from comity.staff import Permission

router = Router(tags=["enforcement"])


class CheckQuery(Given):
    """Which checks are wanted; what is left out does not narrow, but only open ones are told unless states are named.

    overdue: only open ones whose day is past. page: from 1.
    """

    state: list[InspectionState] = Field(default=[], max_length=4)
    office: Word = ""
    assigned_to: Word = ""
    unassigned: bool = False
    overdue: bool = False
    page: int = Field(default=1, ge=1, le=1_000_000)
    page_size: int = Field(default=50, ge=1, le=200)


class CheckCountOut(Schema):
    """What stands open at an office; null: at all of them. soon: due within seven days, today included."""

    office: str | None
    open: int
    overdue: int
    soon: int
    unassigned: int
    first_due_on: Day | None = None


class ChecksOut(Schema):
    """A page of checks, those that are due first on top, and what stands open by office."""

    items: list[InspectionOut]
    total: int
    page: int
    pages: int
    counts: list[CheckCountOut]


class AssignIn(Given):
    """To whom open checks are given: a user name, or nobody where it is empty."""

    checks: list[UUID] = Field(min_length=1, max_length=200)
    officer: Word = ""


class AssignOut(Schema):
    """How many changed hands."""

    changed: int


class DropIn(Given):
    """Why a check is given up."""

    reason: Sentence


@router.get("/checks", response=ChecksOut, summary="Checks after release", **needs(Permission.VIEW_CONSIGNMENTS))
def list_checks(request: HttpRequest, query: Query[CheckQuery]) -> ChecksOut:
    """Documents of goods that left in the blue lane, each with the day by which they are to be checked."""
    today = _today()
    asked = CheckFilter(
        states=tuple(query.state) or CheckFilter().states,
        office=query.office,
        assigned_to=query.assigned_to,
        is_unassigned=query.unassigned,
        due_before=today if query.overdue else None,
        page=query.page,
        page_size=query.page_size,
    )
    found = checks(asked)
    return ChecksOut(
        items=[inspection_out(each) for each in found.rows],
        total=found.total,
        page=found.page,
        pages=found.pages,
        counts=[
            CheckCountOut(
                office=each.office or None,
                open=each.open,
                overdue=each.overdue,
                soon=each.soon,
                unassigned=each.unassigned,
                first_due_on=each.first_due_on,
            )
            for each in check_counts(today)
        ],
    )


@router.post(
    "/checks/assign", response=AssignOut, summary="Give checks to an officer", **needs(Permission.DECIDE_CONSIGNMENT)
)
def assign(request: HttpRequest, body: AssignIn) -> AssignOut:
    """Those that are open; what is ended stays as it is."""
    changed = assign_checks(actor_of(request), inspection_ids=body.checks, officer=body.officer, at=utc_now())
    return AssignOut(changed=changed)


@router.post(
    "/checks/{uuid:inspection_id}/drop",
    response=InspectionOut,
    summary="Give up a check",
    **needs(Permission.DECIDE_CONSIGNMENT),
)
def drop(request: HttpRequest, inspection_id: UUID, body: DropIn) -> InspectionOut:
    """With the reason; it stands in the consignment's file and in the audit. Its part of the capacity stays spent."""
    try:
        selectors.inspection(inspection_id)
    except InspectionError as error:
        raise NotFoundError("There is no such check", where=str(inspection_id)) from error
    return inspection_out(drop_check(actor_of(request), inspection_id=inspection_id, reason=body.reason, at=utc_now()))


def _today() -> date:
    return local_day(utc_now())
