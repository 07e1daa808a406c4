"""The life of an agreement: moves of its parties, and what they amount to. Pure.

What they amount to depends on the set of moves alone, never on the order in which they arrived: every node that holds
the same moves says the same. Signatures are facts: a version that all have signed is in force, whatever was refused or
taken back in the meantime (an acceptance that is on its way wins, as in CISG Art. 16). A suspension and a leaving touch
the routes of the party that declares them (VCLT Art. 60), from an instant that the move itself names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from comity.agreements.course import UNTOUCHED, Course, Suspension
from comity.agreements.values import Agreement
from comity.common import show_instant
from comity.trust import canonical_json, sha256_hex

FORM = "comity-agreement-move/1"
MOVE_TYPE = "application/vnd.comity.agreement-move.v1+json"


class MoveKind(StrEnum):
    """What a party may do. Of moves with one number the first of these comes first."""

    LEAVE = "leave"
    SUSPEND = "suspend"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    RESTORE = "restore"
    PROPOSE = "propose"
    COUNTER_PROPOSE = "counter_propose"
    ACCEDE = "accede"
    SIGN = "sign"


# Moves that carry the document and the mover's signature over it.
SIGNING = frozenset({MoveKind.PROPOSE, MoveKind.COUNTER_PROPOSE, MoveKind.ACCEDE, MoveKind.SIGN})
_PRECEDENCE = {kind: place for place, kind in enumerate(MoveKind)}


class Stage(StrEnum):
    """How far a version has got by the moves of its parties."""

    UNKNOWN = "unknown"
    PROPOSED = "proposed"
    COUNTERED = "counter_proposed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    SIGNED = "signed"
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Move:
    """One move of one party.

    number: one more than the largest that it had seen. after: digests of what it had seen last. predecessor: the
    version that a proposal answers or amends. document: canonical text of what is signed. signatures: over the
    document, (keyid, base64). effective_at: from when; None: from the making of the move.
    """

    kind: MoveKind
    by: str
    agreement_id: str
    number: int
    at: datetime
    after: tuple[str, ...] = ()
    predecessor: str = ""
    document: str = ""
    signatures: tuple[tuple[str, str], ...] = ()
    articles: tuple[str, ...] = ()
    reason: str = ""
    effective_at: datetime | None = None

    def form(self) -> dict[str, object]:
        """The members that are signed and sent; what is empty is left out."""
        form: dict[str, object] = {
            "form": FORM,
            "move": self.kind.value,
            "by": self.by,
            "agreement_id": self.agreement_id,
            "number": self.number,
            "at": show_instant(self.at),
            "after": sorted(self.after),
            "predecessor": self.predecessor,
            "document": self.document,
            "signatures": [{"keyid": keyid, "sig": sig} for keyid, sig in self.signatures],
            "articles": sorted(self.articles),
            "reason": self.reason,
            "effective_at": show_instant(self.effective_at) if self.effective_at else "",
        }
        return {name: value for name, value in form.items() if value not in ("", [])}

    def to_bytes(self) -> bytes:
        """What the mover signs."""
        return canonical_json(self.form())

    @property
    def digest(self) -> str:
        """SHA-256 of what is signed: the move's name."""
        return sha256_hex(self.to_bytes())

    @property
    def takes_effect_at(self) -> datetime:
        """From when it counts: never before it was made."""
        return max(self.at, self.effective_at or self.at)


@dataclass(frozen=True, slots=True)
class Life:
    """What the moves about one version amount to. agreement: None where no move with its text has come.

    needed: whose signatures bring it into force. signed: (party, when). refused: (party, reason). in_force_at: None
    until all that are needed have signed. history: every move that counts, in the order that all nodes give them.
    """

    agreement_id: str
    agreement: Agreement | None
    needed: tuple[str, ...]
    signed: tuple[tuple[str, datetime], ...]
    refused: tuple[tuple[str, str], ...]
    is_withdrawn: bool
    countered_by: tuple[str, ...]
    in_force_at: datetime | None
    course: Course
    history: tuple[Move, ...]

    @property
    def signed_by(self) -> tuple[str, ...]:
        """The parties that have signed."""
        return tuple(party for party, _ in self.signed)

    @property
    def fold(self) -> str:
        """SHA-256 of all that follows from the moves: two nodes that agree have the same."""
        form: dict[str, object] = {
            "agreement_id": self.agreement_id,
            "signed": [[party, show_instant(at)] for party, at in self.signed],
            "refused": [list(each) for each in self.refused],
            "withdrawn": self.is_withdrawn,
            "countered_by": list(self.countered_by),
            "in_force_at": show_instant(self.in_force_at) if self.in_force_at else "",
            "course": self.course.form(),
        }
        return sha256_hex(canonical_json(form))

    def stage(self, at: datetime) -> Stage:
        """How far it has got at that time."""
        if self.agreement is None:
            return Stage.UNKNOWN
        if self.course.ended_at(self.agreement.parties, at):
            return Stage.ENDED
        if self.course.superseded_at is not None and at >= self.course.superseded_at:
            return Stage.SUPERSEDED
        if self.in_force_at is not None and at < self.in_force_at:
            return Stage.SIGNED
        if any(each.holds(at) and not each.article for each in self.course.suspensions):
            return Stage.SUSPENDED
        if self.in_force_at is not None:
            return Stage.IN_FORCE
        if self.refused:
            return Stage.REFUSED
        if self.is_withdrawn:
            return Stage.WITHDRAWN
        return Stage.COUNTERED if self.countered_by else Stage.PROPOSED


def fold(moves: Iterable[Move], known: Mapping[str, Agreement]) -> dict[str, Life]:
    """What these moves amount to, by agreement. known: the agreements of which they speak, as far as they are here."""
    by_digest = {move.digest: move for move in moves}
    ordered = sorted(by_digest.items(), key=lambda item: (item[1].number, _PRECEDENCE[item[1].kind], item[0]))
    groups: dict[str, list[Move]] = {}
    for _, move in ordered:
        agreement = known.get(move.agreement_id)
        if agreement is None or move.by in agreement.parties:
            groups.setdefault(move.agreement_id, []).append(move)
    every = [move for _, move in ordered]
    alone = {each: _alone(each, groups[each], every, known) for each in groups}
    amended = {each.agreement.supersedes for each in alone.values() if each.agreement} & known.keys() - alone.keys()
    silent = [_in_line(_silent(known[each]), alone) for each in sorted(amended)]
    return {each: _in_line(life, alone) for each, life in alone.items()} | {
        life.agreement_id: life for life in silent if life.course.superseded_at is not None
    }


def accession_of(former: Agreement, later: Agreement) -> str:
    """The newcomer, where the later version is the former with one more party and nothing else; else empty.

    The newcomer may stand wherever all the former parties stand, have reservations and a calendar of its own.
    """
    added = sorted(set(later.parties) - set(former.parties))
    if not former.depositary or later.supersedes != former.id or len(added) != 1:
        return ""
    newcomer = added[0]
    return newcomer if _without(later, newcomer, former) == former else ""


def _without(later: Agreement, newcomer: str, former: Agreement) -> Agreement:
    """The later version without the newcomer: the former one, if nothing else differs."""

    def fewer(codes: tuple[str, ...]) -> tuple[str, ...]:
        """The former parties where all stand, the newcomer with them; else what is written."""
        return former.parties if set(codes) == set(later.parties) else codes

    return replace(
        later,
        parties=tuple(each for each in later.parties if each != newcomer),
        version=former.version,
        supersedes=former.supersedes,
        articles=tuple(
            replace(each, senders=fewer(each.senders), receivers=fewer(each.receivers)) for each in later.articles
        ),
        reservations=tuple(each for each in later.reservations if each.party != newcomer),
        obligations=tuple(
            replace(each, owed_by=fewer(each.owed_by), owed_to=fewer(each.owed_to)) for each in later.obligations
        ),
        calendars=tuple(each for each in later.calendars if each[0] != newcomer),
    )


def _alone(agreement_id: str, moves: list[Move], every: list[Move], known: Mapping[str, Agreement]) -> Life:
    """A version by its own moves; what later versions do to it is not yet in it."""
    agreement = known.get(agreement_id)
    signed: dict[str, datetime] = {}
    for move in moves:
        if move.kind in SIGNING:
            signed.setdefault(move.by, move.takes_effect_at)
    needed = _needed(agreement, known) if agreement else ()
    is_complete = bool(needed) and set(needed) <= set(signed)
    refused = {move.by: move.reason for move in moves if move.kind is MoveKind.REFUSE and move.by not in signed}
    return Life(
        agreement_id=agreement_id,
        agreement=agreement,
        needed=needed,
        signed=tuple(sorted(signed.items())),
        refused=tuple(sorted(refused.items())),
        is_withdrawn=any(move.kind is MoveKind.WITHDRAW for move in moves) and not is_complete,
        countered_by=tuple(
            sorted(
                {
                    move.agreement_id
                    for move in every
                    if move.kind is MoveKind.COUNTER_PROPOSE and move.predecessor == agreement_id
                }
            )
        ),
        in_force_at=max(agreement.in_force.opens_at, *(signed[party] for party in needed))
        if agreement and is_complete
        else None,
        course=Course(suspensions=_suspensions(moves), left=_left(moves)),
        history=tuple(moves),
    )


def _silent(agreement: Agreement) -> Life:
    """A version that was adopted from a file: no move speaks of it but those of the version that takes its place."""
    return Life(
        agreement_id=agreement.id,
        agreement=agreement,
        needed=(),
        signed=(),
        refused=(),
        is_withdrawn=False,
        countered_by=(),
        in_force_at=agreement.in_force.opens_at,
        course=UNTOUCHED,
        history=(),
    )


def _needed(agreement: Agreement, known: Mapping[str, Agreement]) -> tuple[str, ...]:
    """Whose signatures bring it into force. Of an accession the depositary's, which vouches for the newcomer's."""
    former = known.get(agreement.supersedes)
    if former is not None and accession_of(former, agreement):
        return (former.depositary,)
    return tuple(sorted(agreement.parties))


def _suspensions(moves: list[Move]) -> tuple[Suspension, ...]:
    """Each party's own, in the order of its moves; a restoration ends what it names, or all."""
    found: list[Suspension] = []
    for move in moves:
        when = move.takes_effect_at
        if move.kind is MoveKind.SUSPEND:
            opened = {each.article for each in found if each.by == move.by and each.last is None}
            names = [name for name in (move.articles or ("",)) if name not in opened]
            found += [Suspension(move.by, name, when, reason=move.reason) for name in names]
        elif move.kind is MoveKind.RESTORE:
            found = [
                replace(each, last=max(each.first, when))
                if each.by == move.by and each.last is None and (not move.articles or each.article in move.articles)
                else each
                for each in found
            ]
    return tuple(sorted(found, key=lambda each: (each.by, each.article, each.first)))


def _left(moves: list[Move]) -> tuple[tuple[str, datetime], ...]:
    """Who leaves from when; the earliest day that a party has named."""
    left: dict[str, datetime] = {}
    for move in moves:
        if move.kind is MoveKind.LEAVE:
            left[move.by] = min(left.get(move.by, move.takes_effect_at), move.takes_effect_at)
    return tuple(sorted(left.items()))


def _in_line(life: Life, alone: Mapping[str, Life]) -> Life:
    """The version with what later versions do to it."""
    later = _superseding(life, alone)
    if later is None or later.in_force_at is None:
        return life
    course = replace(life.course, superseded_at=later.in_force_at, superseded_by=later.agreement_id)
    return replace(life, course=course)


def _superseding(life: Life, alone: Mapping[str, Life]) -> Life | None:
    """The version that takes its place: the first that amends it, else the next that amends what it amends itself.

    A version amends only where every party that has not left is a party of it: among some of the parties alone the
    former goes on (VCLT Art. 41).
    """
    amending = [each for each in alone.values() if each.agreement and each.agreement.supersedes == life.agreement_id]
    candidates = [each for each in amending if _is_for_all(life, each)]
    if not candidates and life.agreement and life.agreement.supersedes and life.in_force_at is not None:
        rivals = [
            each
            for each in alone.values()
            if each.agreement and each.agreement.supersedes == life.agreement.supersedes and _is_for_all(life, each)
        ]
        candidates = [each for each in rivals if _rank(each) > _rank(life)]
    return min(candidates, key=_rank, default=None)


def _rank(life: Life) -> tuple[datetime, str]:
    return (life.in_force_at or datetime.max.replace(tzinfo=UTC), life.agreement_id)


def _is_for_all(former: Life, later: Life) -> bool:
    if later.in_force_at is None or later.agreement is None or later.agreement_id == former.agreement_id:
        return False
    if former.agreement is None:
        return True
    gone = {party for party, at in former.course.left if at <= later.in_force_at}
    return set(former.agreement.parties) - gone <= set(later.agreement.parties)
