"""Two real nodes: an export is told as commitments, matched with an import, and only what differs is asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from comity.trade import Declaration, HSCode
from tests.federation import World, running
from tests.journeys.mirror_cast import EXPORT, IMPORT, PAIR, paper, priced
from tests.migrated import EACH_DATABASE, databases


@pytest.fixture(scope="module", params=EACH_DATABASE)
def nodes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """XA exports, XC imports."""
    folder = tmp_path_factory.mktemp("mirror")
    with databases(request.param) as new_database, running(PAIR, folder, new_database) as made:
        yield made


def _settle(nodes: World) -> None:
    nodes.settle()


def _kinds(nodes: World, code: str) -> list[str]:
    return [each["kind"] for each in nodes.ask(code, "posted")]


def _reasons_of(nodes: World, reference: str) -> Any:
    """What is said of a declaration, without what chance selected."""
    found = next(each for each in nodes.ask("XC", "reasons") if each["reference"] == reference)
    return {**found, "reasons": [reason for reason in found["reasons"] if reason[0] != "random"]}


def _of(declaration: Declaration, number: int) -> Declaration:
    """The declaration of another consignment."""
    code = declaration.mrn[2:4]
    lrn, mrn = f"{declaration.lrn[:5]}{number}", f"26{code}{number:014d}"
    return replace(declaration, lrn=lrn, mrn=mrn, ucr=f"6XAXA123-2026-{number:06d}")


def _differing(nodes: World, number: int) -> None:
    """An import that says 10,800 of an export of 24,000; the figures were asked for and came."""
    nodes.ask("XA", "lodge", data=paper(_of(EXPORT, number)))
    nodes.ask("XC", "lodge", data=paper(priced(_of(IMPORT, number), "10800.00")))
    _settle(nodes)


def test_equal_figures_are_proven_equal_and_none_is_told(nodes: World) -> None:
    nodes.ask("XA", "lodge", data=paper(_of(EXPORT, 1)))
    # On arrival freight and insurance have come to it.
    nodes.ask("XC", "lodge", data=paper(priced(_of(IMPORT, 1), "25900.00")))
    _settle(nodes)
    (match,) = nodes.ask("XC", "matches")
    assert match[:2] == ["ucr", "agreed"]
    assert set(match[2]) == {"value", "gross_mass_kg", "net_mass_kg", "packages", "hs_codes", "origins"}
    assert _kinds(nodes, "XA") == ["mirror/1"]
    assert _kinds(nodes, "XC") == []
    told = json.dumps(nodes.ask("XA", "posted"))
    for figure in ("640411", "24000"):
        assert not re.search(rf"(?<![0-9a-f]){figure}(?![0-9a-f])", told), "a digest may hold these digits"
    assert EXPORT.mrn not in told
    assert _reasons_of(nodes, "XC-I-1")["reasons"] == []


@pytest.mark.parametrize(("is_export_first", "number"), [(True, 2), (False, 3)])
def test_what_differs_is_asked_for_and_becomes_a_reason(nodes: World, number: int, *, is_export_first: bool) -> None:
    export = _of(EXPORT, number)
    (item,) = IMPORT.items
    fewer = (replace(item.packages[0], quantity=100),)
    import_ = priced(_of(IMPORT, number), "10800.00", packages=fewer)
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
    value, packages = seen["reasons"]
    assert "10,800.00 USD here, 24,000.00 USD in the export declaration: 45%" in value[1]
    assert "deciding factor" in value[1]
    assert value[3] == "XA"
    assert value[4]["Article"] == "2"
    assert value[4]["Export declaration"] == f"26XA{number:014d}"
    assert value[4]["Committed to before it was asked"] == "yes"
    assert "the article does not release its figures" in packages[1]
    assert seen["mandatory"] is False


def test_an_amended_import_is_compared_again_without_asking_again(nodes: World) -> None:
    _differing(nodes, 4)
    asked = _kinds(nodes, "XC").count("mirror_request/1")
    amended = priced(_of(IMPORT, 4), "24000.00")
    nodes.ask("XC", "lodge", data=paper(amended))
    _settle(nodes)
    assert _reasons_of(nodes, "XC-I-4")["reasons"] == []
    assert _kinds(nodes, "XC").count("mirror_request/1") == asked


def test_a_recall_takes_the_figures_out_of_every_table(nodes: World) -> None:
    _differing(nodes, 5)
    values = nodes.ask("XA", "posted")[-1]
    assert "24,000.00" in nodes.ask("XC", "kept")
    nodes.ask("XA", "recall", ids=[values["id"]])
    _settle(nodes)
    kept = nodes.ask("XC", "kept")
    current = _reasons_of(nodes, "XC-I-5")["reasons"]
    assert [reason[0] for reason in current] == ["mirror"]
    assert "24,000.00" not in json.dumps(current)
    offer = next(each for each in nodes.ask("XA", "posted") if each["id"] == values["body"]["offer"])
    nodes.ask("XA", "recall", ids=[offer["id"]])
    _settle(nodes)
    assert _reasons_of(nodes, "XC-I-5")["reasons"] == []
    assert offer["body"]["locks"][0]["tag"] not in nodes.ask("XC", "kept")
    assert kept.count("26XA00000000000005") == 0


@pytest.mark.long
def test_a_container_that_two_consignments_share_is_not_compared(nodes: World) -> None:
    first = replace(_of(EXPORT, 8), ucr="")
    second = priced(replace(_of(EXPORT, 9), ucr=""), "100.00")
    import_ = replace(_of(IMPORT, 8), ucr="")
    for code, declaration in (("XA", first), ("XA", second), ("XC", import_)):
        nodes.ask(code, "lodge", data=paper(declaration))
    _settle(nodes)
    assert nodes.ask("XC", "matches")[-1][:2] == ["container", "shared"]
    assert _reasons_of(nodes, "XC-I-8")["reasons"] == []


@pytest.mark.long
def test_a_change_of_mass_hs_and_origin_is_found(nodes: World) -> None:
    (item,) = IMPORT.items
    other = replace(item, hs_code=HSCode("640299"), origin="XB", net_mass_kg=Decimal(600))
    alone = replace(EXPORT.consignment, transport_equipment=())
    export = replace(_of(EXPORT, 10), consignment=alone)
    import_ = replace(_of(IMPORT, 10), consignment=alone, items=(other,))
    for code, declaration in (("XC", import_), ("XA", export)):
        nodes.ask(code, "lodge", data=paper(declaration))
        _settle(nodes)
    texts = " | ".join(reason[1] for reason in _reasons_of(nodes, "XC-I-10")["reasons"])
    assert "HS codes 640299 here, 640411 in the export declaration" in texts
    assert "Net mass 600 kg here, 980.00 kg in the export declaration: 61%" in texts
    assert "Origin differs from XA's export declaration; the article does not release its figures" in texts
