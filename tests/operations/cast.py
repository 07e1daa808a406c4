"""Three administrations with an agreement on assistance, and what one asks and another answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from comity.agreements import parse_agreement
from tests.federation import Federation

AGREEMENT = parse_agreement((Path(__file__).parent / "agreement.yaml").read_bytes())
CODES = ("XA", "XB", "XC")
THREE = Federation(CODES, AGREEMENT, "tests.operations.node_deeds.AssistingNode")
REQUEST: dict[str, Any] = {
    "matter_at_issue": "Shoes declared at a third of the usual price.",
    "export_declaration_no": "24XB0000000001",
    "purpose": "To establish the customs value.",
    "persons": ["Jan Novak, Praha"],
    "own_verification_confirmed": True,
    "own_verification": "The importer was audited and has no other papers.",
    "items_requested": ["declaration_data", "commercial_invoice"],
    "originating_office": "XA100",
    "domestic_law_refs": ["Customs Code Art. 12"],
}
ANSWER: dict[str, Any] = {
    "items_given": ["declaration_data"],
    "protection_level": "restricted",
    "true_copy_confirmed": True,
    "answer_text": "As declared.",
}
