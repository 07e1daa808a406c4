"""Two doors take in at once: nothing is doubled, nothing is lost, whichever comes first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

import pytest
from django.db import connection, connections
from pytest_django import Settings

from comity.intake import Receipt, selectors, services
from tests.intake.files import SYSTEM
from tests.trade.documents import declaration

DOORS = 4


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_same", [True, False])
def test_doors_at_once(at: datetime, is_same: bool, settings: Settings) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time")
    start = Barrier(DOORS)

    def receive(door: int) -> Receipt:
        seal = "SEAL-1" if is_same else f"SEAL-{door}"
        data = declaration().replace("SEAL-1", seal).encode()
        start.wait(timeout=20)
        try:
            return services.receive(SYSTEM, source=f"door {door}", name="a.xml", data=data, mapping=None, at=at)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(DOORS) as pool:
        receipts = list(pool.map(receive, range(DOORS)))
    versions = [entry.version for entry in selectors.versions("XC-2026-000001")]
    expected = 1 if is_same else DOORS
    assert versions == list(range(expected, 0, -1))
    assert len({entry.record_id for entry in selectors.versions("XC-2026-000001")}) == 1
    assert sum(len(receipt.imported) for receipt in receipts) == expected
    assert sum(receipt.duplicates for receipt in receipts) == DOORS - expected
    assert selectors.counts().arrivals == expected
