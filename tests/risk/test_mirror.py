"""The mirror check's rules: locks, steps, bands; and its pages, without a second node."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.risk.mirror_differences import differences
from comity.risk.mirror_locks import (
    CONVERTED_BAND,
    MASS_BANDS,
    VALUE_BAND,
    Joint,
    Reference,
    commit_to,
    compare,
    figures_of,
    import_references,
    is_kept,
    is_other_consignment,
    lock,
    new_key,
    open_lock,
    step_of,
    tag_of,
)
from comity.trade import Money, NoticeError
from comity.trade.mirror import (
    MIRROR_FIELDS,
    MirrorFigures,
    MirrorLock,
    MirrorOffer,
    MirrorRequest,
    MirrorValues,
    mirror_to_body,
    offer_from_body,
    request_from_body,
    values_from_body,
)
from comity.trade.values import DocumentReference
from tests.journeys.mirror_cast import EXPORT, IMPORT

pytestmark = pytest.mark.once
KEY, CONTENT = "11" * 32, "22" * 32
FIGURES = figures_of(EXPORT)
MESSAGE = "00000000-0000-7000-8000-000000000001"
amounts = st.decimals(Decimal("0.01"), Decimal("1e12"), places=2)


def test_who_has_the_reference_opens_the_lock_and_nobody_else() -> None:
    reference = Reference(Joint.UCR, "6xaxa1232026000017")
    hung = lock(KEY, reference, CONTENT)
    assert hung.tag == tag_of(KEY, reference)
    assert open_lock(KEY, reference, hung.wrapped) == CONTENT
    for key, other in (
        (new_key(), reference),
        (KEY, replace(reference, joint=Joint.BILL)),
        (KEY, replace(reference, text="7")),
    ):
        assert tag_of(key, other) != hung.tag
        assert open_lock(key, other, hung.wrapped) != CONTENT
    assert lock(KEY, reference, CONTENT).wrapped != hung.wrapped


def test_the_number_of_the_export_is_found_among_previous_documents() -> None:
    named = replace(IMPORT, ucr="", previous_documents=(DocumentReference("26xa 0000-0000000001", "X", "830"),))
    texts = {(each.joint, each.text) for each in import_references(named)}
    assert (Joint.DECLARED, "26xa00000000000001") in texts


@given(amounts, st.decimals(Decimal("0.3"), Decimal("3"), places=3))
def test_a_value_agrees_within_the_band_and_not_beyond_a_step_of_it(amount: Decimal, ratio: Decimal) -> None:
    told = MirrorFigures(value=Money(amount, "USD"))
    ours = MirrorFigures(value=Money(amount * ratio, "USD"))
    agrees = compare(CONTENT, commit_to(CONTENT, told), ours).agreed == ("value",)
    least, most = 1 / VALUE_BAND.high, 1 / VALUE_BAND.low
    if least <= ratio <= most:
        assert agrees
    if not least / Decimal("1.01") <= ratio <= most * Decimal("1.01"):
        assert not agrees


@given(amounts)
def test_a_step_is_one_per_cent(amount: Decimal) -> None:
    step = step_of(amount)
    assert Decimal("1.01") ** step <= amount * Decimal("1.0000000001")
    assert amount < Decimal("1.01") ** (step + 1) * Decimal("1.0000000001")


def test_every_field_that_differs_is_named_and_what_is_not_stated_is_open() -> None:
    told = commit_to(CONTENT, FIGURES)
    assert compare(CONTENT, told, FIGURES).agreed == MIRROR_FIELDS
    other = MirrorFigures(
        Money(Decimal(100), "USD"), Decimal(1), Decimal(1), packages=1, hs_codes=("640299",), origins=("XB",)
    )
    assert compare(CONTENT, told, other).differing == MIRROR_FIELDS
    assert compare(CONTENT, told, MirrorFigures()).open == MIRROR_FIELDS
    assert compare(CONTENT, commit_to(CONTENT, MirrorFigures()), FIGURES).open == MIRROR_FIELDS
    assert {each.field for each in differences(other, FIGURES) if each.weight > 0} == set(MIRROR_FIELDS)


def test_another_currency_needs_rates() -> None:
    told, ours = commit_to(CONTENT, FIGURES), replace(FIGURES, value=Money(Decimal("22000"), "EUR"))
    assert "value" in compare(CONTENT, told, ours).open
    rates = {"EUR": Decimal("1.10"), "USD": Decimal(1)}
    assert "value" in compare(CONTENT, told, ours, rates).agreed
    cheap = replace(ours, value=Money(Decimal(10000), "EUR"))
    assert "value" in compare(CONTENT, told, cheap, rates).differing
    (found, *_) = differences(cheap, FIGURES, rates)
    assert "10,000 EUR (11,000.00 USD) here, 24,000.00 USD in the export declaration: 46%" in found.text
    assert CONVERTED_BAND.low < VALUE_BAND.low


def test_two_ucrs_are_two_consignments() -> None:
    told = commit_to(CONTENT, FIGURES, ucr="one")
    assert is_other_consignment(CONTENT, told, [Reference(Joint.UCR, "two")])
    assert not is_other_consignment(CONTENT, told, [Reference(Joint.UCR, "one")])
    assert not is_other_consignment(CONTENT, told, [Reference(Joint.CONTAINER, "two")])


def test_a_figure_that_was_not_committed_to_is_seen() -> None:
    told = commit_to(CONTENT, FIGURES)
    assert all(is_kept(CONTENT, told, FIGURES).values())
    assert is_kept(CONTENT, told, MirrorFigures(value=Money(Decimal(9), "USD"))) == {"value": False}


def test_bands_are_told_in_the_sentence() -> None:
    assert MASS_BANDS["net_mass_kg"].low < 1 < MASS_BANDS["net_mass_kg"].high
    lighter = replace(FIGURES, net_mass_kg=Decimal(500))
    (found,) = [each for each in differences(lighter, FIGURES) if each.weight > 0]
    assert found.text == "Net mass 500 kg here, 980.00 kg in the export declaration: 51%; 97% to 103% is usual"


@pytest.mark.parametrize(
    ("field", "value"),
    [("period", "2026"), ("key", "1"), ("locks", ()), ("replaces", "x"), ("administration", "x")],
)
def test_a_bad_offer_is_refused_by_field(field: str, value: object) -> None:
    offer = MirrorOffer("XA", "2026-Q1", KEY, (MirrorLock("0" * 64, "0" * 96),), commit_to(CONTENT, FIGURES))
    assert offer_from_body(mirror_to_body(offer)) == offer
    with pytest.raises(NoticeError) as caught:
        offer_from_body(mirror_to_body(replace(offer, **{field: value})))  # type: ignore[arg-type]
    assert caught.value.where == field


def test_bad_requests_and_figures_are_refused() -> None:
    request = MirrorRequest("XC", MESSAGE, ("value",), "0" * 64)
    assert request_from_body(mirror_to_body(request)) == request
    values = MirrorValues("XA", MESSAGE, FIGURES, "26XA1")
    assert values_from_body(mirror_to_body(values)) == values
    for bad in (replace(request, fields=("price",)), replace(request, fields=()), replace(request, proof="0")):
        with pytest.raises(NoticeError):
            request_from_body(mirror_to_body(bad))
    for figures in (
        replace(FIGURES, packages=-1),
        replace(FIGURES, hs_codes=("x",)),
        replace(FIGURES, origins=("xx",)),
    ):
        with pytest.raises(NoticeError):
            values_from_body(mirror_to_body(replace(values, figures=figures)))
