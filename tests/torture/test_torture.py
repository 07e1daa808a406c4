"""Five nodes under torture on both databases; small, to run at every change. `make torture` is the long one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings

from tests.torture.plan import LENGTHS, make_plan
from tests.torture.trial import Trial, Wishes, show_figures

WISHES = Wishes(messages=1500, kills=3, partitions=3, seed=4)


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path, database: str) -> None:
    """kill -9 and a partition of three hours, three days and thirty days of the nodes' clock."""
    url = ""
    if database == "postgresql":
        if "postgresql" not in settings.DATABASES["default"]["ENGINE"]:
            pytest.skip("this run has no PostgreSQL server: python -m tests.postgresql pytest tests/torture")
        url = os.environ["COMITY_DATABASE_URL"]
    trial = Trial(tmp_path, WISHES, server_url=url)
    verdict = trial.run()
    assert verdict.is_good, f"{verdict.faults} {verdict.problems}"
    assert trial.story.kills == 3
    assert sorted(trial.story.partitions) == ["3 days", "3 hours", "30 days"]
    assert trial.clock.days >= 33
    assert verdict.counts["posted"] >= WISHES.messages, "a killed node may have posted what it could not say"
    assert verdict.counts["delivered"] == verdict.counts["effects"] == verdict.counts["posted"]
    assert not verdict.refusals
    assert verdict.counts["sent again"] > 0, "a run in which nothing broke proves nothing"
    assert verdict.sound_logs == verdict.nodes == 5
    assert "lost 0 · doubled 0 · logs consistent 5 of 5" in show_figures(trial, verdict, database)


def test_a_plan_is_made_by_its_seed_alone() -> None:
    codes = ("XA", "XB", "XC", "XD", "XE")
    plan = make_plan(9, codes, 1000, 10, 6)
    assert plan == make_plan(9, codes, 1000, 10, 6)
    assert plan != make_plan(10, codes, 1000, 10, 6)
    assert [each.length for each in plan.partitions] == [*LENGTHS, *LENGTHS]
    assert [each.after for each in plan.kills] == sorted(each.after for each in plan.kills)
    for partition in plan.partitions:
        assert not set(partition.sides[0]) & set(partition.sides[1])
        assert partition.links
