"""Which cases agreements in force let us open, with whom, for what, and how sensitive they may be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from comity.agreements import PURPOSES, Article
from comity.agreements.procedures import Event, Procedure, Role, procedure, procedure_names
from comity.agreements.selectors import AgreementState, StoredAgreement, agreements
from comity.operations import STEP_KIND
from comity.trade import Handling


@dataclass(frozen=True, slots=True)
class Offer:
    """A case that an agreement lets us open: by which event, in which role, with whom, for what, how sensitive."""

    stored: StoredAgreement
    procedure: Procedure
    event: Event
    role: str
    partners: tuple[str, ...]
    purposes: tuple[str, ...]
    handlings: tuple[str, ...]

    @property
    def open_roles(self) -> tuple[Role, ...]:
        """The roles that others play."""
        return tuple(each for each in self.procedure.roles if each.name != self.role)


def offers(us: str, *, partners: Iterable[str], at: datetime) -> tuple[Offer, ...]:
    """Every case that may be opened now with these partners, agreement by agreement."""
    known = frozenset(partners)
    return tuple(
        offer
        for stored in agreements(at=at)
        if stored.state is AgreementState.IN_FORCE and us in stored.agreement.parties
        for name in procedure_names()
        for offer in _offers(stored, procedure(name), us, known, at)
    )


def _offers(stored: StoredAgreement, kind: Procedure, us: str, known: frozenset[str], at: datetime) -> Iterable[Offer]:
    permits = [each for each in stored.agreement.binding_articles if _permits(each, kind.name, us, at)]
    partners = sorted({code for each in permits for code in each.receivers} & known - {us})
    if not partners:
        return
    free = any(not each.purposes for each in permits)
    named = {purpose for each in permits for purpose in each.purposes}
    purposes = tuple(each for each in PURPOSES if free or each in named)
    handlings = tuple(level.word for level in Handling if any(_covers(each, level) for each in permits))
    for event in kind.openings:
        for role in event.by:
            yield Offer(stored, kind, event, role, tuple(partners), purposes, handlings)


def _permits(article: Article, name: str, us: str, at: datetime) -> bool:
    is_for_steps = not article.kinds or STEP_KIND in article.kinds
    is_for_it = not article.procedures or name in article.procedures
    is_now = article.valid.opens_at <= at < article.valid.closes_at
    return article.is_permit and is_for_steps and is_for_it and us in article.senders and is_now


def _covers(article: Article, level: Handling) -> bool:
    least, most = article.handling_at_least, article.handling_at_most
    return (least is None or level >= least) and (most is None or level <= most)
