"""Who holds a message, in plain words: the rows, the badges and the story of a recall. Pure but for what it reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from comity.agreements import DUTY_KINDS, EVIDENCE_KIND
from comity.common import Actor, utc_now
from comity.console.intake import Event
from comity.console.words import word
from comity.custody import ConsentState, Mode, Status, SuccessorState
from comity.custody import selectors as custody
from comity.custody.selectors import ConsentView, HandOnView, HolderView, RecallView
from comity.custody.successors import successors_named
from comity.exchange.evidence import EvidenceState
from comity.exchange.selectors import Direction, MessageLine, MessageView
from comity.journeys.succeed import Expected, expected
from comity.staff import Permission, may


@dataclass(frozen=True, slots=True)
class Badge:
    """A word with a colour, and what it rests on."""

    text: str | Promise
    colour: str
    why: str = ""


# Closed lists of the protocol: docs/protocol.md §10.
GROUNDS: Mapping[str, str | Promise] = {
    "issued_in_error": gettext_lazy("It should not have been sent"),
    "information_wrong": gettext_lazy("What it says is wrong"),
    "superseded": gettext_lazy("A newer message takes its place"),
    "source_withdrawn": gettext_lazy("The source took it back or is no longer believed"),
    "purpose_ended": gettext_lazy("What it was shared for has ended"),
    "rights_of_the_person": gettext_lazy("The person concerned has a right to its deletion"),
    "breach": gettext_lazy("The agreement was broken"),
    "level_raised": gettext_lazy("The information needs more protection than was thought"),
    "legal_proceedings": gettext_lazy("It is needed in proceedings before a court or a tribunal"),
    "court_order": gettext_lazy("A court ordered that it be kept"),
    "statutory_archive": gettext_lazy("A statute prescribes an archive copy"),
    "evidence_in_seizure": gettext_lazy("Goods were seized because of it and it is evidence"),
    "recalled": gettext_lazy("Its origin took it back"),
    "corrected": gettext_lazy("Its origin replaced it by a corrected one"),
    "retention_ended": gettext_lazy("The time for which it could be kept has ended"),
}
MODES: Mapping[Mode, str | Promise] = {
    Mode.RECALL: gettext_lazy("Taken back"),
    Mode.CORRECT: gettext_lazy("Corrected"),
    Mode.TIGHTEN: gettext_lazy("Tightened"),
}
_STATUSES: Mapping[Status, tuple[str | Promise, str]] = {
    Status.HELD: (gettext_lazy("holds it"), "blue"),
    Status.RECALLED: (gettext_lazy("has not answered"), "amber"),
    Status.OVERDUE: (gettext_lazy("overdue"), "red"),
    Status.RETAINED: (gettext_lazy("keeps it"), "amber"),
    Status.PURGED: (gettext_lazy("purged"), "green"),
}
CONSENTS: Mapping[ConsentState, Badge] = {
    ConsentState.ASKED: Badge(gettext_lazy("waits for an answer"), "amber"),
    ConsentState.GIVEN: Badge(gettext_lazy("consent given"), "green"),
    ConsentState.REFUSED: Badge(gettext_lazy("consent refused"), "red"),
}
FILES: Mapping[EvidenceState, Badge] = {
    EvidenceState.HERE: Badge(gettext_lazy("here"), "green"),
    EvidenceState.COMING: Badge(gettext_lazy("coming"), "blue"),
    EvidenceState.REFUSED: Badge(gettext_lazy("refused"), "red"),
    EvidenceState.PURGED: Badge(gettext_lazy("purged"), "grey"),
    EvidenceState.NOT_OFFERED: Badge(gettext_lazy("never offered"), "amber"),
    EvidenceState.OFFERED: Badge(gettext_lazy("offered"), "blue"),
    EvidenceState.FETCHED: Badge(gettext_lazy("fetched"), "green"),
    EvidenceState.WITHDRAWN: Badge(gettext_lazy("withdrawn"), "grey"),
}
# What a notice between nodes is, when it answers another one.
_ANSWERS: Mapping[str, str | Promise] = {
    "holding/1": gettext_lazy("Answer to a recall"),
    "consent/1": gettext_lazy("Answer about a consent"),
    "probe/1": gettext_lazy("Answer to a probe"),
}


@dataclass(frozen=True, slots=True)
class HolderLine:
    """One holder as the table shows it. status: in plain words; proof: whose word it is, and whether it was checked."""

    view: HolderView
    status: Badge
    proof: Badge
    is_direct: bool


@dataclass(frozen=True, slots=True)
class Custody:
    """What a message page says about who has the message. own: our copy of a partner's message, else None.

    can_take_back, can_hand_on, can_keep: of the officer who looks. onward_of: the message that this is a copy of.
    expected: what takes the place of a corrected one. is_file: a partner's file that is here.
    """

    holders: tuple[HolderLine, ...] = ()
    recalls: tuple[RecallView, ...] = ()
    consents: tuple[ConsentView, ...] = ()
    handed: tuple[HandOnView, ...] = ()
    own: HolderView | None = None
    onward_of: HolderView | None = None
    story: tuple[Event, ...] = ()
    can_take_back: bool = False
    can_hand_on: bool = False
    can_keep: bool = False
    is_let_go_possible: bool = False
    expected: Expected | None = None
    is_file: bool = False


def custody_of(view: MessageView, actor: Actor) -> Custody | None:
    """Who holds a message; None for duties, which nobody holds, and for what was refused."""
    line = view.line
    if line.kind in DUTY_KINDS or (line.direction is Direction.RECEIVED and line.state == "refused"):
        return None
    own = custody.held_as(line.id, holder=us()) if line.direction is Direction.RECEIVED else None
    every = custody.holders_of(line.id)
    origin = own.origin if own else next((each.origin for each in every), us())
    name = own.message_id if own else next((each.message_id for each in every), line.id)
    others = tuple(each for each in every if each.holder != us() and each.origin == origin)
    recalls = recalls_of(origin, name)
    is_custodian = may_take_back(actor)
    is_ours = origin == us() and line.direction is Direction.SENT
    is_held = own is not None and own.status is Status.HELD
    return Custody(
        holders=tuple(holder_line(each, refused=_refuser(view)) for each in others),
        recalls=recalls,
        consents=custody.consents(name),
        handed=custody.hand_ons(origin, name) if origin != us() else (),
        own=own,
        onward_of=_own_copy(origin, name) if line.direction is Direction.SENT and origin != us() else None,
        story=put_aside_of(name)
        + story_of(recalls, [each for each in every if each.origin == origin], custody.hand_ons(origin, name)),
        can_take_back=is_ours and is_custodian and any(each.status is not Status.PURGED for each in others),
        can_hand_on=is_held and may(actor, Permission.SHARE) and line.kind != EVIDENCE_KIND,
        can_keep=own is not None and own.status is not Status.PURGED and is_custodian and not own.retain_ground,
        is_let_go_possible=own is not None and bool(own.retain_ground) and is_custodian,
        expected=expected(own, utc_now()) if own is not None else None,
        is_file=is_held and line.kind == EVIDENCE_KIND,
    )


def kind_of_line(line: MessageLine) -> str | Promise:
    """What a message is, in words; an answer is named as one."""
    return (_ANSWERS.get(line.kind) if line.in_reply_to else None) or word(line.kind)


def may_take_back(actor: Actor) -> bool:
    """Who may share may also take back, and so may who approves sharing."""
    return may(actor, Permission.SHARE) or may(actor, Permission.APPROVE_SHARING)


def recalls_of(origin: str, message_id: str) -> tuple[RecallView, ...]:
    """Every recall of a message, the oldest first."""
    orders = (signed.notice for signed in custody.orders_naming(origin, message_id))
    views = (custody.recall(str(getattr(order, "id", ""))) for order in orders)
    return tuple(view for view in views if view is not None)


def holder_line(view: HolderView, *, refused: str = "") -> HolderLine:
    """A holder in plain words. refused: the partner that refused the message when it came."""
    if refused == view.holder and not view.statement:
        status = Badge(_("refused it"), "grey", _("Its node refused the message when it came, and kept nothing."))
    else:
        status = status_of(view)
    return HolderLine(view, status, proof_of(view), is_direct=view.via == us())


def status_of(view: HolderView) -> Badge:
    """What became of a copy."""
    text, colour = _STATUSES[view.status]
    return Badge(str(text), colour, _why(view))


def proof_of(view: HolderView) -> Badge:
    """Whose word it is, and what of it was checked here."""
    names = {"holder": view.holder, "teller": view.told_by}
    if not view.statement:
        return Badge(_("our own record"), "grey", _("Nothing has been said about it since it was sent."))
    if not view.is_proved:
        return Badge(_("not checked"), "amber", _("%(teller)s says so; its key is not known here.") % names)
    if view.told_by == view.holder:
        return Badge(
            _("signed by %(teller)s") % names,
            "green",
            _("The signature was checked here against the keys of %(teller)s.") % names,
        )
    return Badge(
        _("signed by %(teller)s") % names,
        "blue",
        _("%(teller)s told that %(holder)s has it; the signature was checked here.") % names,
    )


def story_of(
    recalls: Sequence[RecallView], holders: Iterable[HolderView], handed: Iterable[HandOnView]
) -> tuple[Event, ...]:
    """Everything that happened to a message, the latest first."""
    handed = tuple(handed)
    told = {us(), *(each.recipient for each in handed)}
    events = [_shared(each) for each in holders if each.holder not in told]
    events += [
        Event(each.handed_at, _("Handed on to %(partner)s") % {"partner": each.recipient}, each.handed_by)
        for each in handed
    ]
    for recall in recalls:
        who = {"mode": MODES[recall.mode], "origin": recall.origin}
        events.append(Event(recall.made_at, _("%(mode)s by %(origin)s") % who, say_ground(recall.ground)))
    answered = [(each.answered_at, each) for each in holders if each.statement]
    events += [
        Event(at, f"{each.holder}: {status_of(each).text}", say_ground(each.ground))
        for at, each in answered
        if at is not None
    ]
    return tuple(sorted(events, key=lambda event: event.at)[::-1])


def put_aside_of(message_id: str) -> tuple[Event, ...]:
    """Who does not get the new message, and why not; whoever got the old one has its own line."""
    found = (each for each in successors_named(message_id) if each.state is SuccessorState.PUT_ASIDE)
    text = _("Not handed on to %(partner)s: %(reason)s")
    return tuple(
        Event(each.ended_at, text % {"partner": each.recipient, "reason": each.why}, each.ended_by)
        for each in found
        if each.ended_at is not None
    )


def say_ground(ground: str) -> str:
    """Why, in the officer's language."""
    return str(GROUNDS.get(ground) or word(ground)) if ground else ""


def us() -> str:
    """This administration."""
    return str(settings.COMITY_ADMINISTRATION)


def _why(view: HolderView) -> str:
    """The rest of the status: the ground. Dates are put beside it by the page."""
    return say_ground(view.ground) if view.status in (Status.RETAINED, Status.PURGED) else ""


def _shared(view: HolderView) -> Event:
    names = {"holder": view.holder, "via": view.via}
    text = _("%(holder)s got it from us") if view.via == us() else _("%(holder)s got it from %(via)s")
    return Event(view.since, text % names)


def _refuser(view: MessageView) -> str:
    is_refused = view.line.direction is Direction.SENT and view.line.state == "refused"
    return view.line.partner if is_refused else ""


def _own_copy(origin: str, name: str) -> HolderView | None:
    return custody.holding_of(origin, name, us())
