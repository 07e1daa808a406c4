"""What partners' controls found and what their alerts name, joined to who declares here, as far as a model may see.

Two ways lead from a partner's word to a trader here: the trader is named by a number or by name and country, or the
finding names a consignment that was declared here, by its UCR or the number of the declaration before. A name becomes a
number from the week on in which a declaration here bore both, so that no earlier week knows what came later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from comity.risk.mirror_locks import Joint, import_references
from comity.risk.modelling.rows import Row, main_item, parties_of
from comity.risk.modelling.told_by_partners import may_be_learned
from comity.risk.models import PartnerFinding, PartnerSignal
from comity.risk.partner_findings import parties_of as parties_named
from comity.risk.signals import CORRECTED_BY, name_key, normal_id, party_key
from comity.trade import AlertCategory, Declaration, Handling
from comity.trade.encoding import alert_from_body

# The columns of a declaration by which partners' words are joined.
ACTORS = ("importer", "exporter", "declarant", "forwarder")
GOODS = ("hs6", "origin")
# An alert of these categories says what a control found.
_FOUND = (AlertCategory.GOODS_SEIZED, AlertCategory.CASH_SEIZED)
_JOINTS = (Joint.UCR, Joint.DECLARED)


@dataclass(frozen=True, slots=True)
class Told:
    """A finding or an alert. item: one number for all messages of one reference. parties: (column, number, name) each.

    is_alert: it says whom to look for, not what was found. goods: HS codes. references: of the consignment.
    """

    item: int
    issuer: str
    is_alert: bool
    is_irregular: bool
    known_at: datetime
    parties: tuple[tuple[str, str, str], ...] = ()
    goods: tuple[str, ...] = ()
    origin: str = ""
    references: tuple[str, ...] = ()


def told_until(until: datetime) -> list[Told]:
    """What had arrived before a time, is held, and may be learned from; the earliest first."""
    seen = _Seen()
    found = [_told_by_finding(row, seen.item_of(row)) for row in _findings(until) if seen.may_learn(row)]
    named = [_told_by_alert(row, seen.item_of(row)) for row in _alerts(until) if seen.may_learn(row)]
    told = (*found, *(each for each in named if each is not None))
    return sorted(told, key=lambda each: (each.known_at, each.item))


@dataclass(slots=True)
class _Seen:
    """Which articles let a model see something, and the number of each reference."""

    _allowed: dict[tuple[str, str], bool] = field(default_factory=dict)
    _items: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def may_learn(self, row: PartnerFinding | PartnerSignal) -> bool:
        by = (row.agreement, row.article)
        if by not in self._allowed:
            self._allowed[by] = may_be_learned(*by)
        return self._allowed[by]

    def item_of(self, row: PartnerFinding | PartnerSignal) -> int:
        return self._items.setdefault((type(row).__name__, row.issuer, row.ref), len(self._items))


def _findings(until: datetime) -> Iterable[PartnerFinding]:
    rows = PartnerFinding.objects.filter(taken_at__lt=until, handling__lte=int(Handling.OFFICIAL))
    return rows.order_by("taken_at", "pk")


def _alerts(until: datetime) -> Iterable[PartnerSignal]:
    """Alerts that nobody withdrew; in whose place a newer one stands was true when it came."""
    is_kept = Q(withdrawn_at=None) | Q(withdrawn_because__startswith=CORRECTED_BY)
    return PartnerSignal.objects.filter(is_kept, taken_at__lt=until).exclude(body={}).order_by("taken_at", "pk")


def _told_by_finding(row: PartnerFinding, item: int) -> Told:
    return Told(
        item=item,
        issuer=row.issuer,
        is_alert=False,
        is_irregular=row.is_irregular,
        known_at=row.taken_at,
        parties=tuple((column, number, name) for column, number, name in row.parties),
        goods=(row.hs_code,) if row.hs_code else (),
        references=tuple(row.references),
    )


def _told_by_alert(row: PartnerSignal, item: int) -> Told | None:
    alert = alert_from_body(row.body)
    if alert.handling > Handling.OFFICIAL:
        return None
    has_found = alert.category in _FOUND
    return Told(
        item=item,
        issuer=row.issuer,
        is_alert=not has_found,
        is_irregular=has_found,
        known_at=row.taken_at,
        parties=tuple((column, number, name) for column, number, name in parties_named(alert.subjects)),
        goods=tuple(dict.fromkeys(alert.hs_codes)),
        origin=alert.route.origin,
    )


@dataclass(slots=True)
class Joining:
    """Meets every declaration here, week by week, and then tells whom and what partners' words are of."""

    told: Sequence[Told]
    _names: set[tuple[str, str]] = field(init=False)
    _wanted: set[str] = field(init=False)
    _keys: dict[tuple[str, str], dict[str, float]] = field(init=False, default_factory=dict)
    _met: dict[str, dict[tuple[object, ...], float]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._names = {(column, name) for each in self.told for column, *two in each.parties for name in two if name}
        self._wanted = {text for each in self.told for text in each.references}

    def meet(self, declaration: Declaration, row: Row, week: float) -> None:
        """A declaration and its row. Weeks come in ascending order."""
        if not self.told:
            return
        for column, party in parties_of(declaration, main_item(declaration)).items():
            key = party_key(party)
            names = (normal_id(party.id), name_key(party.name, party.address.country)) if party else ()
            for name in names:
                if (column, name) in self._names:
                    self._keys.setdefault((column, name), {}).setdefault(key, week)
        if self._wanted:
            words = tuple(row[name] for name in (*ACTORS, *GOODS))
            for each in import_references(declaration):
                if each.joint in _JOINTS and each.text in self._wanted:
                    self._met.setdefault(each.text, {}).setdefault(words, week)

    def rows(self, week_of: Callable[[datetime], float]) -> list[Row]:
        """A row for each of whom something was told, with the week in which it was known here of that one."""
        rows: list[Row] = []
        for each in self.told:
            about = {
                "item": each.item,
                "issuer": each.issuer,
                "is_alert": float(each.is_alert),
                "is_irregular": float(each.is_irregular),
            }
            empty: Row = dict.fromkeys((*ACTORS, *GOODS), "")
            for words, week in self._of(each, week_of(each.known_at)):
                rows.append(about | empty | words | {"week": week})
        return rows

    def _of(self, each: Told, week: float) -> Iterator[tuple[Row, float]]:
        goods = [code[:6] for code in each.goods] or [""]
        for column, number, name in each.parties:
            keys = {number or name: week}
            for alias in (number, name):
                for key, first in self._keys.get((column, alias), {}).items():
                    since = max(first, week)
                    keys[key] = min(keys.get(key, since), since)
            for key, since in keys.items():
                for code in goods:
                    yield {column: key, "hs6": code}, since
        if each.goods:
            for code in goods:
                yield {"hs6": code, "origin": each.origin}, week
        for text in each.references:
            for words, first in self._met.get(text, {}).items():
                yield dict(zip((*ACTORS, *GOODS), words, strict=True)), max(first, week)
