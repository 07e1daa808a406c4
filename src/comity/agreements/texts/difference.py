"""What changes between two versions of an agreement, as exact sets of requests. Pure.

Only where an article has changed can an answer change: there both versions are asked, part by part. So the changes are
all there are, and each request in them is answered otherwise.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from comity.agreements.texts.space import KIND, Box, Space
from comity.agreements.texts.standing import Outcome, Placed, Standing
from comity.agreements.values import Agreement, Article, SharingRequest
from comity.agreements.vocabulary import KINDS, fields_of_kind


class Turn(StrEnum):
    """What becomes of a set of requests."""

    OPENED = "opened"
    CLOSED = "closed"
    FIELDS = "fields"
    TERMS = "terms"


@dataclass(frozen=True, slots=True)
class Change:
    """Requests that are answered otherwise. boxes: disjoint. gained, lost: fields that are released now, or no longer.

    looser, stricter: the rules of the permit that changed: onward, retention_days, use_limits.
    """

    boxes: tuple[Box, ...]
    old: Outcome
    new: Outcome
    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    looser: tuple[str, ...] = ()
    stricter: tuple[str, ...] = ()

    @property
    def turn(self) -> Turn:
        """What the change is."""
        if self.old.is_permitted != self.new.is_permitted:
            return Turn.OPENED if self.new.is_permitted else Turn.CLOSED
        return Turn.FIELDS if self.gained or self.lost else Turn.TERMS

    @property
    def is_wider(self) -> bool:
        """Whether more may be done than before."""
        return self.turn is Turn.OPENED or bool(self.gained or self.looser)


@dataclass(frozen=True, slots=True)
class Property:
    """A property with its value before and after; None: there was or is none. article_id: empty, of the agreement."""

    article_id: str
    name: str
    old: object
    new: object


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that changed.

    added, removed: ids of articles. properties: of the agreement, and of the articles that are in both.
    """

    old: Agreement
    new: Agreement
    space: Space
    changes: tuple[Change, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    properties: tuple[Property, ...]

    @property
    def widens(self) -> bool:
        """Whether anything may be shared, seen, kept or handed on that could not be before."""
        return any(change.is_wider for change in self.changes)

    @property
    def is_empty(self) -> bool:
        """Whether both say the same, word for word."""
        return self.old.id == self.new.id

    def change_of(self, request: SharingRequest) -> Change | None:
        """The change that this request meets; None where both versions answer alike."""
        for change in self.changes:
            if any(self.space.has(box, request) for box in change.boxes):
                return change if _is_met(change, request) else None
        return None


def difference(old: Agreement, new: Agreement) -> Difference:
    """What changes from the old to the new.

    Raises: TooIntricateError where the parts of the exact answer would be too many.
    """
    space = Space((old, new))
    before, after = Standing(old, space), Standing(new, space)
    ids_before, ids_after = ({article.id for article in each.articles} for each in (old, new))
    return Difference(
        old=old,
        new=new,
        space=space,
        changes=tuple(_changes(space, before, after)),
        added=tuple(sorted(ids_after - ids_before)),
        removed=tuple(sorted(ids_before - ids_after)),
        properties=tuple(_properties(old, new)),
    )


def _changes(space: Space, before: Standing, after: Standing) -> Iterator[Change]:
    found: dict[Change, list[Box]] = {}
    for asked in space.union(_touched(space, before, after)):
        for part, old in before.split(asked):
            for piece, new in after.split(part):
                change = _change(_kinds(space, piece), old, new)
                if change is not None:
                    found.setdefault(change, []).append(piece)
    turns = tuple(Turn)
    order = sorted(found, key=lambda each: (turns.index(each.turn), each.new.article_id, each.old.article_id))
    return (dataclasses.replace(change, boxes=space.joined(found[change])) for change in order)


def _touched(space: Space, before: Standing, after: Standing) -> Iterator[Box]:
    """Where the answer may differ: of an article that does the same, the requests that it won or lost; else all."""
    old, new = _by_id(before), _by_id(after)
    for article_id in sorted(old.keys() | new.keys()):
        one, other = old.get(article_id), new.get(article_id)
        if one is not None and other is not None and _does(one.article) == _does(other.article):
            yield from chain.from_iterable(space.outside(box, other.boxes) for box in one.boxes)
            yield from chain.from_iterable(space.outside(box, one.boxes) for box in other.boxes)
        else:
            yield from chain.from_iterable(each.boxes for each in (one, other) if each is not None)


def _by_id(standing: Standing) -> dict[str, Placed]:
    return {each.article.id: each for each in (*standing.bars, *standing.masks, *standing.permits)}


def _does(article: Article) -> tuple[object, ...]:
    """What an article does to the requests that it applies to."""
    terms = (article.onward, article.retention_days, frozenset(article.use_limits))
    return (article.effect, frozenset(article.fields), *terms)


def _change(kinds: Iterable[str], old: Outcome, new: Outcome) -> Change | None:
    if not old.is_permitted and not new.is_permitted:
        return None
    if old.is_permitted != new.is_permitted:
        return Change((), old, new)
    gained, lost = _fields(kinds, old, new)
    looser, stricter = _terms(old, new)
    return Change((), old, new, gained, lost, looser, stricter) if gained or lost or looser or stricter else None


def _fields(kinds: Iterable[str], old: Outcome, new: Outcome) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields that the new one releases more, and less."""
    if old.article is None or new.article is None:
        return (), ()
    known = set().union(*(fields_of_kind(kind) for kind in kinds))
    known |= {*old.article.fields, *new.article.fields, *old.never, *new.never}
    were, are = old.released, new.released
    told = [(path, were.covers(path), are.covers(path)) for path in sorted(known)]
    gained = [path for path, was, now in told if now and not was]
    lost = [path for path, was, now in told if was and not now]
    return _shortest(gained), _shortest(lost)


def _shortest(paths: Iterable[str]) -> tuple[str, ...]:
    """The paths without those beneath another of them."""
    listed = tuple(paths)
    return tuple(path for path in listed if not any(path.startswith((f"{other}.", f"{other}[")) for other in listed))


def _terms(old: Outcome, new: Outcome) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The rules of the receiver that became looser, and stricter."""
    one, other = old.article, new.article
    if one is None or other is None:
        return (), ()
    limits_before, limits_after = set(one.use_limits), set(other.use_limits)
    kept_before, kept_after = (each.retention_days or _FOREVER for each in (one, other))
    told = (
        ("onward", other.onward.looseness > one.onward.looseness, other.onward.looseness < one.onward.looseness),
        ("retention_days", kept_after > kept_before, kept_after < kept_before),
        ("use_limits", bool(limits_before - limits_after), bool(limits_after - limits_before)),
    )
    return tuple(name for name, is_looser, _ in told if is_looser), tuple(name for name, _, is_so in told if is_so)


_FOREVER = 1_000_000


def _kinds(space: Space, box: Box) -> tuple[str, ...]:
    return tuple(str(kind) for kind in space.axes[KIND].chosen(box.masks[KIND]) if kind in KINDS)


def _is_met(change: Change, request: SharingRequest) -> bool:
    """Whether a request of the boxes is answered otherwise: a change of fields needs one of them."""
    if change.turn in (Turn.OPENED, Turn.CLOSED) or change.looser or change.stricter:
        return True
    old, new = change.old.released, change.new.released
    return any(old.covers(path) != new.covers(path) for path in request.fields)


def _properties(old: Agreement, new: Agreement) -> Iterator[Property]:
    yield from _compared("", old, new, {"articles", "id"})
    for article in old.articles:
        other = new.article(article.id)
        if other is not None:
            yield from _compared(article.id, article, other, {"id"})


def _compared(
    article_id: str, old: Agreement | Article, new: Agreement | Article, less: set[str]
) -> Iterator[Property]:
    for each in dataclasses.fields(old):
        one, other = getattr(old, each.name), getattr(new, each.name)
        if each.name not in less and one != other:
            yield Property(article_id, each.name, one, other)
