"""The verdict on a run, from the databases alone: `python -m tests.torture.verdict FOLDER` prints it as JSON.

Lost: a message that was posted and is not decided by a signed receipt, or that its receiver does not hold as the
receipt says, or that was accepted and not acted on. Doubled: a message that was acted on more than once, or without
having been accepted.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import django

from tests.nest import answer_of, node_environment
from tests.torture.names import RUN_FILE

# What must be nought; everything else is only counted.
FAULTS = (
    "lost", "doubled", "bad receipts", "receipts not in the log", "lost at the partner", "log problems", "split views",
    "heads not followed", "unknown messages",
)  # fmt: skip
_LOG_FAULTS = ("log problems", "split views", "receipts not in the log", "heads not followed")


@dataclass
class Verdict:
    """What all nodes say together. sound_logs: of how many nodes nothing is wrong with the log."""

    counts: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    nodes: int = 0
    sound_logs: int = 0

    @property
    def faults(self) -> dict[str, int]:
        """What is wrong, by kind."""
        return {fault: self.counts[fault] for fault in FAULTS if self.counts[fault]}

    @property
    def is_good(self) -> bool:
        """Nothing lost, nothing doubled, nothing false, and something was looked at."""
        return not self.faults and self.counts["receipts compared"] > 0 and self.counts["posted"] > 0


def judge(root: Path) -> Verdict:
    """Look into every database, each in a process of its own, and compare. The nodes must have ended."""
    urls: dict[str, str] = json.loads((root / RUN_FILE).read_text())["databases"]
    verdict = Verdict(nodes=len(urls))
    unsound = set()
    for look in ("first", "second"):
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for code, found in zip(urls, pool.map(lambda code: _look(look, root, code, urls[code]), urls), strict=True):  # noqa: B023
                verdict.counts.update(found["counts"])
                verdict.refusals.update(found["refusals"])
                verdict.problems += found["problems"]
                if any(found["counts"].get(fault) for fault in _LOG_FAULTS):
                    unsound.add(code)
    verdict.sound_logs = len(urls) - len(unsound)
    for sender in urls:
        for receiver in urls:
            if sender != receiver:
                _compare(root, sender, receiver, verdict)
    return verdict


def _look(look: str, root: Path, code: str, url: str) -> dict[str, dict[str, int] | list[str]]:
    environment, trouble = node_environment(root / code, url), root / f"look-{code}.txt"
    said = answer_of("tests.torture.verdict", str(root), look, code, environment=environment, trouble=trouble)
    found: dict[str, dict[str, int] | list[str]] = json.loads(said)
    return found


def _compare(root: Path, sender: str, receiver: str, verdict: Verdict) -> None:
    """What one says that it sent, and what the other holds."""
    sent = dict(_rows(root / f"sent-{sender}-{receiver}.txt"))
    received = dict(_rows(root / f"received-{receiver}-{sender}.txt"))
    for message_id in sent.keys() - received.keys():
        _say(verdict, "lost", f"{sender} has a receipt for {message_id}, which {receiver} does not hold")
    for message_id in received.keys() - sent.keys():
        _say(verdict, "unknown messages", f"{receiver} holds {message_id}, which {sender} never posted")
    for message_id in sent.keys() & received.keys():
        if sent[message_id] != received[message_id]:
            _say(
                verdict, "lost", f"{message_id} is {sent[message_id]} at {sender}, {received[message_id]} at {receiver}"
            )
    if sent and not (root / f"heads-{sender}-{receiver}.txt").exists():
        _say(verdict, "heads not followed", f"{sender} never followed the log of {receiver}")


def _say(verdict: Verdict, fault: str, problem: str) -> None:
    verdict.counts[fault] += 1
    if len(verdict.problems) < 100:
        verdict.problems.append(problem)


def _rows(path: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    if path.exists():
        with path.open() as file:
            for line in file:
                message_id, sha256, state = line.split()
                yield message_id, (sha256, state)


def _look_here(root: Path, look: str, code: str) -> None:
    """In a process of its own: one look at one database."""
    django.setup()
    from tests.torture.audit import first_look, second_look

    found = first_look(root, code) if look == "first" else second_look(root, code)
    sys.stdout.write(json.dumps({"counts": found.counts, "refusals": found.refusals, "problems": found.problems}))


def main() -> int:
    """The verdict on a folder that a run kept; exit 1 where it is bad."""
    root = Path(sys.argv[1])
    if len(sys.argv) == 4:
        _look_here(root, sys.argv[2], sys.argv[3])
        return 0
    verdict = judge(root)
    sys.stdout.write(json.dumps({"good": verdict.is_good, **vars(verdict)}, indent=1) + "\n")
    return 0 if verdict.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
