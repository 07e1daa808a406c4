"""The gates of the screening on public lists, as benchmarks/screening.py measures them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = [pytest.mark.long, pytest.mark.once, pytest.mark.shared]
SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "screening.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("screening_benchmark", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_distorted_names_are_found_and_innocents_are_not(bench: ModuleType, shared_data: Path) -> None:
    lists = shared_data / "watchlists"
    un, ofac = bench.un_entries(lists), bench.ofac_entries(lists)
    assert bench.measure_recall(un, [*un, *ofac]) >= 0.97
    assert bench.measure_innocents([*un, *ofac], bench.innocents(lists)) <= 0.005
