"""Hypothesis strategies for the nouns of trade: any declaration or manifest that the parsers may give."""

from __future__ import annotations

import string
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from comity.trade import (
    Consignment,
    Declaration,
    GoodsItem,
    HSCode,
    Manifest,
    Money,
    Party,
    Place,
    Quantity,
    Seal,
    TransportEquipment,
)
from comity.trade.values import AdditionalInformation, Address, DocumentReference, Packaging

# Machines are busy: nothing here may depend on how long a draw takes.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

_LETTERS = string.ascii_letters + string.digits + " -/.,'&<>\"éßЖ中"
words = st.text(_LETTERS, max_size=12).map(str.strip)
refs = st.text(string.ascii_uppercase + string.digits, min_size=1, max_size=12)
countries = st.sampled_from(["", "XA", "XB", "XC", "FR", "CN", "XK"])
masses = st.decimals(0, 10**6, places=3, allow_nan=False, allow_infinity=False)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0)
)
moneys = st.builds(Money, masses.map(lambda amount: amount.quantize(Decimal("0.01"))), st.sampled_from(["EUR", "USD"]))
codes = st.builds(
    HSCode, st.sampled_from(["851830", "010121", "640399"]), st.sampled_from(["", "00", "90", "9000", "12345"])
)
addresses = st.builds(Address, words, words, words, countries)
parties = st.builds(Party, refs, words, addresses)
places = st.builds(Place, refs, st.just(""), countries)
equipment = st.builds(TransportEquipment, refs, st.lists(st.builds(Seal, refs), max_size=2).map(tuple))
documents = st.builds(DocumentReference, refs, words, words, st.just(""), st.just(""))
previous = st.builds(DocumentReference, refs, words, words, st.just(""), words)
statements = st.builds(AdditionalInformation, refs, words)
packagings = st.builds(Packaging, st.none() | st.integers(0, 9999), refs, words)


def _some(strategy: SearchStrategy[object]) -> SearchStrategy[tuple[object, ...]]:
    return st.lists(strategy, max_size=2).map(tuple)


def _maybe(strategy: SearchStrategy[object]) -> SearchStrategy[object]:
    return st.none() | strategy


def items(number: int) -> SearchStrategy[GoodsItem]:
    """A goods item of a given number."""
    return st.builds(
        GoodsItem,
        item_no=st.just(number),
        hs_code=_maybe(codes),
        description=words,
        cas_or_cus=words,
        un_dangerous_goods=words,
        origin=countries,
        gross_mass_kg=_maybe(masses),
        net_mass_kg=_maybe(masses),
        supplementary_quantity=_maybe(st.builds(Quantity, masses, st.sampled_from(["", "NAR"]))),
        packages=_some(packagings),
        procedure=st.sampled_from(["", "40", "4000", "1040"]),
        item_price=_maybe(moneys),
        statistical_value=_maybe(moneys),
        valuation_method=words,
        duty_regime=words,
        consignor=_maybe(parties),
        consignee=_maybe(parties),
        documents=_some(documents),
        previous_documents=_some(previous),
        additional_information=_some(statements),
    )


def consignments(**fields: SearchStrategy[object]) -> SearchStrategy[Consignment]:
    """A consignment; fields replace or add what is drawn."""
    drawn: dict[str, SearchStrategy[object]] = {
        "carrier": _maybe(parties),
        "consignor": _maybe(parties),
        "consignee": _maybe(parties),
        "place_loading": _maybe(places),
        "place_unloading": _maybe(places),
        "goods_location": _maybe(places),
        "routing": _some(st.sampled_from(["XA", "XB"])),
        "transport_equipment": _some(equipment),
    }
    return st.builds(Consignment, **(drawn | fields))


def declarations() -> SearchStrategy[Declaration]:
    """A declaration of up to two items."""
    return st.builds(
        Declaration,
        lrn=refs,
        declaration_type=words,
        function=words,
        mrn=words,
        accepted_at=_maybe(moments),
        office=words,
        declarant=_maybe(parties),
        agent=_maybe(parties),
        agent_function=words,
        exporter=_maybe(parties),
        importer=_maybe(parties),
        authorisations=_some(st.builds(DocumentReference, refs, words)),
        country_dispatch=countries,
        country_destination=countries,
        consignment=consignments(
            mode_border=words,
            means_id=words,
            means_nationality=countries,
            conveyance_ref=words,
            packages_total=_maybe(st.integers(0, 99)),
            gross_mass_total_kg=_maybe(masses),
        ),
        items_count=_maybe(st.integers(0, 99)),
        invoice_amount=_maybe(moneys),
        delivery_terms=words,
        delivery_place=words,
        transaction_nature=words,
        ucr=words,
        previous_documents=_some(previous),
        guarantees=_some(st.builds(DocumentReference, refs, words)),
        additional_information=_some(statements),
        items=st.integers(0, 2).flatmap(lambda count: st.tuples(*(items(number + 1) for number in range(count)))),
    )


def manifests() -> SearchStrategy[Manifest]:
    """A manifest of up to two consignments."""
    return st.builds(
        Manifest,
        report_ref=refs,
        function=words,
        office=words,
        carrier=_maybe(parties),
        mode_border=words,
        means_id=words,
        means_nationality=countries,
        conveyance_ref=words,
        place_loading=_maybe(places),
        place_unloading=_maybe(places),
        expected_at=_maybe(moments),
        consignments=_some(
            consignments(
                master_bill=words,
                house_bill=words,
                description=words,
                hs_code=_maybe(codes),
                packages_total=_maybe(st.integers(0, 99)),
                gross_mass_total_kg=_maybe(masses),
                ucr=words,
            )
        ),
    )
