"""A declaration as a row of the table that models learn from and are asked about: one mapping for both. Pure.

A declaration has one row, as it has one outcome: goods, code and origin are those of its dearest item, mass and
quantity of all. Rates and taxes are computed from the tariff where there is one: a declaration here carries none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from comity.risk.goals import declared_value
from comity.risk.signals import party_key
from comity.trade import Declaration, GoodsItem, Party, RiskType

Row = dict[str, object]
EPOCH = date(1970, 1, 1)
_FINDINGS = {
    RiskType.UNDERVALUATION.value: "UV",
    RiskType.MISCLASSIFICATION.value: "MC",
    RiskType.FALSE_ORIGIN.value: "OR",
    RiskType.WRONG_QUANTITY.value: "QT",
    RiskType.COUNTERFEIT.value: "IP",
    RiskType.PROHIBITED.value: "PR",
    RiskType.SMUGGLING.value: "PR",
    RiskType.SAFETY.value: "PR",
}
_CRITICAL = frozenset({"IP", "PR"})
# DE 4/17: 1 is the ordinary rate; 2, 3 and 4 are preferences.
_PREFERENCES = ("2", "3", "4")


def monday_of(at: datetime) -> int:
    """The Monday of a moment's week in UTC, in days since 1970-01-01."""
    day = at.astimezone(UTC).date()
    return (day - timedelta(days=day.weekday()) - EPOCH).days


def day_of(at: datetime) -> int:
    """The day of a moment in UTC, in days since 1970-01-01."""
    return (at.astimezone(UTC).date() - EPOCH).days


def is_import(declaration: Declaration, administration: str) -> bool:
    """Whether these goods come in here."""
    is_export = declaration.declaration_type.upper().startswith("EX")
    return not is_export and declaration.country_destination in ("", administration)


def row_of(declaration: Declaration, *, administration: str, arrived_at: datetime, rates: Mapping[str, float]) -> Row:
    """The declared columns of a row. rates: percent by subheading."""
    item = main_item(declaration)
    hs6 = item.hs_code.subheading[:6] if item and item.hs_code else ""
    has_preference = bool(item and item.duty_regime.startswith(_PREFERENCES))
    value, rate = _value_of(declaration), 0.0 if has_preference else rates.get(hs6, 0.0)
    consignment = declaration.consignment
    return {
        "dest": administration,
        "date": EPOCH + timedelta(days=day_of(arrived_at)),
        "office": declaration.office,
        **{name: party_key(party) for name, party in parties_of(declaration, item).items()},
        "hs6": hs6,
        "origin": item.origin if item else "",
        "departure": declaration.country_dispatch,
        "transport": consignment.mode_border,
        "ucr": declaration.ucr or consignment.ucr,
        "preference": float(has_preference),
        "aeo": float(any(entry.category.startswith("AEO") for entry in declaration.authorisations)),
        "net_mass": float(sum(each.net_mass_kg or each.gross_mass_kg or 0 for each in declaration.items)),
        "quantity": _quantity_of(declaration),
        "cif_value": value,
        "duty_rate": rate,
        "taxes_paid": round(value * rate / 100.0, 2),
    }


def outcome_of(*, is_irregular: bool, risk_type: str, revenue: float | None = None) -> Row:
    """The columns of a control's outcome. revenue: what it came to; None: not known, unless all was in order."""
    finding = _FINDINGS.get(risk_type, "ERR") if is_irregular else ""
    return {
        "illicit": float(is_irregular),
        "revenue": revenue if is_irregular else 0.0,
        "critical": float(finding in _CRITICAL),
        "finding": finding,
    }


NO_OUTCOME: Row = {"illicit": None, "revenue": None, "critical": None, "finding": None}


def parties_of(declaration: Declaration, item: GoodsItem | None) -> dict[str, Party | None]:
    """Who stands in which column. item: the goods item that stands for the declaration."""
    consignment = declaration.consignment
    return {
        "importer": declaration.importer or consignment.consignee or (item.consignee if item else None),
        "declarant": declaration.declarant,
        "exporter": declaration.exporter or consignment.consignor or (item.consignor if item else None),
        "forwarder": consignment.carrier,
    }


def main_item(declaration: Declaration) -> GoodsItem | None:
    """The dearest item; where values do not compare, the first."""
    items = declaration.items
    prices = [each.statistical_value or each.item_price for each in items]
    known = [price for price in prices if price is not None]
    if not items or len(known) < len(items) or len({price.currency for price in known}) > 1:
        return items[0] if items else None
    return items[max(range(len(items)), key=lambda place: (known[place].amount, -place))]


def _value_of(declaration: Declaration) -> float:
    value = declared_value(declaration)
    return float(value.amount) if value else 0.0


def _quantity_of(declaration: Declaration) -> float:
    counts = [each.supplementary_quantity.value for each in declaration.items if each.supplementary_quantity]
    if counts:
        return float(sum(counts))
    return float(sum(pack.quantity or 0 for each in declaration.items for pack in each.packages))
