"""Officers, roles, tokens of systems, four eyes, the audit. Its reads are in `selectors`, its writes in `services`."""

from comity.staff.errors import (
    OfficerRefusedError,
    PermissionRefusedError,
    ProposalRefusedError,
    SecondFactorRefusedError,
    StaffError,
    TokenRefusedError,
)
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
    "StaffError",
    "TokenRefusedError",
    "may",
    "permissions_of",
    "require",
]
