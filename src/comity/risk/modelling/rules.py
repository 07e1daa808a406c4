"""How models live and what their word weighs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum


class ModelState(StrEnum):
    """The life of a model: trained; approved as a challenger, which tells without effect; champion; retired."""

    TRAINED = "trained"
    CHALLENGER = "challenger"
    CHAMPION = "champion"
    RETIRED = "retired"


class Silence(StrEnum):
    """Why no model speaks in assessments; NONE where one does."""

    NONE = ""
    NO_CHAMPION = "no_champion"
    NO_LIBRARY = "no_library"
    BAD_MODEL = "bad_model"
    NO_STATE = "no_state"
    OLD_STATE = "old_state"


MOVES: Mapping[ModelState, frozenset[ModelState]] = {
    ModelState.TRAINED: frozenset({ModelState.CHALLENGER, ModelState.RETIRED}),
    ModelState.CHALLENGER: frozenset({ModelState.CHAMPION, ModelState.RETIRED}),
    ModelState.CHAMPION: frozenset({ModelState.RETIRED}),
    # Back to one that was champion before: what follows turned out worse.
    ModelState.RETIRED: frozenset({ModelState.CHAMPION}),
}
# What a model sees: own declarations and controls, or what partners told too.
LOCAL, EXCHANGE = "local", "exchange"
VARIANTS = (LOCAL, EXCHANGE)
# Each asks for a score of everything that arrives.
MOST_CHALLENGERS = 3
# Below this chance a model says nothing: its word would move no lane, and explaining costs more than scoring.
LEAST_CHANCE = 0.10
# A model alone reaches the yellow lane (from 40) and never the red one (from 70): papers are asked for. Goods are
# opened only where a profile, a register, a partner or an officer says so too, or where capacity is spent by score.
MOST_WEIGHT = 60.0
# Histories know whole weeks. One that misses the last whole week is used for some days more, then no more.
OLDEST_STATE = timedelta(days=14)
STATE_EVERY = timedelta(days=1)


def weight_of(chance: float) -> float:
    """What a chance weighs in a score: its percentage, bounded so that alone it reaches no lane above yellow."""
    return round(min(MOST_WEIGHT, 100.0 * chance), 1) if chance >= LEAST_CHANCE else 0.0


def name_of(model_id: str) -> str:
    """How a model is named in reasons and outcomes: the first sixteen signs of its id."""
    return model_id[:16]
