"""Four administrations that hand alerts on to each other."""

from __future__ import annotations

from pathlib import Path

from comity.agreements import parse_agreement
from tests.federation import Federation

AGREEMENT = parse_agreement((Path(__file__).parent / "agreement.yaml").read_bytes())
# XA and XD know of each other by the agreement alone.
FOUR = Federation(
    ("XA", "XB", "XC", "XD"),
    AGREEMENT,
    "tests.custody.node_deeds.NodeDeeds",
    strangers=frozenset({frozenset({"XA", "XD"})}),
)
