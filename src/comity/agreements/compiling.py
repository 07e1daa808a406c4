"""What a decision rests on: the articles of a route, those of them that apply, and the one that permits. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from comity.agreements.course import Course
from comity.agreements.cutting import FieldSet
from comity.agreements.rules import Rule, clause_of, named
from comity.agreements.values import Decision
from comity.common import Reason


class Permit:
    """What an article permits, less what the prohibitions of fields take out."""

    __slots__ = ("_reasons", "field_set", "rule")

    def __init__(self, rule: Rule, veils: Iterable[Rule]) -> None:
        article = rule.article
        self.rule = rule
        self.field_set = FieldSet(article.fields, [field for veil in veils for field in veil.article.fields])
        self._reasons = (Reason("permitted", f"{named(article)} permits it.", clause_of(article)),)

    def answer(self, fields: frozenset[str]) -> Decision:
        """The decision for a body of these fields."""
        article = self.rule.article
        released, withheld = self.field_set.split(fields)
        return Decision(
            is_permitted=True,
            agreement_id=self.rule.agreement.id,
            article_id=article.id,
            fields_released=released,
            fields_withheld=withheld,
            reasons=self._reasons,
            onward=article.onward,
            retention_days=article.retention_days,
            use_limits=article.use_limits,
        )


class Ground:
    """The rules of a route, and those of them that apply: permits, then veils, then bars, each by rank."""

    __slots__ = ("applying", "rules")

    def __init__(self, rules: tuple[Rule, ...], applying: tuple[Rule, ...]) -> None:
        self.rules = rules
        self.applying = applying

    @property
    def is_barred(self) -> bool:
        """Whether a prohibition wins."""
        return bool(self.applying) and self.applying[-1].is_bar


def bounds_of(rules: Sequence[Rule]) -> tuple[datetime, ...]:
    """Every instant from which rules hold or hold no longer, between the first and the last that there are."""
    periods = {period for rule in rules for period in (rule.agreement.in_force, rule.article.valid)}
    bounds = {bound for each in periods for bound in (each.opens_at, each.closes_at)}
    turns = {turn for course in {rule.course for rule in rules} for turn in _turns(course)}
    return tuple(sorted({datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), *bounds, *turns}))


def _turns(course: Course) -> Iterator[datetime]:
    """When an agreement is amended, left, suspended or restored."""
    if course.superseded_at is not None:
        yield course.superseded_at
    yield from (when for _, when in course.left)
    for each in course.suspensions:
        yield from (when for when in (each.first, each.last) if when is not None)
