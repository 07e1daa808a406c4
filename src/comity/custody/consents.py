"""Writes of this room: consents to hand a message on, asked, given, refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from comity.common import Actor
from comity.custody.errors import ConsentError
from comity.custody.models import Consent
from comity.custody.notices import ConsentAsked, ConsentNotice, Signed
from comity.custody.rules import ConsentState
from comity.custody.selectors import ConsentView, HolderView, consent_view
from comity.custody.services import require_custodian
from comity.staff import Permission, require
from comity.staff.services import record_deed
from comity.trade import Handling


@transaction.atomic
def note_question(actor: Actor, asked: ConsentAsked, held: HolderView, *, at: datetime) -> ConsentView:
    """Remember what we ask of the owner of a message that we hold.

    Raises: PermissionRefusedError.
    """
    require(actor, Permission.SHARE)
    row = Consent.objects.create(
        consent_id=asked.id,
        message_id=asked.message,
        owner=asked.owner,
        asker=actor.administration,
        agreement=held.agreement,
        handling=held.handling,
        recipients=list(asked.recipients),
        reason=asked.reason,
        state=ConsentState.ASKED.value,
        asked_at=at,
        asked_by=str(actor)[:140],
    )
    facts = {"owner": asked.owner, "recipients": ", ".join(asked.recipients)}
    record_deed(actor, deed="ask_consent", subject=f"message:{asked.message}", facts=facts, at=at)
    return consent_view(row)


def note_asked_in(consent_id: str, message_id: str) -> None:
    """Remember the message in which we asked."""
    Consent.objects.filter(consent_id=consent_id).update(asked_in=message_id)


def take_question(
    asked: ConsentAsked, *, asker: str, agreement: str, handling: str, asked_in: str, at: datetime
) -> None:
    """Remember what a partner asks of us; the same question again changes nothing."""
    Consent.objects.get_or_create(
        consent_id=asked.id,
        defaults={
            "message_id": asked.message,
            "owner": asked.owner,
            "asker": asker,
            "agreement": agreement,
            "handling": handling,
            "recipients": list(asked.recipients),
            "reason": asked.reason,
            "state": ConsentState.ASKED.value,
            "asked_at": at,
            "asked_in": asked_in,
        },
    )


@transaction.atomic
def answer_question(actor: Actor, signed: Signed, *, recipients: Sequence[str], at: datetime) -> ConsentView:
    """Give or refuse a consent that was asked of us. From the level restricted up it takes who may approve sharing.

    Raises: PermissionRefusedError, ConsentError where nothing is asked, or more would be given than was asked.
    """
    notice = _consent_in(signed)
    row = Consent.objects.select_for_update().filter(consent_id=notice.id, owner=actor.administration).first()
    if row is None or row.state != ConsentState.ASKED.value:
        raise ConsentError(
            "Nobody waits for this consent", where=notice.id, remedy="See `comity custody consents` for what waits."
        )
    _require_consenter(actor, row.handling)
    if not set(recipients) <= set(row.recipients):
        raise ConsentError(
            "More recipients than were asked for", where=", ".join(recipients), remedy="Consent to fewer, or to those."
        )
    row.state = (ConsentState.GIVEN if notice.is_given else ConsentState.REFUSED).value
    row.recipients, row.until, row.statement = list(recipients), notice.until, signed.statement.to_bytes()
    row.answered_at, row.answered_by = at, str(actor)[:140]
    row.save()
    deed = "give_consent" if notice.is_given else "refuse_consent"
    facts = {"asker": row.asker, "recipients": ", ".join(recipients)}
    record_deed(actor, deed=deed, subject=f"message:{row.message_id}", facts=facts, at=at)
    return consent_view(row)


@transaction.atomic
def give_unasked(actor: Actor, signed: Signed, *, agreement: str, handling: str, at: datetime) -> ConsentView:
    """Let a partner hand our message on although it did not ask: it handed on the one that this one corrects.

    From the level restricted up it takes who may approve sharing.
    Raises: PermissionRefusedError.
    """
    notice = _consent_in(signed)
    _require_consenter(actor, handling)
    row = _row(signed, notice, agreement=agreement, handling=handling, at=at)
    row.answered_by = str(actor)[:140]
    row.save()
    facts = {"asker": notice.asker, "recipients": ", ".join(notice.recipients)}
    record_deed(actor, deed="give_consent", subject=f"message:{notice.message}", facts=facts, at=at)
    return consent_view(row)


@transaction.atomic
def take_unasked(signed: Signed, *, asker: str, agreement: str, at: datetime) -> bool:
    """Keep a consent that the owner gave although we did not ask. False where it is none, or not for us, or known.

    The caller has checked that the owner signed it.
    """
    notice = _consent_in(signed)
    is_known = Consent.objects.filter(consent_id=notice.id).exists()
    if is_known or not notice.is_given or notice.asker != asker or notice.owner == asker:
        return False
    _row(signed, notice, agreement=agreement, handling="", at=at).save()
    return True


@transaction.atomic
def take_answer(signed: Signed, *, at: datetime) -> bool:
    """Keep the owner's answer to our question. False where we asked nothing of the kind, or it was answered.

    The caller has checked that the owner signed it.
    """
    notice = _consent_in(signed)
    row = Consent.objects.select_for_update().filter(consent_id=notice.id, owner=notice.owner).first()
    if row is None or row.state != ConsentState.ASKED.value or row.message_id != notice.message:
        return False
    row.state = (ConsentState.GIVEN if notice.is_given else ConsentState.REFUSED).value
    row.recipients, row.until, row.statement = list(notice.recipients), notice.until, signed.statement.to_bytes()
    row.answered_at = at
    row.save()
    return True


def _consent_in(signed: Signed) -> ConsentNotice:
    if not isinstance(signed.notice, ConsentNotice):
        raise TypeError("a consent is wanted")
    return signed.notice


def _row(signed: Signed, notice: ConsentNotice, *, agreement: str, handling: str, at: datetime) -> Consent:
    """A consent that nobody asked for; it is answered the moment that it is known."""
    return Consent(
        consent_id=notice.id,
        message_id=notice.message,
        owner=notice.owner,
        asker=notice.asker,
        agreement=agreement,
        handling=handling,
        recipients=list(notice.recipients),
        state=ConsentState.GIVEN.value,
        asked_at=at,
        answered_at=at,
        until=notice.until,
        statement=signed.statement.to_bytes(),
    )


def _require_consenter(actor: Actor, handling: str) -> None:
    """A word that nobody knows counts as the highest level."""
    known = {level.word: level for level in Handling}
    if known.get(handling, Handling.CONFIDENTIAL) >= Handling.RESTRICTED:
        require(actor, Permission.APPROVE_SHARING)
    else:
        require_custodian(actor)
