"""What became of an agreement in force: amended, suspended, left; and what that asks of a request. Pure.

A suspension and a leaving are between the party that declares them and the others. Prohibitions outlast a suspension:
it never opens anything. What was posted before counts as of its posting, for so long as a message may be on its way.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from comity.agreements.conditions import Condition
from comity.agreements.values import Article, SharingRequest
from comity.common import parse_instant, show_instant
from comity.trust import canonical_json

# A message that says it was posted longer ago is judged as if it had been posted so long ago.
LONGEST_WAY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Suspension:
    """By whom, of which article (empty: the whole), from when until when. last: None while it goes on."""

    by: str
    article: str
    first: datetime
    last: datetime | None = None
    reason: str = ""

    def holds(self, at: datetime) -> bool:
        """Whether it goes on at that time."""
        return self.first <= at and (self.last is None or at < self.last)


@dataclass(frozen=True, slots=True)
class Course:
    """When another version took the place of this one, what is suspended, who has left when."""

    superseded_at: datetime | None = None
    superseded_by: str = ""
    suspensions: tuple[Suspension, ...] = ()
    left: tuple[tuple[str, datetime], ...] = ()

    def form(self) -> dict[str, object]:
        """As plain JSON; what is empty is left out."""
        form: dict[str, object] = {
            "superseded_at": show_instant(self.superseded_at) if self.superseded_at else "",
            "superseded_by": self.superseded_by,
            "suspensions": [
                {
                    "by": each.by,
                    "article": each.article,
                    "first": show_instant(each.first),
                    "last": show_instant(each.last) if each.last else "",
                    "reason": each.reason,
                }
                for each in self.suspensions
            ],
            "left": [[party, show_instant(at)] for party, at in self.left],
        }
        return {name: value for name, value in form.items() if value not in ("", [])}

    @property
    def text(self) -> str:
        """As stored: empty where nothing became of it."""
        return canonical_json(form).decode() if (form := self.form()) else ""

    def ended_at(self, parties: Iterable[str], at: datetime) -> bool:
        """Whether fewer than two of the parties are left at that time."""
        gone = {party for party, when in self.left if when <= at}
        return len(set(parties) - gone) < 2


UNTOUCHED = Course()


def course_of(text: str) -> Course:
    """The course of a stored text."""
    if not text:
        return Course()
    form = cast(dict[str, Any], json.loads(text))
    return Course(
        superseded_at=parse_instant(form["superseded_at"]) if "superseded_at" in form else None,
        superseded_by=form.get("superseded_by", ""),
        suspensions=tuple(
            Suspension(
                each["by"],
                each["article"],
                parse_instant(each["first"]),
                parse_instant(each["last"]) if each["last"] else None,
                each["reason"],
            )
            for each in form.get("suspensions", [])
        ),
        left=tuple((party, parse_instant(at)) for party, at in form.get("left", [])),
    )


def course_conditions(course: Course, article: Article) -> Iterable[Condition]:
    """The conditions that an agreement's course adds to those of an article."""
    if course.superseded_at is not None:
        yield _superseded(course.superseded_at, course.superseded_by)
    if course.left:
        yield _left(dict(course.left))
    suspensions = tuple(each for each in course.suspensions if each.article in ("", article.id))
    if suspensions and article.is_permit:
        yield _suspended(suspensions)


def _posted(request: SharingRequest) -> datetime:
    """As of when it is judged: when it was posted, but no longer ago than a message may be on its way."""
    if request.posted_at is None:
        return request.at
    return max(min(request.posted_at, request.at), request.at - LONGEST_WAY)


def _superseded(when: datetime, later: str) -> Condition:
    return Condition(
        "superseded",
        lambda q: _posted(q) < when,
        lambda _: f"The agreement was amended: since {show_instant(when)} version {later[:12]} is in its place.",
    )


def _left(left: dict[str, datetime]) -> Condition:
    def gone(q: SharingRequest) -> list[str]:
        return [each for each in (q.sender, q.receiver) if each in left and _posted(q) >= left[each]]

    return Condition(
        "left",
        lambda q: not gone(q),
        lambda q: " ".join(f"{each} has left the agreement on {show_instant(left[each])}." for each in gone(q)),
    )


def _suspended(suspensions: tuple[Suspension, ...]) -> Condition:
    def ongoing(q: SharingRequest) -> list[Suspension]:
        return [each for each in suspensions if each.by in (q.sender, q.receiver) and each.holds(_posted(q))]

    def says(q: SharingRequest) -> str:
        each = ongoing(q)[0]
        what = f"article {each.article}" if each.article else "the agreement"
        return f"{each.by} has suspended {what} since {show_instant(each.first)}: {each.reason}"

    return Condition("suspended", lambda q: not ongoing(q), says)
