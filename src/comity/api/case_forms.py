"""The forms of procedures and cases: what programs send and are sent."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from ninja import Field, Schema
from pydantic import JsonValue, StringConstraints

from comity.agreements import Purpose
from comity.api.fields import Given, Handlings, Instant, Word
from comity.api.paging import Paging

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
CaseId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{8,36}$")]
Said = Annotated[dict[str, JsonValue], Field(max_length=100)]


class Speaking(Schema):
    """In which language."""

    language: Literal["en", "fr"] = "en"


class ProcedureLine(Schema):
    """A procedure as lists show it."""

    name: str
    edition: str
    title: str
    source: str
    tag: str
    is_verified: bool


class Procedures(Schema):
    """Every procedure that ships."""

    items: list[ProcedureLine]


class StateOut(Schema):
    """A state: open, waiting or closed, and whose turn it is."""

    name: str
    title: str
    kind: str
    whose_turn: list[str]


class EventOut(Schema):
    """An event. by: the roles that may do it; clock: of an event of time. fields: JSON Schema of what it says."""

    name: str
    title: str
    by: list[str]
    clock: str
    sources: list[str]
    to: str
    when: str
    is_automatic: bool
    fields: dict[str, JsonValue]


class ProcedureOut(ProcedureLine):
    """A procedure whole. roles: the parts that administrations play, each with its title."""

    text: str
    roles: dict[str, str]
    states: list[StateOut]
    events: list[EventOut]
    grounds: dict[str, str]


class CaseFilter(Paging):
    """Which cases are wanted."""

    kind: Literal["open", "waiting", "closed", ""] = ""
    procedure: Word = ""
    agreement_id: Word = ""
    partner: Word = ""
    state: Word = ""
    ours: bool = Field(default=False, description="Only where it is our turn")
    due_before: Instant | None = None


class CaseLineOut(Schema):
    """A case as lists show it. sight: whole, or existence alone where the caller need not know what it is about."""

    case_id: str
    sight: str
    procedure: str
    agreement_id: str
    purpose: str
    handling: str
    parties: dict[str, str]
    state: str
    kind: str
    flags: list[str]
    turn: list[str]
    next_due: Instant | None = None
    missing: int
    opened_at: Instant


class ClockOut(Schema):
    """A clock of a case: running, warned, overdue, paused or stopped."""

    name: str
    standing: str
    due_at: Instant
    stopped_at: Instant | None = None


class EntryOut(Schema):
    """One line of the history. effect: taken, consent, overtaken or time; digest, number: of the step."""

    event: str
    effect: str
    why: str
    at: Instant
    state: str
    by: str
    digest: str
    number: int | None = None


class SendingOut(Schema):
    """What one party got of a step of ours, and which fields the article withheld from it.

    recall: how it was taken back, and on which ground; empty: it was not.
    """

    digest: str
    recipient: str
    article: str
    withheld: list[str]
    recall: str = ""


class PurgedOut(Schema):
    """That the newest value of a field is gone: on which ground, when, and under which article it was held."""

    ground: str
    at: Instant
    agreement_id: str
    article_id: str
    digest: str


class CaseOut(CaseLineOut):
    """A case as it stands now. withheld: fields that are there, each with the article that withholds it; purged: gone.

    number: of the newest step; the next one has one more. troubles: by step, what did not fit.
    """

    fields: dict[str, JsonValue]
    withheld: dict[str, str]
    purged: dict[str, PurgedOut]
    clocks: list[ClockOut]
    may: dict[str, list[str]]
    history: list[EntryOut]
    sendings: list[SendingOut]
    troubles: dict[str, str]
    number: int


class OpenIn(Given):
    """A case to open. case_id: chosen by the caller, so that the same sent again opens nothing twice.

    parties: code -> role, this administration among them. event: empty takes the only one that opens a case.
    """

    case_id: UUID | None = None
    procedure: Name
    agreement_id: Word
    parties: dict[str, Name] = Field(..., min_length=2, max_length=40)
    fields: Said
    purpose: Purpose
    handling: Handlings = "official"
    event: Name | Literal[""] = ""


class StepIn(Given):
    """What is to be done in a case. number: that this step will have; the same sent again does nothing twice."""

    event: Name
    fields: Said = {}
    number: int | None = Field(default=None, ge=1, le=1_000_000)


class PreviewIn(Given):
    """What would be done in a case."""

    event: Name
    fields: Said = {}


class Told(Schema):
    """A message that was posted, and to whom."""

    recipient: str
    message_id: str


class TakenOut(Schema):
    """What became of it: the step and the messages that tell it, or the proposal that waits for another officer."""

    case_id: str = ""
    digest: str = ""
    number: int | None = None
    state: str = ""
    posted: list[Told] = []
    proposal_id: UUID | None = None


class ShowingOut(Schema):
    """What one party would see of a step."""

    recipient: str
    is_permitted: bool
    article_id: str
    reasons: list[str]
    withheld: list[str]


class Preview(Schema):
    """Who would see what."""

    items: list[ShowingOut]
