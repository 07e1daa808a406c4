"""One node under torture, in a process of its own, driven by JSON lines like tests/exchange/child.py.

It has the real partner port, the real delivery worker with the rules of a node that serves, and the real job worker;
only its journey is the torture's own: it writes one row for each message, in the transaction of the journey, into a
table that does not mind the same message twice. So a doubled effect can be seen.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comity.node.settings")
HOME = Path(os.environ.get("COMITY_HOME", "."))


def main() -> None:
    """Answer commands until the input ends."""
    django.setup()
    from tests.torture.node import TortureNode, make_tables

    if sys.argv[1:] == ["template"]:
        call_command("migrate", verbosity=0)
        make_tables()
        return
    node = TortureNode(HOME)
    commands = {"meet": node.meet_all, "run": node.run, "post": node.post_some, "standing": node.standing}
    for line in sys.stdin:
        words: dict[str, Any] = json.loads(line)
        result = commands[words.pop("do")](**words)  # type: ignore[operator]  # methods of different arguments
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()
    node.stop()


if __name__ == "__main__":
    main()
