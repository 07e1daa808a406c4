"""One small run, kept for the tests that look at it from all sides."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture.trial import Trial, Wishes
from tests.torture.verdict import Verdict

SMALL = Wishes(messages=300, kills=1, partitions=1, codes=("XA", "XB", "XC"), seed=11)


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trial, Verdict]:
    trial = Trial(Path(tmp_path_factory.mktemp("torture")), SMALL)
    return trial, trial.run()
