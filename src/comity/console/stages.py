"""How far an agreement has got, in words for people, and what is ours to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from comity.agreements.course import UNTOUCHED, Course, Suspension
from comity.agreements.life import Life, MoveKind, Stage
from comity.agreements.selectors import AgreementState, StoredAgreement
from comity.console.holders import Badge
from comity.console.templatetags.comity import day


class Group(StrEnum):
    """Under which heading of the list an agreement stands."""

    OURS = "ours"
    IN_FORCE = "in_force"
    OTHERS = "others"
    OVER = "over"


GROUPS: Mapping[Group, str | Promise] = {
    Group.OURS: _("Waits for us"),
    Group.IN_FORCE: _("In force"),
    Group.OTHERS: _("On the way"),
    Group.OVER: _("No longer in force"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an agreement has got. notes: what else an officer must know. deeds: the moves that are ours to make."""

    badge: Badge
    group: Group
    notes: tuple[str, ...] = ()
    deeds: tuple[MoveKind, ...] = ()
    later: str = ""

    @property
    def waits_for_us(self) -> bool:
        """Whether the others wait for a deed of ours."""
        return self.group is Group.OURS


def standing_of(stored: StoredAgreement, life: Life | None, *, ours: str, at: datetime) -> Standing:
    """How far it has got at that time, as this administration sees it."""
    last = stored.agreement.in_force.last
    if stored.state is AgreementState.EXPIRED:
        note = gettext("Its last day was %(day)s.") % {"day": day(last)}
        return Standing(Badge(_("expired"), "red"), Group.OVER, (note,))
    if stored.adopted_at is None:
        return _before(stored, life, ours, at)
    return _after(stored, life, ours, at)


def _before(stored: StoredAgreement, life: Life | None, ours: str, at: datetime) -> Standing:
    """Not all have signed yet."""
    is_party = ours in stored.agreement.parties
    if life is None:
        drafted = (MoveKind.PROPOSE,) if is_party else ()
        return Standing(Badge(_("draft"), "grey"), Group.OTHERS, (gettext("Nobody has proposed it yet."),), drafted)
    notes = tuple(_notes_before(life))
    if life.stage(at) is Stage.WITHDRAWN:
        return Standing(Badge(_("taken back"), "grey"), Group.OVER, notes)
    missing = [party for party in life.needed if party not in life.signed_by]
    refused = dict(life.refused)
    deeds = tuple(_deeds_before(life, ours, is_ours=ours in missing))
    if ours in missing and ours not in refused:
        return Standing(Badge(_("waits for our signature"), "amber"), Group.OURS, notes, deeds)
    if ours in refused:
        return Standing(Badge(_("refused by us"), "red"), Group.OTHERS, notes, deeds)
    if refused:
        text = gettext("refused by %(parties)s") % {"parties": ", ".join(refused)}
        return Standing(Badge(text, "red"), Group.OTHERS, notes, deeds)
    word = _("counter-proposed") if life.countered_by else _("proposed")
    waits = gettext("It waits for the signature of %(parties)s.") % {"parties": ", ".join(missing)}
    return Standing(Badge(word, "blue"), Group.OTHERS, (*notes, waits), deeds)


def _notes_before(life: Life) -> Iterator[str]:
    for move in life.history:
        if move.kind in (MoveKind.PROPOSE, MoveKind.COUNTER_PROPOSE, MoveKind.ACCEDE):
            yield gettext("Proposed by %(party)s on %(day)s.") % {"party": move.by, "day": day(move.at.date())}
            break
    for party, reason in life.refused:
        yield gettext("%(party)s refused it: %(reason)s") % {"party": party, "reason": reason}
    if life.countered_by:
        yield gettext("It was answered with another version.")


def _deeds_before(life: Life, ours: str, *, is_ours: bool) -> Iterator[MoveKind]:
    if is_ours:
        yield MoveKind.SIGN
    if ours in (life.agreement.parties if life.agreement else ()):
        yield MoveKind.COUNTER_PROPOSE
    if is_ours and ours not in dict(life.refused):
        yield MoveKind.REFUSE
    proposing = (MoveKind.PROPOSE, MoveKind.COUNTER_PROPOSE, MoveKind.ACCEDE)
    if any(move.by == ours and move.kind in proposing for move in life.history):
        yield MoveKind.WITHDRAW


def _after(stored: StoredAgreement, life: Life | None, ours: str, at: datetime) -> Standing:
    """All have signed; what became of it since."""
    course = life.course if life else UNTOUCHED
    left = dict(course.left)
    notes = tuple(_notes_after(course, at))
    if ours in left and left[ours] <= at:
        return Standing(Badge(_("left by us"), "red"), Group.OVER, notes)
    if stored.state is AgreementState.ENDED:
        return Standing(Badge(_("ended"), "red"), Group.OVER, notes)
    if stored.state is AgreementState.SUPERSEDED:
        return Standing(Badge(_("superseded"), "grey"), Group.OVER, notes, later=course.superseded_by)
    if ours not in stored.agreement.parties:
        return Standing(Badge(_("in force among others"), "grey"), Group.IN_FORCE, notes)
    deeds = tuple(_deeds_after(course, ours))
    begins = max(stored.agreement.in_force.opens_at, life.in_force_at if life and life.in_force_at else at)
    if begins > at:
        note = gettext("It begins on %(day)s.") % {"day": day(begins.date())}
        return Standing(Badge(_("signed, not yet in force"), "blue"), Group.IN_FORCE, (note, *notes), deeds)
    whole = sorted({each.by for each in course.suspensions if each.holds(at) and not each.article})
    if whole:
        text = gettext("suspended by %(parties)s") % {"parties": ", ".join(whole)}
        return Standing(Badge(text, "red"), Group.IN_FORCE, notes, deeds)
    return Standing(Badge(_("in force"), "green"), Group.IN_FORCE, notes, deeds)


def _notes_after(course: Course, at: datetime) -> Iterator[str]:
    for each in course.suspensions:
        if each.last is None or each.last > at:
            yield _suspension(each, at)
    for party, when in course.left:
        words = _("%(party)s left it on %(day)s.") if when <= at else _("%(party)s leaves it on %(day)s.")
        yield words % {"party": party, "day": day(when.date())}
    if course.superseded_at is not None:
        is_so = course.superseded_at <= at
        words = _("Another version took its place on %(day)s.") if is_so else _("Another version comes on %(day)s.")
        yield words % {"day": day(course.superseded_at.date())}


def _suspension(each: Suspension, at: datetime) -> str:
    parts = {"party": each.by, "day": day(each.first.date()), "article": each.article, "reason": each.reason}
    if each.first > at:
        words = _("%(party)s suspends it from %(day)s on: %(reason)s")
        part = _("%(party)s suspends article %(article)s from %(day)s on: %(reason)s")
    else:
        words = _("Suspended by %(party)s since %(day)s: %(reason)s")
        part = _("Article %(article)s is suspended by %(party)s since %(day)s: %(reason)s")
    return (part if each.article else words) % parts


def _deeds_after(course: Course, ours: str) -> Iterator[MoveKind]:
    own = [each for each in course.suspensions if each.by == ours and each.last is None]
    if own:
        yield MoveKind.RESTORE
    if not any(not each.article for each in own):
        yield MoveKind.SUSPEND
    if ours not in dict(course.left):
        yield MoveKind.LEAVE
