"""Reasons for looking at records: profiles that are true for them, and partners' alerts that match them.

Reads only; what is in force is read once for all records of a batch.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from django.db.models import Q

from comity.risk.errors import RuleError
from comity.risk.expressions import Rule, RuleSet, compile_rules, parse_rule
from comity.risk.models import IssuerReliability, PartnerSignal, RuleProfile, SignalKey
from comity.risk.rules import (
    UNVERIFIED,
    UNVERIFIED_CLAUSE,
    Lane,
    ProfileState,
    Reliability,
    SourceKind,
    is_mandatory_signal,
    share_left,
    signal_lane,
    signal_weight,
)
from comity.risk.signals import Match, Traits, match_alert
from comity.risk.values import FoundReason
from comity.risk.wording import Evidence, evidence_of
from comity.trade import Alert, AlertCategory, RiskType
from comity.trade.encoding import alert_from_body
from comity.trade.facts import FACT_TYPES

log = logging.getLogger(__name__)

_MAX_ITEMS_SHOWN = 3
# SQLite takes at most 32,766 variables in a statement, and a long manifest has many keys.
_KEYS_AT_ONCE = 5_000

Facts = Mapping[str, object]

# How an issuer came to know, as far as its alert says.
_CASE, _NOT_STATED = "a case file of the issuer", "not stated"
_METHODS = {
    AlertCategory.GOODS_SEIZED: "a seizure",
    AlertCategory.CASH_SEIZED: "a seizure",
    AlertCategory.FRAUD_TRENDS: "analysis of trends",
    AlertCategory.EXPERTISE: "expertise",
}
_DOCUMENTED, _UNDOCUMENTED = "documented by files", "not documented by files"


class ProfileSet:
    """The profiles in force, compiled together."""

    def __init__(self, profiles: Sequence[tuple[int, str]]) -> None:
        self.ids: list[int] = []
        self.rules: list[Rule] = []
        for profile_id, expression in profiles:
            try:
                rule = parse_rule(expression, FACT_TYPES)
            except RuleError as error:
                # A column may leave the facts in a later release; one old profile must not stop all assessments.
                log.warning("profile %s cannot be read and is left out: %s", profile_id, error)
                continue
            self.ids.append(profile_id)
            self.rules.append(rule)
        self.compiled: RuleSet = compile_rules(self.rules, FACT_TYPES)


@lru_cache(maxsize=4)
def _profile_set(profiles: tuple[tuple[int, str], ...]) -> ProfileSet:
    return ProfileSet(profiles)


def profiles_in_force(at: datetime) -> ProfileSet:
    """The approved profiles whose dates include `at`, compiled once for as long as they stay the same."""
    rows = RuleProfile.objects.filter(
        Q(valid_until=None) | Q(valid_until__gt=at), state=ProfileState.APPROVED.value, valid_from__lte=at
    )
    return _profile_set(tuple(rows.order_by("id").values_list("id", "expression")))


def profile_reasons(batch: Sequence[Sequence[Facts]], *, at: datetime, administration: str) -> list[list[FoundReason]]:
    """For each record, given by its rows of facts: a reason for each profile that is true for at least one row."""
    in_force = profiles_in_force(at)
    fired = [_fired(in_force, rows) for rows in batch]
    places = sorted({place for hits in fired for place in hits})
    profiles = RuleProfile.objects.in_bulk([in_force.ids[place] for place in places])
    return [
        [
            _profile_reason(profiles[in_force.ids[place]], in_force.rules[place], rows, administration)
            for place, rows in hits.items()
        ]
        for hits in fired
    ]


def _fired(in_force: ProfileSet, rows: Sequence[Facts]) -> dict[int, list[Facts]]:
    fired: dict[int, list[Facts]] = {}
    for facts in rows:
        for place in in_force.compiled.fired(facts):
            fired.setdefault(place, []).append(facts)
    return fired


def _profile_reason(profile: RuleProfile, rule: Rule, hits: Sequence[Facts], administration: str) -> FoundReason:
    evidence = tuple(entry for facts in hits[:_MAX_ITEMS_SHOWN] for entry in evidence_of(rule, facts))
    sentence = "; ".join(entry.text for entry in evidence_of(rule, hits[0]))
    if len(hits) > 1:
        sentence += f" (and {len(hits) - 1} more goods item{'' if len(hits) == 2 else 's'})"
    lane = Lane(profile.lane)
    if profile.issuer:
        sentence += f". Profile of {profile.issuer}, tried and approved here by {profile.approved_by}"
    return FoundReason(
        source_kind=SourceKind.PROFILE,
        source_ref=profile.ref,
        title=profile.title,
        text=sentence,
        weight=float(profile.weight),
        lane=lane,
        administration=profile.issuer or administration,
        is_mandatory=lane is Lane.RED,
        risk_type=RiskType(profile.risk_type),
        # A control here rests on a law of ours; the issuer's stands among the facts.
        clause=profile.legal_basis_here or profile.legal_basis,
        evidence=evidence,
        facts=(
            ("Rule", profile.expression),
            ("Owner", profile.owner),
            ("Items", str(len(hits))),
            *_issuer_facts(profile),
        ),
    )


def _issuer_facts(profile: RuleProfile) -> tuple[tuple[str, str], ...]:
    if not profile.issuer:
        return ()
    return (
        ("Issuer", profile.issuer),
        ("Issuer's reference", profile.issuer_ref),
        ("Issuer's legal basis", profile.legal_basis),
        ("Article", profile.article),
        ("Digest", profile.digest),
    )


def reliability_of(issuers: Sequence[str]) -> dict[str, Reliability]:
    """The measured reliability of each issuer, the even start where nothing is known."""
    rows = IssuerReliability.objects.filter(issuer__in=issuers)
    known = {row.issuer: Reliability(row.issuer, row.confirmed, row.unconfirmed) for row in rows}
    return {issuer: known.get(issuer) or Reliability(issuer) for issuer in issuers}


def signals_by_key(at: datetime, keys: Sequence[str]) -> dict[str, list[int]]:
    """Of these keys the ones under which signals in force are filed: begun, not ended, not withdrawn."""
    found: dict[str, list[int]] = {}
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        rows = SignalKey.objects.filter(
            key__in=keys[start : start + _KEYS_AT_ONCE],
            signal__withdrawn_at=None,
            signal__valid_from__lte=at,
            signal__valid_until__gt=at,
        )
        for key, signal_id in rows.values_list("key", "signal_id"):
            found.setdefault(key, []).append(signal_id)
    return found


def signal_reasons(batch: Sequence[Traits], *, at: datetime) -> list[list[FoundReason]]:
    """For each record, given by its traits: a reason for each partner's alert in force that matches."""
    keys_of_each = [traits.keys() for traits in batch]
    filed = signals_by_key(at, sorted(frozenset[str]().union(*keys_of_each)))
    known = PartnerSignal.objects.in_bulk(sorted({signal_id for ids in filed.values() for signal_id in ids}))
    alerts = {signal_id: alert_from_body(signal.body) for signal_id, signal in known.items()}
    reliability = reliability_of(sorted({signal.issuer for signal in known.values()}))
    batch_reasons = []
    for traits, keys in zip(batch, keys_of_each, strict=True):
        reasons = []
        for signal_id in sorted({signal_id for key in filed.keys() & keys for signal_id in filed[key]}):
            signal, alert = known[signal_id], alerts[signal_id]
            match = match_alert(alert, traits)
            if match is not None:
                age_days = max(0, (at - alert.issued_at).days)
                reasons.append(_signal_reason(signal, alert, match, (reliability[signal.issuer], age_days)))
        batch_reasons.append(reasons)
    return batch_reasons


def _signal_reason(signal: PartnerSignal, alert: Alert, match: Match, trust: tuple[Reliability, int]) -> FoundReason:
    """trust: the issuer's measured reliability, and how many days ago the alert was issued."""
    reliability, age_days = trust
    grades = f"{alert.reliability}{alert.credibility}"
    action, strength = alert.suggested_action, match.strength
    is_mandatory = is_mandatory_signal(
        action=action, handling=alert.handling, strength=strength, reliability=reliability
    )
    notes = [("How", alert.modus_operandi), ("Concealment", alert.concealment), ("Case", alert.case_ref)]
    return FoundReason(
        source_kind=SourceKind.ALERT,
        source_ref=signal.ref,
        title=f"Alert {signal.ref} from {signal.issuer}: {alert.title}",
        text=f"{'; '.join(entry.text for entry in match.evidence)}. {UNVERIFIED}.",
        weight=signal_weight(
            action=action, grades=grades, strength=strength, reliability=reliability, age_days=age_days
        ),
        lane=signal_lane(action, is_mandatory=is_mandatory),
        administration=signal.issuer,
        is_mandatory=is_mandatory,
        risk_type=alert.risk_type,
        clause=UNVERIFIED_CLAUSE,
        evidence=(*match.evidence, _reliability_evidence(reliability)),
        facts=(
            ("Issuer", signal.issuer),
            ("Article", signal.article),
            ("Method", _METHODS.get(alert.category, _CASE if alert.case_ref else _NOT_STATED)),
            ("Evidence", _DOCUMENTED if alert.exhibits else _UNDOCUMENTED),
            ("Grade", f"{grades} (source {alert.reliability}, information {alert.credibility})"),
            ("Age", f"{age_days} day{'' if age_days == 1 else 's'}"),
            ("Weight left by its age", f"{share_left(age_days):.0%}"),
            ("Measured reliability", str(reliability)),
            ("Suggested action", action.value),
            ("Handling", alert.handling.word),
            ("Match", f"{strength:.0%}"),
            *((label, text) for label, text in notes if text),
        ),
    )


def _reliability_evidence(reliability: Reliability) -> Evidence:
    told = f"confirmed by {reliability.confirmed} of {reliability.count} controls"
    text = f"Earlier alerts of {reliability.issuer} were {told}"
    return Evidence(text, "", f"{reliability.value:.2f}", "measured reliability", "0.50")
