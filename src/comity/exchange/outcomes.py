"""What became of envelopes that were sent: recorded in the caller's transaction.

The step numbers are those of docs/protocol.md §4.
"""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.db.models import F, Q

from comity.common import show_instant
from comity.exchange.checking import CheckedReceipt, Parcel, check_receipt, check_refusal
from comity.exchange.errors import ReceiptRefusedError
from comity.exchange.heads import follow_receipt
from comity.exchange.limits import LIMITS, SendingRules
from comity.exchange.marking import mark_messages
from comity.exchange.models import Delivery, OutboxEnvelope, OutboxMessage, Partner
from comity.exchange.position import Position, Range
from comity.exchange.receipt import Answer, SignedRefusal, answer_mapping
from comity.exchange.rounds import still_open, store_answers
from comity.exchange.skew import certain_skew
from comity.trust import Keyring

logger = logging.getLogger(__name__)

# Refusals after which the same bytes would be refused again: the messages wait for another envelope.
_DISSOLVING = frozenset(
    {
        "bad_form", "too_large", "unknown_key", "cannot_open", "wrong_signature", "mismatch", "wrong_root",
        "envelope_reused", "too_many_gaps",
    }
)  # fmt: skip

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
        # In the order of administrations, as the receiver follows heads: so neither waits for the other for ever.
        for partner_id in sorted(by_partner, key=lambda each: by_partner[each][0].parcel.peer.administration):
            try:
                with transaction.atomic():
                    self._record_partner(_locked(partner_id), by_partner[partner_id])
            except (DatabaseError, OverflowError):  # what one partner signed must not hold up the answers of the others
                logger.exception(
                    "The answers of %s could not be recorded", by_partner[partner_id][0].parcel.peer.administration
                )
                self._record_partner(_locked(partner_id), [_unrecorded(each) for each in by_partner[partner_id]])
        # What a partner answered is proof that it knows us. Last: who holds a Partner must not wait for a head or log.
        peers = [each.parcel.peer for each in checked if each.receipt is not None]
        known = {each.id for each in peers if each.state == Partner.State.INTRODUCED}
        if known:
            Partner.objects.filter(pk__in=known, state=Partner.State.INTRODUCED).update(state=Partner.State.ACTIVE)

    def _record_partner(self, delivery: Delivery, checked: Sequence[Checked]) -> None:
        # Another worker may have sent the same envelope after our lease, and recorded its answer.
        known = still_open([each.parcel.id for each in checked])
        checked = [each for each in checked if each.parcel.id in known]
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
        delivery.load_limits, delivery.gaps = newest.receipt.load.to_mapping(), newest.receipt.all_gaps
        self._grow(delivery, max(each.contents.count for each, _ in answered))
        delivery.skew_seconds = certain_skew(parcel.contents.created, newest.receipt.at, self.at)
        shown = [each.certificate_until for each in checked if each.certificate_until is not None]
        if shown:
            delivery.certificate_until = shown[-1]

    def _grow(self, delivery: Delivery, count: int) -> None:
        """After `too_large` envelopes grow again by an eighth with each that was taken, until they are as large as we
        make them: what was too large may have been the messages, not their number."""
        size = delivery.messages_at_most
        if size is not None and count >= size:
            grown = size + max(size // 8, 1)
            delivery.messages_at_most = grown if grown < self.rules.messages else None

    def _mark_answered(self, partner_id: int, answered: Sequence[tuple[Parcel, CheckedReceipt]]) -> None:
        rows: list[tuple[bytes, int, int]] = []
        accepted: list[Range] = []
        refused: list[tuple[int, Answer]] = []
        for parcel, checked in answered:
            rows.append((checked.body, checked.proved.index, parcel.id))
            accepted.append((parcel.contents.first_sequence, parcel.contents.last_sequence))
            for place, answer in enumerate(checked.receipt.answers):
                if not answer.accepted:
                    refused.append((parcel.contents.first_sequence + place, answer))
        store_answers(rows, self.at)
        mark_messages(partner_id, accepted, state=OutboxMessage.State.DELIVERED, answered_at=self.at)
        for sequence, answer in refused:
            self._refuse(partner_id, sequence, answer)

    def _refuse(self, partner_id: int, sequence: int, answer: Answer) -> None:
        # Not its words, which may quote the message: they stand in `comity exchange refusals`.
        logger.warning("Message %s was refused: %s, field %s", answer.id, answer.code, answer.field or "none")
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
            delivery.last_refusal = {**words, "at": show_instant(self.at)}
        delivery.last_error = text[:500]
        if refusal is not None and refusal.code == "too_large":
            return  # the next one is smaller, so there is nothing to wait for
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
            # Of several that were refused together the smallest says what would have passed.
            halved = max(contents.count // 2, 1)
            delivery.messages_at_most = min(halved, delivery.messages_at_most or halved)
        elif refusal.code == "too_many_gaps":
            delivery.gaps = LIMITS.islands  # nothing overtakes until a receipt says that there are fewer

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
            # The first bound lets an index find them; what is waiting with us is in no answered envelope.
            near = Q(first_sequence__lte=last, first_sequence__gt=first - _MOST_MESSAGES)
            overlap |= near & Q(first_sequence__gt=first - F("count"))
        send_again(partner_id, _answered(partner_id, overlap & Q(answer_index__lt=checked.proved.index)))


def lock_deliveries(partner_ids: Iterable[int]) -> None:
    """Take these rows in the one order in which every worker takes them, before anything else of a transaction."""
    rows = Delivery.objects.select_for_update(of=("self",)).filter(partner_id__in=set(partner_ids))
    list(rows.order_by("partner__administration").values_list("pk"))


def _locked(partner_id: int) -> Delivery:
    return Delivery.objects.select_for_update().get(partner_id=partner_id)


def _unrecorded(checked: Checked) -> Checked:
    return Checked(checked.parcel, failure=checked.failure or "The answer could not be recorded; see the node's log")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was known when a partner was asked for the position: which answers it must have given before it told.

    newest: id of the newest envelope then. still_open: ids of those that were open, whoever was sending them.
    """

    newest: int
    still_open: frozenset[int]


def ask_now(partner_id: int) -> Asked:
    """To be read before the partner is asked."""
    newest = OutboxEnvelope.objects.order_by("-id").values_list("id", flat=True).first()
    still_open = OutboxEnvelope.objects.filter(partner_id=partner_id, state=OutboxEnvelope.State.OPEN)
    return Asked(newest or 0, frozenset(still_open.values_list("id", flat=True)))


def apply_position(partner_id: int, position: Position, asked: Asked) -> int:
    """Step S12 after a reconnection: send again what the partner answered once and does not have. Returns how many.

    What another worker sent meanwhile, and the partner answered after it told its position, is not lost.
    """
    _locked(partner_id)
    near = Q(first_sequence__gt=position.contiguous - _MOST_MESSAGES, id__lte=asked.newest)
    rows = _answered(partner_id, near)
    lost = [row for row in rows if row.pk not in asked.still_open and not position.has(row.first_sequence)]
    return send_again(partner_id, lost)


def send_again(partner_id: int, rows: Sequence[OutboxEnvelope]) -> int:
    """Dissolve answered envelopes that the partner lost. Their receipts stay as evidence. Returns how many messages."""
    for row in rows:
        logger.warning("Envelope %s was answered and is lost at the partner: it is sent again", row.envelope_id)
        last = row.first_sequence + row.count - 1
        mark_messages(partner_id, [(row.first_sequence, last)], state=OutboxMessage.State.WAITING)
    OutboxEnvelope.objects.filter(pk__in=[row.pk for row in rows]).update(state=OutboxEnvelope.State.DISSOLVED)
    return sum(row.count for row in rows)


def _answered(partner_id: int, wanted: Q) -> list[OutboxEnvelope]:
    rows = OutboxEnvelope.objects.filter(wanted, partner_id=partner_id, state=OutboxEnvelope.State.ANSWERED)
    return list(rows.only("envelope_id", "first_sequence", "count"))
