"""Articles of one route made ready: which of them apply to a request, found without asking each. Pure.

The rules of a route are numbered by rank, permits first, then veils, then bars; a set of rules is a whole number with
one bit for each. For each thing that a request says (its purpose, its handling, its goods and so on) a table remembers
which rules let that pass, and the rules that apply are those that every table lets pass. The tables are filled by the
conditions themselves, one value at a time: the law is written once, in `conditions`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from datetime import UTC, datetime

from comity.agreements.conditions import READS, Condition
from comity.agreements.cutting import FieldSet
from comity.agreements.rules import Rule, clause_of, named
from comity.agreements.values import Decision, SharingRequest
from comity.common import Reason

MOST_REMEMBERED = 128
MOST_VALUES = 512

_DATES = ("in_force", "valid")
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

Fit = Callable[[SharingRequest], int]


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


class _Unasked(Table):
    """The table of what no rule has a condition on."""

    def __missing__(self, value: Hashable) -> int:
        return self._every


class Shelf:
    """The rules of one route. fit: the set of those that apply to a request. answers: the permits given before."""

    __slots__ = (
        "_bounds",
        "_every",
        "_names",
        "_tables",
        "answers",
        "bars_from",
        "field_sets",
        "fit",
        "rules",
        "window",
    )

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: (rule.is_bar, rule.is_veil, rule.rank)))
        self._every = (1 << len(self.rules)) - 1
        self.bars_from = 1 << sum(not rule.is_bar for rule in self.rules)
        self._names: dict[tuple[str, str], int] = {}
        asked: dict[str, list[tuple[int, Condition]]] = {}
        for place, rule in enumerate(self.rules):
            for condition in rule.conditions:
                asked.setdefault(condition.code, []).append((1 << place, condition))
            if rule.article.is_permit:
                for name in (rule.name, (rule.agreement.id, ""), ("", "")):
                    self._names[name] = self._names.get(name, 0) | 1 << place
        self._tables = {code: Table(conditions, self._every) for code, conditions in asked.items()}
        self._bounds = _bounds(self.rules)
        self.window = (_LAST, _FIRST, 0)
        self.answers: dict[tuple[int, frozenset[str]], Decision] = {}
        self.field_sets: dict[int, FieldSet] = {}
        self.fit = _fit_of(self, self._tables, _Unasked((), self._every))

    @property
    def permits(self) -> tuple[Rule, ...]:
        """The permits, by rank."""
        return tuple(self.among(self._names.get(("", ""), 0)))

    def among(self, fit: int) -> Iterator[Rule]:
        """The rules of a set, by rank."""
        while fit:
            lowest = fit & -fit
            yield self.rules[lowest.bit_length() - 1]
            fit ^= lowest

    def named(self, fit: int, agreement_id: str, article_id: str) -> int:
        """The set without the permits of any other name. Prohibitions count wherever they stand."""
        return fit & (~self._names.get(("", ""), 0) | self._names.get((agreement_id, article_id), 0))

    def permit(self, fit: int, fields: frozenset[str]) -> Decision | None:
        """The decision of the first permit of the set for these fields; None where a bar or no permit is in it.

        It is remembered, since bodies of one kind hold much the same fields.
        """
        if fit >= self.bars_from or not fit & self._names.get(("", ""), 0):
            return None
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

    def turn(self, request: SharingRequest) -> int:
        """The rules that are in force then. The window is open until the next day on which that may change."""
        dated = self._every
        for place, rule in enumerate(self.rules):
            if not all(each.holds(request) for each in rule.conditions if each.code in _DATES):
                dated &= ~(1 << place)
        place = min(bisect_right(self._bounds, request.at), len(self._bounds) - 1)
        self.window = (self._bounds[place - 1], self._bounds[place], dated)
        return dated

    def learn(self, request: SharingRequest) -> int:
        """The rules that let everything pass that the request says but for its time; the tables know it from now on."""
        fit = self._every
        for code, table in self._tables.items():
            if code not in _DATES:
                value = READS[code](request)
                passing = table.get(value)
                fit &= table.learn(value, request) if passing is None else passing
        return fit


def _fit_of(shelf: Shelf, tables: Mapping[str, Table], unasked: Table) -> Fit:
    """The rules that apply, as one function: what every request says is looked up in a straight line, the rest in turn.

    An engine calls it a million times a second.
    """
    purposes, handlings = tables.get("purpose", unasked), tables.get("handling", unasked)
    goods, categories, onwards = tables.get("goods"), tables.get("category"), tables.get("onward")
    others = tuple(
        (READS[code], tables[code]) for code in ("origin", "risk_type", "procedure", "size") if code in tables
    )

    def fit_of(q: SharingRequest) -> int:
        since, until, fit = shelf.window
        if not since <= q.at < until:
            fit = shelf.turn(q)
        try:
            found = fit & purposes[q.purpose] & handlings[q.handling]
            if goods is not None:
                found &= goods[q.hs_codes]
            if categories is not None:
                found &= categories[q.attributes.get("category", "")]
            for read, table in others:
                found &= table[read(q)]
            if q.onward_from is not None and onwards is not None:
                found &= onwards[q.onward_from, q.owner_consents]
        except KeyError:
            return fit & shelf.learn(q)
        return found

    return fit_of


def _bounds(rules: Iterable[Rule]) -> list[datetime]:
    """Every instant at which a rule comes into force or ends, between the first and the last there is."""
    periods = [period for rule in rules for period in (rule.agreement.in_force, rule.article.valid)]
    return sorted({_FIRST, _LAST, *(bound for each in periods for bound in (each.opens_at, each.closes_at))})
