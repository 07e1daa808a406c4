"""The benchmark's tasks from a folder to an answer file, with the figures by administration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from comity.risk.prediction.features import Variant
from comity.risk.prediction.heads import Growth
from comity.risk.prediction.ranking import RankingPlan, rank_world
from comity.risk.prediction.scoring import Quality
from comity.risk.prediction.submissions import write_rows
from comity.risk.prediction.worlds import read_world

Tell = Callable[[str], None]
Line = tuple[str, ...]
HEADINGS = ("ADMINISTRATION", "P@5", "R@5", "V@5", "C@5", "AUC", "AP")


def run_ranking(folder: Path, variant: Variant, *, out: Path, seed: int, tell: Tell) -> list[Line]:
    """Task T2: write `declaration_id,score`; returns the table of figures, headings first.

    Raises: TableError, TrainingError.
    """
    world = read_world(folder, with_exports=variant is Variant.EXCHANGE)
    ranked = rank_world(world, RankingPlan(variant, Growth(seed=seed)), tell)
    rows = ((world.ids[row], f"{score:.9g}") for one in ranked for row, score in zip(one.rows, one.scores, strict=True))
    count = write_rows(out, ("declaration_id", "score"), rows)
    tell(f"{count} scores written to {out}")
    lines = [(one.administration, *_figures(one.quality)) for one in ranked]
    return [HEADINGS, *lines, ("mean", *_figures(Quality.mean([one.quality for one in ranked])))]


def _figures(quality: Quality) -> Line:
    return (
        f"{quality.precision:.3f}",
        f"{quality.recall:.3f}",
        f"{quality.revenue:.3f}",
        f"{quality.critical:.3f}",
        f"{quality.auc:.3f}",
        f"{quality.average_precision:.4f}",
    )
