"""Many records at once: the very same rows as one after the other, with as many statements for ten as for fifty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.intake.values import StoredRecord
from comity.risk import Lane, SelectionError, TargetState
from comity.risk.models import Assessment, AssessmentReason, PartnerSignal, RuleProfile, Selection, SelectionPlan
from comity.risk.selectors import plan, profile, queue_row
from comity.risk.services import (
    DayPlan,
    ProfileDraft,
    approve_profile,
    assess,
    assess_all,
    consider,
    consider_all,
    draft_profile,
    reassess_for_signal,
    select_by_officer,
    set_plan,
    set_target_state,
    take_signal,
)
from comity.staff import PermissionRefusedError
from comity.staff.models import AuditEntry
from comity.trade import Party, Route, Subject, SubjectRole
from comity.trade.values import Address
from tests.risk.cast import ANALYST, AUDITOR, EXPORTER, NODE, OFFICER, SUPERVISOR, alert, declaration, store
from tests.risk.conftest import MakeProfile, draft_of
from tests.scale import scaled

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DAY = date(2026, 3, 2)
SEED = b"root of a checkpoint"
OTHER = Party("XA-1", "Tea House", Address(country="XA"))


@dataclass(frozen=True)
class Case:
    """A record that waits: its office decides on the profiles, its exporter on the alerts, `before` what happened."""

    office: str
    is_named: bool
    before: str


@dataclass(frozen=True)
class Batch:
    """Records, the order in which they come, which may name one twice, and the day's plan."""

    cases: tuple[Case, ...]
    order: tuple[int, ...]
    plan: DayPlan


cases = st.builds(
    Case,
    st.sampled_from("RHLN"),
    st.booleans(),
    st.sampled_from(["new", "new", "new", "assessed", "outdated", "drawn", "officer", "released"]),
)
plans = st.builds(
    DayPlan, st.integers(0, 6), st.sampled_from([0.0, 0.2, 0.5, 1.0]), st.just(50.0), st.sampled_from([None, 1, 5])
)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    found = tuple(draw(st.lists(cases, min_size=1, max_size=8)))
    order = draw(st.permutations(range(len(found))))
    again = draw(st.lists(st.integers(0, len(found) - 1), max_size=3)) if draw(st.booleans()) else []
    return Batch(found, (*order, *again), draw(plans))


def put_in_force() -> None:
    """Office R is mandatory, office H scores 80, office L scores 30; two alerts, one by the exporter, one by route."""
    offices = [("R", 50, Lane.RED), ("H", 80, Lane.YELLOW), ("L", 30, Lane.YELLOW)]
    for office, weight, lane in offices:
        expression = f"office = '{office}'"
        draft: ProfileDraft = draft_of(AT, ref=f"P-{office}", expression=expression, weight=weight, lane=lane)
        draft_profile(ANALYST, draft=draft, at=AT)
        approve_profile(SUPERVISOR, ref=draft.ref, at=AT)
    named = (Subject(SubjectRole.CONSIGNOR, EXPORTER.id),)
    take_signal(alert(AT, ref="XC-A-1", subjects=named, hs_codes=()), message_id="m-1", at=AT)
    routed = alert(AT, ref="XB-A-2", issuer="XB", subjects=(), hs_codes=("6404",), route=Route(origin="XA"))
    take_signal(routed, message_id="m-2", at=AT)


def waiting(number: int, case: Case) -> StoredRecord:
    """The record of a case, after what happened to it before."""
    lrn, exporter = f"LRN-{number}", EXPORTER if case.is_named else OTHER
    record = store(declaration(lrn, office="N", exporter=exporter), AT + timedelta(seconds=number))
    if case.before != "new":
        assess(NODE, record=record, at=AT)
    if case.before == "drawn":
        consider(NODE, record=record, at=AT, seed=b"an earlier root")
    if case.before == "officer":
        select_by_officer(OFFICER, record_id=record.record_id, reason="Nervous driver", at=AT)
    if case.before == "released":
        set_target_state(NODE, record_id=record.record_id, state=TargetState.RELEASED, at=AT)
    if case.before == "assessed":
        return record
    return store(declaration(lrn, office=case.office, exporter=exporter), AT, version=2)


def rows() -> dict[str, list[dict[str, object]]]:
    """Every row that assessing and considering write, without the keys that the database gives."""
    tables = {
        "assessments": (Assessment, ("record_id", "number"), ()),
        "reasons": (
            AssessmentReason,
            ("assessment__record_id", "assessment__number", "position"),
            ("assessment__record_id", "assessment__number"),
        ),
        "queue": (Selection, ("record_id",), ("assessment__number",)),
        "plans": (SelectionPlan, ("day",), ()),
        "profiles": (RuleProfile, ("ref",), ()),
        "signals": (PartnerSignal, ("ref",), ()),
    }
    found = {}
    for name, (table, order, joined) in tables.items():
        own = [field.attname for field in table._meta.concrete_fields if field.attname not in {"id", "assessment_id"}]
        found[name] = list(table.objects.order_by(*order).values(*own, *joined))  # type: ignore[attr-defined]
    return found


def one_by_one(records: Sequence[StoredRecord]) -> tuple[object, object]:
    at, told = AT + timedelta(hours=1), []
    if len({record.record_id for record in records}) < len(records):
        refs = [assess(NODE, record=record, at=at) for record in records]
        return refs, [consider(NODE, record=record, at=at, seed=SEED) for record in records]
    for record in records:
        told.append((assess(NODE, record=record, at=at), consider(NODE, record=record, at=at, seed=SEED)))
    return [ref for ref, _ in told], [considered for _, considered in told]


def all_at_once(records: Sequence[StoredRecord]) -> tuple[object, object]:
    at = AT + timedelta(hours=1)
    refs = assess_all(NODE, records=records, at=at)
    return refs, consider_all(NODE, records=records, at=at, seed=SEED)


def tried(road: Callable[[Sequence[StoredRecord]], object], records: Sequence[StoredRecord]) -> tuple[object, object]:
    """What a road answers and leaves in the tables; undone."""
    with transaction.atomic():
        found = road(records), rows()
        transaction.set_rollback(True)
    return found


@pytest.mark.once
@settings(max_examples=scaled(20, 60))
@given(batches())
def test_a_batch_leaves_the_same_rows_as_one_by_one(batch: Batch) -> None:
    with transaction.atomic():
        put_in_force()
        set_plan(SUPERVISOR, day=DAY, plan=batch.plan, at=AT)
        stored = [waiting(number, case) for number, case in enumerate(batch.cases)]
        records = [stored[number] for number in batch.order]
        expected, left = tried(one_by_one, records)
        answered, found = tried(all_at_once, records)
        transaction.set_rollback(True)
    assert answered == expected
    for name, table in left.items():  # type: ignore[attr-defined]
        assert found[name] == table, name  # type: ignore[index]


def test_the_statements_do_not_grow_with_the_batch(at: datetime) -> None:
    put_in_force()
    counted = []
    for first, size in ((0, 10), (100, 40)):
        offices = "RHLN" * (size // 4) + "N" * (size % 4)
        records = [store(declaration(f"LRN-{first + n}", office=office), at) for n, office in enumerate(offices)]
        with CaptureQueriesContext(
            connection,
        ) as context:
            all_at_once(records)
        counted.append(len(context))
    assert counted[1] <= counted[0] + 4  # an INSERT of SQLite takes fewer rows than forty reasons and their columns
    assert counted[1] < 60


def test_two_versions_in_one_batch_are_assessed_one_after_the_other(at: datetime, make_profile: MakeProfile) -> None:
    make_profile(expression="office = 'R'")
    first = store(declaration(office="N"), at)
    second = store(declaration(office="R"), at, version=2)
    refs = assess_all(NODE, records=[first, second], at=at)
    assert [(ref.version, ref.number, ref.score) for ref in refs] == [(1, 1, 0.0), (2, 2, 60.0)]
    assert profile("P-1", at).hits == 1
    assert Assessment.objects.get(is_current=True).number == 2


def test_the_capacity_is_exact_within_a_batch(at: datetime, make_profile: MakeProfile) -> None:
    make_profile(expression="TRUE", weight=80)
    set_plan(SUPERVISOR, day=DAY, plan=DayPlan(3, 0.0), at=at)
    records = [store(declaration(f"LRN-{number}"), at) for number in range(8)]
    assess_all(NODE, records=records, at=at)
    chosen = [one.is_selected for one in consider_all(NODE, records=records, at=at, seed=SEED)]
    assert chosen == [True] * 3 + [False] * 5
    assert (plan(DAY).used_risk, plan(DAY).left) == (3, 0)


def test_nothing_at_all(at: datetime) -> None:
    assert assess_all(NODE, records=[], at=at) == []
    assert consider_all(NODE, records=[], at=at, seed=SEED) == []
    assert not SelectionPlan.objects.exists()


def test_one_that_was_not_assessed_stops_all(at: datetime) -> None:
    known, unknown = store(declaration("LRN-1"), at), store(declaration("LRN-2"), at)
    assess(NODE, record=known, at=at)
    with pytest.raises(SelectionError, match="not assessed"):
        consider_all(NODE, records=[known, unknown], at=at, seed=SEED)
    assert queue_row(known.record_id).state is TargetState.NEW  # type: ignore[union-attr]


def test_an_officer_leaves_a_trace_of_each(at: datetime) -> None:
    records = [store(declaration(f"LRN-{number}"), at) for number in range(3)]
    with pytest.raises(PermissionRefusedError):
        assess_all(AUDITOR, records=records, at=at)
    assess_all(ANALYST, records=records, at=at)
    assert AuditEntry.objects.filter(deed="assess").count() == 3


def test_an_alert_changes_all_that_it_concerns_at_once(at: datetime) -> None:
    records = [store(declaration(f"LRN-{number}"), at) for number in range(3)]
    other = store(declaration("LRN-9", exporter=OTHER), at)
    assess_all(NODE, records=[*records, other], at=at)
    ref = take_signal(alert(at), message_id="m-1", at=at)
    changed = reassess_for_signal(NODE, signal_ref=ref, at=at)
    assert sorted(changed) == sorted(record.record_id for record in records)
    assert PartnerSignal.objects.get().hits == 3
    assert reassess_for_signal(NODE, signal_ref=ref, at=at) == []
