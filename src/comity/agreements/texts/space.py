"""What articles tell apart, as axes with finitely many steps, and boxes on them. Pure.

Two requests that no condition of any article tells apart are one point. Each axis has a step for every word that an
article names, one for "not stated" and one for everything else; time and size are cut at the bounds that articles set.
Which steps an article covers is asked of its own conditions, by a request for each step: so a box is what the engine
does, not a second reading of the law. Sets of steps are the bits of a whole number.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import cast

from comity.agreements.conditions import conditions_of
from comity.agreements.texts.errors import TooIntricateError
from comity.agreements.texts.goods import CodeClasses, GoodsSet, all_within, any_touching, every_list
from comity.agreements.values import Agreement, Article, SharingRequest
from comity.agreements.vocabulary import CATEGORIES, DEFAULT_SIZE_AT_MOST, KINDS, PURPOSES, RISK_TYPES
from comity.trade import Handling

MOST_PIECES = 400_000

SENDER, RECEIVER, KIND, PURPOSE, HANDLING, TIME, OWNER = range(7)
OTHER = "\N{BULLET}"
_STRANGERS = ("ZZ", "ZY", "ZX", "ZW")

# The attribute of a request -> the field of an article that names its words, and the words that there are.
_ATTRIBUTES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "category": ("categories", CATEGORIES),
    "risk_type": ("risk_types", RISK_TYPES),
    "procedure": ("procedures", ()),
}
_AXIS_OF_CODE = {"in_force": "time", "valid": "time", "onward": "owner"}


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose information it is. is_own: the sender's. code: empty, nobody says."""

    code: str = ""
    is_own: bool = False
    consents: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing that articles look at. steps: an example of each; order: the steps, the most usual first.

    index: the step of a request. change: what of a request makes it stand on the step of this example.
    """

    name: str
    steps: tuple[object, ...]
    index: Callable[[SharingRequest], int]
    change: Callable[[object], dict[str, object]]
    order: tuple[int, ...]

    @property
    def every(self) -> int:
        """All steps."""
        return (1 << len(self.steps)) - 1

    def chosen(self, mask: int) -> tuple[object, ...]:
        """The examples of the steps of a set."""
        return tuple(step for number, step in enumerate(self.steps) if mask >> number & 1)

    def most_usual(self, mask: int) -> object:
        """The example of the most usual step of a set that is not empty."""
        return self.steps[next(number for number in self.order if mask >> number & 1)]


@dataclass(frozen=True, slots=True)
class Box:
    """A product of sets: the steps on each axis, and the lists of HS codes."""

    masks: tuple[int, ...]
    goods: GoodsSet


class Space:
    """The axes that these agreements need, and the arithmetic of boxes on them."""

    __slots__ = ("_at", "_left", "_own", "_requests", "axes", "classes", "every", "goods")

    def __init__(self, agreements: Iterable[Agreement]) -> None:
        found = tuple(agreements)
        articles = [article for agreement in found for article in agreement.articles]
        self.classes = CodeClasses(chain.from_iterable(article.goods for article in articles))
        self.goods = every_list(self.classes)
        self.axes = tuple(_axes(found, articles))
        self._at = {axis.name: number for number, axis in enumerate(self.axes)}
        self.every = Box(tuple(axis.every for axis in self.axes), self.goods)
        owners = cast(tuple[Owner, ...], self.axes[OWNER].steps)
        # Of each sender the step of an owner that is the sender: there what is handed on is its own.
        self._own = tuple(
            sum(1 << number for number, each in enumerate(owners) if each.code == code)
            for code in self.axes[SENDER].steps
        )
        self._requests: dict[tuple[str, int], tuple[SharingRequest, ...]] = {}
        self._left = MOST_PIECES

    def number_of(self, name: str) -> int:
        """Where an axis stands."""
        return self._at[name]

    def boxes(self, agreement: Agreement, article: Article) -> tuple[Box, ...]:
        """The requests to which an article applies, as disjoint boxes; mostly one."""
        by_rest: defaultdict[tuple[tuple[int, ...], GoodsSet], int] = defaultdict(int)
        for kind in article.kinds or KINDS:
            masks, goods = self._conditions(agreement, article, kind)
            if goods and all(masks):
                by_rest[(masks, goods)] |= self._steps(KIND, (kind,))
        senders, receivers = self._steps(SENDER, article.senders), self._steps(RECEIVER, article.receivers)
        boxes = (Box((senders, receivers, kinds, *masks[3:]), goods) for (masks, goods), kinds in by_rest.items())
        return tuple(box for box in boxes if self._triple(box) is not None)

    def meet(self, one: Box, other: Box) -> Box | None:
        """What belongs to both; None where nothing does."""
        masks: list[int] = []
        for left, right in zip(one.masks, other.masks, strict=True):
            both = left & right
            if not both:
                return None
            masks.append(both)
        goods = one.goods.meet(other.goods)
        met = Box(tuple(masks), goods)
        return met if goods and self._triple(met) is not None else None

    def minus(self, box: Box, other: Box) -> Iterator[Box]:
        """What belongs to the box alone, as disjoint boxes."""
        if self.meet(box, other) is None:
            yield box
            return
        masks = list(box.masks)
        for number, barred in enumerate(other.masks):
            if rest := masks[number] & ~barred:
                piece = Box((*masks[:number], rest, *masks[number + 1 :]), box.goods)
                if self._triple(piece) is not None:
                    yield self._counted(piece)
                masks[number] &= barred
        if goods := box.goods.minus(other.goods):
            yield self._counted(Box(tuple(masks), goods))

    def outside(self, box: Box, others: Iterable[Box]) -> Iterator[Box]:
        """What of the box lies in none of the others, as disjoint boxes; the first is found without the rest."""
        return self._outside(box, tuple(each for each in others if self.meet(box, each) is not None), 0)

    def union(self, boxes: Iterable[Box]) -> tuple[Box, ...]:
        """The same requests, as disjoint boxes."""
        found: list[Box] = []
        for box in boxes:
            found += list(self.outside(box, tuple(found)))
        return tuple(found)

    def joined(self, boxes: Iterable[Box]) -> tuple[Box, ...]:
        """The same disjoint boxes, those joined that differ on one axis alone."""
        found = list(boxes)
        size = 0
        while size != len(found):
            size = len(found)
            for number in range(len(self.axes)):
                found = _join(found, number)
        return tuple(found)

    def has(self, box: Box, request: SharingRequest) -> bool:
        """Whether a request belongs to the box."""
        if request.sender == request.receiver:
            return False
        steps = ((axis.index(request), mask) for axis, mask in zip(self.axes, box.masks, strict=True))
        return all(mask >> step & 1 for step, mask in steps) and box.goods.has(
            {self.classes.of(code) for code in request.hs_codes}
        )

    def example(self, box: Box, fields: Iterable[str] = ()) -> SharingRequest:
        """A request of the box, as usual as can be. Raises: ValueError where the box is empty."""
        triple = self._triple(box)
        if triple is None:
            raise ValueError("The box is empty: nobody sends to himself")
        chosen = dict(zip((SENDER, RECEIVER, OWNER), triple, strict=True))
        changes: dict[str, object] = {"fields": frozenset(fields)}
        for number, axis in enumerate(self.axes):
            step = axis.steps[chosen[number]] if number in chosen else axis.most_usual(box.masks[number])
            changes |= axis.change(step)
        return _request({**changes, "hs_codes": self._codes(box.goods)})

    def with_steps(self, box: Box, number: int, mask: int) -> Box:
        """The box with other steps on one axis."""
        return Box((*box.masks[:number], mask, *box.masks[number + 1 :]), box.goods)

    def steps_of(self, number: int, words: Iterable[object]) -> int:
        """The steps of these examples on an axis."""
        return self._steps(number, words)

    def _outside(self, box: Box, others: tuple[Box, ...], first: int) -> Iterator[Box]:
        for number in range(first, len(others)):
            if self.meet(box, others[number]) is not None:
                for piece in self.minus(box, others[number]):
                    yield from self._outside(piece, others, number + 1)
                return
        yield box

    def _conditions(self, agreement: Agreement, article: Article, kind: str) -> tuple[tuple[int, ...], GoodsSet]:
        masks, goods = [axis.every for axis in self.axes], self.goods
        for condition in conditions_of(agreement, article):
            if condition.code == "goods":
                goods = (all_within if article.is_permit else any_touching)(self.classes, article.goods)
                continue
            number = self._at[_AXIS_OF_CODE.get(condition.code, condition.code)]
            asked = self._examples(kind, number)
            masks[number] &= sum(1 << step for step, request in enumerate(asked) if condition.holds(request))
        return tuple(masks), goods

    def _examples(self, kind: str, number: int) -> tuple[SharingRequest, ...]:
        """A request for each step of an axis."""
        if (kind, number) not in self._requests:
            axis = self.axes[number]
            base: dict[str, object] = {"sender": OTHER, "receiver": OTHER, "kind": kind}
            made = tuple(_request({**base, **axis.change(step), "kind": kind}) for step in axis.steps)
            self._requests[(kind, number)] = made
        return self._requests[(kind, number)]

    def _steps(self, number: int, words: Iterable[object]) -> int:
        wanted = set(words)
        return sum(1 << step for step, example in enumerate(self.axes[number].steps) if example in wanted)

    def _triple(self, box: Box) -> tuple[int, int, int] | None:
        """Sender, receiver and owner: nobody sends to himself, and another's information is not the sender's own."""
        for sender in bits(box.masks[SENDER]):
            receiver = next(bits(box.masks[RECEIVER] & ~(1 << sender)), None)
            owner = next(bits(box.masks[OWNER] & ~self._own[sender]), None)
            if receiver is not None and owner is not None:
                return sender, receiver, owner
        return None

    def _codes(self, goods: GoodsSet) -> tuple[str, ...]:
        if goods.has_none:
            return ()
        within, hits = goods.cells[0]
        codes = {self.classes.examples[next(bits(hit))] for hit in hits or (within,)}
        return tuple(sorted(codes))

    def _counted(self, box: Box) -> Box:
        self._left -= 1
        if self._left < 0:
            raise TooIntricateError(
                f"The articles overlap in more than {MOST_PIECES:,} ways",
                remedy="Compare fewer agreements at once, or articles with fewer conditions.",
            )
        return box


def _axes(agreements: tuple[Agreement, ...], articles: list[Article]) -> Iterator[Axis]:
    parties = tuple(sorted(set(chain.from_iterable(agreement.parties for agreement in agreements))))
    parties = tuple(sorted({*parties, *chain.from_iterable((*each.senders, *each.receivers) for each in articles)}))
    yield _worded("sender", (*parties, _stranger(parties)), lambda q: q.sender, "sender")
    yield _worded("receiver", (*parties, _stranger(parties)), lambda q: q.receiver, "receiver")
    yield _worded("kind", (*KINDS, OTHER), lambda q: q.kind, "kind")
    yield _worded("purpose", (*PURPOSES, "", OTHER), lambda q: q.purpose, "purpose")
    levels = tuple(Handling)
    yield Axis("handling", levels, lambda q: levels.index(q.handling), lambda level: {"handling": level}, (0, 1, 2, 3))
    yield _time(agreements, articles)
    yield _owner(parties)
    origins = tuple(sorted(set(chain.from_iterable(article.origins for article in articles))))
    yield _worded("origin", ("", *origins, _stranger(origins)), lambda q: q.origin, "origin")
    for name, (field, known) in _ATTRIBUTES.items():
        if field in _ARTICLE_FIELDS:
            named = sorted(set(chain.from_iterable(getattr(article, field) for article in articles)))
            other = next((word for word in known if word not in named), OTHER)
            yield _worded(name, ("", *named, other), _reading(name), f"attributes.{name}")
    yield _size(articles)


_ARTICLE_FIELDS = frozenset(each.name for each in dataclasses.fields(Article))


def _worded(name: str, words: tuple[str, ...], read: Callable[[SharingRequest], str], target: str) -> Axis:
    """An axis of words; the last stands for all that are not named."""
    index = {word: number for number, word in enumerate(words)}
    rest = len(words) - 1
    return Axis(name, words, lambda q: index.get(read(q), rest), lambda word: {target: word}, tuple(range(len(words))))


def _reading(name: str) -> Callable[[SharingRequest], str]:
    return lambda q: q.attributes.get(name, "")


def _stranger(codes: tuple[str, ...]) -> str:
    return next((code for code in _STRANGERS if code not in codes), OTHER)


def _time(agreements: tuple[Agreement, ...], articles: list[Article]) -> Axis:
    """Time, cut where a period opens or closes. A step is its first instant; the first of all has none of its own."""
    periods = [*(agreement.in_force for agreement in agreements), *(article.valid for article in articles)]
    bounds = {bound for period in periods for bound in (period.opens_at, period.closes_at)}
    cuts = sorted(bound for bound in bounds if datetime.min.replace(tzinfo=UTC) < bound < _END)
    before = cuts[0] - timedelta(hours=12) if cuts else datetime(2026, 1, 1, 12, tzinfo=UTC)
    steps = (before, *(cut + timedelta(hours=12) for cut in cuts))
    order = (*range(1, len(steps)), 0)
    return Axis("time", steps, lambda q: bisect_right(cuts, q.at), lambda at: {"at": at}, order)


_END = datetime.max.replace(tzinfo=UTC)


def _owner(parties: tuple[str, ...]) -> Axis:
    """Whose information it is. One step for all owners that consent: what they have agreed to needs no rule."""
    strangers = _stranger(parties)
    owners = (Owner(is_own=True), Owner(strangers, consents=True), Owner())
    steps = (*owners, *(Owner(code) for code in parties), Owner(strangers))
    index = {owner.code: number for number, owner in enumerate(steps) if not owner.is_own and not owner.consents}

    def step_of(q: SharingRequest) -> int:
        if q.onward_from is None or q.onward_from == q.sender:
            return 0
        return 1 if q.owner_consents else index.get(q.onward_from, len(steps) - 1)

    def change(step: object) -> dict[str, object]:
        owner = cast(Owner, step)
        return {"onward_from": None if owner.is_own else owner.code, "owner_consents": owner.consents}

    return Axis("owner", steps, step_of, change, tuple(range(len(steps))))


def _size(articles: list[Article]) -> Axis:
    """Sizes of files, cut at the bounds. A step is its largest size; None: no file, or none is stated."""
    bounds = {DEFAULT_SIZE_AT_MOST if each.size_at_most is None else each.size_at_most for each in articles}
    cuts = sorted(bounds)
    steps = (None, *cuts, (cuts[-1] if cuts else 0) + 1)

    def step_of(q: SharingRequest) -> int:
        return 0 if q.size_bytes is None else 1 + bisect_left(cuts, q.size_bytes)

    return Axis("size", steps, step_of, lambda size: {"size_bytes": size}, tuple(range(len(steps))))


def _request(changes: Mapping[str, object]) -> SharingRequest:
    plain = {name: value for name, value in changes.items() if "." not in name}
    attributes = {name.partition(".")[2]: str(word) for name, word in changes.items() if "." in name and word}
    return replace(_BASE, **plain, attributes=attributes)  # type: ignore[arg-type]  # axes name fields of SharingRequest


_BASE = SharingRequest("", "", "", "", Handling.OPEN, datetime(2026, 1, 1, 12, tzinfo=UTC))


def _join(boxes: list[Box], number: int) -> list[Box]:
    joined: dict[tuple[tuple[int, ...], GoodsSet], int] = {}
    for box in boxes:
        rest = ((*box.masks[:number], 0, *box.masks[number + 1 :]), box.goods)
        joined[rest] = joined.get(rest, 0) | box.masks[number]
    return [Box((*masks[:number], mask, *masks[number + 1 :]), goods) for (masks, goods), mask in joined.items()]


def bits(mask: int) -> Iterator[int]:
    """The numbers of the steps of a set."""
    while mask:
        yield (mask & -mask).bit_length() - 1
        mask &= mask - 1
