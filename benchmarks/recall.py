"""How soon a recall is visible at the partner: real nodes (`comity serve`) over TLS, each with its own database.

    .venv/bin/python benchmarks/recall.py [--recalls 100] [--third]

An alert is shared and has arrived; then the clock starts and the alert is recalled over the API. It stops when the
partner's row is purged (visible), and again when the holder's signed answer is recorded at the origin (attested). The
databases are looked at every 2 ms. --third: a third node, to which the partner handed each alert on; the figures are
then those of the whole way.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import httpx  # noqa: E402

from comity.cli.demo.nodes import DemoNode, command, commands, serving  # noqa: E402
from tests.exchange.ports import free_ports  # noqa: E402

GOAL_SECONDS = 2.0
LOOK_SECONDS = 0.002
MOST_SECONDS = 60.0
AGREEMENT = ROOT / "tests" / "custody" / "agreement.yaml"
PURPOSE = "risk_assessment"
PURGED = "SELECT 1 FROM exchange_inboxmessage WHERE message_id = ? AND purged_at IS NOT NULL"
PROCESSED = "SELECT 1 FROM exchange_inboxmessage WHERE message_id = ? AND processed_at IS NOT NULL"
ATTESTED = "SELECT 1 FROM custody_holding WHERE message_id = ? AND holder = ? AND status = 'purged' AND is_proved"
KNOWN = "SELECT 1 FROM custody_holding WHERE message_id = ? AND holder = ?"


@dataclass(frozen=True)
class Desk:
    """One administration, by its API and its database."""

    node: DemoNode
    client: httpx.Client

    def post(self, path: str, body: dict[str, object]) -> dict[str, object]:
        """What the API answers."""
        answer = self.client.post(f"{self.node.console_url}/api/v1{path}", json=body)
        if answer.is_error:
            raise RuntimeError(f"{path}: {answer.text}")
        read: dict[str, object] = answer.json()
        return read

    def wait(self, query: str, *words: str) -> float:
        """When the database first says so."""
        deadline = time.monotonic() + MOST_SECONDS
        with closing(sqlite3.connect(self.node.home / "comity.sqlite3", timeout=20)) as database:
            while not database.execute(query, words).fetchone():
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{self.node.code}: {query} {words}")
                time.sleep(LOOK_SECONDS)
        return time.perf_counter()


def alert(number: int) -> dict[str, object]:
    """An alert as a program sends it."""
    return {
        "ref": f"XA-{number}",
        "category": "commodities",
        "title": "Counterfeit sports shoes",
        "risk_type": "counterfeit",
        "valid_until": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
        "subjects": [{"role": "consignor", "id": f"XB{number}", "name": "Larkfield", "country": "XB"}],
        "hs_codes": ["640411"],
    }


def bind(nodes: list[DemoNode], folder: Path) -> dict[str, str]:
    """Nodes that know each other and share an agreement; a token for each."""
    parties = ", ".join(node.code for node in nodes)
    text = AGREEMENT.read_text().replace("[XA, XB, XC, XD]", f"[{parties}]").replace("2026-12-31", "2099-12-31")
    paper = folder / "agreement.yaml"
    paper.write_text(text)
    tokens = {}
    for node in nodes:
        node.home.mkdir(parents=True)
        ports = ("--console-port", str(node.console_port), "--partners-port", str(node.partners_port))
        command(node, "init", "--administration", node.code, *ports)
        printed = command(node, "token", "issue", "bench", "--role", "liaison", "--role", "supervisor")
        tokens[node.code] = next(line.strip() for line in printed.splitlines() if line.strip().startswith("comity_"))
        command(node, "partner", "invite", str(folder / f"{node.code}.json"))
        command(node, "agreement", "sign", str(paper), "--out", str(folder / f"{node.code}.signed"))
    signed = " ".join(shlex.quote(str(folder / f"{node.code}.signed")) for node in nodes)
    for node in nodes:
        others = [f"partner introduce {folder / other.code}.json --yes" for other in nodes if other != node]
        commands([(node, [*others, f"agreement adopt {signed}"])])
    return tokens


def percentile(values: list[float], share: float) -> float:
    """In milliseconds."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000


def show(title: str, values: list[float]) -> None:
    """One line: p50, p99, and whether the goal is met."""
    p50, p99 = percentile(values, 0.5), percentile(values, 0.99)
    verdict = "met" if p50 < GOAL_SECONDS * 1000 else "MISSED"
    line = f"{title:28} p50 {p50:6.0f} ms   p99 {p99:6.0f} ms   goal p50 < {GOAL_SECONDS:.0f} s: {verdict}\n"
    sys.stdout.write(line)
    sys.stdout.flush()


def run(desks: dict[str, Desk], recalls: int, last: str) -> None:
    """Recall one after the other and print."""
    visible, attested = [], []
    for number in range(recalls):
        sharing = {"alert": alert(number), "recipients": ["XB"], "purpose": PURPOSE}
        (posted,) = desks["XA"].post("/alerts", sharing)["posted"]  # type: ignore[misc]  # JSON
        message = copy = str(posted["message_id"])
        desks["XB"].wait(PROCESSED, message)
        if last == "XC":
            onward = {"recipients": ["XC"], "purpose": PURPOSE}
            (handed,) = desks["XB"].post(f"/messages/{message}/forward", onward)["items"]  # type: ignore[misc]  # JSON
            copy = str(handed["message_id"])
            desks["XC"].wait(PROCESSED, copy)
            desks["XA"].wait(KNOWN, message, "XC")
        begun = time.perf_counter()
        desks["XA"].post(f"/messages/{message}/recall", {"ground": "information_wrong"})
        visible.append(desks[last].wait(PURGED, copy) - begun)
        attested.append(desks["XA"].wait(ATTESTED, message, last) - begun)
    show(f"purged at {last}", visible)
    show(f"attested back from {last}", attested)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recalls", type=int, default=100)
    parser.add_argument("--third", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="comity-bench-"))
    codes = ("XA", "XB", "XC") if options.third else ("XA", "XB")
    try:
        ports = iter(free_ports(2 * len(codes)))
        nodes = [DemoNode(code, code, folder / code, next(ports), next(ports)) for code in codes]
        tokens = bind(nodes, folder)
        with serving(nodes):
            desks = {
                node.code: Desk(
                    node,
                    httpx.Client(headers={"Authorization": f"Bearer {tokens[node.code]}"}, timeout=30, trust_env=False),
                )
                for node in nodes
            }
            run(desks, options.recalls, codes[-1])
            for desk in desks.values():
                desk.client.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
