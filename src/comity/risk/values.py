"""What risk tells others: assessments, reasons, the queue, profiles, what was learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from comity.intake import StoredRecord
from comity.registers import RegisterVersion
from comity.risk.rules import AfterRelease, Cause, Lane, ProfileState, Reliability, SourceKind, TargetState
from comity.risk.wording import Evidence
from comity.trade import RiskType


@dataclass(frozen=True, slots=True)
class FoundReason:
    """A reason for looking at a record, with what was compared and the node that it came from.

    weight: 0 to 100, or below 0 where it takes a percentage off the score. facts: what else an officer should know of
    the source, label -> words.
    """

    source_kind: SourceKind
    source_ref: str
    title: str
    text: str
    weight: float
    lane: Lane
    administration: str
    is_mandatory: bool = False
    risk_type: RiskType | None = None
    clause: str = ""
    evidence: tuple[Evidence, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def source(self) -> str:
        """The source as outcomes name it: profile:<ref>, alert:<ref>, random."""
        return (
            self.source_kind.value if self.source_kind is SourceKind.RANDOM else f"{self.source_kind}:{self.source_ref}"
        )

    @property
    def is_unverified(self) -> bool:
        """Whether it rests on a partner's word alone."""
        return self.source_kind in (SourceKind.ALERT, SourceKind.MIRROR)


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that are assessed together. facts: the rows of each, as `trade.facts_of` gives them.

    registers: the lists and registers in force.
    """

    records: tuple[StoredRecord, ...]
    facts: tuple[tuple[Mapping[str, object], ...], ...]
    administration: str
    at: datetime
    registers: tuple[RegisterVersion, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """By which message something came: who issued it, how that one named it, under which agreement and article."""

    issuer: str
    message_id: str
    agreement: str
    article: str


@dataclass(frozen=True, slots=True)
class AssessmentRef:
    """An assessment in short. number: counts the assessments of one record from 1."""

    record_id: UUID
    version: int
    number: int
    score: float
    lane: Lane
    is_mandatory: bool
    at: datetime
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a record stands where it stands: every reason, how and when it was selected, and checked after release."""

    assessment: AssessmentRef
    formula: str
    reasons: tuple[FoundReason, ...]
    state: TargetState
    cause: Cause
    selection: str
    day: date | None
    seed: str
    draw: float | None
    assigned_to: str
    after: AfterRelease = AfterRelease.NONE

    @property
    def rests_on_partners_alone(self) -> bool:
        """Whether all that speaks for a control is a partner's unverified word: no decision may rest on it alone.

        WTO TFA Art. 12.5.1: a control verifies it; without one nothing is decided on it.
        """
        weighty = [reason for reason in self.reasons if reason.weight > 0]
        return bool(weighty) and all(reason.is_unverified for reason in weighty)


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which records of the queue to show; what is empty does not narrow. page: from 1."""

    states: tuple[TargetState, ...] = ()
    lanes: tuple[Lane, ...] = ()
    causes: tuple[Cause, ...] = ()
    office: str = ""
    assigned_to: str = ""
    is_unassigned: bool = False
    min_score: float = 0.0
    text: str = ""
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A record as the queue shows it."""

    record_id: UUID
    version: int
    kind: str
    reference: str
    office: str
    exporter: str
    importer: str
    hs_code: str
    origin: str
    state: TargetState
    cause: Cause
    score: float
    lane: Lane
    is_mandatory: bool
    top_reason: str
    administrations: tuple[str, ...]
    assigned_to: str
    received_at: datetime
    assessed_at: datetime


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One page of the queue. facets: name of the facet -> value -> how many, each without its own filter."""

    rows: tuple[QueueRow, ...]
    total: int
    page: int
    pages: int
    facets: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile with its statistics. priority: 1 is looked at first, 9 last; expected_hit_rate: 0 to 1, of records.

    shadowed_by: a profile of at least its weight and lane that fired wherever this one did.
    issuer: the partner whose it is, empty of our own; issuer_ref: how that one names it; digest: what runs.
    legal_basis_here: of a partner's, the law of ours by which it runs here; legal_basis is its issuer's then.
    """

    ref: str
    title: str
    owner: str
    legal_basis: str
    expression: str
    weight: int
    risk_type: RiskType
    lane: Lane
    valid_from: datetime
    valid_until: datetime | None
    state: ProfileState
    drafted_by: str
    approved_by: str
    hits: int
    confirmed: int
    unconfirmed: int
    priority: int = 5
    expected_hit_rate: float | None = None
    tested_at: datetime | None = None
    shadowed_by: str = ""
    issuer: str = ""
    issuer_ref: str = ""
    message_id: str = ""
    article: str = ""
    digest: str = ""
    retired_because: str = ""
    legal_basis_here: str = ""

    @property
    def is_silent(self) -> bool:
        """Whether it is in force and has never fired."""
        return self.state in {ProfileState.ACTIVE, ProfileState.EXPIRING} and not self.hits

    @property
    def precision(self) -> float | None:
        """The share of controls that confirmed it; None where none was made."""
        controls = self.confirmed + self.unconfirmed
        return self.confirmed / controls if controls else None


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """How far a back-test had come: records looked at, how often it had fired, how many of these were irregular."""

    records: int
    fired: int
    found: int


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a rule would have found among past records.

    records: those looked at; is_cut: there were more. Of those that were controlled: found (fired, irregular), vain
    (fired, in order), missed (silent, irregular), spared (silent, in order). is_current: the rule is still this one.
    """

    since: datetime
    until: datetime
    at: datetime
    by: str
    records: int
    is_cut: bool
    fired: int
    found: int
    vain: int
    missed: int
    spared: int
    curve: tuple[CurvePoint, ...]
    is_current: bool = True

    @property
    def controlled(self) -> int:
        """Of how many it is known what they were."""
        return self.found + self.vain + self.missed + self.spared

    @property
    def hit_rate(self) -> float:
        """The share of records on which it fired."""
        return self.fired / self.records if self.records else 0.0

    @property
    def precision(self) -> float | None:
        """The share of its controlled hits that were irregular; None where none was controlled."""
        return self.found / (self.found + self.vain) if self.found + self.vain else None

    @property
    def recall(self) -> float | None:
        """The share of the irregular ones on which it fired; None where none is known."""
        return self.found / (self.found + self.missed) if self.found + self.missed else None


@dataclass(frozen=True, slots=True)
class Signal:
    """A partner's alert as it targets goods here."""

    ref: str
    issuer: str
    message_id: str
    article: str
    title: str
    state: str
    valid_from: datetime
    valid_until: datetime
    hits: int
    confirmed: int
    unconfirmed: int
    reliability: Reliability


@dataclass(frozen=True, slots=True)
class Considered:
    """What became of a record that was considered for selection. draw: where chance was asked."""

    record_id: UUID
    cause: Cause
    draw: float | None = None

    @property
    def is_selected(self) -> bool:
        """Whether it was selected, now or before."""
        return self.cause is not Cause.NONE


@dataclass(frozen=True, slots=True)
class Plan:
    """A day's inspections: how many, how they are spent, how many are spent. extra_share: what drift adds to exploring.

    used_value, used_critical: of those spent for risk, the ones taken for their value and for harm in themselves.
    used_after: checks after release.
    """

    day: date
    capacity: int
    random_share: float
    score_threshold: float
    expected_arrivals: int | None
    used_mandatory: int
    used_risk: int
    used_random: int
    used_learning: int = 0
    used_value: int = 0
    used_critical: int = 0
    used_after: int = 0
    extra_share: float = 0.0

    @property
    def used(self) -> int:
        """How many inspections of the day are spent."""
        return self.used_mandatory + self.used_risk + self.used_random + self.used_learning + self.used_after

    @property
    def chance_share(self) -> float:
        """The part of the day that is drawn at random: as stated, and half of what drift adds."""
        return min(1.0, self.random_share + self.extra_share / 2)

    @property
    def left(self) -> int:
        """How many are left; mandatory ones may have used more than there were."""
        return max(0, self.capacity - self.used)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Those that a run chooses from, fixed by an entry of the log before its seed was known.

    log_index: of the entry; log_size: of the checkpoint that holds it, from which the seed comes. salt: hex.
    """

    record_ids: tuple[UUID, ...]
    log_index: int
    log_size: int
    salt: str


@dataclass(frozen=True, slots=True)
class SelectionRun:
    """What a selection of a day chose, in order."""

    plan: Plan
    seed: str
    chosen: tuple[Considered, ...]


@dataclass(frozen=True, slots=True)
class ReliabilityChange:
    """An issuer's measured reliability before and after an outcome."""

    before: Reliability
    after: Reliability


@dataclass(frozen=True, slots=True)
class Learned:
    """What an outcome changed. is_new: false where it was learned before and changed nothing."""

    is_new: bool
    profiles: tuple[str, ...] = ()
    issuers: tuple[ReliabilityChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a partner found where it followed an alert of ours."""

    alert_ref: str
    administration: str
    finding_ref: str
    is_irregular: bool
    found_at: datetime


@dataclass(frozen=True, slots=True)
class Compliance:
    """What random controls found: an unbiased estimate of how many are irregular, with a 95 % Wilson interval."""

    controls: int
    irregular: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class AlertSource:
    """A partner's alert by its message, as the origin named it. handling: as it came; empty: its content is gone."""

    message_id: str
    handling: str


@dataclass(frozen=True, slots=True)
class AlertReason:
    """A partner's alert among the reasons of an assessment. is_first: it is the heaviest."""

    issuer: str
    ref: str
    is_first: bool
