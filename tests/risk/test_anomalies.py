"""What is unusual beside this node's own past: told with its figures, never before there is a past."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from comity.intake.services import receive
from comity.journeys.arrive import assess_records
from comity.risk import QueueFilter
from comity.risk import selectors as risk
from comity.risk.anomalies import Past, judge, remember, traded
from comity.risk.models import TradePair, TradePrice, TradeVolume
from comity.trade import Declaration, Money, Party
from comity.trade.formats.wco_xml import write_wco_xml
from tests.exchange.cast import ANA
from tests.journeys.mirror_cast import IMPORT

US = "XC"


def _past(count: int, at: datetime, *, exporter: Party | None = None) -> Past:
    """Earlier imports of shoes at about 25 a kilogram, one a week."""
    past = Past()
    for number in range(count):
        price = Decimal(24000 + (number % 5) * 200)
        one = _priced(IMPORT, price)
        if exporter is not None:
            one = replace(one, exporter=exporter)
        remember(traded(one), past, at=at - timedelta(weeks=count - number))
    return past


def _priced(declaration: Declaration, price: Decimal, currency: str = "USD", kg: str = "980") -> Declaration:
    (item,) = declaration.items
    return replace(declaration, items=(replace(item, item_price=Money(price, currency), net_mass_kg=Decimal(kg)),))


def _words(declaration: Declaration, past: Past, at: datetime) -> dict[str, str]:
    return {each.source_ref: each.text for each in judge(traded(declaration), past, at=at, administration=US)}


def test_without_a_past_nothing_is_unusual(at: datetime) -> None:
    assert _words(_priced(IMPORT, Decimal(1)), Past(), at) == {}
    assert _words(_priced(IMPORT, Decimal(1)), _past(4, at), at) == {}


def test_what_is_as_ever_is_not_unusual(at: datetime) -> None:
    assert _words(_priced(IMPORT, Decimal(24300)), _past(40, at), at) == {}


def test_a_pair_and_a_route_that_were_never_seen(at: datetime) -> None:
    past = _past(40, at)
    new = replace(IMPORT, exporter=Party("XB777", "Quince Export"), country_dispatch="XB")
    told = _words(new, past, at)
    assert told["first_pair"] == "Kestrel Retail has not traded with Quince Export before, in 40 declarations here"
    assert "None of 40 consignments of HS chapter 64 came from XA by XB" in told["new_route"]


@pytest.mark.parametrize(("price", "words"), [("8000", "far below"), ("80000", "far above")])
def test_a_price_far_from_the_median(price: str, words: str, at: datetime) -> None:
    (reason,) = judge(traded(_priced(IMPORT, Decimal(price))), _past(40, at), at=at, administration=US)
    assert f"is {words} the usual 24.90 for HS 640411 from XA (median of 40 goods items" in reason.text
    assert reason.weight == {"far below": 25.0, "far above": 12.5}[words]
    assert not reason.is_mandatory


def test_a_week_far_above_the_usual(at: datetime) -> None:
    past = _past(12, at)
    told = _words(_priced(IMPORT, Decimal(24000 * 5), kg="4900"), past, at)
    assert told["volume"].startswith("Kestrel Retail brought in 4,900 kg this week, usually 980 kg (median of")


def test_several_small_consignments_just_under_a_threshold(at: datetime) -> None:
    past = Past()
    small = [_priced(IMPORT, Decimal(price), "EUR", "5") for price in ("140", "149", "120")]
    for number, each in enumerate(small):
        told = _words(each, past, at + timedelta(days=number))
        assert ("split" in told) == (number == 2)
        remember(traded(each), past, at=at + timedelta(days=number))
    assert "3 consignments of this pair and HS heading within 7 days" in told["split"]
    assert "together 409.00 EUR" in told["split"]
    assert "split" not in _words(small[0], past, at + timedelta(days=30))


def test_goods_that_went_out_and_come_back(at: datetime) -> None:
    past = Past()
    out = replace(IMPORT, declaration_type="EXA", exporter=IMPORT.importer, importer=IMPORT.exporter)
    remember(traded(out), past, at=at - timedelta(days=20))
    told = _words(IMPORT, past, at)
    assert "went from Kestrel Retail to Blue Heron Trading" in told["circle"]
    assert "circle" not in _words(IMPORT, past, at + timedelta(days=365))


@pytest.mark.django_db
def test_the_past_is_kept_with_the_assessment_and_counted_once(at: datetime) -> None:
    prices = [24000 + (number % 5) * 200 for number in range(14)]
    ids = []
    for number, price in enumerate([*prices, 6000]):
        one = replace(_priced(IMPORT, Decimal(price)), lrn=f"XC-{number}", ucr=f"XC-UCR-{number}")
        receipt = receive(ANA, source="api", name="a.xml", data=write_wco_xml(one), mapping=None, at=at)
        ids += [ref.record_id for ref in receipt.imported]
    for _ in range(2):  # assessed again, the last one stays as unusual as it was, and nothing is counted twice
        assess_records(ids, at=at)
        (row,) = risk.queue(QueueFilter(text="XC-14")).rows
        assert "far below the usual" in row.top_reason
        assert TradePair.objects.get().count == 15
        assert TradeVolume.objects.get().count == 15
        assert len(TradePrice.objects.get().logs) == 15
