"""Deciding: may this be shared? Default deny, any prohibition wins. Pure.

Articles are made ready once and indexed by (sender, receiver, kind). Of several permits one answers, chosen without
chance: the named agreement, else the lowest id; within it the strictest onward rule, then the fewest fields, then the
lowest article id. Prohibitions of every agreement count, named or not.

A question that is like an earlier one in all that articles ask for gets the verdict that is remembered for it, within
the bounds of `remembering`; the conditions of its route are asked where nothing is remembered.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Mapping
from datetime import UTC, datetime

from comity.agreements.compiling import Ground, Permit, bounds_of
from comity.agreements.course import UNTOUCHED, Course
from comity.agreements.cutting import FieldSet
from comity.agreements.explaining import Explanation, explain, refuse
from comity.agreements.remembering import Asked, Memory, is_short
from comity.agreements.rules import Route, Rule, routes_of, rules_of
from comity.agreements.values import Agreement, Decision, Period, SharingRequest


class Engine:
    """Agreements in force, ready to answer. The same agreements give the same answers on every node."""

    def __init__(self, agreements: Iterable[Agreement], courses: Mapping[str, Course] | None = None) -> None:
        """Courses: what became of the agreements since they came into force, by id."""
        by_id = {agreement.id: agreement for agreement in agreements}
        self.agreements = tuple(by_id[agreement_id] for agreement_id in sorted(by_id))
        self._rules = tuple(sorted(rules_of(self.agreements, courses or {}), key=lambda rule: rule.order))
        routes: dict[Route, list[Rule]] = {}
        for rule in self._rules:
            for route in routes_of(rule.article):
                routes.setdefault(route, []).append(rule)
        self._routes = {route: tuple(rules) for route, rules in routes.items()}
        self._asked = Asked(self._rules)
        self._asks_goods, self._asks_category = self._asked.goods, self._asked.category
        self._asks_more = bool(self._asked.others)
        self._is_timed = any(rule.course != UNTOUCHED for rule in self._rules)
        self._bounds = bounds_of(self._rules)
        self._memory = Memory(self._bounds[0], self._bounds[0])

    def decide(self, request: SharingRequest, agreement_id: str = "", article_id: str = "") -> Decision:
        """The verdict. agreement_id, article_id: only these may permit; prohibitions count wherever they stand.

        It is called a million times a second: what `Asked.of` puts together for most questions is written out here.
        """
        memory, words, onward = self._memory, request.attributes, request.onward_from
        if request.posted_at is not None or not memory.since <= request.at < memory.until:
            memory = self._memory_of(request)
        said: Hashable = (
            request.sender,
            request.receiver,
            request.kind,
            request.purpose,
            request.handling,
            request.fields,
            request.hs_codes if self._asks_goods else None,
            words.get("category", "") if self._asks_category else None,
        )
        if agreement_id or onward is not None or request.size_bytes is not None or self._asks_more:
            said = self._asked.of(request, agreement_id, article_id)
        try:
            return memory.found.latest[said]
        except KeyError:
            return self._find(memory, request, agreement_id, article_id)

    def explain(self, request: SharingRequest, agreement_id: str = "", article_id: str = "") -> Explanation:
        """The verdict with every near miss and every other permit that applies."""
        memory = self._memory
        if request.posted_at is not None or not memory.since <= request.at < memory.until:
            memory = self._memory_of(request)
        said = self._asked.of(request, agreement_id, article_id)
        if request.size_bytes is not None:
            said = (said, request.size_bytes)  # the words speak of it to the byte
        known = memory.explained.latest.get(said) or memory.explained.again(said)
        if known is None:
            known = self._explain(memory, request, agreement_id, article_id)
            if is_short(request):
                memory.explained.keep(memory.same(said), known)
        return known

    def field_set(self, decision: Decision, request: SharingRequest) -> FieldSet:
        """What a permitting decision lets through, ready to cut a body."""
        memory, ground = self._memory_of(request), self._ground(request)
        permit = _permit(memory, ground, decision.agreement_id, decision.article_id)
        return permit.field_set if permit else FieldSet(())

    def _find(self, memory: Memory, request: SharingRequest, agreement_id: str, article_id: str) -> Decision:
        """The verdict on a question that was not asked lately."""
        said = self._asked.of(request, agreement_id, article_id)
        known = memory.found.again(said)
        if known is not None:
            return known
        ground = self._ground(request)
        permit = _permit(memory, ground, agreement_id, article_id)
        found = _answer(memory, permit, request) if permit else refuse((request, ground, agreement_id, article_id))
        # The words of a refusal speak of a size to the byte: such a refusal is for this request alone.
        if is_short(request) and (permit or request.size_bytes is None):
            memory.found.keep(memory.same(said), found)
        return found

    def _explain(self, memory: Memory, request: SharingRequest, agreement_id: str, article_id: str) -> Explanation:
        ground = self._ground(request)
        permit = _permit(memory, ground, agreement_id, article_id)
        answer = _answer(memory, permit, request) if permit else None
        elsewhere = () if ground.rules else tuple(rule for rule in self._rules if rule.is_permit)
        return explain((request, ground, agreement_id, article_id), answer, elsewhere)

    def _ground(self, request: SharingRequest) -> Ground:
        rules = self._routes.get((request.sender, request.receiver, request.kind), ())
        return Ground(rules, tuple([rule for rule in rules if rule.applies(request)]))

    def _memory_of(self, request: SharingRequest) -> Memory:
        """What was learned of the time of this request; of any other time it is forgotten.

        What is judged as of its posting, in another time than that of its arrival, is asked afresh.
        """
        memory, posted = self._memory, request.posted_at
        if not memory.since <= request.at < memory.until:
            memory = self._memory = self._begin(request.at)
        if posted is None or not self._is_timed or self._place(posted) == self._place(request.at):
            return memory
        return Memory(memory.since, memory.until)

    def _begin(self, at: datetime) -> Memory:
        """A memory for the time of this instant: at most its day, since the words of a decision speak of the day."""
        place, day = self._place(at), at.astimezone(UTC).date()
        today = Period(day, day)
        return Memory(max(self._bounds[place - 1], today.opens_at), min(self._bounds[place], today.closes_at))

    def _place(self, at: datetime) -> int:
        """Which of the times, in which no rule comes into force or ends, it belongs to."""
        return min(bisect_right(self._bounds, at), len(self._bounds) - 1)


def _permit(memory: Memory, ground: Ground, agreement_id: str, article_id: str) -> Permit | None:
    """The permit that answers; None where nothing permits or a prohibition wins."""
    if ground.is_barred:
        return None
    for rule in ground.applying:
        if rule.is_permit and (not agreement_id or rule.is_named(agreement_id, article_id)):
            key = (rule, *[veil for veil in ground.applying if veil.is_veil])
            known = memory.permits.again(key)
            if known is None:
                known = Permit(rule, key[1:])
                memory.permits.keep(key, known)
            return known
    return None


def _answer(memory: Memory, permit: Permit, request: SharingRequest) -> Decision:
    """What the permit says to these fields: bodies of one kind hold much the same."""
    key = (permit, request.fields)
    known = memory.answers.again(key)
    if known is None:
        known = permit.answer(request.fields)
        if is_short(request):
            memory.answers.keep(key, known)
    return known
