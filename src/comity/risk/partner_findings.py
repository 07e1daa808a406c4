"""What partners' controls found, kept for models to learn from: of whom and of which goods, no more.

A finding that answers an alert of ours is also its feedback (risk.learning); here every finding is kept that a partner
told, with the article that says what it may be used for. It goes when its message goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from comity.intake import KeyKind, normal_key
from comity.risk.models import MirrorOffering, PartnerFinding, PartnerSignal
from comity.risk.signals import name_key, normal_id
from comity.risk.values import Source
from comity.trade import Finding, FindingResult, Handling, Subject, SubjectRole

# The part that somebody plays in a partner's trade -> the column of a declaration here.
COLUMN_OF: Mapping[SubjectRole, str] = {
    SubjectRole.CONSIGNOR: "exporter",
    SubjectRole.CONSIGNEE: "importer",
    SubjectRole.DECLARANT: "declarant",
    SubjectRole.CARRIER: "forwarder",
}
_SHORTEST_REFERENCE = 4


def parties_of(subjects: Iterable[Subject]) -> list[list[str]]:
    """Of each who is named and trades: the column of a declaration, the number, and the name with the country."""
    told = (
        [COLUMN_OF[each.role], normal_id(each.id), name_key(each.name, each.country)]
        for each in subjects
        if each.role in COLUMN_OF
    )
    return [party for party in told if party[1] or party[2]]


@transaction.atomic
def take_partner_finding(finding: Finding, *, source: Source, at: datetime) -> bool:
    """Keep what a partner's control found. False where the message is known."""
    subjects = ((SubjectRole.CONSIGNOR, finding.consignor), (SubjectRole.CONSIGNEE, finding.consignee))
    named = [replace(each, role=role) for role, each in subjects if each is not None]
    references = {normal_key(KeyKind.UCR, text) for text in (finding.ucr, finding.declaration_ref)}
    _, is_new = PartnerFinding.objects.get_or_create(
        issuer=source.issuer,
        message_id=source.message_id,
        defaults={
            "agreement": source.agreement[:64],
            "article": source.article[:100],
            "ref": finding.ref[:100],
            "handling": int(finding.handling),
            "is_irregular": finding.result is FindingResult.IRREGULAR,
            "hs_code": finding.hs_code,
            "parties": parties_of(named),
            "references": sorted(each for each in references if len(each) >= _SHORTEST_REFERENCE),
            "taken_at": at,
        },
    )
    return is_new


def forget_partner_finding(*, issuer: str, message_id: str) -> None:
    """A partner's finding is taken back or has run out: nothing of it stays."""
    PartnerFinding.objects.filter(issuer=issuer, message_id=message_id).delete()


@transaction.atomic
def raise_told(*, issuer: str, message_id: str, handling: Handling) -> None:
    """Handle a partner's finding, alert or offer of a mirror check at this level from now on, never at a lower one."""
    PartnerFinding.objects.filter(issuer=issuer, message_id=message_id, handling__lt=int(handling)).update(
        handling=int(handling)
    )
    signals = PartnerSignal.objects.select_for_update().filter(issuer=issuer, message_id=message_id)
    offers = MirrorOffering.objects.select_for_update().filter(issuer=issuer, message_id=message_id)
    rows: list[PartnerSignal | MirrorOffering] = [*signals.exclude(body={}), *offers.exclude(body={})]
    for row in rows:
        known = Handling.from_word(str(row.body.get("handling", Handling.OFFICIAL.word)))
        row.body = {**row.body, "handling": max(known, handling).word}
        row.save(update_fields=["body"])
