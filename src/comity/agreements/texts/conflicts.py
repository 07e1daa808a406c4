"""Where agreements that cover the same data differ, each with a request that shows it. Pure.

Nothing is guessed from the words: a conflict is reported only where some request is answered by the one article in its
agreement and by the other article in the other, and that request is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations, islice

from comity.agreements.cutting import FieldSet
from comity.agreements.texts.space import PURPOSE, Box, Space
from comity.agreements.texts.standing import Placed, Standing, boxes_of
from comity.agreements.values import Agreement, Article, SharingRequest
from comity.agreements.vocabulary import PURPOSES


class Rule(StrEnum):
    """In what two articles differ."""

    PROHIBITED = "prohibited"
    WITHHELD = "withheld"
    ONWARD = "onward"
    RETENTION = "retention_days"
    USE_LIMITS = "use_limits"
    PURPOSE = "purpose"


@dataclass(frozen=True, slots=True)
class Clause:
    """An article of an agreement."""

    agreement: Agreement
    article: Article


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two articles on the same data. one lets more happen than other, or differs from it by its use limits.

    strictest: the most restrictive rule, in words of the vocabulary: what remains allowed, or what has to be kept.
    example: a request that each of the two answers in its own agreement, and that shows the difference.
    """

    rule: Rule
    one: Clause
    other: Clause
    strictest: tuple[str, ...]
    example: SharingRequest


def conflicts(agreements: Iterable[Agreement]) -> tuple[Conflict, ...]:
    """Every conflict between two articles of different agreements, in the order of the agreements.

    Raises: TooIntricateError where the articles overlap in too many ways.
    """
    by_id = {agreement.id: agreement for agreement in agreements}
    space = Space(by_id.values())
    standings = [Standing(agreement, space) for agreement in by_id.values()]
    found: list[Conflict] = []
    for one, other in combinations(standings, 2):
        found += _Pair(space, one, other).permits_and_prohibitions()
        found += _Pair(space, other, one).permits_and_prohibitions()
        found += _Pair(space, one, other).permits()
        found += _Pair(space, other, one).purposes()
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two agreements, seen from the articles of the first."""

    space: Space
    one: Standing
    other: Standing

    def permits_and_prohibitions(self) -> Iterator[Conflict]:
        """What the first permits and the second prohibits or withholds."""
        for permit in self.one.permits:
            for other in self._near(permit, (*self.other.bars, *self.other.masks)):
                found = self._withheld(permit, other) if other.article.fields else self._prohibited(permit, other)
                if found is not None:
                    yield found

    def permits(self) -> Iterator[Conflict]:
        """Where both permit: other purposes of the first, and other rules for the receiver."""
        for permit in self.one.permits:
            for other in self._near(permit, self.other.permits):
                yield from self._terms(permit, other)
        yield from self.purposes()

    def purposes(self) -> Iterator[Conflict]:
        """Purposes for which the first lets the same data be used and the second does not.

        Of the second the article is named that has the most purposes in common.
        """
        every = self.space.every.masks[PURPOSE]
        for permit in self.one.permits:
            wide = Placed(permit.article, tuple(self.space.with_steps(box, PURPOSE, every) for box in permit.boxes))
            others = sorted(self._near(wide, self.other.permits), key=lambda each: -len(_shared(permit, each)))
            found = (self._purpose(permit, other) for other in others)
            yield from islice((each for each in found if each is not None), 1)

    def _near(self, permit: Placed, others: tuple[Placed, ...]) -> Iterator[Placed]:
        wanted = {id(each) for each in others}
        seen: set[int] = set()
        for box in permit.boxes:
            for other in (*self.other.near(box), *self.other.masks_near(box)):
                if id(other) in wanted and id(other) not in seen:
                    seen.add(id(other))
                    yield other

    def _prohibited(self, permit: Placed, bar: Placed) -> Conflict | None:
        box = self._first(permit, bar)
        return self._conflict(Rule.PROHIBITED, (permit, bar), ("prohibited",), box)

    def _withheld(self, permit: Placed, mask: Placed) -> Conflict | None:
        """The fields that the permit releases, whatever its own agreement withholds, and the mask does not."""
        released, withheld = FieldSet(permit.article.fields), FieldSet(mask.article.fields)
        known = sorted({*permit.article.fields, *mask.article.fields})
        lost = [path for path in known if released.covers(path) and withheld.covers(path)]
        for path in lost:
            own = [each for each in self.one.masks if FieldSet(each.article.fields).covers(path)]
            barred = (*boxes_of(own), *boxes_of(self.other.bars))
            box = next(self._common(permit, mask, self._before(permit, barred)), None)
            if box is not None:
                return self._conflict(Rule.WITHHELD, (permit, mask), (path,), box)
        return None

    def _before(self, permit: Placed, barred: tuple[Box, ...]) -> Callable[[Box], tuple[Box, ...]]:
        return lambda box: (*self.one.before(permit, box), *barred)

    def _terms(self, permit: Placed, other: Placed) -> Iterator[Conflict]:
        one, two = permit.article, other.article
        differing = list(_differing(one, two))
        box = self._first(permit, other) if differing else None
        for rule, is_first_looser, strictest in differing if box is not None else ():
            found = self._conflict(rule, (permit, other), strictest, box)
            if found is not None:
                yield found if is_first_looser else Conflict(rule, found.other, found.one, strictest, found.example)

    def _purpose(self, permit: Placed, other: Placed) -> Conflict | None:
        shared = _shared(permit, other)
        more = frozenset(permit.article.purposes) - frozenset(shared)
        mask, every = self.space.steps_of(PURPOSE, more), self.space.every.masks[PURPOSE]
        wide = Placed(other.article, tuple(self.space.with_steps(box, PURPOSE, every) for box in other.boxes))
        only = (self.space.with_steps(box, PURPOSE, box.masks[PURPOSE] & mask) for box in permit.boxes)
        narrow = Placed(permit.article, tuple(box for box in only if box.masks[PURPOSE]))
        found = self._common(narrow, wide, lambda box: (*self.one.before(permit, box), *boxes_of(self.other.near(box))))
        return self._conflict(Rule.PURPOSE, (permit, other), shared, next(found, None))

    def _first(self, permit: Placed, other: Placed) -> Box | None:
        """Some requests that the one answers in its agreement and the other in its own."""
        found = self._common(permit, other, lambda box: (*self.one.before(permit, box), *self.other.before(other, box)))
        return next(found, None)

    def _common(self, one: Placed, other: Placed, before: Callable[[Box], tuple[Box, ...]]) -> Iterator[Box]:
        for left in one.boxes:
            for right in other.boxes:
                met = self.space.meet(left, right)
                if met is not None:
                    yield from self.space.outside(met, before(met))

    def _conflict(
        self, rule: Rule, pair: tuple[Placed, Placed], strictest: tuple[str, ...], box: Box | None
    ) -> Conflict | None:
        if box is None:
            return None
        one, other = Clause(self.one.agreement, pair[0].article), Clause(self.other.agreement, pair[1].article)
        fields = strictest if rule is Rule.WITHHELD else ()
        return Conflict(rule, one, other, strictest, self.space.example(box, fields))


def _differing(one: Article, other: Article) -> Iterator[tuple[Rule, bool, tuple[str, ...]]]:
    """The rules for the receiver that differ, whether the first is the looser, and the strictest."""
    if one.onward is not other.onward:
        looser = one.onward.looseness > other.onward.looseness
        yield Rule.ONWARD, looser, ((other if looser else one).onward.value,)
    if one.retention_days != other.retention_days:
        looser = (one.retention_days or _FOREVER) > (other.retention_days or _FOREVER)
        yield Rule.RETENTION, looser, (str((other if looser else one).retention_days),)
    limits, more = set(one.use_limits), set(other.use_limits)
    if limits != more:
        yield Rule.USE_LIMITS, not more <= limits, tuple(sorted(limits | more))


def _shared(one: Placed, other: Placed) -> tuple[str, ...]:
    """The purposes that two permits have in common."""
    return tuple(each for each in PURPOSES if each in {*one.article.purposes} & {*other.article.purposes})


_FOREVER = 1_000_000
