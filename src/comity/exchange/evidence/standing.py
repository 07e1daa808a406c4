"""Reads: for each file that a message names or brings, whether it is here, coming, refused or was never offered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Q, QuerySet

from comity.exchange.errors import MessageFormError
from comity.exchange.evidence.errors import EvidenceError, EvidenceUnknownError
from comity.exchange.evidence.folder import Folder
from comity.exchange.message import read_message
from comity.exchange.models import EvidenceIn, EvidenceOut, InboxMessage, OutboxMessage
from comity.trade import NoticeError
from comity.trade.encoding import exhibits_from_body


class EvidenceState(StrEnum):
    """Here: the whole file. Offered, fetched: of ours, by the partner. Withdrawn: of ours, nobody fetches it more."""

    HERE = "here"
    COMING = "coming"
    REFUSED = "refused"
    PURGED = "purged"
    NOT_OFFERED = "not_offered"
    OFFERED = "offered"
    FETCHED = "fetched"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """A file as pages show it. message_id: of the message that offered it; empty where none did. about: its message.

    have_chunks: how many of `chunks` have come, or of ours have gone. is_here: whether its bytes can be opened now.
    error: why it does not come on, or why it was refused.
    """

    sha256: str
    name: str
    media_type: str
    size_bytes: int
    state: EvidenceState
    is_here: bool
    partner: str = ""
    message_id: str = ""
    about: str = ""
    have_chunks: int = 0
    chunks: int = 0
    error: str = ""
    offered_at: datetime | None = None
    completed_at: datetime | None = None
    next_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OpenedEvidence:
    """A file that is here. blocks: its bytes; the last block comes only if the whole is what its digest says."""

    name: str
    media_type: str
    size_bytes: int
    sha256: str
    blocks: Iterator[bytes]


def evidence_of(folder: Folder, message_id: str, *, partner: str = "") -> tuple[EvidenceView, ...]:
    """Every file that a message names as an exhibit, that it offers, or that belongs to it; by name.

    partner: whose message it is, where several partners might use one id.
    """
    whose = Q(partner__administration=partner) if partner else Q()
    of_it = whose & (Q(about=message_id) | Q(message_id=message_id))
    views = [*_coming(folder, EvidenceIn.objects.filter(of_it)), *_offered(folder, EvidenceOut.objects.filter(of_it))]
    offered = {view.sha256 for view in views}
    views += [view for view in _named(folder, message_id, partner) if view.sha256 not in offered]
    return tuple(sorted(views, key=lambda view: (view.name, view.sha256, view.message_id)))


def evidence_files(folder: Folder, *, partner: str = "", limit: int = 200) -> tuple[EvidenceView, ...]:
    """The files that came or were offered, the newest first."""
    whose = Q(partner__administration=partner) if partner else Q()
    came = EvidenceIn.objects.filter(whose).order_by("-offered_at", "-id")[:limit]
    went = EvidenceOut.objects.filter(whose).order_by("-offered_at", "-id")[:limit]
    views = [*_coming(folder, came), *_offered(folder, went)]
    return tuple(sorted(views, key=lambda view: str(view.offered_at), reverse=True)[:limit])


def open_evidence(folder: Folder, *, message_id: str, sha256: str, partner: str = "") -> OpenedEvidence:
    """A file of this message, to be read.

    Raises: EvidenceUnknownError where the message has no such file, EvidenceError where it is not here.
    """
    found = [view for view in evidence_of(folder, message_id, partner=partner) if view.sha256 == sha256]
    if not found:
        raise EvidenceUnknownError(
            "The message has no such file", where=f"{message_id}, {sha256[:16]}", remedy="See `comity evidence list`."
        )
    here = next((view for view in found if view.is_here), None)
    if here is None:
        state = found[0].state.value.replace("_", " ")
        raise EvidenceError(
            "The file cannot be opened", where=f"{sha256[:16]}: {state}", remedy=_remedy(found[0].state)
        )
    return OpenedEvidence(here.name, here.media_type, here.size_bytes, sha256, folder.read_proved(sha256))


def _remedy(state: EvidenceState) -> str:
    if state is EvidenceState.COMING:
        return "It is fetched by itself; look again later."
    if state in (EvidenceState.NOT_OFFERED, EvidenceState.REFUSED):
        return "Ask the sender to share the file."
    return "See `comity evidence list`."


_STATES = {
    EvidenceIn.State.COMING: EvidenceState.COMING,
    EvidenceIn.State.COMPLETE: EvidenceState.HERE,
    EvidenceIn.State.REFUSED: EvidenceState.REFUSED,
    EvidenceIn.State.PURGED: EvidenceState.PURGED,
}


def _coming(folder: Folder, rows: QuerySet[EvidenceIn]) -> Iterator[EvidenceView]:
    for row in rows.select_related("partner"):
        state = _STATES[EvidenceIn.State(row.state)]
        yield EvidenceView(
            sha256=row.sha256,
            name=row.name,
            media_type=row.media_type,
            size_bytes=row.size_bytes,
            state=state,
            is_here=state is EvidenceState.HERE and folder.has_received(row.sha256),
            partner=row.partner.administration,
            message_id=row.message_id,
            about=row.about,
            have_chunks=row.have_chunks,
            chunks=row.chunks,
            error=row.last_error,
            offered_at=row.offered_at,
            completed_at=row.completed_at,
            next_attempt_at=row.next_attempt_at,
        )


def _offered(folder: Folder, rows: QuerySet[EvidenceOut]) -> Iterator[EvidenceView]:
    for row in rows.defer("leaves").select_related("partner"):
        yield EvidenceView(
            sha256=row.sha256,
            name=row.name,
            media_type=row.media_type,
            size_bytes=row.size_bytes,
            state=_state_of_offer(row),
            is_here=folder.find(row.sha256) is not None,
            partner=row.partner.administration,
            message_id=row.message_id,
            about=row.about,
            have_chunks=row.sent_chunks,
            chunks=row.chunks,
            offered_at=row.offered_at,
        )


def _state_of_offer(row: EvidenceOut) -> EvidenceState:
    if row.withdrawn_at is not None:
        return EvidenceState.WITHDRAWN
    return EvidenceState.FETCHED if row.sent_chunks >= row.chunks else EvidenceState.OFFERED


def _named(folder: Folder, message_id: str, partner: str) -> Iterator[EvidenceView]:
    """The exhibits that a notice names. Of our own the bytes may be here; of a partner's nothing was ever offered."""
    sent = OutboxMessage.objects.filter(message_id=message_id).first()
    for exhibit in exhibits_from_body(_body_of([sent] if sent else [])):
        is_here = folder.find(exhibit.sha256) is not None
        state = EvidenceState.HERE if is_here else EvidenceState.NOT_OFFERED
        yield EvidenceView(exhibit.sha256, exhibit.name, exhibit.media_type, exhibit.size_bytes, state, is_here)
    if sent is None:
        received = InboxMessage.objects.filter(message_id=message_id).order_by("id")
        rows = received.filter(sender=partner) if partner else received
        for exhibit in exhibits_from_body(_body_of(rows[:1])):
            yield EvidenceView(
                exhibit.sha256,
                exhibit.name,
                exhibit.media_type,
                exhibit.size_bytes,
                EvidenceState.NOT_OFFERED,
                is_here=False,
            )


def _body_of(rows: Iterable[OutboxMessage | InboxMessage]) -> Mapping[str, object]:
    for row in rows:
        try:
            return read_message(bytes(row.data)).body
        except (MessageFormError, NoticeError):  # purged, or never readable
            return {}
    return {}
