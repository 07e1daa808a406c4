"""The articles of one agreement in the order in which they answer, as boxes. Pure.

The order is the engine's: prohibitions first; then of the permits the strictest onward rule, the fewest fields, the
lowest id. So a request belongs to the first article whose box holds it, less the boxes of those before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, takewhile

from comity.agreements.cutting import FieldSet
from comity.agreements.texts.space import PURPOSE, Box, Space, bits
from comity.agreements.values import Agreement, Article

_INDEXED = PURPOSE + 1


@dataclass(frozen=True, slots=True)
class Placed:
    """An article and the requests to which it applies."""

    article: Article
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes of a request. article: what answers; None: nothing permits. never: what prohibitions withhold."""

    article: Article | None = None
    never: tuple[str, ...] = ()

    @property
    def is_permitted(self) -> bool:
        """Whether the sharing is permitted."""
        return self.article is not None and self.article.is_permit

    @property
    def article_id(self) -> str:
        """The id of the article that answers; empty where none does."""
        return "" if self.article is None else self.article.id

    @property
    def released(self) -> FieldSet:
        """The fields that are released."""
        fields = self.article.fields if self.article is not None and self.article.is_permit else ()
        return FieldSet(fields, self.never)


class Index:
    """Articles by the steps of their boxes, so that only those are asked that may have something in common."""

    __slots__ = ("_by_step", "_placed")

    def __init__(self, space: Space, placed: Sequence[Placed]) -> None:
        self._placed = tuple(placed)
        self._by_step = tuple([0] * len(axis.steps) for axis in space.axes[:_INDEXED])
        for number, each in enumerate(self._placed):
            for box in each.boxes:
                for steps, mask in zip(self._by_step, box.masks, strict=False):
                    for step in bits(mask):
                        steps[step] |= 1 << number

    def near(self, box: Box) -> Iterator[Placed]:
        """The articles that have a sender, a receiver, a kind and a purpose in common with the box, in their order."""
        found = -1
        for steps, mask in zip(self._by_step, box.masks, strict=False):
            here = 0
            for step in bits(mask):
                here |= steps[step]
            found &= here
        return (self._placed[number] for number in bits(found))


class Standing:
    """An agreement on a space. bars prohibit the whole, masks withhold fields, permits stand in their order."""

    __slots__ = ("_masks", "_order", "agreement", "bars", "masks", "permits", "space")

    def __init__(self, agreement: Agreement, space: Space) -> None:
        self.agreement = agreement
        self.space = space
        placed = [Placed(each, space.boxes(agreement, each)) for each in sorted(agreement.binding_articles, key=rank)]
        self.bars = tuple(each for each in placed if not each.article.is_permit and not each.article.fields)
        self.masks = tuple(each for each in placed if not each.article.is_permit and each.article.fields)
        self.permits = tuple(each for each in placed if each.article.is_permit)
        self._order = Index(space, (*self.bars, *self.permits))
        self._masks = Index(space, self.masks)

    def near(self, box: Box) -> Iterator[Placed]:
        """The prohibitions of the whole and the permits that may apply to some of the box, in their order."""
        return self._order.near(box)

    def masks_near(self, box: Box) -> Iterator[Placed]:
        """The prohibitions of fields that may apply to some of the box."""
        return self._masks.near(box)

    def before(self, placed: Placed, box: Box) -> tuple[Box, ...]:
        """The boxes of the articles that answer before this one and may apply to some of the box."""
        return tuple(boxes_of(takewhile(lambda each: each is not placed, self.near(box))))

    def where_it_answers(self, placed: Placed) -> Iterator[Box]:
        """The requests that this article answers, where no permit is named."""
        return chain.from_iterable(self.space.outside(box, self.before(placed, box)) for box in placed.boxes)

    def split(self, box: Box) -> Iterator[tuple[Box, Outcome]]:
        """The box in disjoint parts, each with what comes of its requests."""
        rest: tuple[Box, ...] = (box,)
        for placed in self.near(box):
            met = [part for each in rest for own in placed.boxes if (part := self.space.meet(each, own)) is not None]
            if not met:
                continue
            rest = tuple(chain.from_iterable(self.space.outside(each, placed.boxes) for each in rest))
            if placed.article.is_permit:
                yield from chain.from_iterable(self._masked(each, placed.article) for each in met)
            else:
                yield from ((each, Outcome(placed.article)) for each in met)
        yield from ((each, Outcome()) for each in rest)

    def _masked(self, box: Box, article: Article) -> Iterator[tuple[Box, Outcome]]:
        """The part of a permit, told apart by the prohibitions that withhold fields from it."""
        parts: list[tuple[Box, tuple[str, ...]]] = [(box, ())]
        for mask in self.masks_near(box):
            split: list[tuple[Box, tuple[str, ...]]] = []
            for part, never in parts:
                met = (self.space.meet(part, own) for own in mask.boxes)
                split += [(each, (*never, *mask.article.fields)) for each in met if each is not None]
                split += [(each, never) for each in self.space.outside(part, mask.boxes)]
            parts = split
        yield from ((part, Outcome(article, tuple(sorted(set(never))))) for part, never in parts)


def rank(article: Article) -> tuple[int, int, str]:
    """The order in which articles of one agreement answer."""
    return article.onward.looseness, len(article.fields), article.id


def boxes_of(placed: Iterable[Placed]) -> Iterator[Box]:
    """The boxes of several articles."""
    return chain.from_iterable(each.boxes for each in placed)
