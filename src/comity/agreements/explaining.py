"""Decisions in words: why not, what would be needed, and what else applies. Pure.

Most refusals are counted or passed on, and few are read. So a refusal is put into words when somebody reads it, from
the request and the rules that it was decided on; neither changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from operator import attrgetter, itemgetter

from comity.agreements.compiling import Ground
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


# A question: the request, what the decision rests on, the agreement and article named.
Question = tuple[SharingRequest, Ground, str, str]


class Refusal(Decision):
    """A refusal that is put into words on first reading. It equals the decision that it is, and is as frozen."""

    __slots__ = ("_question",)
    _question: Question

    def __getattr__(self, name: str) -> object:
        """Reached only where the words are not there yet."""
        if name not in _FIELDS:
            raise AttributeError(name)
        worded = _worded(self._question, _misses(self._question))
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
_set_question = vars(Refusal)["_question"].__set__


def refuse(question: Question) -> Decision:
    """The refusal of what was asked."""
    refusal = _new(Refusal)
    _set_is_permitted(refusal, _NO)
    _set_question(refusal, question)
    return refusal


def explain(question: Question, answer: Decision | None, permits: Iterable[Rule]) -> Explanation:
    """All that there is to say. answer: the decision; None: it is a refusal. permits: of every route, where it counts.

    Nothing of it is left to be put into words later.
    """
    request, ground, agreement_id, _ = question
    misses = _misses((request, ground, "", "")) if ground.rules else _nearest(request, permits)
    if answer is None:
        answer = _worded(question, () if not ground.rules else misses if not agreement_id else _misses(question))
    fitting = [rule for rule in ground.applying if rule.is_permit]
    answered = (answer.agreement_id, answer.article_id)
    return Explanation(
        decision=answer,
        near_misses=misses,
        also=tuple([rule.name for rule in fitting if rule.name != answered]),
        strictest_onward=min(fitting, key=attrgetter("looseness")).article.onward if fitting else Onward.NONE,
    )


def _misses(question: Question) -> tuple[NearMiss, ...]:
    """The permits of the route that all but apply; where an agreement is named, only those that are named."""
    request, ground, agreement_id, article_id = question
    permits = [rule for rule in ground.rules if rule.is_permit and rule not in ground.applying]
    if agreement_id:
        permits = [rule for rule in permits if rule.is_named(agreement_id, article_id)]
    return _nearest(request, permits, is_on_route=True)


def _nearest(request: SharingRequest, rules: Iterable[Rule], *, is_on_route: bool = False) -> tuple[NearMiss, ...]:
    """The rules that all but apply, nearest first; only those that are named are put into words."""
    failing = [(rule.failing(request, is_on_route=is_on_route), rule) for rule in rules]
    misses = [(_distance(conditions), rule.name, conditions, rule) for conditions, rule in failing if conditions]
    misses.sort(key=itemgetter(0, 1))
    return tuple(
        [
            NearMiss(rule.article.id, rule.worded(conditions, request), rule.agreement.id)
            for _, _, conditions, rule in misses[:MOST_NEAR_MISSES]
        ]
    )


def _distance(failing: Iterable[Condition]) -> int:
    """How far an article is from permitting. Who, what and what for are farther away than at which level or when."""
    return sum([_FAR.get(condition.code, 1) for condition in failing])


def _worded(question: Question, misses: tuple[NearMiss, ...]) -> Decision:
    request, ground, agreement_id, article_id = question
    if ground.is_barred:
        return _barred(request, [rule for rule in ground.applying if rule.is_bar])
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
