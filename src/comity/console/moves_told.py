"""The life of an agreement as a dated list, and what each party holds of it, in words for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from comity.agreements.life import SIGNING, Life, Move, MoveKind, Stage
from comity.agreements.moving import HeldStanding, PartnerStanding
from comity.agreements.selectors import StoredAgreement
from comity.console.templatetags.comity import day

_DONE: Mapping[MoveKind, str | Promise] = {
    MoveKind.PROPOSE: _("%(party)s proposed this version and signed it"),
    MoveKind.COUNTER_PROPOSE: _("%(party)s answered another version with this one and signed it"),
    MoveKind.ACCEDE: _("%(party)s acceded and signed this version"),
    MoveKind.SIGN: _("%(party)s accepted it and signed it"),
    MoveKind.REFUSE: _("%(party)s refused it"),
    MoveKind.WITHDRAW: _("%(party)s took the proposal back"),
    MoveKind.SUSPEND: _("%(party)s suspended it"),
    MoveKind.RESTORE: _("%(party)s ended its suspension"),
    MoveKind.LEAVE: _("%(party)s left it"),
}
STAGES: Mapping[str, str | Promise] = {
    Stage.UNKNOWN: _("unknown there"),
    Stage.PROPOSED: _("proposed"),
    Stage.COUNTERED: _("counter-proposed"),
    Stage.REFUSED: _("refused"),
    Stage.WITHDRAWN: _("taken back"),
    Stage.SIGNED: _("signed, not yet in force"),
    Stage.IN_FORCE: _("in force"),
    Stage.SUSPENDED: _("suspended"),
    Stage.SUPERSEDED: _("superseded"),
    Stage.ENDED: _("ended"),
    "draft": _("draft"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the life of an agreement. is_signed: a signature over the text came with it."""

    at: datetime
    text: str
    reason: str = ""
    is_signed: bool = False
    answers: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What one party has signed and holds. is_same: None where it has told nothing. differences: where it differs."""

    party: str
    signed_at: datetime | None
    has_signed: bool
    is_us: bool
    is_partner: bool
    is_same: bool | None = None
    told_at: datetime | None = None
    differences: tuple[str, ...] = ()


def life_told(stored: StoredAgreement, life: Life | None) -> tuple[Told, ...]:
    """Everything that happened to it, the earliest first."""
    told = [_told(move) for move in life.history] if life else []
    if not told and stored.signed_by:
        text = gettext("Signatures of %(parties)s came in files") % {"parties": ", ".join(stored.signed_by)}
        told.append(Told(stored.imported_at, text, is_signed=True))
    begun = life.in_force_at if life else None
    if begun is None and stored.adopted_at is not None:
        begun = max(stored.adopted_at, stored.agreement.in_force.opens_at)
    if begun is not None:
        told.append(Told(begun, gettext("All had signed: in force")))
    if life and life.course.superseded_at is not None:
        later = life.course.superseded_by
        told.append(Told(life.course.superseded_at, gettext("A later version took its place"), answers=later))
    return tuple(sorted(told, key=lambda each: each.at))


def holdings(
    stored: StoredAgreement, life: Life | None, standings: Iterable[PartnerStanding], ours: str
) -> tuple[Held, ...]:
    """What each party holds, ourselves first."""
    told, signed = {each.partner: each for each in standings}, dict(life.signed) if life else {}
    parties = sorted(stored.agreement.parties, key=lambda party: (party != ours, party))
    return tuple(_held(party, stored, signed.get(party), told.get(party), ours) for party in parties)


def _held(
    party: str, stored: StoredAgreement, signed_at: datetime | None, told: PartnerStanding | None, ours: str
) -> Held:
    has_signed = party in stored.signed_by or signed_at is not None
    if told is None or told.theirs is None:
        return Held(party, signed_at, has_signed, is_us=party == ours, is_partner=told is not None)
    differences = () if told.is_same else tuple(_differences(told.ours, told.theirs))
    return Held(
        party,
        signed_at,
        has_signed,
        is_us=False,
        is_partner=True,
        is_same=told.is_same,
        told_at=told.told_at,
        differences=differences,
    )


def _differences(ours: HeldStanding, theirs: HeldStanding) -> Iterator[str]:
    if theirs.stage != ours.stage:
        parts = {"theirs": _stage(theirs.stage), "ours": _stage(ours.stage)}
        yield gettext("There it is “%(theirs)s”; here it is “%(ours)s”.") % parts
    if theirs.version != ours.version:
        parts = {"theirs": _version(theirs.version), "ours": _version(ours.version)}
        yield gettext("In force there: %(theirs)s; here: %(ours)s.") % parts
    if lacking := sorted(set(ours.signed_by) - set(theirs.signed_by)):
        yield gettext("It has not seen the signature of %(parties)s.") % {"parties": ", ".join(lacking)}
    if more := sorted(set(theirs.signed_by) - set(ours.signed_by)):
        yield gettext("It has the signature of %(parties)s, which we have not seen.") % {"parties": ", ".join(more)}
    if unseen := len(set(ours.moves) - set(theirs.moves)):
        yield ngettext(
            "%(n)d move that we know has not reached it.", "%(n)d moves that we know have not reached it.", unseen
        ) % {"n": unseen}
    if unknown := len(set(theirs.moves) - set(ours.moves)):
        yield ngettext(
            "%(n)d move that it knows has not reached us.", "%(n)d moves that it knows have not reached us.", unknown
        ) % {"n": unknown}


def _stage(word: str) -> str:
    return str(STAGES.get(word, word))


def _version(version: str) -> str:
    return version[:12] if version else gettext("no version")


def _told(move: Move) -> Told:
    text = str(_DONE[move.kind]) % {"party": move.by}
    if move.articles:
        text = gettext("%(deed)s: article %(articles)s") % {"deed": text, "articles": ", ".join(move.articles)}
    later = move.effective_at if move.effective_at and move.effective_at > move.at else None
    if later:
        text = gettext("%(deed)s, from %(day)s on") % {"deed": text, "day": day(later.date())}
    return Told(
        at=move.at,
        text=text,
        reason=move.reason,
        is_signed=move.kind in SIGNING,
        answers=move.predecessor if move.kind is MoveKind.COUNTER_PROPOSE else "",
    )
