"""Road 5: an officer wants to share an alert; an agreement answers, a second officer agrees where it is sensitive.

What answers an alert, a finding, passes the same second pair of eyes from the same level upwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast
from uuid import UUID

from django.conf import settings
from django.db import transaction

from comity.agreements import EVIDENCE_KIND, Asking, Decision, Release, request_for
from comity.agreements.selectors import engine
from comity.agreements.services import permit
from comity.common import Actor, ComityError
from comity.exchange.services import Posting
from comity.journeys.files import SealedFiles, seal_files
from comity.journeys.hold import post_held
from comity.risk.hit_advice import note_asked, note_told
from comity.risk.profile_sharing import note_shared
from comity.staff import Permission, ProposalRefusedError, Role, require
from comity.staff.selectors import proposal as proposal_by_id
from comity.staff.services import approve, propose
from comity.trade import Alert, Finding, Handling
from comity.trade.encoding import (
    alert_from_body,
    alert_to_body,
    evidence_from_body,
    evidence_to_body,
    finding_from_body,
    finding_to_body,
)
from comity.trade.knowledge import HIT_DECISION_KIND, HIT_QUESTION_KIND, PROFILE_KIND

ALERT_KIND = "alert/1"
FINDING_KIND = "finding/1"
ANSWER_PURPOSE = "control"
SECOND_OFFICER_FROM = Handling.RESTRICTED
_DEED = "share_alert"
_NO_FILES = SealedFiles()
_ANSWER_DEED = "share_finding"
FILE_DEED = "share_evidence"
PROFILE_DEED = "share_profile"
HIT_DEED = "share_hit"
# Of what else waits for a second officer: its kind, and under which word the proposal keeps its body.
_LETTERS = {PROFILE_DEED: (PROFILE_KIND, "profile"), HIT_DEED: (HIT_DECISION_KIND, "decision")}


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


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be told: the body of a kind at a level, and the message that it answers. about: what it is of here."""

    kind: str
    body: Mapping[str, object]
    handling: Handling
    in_reply_to: str = ""
    about: str = ""


def preview_sharing(actor: Actor, *, alert: Alert, wish: Wish, at: datetime) -> list[Preview]:
    """Who would see what: the agreement's decision for each recipient; nothing is sent and nothing is stored.

    Raises: PermissionRefusedError, NoRecipientError.
    """
    return preview_letter(actor, _letter_of(alert), wish, at)


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
    letter, wish = _letter_of(alert), Wish(tuple(recipients), purpose, agreement_id)
    return share_letter(actor, letter=letter, wish=wish, deed=_DEED, payload={"alert": dict(letter.body)}, at=at)


def share_letter(
    actor: Actor, *, letter: Letter, wish: Wish, deed: str, payload: Mapping[str, object], at: datetime
) -> ShareResult:
    """Share what a letter says, or put it before a second officer from the level restricted upwards.

    payload: what the proposal keeps of it. Raises: as `share_alert`.
    """
    _refuse_early(actor, letter, wish, at)
    if letter.handling < SECOND_OFFICER_FROM:
        return ShareResult(posted=_post(actor, letter, wish, at, _seal(letter, wish)))
    return ShareResult(proposal_id=_propose(actor, deed, dict(payload), letter, wish, at=at))


def answer_alert(
    actor: Actor, *, finding: Finding, recipient: str, in_reply_to: str, finder: Actor, at: datetime
) -> ShareResult:
    """Tell the issuer of an alert what was found, or put it before a second officer from the level restricted upwards.

    in_reply_to: the id of the alert's message. finder: who recorded the finding, and so cannot approve telling it.
    Raises: PermissionRefusedError, NoRecipientError, SharingRefusedError, PartnerUnknownError, PartnerStateError.
    """
    letter = Letter(FINDING_KIND, finding_to_body(finding), finding.handling, in_reply_to)
    wish = Wish((recipient,), ANSWER_PURPOSE)
    if finding.handling < SECOND_OFFICER_FROM:
        return ShareResult(posted=_post(actor, letter, wish, at))
    _refuse_early(actor, letter, wish, at)
    payload: dict[str, object] = {"finding": dict(letter.body), "in_reply_to": in_reply_to, "found_by": str(finder)}
    return ShareResult(proposal_id=_propose(actor, _ANSWER_DEED, payload, letter, wish, at=at))


def approve_sharing(actor: Actor, *, proposal_id: UUID, at: datetime) -> ShareResult:
    """Agree to what another officer proposed to share, and share it in the same transaction.

    Raises: PermissionRefusedError, ProposalRefusedError, SharingRefusedError where the agreement permits it no more.
    """
    require(actor, Permission.APPROVE_SHARING)
    proposal = proposal_by_id(proposal_id)
    payload = proposal.payload
    if payload.get("found_by") == str(actor):
        raise ProposalRefusedError(
            "Nobody approves telling his own finding",
            where=str(proposal_id),
            remedy="Ask another officer with the permission approve_sharing.",
        )
    letter = _proposed_letter(proposal.deed, payload)
    recipients = tuple(str(each) for each in cast(list[object], payload["recipients"]))
    wish = Wish(recipients, str(payload["purpose"]), str(payload["agreement"]) or None)
    # The approval is the leave of the second officer to share this one notice.
    sharer = replace(actor, roles=actor.roles | {Role.LIAISON.value})
    _refuse_early(sharer, letter, wish, at)
    files = _seal(letter, wish)
    with transaction.atomic():
        approve(actor, proposal_id=proposal_id, at=at)
        return ShareResult(posted=_post(sharer, letter, wish, at, files), proposal_id=proposal_id)


def _letter_of(alert: Alert) -> Letter:
    return Letter(ALERT_KIND, alert_to_body(alert), alert.handling)


def _proposed_letter(deed: str, payload: Mapping[str, object]) -> Letter:
    if deed == _ANSWER_DEED:
        finding = finding_from_body(cast(dict[str, object], payload["finding"]))
        return Letter(FINDING_KIND, finding_to_body(finding), finding.handling, str(payload["in_reply_to"]))
    if deed == FILE_DEED:
        notice = evidence_from_body(cast(dict[str, object], payload["evidence"]))
        return Letter(EVIDENCE_KIND, evidence_to_body(notice), notice.handling)
    if deed in (PROFILE_DEED, HIT_DEED):
        kind, word = _LETTERS[deed]
        body = cast(dict[str, object], payload[word])
        about = str(payload.get("about", ""))
        return Letter(kind, body, Handling.from_word(str(body["handling"])), about=about)
    if deed == _DEED:
        return _letter_of(alert_from_body(cast(dict[str, object], payload["alert"])))
    raise ProposalRefusedError("This is nothing that is shared", where="deed", remedy=f"It is {deed}.")


def _propose(actor: Actor, deed: str, payload: dict[str, object], letter: Letter, wish: Wish, *, at: datetime) -> UUID:
    payload |= {"recipients": list(wish.recipients), "purpose": wish.purpose, "agreement": wish.agreement_id or ""}
    return propose(actor, deed=deed, payload=payload, handling=int(letter.handling), at=at).proposal_id


def preview_letter(actor: Actor, letter: Letter, wish: Wish, at: datetime) -> list[Preview]:
    """The agreement's decision on a letter for each recipient; nothing is sent and nothing is stored.

    Raises: PermissionRefusedError, NoRecipientError.
    """
    require(actor, Permission.SHARE)
    previews = []
    for recipient in _checked(wish.recipients):
        asking = Asking(actor.administration, recipient, letter.kind, wish.purpose, letter.handling, at)
        decision = engine(at).decide(request_for(asking, letter.body), agreement_id=wish.agreement_id or "")
        previews.append(Preview(recipient, decision))
    return previews


def _refuse_early(actor: Actor, letter: Letter, wish: Wish, at: datetime) -> None:
    """A refusal is stored by `permit` outside of any transaction, so that raising it does not take it away again."""
    for preview in preview_letter(actor, letter, wish, at):
        if not preview.decision.is_permitted:
            _permit(actor, letter, wish, preview.recipient, at)


@transaction.atomic
def _post(
    actor: Actor, letter: Letter, wish: Wish, at: datetime, files: SealedFiles = _NO_FILES
) -> tuple[tuple[str, str], ...]:
    sealed = {each: replace(letter, body=files.body_for(each, letter.body)) for each in _checked(wish.recipients)}
    releases = [_permit(actor, own, wish, recipient, at) for recipient, own in sealed.items()]
    postings = [Posting(release, letter.in_reply_to) for release in releases]
    ids = post_held(actor, postings, at=at)
    posted = tuple((release.recipient, message_id) for release, message_id in zip(releases, ids, strict=True))
    files.offer_with(posted, at)
    _note(actor, letter, posted, at)
    return posted


def _note(actor: Actor, letter: Letter, posted: Sequence[tuple[str, str]], at: datetime) -> None:
    """Remember who has what may have to be taken back when it ends here."""
    if letter.kind == PROFILE_KIND:
        note_shared(str(letter.body["ref"]), posted, at=at)
    if letter.kind == HIT_QUESTION_KIND:
        note_asked(actor, letter.about, posted, at=at)
    if letter.kind == HIT_DECISION_KIND:
        note_told(letter.about, posted, decided_at=str(letter.body["decided_at"]), at=at)


def _seal(letter: Letter, wish: Wish) -> SealedFiles:
    """Outside of any transaction, since a large file takes its time."""
    return seal_files(letter.kind, letter.body, _checked(wish.recipients))


def _permit(actor: Actor, letter: Letter, wish: Wish, recipient: str, at: datetime) -> Release:
    return permit(
        actor,
        agreement_id=wish.agreement_id,
        kind=letter.kind,
        recipient=recipient,
        purpose=wish.purpose,
        handling=letter.handling,
        body=letter.body,
        at=at,
        in_reply_to=letter.in_reply_to,
    )


def _checked(recipients: Sequence[str]) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(recipients))
    if not chosen or settings.COMITY_ADMINISTRATION in chosen:
        raise NoRecipientError(
            "A notice is shared with partners",
            where=", ".join(chosen) or "no recipient",
            remedy="Choose at least one partner, and not this administration itself.",
        )
    return chosen
