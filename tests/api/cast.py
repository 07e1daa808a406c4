"""The cast of these tests: an agreement of XA, XB and XC, partners, an alert as a program sends it."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

from django.conf import settings

from comity.agreements import Agreement, Article, Effect, Period, Wording
from comity.agreements.selectors import PAYLOAD_TYPE
from comity.agreements.services import adopt
from comity.common import Actor, ActorKind, show_instant, utc_now
from comity.exchange import write_invitation
from comity.exchange.services import introduce_partner
from comity.staff import Role
from comity.trade import Handling
from comity.trust import Keyring, make_keyring, sign_statement

EVERYONE = Actor(ActorKind.OFFICER, "root", "XA", frozenset(role.value for role in Role))


@cache
def keyring_of(administration: str) -> Keyring:
    """The keys of a partner."""
    return make_keyring(
        administration=administration,
        name=f"Customs of {administration}",
        endpoint_url="https://127.0.0.1:9",
        hosts=("127.0.0.1",),
        at=utc_now() - timedelta(days=1),
    )


def words(text: str) -> Wording:
    """The same text in English alone."""
    return Wording((("en", text),))


def agreement() -> Agreement:
    """XA may send alerts on footwear to XB and XC for control; names of parties and concealment stay at home."""
    required = ("ref", "issuer", "category", "title", "risk_type", "issued_at", "valid_from", "valid_until")
    article = Article(
        id="1",
        effect=Effect.PERMIT,
        title=words("Alerts on footwear"),
        text=words("For control only."),
        senders=("XA",),
        receivers=("XB", "XC"),
        kinds=("alert/1",),
        purposes=("control",),
        handling_at_most=Handling.RESTRICTED,
        goods=("64",),
        fields=(*required, "handling", "hs_codes", "subjects.role", "subjects.id"),
        retention_days=90,
        source="Clause 4",
    )
    period = Period(date(2025, 1, 1), date(2035, 12, 31))
    return Agreement(words("Trial agreement"), "1", ("XA", "XB", "XC"), ("en",), period, (), (article,))


def adopt_agreement() -> str:
    """Bring the agreement into force; its id."""
    keys = {
        "XA": settings.COMITY_KEYRING.signing,
        "XB": keyring_of("XB").signing,
        "XC": keyring_of("XC").signing,
    }
    signed = sign_statement(PAYLOAD_TYPE, agreement().to_bytes(), *keys.values()).to_bytes()
    verify_keys = {party: [key.verify_key] for party, key in keys.items()}
    return adopt(EVERYONE, signed=signed, verify_keys=verify_keys, at=utc_now()).id


def introduce_partners() -> None:
    """Make XB and XC known."""
    for administration in ("XB", "XC"):
        introduce_partner(EVERYONE, key_statement=write_invitation(keyring_of(administration)), at=utc_now())


def alert(**changes: object) -> dict[str, object]:
    """An alert as a program sends it."""
    body: dict[str, object] = {
        "ref": "XA-2026-0001",
        "category": "commodities",
        "title": "Counterfeit sports shoes",
        "risk_type": "counterfeit",
        "valid_until": show_instant(utc_now() + timedelta(days=30)),
        "handling": "official",
        "subjects": [{"role": "consignor", "id": "XA190000001", "name": "Larkfield Trading House", "country": "XA"}],
        "hs_codes": ["640411"],
        "concealment": "Behind two layers of plain cartons.",
    }
    return body | changes


def sharing(**changes: object) -> dict[str, object]:
    """A wish to share that alert."""
    return {"alert": alert(), "recipients": ["XB", "XC"], "purpose": "control"} | changes
