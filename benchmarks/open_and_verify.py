"""Sealed signed messages a second, beside the limit of the bare primitives on the same data in the same run.

    .venv/bin/python benchmarks/open_and_verify.py [--messages 400] [--rounds 15] [--bytes 2048]

open: unseal, read the statement, verify it against the sender's key. seal: sign, write the statement, seal it.
limit: only the HPKE call and the Ed25519 call of `cryptography`, over the very same bytes. CPU time of one core; the
rounds of both alternate, and the best of each is compared, so that other work on the machine disturbs neither more.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from comity.trust import RecipientKey, SignedStatement, SigningKey, seal, sign_statement, unseal, verify_statement
from comity.trust.dsse import pae

KIND = "application/vnd.comity.benchmark+json"
INFO = b"XA>XB benchmark"
GOAL = 0.6
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)


@dataclass(frozen=True, slots=True)
class Bench:
    """The keys and the messages of a run."""

    signing: SigningKey
    encryption: RecipientKey
    payloads: Sequence[bytes]
    statements: Sequence[SignedStatement]
    sealed: Sequence[bytes]

    @classmethod
    def prepare(cls, count: int, size: int) -> Bench:
        signing, encryption = SigningKey.generate(), RecipientKey.generate()
        payloads = [os.urandom(size) for _ in range(count)]
        statements = [sign_statement(KIND, payload, signing) for payload in payloads]
        sealed = [seal(encryption.public, each.to_bytes(), info=INFO) for each in statements]
        return cls(signing, encryption, payloads, statements, sealed)


def open_all(bench: Bench) -> None:
    keys = (bench.signing.verify_key,)
    for sealed in bench.sealed:
        statement = SignedStatement.from_bytes(unseal(bench.encryption, sealed, info=INFO))
        verify_statement(statement, keys, payload_type=KIND)


def seal_all(bench: Bench) -> None:
    for payload in bench.payloads:
        seal(bench.encryption.public, sign_statement(KIND, payload, bench.signing).to_bytes(), info=INFO)


def open_limit(bench: Bench) -> Callable[[], None]:
    private = Ed25519PrivateKey.from_private_bytes(bench.signing.seed)
    public, unsealing = private.public_key(), bench.encryption.x25519
    signed = [(pae(KIND, each.payload), each.signatures[0].sig) for each in bench.statements]
    pairs = tuple(zip(bench.sealed, signed, strict=True))

    def run() -> None:
        for sealed, (data, signature) in pairs:
            SUITE.decrypt(sealed, unsealing, INFO)
            public.verify(signature, data)

    return run


def seal_limit(bench: Bench) -> Callable[[], None]:
    private = Ed25519PrivateKey.from_private_bytes(bench.signing.seed)
    recipient = bench.encryption.public.x25519
    pairs = tuple((pae(KIND, each.payload), each.to_bytes()) for each in bench.statements)

    def run() -> None:
        for data, statement in pairs:
            private.sign(data)
            SUITE.encrypt(statement, recipient, INFO)

    return run


def rates(ours: Callable[[], None], limit: Callable[[], None], count: int, rounds: int) -> tuple[float, float]:
    """Messages a CPU second of each, the best of the alternating rounds."""
    best = [float("inf"), float("inf")]
    for _ in range(rounds):
        for place, run in enumerate((ours, limit)):
            start = time.process_time()
            run()
            best[place] = min(best[place], time.process_time() - start)
    return count / best[0], count / best[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--bytes", type=int, default=2048)
    asked = parser.parse_args()
    bench = Bench.prepare(asked.messages, asked.bytes)
    opened, open_most = rates(lambda: open_all(bench), open_limit(bench), asked.messages, asked.rounds)
    sealed, seal_most = rates(lambda: seal_all(bench), seal_limit(bench), asked.messages, asked.rounds)
    print(f"payload {asked.bytes} bytes, {asked.messages} messages, best of {asked.rounds} rounds, one core, CPU time")
    print(f"open + verify {opened:9,.0f}/s   primitives {open_most:9,.0f}/s   share {opened / open_most:.0%}")
    print(f"sign + seal   {sealed:9,.0f}/s   primitives {seal_most:9,.0f}/s   share {sealed / seal_most:.0%}")
    lowest = min(opened / open_most, sealed / seal_most)
    verdict = "reached" if lowest >= GOAL else "missed"
    print(f"ratio open {opened / open_most:.2f} seal {sealed / seal_most:.2f} (goal {GOAL:.2f}: {verdict})")


if __name__ == "__main__":
    main()
