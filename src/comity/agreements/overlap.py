"""Where two articles meet: the routes that both speak of, by sets and without listing the routes of either. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from comity.agreements.rules import Route, routes_of
from comity.agreements.values import Article
from comity.agreements.vocabulary import KINDS


@dataclass(frozen=True, slots=True)
class Reach:
    """Who may send what to whom under an article, as sets."""

    article: Article
    senders: frozenset[str]
    receivers: frozenset[str]
    kinds: frozenset[str]

    @classmethod
    def of(cls, article: Article) -> Self:
        """The reach of an article; no kinds stand for all."""
        kinds = frozenset(article.kinds or KINDS)
        return cls(article, frozenset(article.senders), frozenset(article.receivers), kinds)

    @property
    def routes(self) -> tuple[Route, ...]:
        """Its routes, in the order of the article."""
        return tuple(routes_of(self.article))

    def common(self, other: Reach) -> Iterator[Route]:
        """The routes that another article has too, in the order of this one."""
        if not self.meets(other):
            return iter(())
        return (
            (sender, receiver, kind)
            for sender, receiver, kind in self.routes
            if sender in other.senders and receiver in other.receivers and kind in other.kinds
        )

    def meets(self, other: Reach, kind: str = "") -> bool:
        """Whether there is a route of this kind, or of any, that both have."""
        if kind and (kind not in self.kinds or kind not in other.kinds):
            return False
        senders, receivers = self.senders & other.senders, self.receivers & other.receivers
        return bool(senders and receivers and self.kinds & other.kinds and len(senders | receivers) > 1)
