"""Where two computations of one deadline part: the first input, and the first day, on which they differ. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from comity.agreements.clocks.errors import ClockFormError, DeadlineDiffersError
from comity.agreements.clocks.values import Deadline, Pause, SkipReason

_MOST_DAYS = 40_000


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs first. what: a word. ours, theirs: as text. day: the first that the two do not count alike.

    party: whose calendar differs; empty where no calendar does.
    """

    what: str
    ours: str
    theirs: str
    day: date | None = None
    party: str = ""

    @property
    def text(self) -> str:
        """One sentence for people."""
        place = f", first on {self.day}" if self.day else ""
        owner = f" of {self.party}" if self.party else ""
        return (
            f"The {self.what}{owner} differs{place}: here {self.ours or 'nothing'}, there {self.theirs or 'nothing'}."
        )


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What a deadline was computed from, as far as it is told."""

    clock: str
    due_at: datetime
    digest: str
    started_at: datetime | None = None
    term: str = ""
    extension: str = ""
    paused: tuple[Pause, ...] = ()
    closed: Mapping[str, frozenset[date]] | None = None


def first_difference(ours: Deadline, theirs: Deadline) -> Difference | None:
    """The first difference between two computations; None: they are the same, as their digests say."""
    return _difference(_inputs_of(ours), _inputs_of(theirs))


def claim_of(limit: Deadline) -> dict[str, object]:
    """What a message says about a deadline, so that its receiver can compute it and find where it differs."""
    return {
        "clock": limit.clock,
        "due_at": _stamp(limit.due_at),
        "digest": limit.digest,
        "started_at": _stamp(limit.started_at),
        "term": limit.term.text,
        "extension": limit.extension.text if limit.extension else "",
        "paused": [[_stamp(each.from_at), _stamp(each.until_at) if each.until_at else ""] for each in limit.paused],
        "closed": {
            party: sorted(each.day.isoformat() for each in limit.skipped if each.party == party)
            for party in limit.parties
        },
    }


def check_claim(ours: Deadline, claim: Mapping[str, object]) -> None:
    """Check that a partner's deadline is ours. claim: of `claim_of`; `clock`, `due_at` and `digest` are enough.

    Raises: DeadlineDiffersError naming the clock, both dates and the first day that differs; ClockFormError where the
    claim cannot be read.
    """
    theirs = _inputs_from(claim)
    if theirs.digest == ours.digest and theirs.due_at == ours.due_at and theirs.clock == ours.clock:
        return
    found = _difference(_inputs_of(ours), theirs)
    raise DeadlineDiffersError(
        f"Clock {ours.clock} ends on {_spoken(ours.due_at)} by our count and on {_spoken(theirs.due_at)} by theirs",
        where=found.text if found else "the inputs that they sent do not give their digest",
        remedy="Compare the calendars and the times; days can be closed or opened in the agreement itself.",
    )


def _difference(ours: _Inputs, theirs: _Inputs) -> Difference | None:
    if ours.digest == theirs.digest and ours.due_at == theirs.due_at:
        return None
    if ours.clock != theirs.clock:
        return Difference("clock", ours.clock, theirs.clock)
    if theirs.started_at is not None and ours.started_at is not None:
        if ours.started_at != theirs.started_at:
            days = (ours.started_at.date(), theirs.started_at.date())
            return Difference("start", _spoken(ours.started_at), _spoken(theirs.started_at), min(days))
        for what, here, there in (
            ("term", ours.term, theirs.term),
            ("extension", ours.extension, theirs.extension),
        ):
            if here != there:
                return Difference(what, here, there, min(ours.due_at, theirs.due_at).date() + timedelta(days=1))
        if ours.paused != theirs.paused:
            return _pauses(ours.paused, theirs.paused)
    closed = _closed(ours, theirs) if theirs.closed is not None else None
    if closed is not None:
        return closed
    if ours.due_at != theirs.due_at:
        first = min(ours.due_at, theirs.due_at).date() + timedelta(days=1)
        return Difference("last day", _spoken(ours.due_at), _spoken(theirs.due_at), first)
    return None


def _pauses(ours: tuple[Pause, ...], theirs: tuple[Pause, ...]) -> Difference:
    only = sorted(set(ours) ^ set(theirs), key=lambda each: each.from_at)
    return Difference("pause", _spoken_pauses(ours), _spoken_pauses(theirs), only[0].from_at.date())


def _closed(ours: _Inputs, theirs: _Inputs) -> Difference | None:
    """The first day that is closed for one and not for the other, as far as both looked."""
    here, there = ours.closed or {}, theirs.closed or {}
    if here.keys() != there.keys():
        return Difference("choice of calendars", ", ".join(sorted(here)), ", ".join(sorted(there)))
    looked_until = min(ours.due_at, theirs.due_at).date()
    found = [(day, party) for party in here for day in here[party] ^ there[party] if day <= looked_until]
    if not found:
        return None
    day, party = min(found)
    words = ("closed", "open") if day in here[party] else ("open", "closed")
    return Difference("calendar", *words, day, party)


def _inputs_of(limit: Deadline) -> _Inputs:
    closed = {
        party: frozenset(each.day for each in limit.skipped if each.party == party and each.reason != SkipReason.PAUSED)
        for party in limit.parties
    }
    return _Inputs(
        clock=limit.clock,
        due_at=limit.due_at,
        digest=limit.digest,
        started_at=limit.started_at,
        term=limit.term.text,
        extension=limit.extension.text if limit.extension else "",
        paused=limit.paused,
        closed=closed,
    )


def _inputs_from(claim: Mapping[str, object]) -> _Inputs:
    try:
        closed, paused = claim.get("closed"), claim.get("paused") or ()
        return _Inputs(
            clock=_text(claim["clock"]),
            due_at=_moment(claim["due_at"]),
            digest=_text(claim["digest"]),
            started_at=_moment(claim["started_at"]) if claim.get("started_at") else None,
            term=_text(claim.get("term", "")),
            extension=_text(claim.get("extension", "")),
            paused=tuple(_pause(each) for each in _items(paused)),
            closed={party: _days(days) for party, days in closed.items()} if isinstance(closed, Mapping) else None,
        )
    except (KeyError, ValueError, TypeError) as error:
        raise ClockFormError(
            "What the partner says about the deadline cannot be read",
            where=str(error)[:120],
            remedy="Ask it to resend.",
        ) from error


def _pause(pair: object) -> Pause:
    begun, until = (_text(each) for each in _items(pair))
    return Pause(_moment(begun), _moment(until) if until else None)


def _days(listed: object) -> frozenset[date]:
    return frozenset(date.fromisoformat(_text(each)) for each in _items(listed))


def _items(listed: object) -> Iterable[object]:
    if not isinstance(listed, list | tuple) or len(listed) > _MOST_DAYS:
        raise TypeError("a list is expected")
    return listed


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is expected")
    return value


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError("a moment says no time zone")
    return moment.astimezone(UTC)


def _stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _spoken(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def _spoken_pauses(pauses: tuple[Pause, ...]) -> str:
    return "; ".join(
        f"{_spoken(each.from_at)} to {_spoken(each.until_at) if each.until_at else 'now'}" for each in pauses
    )
