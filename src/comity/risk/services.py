"""Writes of this room, gathered: assessments, selection, profiles, signals, learning."""

from __future__ import annotations

from comity.risk.assessing import assess, assess_all, reassess_for_signal
from comity.risk.backtesting import Past, backtest_profile, try_rule
from comity.risk.forgetting import forget_signal, records_told, tighten_signal
from comity.risk.learning import learn, learn_revenue, take_feedback, take_signal, withdraw_signal
from comity.risk.profiles import ProfileDraft, approve_profile, draft_profile, retire_profile
from comity.risk.targeting import (
    assign,
    consider,
    consider_all,
    lock_candidates,
    select_by_officer,
    select_for_day,
    set_plan,
    set_target_state,
)
from comity.risk.terms import DayPlan

__all__ = [
    "DayPlan",
    "Past",
    "ProfileDraft",
    "approve_profile",
    "assess",
    "assess_all",
    "assign",
    "backtest_profile",
    "consider",
    "consider_all",
    "draft_profile",
    "forget_signal",
    "learn",
    "learn_revenue",
    "lock_candidates",
    "reassess_for_signal",
    "records_told",
    "retire_profile",
    "select_by_officer",
    "select_for_day",
    "set_plan",
    "set_target_state",
    "take_feedback",
    "take_signal",
    "tighten_signal",
    "try_rule",
    "withdraw_signal",
]
