"""Figures of one quarter for partners and for analysis: counts by kind, month, outcome, chapter, partner; pseudonyms.

A quarter and nothing else: figures of overlapping periods could be subtracted from each other. Traders are counted by
pseudonyms under a key that is made for the quarter and deleted later; what is told of them are counts of pseudonyms.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db.models import Count
from django.db.models.functions import TruncMonth

from comity.agreements import KINDS
from comity.common import Actor
from comity.enforcement.models import FindingRow
from comity.exchange.models import InboxMessage, OutboxMessage
from comity.insight.errors import PeriodError
from comity.insight.models import PeriodKey
from comity.insight.naming import normal_id, normal_name
from comity.insight.suppression import THRESHOLD, Table, table_of
from comity.risk.models import AlertFeedback
from comity.staff import Permission, require
from comity.staff.services import record_deed
from comity.trade.encoding import finding_from_body

KEYS_KEPT = 8
_KEY_BYTES = 32
_QUARTER = re.compile(r"(\d{4})-Q([1-4])", re.ASCII)
_BANDS = ((1, "1"), (4, "2-4"), (9, "5-9"))
_MANY, _UNKNOWN = "10+", "unknown"
IRREGULAR, IN_ORDER = "irregular", "in_order"


@dataclass(frozen=True, slots=True)
class Quarter:
    """Three months of a year, in UTC."""

    year: int
    number: int

    @property
    def name(self) -> str:
        """As it is written: 2026-Q1."""
        return f"{self.year}-Q{self.number}"

    @property
    def since(self) -> datetime:
        """Its first instant."""
        return datetime(self.year, 3 * self.number - 2, 1, tzinfo=UTC)

    @property
    def until(self) -> datetime:
        """The first instant after it."""
        return datetime(self.year + self.number // 4, 3 * self.number % 12 + 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one quarter. is_provisional: it has not ended, so they are not for publication yet."""

    quarter: Quarter
    administration: str
    made_at: datetime
    is_provisional: bool
    tables: tuple[Table, ...]
    threshold: int = THRESHOLD


def quarter_of(at: datetime) -> Quarter:
    """The quarter in which an instant lies."""
    return Quarter(at.year, (at.month + 2) // 3)


def read_quarter(text: str) -> Quarter:
    """A quarter as 2026-Q1.

    Raises: PeriodError.
    """
    found = _QUARTER.fullmatch(text.strip().upper())
    if found is None or not 1 <= int(found[1]) <= 9998:
        raise PeriodError("Not a quarter", where=text[:20], remedy="Write it as 2026-Q1.")
    return Quarter(int(found[1]), int(found[2]))


def figures(actor: Actor, *, quarter: Quarter, at: datetime) -> Figures:
    """The tables of a quarter, suppressed before anybody sees them; that they were made is in the audit.

    Raises: PermissionRefusedError, PeriodError where it has not begun.
    """
    require(actor, Permission.VIEW_STATISTICS)
    if at < quarter.since:
        raise PeriodError("This quarter has not begun", where=quarter.name, remedy="Choose an earlier one.")
    findings = list(_findings(quarter, at))
    tables = (
        table_of("kind_month", _by_kind_and_month(quarter)),
        table_of("partner_kind", _by_partner_and_kind(quarter)),
        table_of("chapter_outcome", Counter((each.chapter, each.outcome) for each in findings)),
        table_of("month_outcome", Counter((each.month, each.outcome) for each in findings)),
        table_of("partner_outcome", _by_partner_and_outcome(quarter)),
        table_of("trader_outcome", _traders(findings)),
    )
    record_deed(actor, deed="make_statistics", subject=f"period:{quarter.name}", facts={"purpose": "statistics"}, at=at)
    return Figures(quarter, str(settings.COMITY_ADMINISTRATION), at, at < quarter.until, tables)


def period_key(period: str, at: datetime) -> bytes:
    """The key of the pseudonyms of a period, made when it is first needed. Only the last few periods keep theirs."""
    row, _ = PeriodKey.objects.get_or_create(
        period=period, defaults={"key": secrets.token_bytes(_KEY_BYTES), "made_at": at}
    )
    kept = PeriodKey.objects.order_by("-period").values_list("pk", flat=True)[:KEYS_KEPT]
    PeriodKey.objects.exclude(pk__in=list(kept)).exclude(pk=row.pk).delete()
    return bytes(row.key)


def pseudonym(key: bytes, number: str, name: str) -> str:
    """A trader's pseudonym in one period: by its number, else by its name; empty where it has neither."""
    normal = normal_id(number) or normal_name(name)
    return hmac.new(key, normal.encode(), "sha256").hexdigest()[:16] if normal else ""


@dataclass(frozen=True, slots=True)
class _Control:
    month: str
    outcome: str
    chapter: str
    trader: str


def _findings(quarter: Quarter, at: datetime) -> Iterator[_Control]:
    key = period_key(quarter.name, at)
    rows = FindingRow.objects.filter(found_at__gte=quarter.since, found_at__lt=quarter.until).order_by("pk")
    for row in rows.iterator():
        finding = finding_from_body(row.notice)
        who = finding.consignee or finding.consignor
        trader = pseudonym(key, who.id, who.name) if who else ""
        yield _Control(f"{row.found_at:%Y-%m}", row.result, finding.hs_code[:2] or _UNKNOWN, trader)


def _traders(findings: list[_Control]) -> Counter[tuple[str, str]]:
    """How many traders were controlled how often, and whether anything irregular was found."""
    controls = Counter(each.trader for each in findings if each.trader)
    irregular = {each.trader for each in findings if each.outcome == IRREGULAR}
    return Counter((_band(count), IRREGULAR if trader in irregular else IN_ORDER) for trader, count in controls.items())


def _band(count: int) -> str:
    return next((name for most, name in _BANDS if count <= most), _MANY)


def _by_kind_and_month(quarter: Quarter) -> Counter[tuple[str, str]]:
    counted: Counter[tuple[str, str]] = Counter()
    for way, model, moment in (("sent", OutboxMessage, "posted_at"), ("received", InboxMessage, "received_at")):
        rows = model.objects.filter(**_within(quarter, moment), kind__in=KINDS).annotate(
            month=TruncMonth(moment, tzinfo=UTC)
        )
        for kind, month, count in rows.order_by().values_list("kind", "month").annotate(count=Count("pk")):
            counted[f"{kind} {way}", f"{month:%Y-%m}"] += count
    return counted


def _by_partner_and_kind(quarter: Quarter) -> Counter[tuple[str, str]]:
    counted: Counter[tuple[str, str]] = Counter()
    sent = OutboxMessage.objects.filter(**_within(quarter, "posted_at"), kind__in=KINDS)
    came = InboxMessage.objects.filter(**_within(quarter, "received_at"), kind__in=KINDS)
    for way, rows, partner in (("sent", sent, "partner__administration"), ("received", came, "sender")):
        for code, kind, count in rows.order_by().values_list(partner, "kind").annotate(count=Count("pk")):
            counted[code, f"{kind} {way}"] += count
    return counted


def _by_partner_and_outcome(quarter: Quarter) -> Counter[tuple[str, str]]:
    """What partners found where they followed our alerts."""
    rows = AlertFeedback.objects.filter(**_within(quarter, "found_at")).order_by()
    told = rows.values_list("administration", "is_irregular").annotate(count=Count("pk"))
    return Counter({(code, IRREGULAR if is_irregular else IN_ORDER): count for code, is_irregular, count in told})


def _within(quarter: Quarter, moment: str) -> dict[str, datetime]:
    return {f"{moment}__gte": quarter.since, f"{moment}__lt": quarter.until}
