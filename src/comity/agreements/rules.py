"""An article made ready to be asked: its conditions, its rank, and the words for what fails. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping

from comity.agreements.conditions import DATED, READS, Condition, conditions_of, route_of
from comity.agreements.course import UNTOUCHED, Course, course_conditions
from comity.agreements.values import Agreement, Article, SharingRequest
from comity.agreements.vocabulary import KINDS
from comity.common import Reason

MOST_WORDED = 64

Route = tuple[str, str, str]


class Rule:
    """An article with its agreement, its conditions, and what was put into words before.

    is_bar: it prohibits the sharing as a whole. is_veil: it takes fields out of every permit. order: permits, then
    veils, then bars, each by rank.
    """

    __slots__ = (
        "_tests",
        "_worded",
        "agreement",
        "article",
        "conditions",
        "course",
        "every",
        "is_bar",
        "is_permit",
        "is_veil",
        "looseness",
        "name",
        "order",
    )

    def __init__(self, agreement: Agreement, article: Article, course: Course = UNTOUCHED) -> None:
        self.agreement = agreement
        self.article = article
        self.course = course
        self.conditions: tuple[Condition, ...] = (
            *conditions_of(agreement, article),
            *course_conditions(course, article),
        )
        self.every = (*route_of(article), *self.conditions)
        self.is_permit = article.is_permit
        self.is_veil = not article.is_permit and bool(article.fields)
        self.is_bar = not article.is_permit and not article.fields
        self.name = (agreement.id, article.id)
        self.looseness = article.onward.looseness
        rank = (agreement.id, self.looseness, len(article.fields), article.id)
        self.order = (self.is_bar, self.is_veil, rank)
        self._tests = tuple(each.holds for each in self.conditions)
        self._worded: dict[tuple[Condition, Hashable], Reason] = {}

    def applies(self, request: SharingRequest) -> bool:
        """Whether every condition holds, for a request that goes its way."""
        for test in self._tests:  # no generator: it costs as much as two tests
            if not test(request):
                break
        else:
            return True
        return False

    def is_named(self, agreement_id: str, article_id: str) -> bool:
        """Whether it is an article of this agreement, and this one where it is named."""
        return self.agreement.id == agreement_id and article_id in ("", self.article.id)

    def failing(self, request: SharingRequest, *, is_on_route: bool) -> tuple[Condition, ...]:
        """The conditions that fail, those of the route among them. is_on_route: these are known to hold."""
        return tuple([each for each in (self.conditions if is_on_route else self.every) if not each.holds(request)])

    def met(self, request: SharingRequest) -> tuple[Reason, ...]:
        """The conditions of a prohibition that bring it to bear, in words."""
        return self.worded((each for each in self.conditions if each.code not in DATED), request)

    def worded(self, conditions: Iterable[Condition], request: SharingRequest) -> tuple[Reason, ...]:
        """The conditions in words. The same words are made once for what the request says of the matter."""
        return tuple([self._reason(each, request) for each in conditions])

    def _reason(self, condition: Condition, request: SharingRequest) -> Reason:
        if condition.code not in READS:
            return Reason(condition.code, condition.says(request), clause_of(self.article))
        key = (condition, READS[condition.code](request))
        known = self._worded.get(key)
        if known is None:
            if len(self._worded) >= MOST_WORDED:
                self._worded.clear()
            known = Reason(condition.code, condition.says(request), clause_of(self.article))
            self._worded[key] = known
        return known


def rules_of(agreements: Iterable[Agreement], courses: Mapping[str, Course]) -> Iterator[Rule]:
    """Every article of these agreements made ready. courses: what became of them, by id."""
    return (
        Rule(agreement, article, courses.get(agreement.id, UNTOUCHED))
        for agreement in agreements
        for article in agreement.binding_articles
    )


def routes_of(article: Article) -> Iterator[Route]:
    """The ways that an article speaks of: sender, receiver, kind."""
    return (
        (sender, receiver, kind)
        for sender in article.senders
        for receiver in article.receivers
        for kind in article.kinds or KINDS
        if sender != receiver
    )


def clause_of(article: Article) -> str:
    """How reasons name an article: its id and the clause that it rests on."""
    return f"article {article.id}" + (f" ({article.source})" if article.source else "")


def named(article: Article) -> str:
    """How a sentence names an article: its id and its title."""
    title = article.title.in_("en")
    return f"Article {article.id}" + (f", {title}," if title else "")
