"""A data subject's report: what is held, why, from whom, shared with whom, until when, and what is not told. Pure.

Convention 108+ Art. 9 and 11, GDPR Art. 15 and 23, Directive (EU) 2016/680 Art. 14 and 15: a person is told what is
held, unless telling would harm what the law protects; that is decided for each part, by an officer, and written down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from comity.insight.errors import ReportOpenError
from comity.insight.naming import Named
from comity.trade import Handling


class Decision(StrEnum):
    """What is told of one part. omit: neither confirmed nor denied, and so not even mentioned."""

    DISCLOSE = "disclose"
    WITHHOLD = "withhold"
    OMIT = "omit"


# Closed: what a person is told must be the same everywhere (Convention 108+ Art. 11(1); Directive 2016/680 Art. 15(1)).
GROUNDS: Mapping[str, str] = {
    "investigation": "It would harm the prevention, investigation or prosecution of an offence",
    "control": "It would harm a customs control that is still to come",
    "others": "The rights and freedoms of others would be harmed",
    "partner": "The administration that shared it has not permitted its disclosure",
    "security": "It would harm public or national security",
}


@dataclass(frozen=True, slots=True)
class Shared:
    """That something went to an administration: under which article, when."""

    to: str
    agreement: str
    article: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is held about somebody. ref: names it here, as record:ID or message:ID.

    what: its kind in a word: declaration, manifest, alert, finding, seizure, step, file, assessment, inspection,
    history, habits, hit, hit_advice, hit_question, mirror,
    listed, registered.
    origin: whose information it is. legal: on what it rests. notes: recalls and corrections, as mode:ground.
    is_asked_of_origin: whoever shared it must permit its disclosure first. figures: what it counts, as (word, figure).
    ends: until when it is kept where that is no day: a word of `privacy_words`, as ends:WORD.
    """

    ref: str
    what: str
    title: str
    named: tuple[Named, ...]
    origin: str
    since: datetime
    purpose: str
    legal: str
    handling: Handling = Handling.OFFICIAL
    keep_until: datetime | None = None
    shared: tuple[Shared, ...] = ()
    notes: tuple[str, ...] = ()
    count: int = 1
    is_asked_of_origin: bool = False
    figures: tuple[tuple[str, str], ...] = ()
    ends: str = ""

    @property
    def needs_decision(self) -> bool:
        """Whether an officer decides first what is told of it."""
        return self.handling >= Handling.RESTRICTED or self.is_asked_of_origin


@dataclass(frozen=True, slots=True)
class Candidate:
    """A spelling that may be the one who asks. in_how_many: things that name it so."""

    spelling: str
    named: Named
    in_how_many: int


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided about one part, by whom, and on which ground it is not told."""

    decision: Decision
    ground: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """An item with what was decided about it; None: nothing yet."""

    item: Item
    decided: Decided | None = None

    @property
    def is_open(self) -> bool:
        """Whether a decision is still to come."""
        return self.item.needs_decision and self.decided is None

    @property
    def is_told(self) -> bool:
        """Whether its content is told."""
        if self.decided is not None:
            return self.decided.decision is Decision.DISCLOSE
        return not self.item.needs_decision

    @property
    def is_mentioned(self) -> bool:
        """Whether the answer says that there is such a part."""
        return not (self.decided is not None and self.decided.decision is Decision.OMIT)


def candidates_of(found: Iterable[Item]) -> tuple[Candidate, ...]:
    """The spellings under which somebody was found, those in most things first."""
    counted: dict[str, tuple[Named, set[str]]] = {}
    for item in found:
        for named in item.named:
            counted.setdefault(named.spelling, (named, set()))[1].add(item.ref)
    rows = [Candidate(spelling, named, len(refs)) for spelling, (named, refs) in counted.items()]
    return tuple(sorted(rows, key=lambda each: (-each.in_how_many, each.spelling)))


def confirmed(found: Iterable[Item], spellings: Iterable[str]) -> tuple[Item, ...]:
    """The items that name somebody as confirmed; of each, only who was confirmed is left: others have rights, too."""
    chosen = frozenset(spellings)
    kept = ((item, tuple(each for each in item.named if each.spelling in chosen)) for item in found)
    return tuple(replace(item, named=named) for item, named in kept if named)


def parts_of(items: Iterable[Item], decided: Mapping[str, Decided]) -> tuple[Part, ...]:
    """Each item with its decision, the oldest first."""
    return tuple(Part(item, decided.get(item.ref)) for item in sorted(items, key=lambda each: (each.since, each.ref)))


def answer_of(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts that the answer to the person mentions.

    Raises: ReportOpenError while a decision is still to come.
    """
    every = tuple(parts)
    waiting = sum(part.is_open for part in every)
    if waiting:
        raise ReportOpenError(
            f"{waiting} parts wait for a decision whether they may be told",
            where="decisions",
            remedy="Ask a supervisor to decide each of them; until then there is no answer to give.",
        )
    return tuple(part for part in every if part.is_mentioned)
