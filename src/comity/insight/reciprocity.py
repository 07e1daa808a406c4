"""The reciprocity ledger: what two administrations asked of each other and gave each other, counted. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from comity.insight.facts import CaseFacts


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that one administration sent another."""

    kind: str
    agreement: str
    by: str
    to: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Side:
    """What one administration did towards the other under one agreement.

    asked: requests that it made. answered, refused, withdrawn, waiting: what became of them; refused ones count as
    answered too. median_days, longest_days: from asking to the answer; None: none was answered. grounds: refusals of
    its requests by (ground, count). given: messages that it sent, by (kind, count).
    """

    administration: str
    asked: int = 0
    answered: int = 0
    refused: int = 0
    withdrawn: int = 0
    waiting: int = 0
    median_days: float | None = None
    longest_days: float | None = None
    grounds: tuple[tuple[str, int], ...] = ()
    given: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Balance:
    """Both sides under one agreement. agreement: empty for the sum of all."""

    agreement: str
    ours: Side
    theirs: Side


@dataclass(frozen=True, slots=True)
class Ledger:
    """The reciprocity between us and a partner from a moment until another."""

    us: str
    partner: str
    since: datetime
    until: datetime
    total: Balance
    by_agreement: tuple[Balance, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """Two administrations and the time that is counted; `until` is not counted any more."""

    us: str
    partner: str
    since: datetime
    until: datetime


def reciprocity(between: Between, cases: Iterable[CaseFacts], sent: Iterable[Sent]) -> Ledger:
    """Count what was asked and given between two administrations. A case counts on the day on which it was opened."""
    pair = {between.us, between.partner}
    requests = [each for each in cases if each.is_request and {each.asker, each.asked} == pair]
    chosen = [each for each in requests if _is_in(between, each.opened_at)]
    passed = [each for each in sent if {each.by, each.to} == pair and _is_in(between, each.at)]
    agreements = sorted({each.agreement for each in chosen} | {each.agreement for each in passed})
    return Ledger(
        between.us,
        between.partner,
        between.since,
        between.until,
        _balance("", between, chosen, passed),
        tuple(
            _balance(
                agreement,
                between,
                [each for each in chosen if each.agreement == agreement],
                [each for each in passed if each.agreement == agreement],
            )
            for agreement in agreements
        ),
    )


def _is_in(between: Between, at: datetime) -> bool:
    return between.since <= at < between.until


def _balance(agreement: str, between: Between, cases: list[CaseFacts], sent: list[Sent]) -> Balance:
    ours, theirs = (
        _side(
            administration,
            [each for each in cases if each.asker == administration],
            [each for each in sent if each.by == administration],
        )
        for administration in (between.us, between.partner)
    )
    return Balance(agreement, ours, theirs)


def _side(administration: str, cases: list[CaseFacts], sent: list[Sent]) -> Side:
    days = [(each.answered_at - each.opened_at) / timedelta(days=1) for each in cases if each.answered_at is not None]
    grounds = Counter(ground for each in cases for ground in each.grounds)
    return Side(
        administration=administration,
        asked=len(cases),
        answered=len(days),
        refused=sum(each.is_refused for each in cases),
        withdrawn=sum(each.is_withdrawn for each in cases),
        waiting=sum(each.is_waiting for each in cases),
        median_days=round(median(days), 1) if days else None,
        longest_days=round(max(days), 1) if days else None,
        grounds=tuple(sorted(grounds.items())),
        given=tuple(sorted(Counter(each.kind for each in sent).items())),
    )
