"""The life of a profile."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from comity.risk import FourEyesError, ProfileError, ProfileState, RuleError
from comity.risk.selectors import profile, profiles
from comity.risk.services import approve_profile, draft_profile, retire_profile
from comity.staff import PermissionRefusedError
from comity.staff.models import AuditEntry
from tests.risk.cast import ANALYST, AUDITOR, OFFICER, SUPERVISOR
from tests.risk.conftest import draft_of

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_one_drafts_another_approves_and_dates_do_the_rest(at: datetime):
    draft = draft_of(at, valid_from=at + DAY, valid_until=at + 60 * DAY)
    assert draft_profile(ANALYST, draft=draft, at=at).state is ProfileState.DRAFT
    assert approve_profile(SUPERVISOR, ref="P-1", at=at).state is ProfileState.APPROVED
    assert profile("P-1", at + DAY).state is ProfileState.ACTIVE
    assert profile("P-1", at + 30 * DAY).state is ProfileState.EXPIRING
    assert profile("P-1", at + 60 * DAY).state is ProfileState.EXPIRED
    retired = retire_profile(ANALYST, ref="P-1", reason="Replaced by P-2", at=at + 2 * DAY)
    assert retired.state is ProfileState.RETIRED
    deeds = AuditEntry.objects.order_by("id").values_list("actor_id", "deed", "subject")
    assert list(deeds) == [
        ("ana", "draft_profile", "profile:P-1"),
        ("chipo", "approve_profile", "profile:P-1"),
        ("ana", "retire_profile", "profile:P-1"),
    ]


def test_a_draft_can_be_changed_and_an_approved_one_cannot(at: datetime):
    draft_profile(ANALYST, draft=draft_of(at), at=at)
    assert draft_profile(ANALYST, draft=draft_of(at, weight=10), at=at).weight == 10
    assert [found.ref for found in profiles(at)] == ["P-1"]
    approve_profile(SUPERVISOR, ref="P-1", at=at)
    with pytest.raises(ProfileError, match="can no longer be changed"):
        draft_profile(ANALYST, draft=draft_of(at, weight=11), at=at)
    with pytest.raises(ProfileError, match="approved already"):
        approve_profile(SUPERVISOR, ref="P-1", at=at)


def test_nobody_approves_an_own_draft(at: datetime):
    draft_profile(SUPERVISOR, draft=draft_of(at), at=at)
    with pytest.raises(FourEyesError):
        approve_profile(SUPERVISOR, ref="P-1", at=at)


def test_each_step_needs_its_permission(at: datetime):
    with pytest.raises(PermissionRefusedError):
        draft_profile(OFFICER, draft=draft_of(at), at=at)
    draft_profile(ANALYST, draft=draft_of(at), at=at)
    for actor in (OFFICER, AUDITOR, ANALYST):
        with pytest.raises(PermissionRefusedError):
            approve_profile(actor, ref="P-1", at=at)
    with pytest.raises(PermissionRefusedError):
        retire_profile(AUDITOR, ref="P-1", reason="no", at=at)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"ref": " "}, "Fill in ref"),
        ({"title": "x" * 201}, "Fill in title"),
        ({"owner": ""}, "Fill in owner"),
        ({"legal_basis": ""}, "Fill in legal_basis"),
        ({"weight": 0}, "from 1 to 100"),
        ({"weight": 101}, "from 1 to 100"),
        ({"valid_until": datetime.fromisoformat("2020-01-01T00:00:00+00:00")}, "ends before"),
    ],
)
def test_a_profile_is_filled_in_whole(at: datetime, changes: dict[str, object], what: str):
    with pytest.raises(ProfileError, match=what):
        draft_profile(ANALYST, draft=draft_of(at, **changes), at=at)


def test_a_rule_that_cannot_be_read_is_refused_with_its_place(at: datetime):
    with pytest.raises(RuleError) as refusal:
        draft_profile(ANALYST, draft=draft_of(at, expression="hs_cod = '1'"), at=at)
    assert "Did you mean hs_code" in refusal.value.show()
    assert profiles(at) == []


def test_retiring_needs_a_reason_and_happens_once(at: datetime):
    draft_profile(ANALYST, draft=draft_of(at), at=at)
    with pytest.raises(ProfileError, match="reason"):
        retire_profile(ANALYST, ref="P-1", reason=" ", at=at)
    retire_profile(ANALYST, ref="P-1", reason="Written in error", at=at)
    with pytest.raises(ProfileError, match="retired already"):
        retire_profile(ANALYST, ref="P-1", reason="Again", at=at)


def test_unknown_references(at: datetime):
    with pytest.raises(ProfileError, match="no such profile"):
        approve_profile(SUPERVISOR, ref="P-9", at=at)
    with pytest.raises(ProfileError, match="no such profile"):
        profile("P-9", at)
