"""What partners told of own declarations, as models see it: under which article, since when, until it is taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from comity.agreements import Agreement, parse_agreement
from comity.agreements.models import AgreementRow
from comity.intake import StoredRecord
from comity.risk.mirror_forgetting import forget_mirror
from comity.risk.mirror_locks import commit_to, export_references, figures_of, lock, new_key, quarter_of
from comity.risk.mirroring import note_imports, take_offer
from comity.risk.modelling.shelves import learning
from comity.risk.modelling.told_by_partners import columns_of, heard_of, may_be_learned
from comity.risk.partner_findings import raise_told
from comity.risk.services import assess
from comity.risk.values import Source
from comity.trade import Declaration, Handling, Money
from comity.trade.mirror import MirrorOffer
from tests.risk.cast import NODE, declaration, store
from tests.risk.prediction.test_libraries import missing_library

pytestmark = pytest.mark.django_db
TEXT = (Path(__file__).parents[1] / "journeys" / "mirror_agreement.yaml").read_text()
STATED, FURTHER = "purposes: [risk_assessment]", "purposes: [risk_assessment, control]"
MESSAGE = "00000000-0000-7000-8000-0000000000d1"


def adopt(at: datetime, *changes: tuple[str, str]) -> Agreement:
    """The agreement on the mirror check, with other words in place of some of its own."""
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    agreement = parse_agreement(text.encode())
    AgreementRow.objects.create(
        agreement_id=agreement.id,
        canonical=agreement.to_bytes(),
        title="Mirror",
        version="1.0",
        imported_at=at,
        adopted_at=at,
    )
    return agreement


def imported(price: str) -> Declaration:
    """What XA imports from XC."""
    return declaration(
        "IM-1",
        declaration_type="IM",
        country_dispatch="XC",
        country_destination="XA",
        ucr="6XCXC123-2026-000017",
        item_price=Money(Decimal(price), "USD"),
    )


def tell(agreement: Agreement, at: datetime, handling: Handling = Handling.OFFICIAL) -> None:
    """XC tells of the export of it, for 210 USD."""
    key, content, export = new_key(), new_key(), imported("210")
    locks = tuple(lock(key, each, content) for each in export_references(export))
    offer = MirrorOffer("XC", quarter_of(at), key, locks, commit_to(content, figures_of(export)), handling=handling)
    take_offer(offer, source=Source("XC", MESSAGE, agreement.id, "1"), at=at)


def arrive(at: datetime, price: str = "90") -> StoredRecord:
    record = store(imported(price), at)
    note_imports([record], at=at)
    assess(NODE, record=record, at=at)
    return record


def heard(record: StoredRecord) -> list[dict[str, bool]]:
    assert record.declaration is not None
    told = heard_of({record.record_id: record.declaration})
    return [dict(each.differs) for each in told.get(record.record_id, [])]


def test_what_an_article_permits_is_heard_until_it_is_taken_back(at: datetime):
    tell(adopt(at), at)
    record = arrive(at + timedelta(hours=1))
    (told,) = heard(record)
    assert told["value"] is True
    assert (told["mass"], told["hs_codes"], told["origins"]) == (False, False, False)
    # What was corrected since is compared as it was lodged, or as it is asked about.
    assert heard(replace(record, content=imported("210")))[0]["value"] is False
    raise_told(issuer="XC", message_id=MESSAGE, handling=Handling.OFFICIAL)
    assert len(heard(record)) == 1
    forget_mirror(NODE, issuer="XC", message_id=MESSAGE, at=at + timedelta(hours=2))
    assert heard(record) == []


def test_what_is_raised_above_official_is_not_heard_any_more(at: datetime):
    tell(adopt(at), at)
    record = arrive(at)
    raise_told(issuer="XC", message_id=MESSAGE, handling=Handling.RESTRICTED)
    assert heard(record) == []


def test_what_no_article_permits_or_is_restricted_is_not_heard(at: datetime):
    restricted = adopt(at)
    tell(restricted, at, Handling.RESTRICTED)
    assert heard(arrive(at)) == []
    assert may_be_learned(restricted.id, "1")
    assert not may_be_learned(restricted.id, "9")
    assert not may_be_learned("", "1")
    statistics = adopt(at, (STATED, "purposes: [statistics]"))
    assert not may_be_learned(statistics.id, "1")
    both = adopt(at, (STATED, FURTHER))
    assert not may_be_learned(both.id, "1"), "the receiver is bound to the purpose stated, which may be the other"
    free = adopt(at, (STATED, FURTHER), ("stated_purpose_only, ", ""))
    assert may_be_learned(free.id, "1")


@pytest.mark.skipif(bool(missing_library()), reason=f"needs the extra `learning` ({missing_library()})")
@pytest.mark.parametrize("hours", [-1, 1])
def test_a_row_of_training_sees_what_had_arrived_when_it_was_assessed(at: datetime, tmp_path: Path, hours: int):
    agreement = adopt(at)
    if hours < 0:
        tell(agreement, at + timedelta(hours=hours))
    record = arrive(at)
    if hours > 0:
        tell(agreement, at + timedelta(hours=hours))
    assert len(heard(record)) == 1
    table = learning("own_table")
    until = at + timedelta(days=1)
    table.write_own_table(tmp_path, administration="XA", rates={}, until=until, tell=lambda _: None)
    words = table.read_own_world(tmp_path).words_told
    assert words.had_arrived.tolist() == [hours < 0]
    assert words.week.tolist() == [0]
    assert words.values[0][0] == 1.0
    # Before it came there was nothing.
    table.write_own_table(tmp_path, administration="XA", rates={}, until=at + timedelta(minutes=1), tell=lambda _: None)
    assert (table.read_own_world(tmp_path).words_told.week.tolist() == [0]) is (hours < 0)


def test_the_columns_of_what_nobody_told_are_empty():
    assert set(columns_of([], week=None, had_arrived=False).values()) == {None, 0.0}
