"""Tables of risk, a module each matter: profiles, signals, assessments, the queue, what was learned, mirror checks."""

from comity.risk.models.assessments import Assessment, AssessmentReason, LaneOverride
from comity.risk.models.budgets import ControlBudget, ControlUse
from comity.risk.models.findings import PartnerFinding
from comity.risk.models.learned import LearnedModel, ModelMove, ModelScore, ModelSetting, ModelTraining
from comity.risk.models.learning import AlertFeedback, IssuerReliability, LearnedOutcome, ReportTaken, ReportTold
from comity.risk.models.mirror import (
    MirrorExport,
    MirrorImportTag,
    MirrorKey,
    MirrorMatch,
    MirrorOffering,
    MirrorTag,
)
from comity.risk.models.outlooks import RouteForecast, RouteOutlook, RouteWeek
from comity.risk.models.patterns import TradePair, TradePrice, TradeRoute, TradeVolume
from comity.risk.models.profiles import ProfileBacktest, ProfileShare, RuleProfile
from comity.risk.models.screening import HitAdvice, HitAsked, HitQuestionTaken, HitTold, ScreeningDecision
from comity.risk.models.selection import ChanceRow, Selection, SelectionPlan, SelectionPolicy
from comity.risk.models.signals import PartnerSignal, SignalKey

__all__ = [
    "AlertFeedback",
    "Assessment",
    "AssessmentReason",
    "ChanceRow",
    "ControlBudget",
    "ControlUse",
    "HitAdvice",
    "HitAsked",
    "HitQuestionTaken",
    "HitTold",
    "IssuerReliability",
    "LaneOverride",
    "LearnedModel",
    "LearnedOutcome",
    "MirrorExport",
    "MirrorImportTag",
    "MirrorKey",
    "MirrorMatch",
    "MirrorOffering",
    "MirrorTag",
    "ModelMove",
    "ModelScore",
    "ModelSetting",
    "ModelTraining",
    "PartnerFinding",
    "PartnerSignal",
    "ProfileBacktest",
    "ProfileShare",
    "ReportTaken",
    "ReportTold",
    "RouteForecast",
    "RouteOutlook",
    "RouteWeek",
    "RuleProfile",
    "ScreeningDecision",
    "Selection",
    "SelectionPlan",
    "SelectionPolicy",
    "SignalKey",
    "TradePair",
    "TradePrice",
    "TradeRoute",
    "TradeVolume",
]
