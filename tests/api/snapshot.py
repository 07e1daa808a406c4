"""Writes docs/openapi.json anew: `python -m tests.api.snapshot`."""

from __future__ import annotations

import json
import os
from pathlib import Path

SNAPSHOT = Path(__file__).parents[2] / "docs" / "openapi.json"


def shown(document: object) -> str:
    """The document as it is committed."""
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> None:
    """Set Django up, ask the API, write the file."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from comity.api.urls import api

    SNAPSHOT.write_text(shown(api.get_openapi_schema()))


if __name__ == "__main__":
    main()
