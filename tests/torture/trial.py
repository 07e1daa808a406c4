"""One trial from nothing to the verdict: nodes, run, end, looks, figures."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from tests.torture.federation import CODES, federation
from tests.torture.names import RUN_FILE
from tests.torture.plan import make_plan
from tests.torture.run import Story, Torture, TortureError
from tests.torture.verdict import Verdict, judge


@dataclass(frozen=True)
class Wishes:
    """How hard a trial is."""

    messages: int = 4000
    kills: int = 4
    partitions: int = 3
    codes: tuple[str, ...] = CODES
    seed: int = 1
    rate: float = 0.0
    patience_seconds: float = 120.0
    batch: int = 100


@dataclass
class Trial:
    """One trial in a folder. After `run`: what happened, and how long it took."""

    root: Path
    wishes: Wishes
    server_url: str = ""
    say: Callable[[str], None] = lambda _line: None
    story: Story = field(default_factory=Story)
    clock: timedelta = timedelta()
    setup_seconds: float = 0.0
    run_seconds: float = 0.0
    verdict_seconds: float = 0.0
    carried_bytes: int = 0

    def run(self) -> Verdict:
        """Everything. Raises: TortureError where a node ended by itself, the drain did not end, or a process stayed."""
        wishes, begun = self.wishes, time.monotonic()
        plan = make_plan(wishes.seed, wishes.codes, wishes.messages, wishes.kills, wishes.partitions)
        pids: list[int] = []
        with federation(self.root, wishes.codes, server_url=self.server_url) as nodes:
            databases = {code: node.database_url for code, node in nodes.nodes.items()}
            (self.root / RUN_FILE).write_text(json.dumps({"databases": databases, "seed": wishes.seed}))
            torture = Torture(nodes, plan, wishes.rate, wishes.patience_seconds, wishes.batch, self.say, self.story)
            self.setup_seconds = time.monotonic() - begun
            torture.play()
            self.clock = timedelta(seconds=nodes.clock.offset_seconds)
            self.carried_bytes = nodes.links.carried_bytes
            pids = torture.groups
        _check_all_gone(pids)
        self.run_seconds = time.monotonic() - begun - self.setup_seconds
        verdict = judge(self.root)
        self.verdict_seconds = time.monotonic() - begun - self.setup_seconds - self.run_seconds
        return verdict


def show_figures(trial: Trial, verdict: Verdict, database: str) -> str:
    """One line with everything that was counted."""
    counts, story = verdict.counts, trial.story
    seconds = trial.setup_seconds + trial.run_seconds + trial.verdict_seconds
    lengths = ", ".join(f"{count} of {name}" for name, count in sorted(story.partitions.items())) or "none"
    refused = ", ".join(f"{count} {code}" for code, count in sorted(verdict.refusals.items())) or "none"
    facts = (
        f"{counts['posted']} messages among {verdict.nodes} nodes on {database}",
        f"{story.kills} kills",
        f"partitions: {lengths}",
        f"clock +{trial.clock.total_seconds() / 86400:.1f} days",
        f"{counts['receipts']} receipts verified",
        f"{counts['duplicates']} duplicates received and answered",
        f"{counts['sent again']} envelopes sent again",
        f"refused: {refused}",
        f"{trial.carried_bytes / 1e6:.0f} MB",
        f"{seconds:.0f} s ({trial.run_seconds:.0f} s of running)",
        f"{counts['posted'] / trial.run_seconds:.0f} messages/s",
        f"lost {counts['lost'] + counts['lost at the partner']}",
        f"doubled {counts['doubled']}",
        f"logs consistent {verdict.sound_logs} of {verdict.nodes}",
        f"seed {trial.wishes.seed}",
    )
    faults = ", ".join(f"{count} {fault}" for fault, count in verdict.faults.items())
    return f"torture: {'GOOD' if verdict.is_good else f'BAD ({faults})'} · " + " · ".join(facts)


def _check_all_gone(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.killpg(pid, 0)
        except ProcessLookupError:
            continue
        raise TortureError(f"the process group {pid} is still there")
