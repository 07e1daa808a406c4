"""Officers, roles, tokens of systems, four eyes, the audit. Its reads are in `selectors`, its writes in `services`."""

from comity.staff.errors import (
    OfficerRefusedError,
    PermissionRefusedError,
    ProposalRefusedError,
    SecondFactorRefusedError,
    SecondOfficerNeededError,
    SightRefusedError,
    StaffError,
    TokenRefusedError,
)
from comity.staff.need_to_know import Sight, require_sight, sees_whole, sight_of
from comity.staff.rules import (
    ROLE_PERMISSIONS,
    Permission,
    ProposalState,
    Role,
    may,
    permissions_of,
    require,
)

__all__ = [
    "ROLE_PERMISSIONS",
    "OfficerRefusedError",
    "Permission",
    "PermissionRefusedError",
    "ProposalRefusedError",
    "ProposalState",
    "Role",
    "SecondFactorRefusedError",
    "SecondOfficerNeededError",
    "Sight",
    "SightRefusedError",
    "StaffError",
    "TokenRefusedError",
    "may",
    "permissions_of",
    "require",
    "require_sight",
    "sees_whole",
    "sight_of",
]
