"""A node of XA with partners XB and XC, bound by the demo's agreement, and a made-up day of trade."""

from __future__ import annotations

import pytest

from comity.common import Actor, ActorKind
from comity.staff import Role
from comity.training import Day, day_of_trade
from tests.exchange.cast import adopt_demo, introduce

ROLES = frozenset({Role.ANALYST.value, Role.OFFICER.value, Role.LIAISON.value})


@pytest.fixture(scope="session")
def day() -> Day:
    """A small day; the story's two consignments are in it."""
    return day_of_trade(7, 6)


@pytest.fixture
def bound(db: None) -> str:
    """Partners introduced, agreement in force; its id."""
    introduce("XB", "XC")
    return adopt_demo()


@pytest.fixture
def ana() -> Actor:
    """An officer of XA who targets, inspects and shares."""
    return Actor(ActorKind.OFFICER, "ana", "XA", ROLES)
