"""Which of the waiting messages go out next: what is urgent first, within what the partner takes. Pure.

An envelope holds consecutive sequences, so whatever overtakes leaves a gap at the partner until the rest has followed.
A partner remembers 1,024 runs beyond a gap: before there are that many, messages go in the order of their sequence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from comity.exchange.limits import LIMITS, LoadLimits, Priority, SendingRules
from comity.exchange.pace import Allowance

# Room for the statement, the lengths and the seal below the receiver's limit.
_ENVELOPE_BYTES = LIMITS.envelope_bytes // 2
# Up to how many gaps a class may overtake the one below it; the rest is room for what is in flight meanwhile.
_URGENT_GAPS, _ORDINARY_GAPS = LIMITS.islands * 3 // 4, LIMITS.islands // 4
_URGENT, _ORDINARY, _BULK = Priority
_APART = ((_URGENT,), (_ORDINARY,), (_BULK,))


@dataclass(frozen=True, slots=True)
class Flight:
    """What is on its way to one partner."""

    envelopes: int = 0
    messages: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that waits: its place, bytes, digest and priority."""

    sequence: int
    data: bytes
    sha256: str
    priority: int


@dataclass(frozen=True, slots=True)
class Window:
    """What may go to one partner now. slots: envelopes, by priority. size: messages in one. allowance: of its pace."""

    slots: tuple[int, int, int]
    size: int
    per_minute: int | None = None
    allowance: Allowance = field(default_factory=Allowance)

    @property
    def is_shut(self) -> bool:
        """Whether nothing may go."""
        return self.slots[_URGENT] < 1

    def messages(self, priority: int, round_messages: int) -> int:
        """How many messages of this priority may be formed at most."""
        most = min(self.slots[priority] * self.size, max(round_messages, self.size))
        if self.per_minute is not None:
            most = min(most, self.allowance.room(self.per_minute, is_urgent=priority == _URGENT))
        return max(most, 0)

    def may_go(self, count: int, priority: int) -> bool:
        """Whether an envelope of so many messages may go within the partner's pace."""
        per_minute = self.per_minute
        return per_minute is None or self.allowance.may_go(count, per_minute, is_urgent=priority == _URGENT)

    def narrowed(self, envelopes: int) -> Window:
        """The window with so many envelopes at most."""
        urgent, ordinary, bulk = (min(each, envelopes) for each in self.slots)
        return replace(self, slots=(urgent, ordinary, bulk))

    def paced(self, per_minute: int, allowance: Allowance, at: datetime) -> Window:
        """The window with what the partner's pace allows at this time."""
        return replace(self, per_minute=per_minute, allowance=allowance.refilled(per_minute, at))

    def after(self, count: int) -> Window:
        """The window after an envelope of so many messages went."""
        urgent, ordinary, bulk = (each - 1 for each in self.slots)
        return replace(self, slots=(urgent, ordinary, bulk), allowance=self.allowance.spent(count))


def open_window(rules: SendingRules, limits: LoadLimits, flight: Flight, messages_at_most: int | None) -> Window:
    """What may go beside what is in flight, by our own rules and the partner's limits; its pace is not in it yet."""
    size = min(rules.messages, messages_at_most or rules.messages, limits.messages_per_envelope or rules.messages)
    total, ordinary = rules.envelopes + rules.urgent_envelopes, rules.envelopes
    if limits.envelopes_in_flight is not None:
        total = min(total, limits.envelopes_in_flight)
        ordinary = min(ordinary, max(total - rules.urgent_envelopes, (total + 1) // 2))
    slots = (
        total - flight.envelopes,
        min(ordinary - flight.envelopes, _envelopes_for(rules.flight_messages - flight.messages, size)),
        min(ordinary - flight.envelopes, _envelopes_for(rules.flight_messages // 2 - flight.messages, size)),
    )
    return Window(slots, size)


Classes = tuple[tuple[Priority, ...], ...]


def classes_of(gaps: int) -> Classes:
    """Which priorities overtake which, given how many gaps there are at the partner: the first class goes first."""
    if gaps < _ORDINARY_GAPS:
        return _APART
    if gaps < _URGENT_GAPS:
        return (_URGENT,), (_ORDINARY, _BULK)
    return ((_URGENT, _ORDINARY, _BULK),)


def choose(waiting: Iterable[Waiting], window: Window, classes: Classes = _APART) -> tuple[list[list[Waiting]], Window]:
    """Envelopes of consecutive messages that may go now, those of the first class first; and what may go after them.

    Neighbours of another priority ride along where they were chosen, too. A class counts as its least urgent member.
    """
    counts_as = {each: max(members) for members in classes for each in members}
    ranked = [
        (min(counts_as[Priority(each.priority)] for each in group), group)
        for group in _consecutive(sorted(waiting, key=lambda each: each.sequence), window.size)
    ]
    chosen = []
    for priority, group in sorted(ranked, key=lambda each: (each[0], each[1][0].sequence)):
        if window.slots[priority] > 0 and window.may_go(len(group), priority):
            chosen.append(group)
            window = window.after(len(group))
    return chosen, window


def _envelopes_for(messages: int, size: int) -> int:
    return -(-messages // size)


def _consecutive(lines: Iterable[Waiting], size: int) -> Iterator[list[Waiting]]:
    """Runs without a hole, of at most `size` messages and half of what a receiver takes."""
    group: list[Waiting] = []
    weight = 0
    for line in lines:
        length = len(line.data) + 4
        is_next = group and line.sequence == group[-1].sequence + 1
        if group and (not is_next or len(group) == size or weight + length > _ENVELOPE_BYTES):
            yield group
            group, weight = [], 0
        group.append(line)
        weight += length
    if group:
        yield group
