"""A rule tried on past records: what it counts, what approval asks; and profiles that say nothing of their own."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from comity.risk import Lane, ProfileError, ProfileState, RuleError
from comity.risk.selectors import backtest, profile, profiles
from comity.risk.services import Past, approve_profile, assess, backtest_profile, draft_profile, learn, try_rule
from comity.risk.shadows import shadows
from comity.staff import PermissionRefusedError
from comity.staff.models import AuditEntry
from comity.trade import HSCode, Outcome
from tests.risk.cast import ANALYST, NODE, OFFICER, SUPERVISOR, declaration, store
from tests.risk.conftest import MakeProfile, draft_of

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
SHOES = "starts_with(hs_code, '6404')"


@pytest.fixture
def past(at: datetime) -> Past:
    """Six records, three of them shoes; four were controlled, two of these irregular."""
    goods = [
        ("640411", True),
        ("640411", False),
        ("640411", None),
        ("090210", True),
        ("090210", False),
        ("090210", None),
    ]
    from_when = at - 10 * DAY

    for number, (code, is_irregular) in enumerate(goods):
        when = from_when + number * DAY
        record = store(declaration(f"L-{number}", hs_code=HSCode(code)), when)
        if is_irregular is not None:
            learn(Outcome(record.reference, is_irregular=is_irregular, decided_at=when, sources=("random",)), at=when)
    return Past.before(at, 30 * DAY)


def test_a_rule_is_counted_against_what_controls_found(past: Past, at: datetime):
    found = try_rule(SHOES, past=past, at=at)
    assert (found.records, found.fired, found.is_cut) == (6, 3, False)
    assert (found.found, found.vain, found.missed, found.spared, found.controlled) == (1, 1, 1, 1, 4)
    assert (found.precision, found.recall, found.hit_rate) == (0.5, 0.5, 0.5)
    points = [(point.records, point.fired, point.found) for point in found.curve]
    assert points == [(0, 0, 0), (1, 1, 1), (2, 2, 1), (3, 3, 1), (4, 3, 1), (5, 3, 1), (6, 3, 1)]
    none = try_rule("FALSE", past=past, at=at)
    assert (none.fired, none.precision, none.recall) == (0, None, 0.0)


def test_the_window_and_the_number_bound_what_is_looked_at(past: Past, at: datetime):
    latest = try_rule(SHOES, past=Past(past.since, past.until, limit=2), at=at)
    assert (latest.records, latest.fired, latest.is_cut) == (2, 0, True)
    assert try_rule(SHOES, past=Past(at - 10 * DAY, at - 8 * DAY), at=at).records == 2
    empty = try_rule(SHOES, past=Past(at - 40 * DAY, at - 30 * DAY), at=at)
    assert (empty.records, empty.hit_rate, empty.precision) == (0, 0.0, None)
    for wrong in (Past(at, at), Past(at - 4000 * DAY, at), Past(past.since, at, limit=0), Past(past.since, at, 10**6)):
        with pytest.raises(ProfileError):
            try_rule(SHOES, past=wrong, at=at)
    with pytest.raises(RuleError):
        try_rule("orign = 'XA'", past=past, at=at)


def test_no_draft_is_approved_whose_rule_was_not_tried(past: Past, at: datetime):
    draft_profile(ANALYST, draft=draft_of(at, expression=SHOES), at=at)
    with pytest.raises(ProfileError, match="profiles backtest P-1"):
        approve_profile(SUPERVISOR, ref="P-1", at=at)
    assert backtest("P-1") is None
    found = backtest_profile(ANALYST, ref="P-1", past=past, at=at)
    assert backtest("P-1") == found
    assert profile("P-1", at).state is ProfileState.TESTED
    draft_profile(ANALYST, draft=draft_of(at, expression=SHOES, weight=10), at=at)
    assert profile("P-1", at).state is ProfileState.TESTED
    draft_profile(ANALYST, draft=draft_of(at, expression="origin = 'XA'"), at=at)
    assert profile("P-1", at).state is ProfileState.DRAFT
    changed = backtest("P-1")
    assert changed is not None
    assert not changed.is_current
    with pytest.raises(ProfileError, match="as it now stands"):
        approve_profile(SUPERVISOR, ref="P-1", at=at)
    draft_profile(ANALYST, draft=draft_of(at, expression=SHOES), at=at)
    assert approve_profile(SUPERVISOR, ref="P-1", at=at).state is ProfileState.ACTIVE
    assert "backtest_profile" in AuditEntry.objects.values_list("deed", flat=True)


def test_without_a_past_a_draft_is_approved_and_the_audit_says_so(at: datetime):
    draft_profile(ANALYST, draft=draft_of(at), at=at)
    backtest_profile(ANALYST, ref="P-1", past=Past.before(at), at=at)
    approve_profile(SUPERVISOR, ref="P-1", at=at)
    assert AuditEntry.objects.get(deed="approve_profile").facts["untested"] == "no history to test it on"


def test_who_may_try_and_what_is_there_to_try(at: datetime):
    with pytest.raises(ProfileError, match="no such profile"):
        backtest_profile(ANALYST, ref="P-1", past=Past.before(at), at=at)
    with pytest.raises(PermissionRefusedError):
        backtest_profile(OFFICER, ref="P-1", past=Past.before(at), at=at)
    for wrong in ({"priority": 0}, {"priority": 10}, {"expected_hit_rate": 1.5}):
        with pytest.raises(ProfileError, match=next(iter(wrong))):
            draft_profile(ANALYST, draft=draft_of(at, **wrong), at=at)


def test_a_profile_that_adds_nothing_names_the_one_before_it(make_profile: MakeProfile, at: datetime):

    make_profile(ref="WIDE", expression=SHOES, weight=60)
    make_profile(ref="NARROW", expression=f"{SHOES} AND origin = 'XA'", weight=30)
    make_profile(ref="SILENT", expression="origin = 'ZZ'", weight=30)
    assess(NODE, record=store(declaration("L-1"), at), at=at)
    assess(NODE, record=store(declaration("L-2", origin="XB"), at), at=at)
    found = {each.ref: each for each in profiles(at)}
    assert {ref: each.shadowed_by for ref, each in found.items()} == {"WIDE": "", "NARROW": "WIDE", "SILENT": ""}
    assert [ref for ref, each in found.items() if each.is_silent] == ["SILENT"]


def test_a_more_severe_profile_is_not_hidden_and_of_two_alike_one_stays(make_profile: MakeProfile):
    weak = make_profile(ref="A", weight=30, lane=Lane.YELLOW)
    strong = make_profile(ref="B", weight=60, lane=Lane.YELLOW)
    red = make_profile(ref="C", weight=30, lane=Lane.RED)
    twin = make_profile(ref="D", weight=30, lane=Lane.RED)
    records = frozenset[UUID]({uuid4(), uuid4()})
    everywhere = dict.fromkeys("ABCD", records)
    assert shadows([weak, strong, red, twin], everywhere) == {"D": "C", "A": "B"}
    assert shadows([weak, strong], {"A": records, "B": frozenset()}) == {}
    assert shadows([weak, strong], {"A": records | {uuid4()}, "B": records}) == {}
