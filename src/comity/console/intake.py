"""A consignment: what arrived, why it stands where it stands, what was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from comity.common import Actor, utc_now
from comity.console.access import page
from comity.console.asked import number_of
from comity.console.charts import Bar, bars_of
from comity.console.deadlines import due_of
from comity.console.purpose import look_of
from comity.console.words import word
from comity.enforcement import Inspection
from comity.enforcement import selectors as enforcement
from comity.enforcement.values import RecordFile
from comity.intake import selectors as intake
from comity.intake.values import StoredRecord
from comity.journeys.look import SeenReason, see_reasons
from comity.risk import Explanation, SelectionError, TargetState
from comity.risk import selectors as risk
from comity.risk.overriding import overrides_of
from comity.risk.today import local_day
from comity.staff import Permission, sees_whole
from comity.staff.services import record_deed

# Formats without scripts, which every browser draws by itself.
SHOWN = frozenset({"image/png", "image/jpeg"})


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a consignment."""

    at: datetime
    title: str
    detail: str = ""


@page(Permission.VIEW_CONSIGNMENTS)
@require_GET
def consignment(request: HttpRequest, actor: Actor, record_id: UUID) -> HttpResponse:
    """One consignment, as it stands now or as an earlier version said."""
    record = intake.record(record_id, version=number_of(request.GET.get("version", "")))
    versions = intake.versions_of(record_id)
    explanation = explanation_of(record_id)
    file = enforcement.record_file(record_id)
    state = explanation.state if explanation else TargetState.NEW
    given = is_given(actor, explanation, file)
    look = look_of(request, actor, (record_id,) if given else ())
    reasons = see_reasons(look, record_id, explanation.reasons) if explanation else ()
    findings = [(each, sees_whole(actor, int(each.handling), is_given=given)) for each in file.findings]
    seen = replace(file, findings=tuple(each for each, is_whole in findings if is_whole))
    facts = {"purpose": look.purpose, "reference": record.reference}
    record_deed(actor, deed="view_record", subject=f"record:{record_id}", facts=facts, at=utc_now())
    context = {
        "record": record,
        "versions": versions,
        "explanation": explanation,
        "reasons": reasons,
        "inspections": [(each, due_of(each, local_day(utc_now()))) for each in file.inspections],
        "findings": findings,
        "assessed": file.assessed,
        "seizures": file.seizures,
        "decisions": file.decisions,
        "timeline": timeline_of(versions, record_id, seen),
        "open_inspection": enforcement.open_inspection(record_id),
        "weights": _weights(reasons),
        "overrides": overrides_of(record_id),
        "neighbours": risk.neighbours(record_id),
        "can_change_lane": record.is_current and state in {TargetState.NEW, TargetState.SELECTED},
        "can_decide": record.is_current and state not in {TargetState.INSPECTING, TargetState.RELEASED},
        "section": "queue",
    }
    return render(request, "console/consignment.html", context)


def _weights(reasons: Sequence[SeenReason]) -> list[tuple[SeenReason, Bar]]:
    """Each reason with the bar of its weight; one that only says how goods were selected has none."""
    weighed = [seen for seen in reasons if seen.reason.weight]
    return list(zip(weighed, bars_of([("", seen.reason.weight) for seen in weighed], 100), strict=True))


@page(Permission.VIEW_CONSIGNMENTS)
@require_GET
def raw(_request: HttpRequest, actor: Actor, arrival_id: UUID) -> HttpResponse:
    """The bytes exactly as they arrived; always a download, never shown, since they are a stranger's."""
    data, info = intake.raw_bytes(arrival_id), intake.arrival(arrival_id)
    record_deed(actor, deed="view_raw", subject=f"arrival:{arrival_id}", at=utc_now())
    return download(data, name=info.name.rsplit("/", 1)[-1] or "arrival")


def download(data: bytes, *, name: str, media_type: str = "application/octet-stream") -> HttpResponse:
    """Bytes as a file to save; only pictures are shown, in a sandbox. The name is cut to what every system stores."""
    safe = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name)[:100]
    response = HttpResponse(data, content_type=media_type)
    way = "inline" if media_type in SHOWN else "attachment"
    response["Content-Disposition"] = f'{way}; filename="{safe.encode("ascii", "replace").decode()}"'
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def is_given(actor: Actor, explanation: Explanation | None, file: RecordFile) -> bool:
    """Whether a consignment was given to this officer: to decide on, or to inspect."""
    own = {actor.id, str(actor)}
    inspectors = {name for each in file.inspections for name in _officers_of(each)}
    return bool(own & (inspectors | ({explanation.assigned_to} if explanation else set())))


def _officers_of(inspection: Inspection) -> tuple[str, ...]:
    return (inspection.ordered_by, inspection.started_by, inspection.completed_by, inspection.assigned_to)


def explanation_of(record_id: UUID) -> Explanation | None:
    """Why a record stands where it stands; None where it was not assessed yet."""
    try:
        return risk.explanation(record_id)
    except SelectionError:
        return None


def timeline_of(versions: list[StoredRecord], record_id: UUID, file: RecordFile) -> list[Event]:
    """Everything that happened, the latest first."""
    events = [
        Event(each.received_at, _("Version %(number)d arrived") % {"number": each.version}, each.arrival.name)
        for each in versions
    ]
    events += [
        Event(
            each.at,
            _("Assessed: %(score)s") % {"score": number_format(each.score, decimal_pos=1)},
            str(word(each.lane.value)),
        )
        for each in risk.assessments(record_id)
    ]
    for inspection in file.inspections:
        ordered = _("Check after release ordered") if inspection.is_after_release else _("Inspection ordered")
        events.append(Event(inspection.ordered_at, ordered, inspection.ordered_by))
        if inspection.started_at:
            started = _("Check after release started") if inspection.is_after_release else _("Inspection started")
            events.append(Event(inspection.started_at, started, inspection.started_by))
        if inspection.dropped_because and inspection.completed_at:
            title = _("Check after release given up: %(why)s") % {"why": inspection.dropped_because}
            events.append(Event(inspection.completed_at, title, inspection.completed_by))
    events += [
        Event(each.found_at, _("Finding: %(result)s") % {"result": word(each.result)}, each.ref)
        for each in file.findings
    ]
    events += [Event(each.seized_at, _("Goods seized"), each.reference) for each in file.seizures]
    events += [Event(each.decided_at, str(word(each.kind)).capitalize(), each.reason) for each in file.decisions]
    return sorted(events, key=lambda event: event.at)[::-1]
