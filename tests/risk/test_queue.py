"""The queue: filters, facets, pages, order."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from comity.risk import Cause, Lane, QueueFilter, TargetState
from comity.risk.models import AssessmentReason, RuleProfile, Selection, SelectionPlan, SignalKey
from comity.risk.selectors import queue, state_counts
from comity.risk.services import assess, assign, select_by_officer, set_target_state, take_signal
from comity.trade import HSCode, Party
from tests.risk.cast import NODE, OFFICER, alert, declaration, store
from tests.risk.conftest import MakeProfile

pytestmark = pytest.mark.django_db


@pytest.fixture
def filled(at: datetime, make_profile: MakeProfile) -> dict[str, str]:
    """Six records over two offices; L-0 by an alert, L-1 and L-2 by a profile."""
    make_profile(expression="hs_code = '851712'", weight=45)
    take_signal(alert(at), message_id="m-1", at=at)
    others = {"exporter": Party("XA-1", "Émile Zola & Fils")}
    contents = [
        declaration("L-0"),
        declaration("L-1", hs_code=HSCode("851712"), description="Telephones", **others),
        declaration("L-2", hs_code=HSCode("851712"), office="XA002", **others),
        *(declaration(f"L-{number}", **others) for number in (3, 4, 5)),
    ]
    ids = {}
    for number, content in enumerate(contents):
        record = store(content, at + timedelta(minutes=number))
        assess(NODE, record=record, at=at)
        ids[content.lrn] = str(record.record_id)
    assign(OFFICER, record_ids=[_id(ids, "L-3")], officer="boris", at=at)
    select_by_officer(OFFICER, record_id=_id(ids, "L-4"), reason="Why not", at=at)
    set_target_state(NODE, record_id=_id(ids, "L-5"), state=TargetState.RELEASED, at=at)
    return ids


def _id(ids: dict[str, str], lrn: str):
    return Selection.objects.get(record_id=ids[lrn]).record_id


def found(**filters: object) -> list[str]:
    return [row.reference for row in queue(QueueFilter(**filters)).rows]  # type: ignore[arg-type]


def test_mandatory_first_then_score_then_the_latest(filled: dict[str, str]):
    page = queue(QueueFilter())
    assert [row.reference for row in page.rows] == ["L-0", "L-2", "L-1", "L-5", "L-4", "L-3"]
    assert (page.total, page.page, page.pages) == (6, 1, 1)
    assert page.rows[0].administrations == ("XC",)
    assert page.rows[1].administrations == ()
    assert page.rows[0].top_reason.startswith("Alert XC-A-2026-000001 from XC")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"states": (TargetState.SELECTED, TargetState.RELEASED)}, ["L-5", "L-4"]),
        ({"lanes": (Lane.YELLOW,)}, ["L-2", "L-1"]),
        ({"causes": (Cause.OFFICER,)}, ["L-4"]),
        ({"office": "XA002"}, ["L-2"]),
        ({"min_score": 45.0}, ["L-0", "L-2", "L-1"]),
        ({"min_score": 45.1}, ["L-0"]),
        ({"assigned_to": "boris"}, ["L-3"]),
        ({"is_unassigned": True, "lanes": (Lane.GREEN,)}, ["L-5", "L-4"]),
        ({"text": "telephones"}, ["L-1"]),
        ({"text": "ALFA shoes"}, ["L-0"]),
        ({"text": "émile l-3"}, ["L-3"]),
        ({"text": "ucr-l-2"}, ["L-2"]),
        ({"text": "msku0000002"}, ["L-0", "L-2", "L-1", "L-5", "L-4", "L-3"]),
        ({"text": "100%"}, []),
    ],
)
def test_filters(filled: dict[str, str], filters: dict[str, object], expected: list[str]):
    assert found(**filters) == expected


def test_facets_count_without_their_own_filter(filled: dict[str, str]):
    facets = queue(QueueFilter(lanes=(Lane.GREEN,))).facets
    assert facets["lane"] == {"green": 3, "yellow": 2, "red": 1}
    assert facets["state"] == {"new": 1, "released": 1, "selected": 1}
    assert facets["office"] == {"XA001": 3}
    assert facets["assigned_to"] == {"": 2, "boris": 1}
    assert facets["cause"] == {"": 2, "officer": 1}
    assert state_counts()[TargetState.NEW] == 4


def test_pages(filled: dict[str, str]):
    assert found(page=2, page_size=4) == ["L-4", "L-3"]
    page = queue(QueueFilter(page=99, page_size=4))
    assert (page.page, page.pages, len(page.rows)) == (2, 2, 2)
    assert queue(QueueFilter(page=-1, page_size=0)).pages == 6
    assert queue(QueueFilter(text="nothing like this")).rows == ()


def test_rows_name_themselves(filled: dict[str, str]):
    assert str(Selection.objects.get(reference="L-0")) == "L-0 new"
    assert str(RuleProfile.objects.get()) == "P-1 Cheap shoes"
    assert str(SignalKey.objects.order_by("id").first()) == "consignor:id:xa4711"
    assert {str(row) for row in AssessmentReason.objects.filter(source_kind="alert")} == {"alert:XC-A-2026-000001"}
    assert str(SelectionPlan(day="2026-03-02", capacity=5)) == "2026-03-02 5"
