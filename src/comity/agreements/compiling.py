"""Articles of one route made ready: which of them apply to a request, found without asking each. Pure.

The rules of a route are numbered by rank, permits first, then veils, then bars; a set of rules is a whole number with
one bit for each. For each thing that a request says (its purpose, its handling, its goods and so on) a table remembers
which rules let that pass, and the rules that apply are those that every table lets pass. The tables are filled by the
conditions themselves, one value at a time: the law is written once, in `conditions`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from datetime import UTC, datetime

from comity.agreements.conditions import READS, Condition
from comity.agreements.cutting import FieldSet
from comity.agreements.rules import Rule, clause_of, named
from comity.agreements.values import Decision, SharingRequest
from comity.common import Reason
from comity.trade import Handling

MOST_REMEMBERED = 128
MOST_VALUES = 512

_LEVELS = ("purpose", "handling", "in_force", "valid")
_IN_LINE = ("goods", "category", "onward")


class Table(dict[Hashable, int]):
    """The rules that let a value pass, by value. Every rule that has no condition on it lets it pass."""

    __slots__ = ("_conditions", "_every")

    def __init__(self, conditions: Iterable[tuple[int, Condition]], every: int) -> None:
        super().__init__()
        self._conditions = tuple(conditions)
        self._every = every

    def learn(self, value: Hashable, request: SharingRequest) -> int:
        """The rules that let this request pass; remembered for all that say the same."""
        passing = self._every
        for bit, condition in self._conditions:
            if not condition.holds(request):
                passing &= ~bit
        if len(self) >= MOST_VALUES:
            self.clear()
        self[value] = passing
        return passing


class Shelf:
    """The rules of one route in one period, in which none of them comes into force or ends.

    answers: the permits that were given before. levels: the rules that let pass, by purpose and handling. apart: the
    conditions that are asked each time.
    """

    __slots__ = (
        "_every",
        "_first",
        "_names",
        "_tables",
        "answers",
        "apart",
        "bars_from",
        "categories",
        "field_sets",
        "goods",
        "levels",
        "onwards",
        "others",
        "permitting",
        "rules",
    )

    def __init__(self, rules: Iterable[Rule], purposes: int) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: (rule.is_bar, rule.is_veil, rule.rank)))
        self._every = (1 << len(self.rules)) - 1
        self.bars_from = 1 << sum(not rule.is_bar for rule in self.rules)
        self.permitting = (1 << sum(rule.article.is_permit for rule in self.rules)) - 1
        self._names: dict[tuple[str, str], int] = {}
        asked: dict[str, list[tuple[int, Condition]]] = {}
        for place, rule in enumerate(self.rules):
            for condition in rule.conditions:
                asked.setdefault(condition.code, []).append((1 << place, condition))
            if rule.article.is_permit:
                for name in (rule.name, (rule.agreement.id, "")):
                    self._names[name] = self._names.get(name, 0) | 1 << place
        self._first = tuple(each for code in _LEVELS for each in asked.pop(code, ()))
        self.apart = tuple(each for code in tuple(asked) if code not in READS for each in asked.pop(code))
        self._tables = {code: Table(conditions, self._every) for code, conditions in asked.items()}
        self.levels: list[int | None] = [None for _ in range(purposes * len(Handling))]
        self.goods, self.categories = self._tables.get("goods"), self._tables.get("category")
        self.onwards = self._tables.get("onward")
        self.others = tuple((READS[code], table) for code, table in self._tables.items() if code not in _IN_LINE)
        self.answers: dict[tuple[int, frozenset[str]], Decision] = {}
        self.field_sets: dict[int, FieldSet] = {}

    def fit(self, q: SharingRequest, level: int) -> int:
        """The set of the rules that apply. level: the place of its purpose and handling.

        An engine calls it a million times a second: what most articles read is looked up in a straight line.
        """
        fit = self.levels[level]
        if fit is None:
            fit = self._learn_level(q, level)
        try:
            if self.goods is not None:
                fit &= self.goods[q.hs_codes]
            if self.categories is not None:
                fit &= self.categories[q.attributes.get("category", "")]
            for read, table in self.others:
                fit &= table[read(q)]
            if q.onward_from is not None and self.onwards is not None:
                fit &= self.onwards[q.onward_from, q.owner_consents]
        except KeyError:
            fit &= self._learn(q)
        for bit, condition in self.apart:
            if fit & bit and not condition.holds(q):
                fit ^= bit
        return fit

    @property
    def permits(self) -> tuple[Rule, ...]:
        """The permits, by rank."""
        return tuple(self.among(self.permitting))

    def among(self, fit: int) -> Iterator[Rule]:
        """The rules of a set, by rank."""
        while fit:
            lowest = fit & -fit
            yield self.rules[lowest.bit_length() - 1]
            fit ^= lowest

    def named(self, fit: int, agreement_id: str, article_id: str) -> int:
        """The set without the permits of any other name. Prohibitions count wherever they stand."""
        return fit & (~self.permitting | self._names.get((agreement_id, article_id), 0))

    def permit(self, fit: int, fields: frozenset[str]) -> Decision:
        """The decision of the first permit of the set for these fields.

        It is remembered, since bodies of one kind hold much the same fields.
        """
        rule = next(self.among(fit))
        article = rule.article
        released, withheld = self.field_set(fit).split(fields)
        decision = Decision(
            is_permitted=True,
            agreement_id=rule.agreement.id,
            article_id=article.id,
            fields_released=released,
            fields_withheld=withheld,
            reasons=(Reason("permitted", f"{named(article)} permits it.", clause_of(article)),),
            onward=article.onward,
            retention_days=article.retention_days,
            use_limits=article.use_limits,
        )
        if len(self.answers) >= MOST_REMEMBERED:
            self.answers.clear()
        self.answers[fit, fields] = decision
        return decision

    def field_set(self, fit: int) -> FieldSet:
        """What the first permit of the set lets through, less what its veils take out."""
        known = self.field_sets.get(fit)
        if known is None:
            first, *others = self.among(fit)
            veiled = [field for rule in others if rule.is_veil for field in rule.article.fields]
            if len(self.field_sets) >= MOST_REMEMBERED:
                self.field_sets.clear()
            known = self.field_sets[fit] = FieldSet(first.article.fields, veiled)
        return known

    def _learn_level(self, request: SharingRequest, level: int) -> int:
        fit = self._every
        for bit, condition in self._first:
            if not condition.holds(request):
                fit &= ~bit
        self.levels[level] = fit
        return fit

    def _learn(self, request: SharingRequest) -> int:
        """The rules that let pass what the request says beyond its level; the tables know it from now on."""
        fit = self._every
        for code, table in self._tables.items():
            value = READS[code](request)
            passing = table.get(value)
            fit &= table.learn(value, request) if passing is None else passing
        return fit


def bounds_of(rules: Iterable[Rule]) -> tuple[datetime, ...]:
    """Every instant at which a rule comes into force or ends, between the first and the last that there are."""
    periods = {period for rule in rules for period in (rule.agreement.in_force, rule.article.valid)}
    bounds = {bound for each in periods for bound in (each.opens_at, each.closes_at)}
    return tuple(sorted({datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), *bounds}))
