"""How the status of a holding moves, on which grounds a message is recalled and retained. Pure.

What is known of a copy comes late, twice and out of order, by several ways. So the status after a set of facts does
not depend on their order: purged is final, a later recall never reopens it, and limits only ever become tighter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from comity.trade import Handling

# How long a holder has to answer; purging is done by the node itself, so a day is long.
ANSWER_WITHIN = timedelta(hours=24)
# An order that comes again from the same partner is answered again, but not sooner.
ANSWER_AGAIN_AFTER = timedelta(hours=1)


class Status(StrEnum):
    """What is known of a copy.

    Held: it is there and may be. Recalled: it is to go and nobody has answered. Overdue: the time to answer has passed.
    Retained: the holder keeps it on a legal ground. Purged: its holder signed that it is gone.
    """

    HELD = "held"
    RECALLED = "recalled"
    OVERDUE = "overdue"
    RETAINED = "retained"
    PURGED = "purged"


class Mode(StrEnum):
    """What is asked for: that it goes, that it goes because another takes its place, or that its limits tighten."""

    RECALL = "recall"
    CORRECT = "correct"
    TIGHTEN = "tighten"

    @property
    def is_purging(self) -> bool:
        """Whether the copy is to go."""
        return self is not Mode.TIGHTEN


class ConsentState(StrEnum):
    """The life of a consent."""

    ASKED = "asked"
    GIVEN = "given"
    REFUSED = "refused"


class SuccessorState(StrEnum):
    """The life of a successor: the message that takes the place of one that we handed on, and is to be handed on too.

    Due: nobody has handed it on yet. Put aside: an officer said why not. Taken back: by its own origin, once more.
    """

    DUE = "due"
    HANDED_ON = "handed_on"
    PUT_ASIDE = "put_aside"
    TAKEN_BACK = "taken_back"


# Why a message is taken back. Closed: a reader in another country must know what is meant.
RECALL_GROUNDS: Mapping[str, str] = {
    "issued_in_error": "It should not have been sent",
    "information_wrong": "What it says is wrong",
    "superseded": "A newer message takes its place",
    "source_withdrawn": "The source took it back or is no longer believed",
    "purpose_ended": "What it was shared for has ended",
    "rights_of_the_person": "The person concerned has a right to its deletion",
    "breach": "The agreement was broken",
    "level_raised": "The information needs more protection than was thought",
}

# Why a copy stays although it is to go. Each rests on a law of the holder, who answers for it.
RETAIN_GROUNDS: Mapping[str, str] = {
    "legal_proceedings": "It is needed in proceedings before a court or a tribunal",
    "court_order": "A court ordered that it be kept",
    "statutory_archive": "A statute prescribes an archive copy",
    "evidence_in_seizure": "Goods were seized because of it and it is evidence",
}

# Grounds that a purge names.
RETENTION_ENDED = "retention_ended"
RECALLED = "recalled"
CORRECTED = "corrected"
SEIZURE = "evidence_in_seizure"

_RANK = {Status.HELD: 0, Status.RECALLED: 1, Status.OVERDUE: 2, Status.RETAINED: 3, Status.PURGED: 4}


def after_recall(status: Status, mode: Mode) -> Status:
    """The status once a recall was made: what is purged stays so, what is retained stays until its holder answers."""
    if status in (Status.PURGED, Status.RETAINED):
        return status
    return Status.RECALLED if mode.is_purging or status is Status.HELD else status


def after_answer(status: Status, told: Status, *, is_answer: bool) -> Status:
    """The status once somebody told one. is_answer: it answers the recall that waits, and is no earlier notice."""
    if told is Status.HELD:
        return Status.HELD if is_answer and status in (Status.RECALLED, Status.OVERDUE) else status
    return max(status, told, key=lambda each: _RANK[each])


def after_due(status: Status, *, due_at: datetime | None, at: datetime) -> Status:
    """The status once the clock was looked at."""
    return Status.OVERDUE if status is Status.RECALLED and due_at is not None and due_at <= at else status


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a copy may be kept, and at which level it is handled. keep_until: None where nobody set a limit."""

    keep_until: datetime | None
    handling: str

    def tightened(self, keep_until: datetime | None, handling: str) -> Limits:
        """The stricter of both, of each limit by itself; so the order in which limits come does not matter."""
        moments = [each for each in (self.keep_until, keep_until) if each is not None]
        return Limits(min(moments, default=None), higher(self.handling, handling))


def higher(first: str, second: str) -> str:
    """The higher of two handling levels; a word that nobody knows counts as the highest."""
    return max((word for word in (first, second) if word), key=_level, default="")


def _level(word: str) -> int:
    try:
        return int(Handling.from_word(word))
    except KeyError:
        return int(Handling.CONFIDENTIAL)
