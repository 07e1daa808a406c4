"""What is told of models: each with its life, how two compare, how far trade has moved from what one learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from comity.risk.modelling.rules import ModelState, Silence


@dataclass(frozen=True, slots=True)
class Move:
    """A move in the life of a model. from_state: None where it came in. log_index: of its entry in the log."""

    from_state: ModelState | None
    to_state: ModelState
    by: str
    reason: str
    at: datetime
    log_index: int


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model of this node. card: what it learned from and how good it was; moves: its life, the oldest first."""

    model_id: str
    administration: str
    variant: str
    first_day: date
    last_day: date
    state: ModelState
    proposed_by: str
    proposed_at: datetime
    approved_by: str
    approved_at: datetime | None
    changed_at: datetime
    card: Mapping[str, object]
    reference: Mapping[str, object]
    moves: tuple[Move, ...] = ()

    @property
    def name(self) -> str:
        """As reasons and outcomes name it."""
        return self.model_id[:16]

    @property
    def was_champion(self) -> bool:
        """Whether it was used before, so that one may go back to it."""
        return any(move.to_state is ModelState.CHAMPION for move in self.moves)

    @property
    def tells_revenue(self) -> bool:
        """Whether it learned amounts too."""
        return bool(self.card.get("tells_revenue", True))

    @property
    def as_told(self) -> Mapping[str, object]:
        """What its card says of what partners told this node; empty where it sees nothing of that."""
        told = self.card.get("as_told")
        return told if isinstance(told, dict) else {}

    @property
    def heard_nothing(self) -> bool:
        """Whether it was made to see what partners told, and they had told of nothing that it learned from."""
        counts = [told for name, told in self.as_told.items() if name != "declarations" and isinstance(told, int)]
        return bool(self.as_told) and not any(counts)

    @property
    def revenue(self) -> Mapping[str, object]:
        """What its card says of amounts; empty in one of an earlier release."""
        told = self.card.get("revenue")
        return told if isinstance(told, dict) else {}


@dataclass(frozen=True, slots=True)
class ReliabilityRow:
    """Of the records whose chance was told as between low and high: how many, the mean told, the share found."""

    low: float
    high: float
    count: int
    told: float
    found: float


@dataclass(frozen=True, slots=True)
class Judged:
    """How good a model was on controlled records that it had scored. hit_rate: of the share ranked highest.

    None where it cannot be said: nothing was found, or nothing was controlled.
    """

    model_id: str
    average_precision: float | None
    hit_rate: float | None
    told: float
    found: float
    rows: tuple[ReliabilityRow, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Champion and challenger on the same controlled records. top: how many of them count as ranked highest."""

    controls: int
    irregular: int
    top: int
    champion: Judged
    challenger: Judged

    @property
    def is_guess(self) -> bool:
        """Whether there are too few controls to prefer one of them."""
        return self.irregular < 20 or self.controls < 100


@dataclass(frozen=True, slots=True)
class Shift:
    """How far one figure has moved from what a model learned. level: steady, moving or changed; count: recent rows."""

    name: str
    index: float
    count: int
    level: str


@dataclass(frozen=True, slots=True)
class Drift:
    """What the watch saw. share: 0 to 1, handed to exploration. told, found: of recent controls; z: standard errors."""

    model_id: str
    shifts: tuple[Shift, ...]
    controls: int
    told: float
    found: float
    z: float | None
    level: str
    share: float

    @property
    def is_warning(self) -> bool:
        """Whether training anew is proposed."""
        return self.level == "changed"


@dataclass(frozen=True, slots=True)
class Standing:
    """How models stand in this node. state_at, state_week: when the histories were made, and up to which Monday."""

    champion: ModelView | None
    silence: Silence
    detail: str
    state_at: datetime | None
    state_until: date | None
    declarations: int = 0


@dataclass(frozen=True, slots=True)
class Retraining:
    """When the node trains by itself, and what its models see. every_days: 0 for never; variant: local or exchange."""

    every_days: int
    variant: str


@dataclass(frozen=True, slots=True)
class Training:
    """A training that was asked for, and what became of it. note: why it failed, or what to know of the model."""

    number: int
    state: str
    variant: str
    asked_by: str
    asked_at: datetime
    began_at: datetime | None
    ended_at: datetime | None
    model_id: str
    note: str


@dataclass(frozen=True, slots=True)
class RecordFigures:
    """What the champion and others told of one record. used: of the champion then; beside: name -> chance."""

    used: float | None = None
    beside: Mapping[str, float] = field(default_factory=dict)
