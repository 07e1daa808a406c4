"""Three administrations with an agreement on assistance, each a process with its own database."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from comity.agreements import parse_agreement
from comity.agreements.selectors import PAYLOAD_TYPE
from comity.common import show_instant
from comity.exchange.invitation import write_invitation
from comity.trust import Keyring, keyring_files, make_keyring, sign_statement
from tests.custody.cast import AT, ROOT, Node, World
from tests.nest import begin

CODES = ("XA", "XB", "XC")
AGREEMENT = parse_agreement((Path(__file__).parent / "agreement.yaml").read_bytes())
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


@contextmanager
def world(folder: Path, *, database_urls: dict[str, str] | None = None) -> Iterator[World]:
    """Running nodes that share the agreement; none of them outlives this."""
    born = AT - timedelta(days=1)
    keyrings = {
        code: make_keyring(code, f"Customs of {code}", "https://127.0.0.1:1", ["127.0.0.1"], born) for code in CODES
    }
    nodes: dict[str, Node] = {}
    try:
        for code in CODES:
            nodes[code] = _start(folder / code, code, keyrings, (database_urls or {}).get(code, ""))
        signed = sign_statement(PAYLOAD_TYPE, AGREEMENT.to_bytes(), *(each.signing for each in keyrings.values()))
        words = {"agreement": base64.b64encode(signed.to_bytes()).decode(), "at": show_instant(AT)}
        for code in CODES:
            others = [base64.b64encode(write_invitation(keyrings[each])).decode() for each in CODES if each != code]
            nodes[code].say("meet_all", invitations=others, **words)
        assert [nodes[code].hear() for code in CODES] == [None] * len(CODES)
        yield World(nodes, keyrings)
    finally:
        for node in nodes.values():
            node.end()


def _start(home: Path, code: str, keyrings: dict[str, Keyring], url: str) -> Node:
    (home / "keys").mkdir(parents=True)
    for name, content in keyring_files(keyrings[code]).items():
        (home / "keys" / name).write_bytes(content)
    environment = {**os.environ, "COMITY_HOME": str(home), "DJANGO_SETTINGS_MODULE": "comity.node.settings"}
    environment |= {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "COMITY_DATABASE_URL": url}
    errors = home / "stderr.txt"
    with errors.open("ab") as trouble:
        process = begin("tests.operations.node", environment=environment, errors=trouble)
    return Node(code, process, errors)
