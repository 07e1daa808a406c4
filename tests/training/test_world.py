"""The made-up world is one world: the same from the same seed, and of a piece across its three administrations."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import imo, iso6346

from comity.trade import Declaration, Exhibit, Handling, RiskType
from comity.trade.encoding import alert_from_body, alert_to_body
from comity.training import ADMINISTRATIONS, EXPORTER, IMPORTER, TRANSIT, Day, day_of_trade
from comity.training.cast import CHEAPER_HEADING, GOODS

DAY = day_of_trade(7, 120)


def by_ucr(declarations: tuple[Declaration, ...]) -> dict[str, Declaration]:
    return {declaration.ucr: declaration for declaration in declarations}


def price_per_kg(declaration: Declaration) -> Decimal:
    item = declaration.items[0]
    assert item.item_price is not None
    assert item.net_mass_kg is not None
    return item.item_price.amount / item.net_mass_kg


def test_the_administrations_bear_codes_that_no_country_bears() -> None:
    assert [administration.code for administration in ADMINISTRATIONS] == ["XA", "XB", "XC"]


def test_the_same_seed_makes_the_same_day_and_another_makes_another() -> None:
    assert day_of_trade(7, 120) == DAY
    assert day_of_trade(8, 120).exports != DAY.exports


def test_a_day_needs_a_consignment() -> None:
    with pytest.raises(ValueError, match="at least one"):
        day_of_trade(1, 0)


def test_each_consignment_appears_at_all_three_under_one_ucr() -> None:
    exported, imported = set(by_ucr(DAY.exports)), set(by_ucr(DAY.imports))
    in_transit = {consignment.ucr for manifest in DAY.transit for consignment in manifest.consignments}
    arrived = {consignment.ucr for manifest in DAY.arrivals for consignment in manifest.consignments}
    assert exported == imported == in_transit == arrived
    assert len(exported) == 121
    assert {manifest.office for manifest in DAY.transit} == {TRANSIT.office}
    assert {manifest.office for manifest in DAY.arrivals} == {IMPORTER.office}


def test_references_are_unique() -> None:
    lrns = [d.lrn for d in (*DAY.exports, *DAY.imports, *DAY.afternoon_exports)]
    assert len(lrns) == len(set(lrns))
    ucrs = [d.ucr for d in (*DAY.exports, *DAY.afternoon_exports)]
    assert len(ucrs) == len(set(ucrs))
    assert all(len(ucr) <= 35 for ucr in ucrs)
    assert all(len(lrn) <= 22 for lrn in lrns)
    assert all(len(d.mrn) == 18 for d in DAY.exports)


def test_containers_and_ships_bear_valid_numbers() -> None:
    for declaration in (*DAY.exports, *DAY.imports, *DAY.afternoon_exports):
        for equipment in declaration.consignment.transport_equipment:
            iso6346.validate(equipment.id)
    for manifest in (*DAY.transit, *DAY.arrivals):
        imo.validate(manifest.means_id)


def test_the_goods_come_from_a_dozen_headings_and_sum_up() -> None:
    items = [item for declaration in DAY.exports for item in declaration.items]
    assert len({item.hs_code.heading for item in items if item.hs_code}) >= 12
    for declaration in DAY.exports:
        masses = [item.gross_mass_kg for item in declaration.items if item.gross_mass_kg]
        assert declaration.consignment.gross_mass_total_kg == sum(masses)
        assert declaration.items_count == len(declaration.items)


def test_what_hides_something_is_told_otherwise_at_the_border_of_import() -> None:
    exports, imports = by_ucr(DAY.exports), by_ucr(DAY.imports)
    for ucr, truth in DAY.truth.items():
        if ucr not in imports:
            continue
        told, retold = exports[ucr].items, imports[ucr].items
        same = [
            (a.hs_code, a.origin, a.net_mass_kg, a.item_price) == (b.hs_code, b.origin, b.net_mass_kg, b.item_price)
            for a, b in zip(told, retold, strict=True)
        ]
        assert all(same) is (truth.risk_type is None), (ucr, truth)


def test_a_false_heading_or_origin_is_told_as_such() -> None:
    exports, imports = by_ucr(DAY.exports), by_ucr(DAY.imports)
    kinds = {truth.risk_type for truth in DAY.truth.values()}
    assert {RiskType.MISCLASSIFICATION, RiskType.FALSE_ORIGIN, RiskType.WRONG_QUANTITY} <= kinds
    for ucr, truth in DAY.truth.items():
        if truth.risk_type is RiskType.MISCLASSIFICATION:
            pairs = zip(exports[ucr].items, imports[ucr].items, strict=True)
            assert all(str(b.hs_code) == CHEAPER_HEADING[str(a.hs_code)] for a, b in pairs)
        if truth.risk_type is RiskType.FALSE_ORIGIN:
            assert {item.origin for item in imports[ucr].items} == {"XB"}


def test_most_trade_is_in_order_and_the_crooked_few_are_behind_much_of_the_rest() -> None:
    day = day_of_trade(3, 1500)
    hidden = [truth for truth in day.truth.values() if truth.risk_type]
    assert 0.05 < len(hidden) / len(day.truth) < 0.25
    by_consignor = Counter(truth.consignor_id for truth in hidden)
    top_two = sum(count for _, count in by_consignor.most_common(2))
    assert top_two / len(hidden) > 0.5


def test_the_story_is_told_by_the_papers() -> None:
    story = DAY.story
    first = next(d for d in DAY.imports if d.lrn == story.first_import_lrn)
    second = next(d for d in DAY.afternoon_exports if d.lrn == story.second_export_lrn)
    assert (first.ucr, second.ucr) == (story.first_ucr, story.second_ucr)
    assert first.exporter == second.exporter == story.consignor
    assert str(first.items[0].hs_code) == str(second.items[0].hs_code) == story.goods_hs
    assert DAY.truth[story.first_ucr].risk_type is DAY.truth[story.second_ucr].risk_type is RiskType.COUNTERFEIT
    assert first.accepted_at is not None
    assert second.accepted_at is not None
    assert first.accepted_at.hour < 12 <= second.accepted_at.hour
    others = [d for d in (*DAY.exports, *DAY.afternoon_exports) if d.exporter == story.consignor]
    assert len(others) == 2


@pytest.mark.parametrize("seed", range(1, 12))
def test_only_the_first_of_the_story_is_priced_far_below_the_usual(seed: int) -> None:
    day = day_of_trade(seed, 3)
    usual = next(goods for goods in GOODS if goods.hs == day.story.goods_hs)
    first = by_ucr(day.imports)[day.story.first_ucr]
    second = by_ucr(day.afternoon_exports)[day.story.second_ucr]
    assert price_per_kg(first) < usual.low * Decimal("0.55")
    assert usual.low - Decimal("0.01") <= price_per_kg(second) <= usual.high + Decimal("0.01")


def test_the_alerts_are_notices_that_a_partner_can_read(at: datetime) -> None:
    exhibit = Exhibit("carton-label.png", "0" * 64, "image/png", 997)
    for text in (DAY.story.alert, DAY.story.refused_alert):
        alert = text.issue(issuer="XC", at=at, exhibits=(exhibit,))
        assert alert_from_body(alert_to_body(alert)) == alert
    assert DAY.story.alert.subjects[0].id == DAY.story.consignor.id
    assert DAY.story.refused_alert.handling is Handling.CONFIDENTIAL


def test_the_day_may_be_any_day() -> None:
    day = day_of_trade(1, 2, day=date(2027, 12, 31))
    assert day.imports[0].accepted_at == datetime(2027, 12, 31, 7, 0, 7, tzinfo=UTC)
    assert day.exports[0].office == EXPORTER.office


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), size=st.integers(1, 30))
def test_any_seed_makes_a_whole_day(seed: int, size: int) -> None:
    day: Day = day_of_trade(seed, size)
    assert len(day.exports) == len(day.imports) == size + 1
    assert set(day.truth) == {d.ucr for d in (*day.exports, *day.afternoon_exports)}
    assert day.story.second_ucr in {d.ucr for d in day.afternoon_exports}
