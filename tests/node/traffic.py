"""A process that posts, or tells what a node has, while another one serves it. Run with COMITY_HOME set.

python -m tests.node.traffic post XB 20   |   python -m tests.node.traffic tell
"""

from __future__ import annotations

import importlib
import os
import sys

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comity.node.settings")
    django.setup()
    importlib.import_module("tests.node.traffic_node").main(sys.argv[1:])
