"""Agreements imported, signed and adopted; sharing permitted, refused and authorised, with its receipts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from comity.agreements import (
    services,
)
from comity.agreements.selectors import PAYLOAD_TYPE
from comity.trade import Handling
from comity.trade.encoding import alert_from_body
from comity.trust import SigningKey, sign_statement
from tests.agreements.cast import (
    AT,
    CHIEF_OF_XC,
    CHIPO,
    alert_body,
    demo,
)

pytestmark = pytest.mark.django_db

KEYS = {party: SigningKey.from_seed(party.encode() * 16) for party in ("XA", "XB", "XC")}
VERIFY_KEYS = {party: [key.verify_key] for party, key in KEYS.items()}
LATER = AT + timedelta(minutes=1)


def signed_by(*parties: str, payload: bytes | None = None) -> bytes:
    return sign_statement(PAYLOAD_TYPE, payload or demo().to_bytes(), *(KEYS[party] for party in parties)).to_bytes()


@pytest.fixture
def in_force() -> str:
    return services.adopt(CHIEF_OF_XC, signed=signed_by("XA", "XB", "XC"), verify_keys=VERIFY_KEYS, at=AT).id


def share(**changes: object) -> services.Release:
    wanted: dict[str, object] = {
        "kind": "alert/1",
        "recipient": "XA",
        "purpose": "control",
        "handling": Handling.RESTRICTED,
        "body": alert_body(),
        "at": AT,
    }
    return services.permit(CHIPO, **{**wanted, **changes})  # type: ignore[arg-type]  # one test changes one thing


def test_smoke(in_force: str) -> None:
    release = share()
    assert release.agreement_id == in_force
    alert_from_body(release.body)
