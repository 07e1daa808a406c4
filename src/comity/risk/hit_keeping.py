"""How long decisions on hits are kept: as long as a declaration that is held has the hit, and a while after.

A decision is remembered so that an officer is not asked again about the same party and the same entry. Where another
decision stands in its place, or no declaration that is held here has the hit any more, nobody needs it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from comity.common import Actor, show_instant
from comity.intake.models import Record
from comity.risk.models import Assessment, AssessmentReason, HitAsked, HitTold, ScreeningDecision
from comity.risk.rules import SourceKind
from comity.risk.writing import parts
from comity.staff.services import record_deed

# A list that was loaded wrongly, or a declaration that is replaced, may be put right within that time.
KEPT_UNUSED = timedelta(days=92)
_MOST = 5_000
_GONE = "A hit of a declaration that is not held any more"


@transaction.atomic
def forget_decisions(actor: Actor, *, at: datetime) -> int:
    """Delete decisions that nothing has needed for 92 days, with who was asked and told. Returns how many.

    A decision that partners were told of is first taken back from them: it is out of force at once, and deleted when
    the recalls went out. Each deletion is in the audit, without a name.
    """
    _empty_orphans()
    used = _used()
    ScreeningDecision.objects.filter(unused_since__isnull=False).filter(used).update(unused_since=None)
    ScreeningDecision.objects.filter(unused_since=None).exclude(pk__in=_pks(used)).update(unused_since=at)
    due = ScreeningDecision.objects.filter(unused_since__lte=at - KEPT_UNUSED).order_by("id")
    open_told = Exists(HitTold.objects.filter(decision=OuterRef("pk"), ended_at=None))
    due.filter(open_told, is_current=True).update(is_current=False)
    gone = list(due.filter(~open_told)[:_MOST])
    for row in gone:
        facts = {"verdict": row.verdict, "ground": row.ground, "unused_since": show_instant(row.unused_since or at)}
        record_deed(actor, deed="forget_hit", subject=f"screening:{row.ref}", facts=facts, at=at)
    for part in parts(gone):
        ScreeningDecision.objects.filter(pk__in=[row.pk for row in part]).delete()
    _forget_asked(at)
    return len(gone)


def _used() -> Q:
    """That a decision is the one in force, and that a declaration that is held has its hit."""
    return Q(is_current=True) & Q(Exists(_held_with(OuterRef("ref"))))


def _pks(used: Q) -> QuerySet[ScreeningDecision, int]:
    return ScreeningDecision.objects.filter(used).values_list("pk", flat=True)


def _held_with(ref: OuterRef) -> QuerySet[AssessmentReason]:
    held = Record.objects.filter(record_id=OuterRef("assessment__record_id"))
    rows = AssessmentReason.objects.filter(source_kind=SourceKind.SCREENING.value, assessment__is_current=True)
    return rows.filter(Exists(held), source_ref=ref)


def _empty_orphans() -> None:
    """Hits of declarations that were deleted go: they name the party, and nobody is to decide on them."""
    held = Record.objects.filter(record_id=OuterRef("assessment__record_id"))
    rows = AssessmentReason.objects.filter(~Exists(held), source_kind=SourceKind.SCREENING.value)
    found = list(rows.values_list("pk", "assessment_id", "position")[:_MOST])
    for part in parts(found):
        first = [assessment for _, assessment, position in part if position == 1]
        Assessment.objects.filter(pk__in=first).update(top_reason=_GONE)
        AssessmentReason.objects.filter(pk__in=[pk for pk, _, _ in part]).delete()


def _forget_asked(at: datetime) -> None:
    """Who was asked about a hit goes with what it was asked for: no declaration has it, and nobody decided on it."""
    decided = ScreeningDecision.objects.filter(ref=OuterRef("ref"))
    rows = HitAsked.objects.filter(asked_at__lte=at - KEPT_UNUSED)
    rows.filter(~Exists(decided), ~Exists(_held_with(OuterRef("ref")))).delete()
