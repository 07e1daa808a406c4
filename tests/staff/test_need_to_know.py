"""Who sees how much of what, by its handling level."""

from __future__ import annotations

import pytest

from comity.common import Actor, ActorKind
from comity.staff import Role, Sight, SightRefusedError, require_sight, sees_whole, sight_of
from comity.staff.need_to_know import LEVELS, SIGHT_OF_ROLE, level_of
from comity.trade import Handling

pytestmark = pytest.mark.once
WHOLE, EXISTENCE, NOTHING = Sight.WHOLE, Sight.EXISTENCE, Sight.NOTHING


def officer(*roles: str) -> Actor:
    return Actor(ActorKind.OFFICER, "ana", "XA", frozenset(roles))


def test_the_levels_are_those_of_trade():
    assert tuple(level.word for level in Handling) == LEVELS
    assert [level_of(level.word) for level in Handling] == [int(level) for level in Handling]


def test_every_role_has_a_row_and_no_row_widens_upwards():
    assert set(SIGHT_OF_ROLE) == set(Role)
    for row in SIGHT_OF_ROLE.values():
        widths = [each.width for each in row]
        assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize(
    ("role", "restricted", "confidential"),
    [
        ("liaison", WHOLE, WHOLE),
        ("supervisor", WHOLE, WHOLE),
        ("auditor", WHOLE, EXISTENCE),
        ("officer", EXISTENCE, NOTHING),
        ("analyst", EXISTENCE, NOTHING),
        ("administrator", EXISTENCE, EXISTENCE),
        ("data_protection", EXISTENCE, EXISTENCE),
        ("system", NOTHING, NOTHING),
    ],
)
def test_the_table(role: str, restricted: Sight, confidential: Sight):
    assert sight_of(officer(role), Handling.RESTRICTED) is restricted
    assert sight_of(officer(role), "confidential") is confidential


def test_several_roles_see_what_the_widest_sees():
    assert sight_of(officer("officer", "auditor"), Handling.CONFIDENTIAL) is EXISTENCE
    assert sight_of(officer("officer", "liaison"), Handling.CONFIDENTIAL) is WHOLE


def test_what_was_given_to_an_officer_opens_up_to_restricted():
    assert sees_whole(officer("officer"), Handling.RESTRICTED, is_given=True)
    assert sight_of(officer("officer"), Handling.CONFIDENTIAL, is_given=True) is NOTHING
    assert sight_of(officer(), Handling.RESTRICTED, is_given=True) is NOTHING


@pytest.mark.parametrize("unknown", ["secret", "", 4, -1])
def test_an_unknown_level_is_the_strictest(unknown: int | str):
    assert sight_of(officer("auditor"), unknown) is EXISTENCE
    assert sight_of(officer("officer"), unknown) is NOTHING


def test_a_partner_sees_nothing_here_and_the_node_does_its_work():
    everything = frozenset(Role)
    assert sight_of(Actor(ActorKind.PARTNER, "XB", "XB", everything), Handling.OPEN) is NOTHING
    assert sight_of(Actor(ActorKind.NODE, "XA", "XA"), Handling.CONFIDENTIAL) is WHOLE
    assert sight_of(officer("emperor"), Handling.OPEN) is NOTHING


def test_the_refusal_says_whom_to_ask():
    require_sight(officer("liaison"), Handling.CONFIDENTIAL)
    with pytest.raises(SightRefusedError) as caught:
        require_sight(officer("auditor"), Handling.CONFIDENTIAL, where="message:1")
    assert caught.value.code == "need_to_know"
    assert "handled as confidential" in caught.value.what
    assert caught.value.where == "message:1"
    assert caught.value.remedy == "Ask a liaison officer."
