"""The exporting side of the mirror check: which declarations partners are told of, under which keys, what they ask.

The step numbers are those of docs/protocol.md, section Mirror check. Nothing is sent here: journeys.mirror asks the
agreement first.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from comity.intake import StoredRecord
from comity.intake.selectors import records_by_id
from comity.risk.errors import SignalError
from comity.risk.mirror_locks import (
    commit_to,
    export_references,
    figures_of,
    key_name,
    lock,
    new_key,
    proof_of,
    quarter_of,
    ucr_in,
)
from comity.risk.models import MirrorExport, MirrorKey
from comity.trade import Declaration
from comity.trade.mirror import MIRROR_FIELDS, MirrorFigures, MirrorOffer, MirrorRequest, MirrorValues

# After so long nobody asks any more: what opens the commitments is deleted.
REACH = timedelta(days=180)
_DUE, _SENT, _REFUSED, _NOTHING = "due", "sent", "refused", "nothing"


@dataclass(frozen=True, slots=True)
class ExportDue:
    """A declaration of which a partner is to be told. message_id: of the earlier version that this one replaces."""

    row: int
    record: StoredRecord | None
    partner: str
    replaces: str


@dataclass(frozen=True, slots=True)
class AnswerDue:
    """Figures that a partner has asked for. request_id: the message that asked. agreement: under which it was told."""

    row: int
    record: StoredRecord | None
    partner: str
    offer_id: str
    request_id: str
    agreement: str
    fields: tuple[str, ...]


def is_export(declaration: Declaration) -> bool:
    """Whether goods leave by it: by its type, else by where they come from."""
    if declaration.declaration_type:
        return declaration.declaration_type.upper().startswith("EX")
    return declaration.country_dispatch == settings.COMITY_ADMINISTRATION


def note_exports(records: Sequence[StoredRecord], *, partners: Iterable[str], at: datetime) -> int:
    """Step M1: keep in mind of which declarations which partner is to be told; once for each version. Returns how many.

    partners: whom some article lets us tell anything of the kind.
    """
    known = frozenset(partners)
    wanted = [
        MirrorExport(
            record_id=record.record_id,
            version=record.version,
            partner=record.declaration.country_destination,
            state=_DUE,
            noted_at=at,
        )
        for record in records
        if record.declaration is not None
        and record.declaration.country_destination in known
        and is_export(record.declaration)
    ]
    MirrorExport.objects.bulk_create(wanted, ignore_conflicts=True)
    return len(wanted)


def exports_due(*, limit: int) -> list[ExportDue]:
    """The declarations that wait, the oldest first."""
    rows = list(MirrorExport.objects.filter(state=_DUE).order_by("id")[:limit])
    records = records_by_id({row.record_id for row in rows})
    told = MirrorExport.objects.filter(record_id__in=list(records), state=_SENT).order_by("version")
    earlier = {(row.record_id, row.partner): row.message_id for row in told}
    return [
        ExportDue(
            row.pk,
            _version(records, row.record_id, row.version),
            row.partner,
            earlier.get((row.record_id, row.partner), ""),
        )
        for row in rows
    ]


def _version(records: dict[UUID, StoredRecord], record_id: UUID, version: int) -> StoredRecord | None:
    """The record where it still is at this version: of what was amended meanwhile the later version is told."""
    record = records.get(record_id)
    return record if record is not None and record.version == version else None


def compose_offer(due: ExportDue, *, at: datetime) -> tuple[MirrorOffer, str] | None:
    """Step M2: the offer and its content key; None where the declaration has no reference or no figure to compare."""
    declaration = due.record.declaration if due.record else None
    references = export_references(declaration) if declaration else ()
    figures = figures_of(declaration) if declaration else MirrorFigures()
    if not references or figures == MirrorFigures():
        return None
    key = _our_key(due.partner, at)
    content_key = new_key()
    offer = MirrorOffer(
        administration=settings.COMITY_ADMINISTRATION,
        period=key.period,
        key=key.secret,
        locks=tuple(lock(key.secret, reference, content_key) for reference in references),
        commitments=commit_to(content_key, figures, ucr=ucr_in(references)),
        replaces=due.replaces,
    )
    return offer, content_key


@transaction.atomic
def _our_key(partner: str, at: datetime) -> MirrorKey:
    us, period = settings.COMITY_ADMINISTRATION, quarter_of(at)
    ours = MirrorKey.objects.filter(owner=us, partner=partner, period=period, is_ours=True).order_by("id")
    found = ours.first()
    if found is None:
        secret = new_key()
        name = key_name(secret)
        MirrorKey.objects.create(
            owner=us, partner=partner, period=period, name=name, secret=secret, is_ours=True, made_at=at
        )
        found = ours.get(name=name)
    return found


def mark_sent(due: ExportDue, *, message_id: str, agreement: str, content_key: str) -> None:
    """The offer is in the outbox; in the transaction of the posting."""
    MirrorExport.objects.filter(pk=due.row).update(
        state=_SENT, message_id=message_id, agreement=agreement, content_key=content_key
    )


def mark_unsent(due: ExportDue, *, is_refused: bool) -> None:
    """The agreement refused, or there is nothing to tell; it is not asked again."""
    MirrorExport.objects.filter(pk=due.row).update(state=_REFUSED if is_refused else _NOTHING)


@transaction.atomic
def take_request(request: MirrorRequest, *, partner: str, message_id: str) -> None:
    """Step M6: keep what a partner asks, where it proves that it opened the offer by a reference of its own.

    Raises: SignalError where nothing was offered to it under this id, or the proof does not hold.
    """
    row = (
        MirrorExport.objects.select_for_update().filter(message_id=request.offer, partner=partner, state=_SENT).first()
    )
    if row is None or not row.content_key:
        raise SignalError("Nothing was offered to this partner under this id", where=request.offer)
    proof = proof_of(row.content_key, asking=partner, fields_asked=request.fields)
    if not hmac.compare_digest(proof, request.proof):
        raise SignalError("The request does not prove a reference of the consignment", where=request.offer)
    if row.request_id == message_id:
        return
    row.asked = [name for name in MIRROR_FIELDS if name in request.fields]
    row.request_id, row.answer_state, row.answer_id = message_id, _DUE, ""
    row.save(update_fields=["asked", "request_id", "answer_state", "answer_id"])


def answers_due(*, limit: int) -> list[AnswerDue]:
    """The requests that wait for an answer, the oldest first."""
    rows = list(MirrorExport.objects.filter(answer_state=_DUE).order_by("id")[:limit])
    records = records_by_id({row.record_id for row in rows})
    return [
        AnswerDue(
            row.pk,
            _version(records, row.record_id, row.version),
            row.partner,
            row.message_id,
            row.request_id,
            row.agreement,
            tuple(row.asked),
        )
        for row in rows
    ]


def compose_values(due: AnswerDue) -> MirrorValues | None:
    """Step M7: the figures of the fields that were asked for; None where a later version has taken its place."""
    declaration = due.record.declaration if due.record else None
    if declaration is None:
        return None
    figures = figures_of(declaration)
    asked = {name: getattr(figures, name) for name in due.fields}
    return MirrorValues(
        administration=settings.COMITY_ADMINISTRATION,
        offer=due.offer_id,
        figures=MirrorFigures(**asked),
        declaration_ref=declaration.mrn or declaration.lrn,
    )


def mark_answered(due: AnswerDue, *, message_id: str) -> None:
    """The figures are in the outbox, or (with no id) the agreement refused them."""
    MirrorExport.objects.filter(pk=due.row, request_id=due.request_id).update(
        answer_state=_SENT if message_id else _REFUSED, answer_id=message_id
    )


@transaction.atomic
def forget_old(at: datetime) -> int:
    """Delete keys of both sides, and what opens our own commitments, once nobody asks any more. Returns how many."""
    before = at - REACH
    keys, _ = MirrorKey.objects.filter(made_at__lt=before - timedelta(days=92)).delete()
    rows = MirrorExport.objects.filter(noted_at__lt=before).exclude(content_key="")
    return keys + rows.update(content_key="")
