"""Files that belong to messages: an officer shares one; what a partner offers is fetched (docs/protocol.md §9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from comity.agreements import EVIDENCE_KIND
from comity.common import Actor
from comity.exchange import ReceivedMessage
from comity.exchange.evidence import EvidenceView, OpenedEvidence, about_for, expect, keep_file
from comity.exchange.evidence import evidence_of as find_evidence
from comity.exchange.evidence import open_evidence as open_file
from comity.journeys.files import evidence_folder, unsealed
from comity.journeys.share import FILE_DEED, Letter, ShareResult, Wish, share_letter
from comity.staff import Permission, require
from comity.staff.services import record_deed
from comity.trade import EvidenceNotice, Handling
from comity.trade.encoding import evidence_from_body, evidence_to_body


@dataclass(frozen=True, slots=True)
class FileWish:
    """A file that is to be shared: one that is here by its digest, or one to be taken in from a path.

    about: the id of the message that it belongs to. name, media_type: empty: those of the path, and unknown.
    """

    sha256: str = ""
    path: Path | None = None
    name: str = ""
    media_type: str = ""
    about: str = ""
    handling: Handling = Handling.OFFICIAL
    description: str = ""


def share_evidence(
    actor: Actor,
    *,
    file: FileWish,
    recipients: Sequence[str],
    purpose: str,
    agreement_id: str | None = None,
    at: datetime,
) -> ShareResult:
    """Share a file with partners, or put it before a second officer from the level restricted upwards.

    All recipients or none. Raises: PermissionRefusedError, NoRecipientError, SharingRefusedError also where it is
    larger than the article covers, EvidenceError, ChunkError, NoRoomError, MessageUnknownError, NoticeError.
    """
    require(actor, Permission.SHARE)
    body = evidence_to_body(notice_of(actor, file))
    evidence_from_body(body)  # what a receiver would refuse is refused here, by name
    for recipient in recipients if file.about else ():
        about_for(recipient, file.about)
    letter = Letter(EVIDENCE_KIND, body, file.handling)
    wish = Wish(tuple(recipients), purpose, agreement_id)
    return share_letter(actor, letter=letter, wish=wish, deed=FILE_DEED, payload={"evidence": body}, at=at)


def notice_of(actor: Actor, file: FileWish) -> EvidenceNotice:
    """What is said of a file before it is sealed; one that is named by its path is taken in.

    Raises: EvidenceError, ChunkError, NoRoomError.
    """
    folder = evidence_folder()
    shape = folder.shape_of(file.sha256) if file.path is None else keep_file(folder, file.path)
    notice = EvidenceNotice(
        administration=actor.administration,
        sha256=shape.sha256,
        name=file.name or (file.path.name if file.path else shape.sha256[:16]),
        media_type=file.media_type or "application/octet-stream",
        size_bytes=shape.size_bytes,
        chunk_bytes=shape.chunk_bytes,
        chunks=shape.chunks,
        root="",
        key="",
        about=file.about,
        handling=file.handling,
        description=file.description,
    )
    return unsealed(notice, shape)


def take_evidence(received: ReceivedMessage) -> None:
    """Await the file that a partner offers; it is fetched beside everything else."""
    expect(received)


def evidence_of(message_id: str, *, partner: str = "") -> tuple[EvidenceView, ...]:
    """For each file that a message names or brings: here, coming, refused, purged or never offered."""
    return find_evidence(evidence_folder(), message_id, partner=partner)


def open_evidence(
    actor: Actor, *, message_id: str, sha256: str, partner: str = "", at: datetime, purpose: str = ""
) -> OpenedEvidence:
    """The bytes of a file of a message; who looked at it is audited.

    Raises: PermissionRefusedError, EvidenceError where it is not here.
    """
    require(actor, Permission.VIEW_MESSAGES)
    opened = open_file(evidence_folder(), message_id=message_id, sha256=sha256, partner=partner)
    facts = {"message": message_id} | ({"purpose": purpose} if purpose else {})
    record_deed(actor, deed="view_exhibit", subject=f"exhibit:{sha256}", facts=facts, at=at)
    return opened


JOURNEYS: Mapping[str, Callable[[ReceivedMessage], None]] = {EVIDENCE_KIND: take_evidence}
VALIDATORS: Mapping[str, Callable[[Mapping[str, object]], object]] = {EVIDENCE_KIND: evidence_from_body}
