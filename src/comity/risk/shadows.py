"""Profiles that say nothing of their own: one that fires only where another, no less severe, fires as well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from comity.risk.models import AssessmentReason
from comity.risk.rules import ProfileState, SourceKind, is_lower
from comity.risk.values import Profile

# Hits that are looked at, the latest ones.
MAX_HITS = 50_000
_IN_FORCE = frozenset({ProfileState.ACTIVE, ProfileState.EXPIRING})


def with_shadows(profiles: Sequence[Profile]) -> list[Profile]:
    """The profiles, each in force with the one that stands before it, where there is such a one."""
    in_force = [profile for profile in profiles if profile.state in _IN_FORCE]
    found = shadows(in_force, _fired([profile.ref for profile in in_force]))
    return [replace(profile, shadowed_by=found.get(profile.ref, "")) for profile in profiles]


def shadows(profiles: Sequence[Profile], fired: Mapping[str, frozenset[UUID]]) -> dict[str, str]:
    """Which profile another one hides: it fired, and only where the other fired, which weighs no less.

    Of two that always fire together and weigh alike, the later reference is hidden.
    """
    by_record: dict[UUID, set[str]] = defaultdict(set)
    for ref, records in fired.items():
        for record in records:
            by_record[record].add(ref)
    known = {profile.ref: profile for profile in profiles}
    hidden: dict[str, str] = {}
    for profile in sorted(profiles, key=lambda each: each.ref, reverse=True):
        records = fired.get(profile.ref, frozenset())
        if not records:
            continue
        beside = set[str].intersection(*(by_record[record] for record in records)) - {profile.ref} - set(hidden)
        wider = [known[ref] for ref in sorted(beside) if ref in known and _is_no_less(known[ref], profile)]
        if wider:
            hidden[profile.ref] = max(wider, key=lambda each: each.weight).ref
    return hidden


def _is_no_less(other: Profile, profile: Profile) -> bool:
    return other.weight >= profile.weight and not is_lower(other.lane, profile.lane)


def _fired(refs: Iterable[str]) -> dict[str, frozenset[UUID]]:
    rows = AssessmentReason.objects.filter(
        source_kind=SourceKind.PROFILE.value, source_ref__in=list(refs), assessment__is_current=True
    )
    fired: dict[str, set[UUID]] = defaultdict(set)
    for ref, record_id in rows.order_by("-id").values_list("source_ref", "assessment__record_id")[:MAX_HITS]:
        fired[ref].add(record_id)
    return {ref: frozenset(records) for ref, records in fired.items()}
