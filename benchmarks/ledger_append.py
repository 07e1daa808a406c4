"""What the log costs: CPU seconds for each entry made durable, beside the SHA-256 hashing that no log can avoid.

    .venv/bin/python benchmarks/ledger_append.py [--batches 400] [--singles 1000]

Appends run through `comity.ledger.services.append`, one transaction each, into a new SQLite file with the node's own
settings (WAL, synchronous=FULL, IMMEDIATE): lock, leaf and node hashes, a signed checkpoint, three statements, commit.
The limit is hashlib alone, over the same number of leaf and node hashes of the same lengths, timed between the runs.
Then: proofs of random entries against one checkpoint, and their verification.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import secrets
import statistics
from datetime import UTC, datetime

from own_node import cpu, set_up

set_up()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from comity.ledger import commit, selectors  # noqa: E402
from comity.ledger.services import append  # noqa: E402
from comity.ledger.verifying import verify_log  # noqa: E402
from comity.trust import LogSigner, SigningKey, verify_tlog_proof  # noqa: E402

AT = datetime(2026, 3, 2, tzinfo=UTC)
SIGNER = LogSigner("bench.example/log", SigningKey.generate())


def entries(count: int) -> list[bytes]:
    """Commitments as the exchange makes them."""
    return [
        commit(
            "release", secrets.token_bytes(32), agreement="a" * 64, message_id=str(place), salt=secrets.token_bytes(32)
        )
        for place in range(count)
    ]


def hash_alone(batch: list[bytes]) -> None:
    """As many leaf and node hashes as appending the batch needs on average: one of each for an entry."""
    sha256 = hashlib.sha256
    leaves = [sha256(b"\x00" + entry).digest() for entry in batch]
    [sha256(b"\x01" + leaf + leaf).digest() for leaf in leaves]


def append_one(batch: list[bytes]) -> None:
    """One durable append."""
    with transaction.atomic():
        append(batch, signer=SIGNER, at=AT)


def measure(size: int, times: int) -> None:
    """Append `times` batches of `size`; print cost, limit and ratio from the medians."""
    batches = [entries(size) for _ in range(times)]
    spent, waited, limit = [], [], []
    for batch in batches:
        limit.append(cpu(lambda batch=batch: hash_alone(batch))[0])
        used, wall = cpu(lambda batch=batch: append_one(batch))
        spent.append(used)
        waited.append(wall)
    rate = size / statistics.median(waited)
    print(f"append, batch {size}: {rate:,.0f} entries a second, durable")
    for name, choose in (("median", statistics.median), ("best", min)):
        cost, floor = choose(spent) / size * 1e6, choose(limit) / size * 1e6
        print(f"  {name:<7} {cost:8.2f} us CPU an entry; SHA-256 alone {floor:.2f} us: {floor / cost:.0%} of the limit")


def measure_proofs(count: int) -> None:
    """Proofs of random entries against the newest checkpoint, and their verification."""
    size = selectors.log_size()
    indices = [random.randrange(size) for _ in range(count)]
    known = {index: selectors.entry(index) for index in set(indices[:500])}
    proofs: list[str] = []
    used, _ = cpu(lambda: proofs.extend(selectors.tlog_proofs(indices)))
    print(f"proofs of {size:,} entries:   {count / used:>9,.0f} a second of CPU, {count} for one checkpoint")
    single, _ = cpu(lambda: [selectors.tlog_proof(index) for index in indices[:200]])
    print(f"  one at a time:          {200 / single:>9,.0f} a second of CPU")
    pairs = [(proofs[place], known[index]) for place, index in enumerate(indices[:500])]
    used, _ = cpu(lambda: [verify_tlog_proof(proof, entry, SIGNER.verifier) for proof, entry in pairs])
    print(f"  verified:               {len(pairs) / used:>9,.0f} a second of CPU, checkpoint signature included")
    used, _ = cpu(lambda: verify_log(SIGNER.verifier).require_sound())
    print(f"whole log verified:       {size / used:>9,.0f} entries a second of CPU")


def main() -> None:
    """Run all."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--batches", type=int, default=400)
    options.add_argument("--singles", type=int, default=1000)
    chosen = options.parse_args()
    try:
        call_command("migrate", "ledger", verbosity=0, skip_checks=True)
        append_one(entries(256))
        measure(256, chosen.batches)
        measure(1, chosen.singles)
        measure_proofs(5000)
    finally:
        connection.close()


if __name__ == "__main__":
    main()
