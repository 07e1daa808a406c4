"""Deciding: may this be shared? Default deny, any prohibition wins. Pure.

Articles are compiled once and indexed by (sender, receiver, kind). Of several permits one answers, chosen without
chance: the named agreement, else the lowest id; within it the strictest onward rule, then the fewest fields, then the
lowest article id. Prohibitions of every agreement count, named or not.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from comity.agreements.conditions import Condition, Test, conditions_of, route_of, swift_tests_of
from comity.agreements.cutting import FieldSet
from comity.agreements.values import Agreement, Article, Decision, NearMiss, SharingRequest
from comity.agreements.vocabulary import KINDS, PURPOSES, Onward
from comity.common import Reason

MOST_NEAR_MISSES = 4
MOST_REMEMBERED = 256

_FAR = {"sender": 4, "receiver": 4, "kind": 4, "purpose": 3}

Route = tuple[str, str, str]


class _Rule:
    """An article made ready: its conditions, and what was decided before for the same fields."""

    __slots__ = ("agreement", "article", "conditions", "decisions", "every", "swift", "tests")

    def __init__(self, agreement: Agreement, article: Article) -> None:
        self.agreement = agreement
        self.article = article
        self.conditions: tuple[Condition, ...] = conditions_of(agreement, article)
        self.every = (*route_of(article), *self.conditions)
        self.tests: tuple[Test, ...] = tuple(each.holds for each in self.conditions)
        self.swift = swift_tests_of(agreement, article)
        self.decisions: dict[tuple[frozenset[str], tuple[str, ...]], Decision] = {}

    def applies(self, request: SharingRequest) -> bool:
        return all(test(request) for test in self.tests)

    @property
    def rank(self) -> tuple[str, int, int, str]:
        article = self.article
        return (self.agreement.id, article.onward.looseness, len(article.fields), article.id)

    def failing(self, request: SharingRequest) -> tuple[Condition, ...]:
        """The conditions that fail, those of the route among them."""
        return tuple([each for each in self.every if not each.holds(request)])

    def met(self, request: SharingRequest) -> tuple[Reason, ...]:
        """The conditions of a prohibition that bring it to bear, in words."""
        dates = ("in_force", "valid")
        return self.worded((each for each in self.conditions if each.code not in dates), request)

    def worded(self, conditions: Iterable[Condition], request: SharingRequest) -> tuple[Reason, ...]:
        clause = clause_of(self.article)
        return tuple(Reason(each.code, each.says(request), clause) for each in conditions)


_Ready = tuple[tuple[Test, ...], _Rule]


@dataclass(frozen=True, slots=True)
class _Slot:
    """Rules with the tests that are left to make. bars prohibit the whole, masks some fields; permits by rank."""

    bars: tuple[_Ready, ...]
    masks: tuple[_Ready, ...]
    permits: tuple[_Ready, ...]


class _Shelf:
    """The rules of one route, by rank; for each known purpose those that it does not rule out."""

    __slots__ = ("by_purpose", "every", "permits")

    def __init__(self, rules: list[_Rule]) -> None:
        self.permits = tuple(rule for rule in rules if rule.article.is_permit)
        self.every = _slot([(rule.tests, rule) for rule in rules])
        self.by_purpose = {
            purpose: _slot([(rule.swift, rule) for rule in rules if _is_for(rule.article, purpose)])
            for purpose in PURPOSES
        }


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


class Engine:
    """Agreements in force, ready to answer. The same agreements give the same answers on every node."""

    def __init__(self, agreements: Iterable[Agreement]) -> None:
        by_id = {agreement.id: agreement for agreement in agreements}
        self.agreements = tuple(by_id[agreement_id] for agreement_id in sorted(by_id))
        self._rules = tuple(
            _Rule(agreement, article) for agreement in self.agreements for article in agreement.articles
        )
        routes: dict[Route, list[_Rule]] = {}
        for rule in sorted(self._rules, key=lambda rule: rule.rank):
            for route in _routes(rule.article):
                routes.setdefault(route, []).append(rule)
        self._shelves = {route: _Shelf(rules) for route, rules in routes.items()}

    def decide(self, request: SharingRequest, *, agreement_id: str = "", article_id: str = "") -> Decision:
        """The verdict. agreement_id, article_id: only these may permit; prohibitions count wherever they stand."""
        shelf = self._shelves.get((request.sender, request.receiver, request.kind))
        if shelf is None:
            return self._refuse(request, (), agreement_id, article_id)
        slot = shelf.by_purpose.get(request.purpose, shelf.every)
        for tests, _ in slot.bars:
            for test in tests:
                if not test(request):
                    break
            else:
                return _bar(request, [rule for _, rule in slot.bars if rule.applies(request)])
        never = _never(request, slot.masks) if slot.masks else ()
        for tests, rule in slot.permits:
            if agreement_id and not _is_named(rule, agreement_id, article_id):
                continue
            for test in tests:
                if not test(request):
                    break
            else:
                known = rule.decisions.get((request.fields, never))
                return known or _permit(rule, request.fields, never)
        return self._refuse(request, shelf.permits, agreement_id, article_id)

    def explain(self, request: SharingRequest, *, agreement_id: str = "", article_id: str = "") -> Explanation:
        """The verdict with every near miss and every other permit that applies."""
        decision = self.decide(request, agreement_id=agreement_id, article_id=article_id)
        permits = [rule for rule in self._rules if rule.article.is_permit]
        route = (request.sender, request.receiver, request.kind)
        misses = _nearest(request, self._shelves[route].permits if route in self._shelves else permits)
        fitting = [rule for rule in sorted(permits, key=lambda rule: rule.rank) if not rule.failing(request)]
        answered = (decision.agreement_id, decision.article_id)
        names = tuple((rule.agreement.id, rule.article.id) for rule in fitting)
        return Explanation(
            decision=decision,
            near_misses=misses,
            also=tuple(name for name in names if name != answered),
            strictest_onward=min(
                (rule.article.onward for rule in fitting), key=lambda onward: onward.looseness, default=Onward.NONE
            ),
        )

    def field_set(self, decision: Decision, request: SharingRequest) -> FieldSet:
        """What a permitting decision lets through, ready to cut a body."""
        shelf = self._shelves[(request.sender, request.receiver, request.kind)]
        rule = next(rule for rule in shelf.permits if _is_named(rule, decision.agreement_id, decision.article_id))
        return FieldSet(rule.article.fields, _never(request, shelf.every.masks))

    def _refuse(
        self, request: SharingRequest, permits: tuple[_Rule, ...], agreement_id: str, article_id: str
    ) -> Decision:
        named = [rule for rule in permits if not agreement_id or _is_named(rule, agreement_id, article_id)]
        misses = _nearest(request, named)
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


def _bar(request: SharingRequest, rules: list[_Rule]) -> Decision:
    """The refusal by prohibitions: the first names the decision, the reasons name all."""
    reasons: list[Reason] = []
    for rule in rules:
        clause = clause_of(rule.article)
        reasons += [Reason("prohibited", f"{_named(rule.article)} prohibits it.", clause), *rule.met(request)]
    return Decision(
        is_permitted=False,
        agreement_id=rules[0].agreement.id,
        article_id=rules[0].article.id,
        fields_released=(),
        fields_withheld=tuple(sorted(request.fields)),
        reasons=tuple(reasons),
    )


def _not_permitted(what: str, nearest: NearMiss) -> Reason:
    is_only_time = all(reason.code in ("in_force", "valid") for reason in nearest.failed)
    wanting = " ".join(reason.text for reason in nearest.failed)
    text = f"No article permits {what} so; article {nearest.article_id} is nearest. {wanting}"
    return Reason("not_in_force" if is_only_time else "not_permitted", text, nearest.failed[0].clause)


def _no_article(what: str, agreement_id: str, article_id: str) -> Reason:
    place = f" of agreement {agreement_id[:12]}" if agreement_id else ""
    if article_id:
        return Reason("no_article", f"Article {article_id}{place} does not permit {what}, whatever the conditions.")
    return Reason("no_article", f"No article{place} permits {what}, whatever the conditions.")


def clause_of(article: Article) -> str:
    """How reasons name an article: its id and the clause that it rests on."""
    return f"article {article.id}" + (f" ({article.source})" if article.source else "")


def _named(article: Article) -> str:
    title = article.title.in_("en")
    return f"Article {article.id}" + (f", {title}," if title else "")


def _routes(article: Article) -> Iterable[Route]:
    for sender in article.senders:
        for receiver in article.receivers:
            if sender != receiver:
                for kind in article.kinds or KINDS:
                    yield sender, receiver, kind


def _is_named(rule: _Rule, agreement_id: str, article_id: str) -> bool:
    return rule.agreement.id == agreement_id and article_id in ("", rule.article.id)


def _permit(rule: _Rule, fields: frozenset[str], never: tuple[str, ...]) -> Decision:
    """The decision of a permit for these fields; remembered, since bodies of one kind hold much the same fields."""
    article = rule.article
    released, withheld = FieldSet(article.fields, never).split(fields)
    decision = Decision(
        is_permitted=True,
        agreement_id=rule.agreement.id,
        article_id=article.id,
        fields_released=released,
        fields_withheld=withheld,
        reasons=(Reason("permitted", f"{_named(article)} permits it.", clause_of(article)),),
        onward=article.onward,
        retention_days=article.retention_days,
        use_limits=article.use_limits,
    )
    if len(rule.decisions) >= MOST_REMEMBERED:
        rule.decisions.clear()
    rule.decisions[(fields, never)] = decision
    return decision


def _nearest(request: SharingRequest, rules: Iterable[_Rule]) -> tuple[NearMiss, ...]:
    """The rules that all but apply, nearest first; only those that are named are put into words."""
    failing = ((rule.failing(request), rule) for rule in rules)
    misses = [(_distance(conditions), *_name(rule), conditions, rule) for conditions, rule in failing if conditions]
    near = heapq.nsmallest(MOST_NEAR_MISSES, misses, key=lambda miss: miss[:3])
    return tuple(
        NearMiss(article_id, rule.worded(conditions, request), agreement_id)
        for _, agreement_id, article_id, conditions, rule in near
    )


def _name(rule: _Rule) -> tuple[str, str]:
    return rule.agreement.id, rule.article.id


def _distance(failing: Iterable[Condition]) -> int:
    """How far an article is from permitting. Who, what and what for are farther away than at which level or when."""
    return sum(_FAR.get(condition.code, 1) for condition in failing)


def _never(request: SharingRequest, masks: tuple[_Ready, ...]) -> tuple[str, ...]:
    return tuple(field for _, rule in masks if rule.applies(request) for field in rule.article.fields)


def _slot(rules: list[_Ready]) -> _Slot:
    return _Slot(
        bars=tuple(each for each in rules if not each[1].article.is_permit and not each[1].article.fields),
        masks=tuple(each for each in rules if not each[1].article.is_permit and each[1].article.fields),
        permits=tuple(each for each in rules if each[1].article.is_permit),
    )


def _is_for(article: Article, purpose: str) -> bool:
    return purpose in article.purposes or not article.purposes
