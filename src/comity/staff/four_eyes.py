"""Four eyes: who proposes a deed, and what the other officer needs to approve it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from comity.staff.errors import ProposalRefusedError
from comity.staff.rules import Permission


@dataclass(frozen=True, slots=True)
class Eyes:
    """The permissions that a deed takes: of who proposes it, and of the other officer who decides it."""

    proposes: Permission
    approves: Permission


_SHARING = Eyes(Permission.SHARE, Permission.APPROVE_SHARING)
_AGREEMENT = Eyes(Permission.MANAGE_AGREEMENTS, Permission.APPROVE_SHARING)

# deed -> whose eyes it takes
EYES_OF_DEED: Mapping[str, Eyes] = {
    "share_alert": _SHARING,
    "share_finding": _SHARING,
    "share_evidence": _SHARING,
    "share_profile": _SHARING,
    "share_hit": _SHARING,
    "open_case": _SHARING,
    "take_step": _SHARING,
    "suspend_agreement": _AGREEMENT,
    "leave_agreement": _AGREEMENT,
    "lower_lane": Eyes(Permission.DECIDE_CONSIGNMENT, Permission.APPROVE_PROFILES),
}


def eyes_of(deed: str) -> Eyes:
    """Whose eyes a deed takes.

    Raises: ProposalRefusedError where it is none that passes two officers.
    """
    found = EYES_OF_DEED.get(deed)
    if found is None:
        raise ProposalRefusedError(f"Nothing is known here of the deed {deed}", where="deed")
    return found
