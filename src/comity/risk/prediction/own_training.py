"""Training on the node's own history, and its histories as a state: both from one table, written and thrown away."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from comity.common import show_instant
from comity.risk.modelling.rows import monday_of
from comity.risk.prediction.artefacts import save_model
from comity.risk.prediction.features import Variant
from comity.risk.prediction.heads import Growth
from comity.risk.prediction.own_table import OwnTable, read_own_rates, read_own_world, write_own_table
from comity.risk.prediction.ranking import WARM_UP_WEEKS
from comity.risk.prediction.states import State, build_state, save_state
from comity.risk.prediction.training import TrainingPlan, train

Tell = Callable[[str], None]


def train_own(
    home: Path,
    tariff: Path,
    administration: str,
    *,
    at: datetime,
    seed: int,
    tell: Tell,
    variant: Variant = Variant.LOCAL,
) -> Path:
    """Train on everything held; returns the folder of the model, which the caller takes over or removes.

    variant: EXCHANGE also sees what partners told of own declarations, where their articles permit it.

    Raises: HistoryError, TableError, TrainingError, ModelFileError.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    out = Path(tempfile.mkdtemp(prefix=".trained-", dir=home)) / "model"
    is_made = False
    try:
        with tempfile.TemporaryDirectory(prefix=".table-", dir=home) as folder:
            written = _write(Path(folder), tariff, administration, at, tell)
            plan = replace(plan_for(written, administration, seed), variant=variant)
            model = train(read_own_world(Path(folder)), plan, tell)
        model.card["source"] = "own history"
        save_model(model, out)
        is_made = True
    finally:
        if not is_made:
            shutil.rmtree(out.parent, ignore_errors=True)
    return out


def plan_for(written: OwnTable, administration: str, seed: int) -> TrainingPlan:
    """How to train on so much: of a short history fewer weeks are kept for calibration and passed over at first."""
    weeks = written.last_week + 1
    return TrainingPlan(
        administration,
        Variant.LOCAL,
        growth_for(written.controlled, seed),
        kept_weeks=max(3, min(10, weeks // 4)),
        warm_up=min(WARM_UP_WEEKS, weeks // 8),
        whole_weeks=False,
        currency=written.currency,
    )


def growth_for(controlled: int, seed: int) -> Growth:
    """Fewer and smaller trees where there is less to learn from."""
    if controlled >= 20_000:
        return Growth(seed=seed)
    return Growth(
        trees=150, leaves=8, rate=0.05, least_rows=10, features_part=0.15, seeds=3, regular_part=1.0, seed=seed
    )


def refresh_state(home: Path, tariff: Path, administration: str, *, at: datetime, tell: Tell) -> State:
    """Make the histories anew: everything that was declared and found before this week's Monday.

    Raises: HistoryError, TableError, ModelFileError.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix=".table-", dir=home) as folder:
        written = _write(Path(folder), tariff, administration, at, tell)
        world = read_own_world(Path(folder))
        week = (monday_of(at) - written.first_day) // 7
        state = build_state(world, administration, week=week, made_at=show_instant(at))
    # Week 0 begins on its Monday, whether anything arrived on it or not; and the tariff knows more codes than were met.
    return replace(state, first_day=written.first_day, rates=read_own_rates(tariff), kept={})


def keep_state(state: State, path: Path) -> None:
    """Write the histories where assessments look for them."""
    save_state(state, path)


def _write(folder: Path, tariff: Path, administration: str, at: datetime, tell: Tell) -> OwnTable:
    written = write_own_table(folder, administration=administration, rates=read_own_rates(tariff), until=at, tell=tell)
    tell(str(written))
    return written
