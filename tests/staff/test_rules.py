"""Who may do what."""

from __future__ import annotations

import pytest

from comity.common import Actor, ActorKind
from comity.staff import (
    ROLE_PERMISSIONS,
    OfficerRefusedError,
    Permission,
    PermissionRefusedError,
    Role,
    may,
    permissions_of,
    require,
)
from comity.staff.rules import NODE_PERMISSIONS, check_roles


def officer(*roles: str) -> Actor:
    return Actor(ActorKind.OFFICER, "ana", "XA", frozenset(roles))


def test_every_role_has_a_row_and_every_permission_is_in_some_role():
    assert set(ROLE_PERMISSIONS) == set(Role)
    assert frozenset().union(*ROLE_PERMISSIONS.values()) == frozenset(Permission)


@pytest.mark.parametrize(
    ("role", "allowed", "refused"),
    [
        ("analyst", Permission.MANAGE_PROFILES, Permission.APPROVE_PROFILES),
        ("officer", Permission.DECIDE_CONSIGNMENT, Permission.SHARE),
        ("supervisor", Permission.APPROVE_SHARING, Permission.SHARE),
        ("liaison", Permission.SHARE, Permission.APPROVE_SHARING),
        ("administrator", Permission.MANAGE_OFFICERS, Permission.VIEW_CONSIGNMENTS),
        ("auditor", Permission.VIEW_AUDIT, Permission.RECORD_FINDING),
        ("data_protection", Permission.VIEW_ACCESS_LOG, Permission.VIEW_MESSAGES),
        ("system", Permission.IMPORT, Permission.DECIDE_CONSIGNMENT),
    ],
)
def test_a_role_allows_its_own_and_no_more(role: str, allowed: Permission, refused: Permission):
    require(officer(role), allowed)
    with pytest.raises(PermissionRefusedError) as caught:
        require(officer(role), refused)
    assert caught.value.code == "permission_refused"
    assert caught.value.where == refused.value
    assert "roles" in caught.value.remedy


def test_nobody_shares_and_approves_by_one_role():
    for granted in ROLE_PERMISSIONS.values():
        assert not {Permission.SHARE, Permission.APPROVE_SHARING} <= granted
        assert not {Permission.MANAGE_PROFILES, Permission.APPROVE_PROFILES} <= granted
        assert not {Permission.REPORT_SUBJECTS, Permission.DECIDE_DISCLOSURE} <= granted


def test_an_unknown_role_allows_nothing():
    assert permissions_of(officer("emperor")) == frozenset()


def test_a_partner_has_no_roles_here_whatever_it_says():
    partner = Actor(ActorKind.PARTNER, "XB", "XB", frozenset({"administrator"}))
    assert permissions_of(partner) == frozenset()


def test_the_node_takes_in_and_assesses_but_does_not_decide():
    node = Actor(ActorKind.NODE, "node", "XA")
    assert permissions_of(node) == NODE_PERMISSIONS
    assert may(node, Permission.ASSESS)
    assert not may(node, Permission.SHARE)


def test_roles_are_checked_sorted_and_named():
    assert check_roles(["supervisor", "analyst", "analyst"]) == ("analyst", "supervisor")
    with pytest.raises(OfficerRefusedError, match="emperor"):
        check_roles(["officer", "emperor"])
