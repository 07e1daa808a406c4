"""A node in a process of its own that checks exports against imports: python -m tests.journeys.mirror_node."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comity.node.settings")


def main() -> None:
    """Answer commands until the input ends."""
    django.setup()
    from tests.custody.node_deeds import show
    from tests.journeys.mirror_deeds import MirrorNode

    call_command("migrate", verbosity=0)
    node = MirrorNode(Path(os.environ["COMITY_HOME"]))
    for line in sys.stdin:
        words: dict[str, Any] = json.loads(line)
        result = node.do(words.pop("do"), words)
        sys.stdout.write(json.dumps(result, default=show) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
