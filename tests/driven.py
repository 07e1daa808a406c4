"""A node in a process of its own, driven by JSON lines, with the time in each: python -m tests.driven DEEDS.

It has its own keys and database; envelopes are carried by whoever drives it, so that a line is cut by not carrying.
DEEDS: the class of what it can do, as it is imported.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import django
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comity.node.settings")


def main() -> None:
    """Answer commands until the input ends."""
    django.setup()
    from tests.custody.node_deeds import NodeDeeds, show

    node: NodeDeeds = import_string(sys.argv[1])(Path(os.environ["COMITY_HOME"]))
    for line in sys.stdin:
        words: dict[str, Any] = json.loads(line)
        result = node.do(words.pop("do"), words)
        sys.stdout.write(json.dumps(result, default=show) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
