"""What partners found and whom their alerts name: kept, let go, and joined to who declares here."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from comity.agreements import Agreement
from comity.common import Actor
from comity.risk.modelling.found_by_partners import ACTORS, GOODS, Joining, Told, told_until
from comity.risk.modelling.rows import Row, row_of
from comity.risk.modelling.shelves import learning
from comity.risk.models import PartnerFinding
from comity.risk.partner_findings import forget_partner_finding, raise_told, take_partner_finding
from comity.risk.services import forget_signal, take_signal, withdraw_signal
from comity.risk.values import Source
from comity.trade import Alert, AlertCategory, Declaration, Finding, FindingResult, Handling, Party, Route
from comity.trade import Subject as Named
from comity.trade import SubjectRole as Role
from comity.trade.values import Address, DocumentReference
from tests.risk.cast import NODE, SUPERVISOR, alert, declaration, store
from tests.risk.prediction.test_libraries import missing_library
from tests.risk.test_partners_told import FURTHER, STATED, adopt

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
SUPPLIER = Named(Role.CONSIGNOR, "CN 77-1", "Golden Sole Ltd.", "CN")
BY_NAME = replace(SUPPLIER, id="")


def found(at: datetime, ref: str = "XC-F-1", **changes: Any) -> Finding:
    made = Finding(
        ref,
        "XC",
        at,
        FindingResult.IRREGULAR,
        hs_code="640411",
        consignor=SUPPLIER,
        consignee=Named(Role.CONSIGNEE, "", "Charlie Imports", "XC"),
    )
    return replace(made, **changes)


def take(agreement: Agreement, at: datetime, number: int = 1, **changes: Any) -> None:
    source = Source("XC", f"m-{number}", agreement.id, "1")
    take_partner_finding(found(at, **changes), source=source, at=at)


def hear(agreement: Agreement, made: Alert, at: datetime, number: int = 1) -> None:
    take_signal(made, message_id=f"a-{number}", article="1", agreement=agreement.id, at=at)


def imported(exporter: Party, lrn: str = "IM-1", **changes: object) -> Declaration:
    made = {"declaration_type": "IM", "country_destination": "XA", "country_dispatch": "CN", "exporter": exporter}
    return declaration(lrn, **(made | changes))


def joined(told: list[Told], *met: tuple[Declaration, float]) -> set[tuple[object, ...]]:
    """The rows as (week, column, key, goods) of one actor, or (week, *actors, *goods) of a consignment."""
    joining = Joining(told)
    for each, week in met:
        row: Row = row_of(each, administration="XA", arrived_at=told[0].known_at, rates={})
        joining.meet(each, row, week)
    named = set()
    for row in joining.rows(lambda at: float(at.day)):
        actors = {name: row[name] for name in ACTORS if row[name]}
        one = next(iter(actors.items()), ("goods", row["origin"]))
        rest = (*one, row["hs6"]) if len(actors) < 2 else tuple(row[name] for name in (*ACTORS, *GOODS))
        named.add((row["week"], *rest))
    return named


def test_what_partners_found_is_held_as_long_as_its_message(at: datetime) -> None:
    agreement = adopt(at)
    take(agreement, at)
    take(agreement, at)
    (told,) = told_until(at + DAY)
    assert (told.issuer, told.is_irregular, told.is_alert, told.goods) == ("XC", True, False, ("640411",))
    assert told.parties == (("exporter", "cn771", "golden sole|CN"), ("importer", "", "charlie imports|XC"))
    assert told_until(at) == [], "it had not arrived"
    assert str(PartnerFinding.objects.get()) == "XC XC-F-1"
    raise_told(issuer="XC", message_id="m-1", handling=Handling.RESTRICTED)
    assert told_until(at + DAY) == [], "its level was raised"
    forget_partner_finding(issuer="XC", message_id="m-1")
    assert not PartnerFinding.objects.exists()


def test_what_no_article_permits_or_is_restricted_is_not_learned(at: datetime) -> None:
    both = adopt(at, (STATED, FURTHER))
    take(both, at)
    hear(both, alert(at), at)
    assert told_until(at + DAY) == [], "the receiver is bound to the purpose stated, which may be the other"
    free = adopt(at, (STATED, FURTHER), ("stated_purpose_only, ", ""))
    take(free, at, 2, ref="XC-F-2", handling=Handling.RESTRICTED)
    hear(free, alert(at, ref="XC-A-2", handling=Handling.RESTRICTED), at, 2)
    assert told_until(at + DAY) == []
    take(free, at, 3, ref="XC-F-3")
    hear(free, alert(at, ref="XC-A-3"), at, 3)
    assert [each.is_alert for each in told_until(at + DAY)] == [False, True]
    raise_told(issuer="XC", message_id="a-3", handling=Handling.CONFIDENTIAL)
    assert [each.is_alert for each in told_until(at + DAY)] == [False]


def test_an_alert_counts_until_it_is_withdrawn_and_a_corrected_one_once(at: datetime) -> None:
    agreement = adopt(at)
    carrier = Named(Role.CARRIER, "XA-C1")
    things = (Named(Role.CONTAINER, "MSKU0000002"), carrier, SUPPLIER)
    hear(agreement, alert(at, subjects=things, route=Route(origin="CN")), at)
    hear(agreement, alert(at, subjects=(BY_NAME,)), at + DAY, 2)
    first, second = told_until(at + 2 * DAY)
    assert first.item == second.item, "one alert and its correction"
    assert (first.is_alert, first.is_irregular, first.origin) == (True, False, "CN")
    assert {column for column, *_ in first.parties} == {"forwarder", "exporter"}, "a container is no trader"
    hear(agreement, alert(at, ref="XC-A-9", category=AlertCategory.GOODS_SEIZED), at, 3)
    seized = next(each for each in told_until(at + DAY) if not each.is_alert)
    assert seized.is_irregular, "what was seized was found"
    forget_signal(NODE, issuer="XC", message_id="a-1", reason="recalled", at=at + DAY)
    boss: Actor = SUPERVISOR
    withdraw_signal(boss, signal_ref="XC-A-9", reason="wrong", at=at + DAY)
    assert [each.known_at for each in told_until(at + 2 * DAY)] == [at + DAY]


def test_a_trader_is_known_by_number_and_by_name_since_a_declaration_bore_both(at: datetime) -> None:
    agreement = adopt(at)
    take(agreement, at, consignor=BY_NAME, consignee=None)
    told, week = told_until(at + DAY), float(at.day)
    named = ("exporter", "golden sole|CN", "640411")
    nobody_else = {(week, *named), (week, "goods", "", "640411")}
    stranger = Party("CN-5", "Another", Address(country="CN"))
    assert joined(told, (imported(stranger), week)) == nobody_else
    numbered = Party("CN-99", "GOLDEN SOLE", Address(country="CN"))
    assert joined(told, (imported(numbered), week + 5)) == nobody_else | {(week + 5, "exporter", "cn99", "640411")}
    before = joined(told, (imported(numbered), week - 5), (imported(numbered), week + 5))
    assert before == nobody_else | {(week, "exporter", "cn99", "640411")}
    # The same name in another country is another trader.
    assert joined(told, (imported(Party("CN-99", "Golden Sole", Address(country="VN"))), week)) == nobody_else


def test_a_finding_on_a_consignment_is_of_all_who_declared_it_here(at: datetime) -> None:
    agreement = adopt(at)
    plain: dict[str, Any] = {"consignor": None, "consignee": None, "hs_code": ""}
    take(agreement, at, ref="XC-F-1", ucr="6XCXC123-2026-17", **plain)
    take(agreement, at, 2, ref="XC-F-2", declaration_ref="26XC000099", **plain)
    take(agreement, at, 3, ref="XC-F-3", ucr="SOMETHING-ELSE", **plain)
    told, week = told_until(at + DAY), float(at.day)
    exporter = Party("CN-1", "Sender", Address(country="CN"))
    by_ucr = imported(exporter, ucr="6xcxc123/2026/17")
    by_number = imported(exporter, "IM-2", importer=None, previous_documents=(DocumentReference(id="26XC000099"),))
    importer, *rest = ("xc9000", "cn1", "xad1", "xac1", "640411", "XA")
    assert joined(told, (by_ucr, week + 1), (by_number, week - 1)) == {
        (week + 1, importer, *rest),
        (week, "", *rest),
    }
    assert joined(told, (imported(exporter, "IM-3", ucr="NOBODY-S"), week)) == set()


@pytest.mark.skipif(bool(missing_library()), reason=f"needs the extra `learning` ({missing_library()})")
def test_the_table_of_training_has_them_beside_it(at: datetime, tmp_path: Path) -> None:
    agreement = adopt(at)
    store(imported(Party("CN77-1", "Golden Sole", Address(country="CN"))), at)
    take(agreement, at + DAY)
    hear(agreement, alert(at), at + DAY)
    table = learning("own_table")
    table.write_own_table(tmp_path, administration="XA", rates={}, until=at + 2 * DAY, tell=lambda _: None)
    told = table.read_own_world(tmp_path).findings_told
    assert list(told.words["exporter"]) == ["cn771", "xa4711"]
    assert list(told.words["hs4"]) == ["6404"]
    assert (len(set(told.item.tolist())), int(told.is_alert.sum()) > 0) == (2, True)
    table.write_own_table(tmp_path, administration="XA", rates={}, until=at + DAY, tell=lambda _: None)
    assert not len(table.read_own_world(tmp_path).findings_told.item)
