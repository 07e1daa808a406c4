"""Who is named where, and what counts as the same name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from comity.agreements.procedures import procedure
from comity.insight.errors import ReportOpenError
from comity.insight.naming import (
    Asked,
    Named,
    is_named,
    keyed,
    keys_of,
    named_in_alert,
    named_in_record,
    named_in_step,
    variants_of,
)
from comity.insight.subjects import Decided, Decision, Item, answer_of, candidates_of, confirmed, parts_of
from comity.intake import KeyKind
from comity.intake.rules import keys_of as intake_keys
from comity.trade import Consignment, Declaration, GoodsItem, Handling, Manifest, Party, Subject, SubjectRole
from tests.exchange.cast import alert

pytestmark = pytest.mark.once
AT = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "stands"),
    [
        ("Larkfield Trading", "LARKFIELD TRADING LTD"),
        ("Larkfield Trading Ltd.", "Larkfield-Trading"),
        ("José Núñez", "NUNEZ, JOSE"),
        ("Anna Maria van Dam", "Van Dam Anna Maria"),
        ("Müller GmbH", "muller"),
    ],
)
def test_case_accents_order_and_legal_form_do_not_count(asked: str, stands: str):
    assert is_named(Named("exporter", name=stands), *variants_of(Asked(asked)))


@pytest.mark.parametrize("stands", ["Larkfield", "Larkfield Trading House", "Larkfeld Trading", ""])
def test_nothing_is_guessed(stands: str):
    assert not is_named(Named("exporter", name=stands), *variants_of(Asked("Larkfield Trading")))


def test_a_number_is_compared_by_its_signs():
    names, ids = variants_of(Asked(ids=("XA 12-34", " ")))
    assert names == frozenset()
    assert is_named(Named("importer", id="xa1234"), names, ids)
    assert not is_named(Named("importer", id="xa12345"), names, ids)


def test_everybody_in_a_declaration_is_named_and_intake_finds_them():
    declaration = Declaration(
        lrn="L",
        declarant=Party("D1", "Doe Agents"),
        exporter=Party("E1", "Ex"),
        consignment=Consignment(carrier=Party("C1", "Car")),
        items=(GoodsItem(1, consignee=Party("I1", "Im")),),
    )
    assert [each.role for each in named_in_record(declaration)] == ["declarant", "exporter", "carrier", "consignee"]
    keys = intake_keys(declaration)
    assert {(KeyKind.DECLARANT_ID, "d1"), (KeyKind.DECLARANT_NAME, "doe agents"), (KeyKind.CARRIER_NAME, "car")} <= keys
    manifest = Manifest("R", carrier=Party("C1", "Car"), consignments=(Consignment(consignor=Party("E1", "Ex")),))
    assert [each.role for each in named_in_record(manifest)] == ["carrier", "consignor"]
    assert (KeyKind.CARRIER_ID, "c1") in intake_keys(manifest)


def test_containers_and_ships_are_nobody():
    box = Subject(SubjectRole.CONTAINER, "XALU1234568")
    trader = Subject(SubjectRole.CONSIGNOR, "XB1", "Larkfield", "XB")
    named = named_in_alert(replace(alert(), subjects=(box, trader)))
    assert named == (Named("consignor", "XB1", "Larkfield", "XB"),)
    assert keys_of(named) == {"id:xb1", "name:larkfield"}


def test_of_a_step_only_what_is_marked_as_personal_is_read():
    fields = {"persons": "Jane Doe, 1 High Street; John Roe", "subject": "Nobody Here"}
    named = {each.name for each in named_in_step(procedure("maa"), fields)}
    assert {"Jane Doe", "John Roe", "1 High Street"} <= named
    assert "Nobody Here" not in named


def test_the_index_depends_on_the_key():
    assert keyed(b"a", "name:x") != keyed(b"b", "name:x")
    assert len(keyed(b"a", "name:x")) == 64


def item(ref: str, *named: Named, handling: Handling = Handling.OFFICIAL, **more: object) -> Item:
    return replace(Item(ref, "alert", ref, named, "XB", AT, "control", "national", handling), **more)


LARK, OTHER = Named("exporter", "1", "Larkfield"), Named("importer", "2", "Larkfield")


def test_candidates_are_spellings_and_others_are_left_out_of_what_is_confirmed():
    found = (item("a", LARK, OTHER), item("b", LARK), item("c", OTHER))
    assert [(each.spelling, each.in_how_many) for each in candidates_of(found)] == [
        ("Larkfield · 1", 2),
        ("Larkfield · 2", 2),
    ]
    kept = confirmed(found, [LARK.spelling])
    assert [(each.ref, each.named) for each in kept] == [("a", (LARK,)), ("b", (LARK,))]


def test_there_is_no_answer_before_each_restricted_part_is_decided():
    items = [
        item("a", LARK),
        item("b", LARK, handling=Handling.RESTRICTED),
        item("c", LARK, handling=Handling.CONFIDENTIAL),
        item("d", LARK, is_asked_of_origin=True),
    ]
    with pytest.raises(ReportOpenError, match="3 parts wait"):
        answer_of(parts_of(items, {}))
    decided = {
        "b": Decided(Decision.WITHHOLD, "investigation", "officer:boris", AT),
        "c": Decided(Decision.OMIT, "security", "officer:boris", AT),
        "d": Decided(Decision.DISCLOSE, "", "officer:boris", AT),
    }
    told = answer_of(parts_of(items, decided))
    assert [(each.item.ref, each.is_told) for each in told] == [("a", True), ("b", False), ("d", True)]
