"""Who asks is told what became of a declaration, which partners were told of it, and what a partner's own says."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from comity.enforcement.models import DecisionRow
from comity.exchange.models import OutboxMessage, Partner
from comity.insight.holdings import holdings_of
from comity.insight.naming import Asked
from comity.insight.privacy_papers import item_words
from comity.risk.models import MirrorExport, MirrorKey, MirrorMatch, MirrorOffering, TradePair, TradeVolume
from tests.risk.cast import declaration, store

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def sent(partner: Partner, message_id: str, at: datetime, sequence: int) -> None:
    OutboxMessage.objects.create(
        message_id=message_id,
        partner=partner,
        sequence=sequence,
        kind="mirror/1",
        agreement="a" * 64,
        article="4",
        posted_at=at,
        data=b"",
        salt=b"",
        log_index=sequence,
        decision=b"",
    )


def test_partners_that_were_told_of_a_declaration_are_its_recipients(at: datetime) -> None:
    record, partner = store(declaration(), at), Partner.objects.create(administration="XB", introduced_at=at)
    for number, name in enumerate(("m-1", "m-2")):
        sent(partner, name, at + number * DAY, number)
    offered = {"record_id": record.record_id, "version": 1, "noted_at": at, "state": "sent"}
    MirrorExport.objects.create(partner="XB", message_id="m-1", answer_id="m-2", answer_state="sent", **offered)
    MirrorExport.objects.create(partner="XD", **offered | {"state": "due"})
    (held,) = (each for each in holdings_of(Asked("Alfa Shoes")).items if each.what == "declaration")
    assert [(each.to, each.article, each.at) for each in held.shared] == [("XB", "4", at), ("XB", "4", at + DAY)]


def test_what_differs_from_a_partner_s_declaration_waits_for_a_decision(at: datetime) -> None:
    key = MirrorKey.objects.create(owner="XB", partner="XA", is_ours=False, made_at=at)
    for number, differing in enumerate(([], ["value", "packages"])):
        record = store(declaration(f"LRN-{number}"), at)
        offer = MirrorOffering.objects.create(issuer="XB", message_id=f"m-{number}", key=key, body={}, taken_at=at)
        MirrorMatch.objects.create(
            offer=offer,
            record_id=record.record_id,
            version=1,
            agreed=["origins"],
            differing=differing,
            matched_at=at,
            changed_at=at,
        )
    same, other = (each for each in holdings_of(Asked("Alfa Shoes")).items if each.what == "mirror")
    assert (same.origin, same.title) == ("XB", "LRN-0")
    assert same.handling < other.handling, "what differs may be a control to come"
    assert other.needs_decision
    words = dict(item_words(other, "XA", "fr"))
    assert (words["Ce qui diffère"], words["Ce qui concorde dans les deux déclarations"]) == (
        "valeur; colis",
        "origines",
    )


def test_what_became_of_the_goods_and_what_came_in_by_week_is_told(at: datetime) -> None:
    record = store(declaration(), at)
    for kind, days in (("held", 0), ("held", 1), ("released", 2)):
        DecisionRow.objects.create(record_id=record.record_id, kind=kind, reason="x", decided_at=at + days * DAY)
    TradeVolume.objects.create(importer="xc9000", count=7, weeks=[["2026-W08", 1, 400.0], ["2026-W09", 2, 1100.5]])
    TradePair.objects.create(importer="xc9000", exporter="xa4711", first_at=at)
    held, habits = holdings_of(Asked("Charlie Imports")).items
    assert held.figures == (("held_on", "2026-03-02, 2026-03-03"), ("released_on", "2026-03-04"))
    assert dict(habits.figures) == {"partners": "1", "imports": "7", "weeks": "2", "mass": "1500 kg"}
    assert habits.since == at
    TradePair.objects.all().delete()
    _, alone = holdings_of(Asked("Charlie Imports")).items
    assert (dict(alone.figures)["partners"], str(alone.since.date())) == ("0", "2026-02-16")
