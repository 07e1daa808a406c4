"""Two real nodes: an export is told as commitments, matched with an import, and only what differs is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.custody.cast import World
from tests.journeys.mirror_cast import CODES, EXPORT, IMPORT, pair, paper, priced

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """XA exports, XC imports."""
    with pair(tmp_path_factory.mktemp("mirror")) as made:
        yield made


def _settle(nodes: World) -> None:
    nodes.settle(among=CODES)


def _kinds(nodes: World, code: str) -> list[str]:
    return [each["kind"] for each in nodes.ask(code, "posted")]


def _reasons_of(nodes: World, reference: str) -> dict[str, object]:
    return next(each for each in nodes.ask("XC", "reasons") if each["reference"] == reference)


def _trade(number: int) -> dict[str, str]:
    return {"ucr": f"6XAXA123-2026-{number:06d}"}


def test_equal_figures_are_proven_equal_and_none_is_told(nodes: World) -> None:
    nodes.ask("XA", "lodge", data=paper(replace(EXPORT, **_trade(1))))
    _settle(nodes)
    # On arrival freight and insurance have come to it.
    nodes.ask("XC", "lodge", data=paper(priced(replace(IMPORT, **_trade(1)), "25900.00")))
    _settle(nodes)
    (match,) = nodes.ask("XC", "matches")
    assert match[:2] == ["ucr", "agreed"]
    assert set(match[2]) == {"value", "gross_mass_kg", "net_mass_kg", "packages", "hs_codes", "origins"}
    assert _kinds(nodes, "XA") == ["mirror/1"]
    assert _kinds(nodes, "XC") == []
    told = json.dumps(nodes.ask("XA", "posted"))
    assert "640411" not in told
    assert "24000" not in told
    assert EXPORT.mrn not in told
    assert _reasons_of(nodes, "XC-I-1")["reasons"] == []


@pytest.mark.parametrize(("is_export_first", "number"), [(True, 2), (False, 3)])
def test_what_differs_is_asked_for_and_becomes_a_reason(nodes: World, number: int, *, is_export_first: bool) -> None:
    export = replace(EXPORT, lrn=f"XA-E-{number}", mrn=f"26XA0000000000000{number}", **_trade(number))
    import_ = priced(
        replace(IMPORT, lrn=f"XC-I-{number}", **_trade(number)), "10800.00", packages=replace_packages(number)
    )
    lodged = [("XA", export), ("XC", import_)]
    for code, declaration in lodged if is_export_first else reversed(lodged):
        nodes.ask(code, "lodge", data=paper(declaration))
        _settle(nodes)
    match = nodes.ask("XC", "matches")[-1]
    assert match[:2] == ["ucr", "answered"]
    assert match[3] == ["value", "packages"]
    values = nodes.ask("XA", "posted")[-1]
    assert (values["kind"], values["article"]) == ("mirror_values/1", "2")
    assert values["body"]["figures"] == {"value": {"amount": "24000.00", "currency": "USD"}}
    assert values["withheld"] == ["figures.packages"]
    seen = _reasons_of(nodes, f"XC-I-{number}")
    value, packages = seen["reasons"]  # type: ignore[misc]
    assert "10,800.00 USD here, 24,000.00 USD in the export declaration: 45%" in value[1]
    assert "deciding factor" in value[1]
    assert value[3] == "XA"
    assert value[4]["Article"] == "2"
    assert value[4]["Export declaration"] == f"26XA0000000000000{number}"
    assert value[4]["Committed to before it was asked"] == "yes"
    assert "the article does not release its figures" in packages[1]
    assert seen["mandatory"] is False


def replace_packages(number: int) -> object:
    """A hundred packages, where a hundred and twenty left."""
    (item,) = EXPORT.items
    return (replace(item.packages[0], quantity=100),) if number else item.packages


def test_an_amended_import_is_compared_again_without_asking_again(nodes: World) -> None:
    asked = _kinds(nodes, "XC").count("mirror_request/1")
    amended = priced(replace(IMPORT, lrn="XC-I-2", **_trade(2)), "24000.00")
    nodes.ask("XC", "lodge", data=paper(amended))
    _settle(nodes)
    assert _reasons_of(nodes, "XC-I-2")["reasons"] == []
    assert _kinds(nodes, "XC").count("mirror_request/1") == asked


def test_a_recall_takes_the_figures_out_of_every_table(nodes: World) -> None:
    values = nodes.ask("XA", "posted")[-1]
    assert "24,000.00" in nodes.ask("XC", "kept")
    nodes.ask("XA", "recall", ids=[values["id"]])
    _settle(nodes)
    kept = nodes.ask("XC", "kept")
    current = _reasons_of(nodes, "XC-I-3")["reasons"]
    assert [reason[0] for reason in current] == ["mirror"]  # type: ignore[union-attr]
    assert "24,000.00" not in json.dumps(current)
    offer = next(each for each in nodes.ask("XA", "posted") if each["id"] == values["body"]["offer"])
    nodes.ask("XA", "recall", ids=[offer["id"]])
    _settle(nodes)
    assert _reasons_of(nodes, "XC-I-3")["reasons"] == []
    assert offer["body"]["locks"][0]["tag"] not in nodes.ask("XC", "kept")
    assert kept.count("26XA00000000000003") == 0


def test_a_container_that_two_consignments_share_is_not_compared(nodes: World) -> None:
    box = EXPORT.consignment
    first = replace(EXPORT, lrn="XA-E-8", mrn="26XA00000000000008", ucr="", consignment=box)
    second = priced(replace(first, lrn="XA-E-9", mrn="26XA00000000000009"), "100.00")
    import_ = replace(IMPORT, lrn="XC-I-8", ucr="")
    for code, declaration in (("XA", first), ("XA", second), ("XC", import_)):
        nodes.ask(code, "lodge", data=paper(declaration))
    _settle(nodes)
    assert nodes.ask("XC", "matches")[-1][:2] == ["container", "shared"]
    assert _reasons_of(nodes, "XC-I-8")["reasons"] == []


def test_a_change_of_mass_hs_and_origin_is_found(nodes: World) -> None:
    number = 10
    export = replace(EXPORT, lrn="XA-E-10", mrn="26XA00000000000010", consignment=EMPTY, **_trade(number))
    (item,) = IMPORT.items
    other = replace(item, hs_code=replace(item.hs_code, subheading="640299"), origin="XB", net_mass_kg=Decimal(600))
    import_ = replace(IMPORT, lrn="XC-I-10", consignment=EMPTY, items=(other,), **_trade(number))
    for code, declaration in (("XC", import_), ("XA", export)):
        nodes.ask(code, "lodge", data=paper(declaration))
        _settle(nodes)
    reasons = _reasons_of(nodes, "XC-I-10")["reasons"]
    texts = " | ".join(reason[1] for reason in reasons)  # type: ignore[union-attr]
    assert "HS codes 640299 here, 640411 in the export declaration" in texts
    assert "Net mass 600 kg here, 980.00 kg in the export declaration: 61%" in texts
    assert "Origin differs from XA's export declaration; the article does not release its figures" in texts


EMPTY = replace(EXPORT.consignment, transport_equipment=())
