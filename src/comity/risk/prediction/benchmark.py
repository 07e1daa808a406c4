"""The benchmark's tasks from a folder to an answer file, with the figures by administration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from comity.risk.prediction.features import Variant
from comity.risk.prediction.heads import Growth
from comity.risk.prediction.policy import FIRST_WEEKS, Inspected, PolicyPlan, inspect_world
from comity.risk.prediction.ranking import RankingPlan, rank_world
from comity.risk.prediction.scoring import Quality
from comity.risk.prediction.submissions import check_place, write_rows
from comity.risk.prediction.worlds import read_world

Tell = Callable[[str], None]
Line = tuple[str, ...]
POLICY_HEADINGS = ("PERIOD", "ADMINISTRATION", "HIT RATE", "RECALL", "REVENUE", "CRITICAL")
HEADINGS = ("ADMINISTRATION", "P@5", "R@5", "V@5", "C@5", "AUC", "AP")


def run_ranking(folder: Path, variant: Variant, *, out: Path, growth: Growth, tell: Tell) -> list[Line]:
    """Task T2: write `declaration_id,score`; returns the table of figures, headings first.

    Raises: TableError, TrainingError.
    """
    check_place(out)
    world = read_world(folder, with_exports=variant is Variant.EXCHANGE)
    ranked = rank_world(world, RankingPlan(variant, growth), tell)
    rows = ((world.ids[row], f"{score:.9g}") for one in ranked for row, score in zip(one.rows, one.scores, strict=True))
    count = write_rows(out, ("declaration_id", "score"), rows)
    tell(f"{count} scores written to {out}")
    lines = [(one.administration, *_figures(one.quality)) for one in ranked]
    return [HEADINGS, *lines, ("mean", *_figures(Quality.mean([one.quality for one in ranked])))]


def run_policy(folder: Path, variant: Variant, *, out: Path, seed: int, budget: float, tell: Tell) -> list[Line]:
    """Task T3: write `declaration_id,week` of all that was inspected; returns the table of figures, headings first.

    Raises: TableError.
    """
    check_place(out)
    world = read_world(folder, with_exports=variant is Variant.EXCHANGE)
    done = inspect_world(world, PolicyPlan(variant, budget=budget, seed=seed), tell)
    rows = ((world.ids[one.panel.rows[row]], int(one.panel.week[row])) for one in done for row in one.rows)
    count = write_rows(out, ("declaration_id", "week"), rows)
    tell(f"{count} inspections written to {out}")
    last = int(world.week.max())
    lines: list[Line] = [POLICY_HEADINGS]
    for name, first in ((f"weeks {FIRST_WEEKS}-{last}", FIRST_WEEKS), (f"weeks {last - 25}-{last}", last - 25)):
        each = [yield_of(one, first) for one in done]
        lines += [(name, one.administration, *map(_share, figures)) for one, figures in zip(done, each, strict=True)]
        lines.append((name, "mean", *map(_share, np.mean(each, axis=0).tolist())))
    return lines


def yield_of(one: Inspected, first_week: int) -> tuple[float, float, float, float]:
    """Hit rate, and the shares of illicit rows, of revenue and of critical goods caught, from a week on."""
    panel, outcomes = one.panel, one.panel.outcomes
    taken = np.zeros(len(panel), dtype=np.bool_)
    taken[one.rows] = True
    late = panel.week >= first_week
    caught = taken & late
    illicit, critical = outcomes.illicit > 0, outcomes.critical > 0
    return (
        _ratio((illicit & caught).sum(), caught.sum()),
        _ratio((illicit & caught).sum(), (illicit & late).sum()),
        _ratio(outcomes.revenue[caught].sum(), outcomes.revenue[late].sum()),
        _ratio((critical & caught).sum(), (critical & late).sum()),
    )


def _ratio(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else float("nan")


def _share(value: float) -> str:
    return f"{value:.3f}"


def _figures(quality: Quality) -> Line:
    return (
        f"{quality.precision:.3f}",
        f"{quality.recall:.3f}",
        f"{quality.revenue:.3f}",
        f"{quality.critical:.3f}",
        f"{quality.auc:.3f}",
        f"{quality.average_precision:.4f}",
    )
