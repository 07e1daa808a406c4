"""Profiles, partners' signals, assessment, selection, learning. Reads in `selectors`, writes in `services`."""

from comity.risk.errors import (
    FactError,
    FourEyesError,
    ProfileError,
    RiskError,
    RuleError,
    SelectionError,
    SignalError,
)
from comity.risk.expressions import compile_rules, parse_rule
from comity.risk.rules import Cause, Lane, ProfileState, Reliability, SourceKind, TargetState
from comity.risk.signals import trader_key
from comity.risk.values import Explanation, FoundReason, Profile, QueueFilter, QueuePage, QueueRow
from comity.risk.wording import Evidence

__all__ = [
    "Cause",
    "Evidence",
    "Explanation",
    "FactError",
    "FoundReason",
    "FourEyesError",
    "Lane",
    "Profile",
    "ProfileError",
    "ProfileState",
    "QueueFilter",
    "QueuePage",
    "QueueRow",
    "Reliability",
    "RiskError",
    "RuleError",
    "SelectionError",
    "SignalError",
    "SourceKind",
    "TargetState",
    "compile_rules",
    "parse_rule",
    "trader_key",
]
