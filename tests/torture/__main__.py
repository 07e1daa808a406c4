"""`python -m tests.torture`: five nodes, random kill -9 and partitions; the last line is the figures.

make torture-short                      under a minute
make torture MESSAGES=1000000 DATABASE=postgresql
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import django

from tests.postgresql import postgresql_server, server_programs


def _wishes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--messages", type=int, default=4000)
    parser.add_argument("--kills", type=int, default=4)
    parser.add_argument("--partitions", type=int, default=3)
    parser.add_argument("--nodes", type=int, default=5, choices=range(2, 6))
    parser.add_argument("--rate", type=float, default=0.0, help="messages a second at most; 0: as fast as it goes")
    parser.add_argument("--batch", type=int, default=100, help="messages posted in one transaction")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--patience", type=float, default=120.0, help="seconds that the drain may take")
    parser.add_argument("--keep", type=Path, help="leave homes, databases and what was compared in this folder")
    parser.add_argument("--quiet", action="store_true")
    return parser.parse_args()


def main() -> int:
    """Run, judge, print. Exit 1 where the verdict is bad."""
    asked = _wishes()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    from tests.torture.federation import CODES
    from tests.torture.trial import Trial, Wishes, show_figures

    with ExitStack() as stack:
        root = asked.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="comity-torture-")))
        root.mkdir(parents=True, exist_ok=True)
        server_url = ""
        if asked.database == "postgresql":
            programs = server_programs()
            if programs is None:
                sys.stdout.write("PostgreSQL is not installed here (apt-get install postgresql)\n")
                return 0
            server_url = stack.enter_context(postgresql_server(programs))
        wishes = Wishes(
            messages=asked.messages,
            kills=asked.kills,
            partitions=asked.partitions,
            codes=CODES[: asked.nodes],
            seed=asked.seed,
            rate=asked.rate,
            patience_seconds=asked.patience,
            batch=asked.batch,
        )
        trial = Trial(root.resolve(), wishes, server_url=server_url)
        trial.say = (lambda _line: None) if asked.quiet else _say
        verdict = trial.run()
        for problem in verdict.problems[:40]:
            _say(f"PROBLEM {problem}")
        _say(show_figures(trial, verdict, asked.database))
        return 0 if verdict.is_good else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
