"""Several workers append at once: every entry stands once, every checkpoint is of one history."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from django.db import connection, transaction

from comity.ledger.selectors import entry, log_size
from comity.ledger.services import append
from comity.ledger.verifying import verify_log
from comity.trust.notes import LogSigner


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_workers_take_turns_at_the_log(signer: LogSigner, at: datetime) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time by itself; its shared memory database cannot wait")

    def work(worker: int) -> list[int]:
        try:
            indices = []
            for turn in range(20):
                with transaction.atomic():
                    indices.append(append([b"%d/%d" % (worker, turn)], signer=signer, at=at).first_index)
            return indices
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(work, range(4)))
    assert sorted(index for indices in taken for index in indices) == list(range(80)) == list(range(log_size()))
    for worker, indices in enumerate(taken):
        assert [entry(index) for index in indices] == [b"%d/%d" % (worker, turn) for turn in range(20)]
    verify_log(signer.verifier).require_sound()
