"""Who asks is told that a list or register that is held names it."""

from __future__ import annotations

from datetime import datetime

import pytest

from comity.insight.holdings import holdings_of
from comity.insight.naming import Asked
from comity.insight.privacy_papers import item_words
from comity.insight.subjects import Item
from comity.registers import ListFormat, ListSource, RegisterKind
from comity.registers.services import load_list, withdraw_list
from tests.registers.lists import RIGHTS, SDN, TRADERS, UN
from tests.risk.cast import ANALYST

pytestmark = pytest.mark.django_db


def load(code: str, form: ListFormat, data: bytes, at: datetime, kind: RegisterKind = RegisterKind.WATCH_LIST) -> None:
    name = "sdn.csv" if form is ListFormat.OFAC else "list"
    load_list(ANALYST, source=ListSource(code, form, "Publisher", ((name, data),), kind=kind), at=at)


def held(name: str, *ids: str) -> list[Item]:
    return list(holdings_of(Asked(name, ids)).items)


def test_who_is_listed_is_told_as_an_officer_decides_until_the_list_is_withdrawn(at: datetime) -> None:
    load("un", ListFormat.UN, UN, at)
    load("ofac", ListFormat.OFAC, SDN, at)
    (item,) = held("Kelimdar Orban Tavrosh")
    assert (item.what, item.needs_decision, item.title) == ("listed", True, "Publisher, TSi.001")
    assert [each.spelling for each in item.named] == ["ORBAN TAVROSH KELIMDAR · IR"]
    assert [each.ref for each in held("", "q7781234")] == [item.ref]
    assert held("Zimbalo")[0].ref == item.ref, "by any of its names"
    assert held("Gulden Mare") == [], "a ship is nobody"
    words = dict(item_words(item, "XA", "fr"))
    assert words["Né le"].startswith("1971-05-28")
    assert "retirée ici" in words["Conservé jusqu’au"]
    withdraw_list(ANALYST, code="un", reason="Not needed", at=at)
    assert held("Zimbalo") == []


def test_who_is_in_a_register_is_told_outright(at: datetime) -> None:
    load("aeo", ListFormat.CSV, TRADERS, at, RegisterKind.TRADERS)
    load("ip", ListFormat.CSV, RIGHTS, at, RegisterKind.RIGHTS)
    (trader,) = held("Charlie Imports")
    assert (trader.what, trader.needs_decision, dict(trader.figures)["status"]) == (
        "registered",
        False,
        "AEOC SUSPENDED",
    )
    assert trader.named[0].spelling == "Charlie Imports · XC-9000 · XC"
    assert dict(held("Swiftfoot")[0].figures)["mark"] == "Swiftfoot"
    assert held("", "xa77")[0].named[0].role == "licensee"
