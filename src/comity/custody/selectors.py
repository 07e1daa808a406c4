"""Reads of this room: who still holds what, what was recalled, what waits for an answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from comity.custody.models import Consent, Copy, HandOn, Holding, Recall, RecalledMessage
from comity.custody.notices import Signed, body_of, recall_from_body
from comity.custody.rules import RECALL_GROUNDS, RETAIN_GROUNDS, ConsentState, Mode, Status
from comity.trust import SignedStatement

_OPEN = (Status.RECALLED.value, Status.OVERDUE.value)


@dataclass(frozen=True, slots=True)
class HolderView:
    """One administration that holds, or held, one message. message_id: as its origin named it.

    is_proved: the statement was signed by told_by and the signature was checked here. ground_text: in plain words.
    retain_ground, retain_until, retained_by: an officer's objection to purging our own copy.
    """

    message_id: str
    origin: str
    holder: str
    via: str
    kind: str
    agreement: str
    article: str
    handling: str
    keep_until: datetime | None
    since: datetime
    status: Status
    ground: str
    ground_text: str
    recall_id: str
    asked_at: datetime | None
    due_at: datetime | None
    answered_at: datetime | None
    told_by: str
    is_proved: bool
    statement: bytes
    retain_ground: str
    retain_until: datetime | None
    retained_by: str
    log_index: int | None

    @property
    def is_answer_missing(self) -> bool:
        """Whether its answer to a recall is still to come."""
        return self.status in (Status.RECALLED, Status.OVERDUE)


@dataclass(frozen=True, slots=True)
class RecallView:
    """A recall, correction or tightening, with how far it has come. holders: of all its messages, but not ourselves."""

    recall_id: str
    origin: str
    mode: Mode
    ground: str
    ground_text: str
    messages: tuple[str, ...]
    replacement: dict[str, str]
    keep_until: datetime | None
    handling: str
    made_at: datetime
    made_by: str
    due_at: datetime
    taken_at: datetime
    came_from: tuple[str, ...]
    sent_to: tuple[str, ...]
    statement: bytes
    holders: tuple[HolderView, ...]
    own: tuple[HolderView, ...]

    @property
    def count_open(self) -> int:
        """How many holders have not answered yet."""
        return sum(each.is_answer_missing for each in self.holders)


@dataclass(frozen=True, slots=True)
class HandOnView:
    """A message of another origin that was handed on from here."""

    message_id: str
    origin: str
    recipient: str
    copy_id: str
    agreement: str
    article: str
    consent_id: str
    handed_at: datetime
    handed_by: str


@dataclass(frozen=True, slots=True)
class CopyView:
    """One of our own copies: from whom, under which id it came, and under which agreement."""

    sender: str
    copy_id: str
    agreement: str


@dataclass(frozen=True, slots=True)
class ConsentView:
    """A consent that was asked, given or refused. asker: who hands it on; owner: whose information it is."""

    consent_id: str
    message_id: str
    owner: str
    asker: str
    agreement: str
    handling: str
    recipients: tuple[str, ...]
    reason: str
    state: ConsentState
    asked_at: datetime
    asked_in: str
    asked_by: str
    answered_at: datetime | None
    answered_by: str
    until: datetime | None
    statement: bytes


def holders_of(message_id: str) -> tuple[HolderView, ...]:
    """Everyone who holds or held a message, ourselves among them, by the id of its origin or of any copy known here."""
    names = {(row.origin, row.message_id) for row in HandOn.objects.filter(copy_id=message_id)}
    names |= {(row.holding.origin, row.holding.message_id) for row in _copies(message_id)}
    wanted = Q(message_id=message_id)
    for origin, name in names:
        wanted |= Q(origin=origin, message_id=name)
    return tuple(holder_view(row) for row in Holding.objects.filter(wanted).order_by("since", "id"))


def holding_of(origin: str, message_id: str, holder: str) -> HolderView | None:
    """One holder's copy of one message, or None."""
    row = Holding.objects.filter(origin=origin, message_id=message_id, holder=holder).first()
    return holder_view(row) if row else None


def held_as(copy_id: str, *, holder: str) -> HolderView | None:
    """Our own copy by the id under which it came, or by the id of its origin."""
    copy = _copies(copy_id).first()
    row = copy.holding if copy else Holding.objects.filter(message_id=copy_id, holder=holder).first()
    return holder_view(row) if row else None


def copies_of(origin: str, message_id: str) -> tuple[CopyView, ...]:
    """Our own copies of a message, the first to arrive first."""
    rows = Copy.objects.filter(holding__origin=origin, holding__message_id=message_id).order_by("id")
    return tuple(CopyView(row.sender, row.copy_id, row.agreement) for row in rows)


def hand_ons(origin: str, message_id: str) -> tuple[HandOnView, ...]:
    """To whom a message was handed on from here, the first first."""
    return tuple(
        hand_on_view(row) for row in HandOn.objects.filter(origin=origin, message_id=message_id).order_by("id")
    )


def unwiped_hand_ons(*, limit: int = 500) -> tuple[HandOnView, ...]:
    """Handed-on messages whose outbox copy is still there although our own copy was purged."""
    purged = Holding.objects.filter(
        origin=OuterRef("origin"), message_id=OuterRef("message_id"), status=Status.PURGED.value, copies__isnull=False
    )
    rows = HandOn.objects.filter(Exists(purged), wiped_at=None).order_by("id")[:limit]
    return tuple(hand_on_view(row) for row in rows)


def orders_naming(origin: str, message_id: str) -> tuple[Signed, ...]:
    """Every recall of a message that is known here, the oldest first, whether or not the message has come."""
    rows = RecalledMessage.objects.filter(origin=origin, message_id=message_id).select_related("recall")
    return tuple(signed_order(row.recall) for row in rows.order_by("recall__made_at", "id"))


def signed_order(row: Recall) -> Signed:
    """The order that a row stores."""
    statement = SignedStatement.from_bytes(bytes(row.statement))
    return recall_from_body(body_of(statement, "origin_statement"))


def recalls(*, origin: str = "", limit: int = 50) -> tuple[RecallView, ...]:
    """Recalls made by an origin, or all that are known, the newest first."""
    rows = Recall.objects.filter(Q(origin=origin) if origin else Q()).order_by("-made_at", "-id")[:limit]
    return _recall_views(rows)


def received_recalls(administration: str, *, limit: int = 50) -> tuple[RecallView, ...]:
    """Recalls by others that came to this administration, the newest first."""
    return _recall_views(Recall.objects.exclude(origin=administration).order_by("-made_at", "-id")[:limit])


def recall(recall_id: str) -> RecallView | None:
    """One recall, or None."""
    views = _recall_views(Recall.objects.filter(recall_id=recall_id))
    return views[0] if views else None


def overdue(*, limit: int = 200) -> tuple[HolderView, ...]:
    """Holders that have not answered in time, the longest first."""
    rows = Holding.objects.filter(status=Status.OVERDUE.value).order_by("due_at", "id")[:limit]
    return tuple(holder_view(row) for row in rows)


def open_count() -> int:
    """How many answers to recalls are still to come."""
    return Holding.objects.filter(status__in=_OPEN).count()


def consents_waiting(owner: str, *, limit: int = 200) -> tuple[ConsentView, ...]:
    """Questions to this owner that no officer has answered yet, the oldest first."""
    rows = Consent.objects.filter(owner=owner, state=ConsentState.ASKED.value).order_by("asked_at", "id")[:limit]
    return tuple(consent_view(row) for row in rows)


def consents(message_id: str = "", *, limit: int = 200) -> tuple[ConsentView, ...]:
    """Consents on one message, or all, the newest first."""
    rows = Consent.objects.filter(message_id=message_id) if message_id else Consent.objects.all()
    return tuple(consent_view(row) for row in rows.order_by("-asked_at", "-id")[:limit])


def consent(consent_id: str) -> ConsentView | None:
    """One consent, or None."""
    row = Consent.objects.filter(consent_id=consent_id).first()
    return consent_view(row) if row else None


def consent_covering(owner: str, message_id: str, recipient: str, at: datetime) -> ConsentView | None:
    """A consent of the owner under which this message may be handed on to this recipient now, or None."""
    rows = Consent.objects.filter(owner=owner, message_id=message_id, state=ConsentState.GIVEN.value)
    for row in rows.filter(until__gte=at).order_by("-until"):
        if recipient in row.recipients:
            return consent_view(row)
    return None


def holder_view(row: Holding) -> HolderView:
    """The value of a row."""
    return HolderView(
        message_id=row.message_id,
        origin=row.origin,
        holder=row.holder,
        via=row.via,
        kind=row.kind,
        agreement=row.agreement,
        article=row.article,
        handling=row.handling,
        keep_until=row.keep_until,
        since=row.since,
        status=Status(row.status),
        ground=row.ground,
        ground_text=RETAIN_GROUNDS.get(row.ground) or RECALL_GROUNDS.get(row.ground, ""),
        recall_id=row.asked,
        asked_at=row.asked_at,
        due_at=row.due_at,
        answered_at=row.answered_at,
        told_by=row.told_by,
        is_proved=row.is_proved,
        statement=bytes(row.statement),
        retain_ground=row.retain_ground,
        retain_until=row.retain_until,
        retained_by=row.retained_by,
        log_index=row.log_index,
    )


def hand_on_view(row: HandOn) -> HandOnView:
    """The value of a row."""
    return HandOnView(
        row.message_id,
        row.origin,
        row.recipient,
        row.copy_id,
        row.agreement,
        row.article,
        row.consent,
        row.handed_at,
        row.handed_by,
    )


def consent_view(row: Consent) -> ConsentView:
    """The value of a row."""
    return ConsentView(
        consent_id=row.consent_id,
        message_id=row.message_id,
        owner=row.owner,
        asker=row.asker,
        agreement=row.agreement,
        handling=row.handling,
        recipients=tuple(row.recipients),
        reason=row.reason,
        state=ConsentState(row.state),
        asked_at=row.asked_at,
        asked_in=row.asked_in,
        asked_by=row.asked_by,
        answered_at=row.answered_at,
        answered_by=row.answered_by,
        until=row.until,
        statement=bytes(row.statement),
    )


def _copies(copy_id: str) -> QuerySet[Copy]:
    return Copy.objects.filter(copy_id=copy_id).select_related("holding").order_by("id")


def _recall_views(rows: QuerySet[Recall]) -> tuple[RecallView, ...]:
    return tuple(_recall_view(row) for row in rows.prefetch_related("named", "hops"))


def _recall_view(row: Recall) -> RecallView:
    messages = tuple(each.message_id for each in row.named.all())
    holdings = _holdings(row.origin, messages)
    hops: Sequence[tuple[str, bool]] = [(hop.partner, hop.is_outward) for hop in row.hops.all()]
    own = {copy.holding_id for copy in Copy.objects.filter(holding__in=holdings)}
    return RecallView(
        recall_id=row.recall_id,
        origin=row.origin,
        mode=Mode(row.mode),
        ground=row.ground,
        ground_text=RECALL_GROUNDS.get(row.ground, ""),
        messages=messages,
        replacement=dict(row.replacement),
        keep_until=row.keep_until,
        handling=row.handling,
        made_at=row.made_at,
        made_by=row.made_by,
        due_at=row.due_at,
        taken_at=row.taken_at,
        came_from=tuple(sorted(partner for partner, is_outward in hops if not is_outward)),
        sent_to=tuple(sorted(partner for partner, is_outward in hops if is_outward)),
        statement=bytes(row.statement),
        holders=tuple(holder_view(each) for each in holdings if each.pk not in own),
        own=tuple(holder_view(each) for each in holdings if each.pk in own),
    )


def _holdings(origin: str, messages: Iterable[str]) -> list[Holding]:
    return list(Holding.objects.filter(origin=origin, message_id__in=list(messages)).order_by("since", "id"))
