"""Decisions in words: why not, what would be needed, and what else applies. Pure.

Most refusals are counted or passed on, and few are read. So a refusal is put into words when somebody reads it, from
the request and the rules that it was decided on; neither changes.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, fields

from comity.agreements.compiling import Shelf
from comity.agreements.conditions import DATED, Condition
from comity.agreements.rules import Rule, clause_of, named
from comity.agreements.values import Decision, NearMiss, SharingRequest
from comity.agreements.vocabulary import Onward
from comity.common import Reason

MOST_NEAR_MISSES = 4

_FAR = {"sender": 4, "receiver": 4, "kind": 4, "purpose": 3}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with all that a person may want to know of it.

    near_misses: the permits for this route that do not apply, nearest first; where there are none, of any route.
    also: other permits that apply (agreement, article). strictest_onward: among all the permits that apply.
    """

    decision: Decision
    near_misses: tuple[NearMiss, ...]
    also: tuple[tuple[str, str], ...]
    strictest_onward: Onward


# What a refusal rests on: the request, the rules of its route, those that apply, the agreement and article named.
Ground = tuple[SharingRequest, Shelf | None, int, str, str]


class Refusal(Decision):
    """A refusal that is put into words on first reading. It equals the decision that it is, and is as frozen."""

    __slots__ = ("_ground",)
    _ground: Ground

    def __getattr__(self, name: str) -> object:
        """Reached only where the words are not there yet."""
        if name not in _FIELDS:
            raise AttributeError(name)
        worded = _worded(self._ground)
        for each in _FIELDS:
            object.__setattr__(self, each, getattr(worded, each))
        return getattr(worded, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Decision) and all(getattr(self, each) == getattr(other, each) for each in _FIELDS)

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, each) for each in _FIELDS))


_FIELDS = tuple(each.name for each in fields(Decision))
_NO = False
_new = object.__new__
# The slots themselves: a frozen class sets nothing by name, and a million refusals a second leave no time for more.
_set_is_permitted = vars(Decision)["is_permitted"].__set__
_set_ground = vars(Refusal)["_ground"].__set__


def refuse(ground: Ground) -> Decision:
    """The refusal on this ground."""
    refusal = _new(Refusal)
    _set_is_permitted(refusal, _NO)
    _set_ground(refusal, ground)
    return refusal


def nearest(request: SharingRequest, rules: Iterable[Rule]) -> tuple[NearMiss, ...]:
    """The rules that all but apply, nearest first; only those that are named are put into words."""
    failing = ((rule.failing(request), rule) for rule in rules)
    misses = [(_distance(conditions), *rule.name, conditions, rule) for conditions, rule in failing if conditions]
    near = heapq.nsmallest(MOST_NEAR_MISSES, misses, key=lambda miss: miss[:3])
    return tuple(
        [
            NearMiss(article_id, rule.worded(conditions, request), agreement_id)
            for _, agreement_id, article_id, conditions, rule in near
        ]
    )


def _distance(failing: Iterable[Condition]) -> int:
    """How far an article is from permitting. Who, what and what for are farther away than at which level or when."""
    return sum([_FAR.get(condition.code, 1) for condition in failing])


def _worded(ground: Ground) -> Decision:
    request, shelf, fit, agreement_id, article_id = ground
    if shelf is not None and fit >= shelf.bars_from:
        return _barred(request, [rule for rule in shelf.among(fit) if rule.is_bar])
    permits = shelf.permits if shelf is not None else ()
    misses = nearest(request, (rule for rule in permits if not agreement_id or rule.is_named(agreement_id, article_id)))
    what = f"{request.kind} from {request.sender} to {request.receiver}"
    return Decision(
        is_permitted=False,
        agreement_id=agreement_id,
        article_id=article_id,
        fields_released=(),
        fields_withheld=tuple(sorted(request.fields)),
        reasons=(_not_permitted(what, misses[0]) if misses else _no_article(what, agreement_id, article_id),),
        near_misses=misses,
    )


def _barred(request: SharingRequest, bars: list[Rule]) -> Decision:
    """The refusal by prohibitions: the first names the decision, the reasons name all."""
    reasons: list[Reason] = []
    for rule in bars:
        reasons += [
            Reason("prohibited", f"{named(rule.article)} prohibits it.", clause_of(rule.article)),
            *rule.met(request),
        ]
    return Decision(
        is_permitted=False,
        agreement_id=bars[0].agreement.id,
        article_id=bars[0].article.id,
        fields_released=(),
        fields_withheld=tuple(sorted(request.fields)),
        reasons=tuple(reasons),
    )


def _not_permitted(what: str, miss: NearMiss) -> Reason:
    is_only_time = all(reason.code in DATED for reason in miss.failed)
    wanting = " ".join(reason.text for reason in miss.failed)
    text = f"No article permits {what} so; article {miss.article_id} is nearest. {wanting}"
    return Reason("not_in_force" if is_only_time else "not_permitted", text, miss.failed[0].clause)


def _no_article(what: str, agreement_id: str, article_id: str) -> Reason:
    place = f" of agreement {agreement_id[:12]}" if agreement_id else ""
    if article_id:
        return Reason("no_article", f"Article {article_id}{place} does not permit {what}, whatever the conditions.")
    return Reason("no_article", f"No article{place} permits {what}, whatever the conditions.")
