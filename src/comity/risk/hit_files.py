"""What the screening keeps of parties: hits, what officers decided of them, who was asked or told, what partners say.

For who asks what is held about them. Reads only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from comity.risk.hit_advice import Asked, Listed, recognised
from comity.risk.models import AssessmentReason, HitAdvice, HitAsked, HitQuestionTaken, HitTold, ScreeningDecision
from comity.risk.rules import SourceKind
from comity.risk.screening import Verdict
from comity.risk.writing import parts
from comity.trade.knowledge import HitGround, HitVerdict

_FEATURES = {"name": "name", "identifier": "number", "birth date": "birth_date", "country": "country"}
_OURS = {"Our name": "name", "Our part": "part", "Our country": "country", "Our numbers": "numbers"}


class HitState(StrEnum):
    """Where a hit stands. undecided: nobody decided, and no assessment in force has it any more."""

    OPEN = "open"
    SAME = "same"
    NOT_SAME = "not_same"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class HitFile:
    """All that is kept of one party beside one entry of a list. ours: name, country, numbers and part.

    compared: (what was compared, verdict) each, such as (country, agrees). records: how many declarations had the hit.
    ground, decided_at: of the latest decision. decisions: how many there were. told: also what was taken back since.
    """

    list_code: str
    publisher: str
    list_of: str
    entry: str
    entry_name: str
    subject_key: str
    ours: Mapping[str, str]
    state: HitState
    since: datetime
    score: str
    compared: tuple[tuple[str, str], ...]
    records: int
    decisions: int
    ground: HitGround | None
    decided_at: datetime | None
    asked: tuple[Asked, ...]
    told: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class PartnersWord:
    """What a partner asked (verdict is None) or decided of a party beside an entry. parties: places of those meant."""

    issuer: str
    message_id: str
    publisher: str
    entry: str
    taken_at: datetime
    parties: tuple[int, ...]
    verdict: HitVerdict | None = None
    ground: HitGround | None = None
    decided_at: datetime | None = None
    list_of: str = ""


@dataclass(slots=True)
class _Matter:
    """The rows of one party beside one entry, the oldest first."""

    reasons: list[AssessmentReason] = field(default_factory=list)
    decisions: list[ScreeningDecision] = field(default_factory=list)


def hit_files(record_ids: Collection[UUID], decision_ids: Collection[int]) -> tuple[HitFile, ...]:
    """The hits of all parties of these records, with every decision on them; and those with these decisions."""
    matters: dict[tuple[str, str, str], _Matter] = {}
    for row in _reasons(sorted(record_ids)):
        told = row.facts
        if told.get("Subject key"):
            key = (told.get("List", ""), told.get("Entry", ""), told["Subject key"])
            matters.setdefault(key, _Matter()).reasons.append(row)
    for decision in _decisions(decision_ids, [key[2] for key in matters]):
        key = (decision.list_code, decision.entry_ref, decision.subject_key)
        if key in matters or decision.pk in decision_ids:
            matters.setdefault(key, _Matter()).decisions.append(decision)
    refs = {row.source_ref for each in matters.values() for row in each.reasons}
    refs |= {row.ref for each in matters.values() for row in each.decisions}
    asked = _by_ref(sorted(refs))
    told_of = _told_of([row.pk for each in matters.values() for row in each.decisions])
    return tuple(_file(key, matter, asked, told_of) for key, matter in sorted(matters.items()))


def partners_words(parties: Sequence[Mapping[str, str]]) -> tuple[PartnersWord, ...]:
    """What partners asked or decided of any of these parties: name, country, numbers each, as hits have them.

    Each row is tried with each party, since a tag tells nobody who is meant.
    """
    advice = (_word(row, parties) for row in HitAdvice.objects.order_by("id").iterator())
    questions = (_word(row, parties) for row in HitQuestionTaken.objects.order_by("id").iterator())
    return tuple(each for each in (*advice, *questions) if each is not None)


def _word(row: HitAdvice | HitQuestionTaken, parties: Sequence[Mapping[str, str]]) -> PartnersWord | None:
    listed = Listed(row.list_code, row.publisher, row.entry_ref)
    meant = [place for place, party in enumerate(parties) if recognised(row.key, row.tags, listed, party)]
    if not meant:
        return None
    asked = PartnersWord(
        row.issuer, row.message_id, row.publisher or row.list_code, row.entry_ref, row.taken_at, tuple(meant)
    )
    if isinstance(row, HitQuestionTaken):
        return asked
    verdict, ground = HitVerdict(row.verdict), HitGround(row.ground)
    return replace(asked, verdict=verdict, ground=ground, decided_at=row.decided_at, list_of=row.list_of)


def _reasons(record_ids: Sequence[UUID]) -> Iterator[AssessmentReason]:
    for part in parts(record_ids):
        rows = AssessmentReason.objects.filter(source_kind=SourceKind.SCREENING.value, assessment__record_id__in=part)
        yield from rows.select_related("assessment").order_by("assessment__at", "id")


def _decisions(ids: Collection[int], subject_keys: Sequence[str]) -> Iterator[ScreeningDecision]:
    """By their numbers, and every other one on the same parties; the oldest first."""
    found: dict[int, ScreeningDecision] = {}
    named, keys = sorted(ids), sorted(set(subject_keys))
    for part in parts(named):
        rows = ScreeningDecision.objects.filter(pk__in=part)
        found |= {row.pk: row for row in rows}
    keys = sorted({*keys, *(row.subject_key for row in found.values())})
    for some in parts(keys):
        rows = ScreeningDecision.objects.filter(subject_key__in=some)
        found |= {row.pk: row for row in rows}
    yield from sorted(found.values(), key=lambda row: (row.decided_at, row.pk))


def _by_ref(refs: Sequence[str]) -> dict[str, list[Asked]]:
    found: dict[str, list[Asked]] = {}
    for part in parts(refs):
        for row in HitAsked.objects.filter(ref__in=part).order_by("asked_at", "id"):
            found.setdefault(row.ref, []).append(Asked(row.partner, row.message_id, row.asked_at))
    return found


def _told_of(decision_ids: Sequence[int]) -> dict[int, list[Asked]]:
    found: dict[int, list[Asked]] = {}
    for part in parts(decision_ids):
        rows = HitTold.objects.filter(decision_id__in=part).order_by("told_at", "id")
        for row in rows:
            found.setdefault(row.decision_id, []).append(Asked(row.recipient, row.message_id, row.told_at))
    return found


def _file(
    key: tuple[str, str, str], matter: _Matter, asked: Mapping[str, list[Asked]], told_of: Mapping[int, list[Asked]]
) -> HitFile:
    list_code, entry, subject_key = key
    reason = matter.reasons[-1] if matter.reasons else None
    decision = matter.decisions[-1] if matter.decisions else None
    facts: Mapping[str, Any] = reason.facts if reason else {}
    theirs: Mapping[str, Any] = decision.theirs if decision else {}
    refs = dict.fromkeys([*(row.source_ref for row in matter.reasons), *(row.ref for row in matter.decisions)])
    first = [row.assessment.at for row in matter.reasons[:1]] + [row.decided_at for row in matter.decisions[:1]]
    return HitFile(
        list_code=list_code,
        publisher=str(facts.get("Publisher") or theirs.get("publisher") or list_code),
        list_of=str(facts.get("List of") or theirs.get("list_of") or ""),
        entry=entry,
        entry_name=str(facts.get("Entry name") or theirs.get("name") or ""),
        subject_key=subject_key,
        ours=_ours(facts) if reason else dict(decision.ours if decision else {}),
        state=_state(matter),
        since=min(first),
        score=str(facts.get("Score", "")),
        compared=tuple(_compared(matter)),
        records=len({row.assessment.record_id for row in matter.reasons}),
        decisions=len(matter.decisions),
        ground=HitGround(decision.ground) if decision else None,
        decided_at=decision.decided_at if decision else None,
        asked=tuple(each for ref in refs for each in asked.get(ref, ())),
        told=tuple(each for row in matter.decisions for each in told_of.get(row.pk, ())),
    )


def _state(matter: _Matter) -> HitState:
    """A hit that waits in any declaration waits, whatever was decided before the entry or the list changed."""
    decided = {row.ref for row in matter.decisions if row.is_current}
    if any(row.assessment.is_current and row.source_ref not in decided for row in matter.reasons):
        return HitState.OPEN
    if matter.decisions:
        in_force = [row for row in matter.decisions if row.is_current] or matter.decisions
        return HitState(in_force[-1].verdict)
    told = next((row.facts["Decided"] for row in reversed(matter.reasons) if row.facts.get("Decided")), "")
    return HitState(told) if told in set(Verdict) else HitState.UNDECIDED


def _compared(matter: _Matter) -> Iterator[tuple[str, str]]:
    """What was compared last, as far as it can be said without what either side has there."""
    if matter.reasons:
        found = [(each.get("column", ""), each.get("comparison", "")) for each in matter.reasons[-1].evidence]
    else:
        found = [(part[0], part[3]) for part in matter.decisions[-1].parts]
    for feature, comparison in found:
        if feature in _FEATURES:
            yield _FEATURES[feature], str(comparison).split(" ")[0]


def _ours(facts: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(facts[label]) for label, name in _OURS.items() if facts.get(label)}
