"""What an agreement leaves out, and articles that never answer. Pure.

Nobody has to permit everything: a gap is no error. It is shown so that it is meant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, permutations

from comity.agreements.cutting import FieldSet
from comity.agreements.texts.space import HANDLING, KIND, PURPOSE, RECEIVER, SENDER, Box, Space, bits
from comity.agreements.texts.standing import Placed, Standing, boxes_of
from comity.agreements.values import Agreement
from comity.agreements.vocabulary import HANDLINGS, KINDS, PURPOSES, fields_of_kind
from comity.trade import Handling


class GapKind(StrEnum):
    """What is left out."""

    KIND = "kind"
    ROUTE = "route"
    KIND_ON_ROUTE = "kind_on_route"
    ONE_WAY = "one_way"
    PURPOSE = "purpose"
    HANDLING = "handling"
    FIELD = "field"


class ShadowKind(StrEnum):
    """Why an article never answers.

    empty: no request can meet it. prohibited: prohibitions cover all of it. outranked: others answer first, so it
    answers only where it is named. repeated: other prohibitions cover all of it. idle: it withholds nothing that any
    permit would release.
    """

    EMPTY = "empty"
    PROHIBITED = "prohibited"
    OUTRANKED = "outranked"
    REPEATED = "repeated"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class Gap:
    """Words of the vocabulary that nothing covers. routes: on which; empty: on all. kind: of which messages; or all."""

    what: GapKind
    words: tuple[str, ...] = ()
    kind: str = ""
    routes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Shadow:
    """An article that never answers, and the articles because of which."""

    article_id: str
    what: ShadowKind
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Covered:
    """What is permitted somewhere. purposes, levels: of a sender, a receiver and a kind. fields: of a kind."""

    purposes: dict[tuple[str, str, str], set[str]]
    levels: dict[tuple[str, str, str], set[str]]
    fields: dict[str, set[str]]


def gaps(agreement: Agreement) -> tuple[Gap, ...]:
    """Everything that no article of the agreement lets happen, from the whole to the part.

    Raises: TooIntricateError where the articles overlap in too many ways.
    """
    covered = _covered(agreement)
    return tuple(chain(_of_routes(agreement, covered), _of_words(covered), _of_fields(covered)))


def shadowed(agreement: Agreement) -> tuple[Shadow, ...]:
    """The articles that never answer, by their ids.

    Raises: TooIntricateError where the articles overlap in too many ways.
    """
    space = Space((agreement,))
    standing = Standing(agreement, space)
    every = (*standing.bars, *standing.masks, *standing.permits)
    found = [shadow for placed in every if (shadow := _shadow(standing, placed)) is not None]
    gone = {article.id for article in agreement.articles} - {each.article.id for each in every}
    found += [Shadow(article_id, ShadowKind.EMPTY) for article_id in gone]
    return tuple(sorted(found, key=lambda each: each.article_id))


def _covered(agreement: Agreement) -> _Covered:
    space = Space((agreement,))
    standing = Standing(agreement, space)
    covered = _Covered(defaultdict(set), defaultdict(set), defaultdict(set))
    for permit in standing.permits:
        for box in standing.where_it_answers(permit):
            _note(covered, space, box)
            for kind in _words(space, box, KIND):
                covered.fields[kind] |= set(_released(standing, permit, box, kind, covered.fields[kind]))
    return covered


def _note(covered: _Covered, space: Space, box: Box) -> None:
    purposes = [word for word in _words(space, box, PURPOSE) if word in PURPOSES]
    levels = [Handling(step).word for step in bits(box.masks[HANDLING])]
    for sender in _words(space, box, SENDER):
        for receiver in _words(space, box, RECEIVER):
            for kind in _words(space, box, KIND) if sender != receiver else ():
                covered.purposes[(sender, receiver, kind)].update(purposes)
                covered.levels[(sender, receiver, kind)].update(levels)


def _released(standing: Standing, permit: Placed, box: Box, kind: str, known: set[str]) -> Iterator[str]:
    """The fields of a kind that the permit releases for some request of the box."""
    space, own = standing.space, FieldSet(permit.article.fields)
    narrowed = space.with_steps(box, KIND, space.steps_of(KIND, (kind,)))
    masks = tuple(standing.masks_near(narrowed))
    for path in fields_of_kind(kind) - known:
        barring = boxes_of(each for each in masks if FieldSet(each.article.fields).covers(path))
        if own.covers(path) and next(space.outside(narrowed, barring), None) is not None:
            yield path


def _of_routes(agreement: Agreement, covered: _Covered) -> Iterator[Gap]:
    kinds = {kind for _, _, kind in covered.purposes}
    missing = tuple(kind for kind in KINDS if kind not in kinds)
    if missing:
        yield Gap(GapKind.KIND, missing)
    routes = tuple(permutations(sorted(agreement.parties), 2))
    used = {(sender, receiver) for sender, receiver, _ in covered.purposes}
    empty = tuple(route for route in routes if route not in used)
    if empty:
        yield Gap(GapKind.ROUTE, routes=empty)
    for kind in (each for each in KINDS if each in kinds):
        lacking = [route for route in routes if route in used and (*route, kind) not in covered.purposes]
        one_way = tuple(route for route in lacking if (*route[::-1], kind) in covered.purposes)
        neither = tuple(route for route in lacking if route not in one_way)
        if one_way:
            yield Gap(GapKind.ONE_WAY, kind=kind, routes=one_way)
        if neither:
            yield Gap(GapKind.KIND_ON_ROUTE, kind=kind, routes=neither)


def _of_words(covered: _Covered) -> Iterator[Gap]:
    """Purposes and handling levels, routes with the same gap together."""
    for what, table, every in (
        (GapKind.PURPOSE, covered.purposes, PURPOSES),
        (GapKind.HANDLING, covered.levels, HANDLINGS),
    ):
        lacking: defaultdict[tuple[str, tuple[str, ...]], list[tuple[str, str]]] = defaultdict(list)
        for (sender, receiver, kind), words in sorted(table.items()):
            lacking[(kind, tuple(word for word in every if word not in words))].append((sender, receiver))
        for (kind, missing), routes in sorted(lacking.items()):
            if missing:
                yield Gap(what, missing, kind, tuple(routes))


def _of_fields(covered: _Covered) -> Iterator[Gap]:
    """Fields that are never released; a group stands for what is beneath it, where nothing of it is released."""
    for kind in (each for each in KINDS if each in covered.fields):
        never = fields_of_kind(kind) - covered.fields[kind]
        shown = {path for path in never if not _holds_any(path, covered.fields[kind])}
        top = sorted(path for path in shown if not any(path != other and _is_beneath(path, other) for other in shown))
        if top:
            yield Gap(GapKind.FIELD, tuple(top), kind)


def _holds_any(path: str, released: Iterable[str]) -> bool:
    return any(_is_beneath(other, path) for other in released)


def _is_beneath(path: str, other: str) -> bool:
    return path.startswith((f"{other}.", f"{other}["))


def _shadow(standing: Standing, placed: Placed) -> Shadow | None:
    article, space = placed.article, standing.space
    if not placed.boxes:
        return Shadow(article.id, ShadowKind.EMPTY)
    if not article.is_permit and article.fields:
        return _idle(standing, placed)
    if not article.is_permit:
        by = _least(space, placed, _others(standing, placed))
        return Shadow(article.id, ShadowKind.REPEATED, by) if by else None
    if next(standing.where_it_answers(placed), None) is not None:
        return None
    bars = _least(space, placed, standing.bars)
    if bars:
        return Shadow(article.id, ShadowKind.PROHIBITED, bars)
    others = (*standing.bars, *_earlier(standing.permits, placed))
    return Shadow(article.id, ShadowKind.OUTRANKED, _least(space, placed, others))


def _idle(standing: Standing, mask: Placed) -> Shadow | None:
    """A prohibition of fields is idle where no permit in its boxes would release one of them."""
    withheld = FieldSet(mask.article.fields)
    for box in mask.boxes:
        for permit in (each for each in standing.near(box) if each.article.is_permit):
            known = {*permit.article.fields, *mask.article.fields}
            released = FieldSet(permit.article.fields)
            if any(released.covers(path) and withheld.covers(path) for path in known):
                met = (part for own in permit.boxes if (part := standing.space.meet(box, own)) is not None)
                bars = tuple(boxes_of(standing.bars))
                if any(next(standing.space.outside(part, bars), None) is not None for part in met):
                    return None
    return Shadow(mask.article.id, ShadowKind.IDLE)


def _others(standing: Standing, bar: Placed) -> tuple[Placed, ...]:
    """The other prohibitions that stay; of those that cover each other the first stays."""
    kept = standing.bars
    for each in reversed(standing.bars):
        if each is bar:
            break
        rest = tuple(other for other in kept if other is not each)
        kept = rest if _cover(standing.space, each, rest) else kept
    return tuple(each for each in kept if each is not bar)


def _earlier(order: tuple[Placed, ...], placed: Placed) -> tuple[Placed, ...]:
    return order[: next(number for number, each in enumerate(order) if each is placed)]


def _least(space: Space, placed: Placed, others: Iterable[Placed]) -> tuple[str, ...]:
    """As few of the others as cover all of the article; none where even all of them do not."""
    needed = [each for each in others if any(space.meet(box, own) for box in placed.boxes for own in each.boxes)]
    if not _cover(space, placed, needed):
        return ()
    for each in tuple(needed):
        rest = [other for other in needed if other is not each]
        if _cover(space, placed, rest):
            needed = rest
    return tuple(sorted(each.article.id for each in needed))


def _cover(space: Space, placed: Placed, others: Iterable[Placed]) -> bool:
    barring = tuple(boxes_of(others))
    return all(next(space.outside(box, barring), None) is None for box in placed.boxes)


def _words(space: Space, box: Box, number: int) -> list[str]:
    return [str(word) for word in space.axes[number].chosen(box.masks[number])]
