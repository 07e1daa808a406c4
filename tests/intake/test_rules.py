"""What identifies a record, and by what it is matched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.intake import KeyKind, normal_key
from comity.intake.rules import keys_of, lodged_by, reference_of
from comity.intake.values import kind_of
from comity.trade import Consignment, Declaration, GoodsItem, Manifest, Party, TransportEquipment
from tests.trade.nouns import declarations, manifests, patient


@pytest.mark.parametrize(
    ("kind", "text", "normal"),
    [
        (KeyKind.CONTAINER, "csqu 305438-3", "csqu3054383"),
        (KeyKind.EXPORTER_NAME, "  Société  Générale, S.A. ", "societe generale s a"),
        (KeyKind.EXPORTER_NAME, "ΑΛΦΑ Ήχος", "αλφα ηχοσ"),
        (KeyKind.EXPORTER_NAME, "Straße", "strasse"),
        (KeyKind.EXPORTER_ID, "XA-900.100", "xa900100"),
        (KeyKind.BILL, " / ", ""),
        (KeyKind.BILL, "x" * 500, "x" * 200),
    ],
)
def test_keys_have_a_normal_form(kind: KeyKind, text: str, normal: str) -> None:
    assert normal_key(kind, text) == normal


@patient
@given(st.sampled_from(KeyKind), st.text(max_size=60))
def test_the_normal_form_of_a_normal_form_is_itself(kind: KeyKind, text: str) -> None:
    once = normal_key(kind, text)
    assert normal_key(kind, once) == once


def test_a_declaration_is_matched_by_all_its_parties_and_containers() -> None:
    record = Declaration(
        "L1",
        ucr="U-1",
        exporter=Party("XA1", "Alfa"),
        importer=Party("XC1"),
        consignment=Consignment(
            consignor=Party(name="Alfa Logistics"),
            master_bill="B1",
            transport_equipment=(TransportEquipment("CSQU3054383"),),
        ),
        items=(GoodsItem(1, consignor=Party("XA2"), consignee=Party(name="Chipo")),),
    )
    assert keys_of(record) == {
        (KeyKind.UCR, "u1"),
        (KeyKind.EXPORTER_ID, "xa1"),
        (KeyKind.EXPORTER_ID, "xa2"),
        (KeyKind.EXPORTER_NAME, "alfa"),
        (KeyKind.EXPORTER_NAME, "alfa logistics"),
        (KeyKind.IMPORTER_ID, "xc1"),
        (KeyKind.IMPORTER_NAME, "chipo"),
        (KeyKind.BILL, "b1"),
        (KeyKind.CONTAINER, "csqu3054383"),
    }


def test_a_manifest_is_matched_by_its_consignments() -> None:
    record = Manifest("R1", means_id="IMO 9074729", consignments=(Consignment(house_bill="H1", ucr="U1"),))
    assert keys_of(record) == {(KeyKind.MEANS_ID, "imo9074729"), (KeyKind.BILL, "h1"), (KeyKind.UCR, "u1")}


def test_who_lodged_a_record_is_part_of_its_identity() -> None:
    assert lodged_by(Declaration("L1", declarant=Party("XC1", "Chipo"))) == "XC1"
    assert lodged_by(Declaration("L1", declarant=Party(name="Chipo"))) == "Chipo"
    assert lodged_by(Declaration("L1")) == ""
    assert lodged_by(Manifest("R1", carrier=Party("XB7"))) == "XB7"


@patient
@given(st.one_of(declarations(), manifests()))
def test_every_record_has_a_kind_a_reference_and_keys(record: Declaration | Manifest) -> None:
    assert kind_of(record).value == type(record).__name__.lower()
    assert reference_of(record)
    assert all(text for _, text in keys_of(record))
