"""Sealed messages between two nodes: durable on both sides, mutual TLS, two processes with their own databases.

    .venv/bin/python benchmarks/exchange.py [--postgresql] [--singles 4000] [--batched 24000] [--bulk 20000]

--postgresql starts a server of its own, as tests/postgresql.py does, with fsync on, and a database for each node.
Each node is a process with the node's own settings (SQLite: WAL, synchronous=FULL), the real delivery worker and the
real partner port; messages are alerts of the demo under its agreement, posted before the clock starts. The clock runs
from starting the worker, connections and handshakes included, until the last receipt is verified and recorded.

limit: for one message, what no implementation of this protocol can avoid, timed in this run on one core: sealing,
opening, two signatures and two verifications for an envelope, the write and fsync of both commits for a group of 16
envelopes. The ratio is against that limit on both cores together.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
os.environ["DJANGO_SETTINGS_MODULE"] = "comity.node.settings"
os.environ["COMITY_HOME"] = tempfile.mkdtemp(prefix="comity-bench-")

import django  # noqa: E402

django.setup()

import psycopg  # noqa: E402

from comity.exchange.limits import Priority  # noqa: E402
from comity.trust import RecipientKey, SigningKey, seal, unseal  # noqa: E402
from tests.exchange.children import Child, children  # noqa: E402
from tests.postgresql import postgresql_server, server_programs  # noqa: E402

GROUP = 16


@dataclass(frozen=True)
class Run:
    """One way of sending."""

    title: str
    messages: int
    each: int
    goal: int


def seconds_for(action: Callable[[], object], times: int) -> float:
    """Wall seconds of one call, the best of five batches."""

    def batch() -> float:
        begun = time.perf_counter()
        for _ in range(times):
            action()
        return (time.perf_counter() - begun) / times

    return min(batch() for _ in range(5))


def primitives(size: int) -> dict[str, float]:
    """Seconds of what cannot be avoided for one envelope of this size."""
    key, recipient, data = SigningKey.generate(), RecipientKey.generate(), os.urandom(size)
    signature, sealed = key.sign(data[:600]), seal(recipient.public, data, info=b"info")
    with tempfile.NamedTemporaryFile() as target:

        def write() -> None:
            target.write(data)
            target.flush()
            os.fsync(target.fileno())

        return {
            "sign": seconds_for(lambda: key.sign(data[:600]), 200),
            "verify": seconds_for(lambda: key.verify_key.verify(signature, data[:600]), 200),
            "seal": seconds_for(lambda: seal(recipient.public, data, info=b"info"), 100),
            "unseal": seconds_for(lambda: unseal(recipient, sealed, info=b"info"), 100),
            "fsync": seconds_for(write, 20),
        }


def limit_of(each: int) -> float:
    """Messages a second that the primitives alone allow, on two cores."""
    cost = primitives(each * 1100 + 700)
    envelope = cost["seal"] + cost["unseal"] + 2 * cost["sign"] + 2 * cost["verify"] + 2 * cost["fsync"] / GROUP
    return 2 * each / envelope


def measure(sender: Child, receiver: Child, run: Run, done: int) -> None:
    """Post, deliver, and print one line."""
    posted = sender.ask("post", count=run.messages, recipient="XA")["seconds"]
    before = [node.ask("cpu_seconds") for node in (sender, receiver)]
    begun = time.perf_counter()
    sender.ask("deliver", messages=run.each)
    sender.ask("await_answers", count=done + run.messages, seconds=600.0)
    wall = time.perf_counter() - begun
    after = [node.ask("cpu_seconds") for node in (sender, receiver)]
    sender.ask("stop_delivering")
    cpu = [
        sum(now[name] - then.get(name, 0.0) for name in now if name.startswith("comity"))
        for then, now in zip(before, after, strict=True)
    ]
    latencies = sender.ask("latencies", newest=-(-run.messages // run.each))
    rate, limit = run.messages / wall, limit_of(run.each)
    p50, p99 = percentile(latencies, 0.5), percentile(latencies, 0.99)
    each = [f"{seconds / run.messages * 1e6:,.0f} us" for seconds in cpu]
    print(f"{run.title:12} {rate:7,.0f} messages/s   goal {run.goal:,}   limit {limit:,.0f}, ratio {rate / limit:.2f}")
    print(f"{'':12} envelope round trip p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    print(f"{'':12} CPU for each message: sender {each[0]}, receiver {each[1]}")
    print(f"{'':12} posted before, 256 in a transaction: {run.messages / posted:,.0f}/s", flush=True)


def measure_overtaking(sender: Child, bulk: int, urgent: int, done: int) -> None:
    """Post urgent messages one by one while bulk waits; print how long each took until its receipt was recorded."""
    sender.ask("post", count=bulk, recipient="XA", priority=int(Priority.BULK))
    sender.ask("deliver", messages=128)
    for _ in range(urgent):
        sender.ask("post", count=1, recipient="XA", group=1, priority=int(Priority.URGENT))
        sender.ask("pause", seconds=0.03)
    left = bulk - sender.ask("delivered", priority=int(Priority.BULK))
    sender.ask("await_answers", count=done + bulk + urgent, seconds=600.0)
    sender.ask("stop_delivering")
    waits = sender.ask("waits", priority=int(Priority.URGENT))
    print(
        f"{'overtaking':12} {urgent} urgent messages while {bulk:,} of bulk wait ({left:,} still did after the last):"
    )
    print(f"{'':12} posted until receipt p50 {percentile(waits, 0.5):.0f} ms, p99 {percentile(waits, 0.99):.0f} ms")


@contextmanager
def databases(is_postgresql: bool) -> Iterator[dict[str, str]]:
    """The URL of an empty database for each node; none where it is SQLite in the node's home."""
    if not is_postgresql:
        yield {}
        return
    programs = server_programs()
    if programs is None:
        raise SystemExit("PostgreSQL is not installed here (apt-get install postgresql)")
    with postgresql_server(programs) as url:
        with psycopg.connect(url, autocommit=True) as server:
            for name in ("xa", "xc"):
                server.execute(f'CREATE DATABASE "{name}"')
        base = url.rpartition("/")[0]
        yield {"XA": f"{base}/xa", "XC": f"{base}/xc"}


def percentile(values: list[float], share: float) -> float:
    """In milliseconds; values are sorted."""
    return values[min(int(len(values) * share), len(values) - 1)] * 1000 if values else 0.0


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--singles", type=int, default=4000)
    parser.add_argument("--batched", type=int, default=24000)
    parser.add_argument("--posts", type=int, default=300)
    parser.add_argument("--bulk", type=int, default=20000)
    parser.add_argument("--urgent", type=int, default=60)
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    runs = (
        Run("singly", options.singles, 1, 500),
        Run("32 each", options.batched, 32, 5000),
        Run("128 each", options.batched, 128, 5000),
    )
    folder = Path(tempfile.mkdtemp(prefix="comity-bench-"))
    try:
        with databases(options.postgresql) as urls, children(folder, ["XA", "XC"], database_urls=urls) as nodes:
            sender, receiver = nodes["XC"], nodes["XA"]
            receiver.ask("serve", port=receiver.port)
            print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {'PostgreSQL' if urls else 'SQLite'}")
            done = 0
            for run in runs:
                measure(sender, receiver, run, done)
                done += run.messages
            measure_overtaking(sender, options.bulk, options.urgent, done)
            done += options.bulk + options.urgent
            alone = sender.ask("post", count=options.posts, recipient="XB", group=1)["seconds"]
            print(f"posting, one in a transaction: {options.posts / alone:,.0f}/s")
            arrived = receiver.ask("counts")
            assert arrived["accepted"] == done == len(set(arrived["arrived"])), "lost or doubled"
            print(f"{done:,} messages, none lost, none doubled")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
