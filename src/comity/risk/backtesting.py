"""A rule tried on the past: on which of the node's own records it would have fired, and what controls found there.

Only controlled records say whether it would have been right, and these were not chosen evenly: a back-test compares
rules, it does not measure the trade.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from comity.common import Actor
from comity.intake import StoredRecord
from comity.intake.selectors import MAX_ROWS, RecordFilter, count_records, records
from comity.risk.errors import ProfileError
from comity.risk.expressions import compile_rule, parse_rule
from comity.risk.models import LearnedOutcome, ProfileBacktest, RuleProfile
from comity.risk.values import Backtest, CurvePoint
from comity.risk.writing import parts
from comity.staff import Permission, require
from comity.staff.services import record_deed
from comity.trade.facts import FACT_TYPES, facts_of

DEFAULT_WINDOW = timedelta(days=365)
MAX_WINDOW = timedelta(days=3 * 365)
MAX_RECORDS = 10_000
_MAX_POINTS = 40


@dataclass(frozen=True, slots=True)
class Past:
    """Which past records a rule is tried on: those received in a window, the latest of them up to a number."""

    since: datetime
    until: datetime
    limit: int = MAX_RECORDS

    @classmethod
    def before(cls, at: datetime, window: timedelta = DEFAULT_WINDOW, limit: int = MAX_RECORDS) -> Past:
        """The window that ends now."""
        return cls(at - window, at, limit)


@dataclass(frozen=True, slots=True)
class Tried:
    """One past record: whether the rule fires, and whether a control found it irregular (None: no control)."""

    is_fired: bool
    is_irregular: bool | None


def digest_of(expression: str) -> str:
    """The name of exactly this rule."""
    return hashlib.sha256(expression.encode()).hexdigest()


def try_rule(expression: str, *, past: Past, at: datetime, by: str = "") -> Backtest:
    """What a rule would have found; nothing is kept.

    Raises: RuleError, ProfileError for a window that is empty or too long.
    """
    _check(past)
    compiled = compile_rule(parse_rule(expression, FACT_TYPES), FACT_TYPES)
    tried: list[Tried] = []
    for page in _pages(past):
        known = _outcomes(page)
        for record in page:
            # The facts as they were on arrival: the time of assessment is the time it came in.
            rows = facts_of(record.content, record.received_at)
            is_fired = any(compiled.is_true(row) for row in rows)
            tried.append(Tried(is_fired, known.get(record.reference)))
    tried.reverse()  # oldest first, as they came
    total = count_records(_window(past))
    return _summed(tried, past, at=at, by=by, is_cut=total > len(tried))


@transaction.atomic
def backtest_profile(actor: Actor, *, ref: str, past: Past, at: datetime) -> Backtest:
    """Try a draft on the past and keep the answer beside it, so that a second officer can judge it.

    Raises: PermissionRefusedError, ProfileError, RuleError.
    """
    require(actor, Permission.MANAGE_PROFILES)
    row = RuleProfile.objects.select_for_update().filter(ref=ref).first()
    if row is None:
        raise ProfileError("There is no such profile", where=ref)
    found = try_rule(row.expression, past=past, at=at, by=str(actor))
    ProfileBacktest.objects.create(
        profile=row,
        digest=digest_of(row.expression),
        since=found.since,
        until=found.until,
        at=at,
        by=str(actor),
        records=found.records,
        is_cut=found.is_cut,
        fired=found.fired,
        found=found.found,
        vain=found.vain,
        missed=found.missed,
        spared=found.spared,
        curve=[[point.records, point.fired, point.found] for point in found.curve],
    )
    row.tested_at = at
    row.save(update_fields=["tested_at"])
    facts = {"records": str(found.records), "fired": str(found.fired), "found": str(found.found)}
    record_deed(actor, deed="backtest_profile", subject=f"profile:{ref}", facts=facts, at=at)
    return found


def latest_backtest(ref: str) -> Backtest | None:
    """The latest back-test of a profile, also where its rule was changed since; None where there is none."""
    row = ProfileBacktest.objects.select_related("profile").filter(profile__ref=ref).order_by("-at", "-id").first()
    if row is None:
        return None
    return Backtest(
        since=row.since,
        until=row.until,
        at=row.at,
        by=row.by,
        records=row.records,
        is_cut=row.is_cut,
        fired=row.fired,
        found=row.found,
        vain=row.vain,
        missed=row.missed,
        spared=row.spared,
        curve=tuple(CurvePoint(*point) for point in row.curve),
        is_current=row.digest == digest_of(row.profile.expression),
    )


def require_backtest(row: RuleProfile, at: datetime) -> str:
    """See that exactly this rule was tried on the past. Answers why not, where there is no past to try it on.

    Raises: ProfileError.
    """
    if row.backtests.filter(digest=digest_of(row.expression), records__gt=0).exists():
        return ""
    if not count_records(_window(Past.before(at, MAX_WINDOW))):
        return "no history to test it on"
    raise ProfileError(
        "The rule was not tried on past records as it now stands",
        where=row.ref,
        remedy=f"Run its back-test first: comity risk profiles backtest {row.ref}",
    )


def _check(past: Past) -> None:
    if not past.since < past.until:
        raise ProfileError("The window of the back-test is empty", where="since")
    if past.until - past.since > MAX_WINDOW:
        raise ProfileError(f"The window of a back-test has at most {MAX_WINDOW.days} days", where="since")
    if not 1 <= past.limit <= MAX_RECORDS:
        raise ProfileError(f"A back-test looks at 1 to {MAX_RECORDS:,} records", where="limit")


def _window(past: Past) -> RecordFilter:
    return RecordFilter(received_from=past.since, received_until=past.until)


def _pages(past: Past) -> Iterator[list[StoredRecord]]:
    for offset in range(0, past.limit, MAX_ROWS):
        page = records(_window(past), limit=min(MAX_ROWS, past.limit - offset), offset=offset)
        if page:
            yield page
        if len(page) < MAX_ROWS:
            return


def _outcomes(page: Sequence[StoredRecord]) -> dict[str, bool]:
    """Of each reference whether a control found it irregular; where several looked, one finding is enough."""
    known: dict[str, bool] = {}
    for some in parts(sorted({record.reference for record in page})):
        rows = LearnedOutcome.objects.filter(declaration_ref__in=some)
        for reference, is_irregular in rows.values_list("declaration_ref", "is_irregular"):
            known[reference] = known.get(reference, False) or is_irregular
    return known


def _summed(tried: Sequence[Tried], past: Past, *, at: datetime, by: str, is_cut: bool) -> Backtest:
    return Backtest(
        since=past.since,
        until=past.until,
        at=at,
        by=by,
        records=len(tried),
        is_cut=is_cut,
        fired=sum(one.is_fired for one in tried),
        found=_count(tried, is_fired=True, is_irregular=True),
        vain=_count(tried, is_fired=True, is_irregular=False),
        missed=_count(tried, is_fired=False, is_irregular=True),
        spared=_count(tried, is_fired=False, is_irregular=False),
        curve=tuple(_curve(tried)),
    )


def _count(tried: Iterable[Tried], *, is_fired: bool, is_irregular: bool) -> int:
    return sum(one.is_fired == is_fired and one.is_irregular is is_irregular for one in tried)


def _curve(tried: Sequence[Tried]) -> Iterator[CurvePoint]:
    """At most forty points, the first at nothing and the last at all."""
    step = max(1, -(-len(tried) // _MAX_POINTS))
    fired = found = 0
    yield CurvePoint(0, 0, 0)
    for number, one in enumerate(tried, start=1):
        fired += one.is_fired
        found += one.is_fired and one.is_irregular is True
        if number % step == 0 or number == len(tried):
            yield CurvePoint(number, fired, found)
