"""Alerts against records."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from comity.risk.signals import match_alert, normal_id, normal_name, signal_keys, traits_of
from comity.trade import Alert, HSCode, Party, Route, Subject, SubjectRole
from comity.trade.values import Address
from tests.risk.cast import alert, declaration, manifest

CONSIGNOR = SubjectRole.CONSIGNOR


def strength(found: Alert, record: object) -> float | None:
    traits = traits_of(record)  # type: ignore[arg-type]
    match = match_alert(found, traits)
    # Whatever matches is also found by its key; what is not found by key cannot be asked.
    assert match is None or set(signal_keys(found)) & traits.keys()
    return match.strength if match else None


def test_names_and_numbers_are_compared_in_normal_form():
    assert normal_name("ALFA Shoes, Ltd.") == normal_name("Alfa Shoes") == "alfa shoes"
    assert normal_name("Ltd") == "ltd"
    assert normal_name("Café Société S.A.") == "cafe societe s a"
    assert normal_id(" xa-47 11") == "xa4711"


class TestSubjects:
    @pytest.mark.parametrize(
        ("subject", "expected"),
        [
            (Subject(CONSIGNOR, "xa4711"), 1.0),
            (Subject(CONSIGNOR, "", "ALFA SHOES LIMITED", "XA"), 0.85),
            (Subject(CONSIGNOR, "", "Alfa Shoes", "XB"), None),
            (Subject(CONSIGNOR, "", "Alfa Shoes", ""), 0.35),  # not enough to name anyone: the goods alone
            (Subject(CONSIGNOR, "XA-9999", "Alfa Shoes", "XA"), 0.85),
            (Subject(CONSIGNOR, "XC-9000"), None),
            (Subject(SubjectRole.CONSIGNEE, "XC-9000"), 1.0),
            (Subject(SubjectRole.DECLARANT, "XA-D1"), 1.0),
            (Subject(SubjectRole.CARRIER, "XA-C1"), 1.0),
            (Subject(SubjectRole.CONTAINER, "MSKU 000000-2"), 1.0),
            (Subject(SubjectRole.CONVEYANCE, "9321483"), 1.0),
            (Subject(SubjectRole.CONTAINER, "MSKU0000003"), None),
        ],
    )
    def test_one_subject(self, at: datetime, subject: Subject, expected: float | None):
        assert strength(alert(at, subjects=(subject,)), declaration()) == expected

    def test_other_goods_make_it_weaker_and_say_so(self, at: datetime):
        found = alert(at, hs_codes=("8517",))
        match = match_alert(found, traits_of(declaration()))
        assert match is not None
        assert match.strength == 0.75
        assert "The goods are others than the alert's (HS 8517)" in [entry.text for entry in match.evidence]

    def test_a_named_party_that_is_absent_is_no_match_whatever_the_goods(self, at: datetime):
        assert strength(alert(at, subjects=(Subject(CONSIGNOR, "XA-1"),)), declaration()) is None

    def test_any_of_several_subjects_is_enough_and_the_strongest_counts(self, at: datetime):
        subjects = (
            Subject(CONSIGNOR, "XA-1"),
            Subject(CONSIGNOR, "", "Alfa Shoes", "XA"),
            Subject(SubjectRole.CONTAINER, "MSKU0000002"),
        )
        match = match_alert(alert(at, subjects=subjects), traits_of(declaration()))
        assert match is not None
        assert match.strength == 1.0
        assert [entry.text for entry in match.evidence] == [
            "Consignor has the name and country in the alert: Alfa Shoes, XA",
            "Container MSKU0000002 is named in the alert",
            "HS code 640411 begins with the alert's 6404",
        ]

    def test_parties_of_goods_items_count(self, at: datetime):
        plain = declaration(exporter=None)
        item = replace(plain.items[0], consignor=Party("XA-4711", "", Address()))
        assert strength(alert(at), replace(plain, items=(item,))) == 1.0


class TestGoodsAndRoute:
    def test_without_names_goods_and_route_match_weakly(self, at: datetime):
        route = Route(origin="XA", destination="XC")
        assert strength(alert(at, subjects=(), route=route), declaration()) == 0.5
        assert strength(alert(at, subjects=()), declaration()) == 0.35
        assert strength(alert(at, subjects=(), hs_codes=(), route=route), declaration()) == 0.2

    @pytest.mark.parametrize(
        ("route", "hs_codes"),
        [
            (Route(origin="XA", destination="XB"), ("6404",)),
            (Route(origin="XB"), ("6404",)),
            (Route(origin="XA"), ("8517",)),
            (Route(place_loading="XBPOR"), ()),
            (Route(), ()),
            (Route(transit=("XB",)), ()),
        ],
    )
    def test_everything_stated_must_fit(self, at: datetime, route: Route, hs_codes: tuple[str, ...]):
        assert strength(alert(at, subjects=(), route=route, hs_codes=hs_codes), declaration()) is None

    @pytest.mark.parametrize(
        "route", [Route(dispatch="XA"), Route(place_loading="XAPOR"), Route(destination="XC"), Route(origin="XA")]
    )
    def test_one_end_of_a_route(self, at: datetime, route: Route):
        assert strength(alert(at, subjects=(), hs_codes=(), route=route), declaration()) == 0.2

    @pytest.mark.parametrize("code", ["64", "640", "6404", "640411", "64041190", "6404119000"])
    def test_hs_codes_match_as_prefixes(self, at: datetime, code: str):
        assert strength(alert(at, subjects=(), hs_codes=(code,)), declaration()) == 0.35

    def test_a_heading_alone_matches_no_longer_code(self, at: datetime):
        short = declaration(hs_code=HSCode("6404"))
        assert strength(alert(at, subjects=(), hs_codes=("640411",)), short) is None
        assert strength(alert(at, subjects=(), hs_codes=("6404",)), short) == 0.35


class TestManifests:
    def test_parties_and_goods_of_each_consignment(self, at: datetime):
        assert strength(alert(at), manifest()) == 1.0
        tea = alert(at, subjects=(Subject(CONSIGNOR, "XA-1"),), hs_codes=("0902",))
        assert strength(tea, manifest()) == 1.0

    def test_ship_carrier_and_route(self, at: datetime):
        assert strength(alert(at, subjects=(Subject(SubjectRole.CONVEYANCE, "9321483"),)), manifest()) == 1.0
        assert strength(alert(at, subjects=(Subject(SubjectRole.CARRIER, "XA-C1"),)), manifest()) == 1.0
        route = Route(dispatch="XA", destination="XC", place_loading="XAPOR")
        assert strength(alert(at, subjects=(), hs_codes=(), route=route), manifest()) == 0.2

    def test_an_empty_manifest_matches_nothing(self, at: datetime):
        bare = replace(manifest(), consignments=(), carrier=None, means_id="", place_loading=None, place_unloading=None)
        assert strength(alert(at), bare) is None
        assert traits_of(bare).keys() == frozenset()


class TestKeys:
    def test_names_go_before_goods_and_goods_before_route(self, at: datetime):
        assert signal_keys(alert(at)) == ("consignor:id:xa4711", "consignor:name:alfa shoes|XA")
        assert signal_keys(alert(at, subjects=(), hs_codes=("64041190", "6404"))) == ("hs:640411", "hs:6404")
        assert signal_keys(alert(at, subjects=(), hs_codes=(), route=Route(dispatch="XB"))) == ("from:XB",)
        assert signal_keys(alert(at, subjects=(Subject(CONSIGNOR),), hs_codes=())) == ()
