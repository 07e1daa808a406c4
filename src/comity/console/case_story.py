"""What happened in a case, for people: its steps with who and when, the conversation, the clocks, the files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from comity.agreements.clocks import Standing, explain
from comity.agreements.procedures import REASON, Event, FieldType, Procedure
from comity.common import ActorKind, ComityError, parse_instant
from comity.console.case_words import OVERTAKEN, STANDINGS, clock_words, label_of, language, value_words
from comity.console.deadlines import Left, left_of
from comity.console.holders import Badge
from comity.exchange import selectors as exchange
from comity.exchange.errors import MessageUnknownError
from comity.operations import CaseView, ClockView, Effect, Entry, Step
from comity.operations.selectors import CaseFile, Sending
from comity.operations.steps import Purged
from comity.staff import selectors as staff
from comity.staff.selectors import AuditFilter

_MOST_DEEDS = 500


@dataclass(frozen=True, slots=True)
class SaidLine:
    """A field that a step said. article: under which it is withheld here, where it is; refs: messages that it names.

    purged: where its content has gone, why and when.
    """

    label: str
    value: str = ""
    article: str = ""
    refs: tuple[str, ...] = ()
    is_withheld: bool = False
    purged: Purged | None = None


@dataclass(frozen=True, slots=True)
class Withheld:
    """Fields of a step of ours that a partner did not get, and the article that says so."""

    recipient: str
    article: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far a step of ours has got at one partner. answer: what its signed receipt says, or that it is on its way."""

    recipient: str
    article: str
    message_id: str
    answer: Badge
    answered_at: datetime | None = None
    is_taken: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One line of the history. by: the administration; empty: time. officer: ours who took it.

    sent: our step at each partner; article: under which a partner's step came. clocks: what it did to clocks.
    spoken: what of it is said in words.
    """

    at: datetime
    title: str
    by: str
    is_ours: bool
    state: str
    effect: Badge | None = None
    note: str = ""
    officer: str = ""
    article: str = ""
    sent: tuple[Delivery, ...] = ()
    said: tuple[SaidLine, ...] = ()
    spoken: tuple[SaidLine, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    clocks: tuple[str, ...] = ()
    source: str = ""
    trouble: str = ""
    number: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """The end of a clock as a side signed it. is_same: it is the one that we come to.

    agreed: who took it, by a signed receipt of its node or since we took it here.
    """

    by: str
    due_at: datetime | None
    signed_at: datetime
    is_same: bool
    agreed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClockCard:
    """One clock of a case. started, stopped: by which step; explained: how it was counted, in sentences."""

    name: str
    due_at: datetime
    standing: Badge
    left: Left | None
    started: str
    started_at: datetime
    stopped: str
    stopped_at: datetime | None
    claims: tuple[Claim, ...]
    explained: tuple[str, ...]
    source: str


def story_of(found: CaseFile, us: str) -> list[StoryLine]:
    """Every step and event of time, in the order in which they count."""
    officers, deliveries = _officers(found.line.case_id), _deliveries(found.sendings)
    told = _Told(officers, deliveries, dict(found.troubles))
    return [_line(found, entry, us, told) for entry in found.view.history]


def conversation_of(story: Iterable[StoryLine]) -> list[StoryLine]:
    """The steps after the first that say something in words: what is asked and answered, read in order."""
    return [each for each in story if each.spoken and each.number > 1]


def clocks_of(seen: CaseView, story: Sequence[StoryLine], at: datetime) -> list[ClockCard]:
    """Every clock that was started, the one that ends next on top, those that stopped last."""
    ordered = sorted(seen.clocks, key=lambda each: (each.stopped_at is not None, each.deadline.due_at))
    return [_clock(seen, each, story, at) for each in ordered]


def facts_of(seen: CaseView) -> list[SaidLine]:
    """What the case says now: the newest value of each field, and which are withheld here."""
    kind = seen.procedure
    lines = {name: said_line(kind, name, value) for name, value in seen.fields.items()}
    lines |= {name: SaidLine(label_of(kind, name), purged=step.purged) for name, step in seen.purged.items()}
    for name, article in seen.withheld.items():
        lines[name] = SaidLine(label_of(kind, name), article=article, is_withheld=True)
    return [lines[each.name] for each in kind.fields if each.name in lines]


def said_lines(kind: Procedure, fields: Mapping[str, object]) -> list[SaidLine]:
    """What is said, in the order of the procedure's file, grounds and reasons last."""
    order = [each.name for each in kind.fields]
    names = sorted(fields, key=lambda name: (order.index(name) if name in order else len(order), name))
    return [said_line(kind, name, fields[name]) for name in names]


def said_line(kind: Procedure, name: str, value: object) -> SaidLine:
    """One field with its value; references to messages that are here lead to them."""
    field = next((each for each in kind.fields if each.name == name), None)
    named = value if isinstance(value, list | tuple) else [value]
    may_name = field is not None and field.type in (FieldType.REF, FieldType.REFS)
    refs = tuple(str(each) for each in named if may_name and _is_message(str(each)))
    return SaidLine(label_of(kind, name), value_words(kind, name, value), refs=refs)


@dataclass(frozen=True, slots=True)
class _Told:
    """What is known beside the steps, by their digests: officers, how far each got, what did not fit."""

    officers: Mapping[str, str]
    deliveries: Mapping[str, tuple[Delivery, ...]]
    troubles: Mapping[str, str]


def _line(found: CaseFile, entry: Entry, us: str, told: _Told) -> StoryLine:
    kind, step = found.view.procedure, entry.step
    event = kind.event(entry.event)
    state = kind.state(entry.state).title.in_(language())
    if step is None:
        return StoryLine(
            at=entry.at,
            title=event.title.in_(language()),
            by="",
            is_ours=False,
            state=state,
            note=_("By itself: the time of the clock “%(clock)s” ran out.") % {"clock": clock_words(event.clock)},
            clocks=_clock_deeds(event),
            source=event.source,
        )
    effect, note = _effect(entry)
    sendings = [each for each in found.sendings if each.digest == step.digest]
    return StoryLine(
        at=step.at,
        title=event.title.in_(language()),
        by=step.by,
        is_ours=step.by == us,
        state=state,
        effect=effect,
        note=note,
        officer=told.officers.get(step.digest, ""),
        article=step.article,
        sent=told.deliveries.get(step.digest, ()),
        said=_said(kind, step),
        spoken=tuple(said_line(kind, name, step.fields[name]) for name in _spoken(kind, step)),
        withheld=_withheld(kind, sendings),
        clocks=_clock_deeds(event) if effect is None else (),
        source=event.source,
        trouble=told.troubles.get(step.digest, ""),
        number=step.number,
        digest=step.digest,
    )


def _effect(entry: Entry) -> tuple[Badge | None, str]:
    if entry.effect is Effect.OVERTAKEN:
        return Badge(_("overtaken"), "amber"), str(OVERTAKEN.get(entry.why, ""))
    if entry.effect is Effect.CONSENT:
        note = _("It counts as a consent. The case moves on once everyone in this role has given theirs.")
        return Badge(_("consent"), "blue"), note
    return None, ""


def _spoken(kind: Procedure, step: Step) -> list[str]:
    """The fields in which a step says something in whole sentences."""
    prose = [each.name for each in kind.fields if each.type is FieldType.LONG_TEXT]
    return [name for name in (*prose, REASON) if name in step.fields]


def _said(kind: Procedure, step: Step) -> tuple[SaidLine, ...]:
    gone = step.purged.fields if step.purged else frozenset()
    purged = [SaidLine(label_of(kind, name), purged=step.purged) for name in sorted(gone)]
    hidden = sorted(step.withheld - gone)
    withheld = [SaidLine(label_of(kind, name), article=step.article, is_withheld=True) for name in hidden]
    return (*said_lines(kind, step.fields), *purged, *withheld)


def _withheld(kind: Procedure, sendings: Iterable[Sending]) -> tuple[Withheld, ...]:
    return tuple(
        Withheld(each.recipient, each.article, tuple(label_of(kind, name) for name in each.withheld))
        for each in sendings
        if each.withheld
    )


def _clock_deeds(event: Event) -> tuple[str, ...]:
    """What an event does to clocks, in words."""
    deeds = (
        (event.starts, _("The clock “%(clock)s” starts.")),
        (event.stops, _("The clock “%(clock)s” stops.")),
        (event.pauses, _("The clock “%(clock)s” stands still from here.")),
        (event.resumes, _("The clock “%(clock)s” runs on.")),
        (event.extends, _("The clock “%(clock)s” is extended.")),
    )
    return tuple(text % {"clock": clock_words(name)} for names, text in deeds for name in names)


def _clock(seen: CaseView, each: ClockView, story: Sequence[StoryLine], at: datetime) -> ClockCard:
    spec = seen.procedure.clock(each.name)
    is_running = each.standing in (Standing.RUNNING, Standing.WARNED, Standing.OVERDUE, Standing.PAUSED)
    source = f"{spec.source} ({spec.tag})" if spec.source else ""
    return ClockCard(
        name=clock_words(each.name),
        due_at=each.deadline.due_at,
        standing=STANDINGS[each.standing],
        left=left_of(each.deadline, at) if is_running else None,
        started=_title_of(seen, each.deadline.started_at, each.name, "starts"),
        started_at=each.deadline.started_at,
        stopped=_title_of(seen, each.stopped_at, each.name, "stops") if each.stopped_at else "",
        stopped_at=each.stopped_at,
        claims=_claims(seen, each, story),
        explained=explain(each.deadline, language())[1:],
        source=source,
    )


def _title_of(seen: CaseView, at: datetime | None, clock: str, what: str) -> str:
    """The event that did something to a clock at a moment."""
    for entry in reversed(seen.history):
        event = seen.procedure.event(entry.event)
        if entry.effect in (Effect.TAKEN, Effect.TIME) and clock in getattr(event, what) and _same(entry.at, at):
            return event.title.in_(language())
    return ""


def _claims(seen: CaseView, each: ClockView, story: Sequence[StoryLine]) -> tuple[Claim, ...]:
    """What each side signed last about the end of a clock, and who came to the same."""
    last: dict[str, Claim] = {}
    told = {line.digest: line for line in story if line.digest}
    for entry in seen.history:
        if entry.step is None or entry.effect is Effect.OVERTAKEN:
            continue
        for claim in entry.step.deadlines:
            if claim.get("clock") == each.name:
                line = told[entry.step.digest]
                last[entry.step.by] = Claim(
                    by=entry.step.by,
                    due_at=_instant(claim.get("due_at")),
                    signed_at=entry.step.at,
                    is_same=claim.get("digest") == each.deadline.digest,
                    agreed=tuple(sent.recipient for sent in line.sent if sent.is_taken),
                )
    return tuple(last.values())


def _officers(case_id: str) -> dict[str, str]:
    """Who of ours took which step: the audit knows, by the digest of the step."""
    wanted = AuditFilter(deed="take_step", subject=f"case:{case_id}")
    deeds = staff.audit_entries(wanted, limit=_MOST_DEEDS)
    return {
        str(each.facts.get("step")): each.actor_id
        if each.actor_kind == ActorKind.OFFICER.value
        else _("the node by itself")
        for each in deeds
    }


def _deliveries(sendings: Iterable[Sending]) -> dict[str, tuple[Delivery, ...]]:
    """How far each step of ours has got, by its digest."""
    found: dict[str, tuple[Delivery, ...]] = {}
    for each in sendings:
        found[each.digest] = (*found.get(each.digest, ()), _delivery(each.recipient, each.article, each.message_id))
    return found


def _delivery(recipient: str, article: str, message_id: str) -> Delivery:
    try:
        view = exchange.message(message_id)
    except MessageUnknownError:
        return Delivery(recipient, article, "", Badge(_("no longer kept here"), "grey"))
    if view.answer is None:
        return Delivery(recipient, article, message_id, Badge(_("on its way"), "blue"))
    if not view.answer.accepted:
        return Delivery(
            recipient, article, message_id, Badge(_("refused"), "red"), view.answered_at, error=view.line.error
        )
    return Delivery(
        recipient, article, message_id, Badge(_("taken, signed receipt"), "green"), view.answered_at, is_taken=True
    )


def _is_message(ref: str) -> bool:
    try:
        exchange.message(ref)
    except MessageUnknownError:
        return False
    return True


def _instant(value: object) -> datetime | None:
    try:
        return parse_instant(str(value))
    except ComityError:
        return None


def _same(one: datetime, other: datetime | None) -> bool:
    return other is not None and one.replace(microsecond=0) == other.replace(microsecond=0)
