"""What became of envelopes that were sent: recorded in the caller's transaction.

The step numbers are those of docs/protocol.md §4.
"""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import DatabaseError, connection, transaction
from django.db.models import Q, QuerySet

from comity.exchange.checking import CheckedReceipt, Parcel, check_receipt, check_refusal
from comity.exchange.errors import ReceiptRefusedError
from comity.exchange.heads import follow_receipt
from comity.exchange.limits import LIMITS
from comity.exchange.models import Delivery, OutboxEnvelope, OutboxMessage, Partner
from comity.exchange.outbox import SendingRules
from comity.exchange.position import Position, Range
from comity.exchange.receipt import Answer, SignedRefusal, answer_mapping
from comity.exchange.skew import certain_skew
from comity.trust import Keyring

logger = logging.getLogger(__name__)

# Refusals after which the same bytes would be refused again: the messages wait for another envelope.
_DISSOLVING = frozenset(
    {
        "bad_form", "too_large", "unknown_key", "cannot_open", "wrong_signature", "mismatch", "wrong_root",
        "envelope_reused",
    }
)  # fmt: skip

_ANSWER = (
    f"UPDATE {OutboxEnvelope._meta.db_table} SET state = 'answered', leased_until = NULL, "  # noqa: S608  # our own name
    "answer = %s, answer_index = %s, answered_at = %s WHERE id = %s"
)
_MOST_MESSAGES = LIMITS.messages


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the transport brought back for a parcel: a body, or why there is none.

    retry_after_seconds: what the partner asked for when it had no room. certificate_until: when the certificate that
    it showed expires, where the way has one.
    """

    body: bytes = b""
    is_receipt: bool = False
    failure: str = ""
    retry_after_seconds: float | None = None
    certificate_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """A parcel with its outcome, after steps S8 to S10."""

    parcel: Parcel
    receipt: CheckedReceipt | None = None
    refusal: SignedRefusal | None = None
    failure: str = ""
    retry_after_seconds: float | None = None
    certificate_until: datetime | None = None


def check_outcome(parcel: Parcel, outcome: Outcome, *, at: datetime) -> Checked:
    """Steps S8 to S10, outside any transaction."""
    if outcome.failure:
        return Checked(parcel, failure=outcome.failure, retry_after_seconds=outcome.retry_after_seconds)
    if not outcome.is_receipt:
        refusal = check_refusal(parcel, outcome.body, at=at)
        if refusal is not None:
            return Checked(parcel, refusal=refusal)
        return Checked(parcel, failure="The node refused without a signature of the partner, so it is not believed")
    try:
        receipt = check_receipt(parcel, outcome.body, at=at)
        return Checked(parcel, receipt=receipt, certificate_until=outcome.certificate_until)
    except ReceiptRefusedError as error:
        return Checked(parcel, failure=f"Receipt not accepted: {error}")


@dataclass(slots=True)
class Recorder:
    """Records checked outcomes. jitter: so that partners that failed together do not come back together."""

    keyring: Keyring
    rules: SendingRules
    at: datetime
    jitter: random.Random
    recovered: list[int] = field(default_factory=list)

    def record(self, checked: Sequence[Checked]) -> None:
        """Step S11: mark rows, keep receipts, follow heads, plan the next attempt. `recovered` then names partners
        that answered after a failure."""
        by_partner: dict[int, list[Checked]] = defaultdict(list)
        for each in checked:
            by_partner[each.parcel.peer.id].append(each)
        for partner_id in sorted(by_partner):
            try:
                with transaction.atomic():
                    self._record_partner(_locked(partner_id), by_partner[partner_id])
            except (DatabaseError, OverflowError):  # what one partner signed must not hold up the answers of the others
                logger.exception(
                    "The answers of %s could not be recorded", by_partner[partner_id][0].parcel.peer.administration
                )
                self._record_partner(_locked(partner_id), [_unrecorded(each) for each in by_partner[partner_id]])
        # What a partner answered is proof that it knows us. Last: who holds a Partner must not wait for a head or the log.
        known = {each.parcel.peer.id for each in checked if each.receipt is not None}
        Partner.objects.filter(pk__in=known, state=Partner.State.INTRODUCED).update(state=Partner.State.ACTIVE)

    def _record_partner(self, delivery: Delivery, checked: Sequence[Checked]) -> None:
        answered = [(each.parcel, each.receipt) for each in checked if each.receipt is not None]
        if answered:
            self._mark_answered(delivery.partner_id, answered)
            for parcel, receipt in answered:
                follow_receipt(
                    delivery, parcel.peer, receipt.sealed, head=parcel.head, keyring=self.keyring, at=self.at
                )
            if delivery.failures:
                self.recovered.append(delivery.partner_id)
            delivery.failures, delivery.next_attempt_at, delivery.last_error = 0, None, ""
            delivery.last_answer_at = self.at
            delivery.last_refusal = {}
            self._look_after(delivery, answered, checked)
            self._send_lost_again(delivery.partner_id, answered)
        for each in checked:
            if each.receipt is None:
                self._record_failure(delivery, each)
        delivery.save()

    def _look_after(
        self,
        delivery: Delivery,
        answered: Sequence[tuple[Parcel, CheckedReceipt]],
        checked: Sequence[Checked],
    ) -> None:
        """What `comity doctor` warns of in time: a clock that is wrong, a certificate that ends."""
        parcel, newest = max(answered, key=lambda each: each[1].proved.index)
        delivery.skew_seconds = certain_skew(parcel.contents.created, newest.receipt.at, self.at)
        shown = [each.certificate_until for each in checked if each.certificate_until is not None]
        if shown:
            delivery.certificate_until = shown[-1]

    def _mark_answered(self, partner_id: int, answered: Sequence[tuple[Parcel, CheckedReceipt]]) -> None:
        rows: list[tuple[bytes, int, str | datetime | None, int]] = []
        accepted: list[int] = []
        refused: list[tuple[int, Answer]] = []
        for parcel, checked in answered:
            moment = connection.ops.adapt_datetimefield_value(self.at)
            rows.append((checked.body, checked.proved.index, moment, parcel.id))
            for place, answer in enumerate(checked.receipt.answers):
                sequence = parcel.contents.first_sequence + place
                if answer.accepted:
                    accepted.append(sequence)
                else:
                    refused.append((sequence, answer))
        with connection.cursor() as cursor:
            cursor.executemany(_ANSWER, rows)
        messages = OutboxMessage.objects.filter(partner_id=partner_id)
        messages.filter(sequence__in=accepted).update(state=OutboxMessage.State.DELIVERED, answered_at=self.at)
        for sequence, answer in refused:
            self._refuse(partner_id, sequence, answer)

    def _refuse(self, partner_id: int, sequence: int, answer: Answer) -> None:
        logger.warning("Message %s was refused: %s %s", answer.id, answer.code, answer.text)
        OutboxMessage.objects.filter(partner_id=partner_id, sequence=sequence).update(
            state=OutboxMessage.State.REFUSED, answer=answer_mapping(answer), answered_at=self.at
        )

    def _record_failure(self, delivery: Delivery, checked: Checked) -> None:
        """Step S7."""
        parcel, refusal = checked.parcel, checked.refusal
        text = f"{refusal.what} ({refusal.where}) {refusal.remedy}" if refusal else checked.failure
        logger.warning("Envelope %s to %s: %s", parcel.contents.envelope, parcel.peer.administration, text)
        if refusal is not None and refusal.code in _DISSOLVING:
            self._dissolve(delivery, parcel, refusal)
        else:
            OutboxEnvelope.objects.filter(pk=parcel.id).update(leased_until=None)
        if refusal is not None:
            words = {"code": refusal.code, "text": refusal.what, "where": refusal.where, "remedy": refusal.remedy}
            delivery.last_refusal = {**words, "at": self.at.isoformat()}
        delivery.last_error = text[:500]
        if delivery.next_attempt_at is None or delivery.next_attempt_at <= self.at:
            # Envelopes that fail together are one failure.
            delivery.failures += 1
            wait = checked.retry_after_seconds or self._backoff(delivery.failures)
            delivery.next_attempt_at = self.at + timedelta(seconds=wait)

    def _dissolve(self, delivery: Delivery, parcel: Parcel, refusal: SignedRefusal) -> None:
        contents = parcel.contents
        OutboxEnvelope.objects.filter(pk=parcel.id).update(state=OutboxEnvelope.State.DISSOLVED, leased_until=None)
        if refusal.code == "too_large" and contents.count == 1:
            answer = Answer(
                "", parcel.digests[0], accepted=False, code=refusal.code, text=refusal.what, remedy=refusal.remedy
            )
            self._refuse(delivery.partner_id, contents.first_sequence, answer)
            return
        if refusal.code == "too_large":
            delivery.messages_at_most = max(contents.count // 2, 1)
        _messages_between(delivery.partner_id, contents.first_sequence, contents.last_sequence).update(
            state=OutboxMessage.State.WAITING
        )

    def _backoff(self, failures: int) -> float:
        longest = min(self.rules.first_retry_seconds * 2.0 ** min(failures - 1, 30), self.rules.longest_retry_seconds)
        return longest * (0.5 + self.jitter.random() / 2)

    def _send_lost_again(self, partner_id: int, answered: Sequence[tuple[Parcel, CheckedReceipt]]) -> None:
        """Step S12: a gap in a later receipt that an earlier receipt had closed: the partner lost it, we have it.

        The partner's own log says which receipt is the later one; no clock is asked.
        """
        checked = max((receipt for _, receipt in answered), key=lambda each: each.proved.index)
        gaps = checked.receipt.missing
        if not gaps:
            return
        overlap = Q()
        for first, last in gaps:
            overlap |= Q(first_sequence__lte=last, first_sequence__gt=first - _MOST_MESSAGES)
        envelopes = OutboxEnvelope.objects.filter(
            overlap,
            partner_id=partner_id,
            state=OutboxEnvelope.State.ANSWERED,
            answer_index__lt=checked.proved.index,
        )
        lost = [row for row in envelopes if _overlaps(row, gaps)]
        send_again(partner_id, lost)


def _locked(partner_id: int) -> Delivery:
    return Delivery.objects.select_for_update().get(partner_id=partner_id)


def _unrecorded(checked: Checked) -> Checked:
    return Checked(checked.parcel, failure=checked.failure or "The answer could not be recorded; see the node's log")


def apply_position(partner_id: int, position: Position) -> int:
    """Step S12 after a reconnection: send again what the partner answered once and does not have. Returns how many."""
    rows = OutboxEnvelope.objects.filter(
        partner_id=partner_id,
        state=OutboxEnvelope.State.ANSWERED,
        first_sequence__gt=position.contiguous - _MOST_MESSAGES,
    )
    lost = [row for row in rows if not position.has(row.first_sequence)]
    return send_again(partner_id, lost)


def send_again(partner_id: int, rows: Sequence[OutboxEnvelope]) -> int:
    """Dissolve answered envelopes that the partner lost. Their receipts stay as evidence. Returns how many messages."""
    for row in rows:
        logger.warning("Envelope %s was answered and is lost at the partner: it is sent again", row.envelope_id)
        last = row.first_sequence + row.count - 1
        _messages_between(partner_id, row.first_sequence, last).update(state=OutboxMessage.State.WAITING)
    OutboxEnvelope.objects.filter(pk__in=[row.pk for row in rows]).update(state=OutboxEnvelope.State.DISSOLVED)
    return sum(row.count for row in rows)


def _overlaps(row: OutboxEnvelope, gaps: Sequence[Range]) -> bool:
    return any(row.first_sequence <= last and first < row.first_sequence + row.count for first, last in gaps)


def _messages_between(partner_id: int, first: int, last: int) -> QuerySet[OutboxMessage]:
    return OutboxMessage.objects.filter(partner_id=partner_id, sequence__gte=first, sequence__lte=last)
