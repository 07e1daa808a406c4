"""Profiles in force and the home of models, for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from comity.intake.selectors import count_records
from comity.ledger.services import open_log
from comity.risk import Lane, Profile
from comity.risk.modelling import live
from comity.risk.modelling.shelves import this_shelf
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
def home(tmp_path: Path, settings: object, at: datetime) -> Iterator[Path]:
    """The home of a node that has a log and no model yet."""
    settings.COMITY_HOME = tmp_path  # type: ignore[attr-defined]
    live._held.telling = None
    open_log(signer=this_shelf().keyring.log, at=at)
    yield tmp_path
    live._held.telling = None


@pytest.fixture
def make_profile(db: None, at: datetime) -> MakeProfile:
    def make(**changes: object) -> Profile:
        profile = draft_profile(ANALYST, draft=draft_of(at, **changes), at=at)
        if count_records():
            backtest_profile(ANALYST, ref=profile.ref, past=Past.before(at), at=at)
        return approve_profile(SUPERVISOR, ref=profile.ref, at=at)

    return make
