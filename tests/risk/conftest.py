"""Profiles in force, for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from comity.intake.selectors import count_records
from comity.risk import Lane, Profile
from comity.risk.services import Past, ProfileDraft, approve_profile, backtest_profile, draft_profile
from comity.trade import RiskType
from tests.risk.cast import ANALYST, SUPERVISOR

MakeProfile = Callable[..., Profile]


def draft_of(at: datetime, **changes: object) -> ProfileDraft:
    """A draft about cheap shoes."""
    fields: dict[str, object] = {
        "ref": "P-1",
        "title": "Cheap shoes",
        "owner": "Risk analysis centre",
        "legal_basis": "Customs Act s. 12",
        "expression": "starts_with(hs_code, '6404') AND unit_price_per_kg < 5.00",
        "weight": 60,
        "risk_type": RiskType.UNDERVALUATION,
        "lane": Lane.YELLOW,
        "valid_from": at - timedelta(days=1),
    }
    return ProfileDraft(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
def make_profile(db: None, at: datetime) -> MakeProfile:
    def make(**changes: object) -> Profile:
        profile = draft_profile(ANALYST, draft=draft_of(at, **changes), at=at)
        if count_records():
            backtest_profile(ANALYST, ref=profile.ref, past=Past.before(at), at=at)
        return approve_profile(SUPERVISOR, ref=profile.ref, at=at)

    return make
