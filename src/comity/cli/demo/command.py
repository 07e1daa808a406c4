"""`comity demo`: the whole of it, with progress, a table at the end, and three consoles to look around in."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from comity.cli.demo import proofs, story
from comity.cli.demo.cast import SignIn
from comity.cli.demo.federation import Federation, opened
from comity.cli.demo.lodging import lodge
from comity.cli.demo.nodes import DemoError, DemoNode, lay_out, serving
from comity.cli.demo.settling import settle
from comity.cli.support import say_table
from comity.training import ADMINISTRATIONS, day_of_trade
from comity.training.files import Expected, Part, files_of

_SEED = 2026
_SIZE = 60
_STEPS = 11


@click.command()
@click.option("--check", is_flag=True, help="Assert the outcome and end: exit 0 where all is as it should be, else 1.")
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Keep the nodes here. Default: nowhere.")
@click.option("--size", default=_SIZE, show_default=True, help="Consignments of the day, beside the story's own two.")
@click.option("--seed", default=_SEED, show_default=True, help="Another seed makes another day.")
def demo(*, check: bool, home: Path | None, size: int, seed: int) -> None:
    """Three invented administrations, a day of their trade, and what follows from it.

    \b
    Starts three nodes on this machine, each with its own database, keys, ports and officers. XC finds counterfeit goods
    and tells XA and XB under the agreement that all three signed; XA finds the next consignment before it leaves and
    tells XC. Nothing is faked: every step goes through the API, the commands or the watched folder of a running node.
    Then prints where to sign in and serves until Ctrl-C; every process that it started ends with it.
    """
    began = time.monotonic()
    for number in (signal.SIGINT, signal.SIGTERM):  # in order, even where a shell started it with Ctrl-C ignored
        signal.signal(number, signal.default_int_handler)
    with _root(home) as root:
        nodes = lay_out(root, [(each.code, each.name) for each in ADMINISTRATIONS])
        step = _Step()
        step("making three nodes, their keys, officers and agreement")
        sign_ins = settle(nodes)
        step("starting them")
        with serving(nodes), opened(nodes, sign_ins) as federation:
            rows = _play(federation, step, size=size, seed=seed, root=root)
            step.finish(f"done in {time.monotonic() - began:.0f} s")
            click.echo()
            say_table(("WHAT HAPPENED", "OUTCOME"), rows)
            if check:
                click.echo("demo-check: all is as it should be")
                return
            _invite(nodes, sign_ins)
            _wait()


def _play(federation: Federation, step: _Step, *, size: int, seed: int, root: Path) -> list[tuple[str, str]]:
    day = day_of_trade(seed, size, day=datetime.now(UTC).date())
    files = files_of(day)
    step("putting XC's risk profiles in force")
    profiles = story.put_profiles_in_force(federation)
    step("the morning's trade")
    morning = lodge(federation, [file for file in files if file.part is Part.MORNING])
    step("XC inspects what it selected")
    reason, finding = story.first_finding(federation, day.story)
    step("XC shares an alert; XA and XB answer")
    messages = story.share(federation, day.story, finding)
    before = story.reliability(federation)
    step("the afternoon's trade")
    afternoon = lodge(federation, [file for file in files if file.part is Part.AFTERNOON])
    step("XA inspects because of the alert and tells XC")
    by_alert, _ = story.second_finding(federation, day.story)
    after = story.reliability(federation)
    _expect(after > before, f"the reliability of XC at XA did not rise: {before} to {after}")
    _expect(story.confirmations(federation, day.story) == 1, "XC does not know that its alert was confirmed")
    step("an alert that no article permits")
    refusal = story.refused_alert(federation, day.story)
    step("verifying three logs, and one exchange offline")
    logs = proofs.verify_logs(federation)
    bundle = proofs.verify_bundle(federation, messages[0], root / "exchange.bundle.json")
    return [
        ("Records taken in", _counts(morning, afternoon)),
        ("Risk profiles in force at XC", str(profiles)),
        ("XC selected the first consignment", reason),
        ("XC found", f"counterfeit goods, {finding['ref']}, with a photo; seized"),
        ("XC told XA and XB", "two officers agreed; both answered with a receipt and its proof"),
        ("XA selected the next consignment", by_alert["evidence"][0]["text"]),
        ("XA told XC", "the loop is closed: the alert was confirmed"),
        ("Reliability of XC, measured by XA", f"{before:.2f} before, {after:.2f} after"),
        ("XC's second alert was refused", refusal),
        *((f"Log of {code}", line) for code, line in logs),
        ("One exchange, offline", bundle),
    ]


def _counts(morning: Expected, afternoon: Expected) -> str:
    return (
        f"{morning.imported + afternoon.imported} imported, {morning.warned + afternoon.warned} warned, "
        f"{morning.refused + afternoon.refused} refused and kept"
    )


def _expect(holds: bool, otherwise: str) -> None:  # a condition
    if not holds:
        raise DemoError("The demo did not come out as it should", where=otherwise)


@contextmanager
def _root(home: Path | None) -> Iterator[Path]:
    if home is not None:
        if home.exists() and any(home.iterdir()):
            raise DemoError("The folder is not empty", where=str(home))
        home.mkdir(parents=True, exist_ok=True)
        yield home.resolve()
        return
    root = Path(tempfile.mkdtemp(prefix="comity-demo-"))
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


class _Step:
    """Says what is being done, beside a bar that fills; on a terminal in one line."""

    def __init__(self) -> None:
        self._done = 0
        self._is_terminal = sys.stdout.isatty()

    def __call__(self, text: str) -> None:
        """The next step begins."""
        bar = "█" * self._done + "░" * (_STEPS - self._done)
        if self._is_terminal:
            click.echo(f"\r\033[K{bar} {text}", nl=False)
        else:
            click.echo(f"{bar} {text}")
        self._done = min(_STEPS, self._done + 1)

    def finish(self, text: str) -> None:
        """The last step ended."""
        self._done = _STEPS
        self(text)
        if self._is_terminal:
            click.echo()


def _invite(nodes: Sequence[DemoNode], sign_ins: Mapping[str, tuple[SignIn, SignIn]]) -> None:
    click.echo("\nSign in:")
    rows: list[tuple[str, ...]] = [
        (node.code, node.console_url, sign_in.person.username, sign_in.password, sign_in.person.does)
        for node in nodes
        for sign_in in sign_ins[node.code]
    ]
    say_table(("NODE", "CONSOLE", "USER NAME", "PASSWORD", "WHO"), rows)
    click.echo("\nCtrl-C ends the demo and every process that it started.")


def _wait() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        click.echo("\nEnding.")
