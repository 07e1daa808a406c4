"""A stored model on a table: the chance, the revenue to expect and the reasons of each declaration of a week."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from comity.risk.prediction.artefacts import load_model, save_model
from comity.risk.prediction.errors import ModelFileError, TrainingError
from comity.risk.prediction.explaining import explain
from comity.risk.prediction.features import Variant
from comity.risk.prediction.forecasts import Coverage, coverage, outlooks
from comity.risk.prediction.heads import Growth
from comity.risk.prediction.panels import panel_of
from comity.risk.prediction.submissions import check_place, write_rows
from comity.risk.prediction.training import TrainingPlan, table_of, train
from comity.risk.prediction.worlds import read_world

Tell = Callable[[str], None]
HEADINGS = ("declaration_id", "chance", "expected_revenue", "reason_1", "reason_2", "reason_3")


def train_model(folder: Path, plan: TrainingPlan, *, out: Path, tell: Tell) -> tuple[str, str]:
    """Train on a folder and write the model; returns the SHA-256 of its manifest and the card as a page.

    Raises: TableError, TrainingError, ModelFileError.
    """
    check_place(out.with_name(out.name + ".new"))
    if out.exists():
        raise ModelFileError("Something stands there already", where=str(out), remedy="Name a new folder.")
    world = read_world(folder, with_exports=plan.variant is Variant.EXCHANGE)
    digest = save_model(train(world, plan, tell), out)
    return digest, (out / "card.md").read_text(encoding="utf-8")


def plan_of(administration: str, variant: str, seed: int, *, whole_weeks: bool = True) -> TrainingPlan:
    """The plan that the command's words ask for."""
    return TrainingPlan(administration, Variant(variant), Growth(seed=seed), whole_weeks=whole_weeks)


def score_week(folder: Path, model_folder: Path, *, week: int, out: Path, tell: Tell) -> int:
    """Write chance, expected revenue and three reasons for each declaration of a week; returns how many.

    Raises: TableError, ModelFileError, TrainingError.
    """
    check_place(out)
    model = load_model(model_folder)
    variant = Variant(str(model.card["variant"]))
    world = read_world(folder, with_exports=variant is Variant.EXCHANGE)
    by_weeks = model.card.get("whole_weeks", True) is not False
    panel, table = table_of(world, str(model.card["administration"]), variant, whole_weeks=by_weeks)
    if table.names != model.names:
        raise ModelFileError(
            "The model asks for other features than this release makes", where=str(model_folder), remedy="Train anew."
        )
    rows = np.flatnonzero(panel.week == week)
    tell(f"{len(rows)} declarations in week {week}")
    values = table.values[rows]
    chances = model.chances(values)
    revenues = model.revenues(values, chances)
    told = explain(model.chance, model.names, model.usual, values, most=3)
    lines = (
        (world.ids[panel.rows[row]], f"{chances[place]:.4f}", f"{revenues[place]:.2f}", *(t.text for t in told[place]))
        for place, row in enumerate(rows)
    )
    return write_rows(out, HEADINGS, lines)


FORECAST_HEADINGS = ("heading", "origin", "departure", "declarations", "share", "expected", "low", "high")


def forecast(folder: Path, administration: str, finding: str, *, weeks: int, out: Path) -> tuple[int, Coverage]:
    """Write the outlooks for the weeks after the table's last; returns how many.

    Also returns how the same forecast fared for the table's own last weeks.
    Raises: TableError, TrainingError.
    """
    check_place(out)
    world = read_world(folder, with_exports=False)
    if administration not in world.administrations():
        raise TrainingError("No declaration is decided there", where=administration)
    panel = panel_of(world, world.rows_of(administration))
    after = int(panel.week.max()) + 1
    told = outlooks(world, panel, finding, first_week=after, weeks=weeks)
    tried = outlooks(world, panel, finding, first_week=after - weeks, weeks=weeks)
    held = coverage(world, panel, tried, finding, first_week=after - weeks, weeks=weeks)
    rows = (
        (
            one.heading,
            one.origin,
            one.departure,
            f"{one.declarations:.1f}",
            f"{one.share:.4f}",
            f"{one.expected:.2f}",
            str(one.low),
            str(one.high),
        )
        for one in told
    )
    return write_rows(out, FORECAST_HEADINGS, rows), held
