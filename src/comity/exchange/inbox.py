"""The receiving end: Receiver answers envelopes, process_due runs the journeys of what it accepted.

The step numbers are those of docs/protocol.md §5.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q

from comity.agreements.services import record_decisions
from comity.exchange.admission import Admission
from comity.exchange.arrivals import Arrival, Opener
from comity.exchange.bell import arrived
from comity.exchange.directory import load_peers
from comity.exchange.envelope import Header, read_header
from comity.exchange.errors import EnvelopeRefusedError, TooFastError
from comity.exchange.heads import Witnessing, witness_heads
from comity.exchange.judging import Incoming, Judge, Validator, Verdict, read_incoming
from comity.exchange.limits import LIMITS, NO_LIMITS, Limits, LoadLimits
from comity.exchange.message import ReceivedMessage, read_message
from comity.exchange.models import InboxEnvelope, InboxMessage, Partner, Reception, Refusal
from comity.exchange.position import Position
from comity.exchange.receipt import (
    Answer,
    Receipt,
    SealedReceipt,
    read_answer_text,
    sign_receipt,
    sign_refusal,
)
from comity.exchange.storage import (
    Key,
    claim_due,
    envelope_row,
    insert_envelopes,
    insert_once,
    mark_done,
    stored_answers,
)
from comity.ledger import commit
from comity.ledger.services import append
from comity.trust import Keyring, SignedStatement, sha256_hex

logger = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 5
LONGEST_RETRY_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back for one envelope. is_receipt: else body is a signed refusal, named by code.

    retry_after_seconds: nothing was taken since the sender is too fast; the same envelope may come after so long.
    """

    body: bytes
    is_receipt: bool
    code: str = ""
    retry_after_seconds: int = 0


Handler = Callable[[ReceivedMessage], None]
Refused = tuple[int, EnvelopeRefusedError, Header | None]


@dataclass(frozen=True, slots=True)
class Opened:
    """A group of envelopes that was opened, its messages judged, and nothing stored.

    refused: what could not be opened, and verdicts: on the messages of an arrival, by number in the group.
    """

    envelopes: Sequence[bytes]
    at: datetime
    arrivals: Sequence[Arrival]
    refused: Sequence[Refused]
    verdicts: Mapping[int, Sequence[Verdict]]


@dataclass(slots=True)
class Receiver:
    """Takes envelopes for this node. One thread may open a group while another takes the one before.

    validators: for each kind that this node has a use for, what raises a ComityError where a body is wrong. load: what
    each partner is asked not to exceed; every receipt says it.
    """

    keyring: Keyring
    validators: Mapping[str, Validator]
    limits: Limits = LIMITS
    load: LoadLimits = NO_LIMITS

    def accept(self, envelopes: Sequence[bytes], at: datetime) -> list[bytes]:
        """The signed receipt, or signed refusal, of each envelope, in order. All of it is durable on return."""
        return [reply.body for reply in self.answer(envelopes, at)]

    def answer(self, envelopes: Sequence[bytes], at: datetime) -> list[Reply]:
        """As `accept`, and tells receipts and refusals apart. One transaction for the whole group."""
        return self.take(self.open(envelopes, at))

    def open(self, envelopes: Sequence[bytes], at: datetime) -> Opened:
        """The first half of `answer`, which changes nothing: steps R1 to R6, and R8 and R9 of every message."""
        arrivals: list[Arrival] = []
        refused: list[Refused] = []
        headers = self._read_headers(envelopes, refused)  # R1
        opener = Opener(self.keyring, load_peers({header.sender for _, header in headers}), self.limits, at)
        for number, header in headers:
            try:
                arrivals.append(opener.open(number, envelopes[number], header))  # R2 to R6
            except EnvelopeRefusedError as error:
                refused.append((number, error, header))
        judge = Judge(self.validators, self.limits, at)
        verdicts = {
            arrival.number: tuple(map(judge.judge, read_incoming(arrival, self.limits))) for arrival in arrivals
        }
        return Opened(envelopes, at, arrivals, refused, verdicts)

    def take(self, opened: Opened) -> list[Reply]:
        """The second half of `answer`: what was opened is stored and answered. All of it is durable on return."""
        envelopes, at = opened.envelopes, opened.at
        replies: dict[int, Reply] = {}
        with transaction.atomic():
            for number, reason, sent_as in opened.refused:
                replies[number] = self._refuse(envelopes[number], reason, sent_as, at)
            if opened.arrivals:
                group = _Group(self.keyring, self.limits, self.load, opened.verdicts, at)
                for number, outcome in group.take(opened.arrivals).items():
                    replies[number] = (
                        self._refuse(envelopes[number], outcome, None, at)
                        if isinstance(outcome, EnvelopeRefusedError)
                        else Reply(outcome, is_receipt=True)
                    )
                transaction.on_commit(arrived.ring)
        return [replies[number] for number in range(len(envelopes))]  # R12: after the commit

    @transaction.atomic
    def refuse(self, envelope: bytes, error: EnvelopeRefusedError, at: datetime) -> Reply:
        """The signed refusal of an envelope that the transport turned away."""
        headers = self._read_headers([envelope], [])
        return self._refuse(envelope, error, headers[0][1] if headers else None, at)

    def _read_headers(self, envelopes: Sequence[bytes], refused: list[Refused]) -> list[tuple[int, Header]]:
        headers = []
        for number, data in enumerate(envelopes):
            try:
                headers.append((number, read_header(data, limits=self.limits)))
            except EnvelopeRefusedError as error:
                refused.append((number, error, None))
        return headers

    def _refuse(self, data: bytes, error: EnvelopeRefusedError, header: Header | None, at: datetime) -> Reply:
        """Signed, so that it is believed; stored, so that our officers see it too."""
        logger.warning("Envelope refused: %s: %s", error.code, error)
        wait = error.retry_after_seconds if isinstance(error, TooFastError) else 0
        if not wait:  # a flood must not fill a table, too
            Refusal.objects.create(
                at=at,
                sender=header.sender if header else "",
                envelope_id=header.envelope if header else "",
                code=error.code,
                what=error.what[:300],
                place=error.where[:300],
                remedy=error.remedy[:300],
                sha256=sha256_hex(data),
                size_bytes=len(data),
            )
        signed = sign_refusal(error, data, recipient=self.keyring.administration, keys=self.keyring.signers, at=at)
        return Reply(signed.to_bytes(), is_receipt=False, code=error.code, retry_after_seconds=wait)


@dataclass(slots=True)
class _Group:
    """One transaction: the arrivals of several connections answered together, for one fsync."""

    keyring: Keyring
    limits: Limits
    load: LoadLimits
    verdicts: Mapping[int, Sequence[Verdict]]
    at: datetime
    outcomes: dict[int, bytes | EnvelopeRefusedError] = field(default_factory=dict)

    def take(self, arrivals: Sequence[Arrival]) -> dict[int, bytes | EnvelopeRefusedError]:
        """Steps R7, R10 and R11 for all."""
        positions = self._lock_receptions(arrivals)
        split, repeats = self._split(arrivals)  # R7
        places = {sender: position_of_row(row) for sender, row in positions.items()}
        admission = Admission(self.limits, self.load, self.at, places)
        fresh = admission.admit(split, positions)
        self.outcomes.update(admission.refused)
        if fresh:
            answers = self._answer_messages(fresh)  # R10
            self._advance(fresh, positions, admission)
            receipts = self._receipts(fresh, answers, positions)  # R11
            _activate(positions.values())
            for arrival, receipt in zip(fresh, receipts, strict=True):
                self.outcomes[arrival.number] = receipt
        for arrival, original in repeats:
            self.outcomes[arrival.number] = self.outcomes[original.number]
        return self.outcomes

    def _lock_receptions(self, arrivals: Sequence[Arrival]) -> dict[str, Reception]:
        """In the order of ids, so that two receivers never wait for each other."""
        ids = {arrival.peer.id for arrival in arrivals}
        rows = Reception.objects.select_for_update(of=("self",)).select_related("partner").filter(partner_id__in=ids)
        return {row.partner.administration: row for row in rows.order_by("partner_id")}

    def _split(self, arrivals: Sequence[Arrival]) -> tuple[list[Arrival], list[tuple[Arrival, Arrival]]]:
        """Step R7: an envelope that was answered gets the very same bytes again, however late."""
        known = {
            (sender, name): (statement, bytes(receipt))
            for sender, name, statement, receipt in InboxEnvelope.objects.filter(
                sender__in={arrival.contents.sender for arrival in arrivals},
                envelope_id__in={arrival.contents.envelope for arrival in arrivals},
            ).values_list("sender", "envelope_id", "statement_sha256", "receipt")
        }
        fresh: dict[Key, Arrival] = {}
        repeats: list[tuple[Arrival, Arrival]] = []
        for arrival in arrivals:
            earlier = fresh.get(arrival.key)
            statement = known[arrival.key][0] if arrival.key in known else earlier and earlier.statement_sha256
            if statement is None:
                fresh[arrival.key] = arrival
            elif statement != arrival.statement_sha256:
                self.outcomes[arrival.number] = _reused(arrival)
            elif earlier:
                repeats.append((arrival, earlier))
            else:
                self.outcomes[arrival.number] = known[arrival.key][1]
        return list(fresh.values()), repeats

    def _answer_messages(self, fresh: Sequence[Arrival]) -> dict[tuple[int, int], Answer]:
        """Step R10, by (number of the arrival, position of the message): only what is new here counts."""
        judged = [each for arrival in fresh for each in self.verdicts[arrival.number]]
        known = dict(stored_answers([each.incoming.key for each in judged]))
        first: dict[Key, Verdict] = {}
        for each in judged:
            if each.incoming.key not in known:
                first.setdefault(each.incoming.key, each)
        record_decisions([each.refused for each in first.values() if each.refused], at=self.at)
        stored = insert_once(list(first.values()), at=self.at)
        known.update(stored_answers([key for key in first if key not in stored]))
        answers = {}
        for incoming, _, _ in judged:
            if incoming.key in known:
                answer = _repeat(incoming, *known[incoming.key])
            else:
                made = first[incoming.key]
                answer = made.answer if made.incoming.sha256 == incoming.sha256 else _other_bytes(incoming)
            answers[(incoming.arrival.number, incoming.position)] = answer
        return answers

    def _advance(self, fresh: Sequence[Arrival], receptions: Mapping[str, Reception], admission: Admission) -> None:
        for sender in sorted({arrival.contents.sender for arrival in fresh}):
            row, position = receptions[sender], admission.positions[sender]
            row.contiguous, row.islands = position.contiguous, [list(each) for each in position.islands]
            row.last_envelope_at = self.at
            if sender in admission.intakes:
                row.taken, row.taken_at = admission.intakes[sender].messages, admission.intakes[sender].at
            row.save(update_fields=["contiguous", "islands", "last_envelope_at", "taken", "taken_at"])

    def _receipts(
        self,
        fresh: Sequence[Arrival],
        answers: Mapping[tuple[int, int], Answer],
        receptions: Mapping[str, Reception],
    ) -> list[bytes]:
        """Step R11: sign each receipt, put its commitment into our log, prove that it is there."""
        witnessing = witness_heads(fresh, keyring=self.keyring, at=self.at)
        statements = [self._sign(arrival, answers, receptions[arrival.contents.sender]) for arrival in fresh]
        salts = [secrets.token_bytes(32) for _ in fresh]
        entries = [
            commit(
                "receipt",
                bytes.fromhex(sha256_hex(statement.payload)),
                agreement="",
                message_id=arrival.contents.envelope,
                salt=salt,
            )
            for arrival, statement, salt in zip(fresh, statements, salts, strict=True)
        ]
        appended = append(entries, signer=self.keyring.log, at=self.at)
        rows = []
        for place, arrival in enumerate(fresh):
            index = appended.first_index + place
            seen = witnessing.get(arrival.number, Witnessing())
            receipt = SealedReceipt(
                statement=statements[place],
                proof=appended.tlog_proof(index),
                salt=salts[place],
                cosignature=seen.cosignature,
                witnessed=seen.witnessed,
                consistency=seen.consistency_to(appended.size),
            ).to_bytes()
            rows.append(envelope_row(arrival, receipt, index, at=self.at))
        insert_envelopes(rows)
        return [receipt for *_, receipt, _, _ in rows]

    def _sign(
        self, arrival: Arrival, answers: Mapping[tuple[int, int], Answer], reception: Reception
    ) -> SignedStatement:
        position = position_of_row(reception)
        receipt = Receipt(
            envelope=arrival.contents.envelope,
            sender=arrival.contents.sender,
            recipient=arrival.contents.recipient,
            statement=arrival.statement_sha256,
            answers=tuple(answers[(arrival.number, place)] for place in range(arrival.contents.count)),
            at=self.at,
            contiguous=position.contiguous,
            missing=position.missing[: self.limits.missing_ranges],
            gaps=len(position.islands),
            load=self.load,
        )
        is_doubled = bool(arrival.contents.second_signature)
        return sign_receipt(receipt, *self.keyring.signers_for(is_doubled=is_doubled))


def _activate(receptions: Iterable[Reception]) -> None:
    """Something came: they are partners in deed. After the append to the log, which everyone locks before a Partner."""
    new = [row.partner_id for row in receptions if row.partner.state == Partner.State.INTRODUCED]
    if new:
        Partner.objects.filter(pk__in=new, state=Partner.State.INTRODUCED).update(state=Partner.State.ACTIVE)


def position_of_row(row: Reception) -> Position:
    """The position that a row stores."""
    return Position(row.contiguous, tuple((first, last) for first, last in row.islands))


def process_due(handlers: Mapping[str, Handler], at: datetime, limit: int = 100) -> int:
    """Step R13: run the journey of each accepted message whose journey has not ended well: urgent ones, then by age.

    Each in a transaction of its own together with its mark, so that its effects happen once. What fails is logged and
    tried again, later each time. Returns how many ended well.
    """
    due = InboxMessage.objects.filter(
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=at), is_accepted=True, processed_at=None
    )
    waiting = due.order_by("priority", "id").values_list("id", "kind", "received_at", "sequence")[:limit]
    return sum(_process(_Due(*each), handlers, at) for each in list(waiting))


class _Due(NamedTuple):
    """A message whose journey is due. key: of its row."""

    key: int
    kind: str
    received_at: datetime
    sequence: int


def _process(due: _Due, handlers: Mapping[str, Handler], at: datetime) -> bool:
    try:
        with transaction.atomic():
            claimed = claim_due(due.key)
            if claimed is None:
                return False
            data, failures = claimed
            handlers[due.kind](ReceivedMessage(read_message(data), due.received_at, due.sequence, failures + 1))
            mark_done(due.key, at=at)
    except Exception as error:  # the edge of a worker: one bad message must not stop the others
        logger.exception("The journey of message %s failed", due.key)
        _postpone(due.key, error, at)
        return False
    return True


def _postpone(key: int, error: Exception, at: datetime) -> None:
    with transaction.atomic():
        row = InboxMessage.objects.select_for_update().get(pk=key)
        wait = min(FIRST_RETRY_SECONDS * 2 ** min(row.failures, 20), LONGEST_RETRY_SECONDS)
        row.failures += 1
        row.next_attempt_at = at + timedelta(seconds=wait)
        row.last_error = f"{type(error).__name__}: {error}"[:500]
        row.save(update_fields=["failures", "next_attempt_at", "last_error"])


def _reused(arrival: Arrival) -> EnvelopeRefusedError:
    return EnvelopeRefusedError(
        "envelope_reused",
        "Another envelope of this name was answered before",
        where=f"envelope {arrival.contents.envelope}",
        remedy="Give each envelope an id of its own.",
    )


def _repeat(incoming: Incoming, sha256: str, text: str) -> Answer:
    return read_answer_text(text) if sha256 == incoming.sha256 else _other_bytes(incoming)


def _other_bytes(incoming: Incoming) -> Answer:
    return Answer(
        incoming.id,
        incoming.sha256,
        accepted=False,
        code="message_reused",
        text="Another message of this id arrived before",
        field="id",
        remedy="Give each message an id of its own.",
    )
