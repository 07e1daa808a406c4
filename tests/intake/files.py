"""Files as they arrive: documents of tests.trade, CSV, zip files good and bad."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from comity.common import Actor, ActorKind

SYSTEM = Actor(ActorKind.SYSTEM, "single-window", "XA", frozenset({"system"}))
MAPPING = "columns:\n  ref: lrn\n  who: declarant.id\n  hs: items.hs_code\n  mass: items.net_mass_kg\n"


def zipped(files: Mapping[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()
