"""The cost of the hybrid seal and the second signature beside the ordinary ones, in one run.

    .venv/bin/python benchmarks/hybrid_seal.py [--bytes 65536] [--rounds 400]

CPU time of one core; rounds alternate between the two, the median of each counts. The text has the size of an envelope
of 128 alerts unless told.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

from comity.trust import HybridKey, RecipientKey, SecondSigningKey, SigningKey, seal, unseal


def main() -> None:
    """Print microseconds for each step, ordinary and strong, and the bytes that each adds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", type=int, default=65536)
    parser.add_argument("--rounds", type=int, default=400)
    wishes = parser.parse_args()
    text = bytes(wishes.bytes)
    plain, hybrid = RecipientKey.generate(), HybridKey.generate()
    first, second = SigningKey.generate(), SecondSigningKey.generate()
    plain_sealed, hybrid_sealed = seal(plain.public, text, info=b"i"), seal(hybrid.public, text, info=b"i")
    one, two = first.sign(text), second.sign(text)
    steps: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
        ("seal", lambda: seal(plain.public, text, info=b"i"), lambda: seal(hybrid.public, text, info=b"i")),
        ("unseal", lambda: unseal(plain, plain_sealed, info=b"i"), lambda: unseal(hybrid, hybrid_sealed, info=b"i")),
        ("sign", lambda: first.sign(text), lambda: second.sign(text)),
        ("verify", lambda: first.verify_key.verify(one, text), lambda: second.verify_key.verify(two, text)),
    ]
    print(
        f"{'step':8} {'ordinary us':>12} {'strong us':>12} {'ratio':>7}   {wishes.bytes} bytes, {wishes.rounds} rounds"
    )
    for name, ordinary, strong in steps:
        a, b = _medians(ordinary, strong, wishes.rounds)
        print(f"{name:8} {a:12.1f} {b:12.1f} {b / a:7.2f}")
    print(f"seal adds {len(plain_sealed) - len(text)} and {len(hybrid_sealed) - len(text)} bytes")
    print(f"signature {len(one)} and {len(two)} bytes")


def _medians(ordinary: Callable[[], object], strong: Callable[[], object], rounds: int) -> tuple[float, float]:
    taken: tuple[list[int], list[int]] = ([], [])
    for _ in range(rounds):
        for place, step in enumerate((ordinary, strong)):
            begun = time.process_time_ns()
            step()
            taken[place].append(time.process_time_ns() - begun)
    return statistics.median(taken[0]) / 1000, statistics.median(taken[1]) / 1000


if __name__ == "__main__":
    main()
