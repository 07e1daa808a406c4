"""What an engine remembers of its answers: within bounds, and for a part of one day alone. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable
from datetime import datetime
from typing import Generic, TypeVar

from comity.agreements.compiling import Permit
from comity.agreements.conditions import READS, largest_size
from comity.agreements.explaining import Explanation
from comity.agreements.rules import Rule
from comity.agreements.values import Decision, SharingRequest

MOST_REMEMBERED = 16_384
MOST_TEXT = 4_096

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# What has its own place in what is said, or is the same throughout a memory: the days.
_PLACED = (
    "sender",
    "receiver",
    "kind",
    "purpose",
    "handling",
    "goods",
    "category",
    "onward",
    "size",
    "in_force",
    "valid",
)


class Asked:
    """What some of these rules ask for. Requests that are alike in it have the same verdict at the same time."""

    __slots__ = ("_sizes", "category", "goods", "others")

    def __init__(self, rules: Iterable[Rule]) -> None:
        every = tuple(rules)
        codes = {condition.code for rule in every for condition in rule.conditions}
        self.goods = "goods" in codes
        self.category = "category" in codes
        self.others = tuple(READS[code] for code in sorted(codes) if code in READS and code not in _PLACED)
        self._sizes = sorted({size for rule in every if (size := largest_size(rule.article)) is not None})

    def of(self, q: SharingRequest, agreement_id: str, article_id: str) -> Hashable:
        """What the question says of it. What is seldom asked for, or seldom said, stands apart."""
        usual = (
            q.sender,
            q.receiver,
            q.kind,
            q.purpose,
            q.handling,
            q.fields,
            q.hs_codes if self.goods else None,
            q.attributes.get("category", "") if self.category else None,
        )
        if not (agreement_id or q.onward_from is not None or q.size_bytes is not None or self.others):
            return usual
        # Of a size it counts which of the largest sizes it exceeds.
        size = None if q.size_bytes is None else bisect_left(self._sizes, q.size_bytes)
        name = (agreement_id, article_id) if agreement_id else None
        return (usual, name, q.onward_from, q.owner_consents, size, *[read(q) for read in self.others])


class Recent(Generic[K, V]):
    """What was used lately, by key: at least the last so many things, at most twice as many.

    latest is read without a call; what is not there may still be had by `again`.
    """

    __slots__ = ("_former", "_most", "latest")

    def __init__(self, most: int) -> None:
        self._most = most
        self._former: dict[K, V] = {}
        self.latest: dict[K, V] = {}

    def again(self, key: K) -> V | None:
        """What is remembered under this key; what was about to be forgotten no longer is."""
        found = self.latest.get(key)
        if found is None and (found := self._former.get(key)) is not None:
            self.keep(key, found)
        return found

    def keep(self, key: K, value: V) -> None:
        """Remember it; when there is no room, what was not used since the last time is forgotten."""
        if len(self.latest) >= self._most:
            self._former, self.latest = self.latest, {}
        self.latest[key] = value


class Memory:
    """What was learned of a time, from `since` to before `until`, in which no rule comes into force or ends.

    found: verdicts by what was said. explained: their explanations. permits: by the rule and what veils it. answers: by
    permit and fields. Of each there are at most 2 * MOST_REMEMBERED, and of questions of more than MOST_TEXT characters
    none. A time is a part of one day in UTC.
    """

    __slots__ = ("_parts", "answers", "explained", "found", "permits", "since", "until")

    def __init__(self, since: datetime, until: datetime) -> None:
        self.since = since
        self.until = until
        self.found: Recent[Hashable, Decision] = Recent(MOST_REMEMBERED)
        self.explained: Recent[Hashable, Explanation] = Recent(MOST_REMEMBERED)
        self.permits: Recent[tuple[Rule, ...], Permit] = Recent(MOST_REMEMBERED)
        self.answers: Recent[tuple[Permit, frozenset[str]], Decision] = Recent(MOST_REMEMBERED)
        self._parts: Recent[Hashable, Hashable] = Recent(MOST_REMEMBERED)

    def same(self, said: Hashable) -> Hashable:
        """An equal key, made of the parts that earlier questions brought along.

        Looking up a key reads those of its parts that are not the same objects: the few usual ones are at hand in the
        cache of the processor, ten thousand of their equals are not.
        """
        if isinstance(said, tuple):
            return tuple([self._same_part(each) for each in said])
        return said

    def _same_part(self, part: Hashable) -> Hashable:
        known = self._parts.again(part)
        if known is None:
            known = self.same(part)
            self._parts.keep(known, known)
        return known


def is_short(request: SharingRequest) -> bool:
    """Whether it may be remembered: nobody fills the memory by long words."""
    words = (request.sender, request.receiver, request.kind, request.purpose, request.origin, request.onward_from or "")
    spoken = (*words, *request.hs_codes, *request.fields, *request.attributes.values())
    return sum(map(len, spoken)) <= MOST_TEXT
