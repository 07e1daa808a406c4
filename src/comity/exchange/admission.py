"""Step R7, second half: which envelopes of a group are taken now, and why the others are not. Changes no row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from comity.exchange.arrivals import Arrival, suspended
from comity.exchange.errors import EnvelopeRefusedError, TooFastError
from comity.exchange.limits import Limits, LoadLimits
from comity.exchange.models import Partner, Reception
from comity.exchange.pace import Intake
from comity.exchange.position import Position


@dataclass(slots=True)
class Admission:
    """Admits the envelopes of one group, in the order of their sequence. positions: after those that were admitted.

    intakes: what counts against our pace, by sender; only where we published one. refused: by number of the arrival.
    """

    limits: Limits
    load: LoadLimits
    at: datetime
    positions: dict[str, Position]
    intakes: dict[str, Intake] = field(default_factory=dict)
    refused: dict[int, EnvelopeRefusedError] = field(default_factory=dict)

    def admit(self, fresh: Sequence[Arrival], receptions: Mapping[str, Reception]) -> list[Arrival]:
        """Those that are taken, in the order of their numbers."""
        if self.load.messages_per_minute is not None:
            self.intakes = {sender: Intake(row.taken, row.taken_at) for sender, row in receptions.items()}
        kept = []
        for arrival in sorted(fresh, key=lambda each: each.contents.first_sequence):
            try:
                self._admit_one(arrival, receptions[arrival.contents.sender])
                kept.append(arrival)
            except EnvelopeRefusedError as error:
                self.refused[arrival.number] = error
        return sorted(kept, key=lambda each: each.number)

    def _admit_one(self, arrival: Arrival, reception: Reception) -> None:
        contents = arrival.contents
        if reception.partner.state == Partner.State.SUSPENDED:
            raise suspended(contents.sender)  # since its envelope was opened
        most = self.load.messages_per_envelope
        if most is not None and contents.count > most:
            raise EnvelopeRefusedError(
                "too_large",
                "The envelope holds more messages than we take at once",
                where=f"{contents.count} messages",
                remedy=f"Send at most {most} in an envelope; each receipt says so.",
            )
        intake = self._intake(contents.sender)
        # A sequence with holes everywhere would fill the row: what leaves too many is asked for again, later.
        before = self.positions[contents.sender]
        position = before.with_ranges([(contents.first_sequence, contents.last_sequence)])
        if len(position.islands) > max(self.limits.islands, len(before.islands)):
            raise EnvelopeRefusedError(
                "too_many_gaps",
                "Too many messages before these have not arrived",
                where=f"sequence {contents.first_sequence}",
                remedy="Send those that are missing first; the position names them.",
            )
        self.positions[contents.sender] = position
        if intake is not None and self.load.messages_per_minute is not None:
            self.intakes[contents.sender] = intake.taken(contents.count, self.load.messages_per_minute)

    def _intake(self, sender: str) -> Intake | None:
        """What the sender sent lately. Raises: TooFastError where that is far beyond what we published."""
        per_minute = self.load.messages_per_minute
        if per_minute is None:
            return None
        intake = self.intakes[sender].faded(per_minute, self.at)
        wait = intake.wait_seconds(per_minute)
        if wait:
            raise TooFastError(
                "This is far more than the load limit in our receipts",
                where=f"{per_minute} messages a minute",
                remedy=f"Nothing was taken. Come back in {wait} seconds.",
                retry_after_seconds=wait,
            )
        return intake
