"""Officers of XA, and the profiles and alerts that are in force in a benchmark's node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from comity.common import Actor, ActorKind
from comity.risk import Lane
from comity.risk.services import ProfileDraft, approve_profile, draft_profile, take_signal
from comity.staff import Role
from comity.trade import Alert, AlertCategory, RiskType, Subject

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
ROLES = frozenset(role.value for role in Role)
ANA = Actor(ActorKind.OFFICER, "ana", "XA", ROLES)
BORIS = Actor(ActorKind.OFFICER, "boris", "XA", ROLES)


def put_in_force(rules: Mapping[str, tuple[str, int]], subjects: Iterable[Subject]) -> None:
    """A profile for each rule with its weight, and an alert of XC about each subject."""
    for ref, (expression, weight) in rules.items():
        draft = ProfileDraft(
            ref, ref, "Risk unit", "Act, s. 12", expression, weight, RiskType.UNDERVALUATION, Lane.YELLOW, AT
        )
        draft_profile(ANA, draft=draft, at=AT)
        approve_profile(BORIS, ref=ref, at=AT)
    for number, subject in enumerate(subjects):
        alert = Alert(
            ref=f"XC-A-2026-{number:06d}",
            issuer="XC",
            category=AlertCategory.COMMODITIES,
            title="Counterfeit goods",
            risk_type=RiskType.COUNTERFEIT,
            issued_at=AT,
            valid_from=AT,
            valid_until=AT + timedelta(days=90),
            subjects=(subject,),
        )
        take_signal(alert, message_id=f"m-{number}", at=AT)
