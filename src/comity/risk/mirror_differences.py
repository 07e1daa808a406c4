"""Both sides' figures of one consignment put beside each other: what differs, by how much, what it weighs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from comity.risk.mirror_locks import CONVERTED_BAND, MASS_BANDS, VALUE_BAND, Band, convert
from comity.trade import Money, RiskType
from comity.trade.mirror import MirrorFigures

_RISK = {
    "value": RiskType.UNDERVALUATION,
    "gross_mass_kg": RiskType.WRONG_QUANTITY,
    "net_mass_kg": RiskType.WRONG_QUANTITY,
    "packages": RiskType.WRONG_QUANTITY,
    "hs_codes": RiskType.MISCLASSIFICATION,
    "origins": RiskType.FALSE_ORIGIN,
}
LABELS: Mapping[str, str] = {
    "value": "Value",
    "gross_mass_kg": "Gross mass",
    "net_mass_kg": "Net mass",
    "packages": "Packages",
    "hs_codes": "HS codes",
    "origins": "Origin",
}
_UNITS = {"gross_mass_kg": " kg", "net_mass_kg": " kg"}
# What a difference weighs at least, for each whole by which the figures lie apart, and at most.
_WEIGHTS = {
    "value": (20.0, 50.0, 60.0),
    "gross_mass_kg": (12.0, 30.0, 35.0),
    "net_mass_kg": (15.0, 40.0, 45.0),
    "packages": (15.0, 30.0, 35.0),
    "hs_codes": (35.0, 0.0, 35.0),
    "origins": (30.0, 0.0, 30.0),
}
# More than was told at export is seldom a loss to the revenue: it weighs half.
_SHARE_ABOVE = 0.5


@dataclass(frozen=True, slots=True)
class Difference:
    """One field on both sides. ratio: ours of theirs, where both are amounts. weight: 0 where it is within the band."""

    field: str
    ours: str
    theirs: str
    ratio: float | None
    weight: float
    risk_type: RiskType
    bounds: str = ""

    @property
    def label(self) -> str:
        """The words for the field."""
        return LABELS[self.field]

    @property
    def text(self) -> str:
        """The difference as a sentence."""
        told = f"{self.label} {self.ours} here, {self.theirs} in the export declaration"
        if self.ratio is None:
            return told
        span = f"; {self.bounds} is usual" if self.bounds else ""
        return f"{told}: {self.ratio:.0%}{span}"


def differences(
    ours: MirrorFigures, theirs: MirrorFigures, rates: Mapping[str, Decimal] | None = None
) -> tuple[Difference, ...]:
    """Each field that both sides state, in the order of the figures. What cannot be converted is left out."""
    return tuple(_differences(ours, theirs, rates or {}))


def _differences(ours: MirrorFigures, theirs: MirrorFigures, rates: Mapping[str, Decimal]) -> Iterator[Difference]:
    if ours.value is not None and theirs.value is not None:
        yield from _in_value(ours.value, theirs.value, rates)
    for name, band in MASS_BANDS.items():
        own, other = getattr(ours, name), getattr(theirs, name)
        if own is not None and other is not None:
            yield _in_amount(name, own, other, band)
    if ours.packages is not None and theirs.packages is not None:
        yield _in_amount("packages", Decimal(ours.packages), Decimal(theirs.packages), Band(Decimal(1), Decimal(1)))
    for name in ("hs_codes", "origins"):
        own, other = getattr(ours, name), getattr(theirs, name)
        if own and other:
            weight = 0.0 if own == other else _WEIGHTS[name][0]
            yield Difference(name, ", ".join(own), ", ".join(other), None, weight, _RISK[name])


def _in_value(own: Money, other: Money, rates: Mapping[str, Decimal]) -> Iterator[Difference]:
    amount = own.amount if own.currency == other.currency else convert(own, other.currency, rates)
    if amount is None:
        return
    band = VALUE_BAND if own.currency == other.currency else CONVERTED_BAND
    found = _in_amount("value", amount, other.amount, band)
    ours = show_figure("value", own)
    if own.currency != other.currency:
        ours += f" ({show_figure('value', Money(amount.quantize(Decimal('0.01')), other.currency))})"
    yield Difference(
        "value", ours, show_figure("value", other), found.ratio, found.weight, found.risk_type, found.bounds
    )


def _in_amount(name: str, own: Decimal, other: Decimal, band: Band) -> Difference:
    ratio = float(own / other) if other else None
    least, most = 1 / float(band.high), 1 / float(band.low)
    bounds = f"{least:.0%} to {most:.0%}" if band.low != band.high else ""
    is_within = own == other if ratio is None else least - 1e-9 <= ratio <= most + 1e-9
    weight = 0.0 if is_within else _weight(name, ratio)
    return Difference(name, show_figure(name, own), show_figure(name, other), ratio, weight, _RISK[name], bounds)


def _weight(name: str, ratio: float | None) -> float:
    base, slope, most = _WEIGHTS[name]
    if ratio is None:
        return base
    apart = min(abs(1 - ratio), 1.0)
    weight = min(most, base + slope * apart)
    return round(weight * (_SHARE_ABOVE if ratio > 1 and name == "value" else 1.0), 1)


def show_figure(name: str, figure: object) -> str:
    """A figure as officers read it."""
    match figure:
        case Money(amount=amount, currency=currency):
            return f"{amount:,} {currency}"
        case Decimal():
            return f"{figure:,f}{_UNITS.get(name, '')}"
        case tuple():
            return ", ".join(str(each) for each in figure)
        case None:
            return ""
        case _:
            return str(figure)
