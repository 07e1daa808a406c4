"""A partner's offer or its figures are taken back or have run out: they go, and what was assessed by them is again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from comity.common import Actor
from comity.intake.selectors import records_by_id
from comity.risk.assessing import assess_all
from comity.risk.mirror_reasons import COMMITMENTS
from comity.risk.mirroring import REFUSED
from comity.risk.models import Assessment, AssessmentReason, MirrorMatch, MirrorOffering, MirrorTag
from comity.risk.rules import SourceKind

_GONE = "A mirror check whose information was taken back"


def mirror_told(issuer: str, message_id: str) -> tuple[tuple[str, ...], tuple[UUID, ...]]:
    """The sources, as outcomes name them, that rest on a message, and every record of which an assessment named one."""
    offer_id, _ = _offer_of(issuer, message_id)
    if not offer_id:
        return (), ()
    rows = AssessmentReason.objects.filter(
        source_kind=SourceKind.MIRROR.value, administration=issuer, source_ref__startswith=f"{offer_id}:"
    )
    told = rows.order_by().values_list("source_ref", "assessment__record_id").distinct()
    found = list(told)
    return (
        tuple(sorted({f"{SourceKind.MIRROR.value}:{ref}" for ref, _ in found})),
        tuple({record_id for _, record_id in found}),
    )


@transaction.atomic
def forget_mirror(actor: Actor, *, issuer: str, message_id: str, at: datetime) -> tuple[UUID, ...]:
    """Empty what was kept of an offer or of figures, and assess again what rested on it. Returns the records.

    What was decided because of it stays decided: assessments keep that it spoke for a control, with its weight, and no
    longer what it said.
    """
    offer_id, is_offer = _offer_of(issuer, message_id)
    offer = MirrorOffering.objects.filter(issuer=issuer, message_id=offer_id).first() if offer_id else None
    if offer is None:
        return ()
    matches = MirrorMatch.objects.filter(offer=offer)
    touched = list(matches.values_list("record_id", flat=True))
    if is_offer:
        matches.delete()
        MirrorTag.objects.filter(offer=offer).delete()
        offer.body = {}
        offer.save(update_fields=["body"])
    else:
        matches.update(values={}, values_id="", values_article="", state=REFUSED, changed_at=at)
    assess_all(actor, records=list(records_by_id(touched).values()), at=at)
    _empty(issuer, offer_id, keeps_commitments=not is_offer)
    return tuple(touched)


def _offer_of(issuer: str, message_id: str) -> tuple[str, bool]:
    """The id of the offer that a message is, or whose figures it gave; whether it is the offer itself."""
    if MirrorOffering.objects.filter(issuer=issuer, message_id=message_id).exists():
        return message_id, True
    match = MirrorMatch.objects.filter(offer__issuer=issuer, values_id=message_id).select_related("offer").first()
    return (match.offer.message_id if match else "", False)


def _empty(issuer: str, offer_id: str, *, keeps_commitments: bool) -> None:
    reasons = AssessmentReason.objects.filter(
        source_kind=SourceKind.MIRROR.value, administration=issuer, source_ref__startswith=f"{offer_id}:"
    )
    if keeps_commitments:
        reasons = reasons.exclude(source_ref=f"{offer_id}:{COMMITMENTS}")
    first = reasons.filter(position=1).values("assessment_id")
    Assessment.objects.filter(pk__in=first).update(top_reason=_GONE)
    reasons.update(title=_GONE, text=_GONE, evidence=[], facts={}, risk_type="")
