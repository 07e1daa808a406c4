"""Deciding: may this be shared? Default deny, any prohibition wins. Pure.

Articles are compiled once and indexed by (sender, receiver, kind). Of several permits one answers, chosen without
chance: the named agreement, else the lowest id; within it the strictest onward rule, then the fewest fields, then the
lowest article id. Prohibitions of every agreement count, named or not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from operator import attrgetter

from comity.agreements.compiling import Shelf, bounds_of
from comity.agreements.course import UNTOUCHED, Course
from comity.agreements.cutting import FieldSet
from comity.agreements.explaining import Explanation, nearest, refuse
from comity.agreements.rules import Route, Rule, routes_of, rules_of
from comity.agreements.values import Agreement, Decision, SharingRequest
from comity.agreements.vocabulary import PURPOSES, Onward
from comity.trade import Handling

MOST_EXPLAINED = 16_384

_Period = tuple[datetime, datetime, dict[Route, Shelf]]

# All that a request says but for its instant and its attributes: questions that are alike have one explanation a day.
_shape_of = attrgetter(*(each.name for each in fields(SharingRequest) if each.name not in ("at", "attributes")))


class Engine:
    """Agreements in force, ready to answer. The same agreements give the same answers on every node."""

    def __init__(self, agreements: Iterable[Agreement], courses: Mapping[str, Course] | None = None) -> None:
        """Courses: what became of the agreements since they came into force, by id."""
        by_id = {agreement.id: agreement for agreement in agreements}
        self.agreements = tuple(by_id[agreement_id] for agreement_id in sorted(by_id))
        self._rules = tuple(rules_of(self.agreements, courses or {}))
        self._routes: dict[Route, list[Rule]] = {}
        for rule in self._rules:
            for route in routes_of(rule.article):
                self._routes.setdefault(route, []).append(rule)
        words = {*PURPOSES, "", *(purpose for rule in self._rules for purpose in rule.article.purposes)}
        self._purposes = {word: place * len(Handling) for place, word in enumerate(sorted(words))}
        self._unknown = len(words) * len(Handling)
        self._bounds = bounds_of(self._rules)
        self._period = self._turn(self._bounds[0])
        self._is_timed = any(course != UNTOUCHED for course in (courses or {}).values())
        self._explained: dict[Hashable, Explanation] = {}

    def decide(self, request: SharingRequest, *, agreement_id: str = "", article_id: str = "") -> Decision:
        """The verdict. agreement_id, article_id: only these may permit; prohibitions count wherever they stand."""
        since, until, shelves = self._period
        if not since <= request.at < until:
            shelves = self._turn(request.at)[2]
        shelf = shelves.get((request.sender, request.receiver, request.kind))
        if shelf is None:
            return refuse((request, None, 0, agreement_id, article_id))
        fit = shelf.fit(request, self._purposes.get(request.purpose, self._unknown) + request.handling)
        if agreement_id:
            fit = shelf.named(fit, agreement_id, article_id)
        if fit >= shelf.bars_from or not fit & shelf.permitting:
            return refuse((request, shelf, fit, agreement_id, article_id))
        return shelf.answers.get((fit, request.fields)) or shelf.permit(fit, request.fields)

    def explain(self, request: SharingRequest, *, agreement_id: str = "", article_id: str = "") -> Explanation:
        """The verdict with every near miss and every other permit that applies."""
        if request.at.tzinfo is not UTC:
            return self._explain(request, agreement_id, article_id)
        said = tuple(request.attributes.items())
        when = request.at if self._is_timed else request.at.toordinal()
        key = (_shape_of(request), said, when, agreement_id, article_id)
        known = self._explained.get(key)
        if known is None:
            if len(self._explained) >= MOST_EXPLAINED:
                self._explained.clear()
            known = self._explained[key] = self._explain(request, agreement_id, article_id)
        return known

    def field_set(self, decision: Decision, request: SharingRequest) -> FieldSet:
        """What a permitting decision lets through, ready to cut a body."""
        shelf, fit = self._fitting(request)
        if shelf is None:
            return FieldSet(())
        return shelf.field_set(shelf.named(fit, decision.agreement_id, decision.article_id))

    def _explain(self, request: SharingRequest, agreement_id: str, article_id: str) -> Explanation:
        decision = self.decide(request, agreement_id=agreement_id, article_id=article_id)
        shelf, fit = self._fitting(request)
        if shelf is None:
            permits = (rule for rule in self._rules if rule.article.is_permit)
            return Explanation(decision, nearest(request, permits), (), Onward.NONE)
        fitting = [rule for rule in shelf.among(fit) if rule.article.is_permit]
        answered = (decision.agreement_id, decision.article_id)
        return Explanation(
            decision=decision,
            near_misses=nearest(request, shelf.permits),
            also=tuple(rule.name for rule in fitting if rule.name != answered),
            strictest_onward=min(
                (rule.article.onward for rule in fitting), key=lambda onward: onward.looseness, default=Onward.NONE
            ),
        )

    def _fitting(self, request: SharingRequest) -> tuple[Shelf | None, int]:
        """The rules of the route at that time, and the set of those that apply."""
        since, until, shelves = self._period
        if not since <= request.at < until:
            shelves = self._turn(request.at)[2]
        shelf = shelves.get((request.sender, request.receiver, request.kind))
        level = self._purposes.get(request.purpose, self._unknown) + request.handling
        return shelf, 0 if shelf is None else shelf.fit(request, level)

    def _turn(self, at: datetime) -> _Period:
        """The shelves of the period of this instant. What the last period taught is forgotten."""
        place = min(bisect_right(self._bounds, at), len(self._bounds) - 1)
        purposes = len(self._purposes) + 1
        shelves = {route: Shelf(rules, purposes) for route, rules in self._routes.items()}
        self._period = (self._bounds[place - 1], self._bounds[place], shelves)
        return self._period
