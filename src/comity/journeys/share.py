"""Road 5: an officer wants to share an alert; an agreement answers, a second officer agrees where it is sensitive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast
from uuid import UUID

from django.conf import settings
from django.db import transaction

from comity.agreements import Asking, Decision, request_for
from comity.agreements.selectors import engine
from comity.agreements.services import permit
from comity.common import Actor, ComityError
from comity.exchange.services import Posting, post_all
from comity.staff import Permission, Role, require
from comity.staff.selectors import proposal as proposal_by_id
from comity.staff.services import approve, propose
from comity.trade import Alert, Handling
from comity.trade.encoding import alert_from_body, alert_to_body

ALERT_KIND = "alert/1"
SECOND_OFFICER_FROM = Handling.RESTRICTED
_DEED = "share_alert"


class NoRecipientError(ComityError):
    """An alert was to be shared with nobody, or with ourselves."""

    code = "no_recipient"


@dataclass(frozen=True, slots=True)
class ShareResult:
    """What became of a wish to share: ids of the posted messages by recipient, or the proposal that waits."""

    posted: tuple[tuple[str, str], ...] = ()
    proposal_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be released to one recipient, and why or why not."""

    recipient: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class Wish:
    """Whom to tell, for which purpose, and under which agreement where it matters."""

    recipients: tuple[str, ...]
    purpose: str
    agreement_id: str | None = None


def preview_sharing(actor: Actor, *, alert: Alert, wish: Wish, at: datetime) -> list[Preview]:
    """Who would see what: the agreement's decision for each recipient; nothing is sent and nothing is stored.

    Raises: PermissionRefusedError, NoRecipientError.
    """
    require(actor, Permission.SHARE)
    body = alert_to_body(alert)
    previews = []
    for recipient in _checked(wish.recipients):
        asking = Asking(actor.administration, recipient, ALERT_KIND, wish.purpose, alert.handling, at)
        decision = engine(at).decide(request_for(asking, body), agreement_id=wish.agreement_id or "")
        previews.append(Preview(recipient, decision))
    return previews


def share_alert(
    actor: Actor,
    *,
    alert: Alert,
    recipients: Sequence[str],
    purpose: str,
    agreement_id: str | None = None,
    at: datetime,
) -> ShareResult:
    """Share an alert with partners, or put it before a second officer from the level restricted upwards.

    All recipients or none. A refusal is kept with its reasons before it is raised.
    Raises: PermissionRefusedError, NoRecipientError, SharingRefusedError, PartnerUnknownError.
    """
    wish = Wish(tuple(recipients), purpose, agreement_id)
    _refuse_early(actor, alert, wish, at)
    if alert.handling < SECOND_OFFICER_FROM:
        return ShareResult(posted=_post(actor, alert, wish, at))
    payload: dict[str, object] = {
        "alert": alert_to_body(alert),
        "recipients": list(wish.recipients),
        "purpose": wish.purpose,
        "agreement": wish.agreement_id or "",
    }
    proposal = propose(actor, deed=_DEED, payload=payload, handling=int(alert.handling), at=at)
    return ShareResult(proposal_id=proposal.proposal_id)


def approve_sharing(actor: Actor, *, proposal_id: UUID, at: datetime) -> ShareResult:
    """Agree to what another officer proposed to share, and share it in the same transaction.

    Raises: PermissionRefusedError, ProposalRefusedError, SharingRefusedError where the agreement permits it no more.
    """
    require(actor, Permission.APPROVE_SHARING)
    payload = proposal_by_id(proposal_id).payload
    alert = alert_from_body(cast(dict[str, object], payload["alert"]))
    recipients = tuple(str(each) for each in cast(list[object], payload["recipients"]))
    wish = Wish(recipients, str(payload["purpose"]), str(payload["agreement"]) or None)
    # The approval is the leave of the second officer to share this one alert.
    sharer = replace(actor, roles=actor.roles | {Role.LIAISON.value})
    _refuse_early(sharer, alert, wish, at)
    with transaction.atomic():
        approve(actor, proposal_id=proposal_id, at=at)
        return ShareResult(posted=_post(sharer, alert, wish, at), proposal_id=proposal_id)


def _refuse_early(actor: Actor, alert: Alert, wish: Wish, at: datetime) -> None:
    """A refusal is stored by `permit` outside of any transaction, so that raising it does not take it away again."""
    body = alert_to_body(alert)
    for preview in preview_sharing(actor, alert=alert, wish=wish, at=at):
        if not preview.decision.is_permitted:
            permit(
                actor,
                agreement_id=wish.agreement_id,
                kind=ALERT_KIND,
                recipient=preview.recipient,
                purpose=wish.purpose,
                handling=alert.handling,
                body=body,
                at=at,
            )


@transaction.atomic
def _post(actor: Actor, alert: Alert, wish: Wish, at: datetime) -> tuple[tuple[str, str], ...]:
    body = alert_to_body(alert)
    releases = [
        permit(
            actor,
            agreement_id=wish.agreement_id,
            kind=ALERT_KIND,
            recipient=recipient,
            purpose=wish.purpose,
            handling=alert.handling,
            body=body,
            at=at,
        )
        for recipient in _checked(wish.recipients)
    ]
    posted = post_all(actor, [Posting(release) for release in releases], signer=settings.COMITY_KEYRING.log, at=at)
    return tuple((release.recipient, message_id) for release, message_id in zip(releases, posted, strict=True))


def _checked(recipients: Sequence[str]) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(recipients))
    if not chosen or settings.COMITY_ADMINISTRATION in chosen:
        raise NoRecipientError(
            "An alert is shared with partners",
            where=", ".join(chosen) or "no recipient",
            remedy="Choose at least one partner, and not this administration itself.",
        )
    return chosen
