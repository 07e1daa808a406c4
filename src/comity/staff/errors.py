"""What staff refuses."""

from __future__ import annotations

from comity.common import ComityError


class StaffError(ComityError):
    """The root of this room's errors."""

    code = "staff_error"


class PermissionRefusedError(StaffError):
    """The actor's roles do not allow the deed."""

    code = "permission_refused"


class OfficerRefusedError(StaffError):
    """An officer cannot be made or changed as asked."""

    code = "officer_refused"


class TokenRefusedError(StaffError):
    """A token is unknown, revoked, expired, or cannot be issued as asked."""

    code = "token_refused"


class ProposalRefusedError(StaffError):
    """A proposal under four eyes cannot be decided by this actor, or was decided already."""

    code = "proposal_refused"


class SecondOfficerNeededError(StaffError):
    """A deed that takes two officers was to be done by one: it must be proposed, and approved by another."""

    code = "second_officer_needed"


class SecondFactorRefusedError(StaffError):
    """A code of the second factor is wrong, was used already, or came too soon after a wrong one."""

    code = "second_factor_refused"


class SightRefusedError(StaffError):
    """The actor's roles do not need to know what a thing of this handling level says."""

    code = "need_to_know"
